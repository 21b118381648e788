"""A day of conversations on one host, exported, played on it and on another by ansible-playbook alone, and imported."""

import json
import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import ProjectOf
from integration.test_fidelity import FreshHost
from intendant.app import App
from intendant.cli import main
from intendant.cli.requests import read_plan_files
from intendant.intents import Step
from support.host_state import compare_states, read_state
from support.projects import APPROVED_BY_POLICY, Project, apply

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

HOSTILE = "{{ lookup('pipe', 'id') }}\n{% raw %} {# not a comment #}\n\ttab 'quotes\" \\ yes\n"
WORD = secrets.token_hex(12)
COUNTED = ("ok", "changed", "unreachable", "failed")


Asked = list[tuple[str, list[Step]]]


def step(intent: str, **params: Any) -> Step:
    return Step(intent=intent, params={f"{intent}_{name}": value for name, value in params.items()})


def conversations(key: str, hashed: str) -> Asked:
    """What was asked, in order."""
    job = {"name": "tidy", "command": "/usr/bin/true", "schedule": "*-*-* 02:00:00"}
    return [
        ("install tree and cron", [step("packages", names=["tree", "cron"], recommends=False)]),
        ("a user", [step("user", name="deploy", authorized_keys=[key], sudo="nopasswd", groups=["adm"])]),
        ("a hostile file", [step("file", path="/etc/app/hostile", content=HOSTILE, owner="deploy")]),
        ("a file to be gone", [step("file", path="/etc/app/gone", content="null", mode="0600")]),
        ("no cron for now", [step("service", name="cron", state="stopped", enabled=False)]),
        ("open port 80", [step("firewall", allow=[{"port": "80", "protocol": "tcp"}])]),
        ("a setting", [step("config_line", path="/etc/app/app.conf", key="version", value="3.10", create=True)]),
        ("a job every night", [step("scheduled_job", **job)]),
        ("the time of London", [step("timezone", name="Europe/London")]),
        (
            "a site",
            [
                step("file", path="/srv/docs", state="directory"),
                step("nginx", sites=[{"name": "docs", "root": "/srv/docs", "listen": ["8080"]}]),
            ],
        ),
        (
            "users with passwords",
            [
                step("user", name="ann", password={"from_var": "vault_ann"}),
                step("user", name="bob", password=hashed),
            ],
        ),
        ("our motd", [step("file", path="/etc/app/motd", source="motd.txt")]),
        ("the time of Vienna, rather", [step("timezone", name="Europe/Vienna")]),
        ("no tree", [step("packages", names=["tree"], state="absent")]),
        ("away with it", [step("file", path="/etc/app/gone", state="absent")]),
        ("note it", [step("command", line="echo done >> /etc/app/log", sudo=True)]),
    ]


def expect_steps(asked: Asked) -> list[Step]:
    """What is left of it."""
    left: dict[str, list[Step]] = {
        **dict(asked),
        "install tree and cron": [step("packages", names=["cron"], recommends=False)],
        "a file to be gone": [],
        "the time of London": [step("timezone", name="Europe/Vienna")],
        "users with passwords": [
            step("user", name="ann", password={"from_var": "vault_ann"}),
            step("user", name="bob", password={"from_var": "vault_user_password_bob"}),
        ],
        "the time of Vienna, rather": [],
    }
    return [one for steps in left.values() for one in steps]


def converse(app: App, asked: Asked) -> None:
    for words, steps in asked:
        planned = app.planner.plan_changes("web1", steps, request=words)
        assert planned.applyable, words
        run = apply(app, planned.id)
        assert run.status == "succeeded", (words, run)


def play(project: Project, repository: Path, name: str, *options: str) -> dict[str, int]:
    """Plain ansible-playbook with the roles; what its recap says of the host."""
    environment = {
        **os.environ,
        "ANSIBLE_ROLES_PATH": str(repository / "roles"),
        "ANSIBLE_LIBRARY": str(repository / "src/intendant/ansible/modules"),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        ["ansible-playbook", "exported.yml", "--diff", *options],
        cwd=project.directory, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    recap = re.search(rf"^{name} +: (.*)$", done.stdout, re.M)
    assert done.returncode == 0, done.stdout + done.stderr
    assert recap is not None
    counts = dict(part.split("=") for part in recap[1].split())
    if "--check" in options and counts["changed"] != "0":
        pytest.fail(done.stdout)
    return {name: int(counts[name]) for name in COUNTED}


def test_a_day_of_conversations_is_a_playbook_that_gives_the_same_host(
    fresh_host: FreshHost, project_of: ProjectOf, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = fresh_host("trixie"), fresh_host("trixie")
    unlike = {line.split(":")[0] for line in compare_states(read_state(first), read_state(second))}
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", "export", WORD], capture_output=True, text=True, check=True
    ).stdout.strip()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@x", "-f", tmp_path / "key"], check=True)
    asked = conversations((tmp_path / "key.pub").read_text(encoding="utf-8").strip(), hashed)
    project = project_of({"web1": first}, settings=f'{APPROVED_BY_POLICY}from_var = ["vault_*"]\n')
    project.write("files/motd.txt", "Be {{ kind }}.\n")
    vault = {"vault_ann": hashed, "vault_user_password_bob": hashed}
    project.write("group_vars/all.yml", json.dumps(vault))
    app = project.open()
    converse(app, asked)

    exported = app.exporter.export(hosts="web1")
    assert exported.secrets == ("vault_user_password_bob",)
    assert exported.left_out == ()
    assert WORD not in exported.text
    assert hashed not in exported.text
    assert "# Asked: a hostile file\n# Plan plan-" in exported.text
    file = project.write("exported.yml", exported.text)
    assert app.exporter.export(hosts="web1") == exported

    steps = [one for asked_again in read_plan_files([file], "") for one in asked_again.steps]
    assert steps == expect_steps(asked)
    counts = play(project, repository, "web1", "--check")
    assert (counts["changed"], counts["unreachable"], counts["failed"]) == (0, 0, 0)

    project.set_inventory({"web1": second.inventory_vars()})
    play(project, repository, "web1", "--tags", "all,once")
    assert [
        line for line in compare_states(read_state(first), read_state(second)) if line.split(":")[0] not in unlike
    ] == []
    assert second.run("cat /etc/app/hostile").stdout == HOSTILE
    again = play(project, repository, "web1", "--check")
    assert (again["changed"], again["failed"]) == (0, 0)

    capsys.readouterr()
    assert main(["--project", str(project.directory), "plan", "-f", str(file), "--json"]) == 0
    plans = [project.open().store.get_plan(shown["plan_id"]) for shown in json.loads(capsys.readouterr().out)]
    assert [one for planned in plans for one in planned.steps] == steps
    assert {change.role for planned in plans for host in planned.hosts for change in host.changes} == {"command"}
