"""Looking and planning through the tools."""

import platform
import threading
from pathlib import Path
from typing import Any

import pytest

from intendant.app import App, open_app
from intendant.runner.base import Outcome, TaskResult
from intendant.runner.fake import FakeRunner
from intendant.tools import plans
from mcp_server.harness import (
    Connect,
    data_of,
    error_of,
    make_inventory,
    open_client,
    open_fake,
    read_note,
    text_of,
    write_result,
)

pytestmark = pytest.mark.anyio


async def test_hosts_are_listed_with_how_they_are_reached(connect: Connect) -> None:
    async with connect() as client:
        shown = data_of(await client.call_tool("list_hosts", {}))
    [host] = shown["hosts"]
    assert (host["name"], host["groups"], host["connection"]) == ("here", ["web"], "local")
    assert host["last_run"] is None
    assert shown["groups"]["web"] == 1
    assert shown["next_cursor"] == ""


async def test_facts_are_asked_of_the_hosts_when_wanted(project: Path) -> None:
    async with open_client(open_app(project), "auto") as client:
        [host] = data_of(await client.call_tool("list_hosts", {"facts": True}))["hosts"]
    assert "error" not in host["facts"]
    assert host["facts"]["python_version"] == platform.python_version()


async def test_a_pattern_that_matches_nothing_names_what_is_near(connect: Connect) -> None:
    async with connect() as client:
        says = error_of(await client.call_tool("list_hosts", {"pattern": "heer"}))
    assert "heer" in says
    assert "Did you mean here" in says


async def test_a_request_in_words_becomes_a_step_and_an_example(connect: Connect) -> None:
    async with connect() as client:
        found = data_of(
            await client.call_tool("find_intents", {"request": "write the note hello to /srv/note on here"})
        )
        assert found["certain"] is True
        assert found["hosts"] == "here"
        [step] = found["steps"]
        assert step["intent"] == "note"
        assert found["example"] == {"hosts": "here", "steps": [step]}
        assert found["candidates"][0].keys() == {"intent", "title", "score", "params", "missing"}


async def test_a_vague_request_gets_candidates_and_a_question_and_no_plan(connect: Connect, app: App) -> None:
    async with connect() as client:
        result = data_of(await client.call_tool("plan_changes", {"hosts": "here", "request": "a note please"}))
    assert "plan_id" not in result
    assert result["status"] == "uncertain"
    assert result["question"]
    assert result["candidates"][0]["intent"] == "note"
    assert app.store.list_history()[0] == []


async def test_an_intent_is_described_by_the_json_schema_of_its_params(connect: Connect) -> None:
    async with connect() as client:
        shown = data_of(await client.call_tool("describe_intent", {"name": "note"}))
        assert shown["title"] == "Write a note"
        assert set(shown["params"]["required"]) == {"note_text", "note_path"}
        says = error_of(await client.call_tool("describe_intent", {"name": "noet"}))
    assert "Did you mean note" in says


async def test_a_plan_shows_its_diff_and_touches_nothing(
    project: Path, mode: str, steps: list[dict[str, Any]], note: Path
) -> None:
    async with open_client(open_app(project), mode) as client:
        result = await client.call_tool("plan_changes", {"hosts": "here", "steps": steps})
        shown = data_of(result)
        assert data_of(await client.call_tool("get_plan", {"plan_id": shown["plan_id"]})) == shown
    assert read_note(note) is None
    assert shown["status"] == "pending"
    assert shown["counts"] == {"create": 1, "update": 0, "delete": 0, "run": 0}
    [group] = shown["groups"]
    assert group["hosts"] == ["here"]
    [change] = group["changes"]
    assert (change["action"], change["role"], change["target"]) == ("create", "note", str(note))
    assert "+hello" in change["diff"]
    assert shown["approval"]["required"] is True
    assert shown["digest"] in text_of(result)
    assert "+hello" in text_of(result)


async def test_a_request_that_names_no_host_is_planned_on_the_hosts_given_beside_it(project: Path, mode: str) -> None:
    (project / "inventory" / "hosts.yml").write_text(make_inventory(["web1", "web2"]))
    app = open_fake(project, FakeRunner([write_result("web1"), write_result("web2")]))
    request = "write the note hello to /srv/note"
    async with open_client(app, mode) as client:
        asked = data_of(await client.call_tool("plan_changes", {"request": request}))
        planned = data_of(await client.call_tool("plan_changes", {"hosts": "web1", "request": request}))
    assert "plan_id" not in asked
    assert planned["groups"][0]["hosts"] == ["web1"]


async def test_50_equal_hosts_answer_in_less_than_6000_bytes(project: Path, mode: str) -> None:
    names = [f"web-{n:02}.example.org" for n in range(50)]
    (project / "inventory" / "hosts.yml").write_text(make_inventory(names))
    app = open_fake(project, FakeRunner([write_result(name) for name in names]))
    step = {"intent": "note", "params": {"note_text": "hello", "note_path": "/srv/note"}}
    async with open_client(app, mode) as client:
        result = await client.call_tool("plan_changes", {"hosts": "web", "steps": [step]})
    assert data_of(result)["groups"][0]["hosts"] == names
    assert len(result.model_dump_json(by_alias=True).encode()) < 6_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "either steps"),
        ({"hosts": "here"}, "either steps"),
        ({"hosts": "here", "steps": [{"intent": "note"}], "request": "a note"}, "either steps"),
        ({"steps": [{"intent": "note", "params": {}}]}, "hosts: is missing"),
        ({"hosts": "here", "steps": [{"intent": "note", "params": {}}]}, "note_text"),
        ({"hosts": "here", "steps": [{"intent": "note", "parms": {}}]}, "parms"),
        ({"hosts": "here", "steps": [{"intent": "nite", "params": {}}]}, "Did you mean note"),
        ({"hosts": "there", "steps": [{"intent": "note", "params": {"note_text": "a", "note_path": "/b"}}]}, "here"),
        ({"hosts": "web", "request": "write the note hello to /srv/note on here"}, "in one place"),
    ],
)
async def test_words_that_are_wrong_are_refused_with_what_to_mend(
    connect: Connect, arguments: dict[str, Any], says: str
) -> None:
    async with connect() as client:
        assert says in error_of(await client.call_tool("plan_changes", arguments))


async def test_an_unknown_argument_is_refused_with_the_nearest_name(connect: Connect) -> None:
    async with connect() as client:
        says = error_of(await client.call_tool("list_history", {"limits": 5, "colour": "red"}))
    assert "'limits' is not an argument of list_history. Did you mean 'limit'?" in says
    assert "'colour' is not an argument" in says
    assert "host, limit, cursor" in says


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("find_intents", {}, "'request' is missing"),
        ("find_intents", {"request": "x" * 1001}, "at most 1000 characters"),
        ("list_hosts", {"pattern": "x" * 10_000}, "(+"),
        ("list_history", {"limit": 0}, "'limit': Input should be greater than or equal to 1"),
        (
            "get_run",
            {"run_id": "run-1", "wait_seconds": 46},
            "'wait_seconds': Input should be less than or equal to 45",
        ),
        ("get_plan", {"plan_id": "plan-1", "detail": "long"}, "'concise' or 'full'"),
        ("get_plan", {"plan_id": "plan-1"}, "no plan 'plan-1'"),
        ("get_run", {"run_id": "run-1"}, "no run 'run-1'"),
        ("cancel_run", {"run_id": "run-1"}, "no run 'run-1'"),
        ("apply_plan", {"plan_id": "plan-1"}, "no plan 'plan-1'"),
        ("list_hosts", {"cursor": "x"}, "next_cursor"),
        ("list_history", {"cursor": "x"}, "cursor"),
    ],
)
async def test_wrong_values_are_refused_by_name(
    connect: Connect, tool: str, arguments: dict[str, Any], says: str
) -> None:
    async with connect() as client:
        told = error_of(await client.call_tool(tool, arguments))
    assert says in told
    assert len(told) < 5_000


async def test_a_refused_argument_is_not_repeated(connect: Connect) -> None:
    secret = "canary-80421"
    async with connect() as client:
        for arguments in ({"password": secret}, {"limit": secret}):
            assert secret not in error_of(await client.call_tool("list_history", arguments))


class SlowRunner(FakeRunner):
    """Holds until it is let go."""

    def __init__(self, results: list[TaskResult]) -> None:
        super().__init__(results)
        self.go_on = threading.Event()

    def run(self, job: Any, on_result: Any, on_task: Any, should_cancel: Any) -> Outcome:
        on_task(1, "Gather")
        assert self.go_on.wait(30)
        return super().run(job, on_result, on_task, should_cancel)


async def test_a_plan_that_takes_long_is_asked_for_later(
    project: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_ANSWER_WITHIN_SECONDS", 2)
    runner = SlowRunner([write_result("here")])
    step = {"intent": "note", "params": {"note_text": "hello", "note_path": "/srv/note"}}
    async with open_client(open_fake(project, runner), mode) as client:
        first = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": [step]}))
        assert first["status"] == "planning"
        assert first["plan_id"] in first["next"]
        assert "get_plan" in first["next"]
        assert "groups" not in first
        again = data_of(await client.call_tool("get_plan", {"plan_id": first["plan_id"]}))
        assert again["status"] == "planning"
        runner.go_on.set()
        done = data_of(await client.call_tool("get_plan", {"plan_id": first["plan_id"]}))
    assert (done["status"], done["plan_id"]) == ("pending", first["plan_id"])


async def test_why_a_long_planning_failed_is_told_when_it_is_asked_for(
    project: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_ANSWER_WITHIN_SECONDS", 0)
    async with open_client(open_fake(project, FakeRunner([])), mode) as client:
        arguments = {"hosts": "nowhere", "steps": [{"intent": "note", "params": {"note_text": "a", "note_path": "/b"}}]}
        first = data_of(await client.call_tool("plan_changes", arguments))
        monkeypatch.setattr(plans, "_ANSWER_WITHIN_SECONDS", 30)
        assert "nowhere" in error_of(await client.call_tool("get_plan", {"plan_id": first["plan_id"]}))
        assert "no plan" in error_of(await client.call_tool("get_plan", {"plan_id": first["plan_id"]}))


async def test_progress_is_told_per_task_and_increases(project: Path, mode: str) -> None:
    tasks = [write_result("here"), *(TaskResult("here", 1, "note", f"Step {n}", "debug", "ok") for n in range(5))]
    told: list[tuple[float, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    step = {"intent": "note", "params": {"note_text": "hello", "note_path": "/srv/note"}}
    async with open_client(open_fake(project, FakeRunner(tasks)), mode) as client:
        await client.call_tool("plan_changes", {"hosts": "here", "steps": [step]}, progress_callback=on_progress)
    assert [message for _, message in told][-1] == "Step 4"
    values = [value for value, _ in told]
    assert values == sorted(set(values))
    assert len(values) >= 5


async def test_a_crash_of_ours_is_logged_and_not_shown(
    project: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_fake(project, FakeRunner([]))
    monkeypatch.setattr(app.store, "list_history", lambda *_: 1 / 0)
    async with open_client(app, "legacy") as client:
        says = error_of(await client.call_tool("list_history", {}))
    assert says == "Error executing tool list_history"
    assert "ZeroDivisionError" in caplog.text
