"""What is classed as a read leaves a host as it was: every file and every process, after everyday commands."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from commands.labelled import read_labels
from intendant.app import App
from intendant.commands import HostOutput
from lab.hosts import LabHost
from support.host_state import compare_states
from support.projects import make_project
from support.traces import read_traces

# A service that D-Bus starts for one question (hostnamectl, timedatectl) ends by itself after this.
_ON_DEMAND_SECONDS = 45
_PLAIN = 50
# With the rights to change anything: what would write a cache, a log or a lock if it could.
_WITH_SUDO = (
    "apt-get -s upgrade", "apt-cache policy nginx", "cat /etc/shadow", "dpkg -l", "du -sh /var/*", "hostnamectl",
    "find / -xdev -perm -4000 -type f", "grep -r PermitRootLogin /etc/ssh", "journalctl -p err -b --no-pager",
    "journalctl --disk-usage", "ls -la /root", "passwd -S admin", "ps aux", "python3 --version", "ss -tlnp", "sshd -T",
    "systemctl --failed", "systemctl list-timers --all", "systemctl status ssh", "top -bn1",
)  # fmt: skip


@pytest.fixture(scope="module")
def host(trixie_host: LabHost) -> LabHost:
    """Nothing happens there by the clock: what is different afterwards, the commands have done."""
    trixie_host.run("systemctl stop '*.timer'")
    # sudo notes in the account's home that it was used, at the first time.
    trixie_host.run("sudo true", user=trixie_host.user)
    return trixie_host


@pytest.fixture
def app(host: LabHost, tmp_path: Path) -> Iterator[App]:
    project = make_project(tmp_path / "project", {})
    project.write("inventory/hosts.yml", yaml.safe_dump({"all": {"hosts": {"web1": host.inventory_vars()}}}))
    app = project.open()
    yield app
    app.connections.close()


def everyday_commands() -> list[str]:
    """The labelled reads of everyday kinds."""
    return [label.command for label in read_labels() if label.kind == "read" and label.origin == "reads"]


def one_of_each_program(commands: list[str]) -> list[str]:
    """The first command of each program, and every line that is more than one command."""
    found: dict[str, str] = {}
    for command in commands:
        found.setdefault(command if re.search(r"[|;&(\n]", command) else command.split()[0], command)
    return list(found.values())


def run_all(app: App, commands: list[str], *, sudo: bool = False) -> list[HostOutput]:
    """The outputs of those that the host has the programs for."""
    outputs = []
    for command in commands:
        result = app.commander.run_command("web1", command, sudo=sudo)
        assert result.executed, f"{command}: {result.reason}"
        [group] = result.groups
        assert not group.output.error, f"{command}: {group.output.error}"
        if group.output.exit_code != 127 and "command not found" not in group.output.stderr:
            outputs.append(group.output)
    return outputs


def find_changes(host: LabHost, before: dict[str, str]) -> list[str]:
    """What is not as it was, once what ends by itself has ended."""
    deadline = time.monotonic() + _ON_DEMAND_SECONDS
    while (found := compare_states(before, read_traces(host))) and time.monotonic() < deadline:
        time.sleep(3)
    return found


@pytest.mark.long
def test_everyday_reads_leave_every_file_and_process_as_it_was(app: App, host: LabHost) -> None:
    before = read_traces(host)
    outputs = run_all(app, one_of_each_program(everyday_commands()))
    assert sum(output.exit_code == 0 for output in outputs) >= _PLAIN, "too few of them did anything"
    assert find_changes(host, before) == []


@pytest.mark.long
def test_with_sudo_they_do_too(app: App, host: LabHost) -> None:
    before = read_traces(host)
    outputs = run_all(app, list(_WITH_SUDO), sudo=True)
    assert sum(output.exit_code == 0 for output in outputs) >= len(_WITH_SUDO) - 2
    assert all(output.wall for output in outputs)
    assert find_changes(host, before) == []


@pytest.mark.long
def test_every_labelled_read_leaves_a_host_as_it_was(app: App, host: LabHost) -> None:
    before = read_traces(host)
    commands = [label.command for label in read_labels() if label.kind == "read"]
    assert len(run_all(app, commands)) >= 4 * _PLAIN
    assert find_changes(host, before) == []


# What each leaves: a new file, a time, a byte, permissions, an owner, a link, a missing file, a process.
_CHANGES = {
    "touch /srv/new": "/srv/new: absent -> ",
    "touch /etc/hostname": "/etc/hostname: ",
    "echo x >> /etc/motd": "/etc/motd: ",
    # Of the same size, and with the time of before.
    "cp -p /etc/issue.net /dev/shm/old; sed -i s/Debian/debiaN/ /etc/issue.net; touch -r /dev/shm/old /etc/issue.net": (
        "/etc/issue.net: "
    ),
    "chmod 600 /etc/fstab": "/etc/fstab: ",
    "chown daemon /etc/hosts": "/etc/hosts: ",
    "ln -s /etc /srv/link": "/srv/link: absent -> ",
    "rm /etc/issue": "/etc/issue: ",
    "setsid sleep 600 >/dev/null 2>&1 </dev/null &": "process ",
}


def test_what_a_command_leaves_would_be_seen(fresh_host: Callable[[str], LabHost]) -> None:
    host = fresh_host("trixie")
    before = read_traces(host)
    assert compare_states(before, read_traces(host)) == []
    for command in _CHANGES:
        host.run(command)
    found = compare_states(before, read_traces(host))
    unseen = [command for command, shown in _CHANGES.items() if not any(line.startswith(shown) for line in found)]
    assert unseen == []
