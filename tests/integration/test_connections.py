"""Warm connections to a real host: every login shell, every end that a command can come to, and bounded time."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from intendant.config import load_config
from intendant.connections import Answer, Connections
from intendant.remote import KEEP_BYTES, Order, Outcome, build_script, read_outcome
from lab.hosts import LabHost
from support.projects import Project, make_project

Variables = Mapping[str, Any]
LOGIN_SHELLS = ("bash", "dash", "zsh", "fish", "csh")


class Reach:
    """Hosts of one project over connections that stay."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.connections = Connections(load_config(project.directory))

    def ask(self, order: Order, *hosts: str, sudo: bool = False) -> dict[str, Answer]:
        return self.connections.run({host: build_script(order) for host in hosts}, become=sudo, seconds=order.seconds)

    def run(
        self, command: str, host: str = "web1", *, sudo: bool = False, seconds: int = 30, wall: bool = False
    ) -> Outcome:
        order = Order(command, secrets.token_hex(8), seconds, wall=wall)
        answer = self.ask(order, host, sudo=sudo)[host]
        assert answer.error is None, answer.message
        return read_outcome(order, answer.stdout, answer.stderr)

    def text(self, command: str, host: str = "web1", *, sudo: bool = False) -> str:
        found = self.run(command, host, sudo=sudo)
        assert (found.code, found.problem) == (0, "")
        return found.stdout.data.decode()


def write_inventory(project: Project, hosts: Mapping[str, Variables]) -> None:
    """Plain YAML, which is remembered until it changes."""
    project.write("inventory/hosts.yml", yaml.safe_dump({"all": {"hosts": {n: dict(v) for n, v in hosts.items()}}}))


@pytest.fixture(scope="module")
def hosts(trixie_host: LabHost) -> dict[str, dict[str, Any]]:
    """How the one host is reached, under several names."""
    trixie_host.run(
        "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y zsh fish csh", timeout=300
    )
    variables = trixie_host.inventory_vars()
    found = {"web1": variables, "dead": {**variables, "ansible_port": 2}}
    found["silent"] = {**variables, "ansible_host": trixie_host.unused_address, "ansible_timeout": 2}
    for shell in LOGIN_SHELLS:
        add_user(trixie_host, f"u{shell}", f"$(command -v {shell})")
        trixie_host.run(f"echo 'u{shell} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/u{shell}")
        found[shell] = {**variables, "ansible_user": f"u{shell}"}
    add_user(trixie_host, "noisy", "/bin/bash")
    trixie_host.run("sed -i '1i echo welcome; echo careful >&2' ~noisy/.bashrc")
    found["noisy"] = {**variables, "ansible_user": "noisy"}
    add_user(trixie_host, "nobody2", "/usr/sbin/nologin")
    found["nologin"] = {**variables, "ansible_user": "nobody2"}
    return found


@pytest.fixture
def reach(hosts: dict[str, dict[str, Any]], tmp_path: Path) -> Iterator[Reach]:
    project = make_project(tmp_path / "project", {})
    write_inventory(project, hosts)
    reach = Reach(project)
    yield reach
    reach.connections.close()


def add_user(host: LabHost, name: str, shell: str) -> None:
    host.run(
        f"useradd -m -s {shell} {name} && mkdir -m 700 ~{name}/.ssh && cp ~{host.user}/.ssh/authorized_keys"
        f" ~{name}/.ssh/ && chown -R {name}: ~{name}/.ssh"
    )


def test_exit_code_and_both_outputs_come_back_apart(reach: Reach) -> None:
    found = reach.run("echo out; echo err >&2; exit 7")
    assert (found.code, found.stdout.data, found.stderr.data) == (7, b"out\n", b"err\n")
    assert reach.text("id -un") == "admin\n"
    assert reach.text("id -un", sudo=True) == "root\n"


@pytest.mark.parametrize("sudo", [False, True])
@pytest.mark.parametrize("shell", LOGIN_SHELLS)
def test_every_login_shell_passes_the_command_on_as_it_is(shell: str, sudo: bool, reach: Reach) -> None:
    written = "printf '%s|' 'a\"b' \"it's\" '$HOME' \\\\ '!' '%' `echo z` é\nprintf end"
    assert reach.text(written, shell, sudo=sudo) == "a\"b|it's|$HOME|\\|!|%|z|é|end"


def test_what_a_login_shell_prints_is_not_the_commands_output(reach: Reach) -> None:
    found = reach.run("echo hi", "noisy")
    assert (found.stdout.data, found.stderr.data) == (b"hi\n", b"")


def test_an_account_without_a_shell_is_said_in_its_own_words(reach: Reach) -> None:
    assert "not available" in reach.run("id", "nologin").problem


@pytest.mark.parametrize("sudo", [False, True])
@pytest.mark.parametrize("command", ["sleep 51.5 & sleep 51.5", "trap '' TERM; sleep 51.5; sleep 51.5"])
def test_a_command_that_takes_too_long_is_gone_with_its_children(
    command: str, sudo: bool, reach: Reach, trixie_host: LabHost
) -> None:
    started = time.monotonic()
    found = reach.run(f"echo begun; {command}", sudo=sudo, seconds=1)
    assert (found.timed_out, found.code, found.stdout.data) == (True, None, b"begun\n")
    assert time.monotonic() - started < 30
    assert trixie_host.run("pgrep -f 'sleep 51[.]5'", check=False).returncode == 1


def test_a_hundred_megabytes_are_bounded_on_the_host(reach: Reach) -> None:
    found = reach.run("yes 0123456789 | head -c 100000000; echo end >&2", seconds=60)
    assert len(found.stdout.data) == 2 * KEEP_BYTES
    assert found.stdout.missing == 100_000_000 - 2 * KEEP_BYTES
    assert found.stderr.data == b"end\n"


def test_hosts_that_do_not_answer_are_results_beside_one_that_does(reach: Reach) -> None:
    order = Order("echo here", secrets.token_hex(8), 5)
    found = reach.ask(order, "web1", "dead", "silent")
    assert read_outcome(order, found["web1"].stdout, found["web1"].stderr).stdout.data == b"here\n"
    assert found["dead"].error == found["silent"].error == "unreachable"
    assert "refused" in found["dead"].message
    assert found["silent"].duration < 15


def test_a_host_that_stops_answering_is_given_up_and_asked_anew_later(
    reach: Reach, trixie_host: LabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intendant.connections.GRACE_SECONDS", 2)
    order = Order("kill -STOP $PPID; sleep 1", secrets.token_hex(8), 1)
    reach.text("true")
    # The server's process of this login is stopped: as if the network were cut.
    stop = "for p in $(pgrep -u admin sshd); do kill -STOP $p; done; (sleep 12; pkill -CONT -u admin sshd) &"
    trixie_host.run(stop.replace(" &", " > /dev/null 2>&1 &"))
    started = time.monotonic()
    answer = reach.ask(order, "web1")["web1"]
    assert (answer.error, answer.message) == ("timeout", "no answer")
    assert time.monotonic() - started < 12
    assert reach.text("echo again") == "again\n"


def test_a_login_that_is_cut_off_in_the_middle_is_an_error_and_the_next_command_runs(
    reach: Reach, trixie_host: LabHost
) -> None:
    reach.text("true")
    cut = threading.Timer(1, trixie_host.run, ("pkill -KILL -u admin sshd",), {"check": False})
    cut.start()
    order = Order("sleep 20", secrets.token_hex(8), 25)
    started = time.monotonic()
    answer = reach.ask(order, "web1")["web1"]
    cut.join()
    assert answer.error == "unreachable", answer
    assert time.monotonic() - started < 15
    assert reach.text("echo again") == "again\n"


def test_the_wall_lets_a_command_read_and_write_nothing(reach: Reach, trixie_host: LabHost) -> None:
    places = ["/etc", "/home", "/var", "/tmp", "/root", "/usr", "/opt"]
    found = reach.run(f"id -u; for d in {' '.join(places)}; do touch $d/x && echo $d; done", sudo=True, wall=True)
    assert found.wall
    assert found.stdout.data == b"0\n"
    assert found.stderr.data.count(b"Read-only") == len(places)
    for command in ("exit 3", "kill -9 $$"):
        assert reach.run(command, sudo=True, wall=True).code == reach.run(command, sudo=True).code
    assert reach.run("echo '$HOME %h %% ${USER}' \"$HOME\"", sudo=True, wall=True).stdout.data == (
        b"$HOME %h %% ${USER} /root\n"
    )
    assert reach.run("pwd", sudo=True, wall=True).stdout.data == reach.run("pwd", sudo=True).stdout.data


def test_under_the_wall_a_command_that_takes_too_long_is_gone_too(reach: Reach, trixie_host: LabHost) -> None:
    found = reach.run("trap '' TERM; setsid sleep 52.5 & sleep 52.5; sleep 52.5", sudo=True, wall=True, seconds=1)
    assert (found.timed_out, found.wall) == (True, True)
    assert trixie_host.run("pgrep -f 'sleep 52[.]5'", check=False).returncode == 1
    assert trixie_host.run("systemctl list-units --no-legend 'intendant-*'").stdout == ""


def test_where_no_wall_can_stand_the_command_does_not_run_and_the_reason_is_told(reach: Reach) -> None:
    found = reach.run("echo ran", wall=True)
    assert (found.code, found.no_wall, found.stdout.data) == (None, "not root", b"")


def test_a_sudo_password_from_a_variable_is_used_and_never_shown(
    reach: Reach, hosts: dict[str, dict[str, Any]], trixie_host: LabHost
) -> None:
    add_user(trixie_host, "careful", "/bin/bash")
    trixie_host.run("echo 'careful:a good one' | chpasswd; echo 'careful ALL=(ALL) ALL' > /etc/sudoers.d/careful")
    vault = reach.project.write("vault-password", "made up\n")
    secret = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-vault"),
            "encrypt_string",
            "--vault-password-file",
            vault,
            "a good one",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    reach.project.write("ansible.cfg", "[defaults]\ninventory = inventory\nvault_password_file = vault-password\n")
    careful = {**hosts["web1"], "ansible_user": "careful"}
    write_inventory(reach.project, {"careful": careful, "wrong": {**careful, "ansible_become_password": "no"}})
    reach.project.write("inventory/host_vars/careful.yml", f"ansible_become_password: {secret}")
    reach.connections = Connections(load_config(reach.project.directory))

    found = reach.run("id -un; echo 'a good one' >&2; cat", "careful", sudo=True)
    assert (found.stdout.data, found.stderr.data) == (b"root\n", b"(sensitive)\n")
    order = Order("id", secrets.token_hex(8), 5)
    assert reach.ask(order, "wrong", sudo=True)["wrong"].error == "become"
    plain = {**careful, "ansible_become_password": ""}
    write_inventory(reach.project, {"without": plain})
    answer = reach.ask(order, "without", sudo=True)["without"]
    assert answer.error == "become", answer
    assert "password" in answer.message


def test_su_with_a_password_works_through_a_terminal(
    reach: Reach, hosts: dict[str, dict[str, Any]], trixie_host: LabHost
) -> None:
    trixie_host.run("echo 'root:very good' | chpasswd")
    write_inventory(
        reach.project,
        {"web1": {**hosts["web1"], "ansible_become_method": "su", "ansible_become_password": "very good"}},
    )
    found = reach.run("id -un; echo err >&2; exit 3", sudo=True)
    # Which of the two comes first is not known.
    assert (found.code, sorted(found.stdout.data.split())) == (3, [b"err", b"root"])


def test_a_changed_inventory_is_read_anew(reach: Reach, hosts: dict[str, dict[str, Any]]) -> None:
    assert reach.text("id -un") == "admin\n"
    write_inventory(reach.project, {"web1": hosts["dash"]})
    assert reach.text("id -un") == "udash\n"


def test_a_connector_that_died_is_started_again(reach: Reach) -> None:
    reach.text("true")
    [connector] = connectors_of(psutil.Process())
    connector.kill()
    connector.wait(10)
    assert reach.text("echo again") == "again\n"


def test_a_connector_that_dies_meanwhile_is_told_from_a_host_that_does_not_answer(reach: Reach) -> None:
    reach.text("true")
    [connector] = connectors_of(psutil.Process())
    killer = threading.Timer(1, connector.kill)
    killer.start()
    order = Order("sleep 20", secrets.token_hex(8), 30)
    answer = reach.ask(order, "web1")["web1"]
    killer.join()
    assert (answer.error, answer.message) == ("other", "the process that holds the connections ended: ask again")
    assert reach.text("echo again") == "again\n"


OWNER = """
import sys
from intendant.config import load_config
from intendant.connections import Connections
from pathlib import Path
from intendant.remote import Order, build_script
connections = Connections(load_config(Path(sys.argv[1])))
connections.run({"web1": build_script(Order("true", "00", 5))}, become=False, seconds=5)
print("ready", flush=True)
connections.run({"web1": build_script(Order("sleep 20", "00", 20))}, become=False, seconds=20)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_connector_ends_with_its_owner_however_that_ends(end: signal.Signals, reach: Reach) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(reach.project.directory)], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        [connector] = connectors_of(psutil.Process(owner.pid))
        logins = connector.children(recursive=True)
        assert logins
        owner.send_signal(end)
        owner.wait(10)
    gone, alive = psutil.wait_procs([connector, *logins], timeout=10)
    assert not alive, gone


def connectors_of(owner: psutil.Process) -> list[psutil.Process]:
    return [child for child in owner.children() if "intendant.ansible.connector" in child.cmdline()]


def test_many_hosts_are_asked_at_once(reach: Reach, hosts: dict[str, dict[str, Any]]) -> None:
    names = [f"web{number}" for number in range(10)]
    write_inventory(reach.project, dict.fromkeys(names, hosts["web1"]))
    order = Order("sleep 2; hostname", secrets.token_hex(8), 20)
    reach.ask(Order("true", secrets.token_hex(8), 20), *names)
    started = time.monotonic()
    found = reach.ask(order, *names)
    assert {read_outcome(order, answer.stdout, answer.stderr).code for answer in found.values()} == {0}
    assert time.monotonic() - started < 15
