"""What the tests of the MCP server share: a small project, clients of both eras, and how results are read."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import CallToolResult, TextContent

from intendant.app import App, open_app
from intendant.applying import Applier
from intendant.planning import new_id
from intendant.runner.base import Job, Outcome, Runner, TaskResult
from intendant.runs import Run
from intendant.server import build_server

TEXT = "hello\n"
Connect = Callable[..., AbstractAsyncContextManager[Client]]
MODES = ["auto", "legacy"]

_SPECS = """\
argument_specs:
  main:
    short_description: A line in a file
    options:
      note_text: {type: str, required: true, description: What the file says.}
      note_path: {type: path, required: true, description: Where it lies.}
"""
_TASKS = """\
- name: Write the note
  ansible.builtin.copy:
    content: "{{ note_text }}\\n"
    dest: "{{ note_path }}"
    mode: "0644"
"""
_INTENT = """\
title: Write a note
phrases:
  - "write [the] note {note_text} to {note_path}"
"""


def write_project(folder: Path, state: Path) -> Path:
    """A project with this machine as its hosts and one intent, `note`, that writes one file."""
    role = folder / "roles" / "note"
    for path, text in {
        folder / "intendant.toml": f'state_dir = "{state}"\n',
        folder / "ansible.cfg": "[defaults]\ninventory = inventory\n",
        folder / "inventory" / "hosts.yml": make_inventory(["here"]),
        role / "meta" / "argument_specs.yml": _SPECS,
        role / "meta" / "intent.yml": _INTENT,
        role / "tasks" / "main.yml": _TASKS,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def make_inventory(names: list[str]) -> str:
    """Hosts of group `web` that are all this machine."""
    hosts = "".join(f"    {name}: {{ansible_connection: local}}\n" for name in names)
    return f"web:\n  hosts:\n{hosts}"


@asynccontextmanager
async def open_client(
    app: App, mode: str, elicitation_callback: ElicitationFnT | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A client in this process; a server's crash is raised here where the transport can carry it."""
    async with Client(
        build_server(app),
        mode=mode,
        raise_exceptions=mode == "auto",
        elicitation_callback=elicitation_callback,
        **options,
    ) as client:
        yield client


def open_fake(project: Path, runner: Runner) -> App:
    """The application over the same project with a scripted runner, whose runs end in this process."""
    app = open_app(project, runner)
    return replace(app, applier=cast(Applier, InlineApplier(app)))


class InlineApplier:
    """Every check of the real executor, without a process of its own for each run."""

    def __init__(self, app: App) -> None:
        self._app = app

    def apply_plan(self, plan_id: str, **_: Any) -> Run:
        executor = self._app.executor
        return executor.execute(executor.start(plan_id, new_id("run")))

    def wait_run(self, run_id: str, *_: Any, **__: Any) -> Run:
        return self._app.store.get_run(run_id)

    def cancel_run(self, run_id: str) -> Run:
        return self._app.store.get_run(run_id)


class NoteRunner:
    """Predicts and writes the note as the role would, on any number of hosts."""

    def __init__(self, note: Path) -> None:
        self.note = note

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        on_task(1, "Write the note")
        before = read_note(self.note) or ""
        for host in job.hosts:
            on_result(write_result(host, str(self.note), before))
        if not job.check:
            self.note.write_text(TEXT, encoding="utf-8")
        return Outcome(failed_hosts=frozenset(), finished=True)


def write_result(host: str, path: str = "/srv/note", before: str = "") -> TaskResult:
    """What the note's task reports of one host."""
    diff = {"before": before, "after": TEXT, "before_header": path, "after_header": path}
    return TaskResult(
        host=host,
        step=1,
        role="note",
        task="Write the note",
        module="ansible.builtin.copy",
        status="ok" if before == TEXT else "changed",
        args={"dest": path},
        diff=() if before == TEXT else (diff,),
    )


def read_note(path: Path) -> str | None:
    """What was written, or None: the host is untouched."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def text_of(result: CallToolResult) -> str:
    """The text that a client shows."""
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


def data_of(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a call that went well."""
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    data: dict[str, Any] = result.structured_content
    return data


def error_of(result: CallToolResult) -> str:
    """The text of a call that failed."""
    assert result.is_error, result.structured_content
    assert result.structured_content is None
    return text_of(result)
