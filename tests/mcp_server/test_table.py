"""What holds for every tool, whatever it does."""

import inspect
import json
import re
from typing import Any

import pytest
from mcp import Client
from mcp_types import Tool

from intendant import elicitation
from intendant.server import INSTRUCTIONS
from intendant.tools import runs
from intendant.tools.table import TOOLS
from mcp_server.harness import Connect

pytestmark = pytest.mark.anyio

CONTRACT = {
    "list_hosts": ["pattern", "facts", "cursor"],
    "check_hosts": ["pattern", "cursor"],
    "add_host": ["name", "address", "user", "port", "key", "jump", "groups", "variables"],
    "edit_host": ["name", "address", "user", "port", "key", "jump", "groups", "leave", "variables"],
    "remove_host": ["name"],
    "run_command": ["hosts", "command", "sudo", "timeout", "response_format"],
    "get_output": ["output_id", "host", "stream", "cursor"],
    "tail_log": ["hosts", "unit", "path", "lines", "since", "grep", "sudo"],
    "host_facts": ["hosts", "topics", "match", "max_age", "sudo", "cursor"],
    "list_files": ["host", "path", "sudo", "cursor"],
    "read_file": ["host", "path", "offset", "limit", "sudo"],
    "download_file": ["host", "path", "name", "overwrite", "sudo"],
    "find_intents": ["request"],
    "describe_intent": ["name"],
    "plan_changes": ["hosts", "steps", "request"],
    "get_plan": ["plan_id", "host", "cursor", "detail"],
    "apply_plan": ["plan_id", "wait_seconds"],
    "get_run": ["run_id", "wait_seconds", "host", "cursor"],
    "cancel_run": ["run_id"],
    "list_history": ["host", "limit", "cursor"],
    "export_playbook": ["plans", "runs", "hosts", "cursor"],
}


@pytest.fixture
async def tools(connect: Connect) -> list[Tool]:
    async with connect() as client:
        return (await client.list_tools()).tools


async def test_names_arguments_and_order_are_those_of_the_contract(tools: list[Tool]) -> None:
    assert {tool.name: list(tool.input_schema["properties"]) for tool in tools} == CONTRACT
    assert [tool.name for tool in tools] == list(CONTRACT)


async def test_every_tool_has_title_description_and_all_four_hints(tools: list[Tool]) -> None:
    for tool in tools:
        assert tool.title
        assert tool.description
        assert len(tool.description) < 2_000
        hints = tool.annotations
        assert hints is not None
        assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)


async def test_only_tools_that_may_lose_something_call_themselves_destructive(tools: list[Tool]) -> None:
    destructive = {tool.name for tool in tools if tool.annotations and tool.annotations.destructive_hint}
    assert destructive == {"apply_plan", "cancel_run", "download_file"}  # the last may replace a file of the user's
    read_only = {tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint}
    edits = {"add_host", "edit_host", "remove_host"}
    assert not read_only & {"plan_changes", "apply_plan", "cancel_run", "download_file", *edits}


async def test_names_are_what_every_provider_takes(tools: list[Tool]) -> None:
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.name) for tool in tools)


async def test_schemas_are_plain_objects_without_choices_at_the_top(tools: list[Tool]) -> None:
    for tool in tools:
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        for schema in (tool.input_schema, tool.output_schema):
            assert not {"oneOf", "anyOf", "allOf", "$ref"} & schema.keys()
            assert "$ref" not in json.dumps(schema)


async def test_the_list_of_tools_stays_small(connect: Connect) -> None:
    async with connect() as client:
        listed = await client.list_tools()
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) < 14_000


async def test_the_list_is_the_same_every_time(connect: Connect) -> None:
    async with connect() as client:
        first = await client.list_tools(cache_mode="bypass")
        second = await client.list_tools(cache_mode="bypass")
    assert first.tools == second.tools


def test_instructions_fit_into_what_clients_show() -> None:
    assert len(INSTRUCTIONS.encode()) <= 2_000


async def test_a_client_gets_the_instructions(connect: Connect) -> None:
    async with connect() as client:
        assert instructions_of(client) == INSTRUCTIONS


def instructions_of(client: Client) -> str | None:
    return client.instructions


def test_no_tool_takes_an_argument_that_could_approve() -> None:
    words = re.compile(r"approv|confirm|consent|force|yes|token|digest|answer|override|policy|channel", re.I)
    for spec in TOOLS:
        arguments = CONTRACT[spec.name]
        assert not [argument for argument in arguments if words.search(argument)], spec.name


def test_only_the_answer_to_a_question_reaches_the_approver() -> None:
    """The one call of `approver.record` lies behind the question, and only apply_plan asks it."""
    for spec in TOOLS:
        source = inspect.getsource(inspect.getmodule(spec.function) or runs)
        assert ".approver.record" not in source
        assert "reject" not in source
    assert inspect.getsource(elicitation).count(".approver.record") == 1
    asking = [spec.name for spec in TOOLS if "Resolve(ask_approval)" in str(_annotations(spec.function))]
    asking += [spec.name for spec in TOOLS if _asks(spec.function)]
    assert set(asking) == {"apply_plan"}


def _annotations(function: Any) -> dict[str, Any]:
    return dict(inspect.get_annotations(function))


def _asks(function: Any) -> bool:
    metadata = [item for note in _annotations(function).values() for item in getattr(note, "__metadata__", ())]
    return any(getattr(item, "fn", None) is elicitation.ask_approval for item in metadata)
