"""What goes wrong on the way to hosts and on them: a bounded time, bounded memory, and a clear word for each host.

What happens to a host is begun before the command and takes place some seconds into it; those are long enough for a
busy machine. No time here is an expectation of speed. Each is what the command was given, plus what is granted to a
host beyond that, plus patience with a busy machine: where it is exceeded, something waits for ever.
"""

import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from intendant.app import App
from intendant.commands import CommandResult, HostOutput
from intendant.connections import GRACE_SECONDS
from intendant.remote import KEEP_BYTES
from lab.fixtures import unique_name
from lab.hosts import LabHost
from lab.labs import Lab
from support.outages import MemoryWatch, await_ssh, cut_network
from support.projects import make_project

_PATIENCE = 30
_CUT_OFF = "the connection ended before the command did"
_ANSIBLE = "[defaults]\ninventory = inventory\ntimeout = 5\n"


def make_app(folder: Path, hosts: dict[str, dict[str, Any]]) -> App:
    """A project over these hosts that waits 5 s for a login."""
    project = make_project(folder, {})
    project.write("ansible.cfg", _ANSIBLE)
    project.write("inventory/hosts.yml", yaml.safe_dump({"all": {"hosts": hosts}}))
    return project.open()


@pytest.fixture(scope="module")
def app(trixie_host: LabHost, bookworm_host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """web1, which things happen to, and web2, which they do not happen to; as in one long-lived server."""
    folder = tmp_path_factory.mktemp("chaos") / "project"
    app = make_app(folder, {"web1": trixie_host.inventory_vars(), "web2": bookworm_host.inventory_vars()})
    # Both are known and logged in to: what goes wrong later goes wrong in the middle.
    assert set(outputs_of(app.commander.run_command("all", "true"))) == {"web1", "web2"}
    yield app
    app.connections.close()


def outputs_of(result: CommandResult) -> dict[str, HostOutput]:
    """What each host answered."""
    assert result.executed
    return {host: group.output for group in result.groups for host in group.hosts}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is inside ends, and not much later than it must."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds + _PATIENCE


def assert_works(app: App, host: str = "web1") -> None:
    """The next command runs as if nothing had been."""
    output = outputs_of(app.commander.run_command(host, "echo again"))[host]
    assert (output.stdout, output.exit_code, output.error) == ("again\n", 0, "")


def do_on_host(host: LabHost, script: str) -> None:
    """Have the host do something by itself, whether anybody can be logged in to it or not."""
    host.run(f"systemd-run --quiet --collect sh -c '{script}'")


def is_listening(host: LabHost) -> bool:
    """Somebody answers at the port for ssh."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((host.address, host.port)) == 0


@pytest.mark.long
def test_a_host_that_boots_again_in_the_middle_of_a_command(app: App, trixie_host: LabHost) -> None:
    started = trixie_host.run("cut -d ' ' -f 22 /proc/1/stat").stdout
    do_on_host(trixie_host, "sleep 5; systemctl reboot --force")
    with within(60 + GRACE_SECONDS):
        found = outputs_of(app.commander.run_command("all", "sleep 12; echo done", timeout=60))
    assert found["web2"].stdout == "done\n"
    assert found["web1"].exit_code is None
    assert _CUT_OFF in found["web1"].error, found["web1"].error
    await_ssh(trixie_host)
    assert trixie_host.run("cut -d ' ' -f 22 /proc/1/stat").stdout != started, "it has not booted again"
    assert_works(app)


@pytest.mark.long
def test_a_network_that_is_gone_for_ten_seconds_is_only_a_delay(app: App, trixie_host: LabHost) -> None:
    with within(60 + GRACE_SECONDS), cut_network(trixie_host, after=4, seconds=10):
        found = outputs_of(app.commander.run_command("all", "echo begun; sleep 8; echo done", timeout=60))
    assert {output.stdout for output in found.values()} == {"begun\ndone\n"}
    assert found["web1"].duration > 9, "it was not cut off"
    assert_works(app)


@pytest.mark.long
def test_a_network_that_stays_gone_is_given_up_and_the_command_ends_on_its_host(app: App, trixie_host: LabHost) -> None:
    with cut_network(trixie_host, after=1):
        with within(4 + GRACE_SECONDS):
            found = outputs_of(app.commander.run_command("all", "echo begun; sleep 3; sleep 71.5", timeout=4))
        assert (found["web2"].ended, found["web2"].stdout) == ("timeout", "begun\n")
        assert "no answer within 14 s; the command was told to end after 4 s" in found["web1"].error
        # Asked anew, it does not let anybody in.
        with within(4 + GRACE_SECONDS):
            again = outputs_of(app.commander.run_command("web1", "true", timeout=4))["web1"]
        assert "timed out" in again.error, again.error
        with within(30):
            [check] = app.checker.check("web1")[0]
        assert [one.name for one in check.checks if not one.ok] == ["connect"]
    await_ssh(trixie_host)
    assert trixie_host.run("pgrep -f 'sleep 71[.]5'", check=False).returncode == 1
    assert_works(app)


@pytest.mark.long
def test_an_sshd_that_is_gone_does_not_end_what_is_running(app: App, trixie_host: LabHost) -> None:
    do_on_host(trixie_host, "sleep 3; systemctl stop ssh; sleep 40; systemctl start ssh")
    found = outputs_of(app.commander.run_command("web1", "sleep 8; echo done"))
    assert found["web1"].stdout == "done\n"
    assert not is_listening(trixie_host)
    assert_works(app)
    await_ssh(trixie_host)


@pytest.mark.long
def test_a_killed_sshd_is_said_and_the_next_command_logs_in_anew(app: App, trixie_host: LabHost) -> None:
    do_on_host(trixie_host, "sleep 5; systemctl stop ssh; pkill -KILL sshd; sleep 25; systemctl start ssh")
    with within(30 + GRACE_SECONDS):
        found = outputs_of(app.commander.run_command("all", "sleep 10; echo done"))
    assert found["web2"].stdout == "done\n"
    assert found["web1"].exit_code is None
    assert _CUT_OFF in found["web1"].error, found["web1"].error
    refused = outputs_of(app.commander.run_command("web1", "true"))["web1"]
    assert "refused" in refused.error, refused
    await_ssh(trixie_host)
    assert_works(app)


@pytest.fixture
def strange_uptime(trixie_host: LabHost) -> Iterator[Callable[[str], None]]:
    """A function that makes `uptime`, which is a read by its name, a shell script of the host's own."""

    def replace(script: str) -> None:
        text = shlex.quote(f"#!/bin/bash\n{script}\n")
        trixie_host.run(f"printf %b {text} > /usr/local/bin/uptime; chmod 755 /usr/local/bin/uptime")

    yield replace
    trixie_host.run("rm -f /usr/local/bin/uptime")


@pytest.mark.parametrize("sudo", [False, True])
def test_a_program_that_ignores_being_told_to_end_is_ended(
    sudo: bool, app: App, trixie_host: LabHost, strange_uptime: Callable[[str], None]
) -> None:
    strange_uptime("trap '' TERM HUP INT; echo begun; sleep 72.5 & while :; do sleep 72.5; done")
    with within(2 + GRACE_SECONDS):
        output = outputs_of(app.commander.run_command("web1", "uptime", sudo=sudo, timeout=2))["web1"]
    assert (output.ended, output.exit_code, output.stdout) == ("timeout", None, "begun\n")
    assert trixie_host.run("pgrep -f 'sleep 72[.]5|local/bin/uptime'", check=False).returncode == 1
    assert_works(app)


@pytest.mark.parametrize("stream", ["stdout", pytest.param("stderr", marks=pytest.mark.long)])
def test_a_gigabyte_of_output_is_bounded_on_both_sides(
    stream: str, app: App, strange_uptime: Callable[[str], None]
) -> None:
    strange_uptime(f"yes 0123456789abcde | head -c 1000000000 {'>&2' if stream == 'stderr' else ''}; echo end")
    with MemoryWatch() as watch, within(120 + GRACE_SECONDS):
        result = app.commander.run_command("web1", "uptime", timeout=120)
    [group] = result.groups
    assert (group.output.exit_code, group.output.error) == (0, "")
    assert group.output.stdout.endswith("end\n")
    assert len(getattr(group.output, stream)) < 30_000
    kept = app.outputs.read(result.output_id, "web1", stream)  # type: ignore[arg-type]  # one of the two names
    assert len(kept) < 2 * KEEP_BYTES + 1000
    printed = 1_000_000_000 + (len("end\n") if stream == "stdout" else 0)
    assert f"{printed - 2 * KEEP_BYTES} bytes left out" in kept
    assert watch.growth < 200 * 2**20, f"{watch.growth / 2**20:.0f} MiB"
    assert_works(app)


@pytest.mark.parametrize("sudo", [False, True])
def test_a_login_that_prints_without_end_is_bounded_and_costs_nobody_else_anything(
    sudo: bool, app: App, trixie_host: LabHost
) -> None:
    # It never comes to our script, which would have bounded it there.
    trixie_host.run(f"sed -i '1i exec yes 0123456789abcde' ~{trixie_host.user}/.bashrc")
    try:
        with MemoryWatch() as watch, within(5 + GRACE_SECONDS):
            found = outputs_of(app.commander.run_command("all", "sleep 4; echo done", sudo=sudo, timeout=5))
    finally:
        trixie_host.run(f"sed -i 1d ~{trixie_host.user}/.bashrc")
    assert found["web2"].stdout == "done\n"
    assert "more than" in found["web1"].error, found["web1"].error[:300]
    assert watch.growth < 200 * 2**20, f"{watch.growth / 2**20:.0f} MiB"
    assert_works(app)


# What is wrong with each, the word that both commands' answers have for it, and the check that fails.
_DEAD = {
    "refusing": ("refused", "connect"),
    "silent": ("timed out|no route", "connect"),
    "nameless": ("resolve", "name"),
    "frozen": ("no answer within|timed out|banner", "banner"),
    "changed": ("host key|identification", "host_key"),
}


@pytest.fixture
def fleet(lab: Lab, living: int, tmp_path: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """Variables of so many hosts that are well, and of five that are dead, each in its own way."""
    names = [*(unique_name(f"fleet{number}") for number in range(living)), unique_name("frozen")]
    hosts = lab.boot_many(dict.fromkeys(names, "trixie"))
    frozen, first = hosts.pop(names[-1]), hosts[names[0]]
    found = {name: host.inventory_vars() for name, host in hosts.items()}
    known = first.inventory_vars()
    found["refusing"] = {**known, "ansible_port": 2}
    found["silent"] = {**known, "ansible_host": first.unused_address}
    found["nameless"] = {**known, "ansible_host": "nameless.lab.invalid"}
    found["frozen"] = frozen.inventory_vars()
    (tmp_path / "known_hosts").write_text(
        f"{hosts[names[1]].address} {frozen.known_hosts.read_text().split(' ', 1)[1]}"
    )
    other = hosts[names[1]].inventory_vars()
    keys = other["ansible_ssh_common_args"].replace(str(hosts[names[1]].known_hosts), str(tmp_path / "known_hosts"))
    found["changed"] = {**other, "ansible_user": "root", "ansible_ssh_common_args": keys}
    do_on_host(frozen, "sleep 0.5; pkill -STOP sshd")
    yield found
    for name in names:
        lab.stop(name)


@pytest.mark.parametrize("living", [4, pytest.param(45, marks=pytest.mark.long)])
def test_a_fleet_of_which_five_are_dead(living: int, fleet: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    app = make_app(tmp_path / "project", fleet)
    try:
        # The hosts take turns, 20 at a time, after Ansible's start; the dead keep their turn for as long as they may.
        with within(60 + 3 * (20 + GRACE_SECONDS)), MemoryWatch() as watch:
            found = outputs_of(app.commander.run_command("all", "hostname; seq 20000", timeout=20))
        assert found.keys() == fleet.keys()
        for name in found.keys() - _DEAD.keys():
            assert (found[name].exit_code, found[name].error) == (0, ""), name
            assert found[name].stdout.startswith(f"{name}\n1\n"), name
        for name, (words, _) in _DEAD.items():
            assert found[name].exit_code is None
            assert re.search(words, found[name].error, re.I), f"{name}: {found[name].error}"
        assert watch.growth < (200 + 20 * living) * 2**20, f"{watch.growth / 2**20:.0f} MiB"
        with within(60):
            checks = {check.host: check for check in app.checker.check("all")[0]}
        assert checks.keys() == fleet.keys()
        wrong = {
            name: [one.name for one in check.checks if not one.ok] for name, check in checks.items() if not check.ok
        }
        assert wrong == {name: [failing] for name, (_, failing) in _DEAD.items()}
        again = outputs_of(app.commander.run_command(f"all,!{',!'.join(_DEAD)}", "echo again"))
        assert {output.stdout for output in again.values()} == {"again\n"}
    finally:
        app.connections.close()
