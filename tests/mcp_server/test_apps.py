"""The view of a plan for clients that render apps (MCP Apps): two tools name it, it only shows, others see nothing."""

import re
from typing import Any

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp_types import TextResourceContents

from intendant.tools.table import TOOLS
from mcp_server.harness import Connect, data_of

pytestmark = pytest.mark.anyio
URI = "ui://intendant/plan"
RENDERS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
#: a client that knows the extension, but not this kind of page.
RENDERS_OTHERS = [advertise(EXTENSION_ID, {"mimeTypes": ["text/html;profile=other"]})]


async def read_page(client: Client) -> TextResourceContents:
    [content] = (await client.read_resource(URI)).contents
    assert isinstance(content, TextResourceContents)
    return content


async def test_the_tools_that_give_plans_name_the_view(connect: Connect) -> None:
    async with connect(extensions=RENDERS) as client:
        tools = (await client.list_tools()).tools
    named = {tool.name: tool.meta for tool in tools if tool.meta}
    assert named == {name: {"ui": {"resourceUri": URI}} for name in ("plan_changes", "get_plan")}


async def test_the_list_of_tools_stays_small_for_clients_that_render_apps(connect: Connect) -> None:
    async with connect(extensions=RENDERS) as client:
        listed = await client.list_tools()
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) < 14_000


async def test_the_view_is_listed_with_words_for_people(connect: Connect) -> None:
    async with connect(extensions=RENDERS) as client:
        [view] = [item for item in (await client.list_resources()).resources if str(item.uri) == URI]
    assert view.mime_type == APP_MIME_TYPE
    assert view.title == "Plan"
    assert re.fullmatch(r"[A-Z].*\.", view.description or "")
    assert view.meta == {"ui": {"csp": {}, "prefersBorder": True}}  # no domain at all


async def test_the_view_stands_alone(connect: Connect) -> None:
    async with connect(extensions=RENDERS) as client:
        page = await read_page(client)
    assert page.mime_type == APP_MIME_TYPE
    assert page.meta == {"ui": {"csp": {}, "prefersBorder": True}}
    assert page.text.startswith("<!doctype html>")
    assert re.findall(r"<(style|script)\b", page.text) == ["style", "script"]
    assert not re.search(r"\w://|[\"'(]//", page.text), "an address"
    assert not re.search(r"\s(src|href|srcset)=|url\(|@import", page.text)
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page.text)
    assert policy.startswith("default-src &#39;none&#39;; ")
    assert "unsafe" not in policy


async def test_the_view_can_only_show(connect: Connect) -> None:
    """It has nothing to click that answers, asks its client for nothing, and makes no HTML of what it is sent."""
    async with connect(extensions=RENDERS) as client:
        text = (await read_page(client)).text
    [script] = re.findall(r"<script>(.*)</script>", text, re.S)
    assert not re.search(r"<(button|form|input|a)\b|el\(\"(button|form|input|a)\"", text)
    assert set(re.findall(r'"(?:tools|resources|ui|notifications)/[\w/-]+"', script)) == {
        '"ui/initialize"',
        '"ui/resource-teardown"',
        '"ui/notifications/initialized"',
        '"ui/notifications/size-changed"',
        '"ui/notifications/tool-input"',
        '"ui/notifications/tool-result"',
        '"ui/notifications/tool-cancelled"',
        '"ui/notifications/host-context-changed"',
    }
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|Function\(|fetch\(|XMLHttp|open\("
    )
    assert not re.search(forbidden, script)


@pytest.mark.parametrize("extensions", [None, RENDERS_OTHERS])
async def test_other_clients_see_no_difference(connect: Connect, extensions: Any) -> None:
    async with connect(extensions=extensions) as client:
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources
    assert [tool.name for tool in tools] == [spec.name for spec in TOOLS]
    assert all(tool.meta is None for tool in tools)
    assert [str(item.uri) for item in resources] == ["inventory://hosts"]


async def test_a_plan_is_the_same_result_with_and_without_apps(connect: Connect, steps: list[dict[str, Any]]) -> None:
    async with connect() as client:
        made = data_of(await client.call_tool("plan_changes", {"hosts": "here", "steps": steps}))
    async with connect(extensions=RENDERS) as client:
        again = await client.call_tool("get_plan", {"plan_id": made["plan_id"]})
    assert data_of(again) == made
