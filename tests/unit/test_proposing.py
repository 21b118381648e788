"""Which plan is made of a command: that of an intent that does the same, or of the command itself, and what is said."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from intendant.app import App, open_app
from intendant.commands import CommandResult
from intendant.plans import Plan
from intendant.runner.base import Job, Outcome, TaskResult
from intendant.runner.fake import FakeRunner
from intendant.views.commands import build_command, command_lines
from unit.projects import changed, unreachable, write_project

RESTART = "systemctl restart nginx"
OK = [replace(changed(host), status="ok", diff=()) for host in ("web1", "web2")]
BOTH = [changed("web1"), changed("web2")]
DEAD = [unreachable("web1"), unreachable("web2")]


class Scripted(FakeRunner):
    """Answers each job with the next of the scripts."""

    def __init__(self, *scripts: Sequence[TaskResult]) -> None:
        super().__init__([])
        self.scripts = list(scripts)

    def run(self, job: Job, *arguments: Callable[..., object]) -> Outcome:
        self.results = list(self.scripts[len(self.jobs)])
        self.failed_hosts = frozenset(result.host for result in self.results if result.status == "unreachable")
        return super().run(job, *arguments)  # type: ignore[arg-type]


def open_project(folder: Path, policy: str, *scripts: Sequence[TaskResult]) -> App:
    return open_app(write_project(folder / "project", f'state_dir = "state"\n{policy}'), Scripted(*scripts))


def plan_of(app: App, result: CommandResult) -> Plan:
    return app.store.get_plan(result.plan_id)


def test_the_plan_is_that_of_the_intent_and_the_command_can_still_be_asked_for(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", BOTH)
    result = app.commander.run_command("web", RESTART)
    assert (result.executed, result.applyable, result.kind) == (False, True, "change")
    assert result.equivalent == "service service_name=nginx service_state=restarted"
    [step] = plan_of(app, result).steps
    assert (step.intent, step.params) == ("service", {"service_name": "nginx", "service_state": "restarted"})
    assert f"apply_plan(plan_id='{result.plan_id}')" in result.next
    assert "intent command and command_line" in result.next
    assert build_command(result).equivalent == result.equivalent
    assert [line.text for line in command_lines(result)][1:] == [f"The same: {result.equivalent}"]


def test_where_the_intent_differs_it_is_said(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", BOTH)
    result = app.commander.run_command("web", "modprobe loop")
    assert result.note == "Other than the command, it also loads it at every boot."
    assert result.note in result.next


def test_hosts_that_are_so_already_have_nothing_to_apply(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", OK)
    result = app.commander.run_command("web", "systemctl start nginx")
    assert (result.applyable, result.plan_id != "") == (False, True)
    assert result.note.startswith("Nothing would change")
    assert "apply_plan" not in result.next


def test_hosts_that_fail_are_named_as_long_as_one_does_not(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", [changed("web1"), unreachable("web2")])
    result = app.commander.run_command("web", RESTART)
    assert result.equivalent
    assert "Not on these hosts: web2: Write it: No route to host" in result.note


def test_a_plan_that_fails_everywhere_gives_way_to_that_of_the_command(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", DEAD, BOTH)
    result = app.commander.run_command("web", RESTART)
    assert (result.equivalent, result.applyable) == ("", True)
    [step] = plan_of(app, result).steps
    assert (step.intent, step.params["command_line"]) == ("command", RESTART)
    assert "service service_name=nginx service_state=restarted) but could not be planned: web1: Write it" in result.note
    assert result.note in result.next
    assert "find_intents" not in result.next


def test_when_that_fails_too_nothing_waits(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", DEAD, DEAD)
    result = app.commander.run_command("web", RESTART)
    assert (result.equivalent, result.applyable) == ("", False)
    assert f"plan {result.plan_id} cannot be applied: web1: Write it" in result.next


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ('[policy]\nallowed_intents = ["command", "packages"]\n', "does not allow 'service'"),
        ('[policy.groups.web]\nallowed_intents = ["command"]\n', "does not allow 'service'"),
    ],
)
def test_an_intent_that_the_policy_does_not_allow_is_not_planned(policy: str, says: str, tmp_path: Path) -> None:
    app = open_project(tmp_path, policy, BOTH)
    result = app.commander.run_command("web", RESTART)
    assert [step.intent for step in plan_of(app, result).steps] == ["command"]
    assert says in result.note
    assert result.equivalent == ""


def test_params_that_a_role_of_the_project_does_not_take_are_not_planned(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", BOTH)
    role = app.config.project_dir / "roles" / "service" / "meta"
    role.mkdir(parents=True)
    (role / "argument_specs.yml").write_text("argument_specs: {main: {short_description: x, options: {}}}")
    result = app.commander.run_command("web", RESTART)
    assert [step.intent for step in plan_of(app, result).steps] == ["command"]
    assert "service_name" in result.note


def test_what_destroys_is_refused_and_the_intent_is_only_mentioned(tmp_path: Path) -> None:
    app = open_project(tmp_path, "")
    result = app.commander.run_command("web", "reboot")
    assert (result.plan_id, result.kind, result.equivalent) == ("", "destructive", "reboot reboot_when=now")
    assert "plan_changes with reboot reboot_when=now" in result.next
    allowed = open_project(tmp_path / "allowed", "[policy]\nallow_destructive_commands = true\n", BOTH)
    result = allowed.commander.run_command("web", "reboot")
    assert [step.intent for step in plan_of(allowed, result).steps] == ["reboot"]


def test_what_belongs_to_who_runs_it_is_the_same_with_sudo_or_for_root(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", BOTH, BOTH, BOTH)
    assert app.commander.run_command("web", "mkdir /srv/app").equivalent == ""
    assert app.commander.run_command("web", "mkdir /srv/app", sudo=True).equivalent
    inventory = app.config.project_dir / "inventory" / "hosts.yml"
    inventory.write_text(inventory.read_text().replace("vars: {", "vars: {ansible_user: root, "))
    assert app.commander.run_command("web", "mkdir /srv/app").equivalent


def test_secrets_are_masked_in_what_is_said_of_the_steps(tmp_path: Path) -> None:
    app = open_project(tmp_path, "", BOTH)
    result = app.commander.run_command("web", "echo 'db_password = hunter2hunter2' > /etc/app.conf", sudo=True)
    assert "file_path=/etc/app.conf" in result.equivalent
    assert "hunter2" not in f"{result.equivalent}{result.next}{result.note}"
