"""A host that cannot be reached or changed is a result with a sentence that helps; the other hosts go on."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from intendant.plans import Plan
from intendant.runs import HostRun, Run
from lab.fixtures import unique_name
from lab.hosts import LabHost
from lab.labs import Lab
from support.projects import Project, apply, make_project, plan

Variables = dict[str, object]

MOTD = {"file_path": "/srv/reach/motd", "file_content": "Reached.\n"}
FILL = "head -c 1M /dev/zero > {0}/.fill 2>/dev/null; test -s {0}/.fill"


@dataclass(frozen=True)
class Bad:
    """How a host is made bad; what Ansible says then, and what we add."""

    spoil: Callable[[LabHost, Path], Variables]
    said: str
    hint: str


def _address_with_nothing(host: LabHost, folder: Path) -> Variables:
    return {"ansible_host": host.unused_address, "ansible_timeout": 2}


def _nothing_listens(host: LabHost, folder: Path) -> Variables:
    return {"ansible_port": 2}


def _no_such_name(host: LabHost, folder: Path) -> Variables:
    return {"ansible_host": "web9.invalid"}


def _wrong_key(host: LabHost, folder: Path) -> Variables:
    return {"ansible_ssh_private_key_file": str(_make_key(folder / "stranger"))}


def _unknown_host_key(host: LabHost, folder: Path) -> Variables:
    (folder / "nobody").touch()
    return {"ansible_ssh_common_args": _arguments(host, folder / "nobody")}


def _changed_host_key(host: LabHost, folder: Path) -> Variables:
    other = _make_key(folder / "impostor").with_suffix(".pub").read_text().split()
    (folder / "outdated").write_text(f"{host.address} {other[0]} {other[1]}\n")
    return {"ansible_ssh_common_args": _arguments(host, folder / "outdated")}


def _no_sudo_right(host: LabHost, folder: Path) -> Variables:
    _add_user(host, "plain")
    return {"ansible_user": "plain"}


def _sudo_with_password(host: LabHost, folder: Path) -> Variables:
    _add_user(host, "careful")
    host.run("echo 'careful:a good one' | chpasswd; echo 'careful ALL=(ALL) ALL' > /etc/sudoers.d/careful")
    return {"ansible_user": "careful"}


def _wrong_sudo_password(host: LabHost, folder: Path) -> Variables:
    return {**_sudo_with_password(host, folder), "ansible_become_password": "a bad one"}


def _no_python(host: LabHost, folder: Path) -> Variables:
    host.run("rm /usr/bin/python3*")
    return {}


def _no_python_where_it_is_said_to_be(host: LabHost, folder: Path) -> Variables:
    return {"ansible_python_interpreter": "/opt/python/3.99/bin/python3"}


def _disk_full(host: LabHost, folder: Path) -> Variables:
    # Every place that a program would use for a file of its own.
    for place in ("/tmp", "/var/tmp"):
        host.run(f"mount -t tmpfs -o size=16k tmpfs {place}; {FILL.format(place)}")
    home = f"/home/{host.user}"
    host.run(
        f"cp -a {home} /mnt/home && mount -t tmpfs -o size=32k tmpfs {home} && chown {host.user}: {home}"
        f" && chmod 700 {home} && cp -a /mnt/home/. {home}/ && {FILL.format(home)}"
    )
    return {}


BAD = {
    "address-with-nothing": Bad(_address_with_nothing, "Failed to connect", "The host does not answer"),
    "nothing-listens": Bad(_nothing_listens, "Connection refused", "Is sshd running"),
    "no-such-name": Bad(_no_such_name, "Could not resolve hostname", "The name does not resolve"),
    "wrong-key": Bad(_wrong_key, "Permission denied", "Check ansible_user and the key"),
    "unknown-host-key": Bad(_unknown_host_key, "Host key verification failed", "compare the fingerprint"),
    "changed-host-key": Bad(_changed_host_key, "HOST IDENTIFICATION HAS CHANGED", "presents another key"),
    "no-sudo-right": Bad(_no_sudo_right, "password", "Give the user a sudo rule"),
    "sudo-with-password": Bad(_sudo_with_password, "password", "set ansible_become_password in a vaulted variable"),
    "wrong-sudo-password": Bad(_wrong_sudo_password, "ncorrect sudo password", "ansible_become_password"),
    "no-python": Bad(_no_python, "python", "apt-get install python3"),
    "python-elsewhere": Bad(
        _no_python_where_it_is_said_to_be, "/opt/python/3.99/bin/python3", "ansible_python_interpreter"
    ),
    "disk-full": Bad(_disk_full, "No usable temporary directory", "the disk of the host is full"),
}
#: what cannot share a host with anything else
OWN_HOST = ("no-python", "disk-full")


@dataclass(frozen=True)
class Scene:
    """One plan over good hosts and all the bad ones, and its run."""

    plan: Plan
    run: Run


@pytest.fixture(scope="module")
def scene(
    lab: Lab, bookworm_host: LabHost, trixie_host: LabHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("reach")
    own = {name: lab.boot(unique_name(name), "trixie") for name in OWN_HOST}
    hosts: dict[str, Variables] = {"good1": bookworm_host.inventory_vars(), "good2": trixie_host.inventory_vars()}
    for name, bad in BAD.items():
        host = own.get(name, trixie_host)
        (folder / name).mkdir()
        hosts[name] = {**host.inventory_vars(), **bad.spoil(host, folder / name)}
    app = make_project(folder / "project", hosts).open()
    planned = plan(app, "all", ("file", MOTD))
    yield Scene(planned, apply(app, planned.id))
    for host in own.values():
        lab.stop(host.name)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_host_is_a_result_of_the_plan_that_says_what_to_do(name: str, scene: Scene) -> None:
    [found] = [host for host in scene.plan.hosts if host.host == name]
    assert found.error is not None
    assert found.changes == ()
    assert BAD[name].said in found.error
    assert BAD[name].hint in found.error, found.error


def test_the_other_hosts_of_the_plan_are_predicted_and_applied_as_planned(
    scene: Scene, bookworm_host: LabHost, trixie_host: LabHost
) -> None:
    assert scene.plan.errored
    assert scene.plan.applyable
    assert not scene.plan.complete
    assert scene.plan.healthy_hosts == ("good1", "good2")
    assert [(host.host, host.status) for host in scene.run.hosts] == [("good1", "changed"), ("good2", "changed")]
    assert scene.run.as_planned is True
    for host in (bookworm_host, trixie_host):
        assert host.run(f"cat {MOTD['file_path']}").stdout == MOTD["file_content"]


def test_hosts_that_go_bad_after_the_plan_are_results_of_the_run_and_the_others_go_on(
    fresh_host: Callable[[str], LabHost], lab: Lab, tmp_path: Path
) -> None:
    good, full, lost = fresh_host("bookworm"), fresh_host("trixie"), lab.boot(unique_name("lost"), "trixie")
    _add_user(good, "demoted")
    good.run("echo 'demoted ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/demoted")
    full.run("mkdir -p /srv/reach && mount -t tmpfs -o size=64k tmpfs /srv/reach")
    hosts: dict[str, Variables] = {name: host.inventory_vars() for name, host in (("good", good), ("full", full))}
    hosts["lost"] = {**lost.inventory_vars(), "ansible_timeout": 2}
    hosts["demoted"] = {**good.inventory_vars(), "ansible_user": "demoted"}
    app = make_project(tmp_path / "project", hosts).open()
    large = {"file_path": "/srv/reach/large", "file_content": "0123456789abcde\n" * 16_384}
    planned = plan(app, "all", ("file", large))
    assert planned.complete
    assert set(planned.healthy_hosts) == {"good", "full", "lost", "demoted"}

    lab.stop(lost.name)
    good.run("rm /etc/sudoers.d/demoted")
    run = apply(app, planned.id)

    found = {host.host: host for host in run.hosts}
    assert run.status == "partial"
    assert run.as_planned is False
    assert (found["good"].status, found["good"].message) == ("changed", "")
    assert good.run("stat -c %s /srv/reach/large").stdout.strip() == str(16 * 16_384)
    assert_failed(found["full"], "failed", "No space left on device", "The disk of the host is full")
    assert_failed(found["lost"], "unreachable", "Failed to connect", "The host does not answer")
    assert_failed(found["demoted"], "failed", "password", "Give the user a sudo rule")
    missing = {(deviation.host, deviation.kind) for deviation in run.deviations}
    assert missing == {("full", "missing"), ("lost", "missing"), ("demoted", "missing")}
    assert full.run("ls /srv/reach").stdout == "", "what did not fit has left something behind"


TASKS = """\
- name: Fail with the words of a command
  ansible.builtin.command: {argv: [sh, -c, "echo the pipes are frozen >&2; echo nothing flows; exit 3"]}
  when: words_of == 'command'
- name: Fail with the words of a role
  ansible.builtin.fail: {msg: the role knows better}
  when: words_of == 'fail'
- name: Fail in an item of a loop
  ansible.builtin.file: {path: "{{ item }}", state: file}
  loop: [/etc/passwd, /no/such/file]
  when: words_of == 'loop'
- name: Be relied on by nobody
  ansible.builtin.command: {argv: [touch, /srv/reached-the-end]}
"""


@pytest.mark.parametrize(
    ("words_of", "task", "words"),
    [
        (
            "command",
            "Fail with the words of a command",
            ["the pipes are frozen", "nothing flows", "non-zero return code"],
        ),
        ("fail", "Fail with the words of a role", ["the role knows better"]),
        ("loop", "Fail in an item of a loop", ["/no/such/file", "absent"]),
    ],
)
def test_a_task_that_fails_ends_its_host_with_the_modules_own_words(
    words_of: str, task: str, words: list[str], trixie_host: LabHost, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project", {"web1": trixie_host.inventory_vars()})
    failing_role(project)
    app = project.open()
    planned = plan(app, "web1", ("brittle", {"words_of": words_of}))
    if words_of != "command":  # check mode finds it already
        assert planned.hosts[0].error is not None
        assert planned.hosts[0].error.startswith(f"{task}: ")
        assert all(word in planned.hosts[0].error for word in words)
        assert not planned.applyable
        return
    run = apply(app, planned.id)
    assert run.status == "failed"
    assert run.hosts[0].failed_task == task
    assert [word for word in words if word not in run.hosts[0].message] == [], run.hosts[0].message
    assert trixie_host.run("test -e /srv/reached-the-end", check=False).returncode == 1


def test_a_shipped_roles_refusal_is_in_its_own_words(trixie_host: LabHost, tmp_path: Path) -> None:
    app = make_project(tmp_path / "project", {"web1": trixie_host.inventory_vars()}).open()
    planned = plan(app, "web1", ("packages", {"packages_names": ["no-such-package-anywhere"]}))
    assert planned.hosts[0].error is not None
    assert "no-such-package-anywhere" in planned.hosts[0].error
    assert not planned.applyable


def failing_role(project: Project) -> None:
    project.write_role("brittle", TASKS, {"words_of": {"type": "str", "required": True}})


def assert_failed(host: HostRun, status: str, said: str, hint: str) -> None:
    assert host.status == status
    assert said in host.message
    assert hint in host.message, host.message
    assert host.failed_task


def _arguments(host: LabHost, known_hosts: Path) -> str:
    return str(host.inventory_vars()["ansible_ssh_common_args"]).replace(str(host.known_hosts), str(known_hosts))


def _make_key(path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)
    return path


def _add_user(host: LabHost, name: str) -> None:
    """A user who logs in with the lab's key and has no sudo right."""
    host.run(
        f"id {name} 2>/dev/null || {{ useradd --create-home --shell /bin/bash {name} && mkdir -m 700 /home/{name}/.ssh"
        f" && cp /home/{host.user}/.ssh/authorized_keys /home/{name}/.ssh/ && chown -R {name}: /home/{name}/.ssh; }}"
    )
