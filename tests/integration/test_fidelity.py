"""What a plan says is what its apply does, task by task, and afterwards there is nothing left to do.

Every test starts from a host that has just been made, logs in as an unprivileged user and becomes root by sudo.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import ProjectOf
from intendant.app import App
from intendant.plans import Action
from lab.hosts import LabHost
from lab.mirror import PythonMirror
from support.host_state import compare_states, read_state
from support.projects import apply, only_plan, only_run, plan

Steps = Sequence[tuple[str, Mapping[str, Any]]]
FreshHost = Callable[[str], LabHost]

#: the same on the older suite takes minutes: `make test-long`
SUITES = (pytest.param("bookworm", marks=pytest.mark.long), "trixie")
#: the Python that each suite has as a package
SYSTEM_PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7xvBpRmJ0ZJtQ1c0GJm9mWlXv0b3pJ3yVb1m1V5c2k someone@example.org"
UNIT = """\
[Unit]
Description=A service to look at

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Case:
    """Steps, what each of their changes is (step, target, action), and a command that succeeds once they are applied.

    ``undo`` brings the host back to what it was before; ``prepare`` is run on the fresh host first. ``assumed`` is what
    the plan says it has to assume, since only the step before brings it: the changes are predicted all the same.
    """

    steps: Steps
    expected: Sequence[tuple[int, str, Action]]
    proof: str
    undo: Steps = ()
    undone: Sequence[tuple[int, str, Action]] = ()
    prepare: str = "true"
    assumed: Sequence[str] = ()


ROLES = {
    "packages": Case(
        steps=[("packages", {"packages_names": ["tree", "hello"]})],
        expected=[(1, "tree, hello", "create")],
        proof="tree --version && test \"$(hello)\" = 'Hello, world!'",
        undo=[("packages", {"packages_names": ["tree", "hello"], "packages_state": "absent", "packages_purge": True})],
        undone=[(1, "tree, hello", "delete")],
    ),
    "service": Case(
        prepare=f"printf '%s' '{UNIT}' > /etc/systemd/system/probe.service && systemctl daemon-reload",
        steps=[("service", {"service_name": "probe", "service_state": "started", "service_enabled": True})],
        expected=[(1, "probe", "update")],
        proof="systemctl is-active probe && systemctl is-enabled probe",
        undo=[("service", {"service_name": "probe", "service_state": "stopped", "service_enabled": False})],
        undone=[(1, "probe", "update")],
    ),
    "user": Case(
        steps=[
            (
                "user",
                {
                    "user_name": "deploy",
                    "user_comment": "Deployments, with love",
                    "user_uid": 4242,
                    "user_groups": ["www-data", "adm"],
                    "user_shell": "/bin/bash",
                    "user_authorized_keys": [KEY],
                    "user_password": "a long password: yes",
                    "user_sudo": "nopasswd",
                },
            )
        ],
        expected=[
            (1, "deploy", "create"),
            (1, "Set the password", "update"),  # a hidden task says no more than that it happens
            (1, "deploy", "create"),
            (1, "/etc/sudoers.d/user-deploy", "create"),
        ],
        proof='test "$(sudo -u deploy sudo -n whoami)" = root && id -nG deploy | grep -w www-data | grep -w adm'
        f" && grep -qxF '{KEY}' ~deploy/.ssh/authorized_keys && getent passwd deploy | grep -F ':4242:'",
        undo=[("user", {"user_name": "deploy", "user_state": "absent", "user_remove_home": True})],
        undone=[(1, "/etc/sudoers.d/user-deploy", "delete"), (1, "deploy", "delete")],
    ),
    "file": Case(
        steps=[
            (
                "file",
                {
                    "file_path": "/srv/app/conf/app.ini",
                    "file_content": "[app]\nname = intendant\n",
                    "file_mode": "0640",
                    "file_owner": "root",
                    "file_group": "adm",
                },
            ),
            ("file", {"file_path": "/srv/app/data", "file_state": "directory", "file_mode": "2770"}),
            ("file", {"file_path": "/srv/app/current", "file_state": "link", "file_target": "conf"}),
        ],
        expected=[
            (1, "/srv/app/conf/app.ini", "create"),
            (2, "/srv/app/data", "create"),
            (3, "/srv/app/current", "create"),
        ],
        proof="test \"$(stat -c '%a %U %G' /srv/app/current/app.ini)\" = '640 root adm'"
        " && test \"$(cat /srv/app/conf/app.ini)\" = '[app]\nname = intendant'"
        " && test \"$(stat -c '%a' /srv/app/data)\" = 2770",
        undo=[("file", {"file_path": "/srv/app", "file_state": "absent", "file_force": True})],
        undone=[(1, "/srv/app", "delete")],
    ),
}

TOGETHER = {
    "a package, then its service": Case(
        steps=[
            ("packages", {"packages_names": ["nginx-light"], "packages_recommends": False}),
            ("service", {"service_name": "nginx", "service_state": "started", "service_enabled": True}),
        ],
        expected=[(1, "nginx-light", "create"), (2, "nginx", "update")],
        proof="systemctl is-active nginx && systemctl is-enabled nginx",
        assumed=["nginx.service does not exist yet; an earlier step is assumed to bring it"],
    ),
    "a user, then a file of theirs in their home": Case(
        steps=[
            ("user", {"user_name": "deploy", "user_groups": ["releases"]}),
            (
                "file",
                {
                    "file_path": "/home/deploy/app/.profile",
                    "file_content": "umask 022\n",
                    "file_owner": "deploy",
                    "file_group": "releases",
                    "file_mode": "0600",
                },
            ),
        ],
        expected=[(1, "deploy", "create"), (2, "/home/deploy/app/.profile", "create")],
        proof="test \"$(stat -c '%a %U %G' /home/deploy/app/.profile)\" = '600 deploy releases'"
        " && test \"$(stat -c '%U' /home/deploy/app)\" = deploy",
    ),
    "a unit file, then its service": Case(
        steps=[
            ("file", {"file_path": "/etc/systemd/system/probe.service", "file_content": UNIT}),
            ("service", {"service_name": "probe", "service_state": "started", "service_enabled": True}),
        ],
        expected=[(1, "/etc/systemd/system/probe.service", "create"), (2, "probe", "update")],
        proof="systemctl is-active probe && systemctl is-enabled probe",
        assumed=["probe.service does not exist yet; an earlier step is assumed to bring it"],
    ),
    "a shell, then a user who has it": Case(
        steps=[
            ("packages", {"packages_names": ["dash", "fish"], "packages_recommends": False}),
            ("user", {"user_name": "angler", "user_shell": "/usr/bin/fish"}),
        ],
        expected=[(1, "dash, fish", "create"), (2, "angler", "create")],
        assumed=["the shell /usr/bin/fish does not exist on this host yet; an earlier step is assumed to bring it"],
        proof='su - angler -c \'test "$FISH_VERSION" != ""\'',
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_its_plan_says_and_its_undoing_brings_the_host_back(
    role: str, suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    case, host = ROLES[role], fresh_host(suite)
    host.run(case.prepare)
    app = project_of({"web1": host}).open()
    before = read_state(host)

    apply_as_planned(app, case.steps, case.expected)
    host.run(case.proof)
    assert compare_states(before, read_state(host)), "nothing has changed on the host"

    apply_as_planned(app, case.undo, case.undone)
    assert compare_states(before, read_state(host)) == []


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "a package, then its service" else pytest.mark.long) for name in TOGETHER],
)
def test_a_step_that_needs_the_one_before_it_is_predicted_on_a_fresh_host(
    name: str, suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    case, host = TOGETHER[name], fresh_host(suite)
    host.run(case.prepare)
    app = project_of({"web1": host}).open()
    apply_as_planned(app, case.steps, case.expected, case.assumed)
    host.run(case.proof)


@pytest.mark.long
@pytest.mark.parametrize("suite", SUITES)
def test_a_python_beside_the_systems_own_and_a_program_for_it_are_as_planned(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf, python_mirror: PythonMirror
) -> None:
    host, series = fresh_host(suite), python_mirror.series
    app = project_of({"web1": host}).open()
    before, system = read_state(host), host.run("readlink -f /usr/bin/python3").stdout
    params = {"python_version": series, "python_source": "standalone", "python_mirror": python_mirror.url}
    program = {
        "file_path": "/usr/local/bin/which-python",
        "file_content": f"#!/usr/bin/env python{series}\nimport platform\nprint(platform.python_version())\n",
        "file_mode": "0755",
    }

    apply_as_planned(
        app,
        [("python", params), ("file", program)],
        [(1, f"python {python_mirror.version}", "create"), (2, program["file_path"], "create")],
    )
    assert host.run("which-python").stdout.strip() == python_mirror.version
    assert host.run("readlink -f /usr/bin/python3").stdout == system

    apply_as_planned(
        app,
        [("python", {**params, "python_state": "absent"}), ("file", _absent(program))],
        [(1, f"python {python_mirror.version}", "delete"), (2, program["file_path"], "delete")],
    )
    # The folder of all builds stays: it is empty and somebody may have made it.
    left = [line for line in compare_states(before, read_state(host)) if not line.startswith("/opt/python:")]
    assert left == []


@pytest.mark.long
@pytest.mark.parametrize("suite", SUITES)
def test_a_python_that_the_distribution_has_is_its_package_as_planned(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host, series = fresh_host(suite), SYSTEM_PYTHON[suite]
    app = project_of({"web1": host}).open()
    apply_as_planned(
        app,
        [("python", {"python_version": series})],
        [(1, f"python{series}, python{series}-venv", "create")],
    )
    host.run(f"python{series} -m venv /tmp/venv && /tmp/venv/bin/python --version")


def apply_as_planned(
    app: App, steps: Steps, expected: Sequence[tuple[int, str, Action]], assumed: Sequence[str] = ()
) -> None:
    """Plan, apply and plan again, with everything that fidelity means asserted on the way."""
    planned = plan(app, "web1", *steps)
    assert only_plan(planned).error is None
    assert [(change.step, change.target, change.action) for change in only_plan(planned).changes] == list(expected)
    assert [spot.reason for spot in only_plan(planned).blind_spots] == list(assumed)
    assert planned.complete is not bool(assumed)

    run = apply(app, planned.id)
    assert run.status == "succeeded", only_run(run).message
    assert only_run(run).changes == only_plan(planned).changes
    assert run.deviations == ()
    assert run.as_planned is True

    again = plan(app, "web1", *steps)
    assert only_plan(again).changes == ()
    assert again.complete
    assert not again.applyable


@pytest.mark.parametrize("suite", SUITES)
def test_what_no_step_brings_is_said_to_be_unsure_and_fails_in_the_run(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    """The other side of an assumption: where it does not hold, the plan never claimed that it would."""
    app = project_of({"web1": fresh_host(suite)}).open()
    planned = plan(app, "web1", ("service", {"service_name": "nowhere", "service_state": "started"}))
    assert [spot.step for spot in only_plan(planned).blind_spots] == [1]
    assert not planned.complete
    run = apply(app, planned.id)
    assert run.as_planned is False
    assert only_run(run).message == "there is no unit nowhere.service on this host"


@pytest.mark.long
@pytest.mark.parametrize("suite", SUITES)
def test_a_step_that_was_predicted_without_an_earlier_change_to_the_same_file_is_unsure_and_no_deviation(
    suite: str, fresh_host: FreshHost, project_of: ProjectOf
) -> None:
    host, path = fresh_host(suite), "/srv/ours/our.conf"
    app = project_of({"web1": host}).open()
    apply(app, plan(app, "web1", ("firewall", {"firewall_allow": [{"port": "8080"}]})).id)
    planned = plan(
        app,
        "web1",
        ("firewall", {"firewall_allow": [{"port": "80"}]}),
        ("firewall", {"firewall_allow": [{"port": "8080"}], "firewall_state": "absent"}),
        ("file", {"file_path": path, "file_content": "one\n"}),
        ("config_line", {"config_line_path": path, "config_line_line": "two"}),
        ("file", {"file_path": path, "file_mode": "0600"}),
        ("config_line", {"config_line_path": path, "config_line_line": "three"}),
    )
    assert {(spot.step, spot.task) for spot in only_plan(planned).blind_spots} == {
        (2, "Write the ruleset"),
        (5, "Write, create or delete"),
    }
    run = apply(app, planned.id)
    assert run.status == "succeeded", only_run(run).message
    assert run.deviations == ()
    assert host.run(f"cat {path}").stdout == "one\ntwo\nthree\n"
    assert "8080" not in host.run("nft list table inet intendant").stdout


def _absent(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"file_path": params["file_path"], "file_state": "absent"}
