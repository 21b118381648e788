"""Resources and prompts: the same content by address, and two conversations to start from."""

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import TextContent, TextResourceContents

from intendant.app import App
from mcp_server.harness import Connect, data_of

pytestmark = pytest.mark.anyio


async def read(client: Client, uri: str) -> dict[str, Any]:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    return dict(json.loads(content.text))


async def test_resources_show_what_the_tools_show(connect: Connect, app: App, steps: list[dict[str, Any]]) -> None:
    async with connect() as client:
        plan = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
        plan_id = plan["plan_id"]
        assert await read(client, f"plan://{plan_id}") == plan
        app.approver.record(plan_id, app.store.get_plan(plan_id).digest, who="ops", channel="terminal")
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan_id}))
        assert await read(client, f"run://{run['run_id']}") == run
        hosts = data_of(await client.call_tool("list_hosts", {}))
        assert await read(client, "inventory://hosts") == hosts
        assert hosts["hosts"][0]["last_run"]["run_id"] == run["run_id"]
        intent = data_of(await client.call_tool("describe_intent", {"name": "note"}))
        assert await read(client, "intent://note") == intent


async def test_resources_are_listed_with_titles(connect: Connect) -> None:
    async with connect() as client:
        [hosts] = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
    assert str(hosts.uri) == "inventory://hosts"
    assert {template.uri_template for template in templates} == {"intent://{name}", "plan://{id}", "run://{id}"}
    assert hosts.title
    assert hosts.description
    assert all(template.title and template.description for template in templates)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("plan://plan-0", "no plan 'plan-0'"),
        ("run://run-0", "no run 'run-0'"),
        ("intent://noet", "Did you mean note"),
        ("plan://..%2F..%2Fetc", "Unknown resource"),
    ],
)
async def test_an_address_of_nothing_is_an_error_that_says_so(connect: Connect, uri: str, says: str) -> None:
    async with connect() as client:
        with pytest.raises(MCPError, match=says):
            await read(client, uri)


async def test_prompts_lead_to_a_plan_and_never_to_an_approval(connect: Connect) -> None:
    async with connect() as client:
        prompts = (await client.list_prompts()).prompts
        assert {prompt.name for prompt in prompts} == {"provision_server", "review_plan"}
        assert all(prompt.title and prompt.description for prompt in prompts)
        provision = await client.get_prompt("provision_server", {"hosts": "web1", "purpose": "a Django site"})
        review = await client.get_prompt("review_plan", {"plan_id": "plan-1"})
    for part in ("web1", "a Django site", "find_intents", "plan_changes", "diffs", "apply_plan"):
        assert part in text(provision)
    assert "plan_id='plan-1'" in text(review)
    assert "Do not apply it" in text(review)


def text(result: Any) -> str:
    [message] = result.messages
    assert isinstance(message.content, TextContent)
    return message.content.text


async def test_a_prompt_without_its_argument_is_an_error(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises((MCPError, ValueError)):
            await client.get_prompt("review_plan", {})
