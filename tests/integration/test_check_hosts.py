"""One real host is broken in one way after another: the check names what fails, and its fix mends it."""

import os
import re
import shlex
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from intendant.app import App
from intendant.reach.results import HostCheck
from lab.commands import run_tool
from lab.fixtures import unique_name
from lab.hosts import LabHost
from lab.labs import Lab
from lab.registry import read_hosts
from support.projects import make_project

Variables = dict[str, Any]
Broken = tuple[str, str]


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    booted = lab.boot(unique_name("reach"), "trixie")
    # Many logins fail here on purpose, and sshd would turn this machine away for that.
    booted.run("echo 'PerSourcePenalties no' > /etc/ssh/sshd_config.d/lab.conf && systemctl reload ssh")
    yield booted
    lab.stop(booted.name)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are followed must not write into anybody's real home."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def check_of(tmp_path: Path) -> Callable[[Variables], HostCheck]:
    """A function from the variables of a host to what the check says of it."""

    def check(variables: Variables) -> HostCheck:
        [found], total = open_project(tmp_path, {"web1": variables}).checker.check("web1")
        assert total == 1
        return found

    return check


def open_project(folder: Path, hosts: dict[str, Variables]) -> App:
    return make_project(folder / "project", hosts).open()


CheckOf = Callable[[Variables], HostCheck]


def problem_of(found: HostCheck) -> tuple[str, str]:
    """The name of the check that fails first and its problem."""
    assert found.first_failed is not None, found
    return found.first_failed.name, found.problem


def with_known_hosts(host: LabHost, file: Path) -> Variables:
    variables = host.inventory_vars()
    common = str(variables["ansible_ssh_common_args"]).replace(str(host.known_hosts), str(file))
    return {**variables, "ansible_ssh_common_args": common}


def fingerprint(public_key: str) -> str:
    """As ssh-keygen prints it: ``ED25519 SHA256:…``."""
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=public_key, capture_output=True, text=True, check=True)
    _, digest, *_, kind = shown.stdout.split()
    return f"{kind.strip('()')} {digest}"


def make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def answering(folder: Path, answer: str) -> dict[str, str]:
    """An environment in which ssh's first question gets this answer, as if a person typed it, and others get "no"."""
    program = folder / "askpass"
    program.write_text(f"#!/bin/sh\ntest -e $0.asked && exec echo no\ntouch $0.asked\necho {shlex.quote(answer)}\n")
    (folder / "askpass.asked").unlink(missing_ok=True)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}


def follow(command: str, folder: Path, answer: str) -> None:
    subprocess.run(
        ["/bin/sh", "-c", command],
        env=answering(folder, answer),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
        timeout=60,
    )


def make_user(host: LabHost, name: str, *, shell: str = "/bin/bash", password: str = "") -> Variables:
    """A user who logs in with the lab's key and has no sudo right."""
    host.run(
        f"useradd --create-home --shell {shell} {name} && mkdir -m 700 /home/{name}/.ssh"
        f" && cp /home/{host.user}/.ssh/authorized_keys /home/{name}/.ssh/ && chown -R {name}: /home/{name}/.ssh"
    )
    if password:
        host.run(f"echo {shlex.quote(f'{name}:{password}')} | chpasswd")
    return {**host.inventory_vars(), "ansible_user": name}


def test_a_good_host_is_good_in_everything_and_unchanged(host: LabHost, check_of: CheckOf) -> None:
    before = host.known_hosts.read_bytes()
    found = check_of(host.inventory_vars())
    assert found.ok, found
    names = ["name", "connect", "banner", "host_key", "login", "shell", "python", "sudo", "space", "clock"]
    assert [check.name for check in found.checks] == names
    assert (found.problem, found.fix) == ("", "")
    assert host.known_hosts.read_bytes() == before


@pytest.mark.parametrize(
    ("variables", "name", "problem"),
    [
        ({"ansible_host": "web9.invalid"}, "name", "does not resolve"),
        ({"ansible_port": 2}, "connect", "refused"),
        ({"ansible_ssh_common_args": "-o Nonsense=yes"}, "settings", "nonsense"),
        ({"ansible_host": "{{ nowhere }}"}, "settings", "'nowhere' is undefined"),
        ({"ansible_python_interpreter": "/opt/python/3.99/bin/python3"}, "python", "/opt/python/3.99/bin/python3"),
        ({"ansible_become_method": "su"}, "sudo", "su asks for root's password"),
    ],
)
def test_settings_that_lead_nowhere_are_named(
    variables: Variables, name: str, problem: str, host: LabHost, check_of: CheckOf
) -> None:
    found = check_of({**host.inventory_vars(), **variables})
    assert problem_of(found)[0] == name
    assert problem in found.problem
    assert found.fix


def test_a_firewall_that_drops_is_told_from_an_address_that_refuses(host: LabHost, lab: Lab, check_of: CheckOf) -> None:
    netns = next(record.netns for record in read_hosts() if record.name == host.name)
    # Its answers to this machine go nowhere, as behind a firewall.
    run_tool(["ip", "-n", netns, "route", "add", "blackhole", lab.address])
    try:
        found = check_of({**host.inventory_vars(), "ansible_timeout": 2})
    finally:
        run_tool(["ip", "-n", netns, "route", "delete", "blackhole", lab.address])
    assert problem_of(found)[0] == "connect"
    assert "timed out" in found.problem


def test_an_unknown_key_is_shown_and_kept_only_when_a_person_has_compared_it(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    real = fingerprint(host.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout)
    found = check_of(with_known_hosts(host, known_hosts))
    assert problem_of(found)[0] == "host_key"
    assert real in found.problem
    assert known_hosts.read_text() == "", "the check itself has accepted the key"
    commands = re.search(r"console: (.*?)\. Only when .*?: (ssh .*? true), and answer", found.fix)
    assert commands is not None
    assert real.split()[1] in host.run(commands[1]).stdout
    with pytest.raises(subprocess.CalledProcessError):
        follow(
            commands[2], tmp_path, fingerprint(make_key(tmp_path / "other").with_suffix(".pub").read_text()).split()[1]
        )
    assert known_hosts.read_text() == ""
    follow(commands[2], tmp_path, real.split()[1])
    assert check_of(with_known_hosts(host, known_hosts)).ok


def test_a_changed_key_shows_both_fingerprints_and_stays_refused(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    old = make_key(tmp_path / "old").with_suffix(".pub").read_text()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"{host.address} {' '.join(old.split()[:2])}\n")
    found = check_of(with_known_hosts(host, known_hosts))
    assert problem_of(found)[0] == "host_key"
    assert "CHANGED" in found.problem
    assert fingerprint(old) in found.problem
    assert fingerprint(host.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout) in found.problem
    assert "StrictHostKeyChecking=ask" not in found.fix
    assert len(known_hosts.read_text().splitlines()) == 1


def test_keys_that_are_not_checked_are_said_not_to_be_and_are_not_kept(host: LabHost, check_of: CheckOf) -> None:
    known = host.known_hosts.read_bytes()
    args = f"-o UserKnownHostsFile={host.known_hosts} -o StrictHostKeyChecking=no -o IdentitiesOnly=yes"
    variables = {**host.inventory_vars(), "ansible_ssh_common_args": args}
    found = check_of(variables)
    assert found.ok, found
    assert "not checked" in next(check.detail for check in found.checks if check.name == "host_key")
    assert host.known_hosts.read_bytes() == known
    refused = check_of({**variables, "ansible_password": "hunter2"})
    assert problem_of(refused)[0] == "host_key"
    assert "hunter2" not in str(refused)


def test_the_command_that_is_printed_installs_the_key(host: LabHost, check_of: CheckOf, tmp_path: Path) -> None:
    make_user(host, "keyless", password="a good one")
    host.run("echo 'keyless ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/keyless")
    key = make_key(tmp_path / "id_new")
    variables = {**host.inventory_vars(), "ansible_user": "keyless", "ansible_ssh_private_key_file": str(key)}
    found = check_of(variables)
    assert problem_of(found)[0] == "login"
    assert f"{key} ({fingerprint(key.with_suffix('.pub').read_text())}, from the file)" in found.problem
    assert "publickey, password" in found.problem
    assert found.fix.startswith(f"mkdir -m 700 ~/.ssh && ssh-copy-id -i {key}.pub ")
    follow(found.fix, tmp_path, "a good one")
    assert check_of(variables).ok


def test_a_key_that_does_not_exist_yet_is_made_and_installed_by_the_printed_commands(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    make_user(host, "newcomer", password="a good one")
    host.run("echo 'newcomer ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/newcomer")
    key = tmp_path / "id_first"
    variables = {**host.inventory_vars(), "ansible_user": "newcomer", "ansible_ssh_private_key_file": str(key)}
    found = check_of(variables)
    assert problem_of(found)[0] == "login"
    commands = re.search(r"make it: (ssh-keygen .*?), then: (mkdir .*ssh-copy-id .*)$", found.fix)
    assert commands is not None, found.fix
    subprocess.run([*shlex.split(commands[1]), "-q", "-N", ""], check=True, stdin=subprocess.DEVNULL)
    follow(commands[2], tmp_path, "a good one")
    assert check_of(variables).ok


def test_keys_that_ssh_cannot_use_are_told_from_keys_that_the_host_refuses(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    copied.write_text(host.key.read_text())
    copied.chmod(0o644)
    variables = {**host.inventory_vars(), "ansible_ssh_private_key_file": str(copied)}
    found = check_of(variables)
    assert problem_of(found)[0] == "login"
    follow(found.fix.rpartition(": ")[2], tmp_path, "")
    assert check_of(variables).ok
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "a phrase", "-f", str(copied)], check=True)
    assert f"ssh-add {copied}" in check_of(variables).fix


@pytest.mark.parametrize(
    ("shell", "problem"),
    [("/usr/sbin/nologin", "nologin"), ("/usr/bin/false", "/bin/false"), ("/usr/bin/rbash", "restricted shell")],
)
def test_a_login_shell_that_runs_nothing_is_named(shell: str, problem: str, host: LabHost, check_of: CheckOf) -> None:
    host.run("ln -sf /bin/bash /usr/bin/rbash")
    name = f"shell-{Path(shell).name}"
    variables = make_user(host, name, shell=shell)
    found = check_of(variables)
    assert problem_of(found)[0] == "shell"
    assert problem in found.problem
    command = re.search(r"as root: (usermod .*?) \(", found.fix)
    assert command is not None
    host.run(f"{command[1]}; echo '{name} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{name}")
    assert check_of(variables).ok


def test_accounts_and_passwords_that_have_expired_are_named(host: LabHost, check_of: CheckOf) -> None:
    variables = make_user(host, "gone", password="a good one")
    host.run("chage -E 0 gone")
    assert "expired" in check_of(variables).problem
    host.run("chage -E -1 -d 0 gone")
    assert "expired" in check_of(variables).problem


def test_sudo_asks_for_a_password_then_does_not_then_has_one_and_then_is_missing(
    host: LabHost, check_of: CheckOf
) -> None:
    variables = make_user(host, "careful", password="a good one")
    host.run("echo 'careful ALL=(ALL) ALL' > /etc/sudoers.d/careful")
    found = check_of(variables)
    assert problem_of(found)[0] == "sudo"
    assert "asks careful for a password" in found.problem
    assert check_of({**variables, "ansible_become_password": "a good one"}).ok
    wrong = check_of({**variables, "ansible_become_password": "hunter2"})
    assert "Incorrect sudo password" in wrong.problem
    assert "hunter2" not in str(wrong)
    assert check_of({**variables, "ansible_become": False}).ok
    command = re.search(r"Without: on the host, as root: (.*?440 \S+)\.", found.fix)
    assert command is not None
    host.run(command[1])
    assert check_of(variables).ok
    host.run("mv /usr/bin/sudo /usr/bin/sudo.off")
    try:
        assert "not installed" in check_of(variables).problem
    finally:
        host.run("mv /usr/bin/sudo.off /usr/bin/sudo")


def test_a_password_is_used_through_ansible_and_never_for_an_unknown_key(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    make_user(host, "typist", password="a good one")
    host.run("rm /home/typist/.ssh/authorized_keys; echo 'typist ALL=(ALL) ALL' > /etc/sudoers.d/typist")
    secrets = {"ansible_user": "typist", "ansible_password": "a good one", "ansible_become_password": "a good one"}
    found = check_of({**host.inventory_vars(), **secrets})
    assert found.ok, found
    assert "through Ansible" in next(check.detail for check in found.checks if check.name == "login")
    wrong = check_of({**host.inventory_vars(), **secrets, "ansible_password": "hunter2"})
    assert problem_of(wrong)[0] == "login"
    assert "a good one" not in str(found) + str(wrong)
    assert "hunter2" not in str(wrong)

    said = "journalctl -u ssh --no-pager | grep -c 'password for typist'"
    before = host.run(said).stdout
    (tmp_path / "nobody").touch()
    refused = check_of({**with_known_hosts(host, tmp_path / "nobody"), **secrets})
    assert problem_of(refused)[0] == "host_key"
    assert (tmp_path / "nobody").read_text() == ""
    assert host.run(said).stdout == before, "the password went to a host whose key is unknown"


def test_a_jump_host_is_gone_through_and_the_one_that_fails_is_named(
    host: LabHost, check_of: CheckOf, tmp_path: Path
) -> None:
    common = (
        f"IdentityFile {host.key}\n  IdentitiesOnly yes\n  User {host.user}\n  UserKnownHostsFile {host.known_hosts}"
    )
    (tmp_path / "config").write_text(
        f"Host inner\n  HostName 127.0.0.1\n  HostKeyAlias {host.address}\n  ProxyJump outer\n  {common}\n"
        f"Host outer\n  HostName {host.address}\n  {common}\n"
        f"Host closed\n  HostName {host.address}\n  Port 2\n  {common}\n"
        f"Host unknown\n  HostName {host.address}\n  {common}\n  HostKeyAlias nobody-knows\n"
    )
    args = f"-F {tmp_path / 'config'} -o UserKnownHostsFile={host.known_hosts} -o HostKeyAlias={host.address}"

    def behind(jump: str, **more: Any) -> HostCheck:
        proxy = f"{args} -o IdentitiesOnly=yes {jump}"
        return check_of(
            {**host.inventory_vars(), "ansible_host": "127.0.0.1", "ansible_ssh_common_args": proxy, **more}
        )

    for jump in ("-J outer", "-o ProxyJump=inner"):
        found = behind(jump)
        assert found.ok, found
        assert f"{'outer'}: logged in" in [check.detail for check in found.checks if check.name == "jump"]
    assert behind(f"-o ProxyCommand='ssh -F {tmp_path / 'config'} -W %h:%p outer'").ok
    closed = behind("-J outer,closed")
    assert problem_of(closed)[0] == "jump"
    assert closed.problem.startswith("Jump host closed: From jump host outer: The connection is refused")
    unknown = behind("-J unknown")
    assert "Jump host unknown: The host's key is not known yet" in unknown.problem
    assert "nobody-knows" not in host.known_hosts.read_text()
    beyond = behind("-J outer", ansible_port=2)
    assert problem_of(beyond) == ("connect", beyond.problem)
    assert beyond.problem.startswith("From jump host outer: The connection is refused")
    lost = behind(f"-o ProxyCommand='ssh -F {tmp_path / 'config'} -W %h:%p closed'")
    assert "ProxyCommand" in lost.problem
    assert "refused" in lost.problem


def test_a_host_without_python_says_how_to_install_it(host: LabHost, check_of: CheckOf) -> None:
    host.run("mkdir /opt/away && mv /usr/bin/python3* /opt/away/")
    try:
        found = check_of(host.inventory_vars())
        assert problem_of(found)[0] == "python"
        assert found.fix.endswith("sudo apt-get install -y python3")
        assert next(check for check in found.checks if check.name == "sudo").ok
    finally:
        host.run("mv /opt/away/* /usr/bin/ && rmdir /opt/away")


def test_a_full_disk_and_a_wrong_clock_are_named(host: LabHost, check_of: CheckOf) -> None:
    host.run("mount -t tmpfs -o size=16k tmpfs /tmp")
    try:
        found = check_of(host.inventory_vars())
        assert problem_of(found)[0] == "space"
        assert "0 of 0 MB free on /tmp" in found.problem
    finally:
        host.run("umount /tmp")
    # The clock is this machine's: a program of that name stands in for it.
    host.run(
        'printf \'#!/bin/sh\\n/usr/bin/date -d "-1 hour" "$@"\\n\' > /usr/local/bin/date; chmod 755 /usr/local/bin/date'
    )
    try:
        found = check_of(host.inventory_vars())
        assert problem_of(found)[0] == "clock"
        assert re.search(r"3(599|600|601) s behind", found.problem)
    finally:
        host.run("rm /usr/local/bin/date")


def test_twenty_names_of_one_host_and_other_connections_are_checked_at_once(host: LabHost, tmp_path: Path) -> None:
    hosts: dict[str, Variables] = {f"web{number}": host.inventory_vars() for number in range(20)}
    hosts["here"] = {"ansible_connection": "local", "ansible_become": False}
    hosts["dead"] = {**host.inventory_vars(), "ansible_port": 2}
    app = open_project(tmp_path, hosts)
    found, total = app.checker.check("all")
    assert total == 22
    assert [one.host for one in found if not one.ok] == ["dead"]
    here = next(one for one in found if one.host == "here")
    assert here.checks[0].detail == "through Ansible, connection local"
    page, total = app.checker.check("all", start=20, most=40)
    assert ([one.host for one in page], total) == (["web8", "web9"], 22)
