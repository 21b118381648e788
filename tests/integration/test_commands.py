"""Commands on a real host, as the tool and the command line give them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from intendant.app import App
from intendant.cli import main
from intendant.errors import PolicyError
from lab.hosts import LabHost
from support.projects import APPROVED_BY_POLICY, Project, apply, make_project, plan


@pytest.fixture
def project(trixie_host: LabHost, tmp_path: Path) -> Project:
    """A host under two names, and one that nobody is at."""
    variables = trixie_host.inventory_vars()
    hosts = {"web1": variables, "web2": variables, "dead": {**variables, "ansible_port": 2}}
    project = make_project(tmp_path / "project", {})
    project.write("inventory/hosts.yml", yaml.safe_dump({"web": {"hosts": hosts}, "db": {"hosts": {"web2": {}}}}))
    return project


@pytest.fixture
def app(project: Project) -> Iterator[App]:
    app = project.open()
    yield app
    app.connections.close()


def test_a_read_runs_at_once_and_hosts_that_say_the_same_are_together(app: App) -> None:
    result = app.commander.run_command("all", "hostname; ls /no/such/place")
    assert result.executed
    same, dead = result.groups
    assert sorted(same.hosts) == ["web1", "web2"]
    assert same.output.exit_code == 2
    assert same.output.stdout.startswith("trixie-")
    assert "/no/such/place" in same.output.stderr
    assert dead.hosts == ("dead",)
    assert "Connection refused" in dead.output.error
    assert "Is sshd running" in dead.output.error
    assert dead.output.exit_code is None


def test_what_may_change_something_is_planned_and_runs_once_when_it_is_applied(
    app: App, project: Project, trixie_host: LabHost
) -> None:
    command = '[[ -e /srv/log ]] || echo "it\'s {{ no template }} $HOME" >> /srv/log; id -un >> /srv/log'
    trixie_host.run("rm -f /srv/log")
    result = app.commander.run_command("web1", command, sudo=True, timeout=20)
    assert (result.executed, result.kind, result.groups) == (False, "change", ())
    assert result.plan_id in result.next
    assert trixie_host.run("ls /srv").stdout == ""

    planned = app.store.get_plan(result.plan_id)
    [host] = planned.hosts
    [change] = host.changes
    assert (change.action, change.after) == ("run", f"{command}\n")
    assert [spot.reason for spot in host.blind_spots] == ["what the command changes cannot be predicted"]
    assert (planned.complete, planned.destructive, planned.applyable) == (False, True, True)

    run = apply(app, result.plan_id)
    assert (run.status, run.as_planned) == ("succeeded", True)
    assert trixie_host.run("cat /srv/log; rm /srv/log").stdout == "it's {{ no template }} /root\nroot\n"


def test_a_planned_command_that_fails_says_what_it_said(app: App) -> None:
    result = app.commander.run_command("web1", "touch /srv/x")
    run = apply(app, result.plan_id)
    assert run.status == "failed"
    assert "ended with 1" in run.hosts[0].message
    assert "Permission denied" in run.hosts[0].message


def test_a_planned_command_that_takes_too_long_is_gone_with_its_children(app: App, trixie_host: LabHost) -> None:
    result = app.commander.run_command("web1", "trap '' TERM; ./x; sleep 62.5 & sleep 62.5; sleep 62.5", timeout=1)
    run = apply(app, result.plan_id)
    assert "ended after 1 s" in run.hosts[0].message
    assert trixie_host.run("pgrep -f 'sleep 62[.]5'", check=False).returncode == 1


def test_what_destroys_is_refused_whichever_way_it_comes_unless_the_policy_allows_it(
    app: App, project: Project, trixie_host: LabHost
) -> None:
    result = app.commander.run_command("web1", "rm -rf /srv/gone")
    assert (result.executed, result.kind, result.plan_id) == (False, "destructive", "")
    assert "allow_destructive_commands" in result.next
    with pytest.raises(PolicyError, match="rm"):
        plan(app, "web1", ("command", {"command_line": "rm -rf /srv/gone"}))
    with pytest.raises(PolicyError, match=r"command itself|from_var"):
        plan(app, "web1", ("command", {"command_line": {"from_var": "ansible_host"}}))
    project.write("intendant.toml", f'state_dir = "state"\n{APPROVED_BY_POLICY}allow_destructive_commands = true\n')
    allowed = project.open()
    trixie_host.run("mkdir /srv/gone")
    apply(allowed, allowed.commander.run_command("web1", "rm -rf /srv/gone", sudo=True).plan_id)
    assert trixie_host.run("ls /srv").stdout == ""


def test_with_sudo_a_read_runs_behind_a_wall_and_says_so(app: App) -> None:
    result = app.commander.run_command(
        "web1", "id -un; cat /etc/shadow | wc -l; systemctl is-system-running", sudo=True
    )
    [group] = result.groups
    assert group.output.stdout.startswith("root\n")
    assert group.output.stdout.endswith("running\n")
    assert (group.output.exit_code, group.output.wall, group.output.no_wall) == (0, True, "")
    without = app.commander.run_command("web1", "id -un").groups[0].output
    assert (without.stdout, without.wall) == ("admin\n", False)


def test_where_the_wall_cannot_stand_the_command_runs_without_it_and_says_why(app: App, trixie_host: LabHost) -> None:
    trixie_host.run("mv /usr/bin/systemd-run /usr/bin/systemd-run.away")
    try:
        output = app.commander.run_command("web1", "id -un", sudo=True).groups[0].output
        again = app.commander.run_command("web1", "id -un", sudo=True).groups[0].output
    finally:
        trixie_host.run("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")
    assert (output.stdout, output.exit_code, output.wall) == ("root\n", 0, False)
    assert "systemd" in output.no_wall
    assert again.no_wall == output.no_wall


def test_a_wall_that_lets_writing_through_counts_as_none(app: App, trixie_host: LabHost) -> None:
    # As on a machine that allows no mounts, where systemd goes on without.
    trixie_host.run(
        "mv /usr/bin/systemd-run /usr/bin/systemd-run.away; printf '%s\\n' '#!/bin/sh'"
        ' \'while [ "$1" != /bin/sh ]; do shift; done; exec "$@"\' > /usr/bin/systemd-run;'
        " chmod 755 /usr/bin/systemd-run"
    )
    try:
        output = app.commander.run_command("web1", "id -un", sudo=True).groups[0].output
    finally:
        trixie_host.run("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")
    assert (output.stdout, output.wall, output.no_wall) == ("root\n", False, "/etc can be written")


def test_a_command_that_takes_too_long_says_so(app: App) -> None:
    result = app.commander.run_command("web1", "echo begun; sleep 61.5", timeout=1)
    [group] = result.groups
    assert (group.output.ended, group.output.exit_code, group.output.stdout) == ("timeout", None, "begun\n")
    assert "longer timeout" in result.next


def test_what_only_bash_reads_runs_in_bash(app: App) -> None:
    [group] = app.commander.run_command("web1", "cat <<< 'here it is'").groups
    assert (group.output.exit_code, group.output.stdout) == (0, "here it is\n")


def test_a_group_that_policy_forbids_commands_gets_none(project: Project) -> None:
    project.write("intendant.toml", 'state_dir = "state"\n[policy.groups.db]\nallowed_intents = ["packages"]\n')
    app = project.open()
    with pytest.raises(PolicyError, match="web2"):
        app.commander.run_command("web1,web2", "id")


def test_secrets_and_colours_are_not_shown(app: App, trixie_host: LabHost) -> None:
    trixie_host.run("printf 'db_password = hunter2hunter2\\n\\033[31mred\\033[0m caf\\351\\n' > /srv/config")
    try:
        [group] = app.commander.run_command("web1", "cat /srv/config").groups
    finally:
        trixie_host.run("rm /srv/config")
    assert group.output.stdout == "db_password = (sensitive)\nred caf\\xe9\n"


def test_a_long_output_is_kept_whole(app: App) -> None:
    result = app.commander.run_command("web1", "seq 200000")
    [group] = result.groups
    assert group.truncated["stdout"] > 1_000_000
    whole = app.outputs.read(result.output_id, "web1", "stdout")
    assert whole == "".join(f"{number}\n" for number in range(1, 200_001))


def test_the_command_line_gives_the_exit_code_of_the_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.directory)
    assert main(["exec", "web1", "--", "id", "-un"]) == 0
    assert "  | admin" in capsys.readouterr().out
    assert main(["exec", "web1", "--", "grep -q nobody-here /etc/passwd"]) == 1
    assert main(["exec", "web1", "--", "ls /no/such/place"]) == 2
    capsys.readouterr()
    assert main(["exec", "web1", "--json", "--sudo", "--", "id -un"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["class"], shown["groups"][0]["stdout"], shown["groups"][0]["wall"]) == ("read", "root\n", True)
    assert main(["exec", "web1", "--timeout", "1", "--", "sleep 61.5"]) == 124
    assert main(["exec", "all", "--", "true"]) == 1
    assert main(["exec", "web1", "--", "touch /srv/x"]) == 1
    assert "intendant review plan-" in capsys.readouterr().err
    assert main(["exec", "web1", "--", "rm -rf /srv"]) == 1
    assert "allow_destructive_commands" in capsys.readouterr().err
    assert main(["exec", "web1"]) == 1
    assert "HOSTS" in capsys.readouterr().err
