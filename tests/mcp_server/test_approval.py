"""Approval through the client, and that nothing else a model can do approves."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver import MCPServer
from mcp_types import (
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    Implementation,
    InputRequiredResult,
    InputResponses,
)

from intendant.app import App
from intendant.elicitation import build_question
from intendant.plans import Bindings, BlindSpot, Change, HostPlan, Plan
from intendant.server import build_server
from intendant.tools.table import TOOLS
from mcp_server.harness import MODES, Connect, NoteRunner, data_of, error_of, open_client, open_fake, read_note

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
Steps = list[dict[str, Any]]


class Person:
    """Answers each question in the same way and keeps what was asked."""

    def __init__(self, action: str = "accept", **content: Any) -> None:
        self.answer = ElicitResult.model_validate({"action": action, "content": content or None})
        self.asked: list[ElicitRequestFormParams] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params)
        return self.answer


async def plan(client: Client, steps: Steps) -> str:
    return str(data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))["plan_id"])


def kinds(app: App) -> list[str]:
    return sorted(entry.kind for entry in app.store.list_history()[0])


async def test_a_yes_in_the_client_applies_the_plan_once(connect: Connect, app: App, steps: Steps, note: Path) -> None:
    person = Person(approve=True, comment="go")
    async with connect(elicitation_callback=person, client_info=Implementation(name="desk", version="1")) as client:
        plan_id = await plan(client, steps)
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45}))
        assert (run["status"], run["as_planned"], run["deviations"]) == ("succeeded", True, [])
        assert run["hosts"] == [{"host": "here", "status": "changed", "changed": 1, "failed_task": "", "message": ""}]
        assert read_note(note) == "hello\n"
        assert "was applied already" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
        again = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        assert again["applyable"] is False
        assert "Nothing to change" in again["next"]
    assert len(person.asked) == 1
    [approval] = [entry for entry in app.store.list_history()[0] if entry.kind == "approval"]
    assert "desk" in approval.summary
    assert "elicitation" in approval.summary
    assert "go" in approval.summary


async def test_the_question_shows_what_a_person_decides_by(connect: Connect, steps: Steps, note: Path) -> None:
    person = Person("decline")
    async with connect(elicitation_callback=person) as client:
        plan_id = await plan(client, steps)
        await client.call_tool("apply_plan", {"plan_id": plan_id})
        shown = data_of(await client.call_tool("get_plan", {"plan_id": plan_id}))
    [asked] = person.asked
    for part in (plan_id, shown["digest"][:16], "1 host: here", "1 to create", str(note), "+hello"):
        assert part in asked.message
    assert asked.requested_schema["properties"].keys() == {"approve", "comment"}
    assert asked.requested_schema["required"] == ["approve"]
    assert all(field["type"] in ("boolean", "string") for field in asked.requested_schema["properties"].values())


def test_a_question_marks_what_is_destructive_or_unknown_and_stays_bounded() -> None:
    long = "".join(f"line {n}\n" for n in range(5_000))
    change = Change(
        step=1, role="file", task="Remove", module="file", target="/etc/motd", action="delete", before=long, after=""
    )
    spot = BlindSpot(step=1, task="Run it", reason="a command cannot be predicted")
    made = Plan(
        id="plan-1",
        created_at=NOW,
        expires_at=NOW,
        pattern="all",
        steps=(),
        hosts=tuple(HostPlan(host=f"h{n}", changes=(change,), blind_spots=(spot,)) for n in range(40)),
        bindings=Bindings(content={}, params="", hosts=(), variables={}, ansible_core="2.19"),
    )
    question = build_question(made)
    assert "DESTRUCTIVE: it deletes 40 things" in question
    assert "INCOMPLETE" in question
    assert len(question.encode()) < 5_000
    assert question == build_question(made)


NO = {
    "declined": (Person("decline"), "the user declined"),
    "dismissed": (Person("cancel"), "closed the question without an answer"),
    "accepted without a yes": (Person(approve=False, comment="not today"), "approve = no and the comment: not today"),
    "accepted without a form": (Person("accept"), "no content"),
    "accepted with a wrong form": (Person(approve="perhaps"), "match the requested schema"),
}


@pytest.mark.parametrize(("person", "says"), NO.values(), ids=NO.keys())
async def test_every_other_answer_leaves_the_host_untouched(
    connect: Connect, app: App, steps: Steps, note: Path, person: Person, says: str
) -> None:
    async with connect(elicitation_callback=person) as client:
        plan_id = await plan(client, steps)
        assert says in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert read_note(note) is None
    assert kinds(app) == ["plan"]


async def test_a_refusal_says_how_else_to_approve(connect: Connect, steps: Steps) -> None:
    async with connect(elicitation_callback=Person("decline")) as client:
        plan_id = await plan(client, steps)
        assert f"intendant review {plan_id}" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))


async def test_a_client_that_fails_to_ask_leaves_the_host_untouched(
    connect: Connect, app: App, steps: Steps, note: Path
) -> None:
    async def broken(context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        return ErrorData(code=-32000, message="no window to ask in")

    async with connect(elicitation_callback=broken) as client:
        plan_id = await plan(client, steps)
        if client.protocol_version >= "2026-07-28":  # there the client asks by itself and keeps its failure
            with pytest.raises(MCPError, match="no window to ask in"):
                await client.call_tool("apply_plan", {"plan_id": plan_id})
        else:
            says = error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
            assert "no window to ask in" in says
            assert f"intendant review {plan_id}" in says
    assert read_note(note) is None
    assert kinds(app) == ["plan"]


async def test_a_question_that_nobody_answers_in_time_leaves_the_host_untouched(
    connect: Connect, app: App, steps: Steps, note: Path
) -> None:
    async def asleep(context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        await asyncio.sleep(60)
        raise AssertionError("the client has given up long ago")

    async with connect(elicitation_callback=asleep) as client:
        plan_id = await plan(client, steps)
        with pytest.raises((MCPError, TimeoutError)):
            await asyncio.wait_for(client.call_tool("apply_plan", {"plan_id": plan_id}, read_timeout_seconds=2), 4)
    assert read_note(note) is None
    assert kinds(app) == ["plan"]


async def test_a_yes_that_comes_after_the_plan_expired_is_refused(
    connect: Connect, app: App, steps: Steps, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Person):
        async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult | ErrorData:
            now = app.approver._now
            monkeypatch.setattr(app.approver, "_now", lambda: now() + timedelta(hours=1))
            return await super().__call__(context, params)

    async with connect(elicitation_callback=Late(approve=True)) as client:
        plan_id = await plan(client, steps)
        assert "expired" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert read_note(note) is None
    assert kinds(app) == ["plan"]


async def test_without_elicitation_an_apply_says_who_can_approve(
    connect: Connect, app: App, steps: Steps, note: Path
) -> None:
    async with connect() as client:
        plan_id = await plan(client, steps)
        says = error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
        assert "not approved" in says
        assert f"intendant review {plan_id}" in says
        assert read_note(note) is None
        app.approver.record(plan_id, app.store.get_plan(plan_id).digest, who="ops", channel="terminal")
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45}))
    assert run["status"] == "succeeded"
    assert read_note(note) == "hello\n"


async def test_a_plan_approved_elsewhere_is_not_asked_about_again(connect: Connect, app: App, steps: Steps) -> None:
    person = Person("decline")
    async with connect(elicitation_callback=person) as client:
        plan_id = await plan(client, steps)
        app.approver.record(plan_id, app.store.get_plan(plan_id).digest, who="ops", channel="terminal")
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id, "wait_seconds": 45}))
    assert run["status"] == "succeeded"
    assert person.asked == []


async def test_a_written_policy_applies_without_a_question(project: Path, mode: str, steps: Steps, note: Path) -> None:
    with (project / "intendant.toml").open("a") as settings:
        settings.write('[policy.groups.web]\napproval = "never"\n')
    person = Person("decline")
    async with open_client(open_fake(project, NoteRunner(note)), mode, person) as client:
        shown = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        assert shown["approval"]["required"] is False
        assert shown["approval"]["channels"] == []
        arguments = {"plan_id": shown["plan_id"], "wait_seconds": 45}
        assert data_of(await client.call_tool("apply_plan", arguments))["status"] == "succeeded"
    assert person.asked == []
    assert read_note(note) == "hello\n"


async def test_no_sequence_of_tool_calls_approves_anything(
    connect: Connect, app: App, steps: Steps, note: Path
) -> None:
    """Every tool with every argument that it takes, twice over, around an open plan."""
    async with connect() as client:
        plan_id = await plan(client, steps)
        values: dict[str, Any] = {
            "plan_id": plan_id,
            "run_id": plan_id,
            "hosts": "here",
            "host": "here",
            "pattern": "here",
            "steps": steps,
            "request": f"I approve {plan_id}: yes, apply it",
            "name": "note",
            "detail": "full",
            "wait_seconds": 0,
        }
        for _ in range(2):
            for spec in TOOLS:
                names = list((await _schema(client, spec.name))["properties"])
                arguments = {name: values[name] for name in names if name in values}
                if spec.name == "plan_changes":
                    del arguments["request"]
                await client.call_tool(spec.name, arguments)
                for extra in ({"approve": True}, {"approval": {"action": "accept", "data": {"approve": True}}}):
                    assert "not an argument" in error_of(await client.call_tool(spec.name, {**arguments, **extra}))
        assert "not approved" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert read_note(note) is None
    assert set(kinds(app)) == {"plan"}


async def test_no_sequence_of_tool_calls_changes_the_inventory(project: Path) -> None:
    """Of an edit a plan is made, and tools are called with all that could pass for a yes. The policy asks nobody."""
    with (project / "intendant.toml").open("a") as settings:
        settings.write('[policy]\napproval = "never"\n')
    app = open_fake(project, NoteRunner(project / "note"))
    hosts = project / "inventory" / "hosts.yml"
    before = hosts.read_text()
    for mode in MODES:
        async with open_client(app, mode) as client:
            for tool, arguments in (
                ("edit_host", {"name": "here", "groups": ["db"], "variables": {"approve": True, "tier": "yes"}}),
                ("remove_host", {"name": "here"}),
            ):
                planned = data_of(await client.call_tool(tool, arguments))
                assert planned["approval"]["required"] is True
                plan_id = planned["plan_id"]
                for other in ("get_plan", "apply_plan", "cancel_run", "get_run", tool):
                    given = arguments if other == tool else {"run_id" if "run" in other else "plan_id": plan_id}
                    await client.call_tool(other, given)
                    for extra in ({"approve": True}, {"approval": {"action": "accept", "data": {"approve": True}}}):
                        assert "not an argument" in error_of(await client.call_tool(other, {**given, **extra}))
                assert "not approved" in error_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
    assert hosts.read_text() == before
    assert set(kinds(app)) == {"plan"}


async def _schema(client: Client, name: str) -> dict[str, Any]:
    [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == name]
    return tool.input_schema


async def ask(client: Client, plan_id: str) -> InputRequiredResult:
    """The first round of the stateless era, by hand."""
    result = await client.session.call_tool("apply_plan", {"plan_id": plan_id}, allow_input_required=True)
    assert isinstance(result, InputRequiredResult)
    return result


def say_yes(question: InputRequiredResult) -> InputResponses:
    return {key: ElicitResult(action="accept", content={"approve": True}) for key in question.input_requests or {}}


def open_modern(server: MCPServer[Any]) -> Client:
    return Client(server, mode="2026-07-28", elicitation_callback=Person("decline"))


async def test_an_open_question_survives_a_restart_of_the_server(app: App, steps: Steps, note: Path) -> None:
    async with open_modern(build_server(app)) as client:
        plan_id = await plan(client, steps)
        question = await ask(client, plan_id)
    answers = say_yes(question)
    async with open_modern(build_server(app)) as client:
        arguments = {"plan_id": plan_id, "wait_seconds": 45}
        with pytest.raises(MCPError):  # the answer is bound to the very call that asked
            await client.call_tool(
                "apply_plan", arguments, input_responses=answers, request_state=question.request_state
            )
        assert read_note(note) is None
        await client.call_tool(
            "apply_plan", {"plan_id": plan_id}, input_responses=answers, request_state=question.request_state
        )
        run_id = app.store.runs_of_plan(plan_id)[0].id
        await client.call_tool("get_run", {"run_id": run_id, "wait_seconds": 45})
        assert read_note(note) == "hello\n"
        replay = await client.call_tool(
            "apply_plan", {"plan_id": plan_id}, input_responses=answers, request_state=question.request_state
        )
        assert "applied already" in error_of(replay)
    assert kinds(app) == ["approval", "plan", "run"]


async def test_an_answer_counts_for_no_other_plan(app: App, steps: Steps, note: Path) -> None:
    async with open_modern(build_server(app)) as client:
        first, second = await plan(client, steps), await plan(client, steps)
        question = await ask(client, first)
        answers = say_yes(question)
        with pytest.raises(MCPError):
            await _answer(client, second, answers, question.request_state)
        assert isinstance(await _answer(client, second, answers, None), InputRequiredResult)
    assert read_note(note) is None
    assert kinds(app) == ["plan", "plan"]


async def _answer(client: Client, plan_id: str, answers: InputResponses, state: str | None) -> object:
    return await client.session.call_tool(
        "apply_plan", {"plan_id": plan_id}, input_responses=answers, request_state=state, allow_input_required=True
    )


async def test_two_clients_that_both_say_yes_apply_once(app: App, mode: str, steps: Steps, note: Path) -> None:
    async with open_client(app, mode, Person(approve=True)) as one, open_client(app, mode, Person(approve=True)) as two:
        plan_id = await plan(one, steps)
        arguments = {"plan_id": plan_id, "wait_seconds": 45}
        results = await asyncio.gather(*(client.call_tool("apply_plan", arguments) for client in (one, two)))
    assert sorted(result.is_error for result in results) == [False, True]
    assert len(app.store.runs_of_plan(plan_id)) == 1
    assert read_note(note) == "hello\n"


def test_the_key_of_open_questions_is_kept_for_its_owner_alone(app: App) -> None:
    build_server(app)
    key = app.config.state_dir / "request-state.key"
    first = key.read_bytes()
    assert len(first) >= 32
    assert key.stat().st_mode & 0o777 == 0o600
    build_server(app)
    assert key.read_bytes() == first
    assert [path.name for path in app.config.state_dir.glob("request-state*")] == [key.name]
