"""A project on disk with a role of its own, planned by a scripted runner."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from intendant.app import App, open_app
from intendant.intents import Step
from intendant.plans import Plan
from intendant.runner.base import TaskResult
from intendant.runner.fake import FakeRunner

SPEC = """\
argument_specs:
  main:
    short_description: Write a note
    options:
      note_path: {type: str, required: true, description: Where V(it) goes.}
      note_text: {type: str, default: hello}
      note_count: {type: int}
      note_password: {type: str, no_log: true}
"""
PHRASES = """\
title: Write a note
phrases:
  - "jot down [the] note {note_path}"
"""
TASKS = """\
- name: Write it
  ansible.builtin.copy:
    dest: "{{ note_path }}"
    content: "{{ note_text }}\\n"
    mode: "0644"
"""
INVENTORY = """\
all:
  vars: {ansible_connection: local, ansible_become: false}
  children:
    web:
      hosts: {web1: {}, web2: {}}
"""
HOSTS = ("web1", "web2")


def write_project(folder: Path, settings: str = "") -> Path:
    """``web1`` and ``web2`` are this machine; the one role is ``note``."""
    files = {
        "intendant.toml": settings,
        "ansible.cfg": "[defaults]\ninventory = inventory\nroles_path = roles\n",
        "inventory/hosts.yml": INVENTORY,
        "roles/note/meta/argument_specs.yml": SPEC,
        "roles/note/meta/intent.yml": PHRASES,
        "roles/note/tasks/main.yml": TASKS,
        "roles/note/defaults/main.yml": "note_text: hello\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def changed(host: str = "web1", before: str = "", after: str = "hello\n", state: str = "") -> TaskResult:
    """The result of a file that was written (or, with ``state="absent"``, deleted)."""
    args = {"dest": "/srv/note", "state": state}
    return TaskResult(
        host=host, step=1, role="note", task="Write it", module="copy", status="changed", args=args,
        diff=({"before": before, "after": after},),
    )  # fmt: skip


def unreachable(host: str) -> TaskResult:
    return TaskResult(
        host=host, step=1, role="note", task="Write it", module="copy", status="unreachable", message="No route to host"
    )


def scripted(*results: TaskResult) -> Callable[[Path | None], App]:
    """In place of ``open_app``: the same parts, but plans see ``results``, and hosts without any as they should be."""
    failed = frozenset(result.host for result in results if result.status in ("failed", "unreachable"))
    quiet = [
        replace(changed(host), status="ok", diff=()) for host in HOSTS if host not in {item.host for item in results}
    ]
    return lambda project: open_app(project, FakeRunner([*results, *quiet], failed))


def plan_note(project: Path, results: Sequence[TaskResult]) -> Plan:
    app = scripted(*results)(project)
    return app.planner.plan_changes("web", [Step(intent="note", params={"note_path": "/srv/note"})])
