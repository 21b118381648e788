"""A plan is applied only while everything that decided it is as it was."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intendant.app import open_app
from intendant.errors import StaleError, UsedError
from intendant.intents import Step
from intendant.runner.base import TaskResult
from intendant.runner.fake import FakeRunner
from lab.hosts import LabHost
from support.bound import NOTES, SETTINGS, Bound, copy_bound, make_bound
from support.projects import apply, plan
from support.settings import no_settings


@pytest.fixture(scope="module")
def original(trixie_host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> Bound:
    """Planned once; each test moves a copy of it."""
    with no_settings():
        variables = {**trixie_host.inventory_vars(), "ansible_python_interpreter": "/usr/bin/python3"}
        project = make_bound(tmp_path_factory.mktemp("bound") / "project", variables)
        planned = plan(project.open(), "web", ("note", {}))
    assert planned.complete
    assert planned.expires_at - planned.created_at == timedelta(minutes=30)
    return Bound(project.directory, planned.id)


@pytest.fixture
def bound(original: Bound, trixie_host: LabHost, tmp_path: Path) -> Iterator[Bound]:
    yield copy_bound(original, tmp_path / "project")
    trixie_host.run(f"rm -f {NOTES}*")


def written(host: LabHost) -> str:
    """What any run of the role has left on the host."""
    return host.run(f"cat {NOTES}* 2>/dev/null || true").stdout


def alter_plan(bound: Bound) -> None:
    bound.alter_database("UPDATE plans SET document = replace(document, 'round big', 'flat big')")
    bound.alter_database("UPDATE plans SET document = replace(document, 'red', 'blue')")


MOVES: dict[str, tuple[Callable[[Bound], object], str]] = {
    "a file of the role changed": (
        lambda bound: bound.append("roles/note/templates/note.j2", "more\n"),
        "roles/note/templates/note.j2 changed",
    ),
    "a file was added to the role": (
        lambda bound: bound.write("roles/note/vars/main.yml", "note_colour: blue\n"),
        "roles/note/vars/main.yml was added",
    ),
    "a file of the role became executable": (
        lambda bound: (bound.directory / "roles/note/templates/note.j2").chmod(0o755),
        "roles/note/templates/note.j2 changed",
    ),
    "the role is gone": (lambda bound: shutil.rmtree(bound.directory / "roles/note"), "no intent 'note'"),
    "a role that it depends on changed": (
        lambda bound: bound.append("roles/groundwork/tasks/main.yml", "# more\n"),
        "roles/groundwork/tasks/main.yml changed",
    ),
    "a role that it includes changed": (
        lambda bound: bound.append("roles/epilogue/tasks/main.yml", "# more\n"),
        "roles/epilogue/tasks/main.yml changed",
    ),
    "a module of the project changed": (
        lambda bound: bound.append("library/stamp.py", "# more\n"),
        "library/stamp.py changed",
    ),
    "a plugin was added": (
        lambda bound: bound.write("filter_plugins/more.py", "class FilterModule: pass\n"),
        "filter_plugins/more.py was added",
    ),
    "ansible.cfg changed": (lambda bound: bound.append("ansible.cfg", "forks = 3\n"), "ansible.cfg changed"),
    "a variable of the group changed in the inventory": (
        lambda bound: bound.write("inventory/group_vars/web/plain.yml", "note_colour: blue\n"),
        "variable note_colour of web1 changed; variable note_colour of web2 changed",
    ),
    "a variable of the group changed in the project": (
        lambda bound: bound.write("group_vars/web.yml", "note_size: small\n"),
        "variable note_size of web2 changed",
    ),
    "a variable of a host changed in the inventory": (
        lambda bound: bound.write("inventory/host_vars/web2.yml", "note_shape: flat\n"),
        "variable note_shape of web2 changed",
    ),
    "a variable of a host changed in the project": (
        lambda bound: bound.write("host_vars/web1.yml", "note_weight: heavy\n"),
        "variable note_weight of web1 changed",
    ),
    "a variable was added to a host": (
        lambda bound: bound.write("inventory/host_vars/web2.yml", "note_shape: square\nnote_path: /etc/motd\n"),
        "variable note_path of web2 was added",
    ),
    "a vaulted variable changed": (
        lambda bound: bound.set_secret("another-word"),
        "variable note_secret of web1 changed",
    ),
    "a host joined the group": (
        lambda bound: bound.set_members("web1", "web2", "spare"),
        "host spare now matches too",
    ),
    "a host left the group": (lambda bound: bound.set_members("web1"), "host web2 no longer matches"),
    "the group is gone": (lambda bound: bound.set_members(), "There is no host or group 'web'"),
    "a setting of the environment changed": (
        lambda bound: os.environ.update(ANSIBLE_FORCE_HANDLERS="True"),
        "setting ANSIBLE_FORCE_HANDLERS of the environment was added",
    ),
    "the stored plan was altered": (alter_plan, "the stored plan was altered"),
    "the plan's copy of the role was altered": (
        lambda bound: (bound.snapshot / "roles/note/templates/note.j2").write_text("evil\n"),
        "altered",
    ),
    "the plan's copy of the params was altered": (
        lambda bound: (bound.snapshot / "params.json").write_text('{"intendant_steps": [{"note_path": "/evil"}]}'),
        "altered",
    ),
    "the plan's copies are gone": (lambda bound: shutil.rmtree(bound.snapshot), "altered"),
}


def test_an_unmoved_plan_is_applied_and_a_second_time_refused(bound: Bound, trixie_host: LabHost) -> None:
    run = apply(bound.open(), bound.plan_id)
    assert (run.status, run.as_planned) == ("succeeded", True)
    once = written(trixie_host)
    assert once == "red big round light 11\nred big square light 11\n"
    trixie_host.run(f"rm -f {NOTES}*")
    with pytest.raises(UsedError, match=f"applied already, by {run.id}"):
        bound.open().applier.apply_plan(bound.plan_id)
    assert written(trixie_host) == ""


@pytest.mark.parametrize("what", MOVES)
def test_apply_is_refused_and_says_what_moved(
    what: str, bound: Bound, trixie_host: LabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_FORCE_HANDLERS", "")  # so that it is put back
    monkeypatch.delenv("ANSIBLE_FORCE_HANDLERS")
    move, reason = MOVES[what]
    move(bound)
    app = bound.open()
    with pytest.raises(StaleError) as refused:
        app.applier.apply_plan(bound.plan_id, wait_seconds=30)
    assert reason in str(refused.value)
    assert "Nothing was changed. Plan again." in str(refused.value)
    assert "canary-word" not in str(refused.value)
    assert written(trixie_host) == ""
    assert app.store.runs_of_plan(bound.plan_id) == []


def test_a_plan_that_has_expired_is_refused(bound: Bound, trixie_host: LabHost) -> None:
    bound.write("intendant.toml", f'state_dir = "state"\nplan_ttl_seconds = 1\n{SETTINGS}')
    result = TaskResult("web1", 1, "note", "Write the note", "template", "changed", args={"dest": NOTES})
    planner = open_app(bound.directory, FakeRunner([result])).planner
    planned = planner.plan_changes("web1", [Step(intent="note", params={})])
    time.sleep(1)
    with pytest.raises(StaleError, match="it expired at"):
        bound.open().applier.apply_plan(planned.id)
    assert written(trixie_host) == ""


def test_a_host_that_moved_since_the_plan_is_found_by_checking_again(bound: Bound, trixie_host: LabHost) -> None:
    bound.write("intendant.toml", f'state_dir = "state"\n{SETTINGS}'.replace("1800", "0"))
    trixie_host.run(f"echo by hand > {NOTES}-web2")
    app = bound.open()
    run = apply(app, bound.plan_id)
    assert run.status == "failed"
    assert "is stale: web2 has changed since: Write the note" in run.message
    assert written(trixie_host) == "by hand\n"
    assert app.store.plan_status(bound.plan_id) == "stale"


def test_a_file_edited_by_hand_is_not_written_over_by_the_shipped_role(bound: Bound, trixie_host: LabHost) -> None:
    bound.write("intendant.toml", f'state_dir = "state"\n{SETTINGS}'.replace("1800", "0"))
    trixie_host.run(f"echo first > {NOTES}-file")
    app = bound.open()
    params = {"file_path": f"{NOTES}-file", "file_content": "planned\n"}
    planned = plan(app, "spare", ("file", params))
    trixie_host.run(f"echo edited > {NOTES}-file")
    run = apply(app, planned.id)
    assert run.status == "failed"
    assert "spare has changed since" in run.message
    assert written(trixie_host) == "edited\n"
    run = apply(app, plan(app, "spare", ("file", params)).id)
    assert (run.status, run.as_planned, written(trixie_host)) == ("succeeded", True, "planned\n")


def test_a_host_that_could_not_be_predicted_is_left_alone(bound: Bound, trixie_host: LabHost) -> None:
    bound.append(
        "roles/epilogue/tasks/main.yml",
        f"- name: Look\n  ansible.builtin.stat: {{path: '{NOTES}-{{{{ inventory_hostname }}}}-stop'}}\n"
        "  register: epilogue_stop\n"
        "- name: Stop\n  ansible.builtin.fail: {msg: not now}\n  when: epilogue_stop.stat.exists\n",
    )
    trixie_host.run(f"touch {NOTES}-web2-stop")
    app = bound.open()
    planned = plan(app, "web", ("note", {}))
    assert planned.healthy_hosts == ("web1",)
    trixie_host.run(f"rm {NOTES}-web2-stop")
    run = apply(app, planned.id)
    assert [(host.host, host.status) for host in run.hosts] == [("web1", "changed")]
    assert written(trixie_host) == "red big round light 11\n"
