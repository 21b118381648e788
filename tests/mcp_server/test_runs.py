"""Following runs, and that a client that leaves does not stop one."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from intendant.app import App
from intendant.runner.base import Outcome
from intendant.runs import HostRun, Run
from mcp_server.harness import Connect, NoteRunner, data_of, error_of, open_client, open_fake, read_note

pytestmark = pytest.mark.anyio

Steps = list[dict[str, Any]]


class SlowApply(NoteRunner):
    """Predicts at once; a real run begins, and goes on when it is let."""

    def __init__(self, note: Path) -> None:
        super().__init__(note)
        self.begun, self.go_on = threading.Event(), threading.Event()

    def run(self, job: Any, on_result: Any, on_task: Any, should_cancel: Any) -> Outcome:
        if not job.check:
            self.begun.set()
            assert self.go_on.wait(30)
        return super().run(job, on_result, on_task, should_cancel)


async def approve(app: App, client: Any, steps: Steps) -> str:
    plan_id = str(data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))["plan_id"])
    app.approver.record(plan_id, app.store.get_plan(plan_id).digest, who="ops", channel="terminal")
    return plan_id


async def test_a_client_that_gives_up_leaves_the_run_alone(project: Path, mode: str, steps: Steps, note: Path) -> None:
    runner = SlowApply(note)
    app = open_fake(project, runner)
    async with open_client(app, mode) as client:
        plan_id = await approve(app, client, steps)
        call = asyncio.create_task(client.call_tool("apply_plan", {"plan_id": plan_id}))
        assert await asyncio.to_thread(runner.begun.wait, 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert read_note(note) is None
        runner.go_on.set()
        [run] = app.store.runs_of_plan(plan_id)
        shown = await finish(client, run.id)
    assert (shown["status"], shown["as_planned"]) == ("succeeded", True)
    assert read_note(note) == "hello\n"


async def finish(client: Any, run_id: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while True:
        shown = data_of(await client.call_tool("get_run", {"run_id": run_id}))
        if shown["status"] not in ("queued", "running"):
            return shown
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def test_a_run_is_followed_by_host_and_found_in_the_history(connect: Connect, app: App, steps: Steps) -> None:
    async with connect() as client:
        plan_id = await approve(app, client, steps)
        run_id = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))["run_id"]
        shown = data_of(await client.call_tool("get_run", {"run_id": run_id, "host": "here"}))
        assert [host["host"] for host in shown["hosts"]] == ["here"]
        assert "no host 'there'" in error_of(await client.call_tool("get_run", {"run_id": run_id, "host": "there"}))
        [host] = data_of(await client.call_tool("list_hosts", {}))["hosts"]
        assert (host["last_run"]["run_id"], host["last_run"]["status"]) == (run_id, "succeeded")
        kinds, cursor = [], ""
        while True:
            page = data_of(await client.call_tool("list_history", {"limit": 1, "cursor": cursor}))
            kinds += [entry["kind"] for entry in page["entries"]]
            if not (cursor := page["next_cursor"]):
                break
    assert kinds == ["run", "approval", "plan"]


async def test_a_failure_is_told_in_the_modules_own_words(
    connect: Connect, app: App, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Could not find the requested service nginx: host"
    async with connect() as client:
        plan_id = await approve(app, client, steps)
        run_id = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))["run_id"]
        failed = HostRun(host="here", status="failed", failed_task="Start it", message=said)
        found = app.store.get_run(run_id)
        broken = Run.model_validate({**found.model_dump(), "id": "run-broken", "status": "failed", "hosts": [failed]})
        monkeypatch.setattr(app.store, "get_run", lambda _: broken)
        shown = data_of(await client.call_tool("get_run", {"run_id": "run-broken"}))
    assert shown["hosts"][0]["message"] == said
    assert shown["hosts"][0]["failed_task"] == "Start it"
    assert "mend the cause" in shown["next"]


async def test_asking_to_cancel_a_finished_run_shows_how_it_ended(connect: Connect, app: App, steps: Steps) -> None:
    async with connect() as client:
        plan_id = await approve(app, client, steps)
        run_id = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))["run_id"]
        shown = data_of(await client.call_tool("cancel_run", {"run_id": run_id}))
    assert (shown["run_id"], shown["status"]) == (run_id, "succeeded")
