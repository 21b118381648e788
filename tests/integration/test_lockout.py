"""Nobody is locked out: what would cut Ansible off is refused, or the host takes it back by itself.

Where a role keeps the connection whatever is asked for, a copy of it with that taken out does the cutting.
"""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import ProjectOf
from intendant.app import App
from intendant.runs import Run
from lab.hosts import LabHost
from support.projects import Project, apply, only_plan, only_run, plan

FreshHost = Callable[[str], LabHost]

pytestmark = pytest.mark.long

ROLES = Path(__file__).parents[2] / "roles"
SUITES = ("bookworm", "trixie")
#: seconds that a change is on trial here; shorter than usual, since most of these trials fail
TRIAL = 15
DENY: dict[str, Any] = {"firewall_default": "deny"}
RULESET = "nft --stateless list table inet intendant; cat /etc/nftables.intendant.conf"
SETTINGS = "sshd -T | sort; ls /etc/ssh/sshd_config.d"
GUARD = "ls -A /var/lib/intendant /etc/systemd/system/intendant-guard-* /etc/systemd/system/timers.target.wants 2>&-"


def copy_role(project: Project, role: str, *cuts: tuple[str, str, str]) -> None:
    """Put a copy of a shipped role into the project, with texts (file, old, new) of it replaced."""
    copy = project.directory / "roles" / role
    shutil.copytree(ROLES / role, copy)
    for name, old, new in [("vars/main.yml", "{{ 45 +", f"{{{{ {TRIAL} +"), *cuts]:
        text = (copy / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} of the role {role} no longer says {old!r}"
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")


def apply_in_vain(app: App, intent: str, params: dict[str, Any]) -> Run:
    """Apply what cuts the connection. The run says that it failed and why."""
    planned = plan(app, "web1", (intent, params))
    assert only_plan(planned).error is None
    assert only_plan(planned).changes
    run = apply(app, planned.id)
    assert run.status == "failed"
    assert not run.as_planned
    assert "no new connection to the host was possible" in only_run(run).message
    assert "everything is as it was before" in only_run(run).message
    return run


def assert_reachable_by_plans(app: App) -> None:
    """Plan over a connection of Ansible's own, as the user that it logs in as."""
    look = plan(app, "web1", ("file", {"file_path": "/srv/reached", "file_state": "directory"}))
    assert only_plan(look).error is None


@pytest.mark.parametrize("suite", SUITES)
def test_a_ruleset_that_drops_ssh_gives_way_to_the_one_before(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host = fresh_host(suite)
    project = project_of({"web1": host})
    app = project.open()
    guarded = host.run(GUARD, check=False).stdout
    first = apply(app, plan(app, "web1", ("firewall", {"firewall_allow": [{"port": "443"}]})).id)
    assert first.as_planned, only_run(first).message
    before = host.run(RULESET).stdout
    assert "policy accept" in before

    copy_role(project, "firewall", ("tasks/rules.yml", "{{ __firewall_login.port }}", "0"))
    apply_in_vain(app, "firewall", DENY)

    assert host.run(RULESET).stdout == before
    assert host.run(GUARD, check=False).stdout == guarded
    assert_reachable_by_plans(app)


def test_a_first_ruleset_that_drops_ssh_leaves_a_host_without_firewall(
    fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host = fresh_host("trixie")
    project = project_of({"web1": host})
    copy_role(project, "firewall", ("tasks/rules.yml", "{{ __firewall_login.port }}", "0"))
    app = project.open()

    apply_in_vain(app, "firewall", DENY)

    assert host.run("nft list tables; ls /etc/nftables.intendant.conf", check=False).stdout == ""
    assert host.run("systemctl is-active intendant-firewall", check=False).stdout.strip() == "inactive"
    # The same with the port kept is as good as if nothing had been tried before.
    shutil.rmtree(project.directory / "roles" / "firewall")
    second = apply(app, plan(app, "web1", ("firewall", DENY)).id)
    assert second.as_planned, only_run(second).message
    assert "policy drop" in host.run(RULESET).stdout


def test_ssh_that_is_allowed_from_the_wrong_address_is_found_out_by_the_new_connection(
    fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    """Ansible's second way in leads over another host, as with a changing address or a second jump host."""
    host, other = fresh_host("trixie"), fresh_host("trixie")
    project = project_of({"web1": host})
    copy_role(project, "firewall")
    *login, target = other.ssh_command(user=other.user)
    roundabout = shlex.join([*login, "-W", f"{host.address}:{host.port}", target])
    direct = f"exec python3 -c {shlex.quote(PIPE)} {host.address} {host.port}"
    used = project.write("used", "")
    script = f"if [ -e {used} ]; then exec {roundabout}; fi; touch {used}; {direct}\n"
    way = project.write("way.sh", script)
    variables = host.inventory_vars()
    variables["ansible_ssh_common_args"] += f" -o ProxyCommand='sh {way}'"
    project.set_inventory({"web1": variables})
    app = project.open()
    used.unlink()
    network = host.run("echo ${SSH_CONNECTION%% *}").stdout.strip()
    params = {**DENY, "firewall_allow": [{"port": "22", "from": network}]}
    planned = plan(app, "web1", ("firewall", params))
    assert only_plan(planned).error is None
    # What is left of the plan's connections ends, so that the run's first one is a direct one.
    host.run(f"pkill -u {host.user}")
    used.unlink()

    run = apply(app, planned.id)

    assert run.status == "failed"
    assert "no new connection to the host was possible" in only_run(run).message
    assert host.run("nft list tables").stdout == ""
    assert_reachable_by_plans(app)


#: a way in without a program that the machine may not have
PIPE = """
import os, socket, sys, threading
way = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def send():
    while data := os.read(0, 65536):
        way.sendall(data)
    way.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while data := way.recv(65536):
    os.write(1, data)
"""


@pytest.mark.parametrize("suite", SUITES)
def test_a_firewall_that_is_asked_to_close_ssh_keeps_it_open(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host = fresh_host(suite)
    app = project_of({"web1": host}).open()
    elsewhere = {"port": "22", "from": "192.0.2.1"}
    for params in (
        {**DENY, "firewall_allow": [elsewhere], "firewall_exclusive": True},
        {"firewall_state": "absent", "firewall_allow": [{"port": "22"}]},
    ):
        run = apply(app, plan(app, "web1", ("firewall", params)).id)
        assert run.as_planned, only_run(run).message
        assert "policy drop" in host.run(RULESET).stdout
        assert_reachable_by_plans(app)


@pytest.mark.parametrize("suite", SUITES)
def test_sshd_settings_that_let_nobody_in_give_way_to_those_before(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host = fresh_host(suite)
    project = project_of({"web1": host})
    unknown = "{{ __ssh_server_login | combine({'user': ''}) }}"
    copy_role(project, "ssh_server", ("tasks/check.yml", "{{ __ssh_server_login }}", unknown))
    app = project.open()
    host.run("useradd --create-home guest")
    before, guarded = host.run(SETTINGS).stdout, host.run(GUARD, check=False).stdout

    apply_in_vain(app, "ssh_server", {"ssh_server_allowed_users": ["guest"], "ssh_server_max_auth_tries": 2})

    assert host.run(SETTINGS).stdout == before
    assert host.run(GUARD, check=False).stdout == guarded
    assert_reachable_by_plans(app)


@pytest.mark.parametrize("suite", SUITES)
def test_sshd_settings_that_would_lock_ansible_out_are_refused_in_the_plan(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host = fresh_host(suite)
    project = project_of({"web1": host})
    project.set_inventory({"web1": host.inventory_vars(), "asroot": {**host.inventory_vars(), "ansible_user": "root"}})
    app = project.open()
    before = host.run(SETTINGS).stdout
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("web1", {"ssh_server_allowed_users": ["guest"]}, "admin, as whom Ansible logs in, would not be among them"),
        ("web1", {"ssh_server_allowed_groups": ["games"]}, "admin, as whom Ansible logs in, would be in none of them"),
        ("asroot", {"ssh_server_root_login": "no"}, "Ansible itself has logged in as root"),
        ("asroot", {"ssh_server_allowed_users": ["admin"]}, "root, as whom Ansible logs in"),
    ]
    for name, params, reason in refused:
        planned = plan(app, name, ("ssh_server", params))
        assert reason in (only_plan(planned).error or ""), params
        assert not planned.applyable
    assert host.run(SETTINGS).stdout == before
    # What somebody else has written, and sshd has not read yet, would come into effect too.
    host.run("printf 'Match User admin\\n  PubkeyAuthentication no\\n' > /etc/ssh/sshd_config.d/50-admin.conf")
    planned = plan(app, "web1", ("ssh_server", {"ssh_server_max_auth_tries": 5}))
    assert "by publickey, which would no longer be possible" in (only_plan(planned).error or "")
