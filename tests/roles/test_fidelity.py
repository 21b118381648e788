"""On real hosts: what a check-mode run of the roles says is what a real run then does, task by task."""

from pathlib import Path
from typing import Any

import pytest

from lab.hosts import LabHost
from lab.mirror import PythonMirror
from roles.running import Result, run_roles

Steps = list[tuple[str, dict[str, Any]]]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test"
LITERAL = "  {{ a }} {% b %} {# c\n'\"$(id)`id`\\ ü\nno break at the end"
PASSWORD = 'it\'s a "pass" $word: {{ x }}'
UNIT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
SYSTEM = {"bookworm": "3.11", "trixie": "3.13"}


@pytest.fixture
def hosts(bookworm_host: LabHost, trixie_host: LabHost) -> tuple[LabHost, LabHost]:
    return bookworm_host, trixie_host


def plan_apply_plan(steps: Steps, folder: Path, *hosts: LabHost) -> list[Result]:
    """Check, run, and check again on all hosts. Returns what changed on the first."""
    planned = run_roles(steps, folder, *hosts, check=True)
    done = run_roles(steps, folder, *hosts)
    again = run_roles(steps, folder, *hosts, check=True)
    assert [result for result in [*planned, *done, *again] if result.status in ("failed", "unreachable")] == []
    for host in hosts:
        facts = [
            [(r.task, r.status, r.changed, r.diff) for r in results if r.host == host.name]
            for results in (planned, done)
        ]
        assert facts[0] == facts[1]
    assert [result for result in again if result.changed] == []
    return [result for result in done if result.changed and result.host == hosts[0].name]


def refuse(role: str, params: dict[str, Any], folder: Path, *hosts: LabHost) -> str:
    """Check and run what must be refused, both for the same reason on every host. Returns it."""
    reasons: set[str] = set()
    for check in (True, False):
        failed = [r for r in run_roles([(role, params)], folder, *hosts, check=check) if r.status == "failed"]
        assert len(failed) == len(hosts), params
        reasons.update(result.message for result in failed)
    (reason,) = reasons
    return reason


def run_on(hosts: tuple[LabHost, ...], command: str, *, user: str = "root", check: bool = True) -> str:
    """What a command says on every host, which must be the same."""
    (said,) = {host.run(command, user=user, check=check).stdout for host in hosts}
    return said


@pytest.mark.long
def test_a_service_starts_in_the_run_that_installs_it(hosts: tuple[LabHost, ...], tmp_path: Path) -> None:
    install: tuple[str, dict[str, Any]] = ("packages", {"packages_names": ["cron"], "packages_recommends": False})
    start = ("service", {"service_name": "cron", "service_state": "started", "service_enabled": True})
    unit = ("file", {"file_path": "/etc/systemd/system/beat.service", "file_content": UNIT})
    beat = ("service", {"service_name": "beat", "service_state": "started", "service_enabled": True})
    changed = plan_apply_plan([install, start, unit, beat], tmp_path, *hosts)
    assert len(changed) == 4
    assert "cron " in changed[0].diff["after"]
    assert changed[1].diff["before"] == "active: no\nenabled: no\n"
    assert run_on(hosts, "systemctl is-active cron beat").split() == ["active", "active"]
    assert run_on(hosts, "systemctl is-enabled cron beat").split() == ["enabled", "enabled"]

    stop = [
        ("service", {"service_name": name, "service_state": "stopped", "service_enabled": False})
        for name in ("cron", "beat")
    ]
    purge = ("packages", {"packages_names": ["cron"], "packages_state": "absent", "packages_purge": True})
    assert len(plan_apply_plan([*stop, purge], tmp_path, *hosts)) == 3
    assert run_on(hosts, "systemctl is-active cron beat", check=False).split() == ["inactive", "inactive"]


@pytest.mark.long
def test_a_user_owns_a_file_in_the_run_that_creates_it(hosts: tuple[LabHost, ...], tmp_path: Path) -> None:
    user = {
        "user_name": "deploy",
        "user_groups": ["www-data", "developers"],
        "user_shell": "/bin/bash",
        "user_authorized_keys": [KEY],
        "user_sudo": "nopasswd",
        "user_password": PASSWORD,
    }
    file = {
        "file_path": "/home/deploy/.config/app/app.conf",
        "file_content": LITERAL,
        "file_owner": "deploy",
        "file_group": "developers",
        "file_mode": "0640",
    }
    changed = plan_apply_plan([("user", user), ("file", file)], tmp_path, *hosts)
    assert len(changed) == 5
    assert PASSWORD not in str(changed)
    assert run_on(hosts, "cat /home/deploy/.config/app/app.conf") == LITERAL
    assert run_on(hosts, "stat -c '%U %G %a' /home/deploy/.config/app/app.conf") == "deploy developers 640\n"
    assert run_on(hosts, "stat -c %U /home/deploy/.config/app") == "deploy\n"
    assert run_on(hosts, "runuser -u deploy -- sudo -n id -u") == "0\n"
    # The host itself accepts the password: su asks for it when it is not root who runs it.
    typed = f'runuser -u nobody -- sh -c \'printf "%s\\n" "$1" | su deploy -c id\' - {quote(PASSWORD)}'
    assert "deploy" in run_on(hosts, typed)

    gone = [
        ("file", {"file_path": "/home/deploy/.config", "file_state": "absent", "file_force": True}),
        ("user", {"user_name": "deploy", "user_state": "absent", "user_remove_home": True}),
    ]
    assert len(plan_apply_plan(gone, tmp_path, *hosts)) == 3
    assert run_on(hosts, "ls -d /home/deploy /etc/sudoers.d/user-deploy 2>&-; id deploy 2>&-", check=False) == ""


@pytest.mark.long
def test_what_is_not_given_of_a_user_is_left_alone(hosts: tuple[LabHost, ...], tmp_path: Path) -> None:
    first = {"user_name": "worker", "user_groups": ["www-data"], "user_sudo": "password", "user_authorized_keys": [KEY]}
    plan_apply_plan([("user", first)], tmp_path, *hosts)
    second = {"user_name": "worker", "user_groups": ["games"], "user_comment": "Works"}
    (changed,) = plan_apply_plan([("user", second)], tmp_path, *hosts)
    assert changed.diff[0]["before"] == "user: worker\ncomment: \ngroups: www-data\n"
    assert changed.diff[0]["after"] == "user: worker\ncomment: Works\ngroups: games, www-data\n"
    third = {**second, "user_groups_exclusive": True, "user_sudo": "none", "user_authorized_keys_exclusive": True}
    assert len(plan_apply_plan([("user", third)], tmp_path, *hosts)) == 3
    assert run_on(hosts, "cat /home/worker/.ssh/authorized_keys") == ""


@pytest.mark.long
def test_files_folders_and_links_come_and_go(hosts: tuple[LabHost, ...], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)))
    steps: Steps = [
        ("file", {"file_path": "/srv/app", "file_state": "directory", "file_mode": "0750", "file_owner": "www-data"}),
        ("file", {"file_path": "/srv/app/data.bin", "file_source": str(source)}),
        ("file", {"file_path": "/srv/app/current", "file_state": "link", "file_target": "data.bin"}),
        ("file", {"file_path": "/srv/app/secret", "file_content": "hunter-two", "file_sensitive": True}),
    ]
    changed = plan_apply_plan(steps, tmp_path / "run", *hosts)
    assert len(changed) == 4
    assert "hunter-two" not in str(changed)
    assert run_on(hosts, "od -An -v -tu1 -w256 /srv/app/current").split() == [str(number) for number in range(256)]
    assert "not empty" in refuse("file", {"file_path": "/srv/app", "file_state": "absent"}, tmp_path / "run", *hosts)
    gone: Steps = [("file", {"file_path": "/srv/app", "file_state": "absent", "file_force": True})]
    (removed,) = plan_apply_plan(gone, tmp_path / "run", *hosts)
    assert removed.diff[0]["before"] == "directory\n  current\n  data.bin\n  secret\n"


@pytest.mark.long
def test_python_comes_beside_the_systems_own_and_goes(
    hosts: tuple[LabHost, ...], tmp_path: Path, python_mirror: PythonMirror
) -> None:
    look = "readlink -f /usr/bin/python3; command -v python3; ls /etc/alternatives"
    before = [host.run(look).stdout for host in hosts]
    params = {"python_version": python_mirror.series, "python_mirror": python_mirror.url}
    (built,) = plan_apply_plan([("python", params)], tmp_path, *hosts)
    assert f"version: {python_mirror.version}\n" in built.diff[0]["after"]
    version = run_on(hosts, f"python{python_mirror.series} --version", user="admin")
    assert version == f"Python {python_mirror.version}\n"
    run_on(hosts, f"python{python_mirror.series} -m venv /tmp/env && /tmp/env/bin/pip --version", user="admin")
    assert [host.run(look).stdout for host in hosts] == before
    assert len(plan_apply_plan([("python", {**params, "python_state": "absent"})], tmp_path, *hosts)) == 1
    assert run_on(hosts, "ls -A /opt/python /usr/local/bin").split() == ["/opt/python:", "/usr/local/bin:"]


@pytest.mark.long
def test_the_distributions_own_python_is_used_and_never_removed(hosts: tuple[LabHost, ...], tmp_path: Path) -> None:
    for host in hosts:
        params = {"python_version": SYSTEM[host.suite]}
        plan_apply_plan([("python", params)], tmp_path, host)
        host.run(f"python{SYSTEM[host.suite]} -m venv /tmp/venv && /tmp/venv/bin/pip --version")
        assert "refusing to remove" in refuse("python", {**params, "python_state": "absent"}, tmp_path, host)


@pytest.mark.long
def test_a_python_that_no_source_has_is_refused(
    hosts: tuple[LabHost, ...], tmp_path: Path, python_mirror: PythonMirror
) -> None:
    params = {"python_version": "3.12.99", "python_mirror": python_mirror.url}
    assert f"it has {python_mirror.version}" in refuse("python", params, tmp_path, *hosts)
    assert "no Python" in refuse("python", {**params, "python_source": "distro"}, tmp_path, *hosts)


def test_an_archive_with_another_digest_is_not_installed(
    trixie_host: LabHost, tmp_path: Path, python_mirror: PythonMirror
) -> None:
    folder = f"/srv/mirror/{python_mirror.tag}"
    name = python_mirror.filename
    trixie_host.run(f"mkdir -p {folder} && echo wrong > '{folder}/{name}'")
    trixie_host.run(f"printf '%064d  %s\\n' 0 '{name}' > {folder}/SHA256SUMS")
    trixie_host.run(
        "systemd-run --quiet --unit=mirror python3 -m http.server --bind 127.0.0.1 --directory /srv/mirror 8000"
    )
    params = {
        "python_version": python_mirror.version,
        "python_mirror": "http://127.0.0.1:8000",
        "python_release": python_mirror.tag,
    }
    trixie_host.run(
        "until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8000))'; do sleep 0.1; done 2>&-"
    )
    failed = [result for result in run_roles([("python", params)], tmp_path, trixie_host) if result.status == "failed"]
    assert "nothing was installed" in failed[0].message
    assert trixie_host.run("ls -A /opt/python").stdout == ""


HOSTILE: list[tuple[str, dict[str, Any], str]] = [
    ("packages", {"packages_names": ["--reinstall"]}, "package names"),
    ("packages", {"packages_names": ["sudo-"]}, "package names"),
    ("packages", {"packages_names": ["cron; touch /pwned"]}, "package names"),
    ("packages", {"packages_names": ["cron\n--purge"]}, "package names"),
    ("packages", {"packages_names": ["{{ lookup('pipe', 'touch /pwned') }}"]}, "package names"),
    ("packages", {"packages_names": []}, "package names"),
    ("packages", {"packages_names": ["no-such-package"]}, "no package source"),
    ("packages", {"packages_names": ["python3.1"]}, "no package source"),
    ("packages", {"packages_names": ["cron=0.0"]}, "no package source"),
    ("packages", {"packages_names": ["python3-minimal"], "packages_state": "absent"}, "refusing to remove"),
    ("service", {"service_name": "--now", "service_state": "started"}, "service_name"),
    ("service", {"service_name": "$(touch /pwned)", "service_state": "started"}, "service_name"),
    ("service", {"service_name": "cron"}, "service_state"),
    ("service", {"service_name": "systemd-journald", "service_enabled": False}, "cannot be disabled"),
    ("user", {"user_name": "x; touch /pwned"}, "user_name"),
    ("user", {"user_name": "--root"}, "user_name"),
    ("user", {"user_name": "x\nroot ALL=(ALL) ALL", "user_sudo": "nopasswd"}, "user_name"),
    ("user", {"user_name": "x", "user_groups": ["a,b"]}, "user_groups"),
    ("user", {"user_name": "x", "user_shell": "/bin/sh:/root"}, "user_shell"),
    ("user", {"user_name": "x", "user_authorized_keys": [f"{KEY}\n{KEY}"]}, "user_authorized_keys"),
    ("user", {"user_name": "x", "user_uid": 0}, "belongs to root"),
    ("user", {"user_name": "root", "user_state": "absent"}, "refusing to remove"),
    ("user", {"user_name": "admin", "user_state": "absent"}, "refusing to remove"),
    ("file", {"file_path": "relative"}, "file_path"),
    ("file", {"file_path": "/srv/../etc/x"}, "file_path"),
    ("file", {"file_path": "/etc/x\n/etc/y"}, "file_path"),
    ("file", {"file_path": "/srv/x", "file_mode": 644}, "quotes"),
    ("file", {"file_path": "/srv/x", "file_mode": "u+s"}, "file_mode"),
    ("file", {"file_path": "/srv/x", "file_owner": "--reference=/etc/shadow"}, "file_owner"),
    ("file", {"file_path": "/srv/x", "file_content": "a", "file_source": "/etc/hostname"}, "file_source"),
    ("file", {"file_path": "/srv/x", "file_state": "link"}, "file_target"),
    ("python", {"python_version": 3.1}, "must be a string"),
    ("python", {"python_version": "3.12; touch /pwned"}, "must be a string"),
    ("python", {"python_version": "3.12", "python_mirror": "file:///etc"}, "http"),
    ("python", {"python_version": "3.12", "python_prefix": "/usr/lib"}, "python_prefix"),
    ("python", {"python_version": "3.12", "python_release": "../../x"}, "python_release"),
]


@pytest.mark.long
def test_params_that_make_no_sense_or_mean_harm_are_refused(trixie_host: LabHost, tmp_path: Path) -> None:
    steps = [(role, params) for role, params, _said in HOSTILE]
    results = run_roles(steps, tmp_path, trixie_host, go_on=True)
    failed = [result.message for result in results if result.status == "failed"]
    assert len(failed) == len(HOSTILE)
    missing = [
        (params, message) for (_role, params, said), message in zip(HOSTILE, failed, strict=True) if said not in message
    ]
    assert missing == []
    assert [result for result in results if result.changed] == []
    assert "pwned" not in trixie_host.run("ls /").stdout


def quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
