"""An MCP client of each era: from the request over the page, by clicks in Chromium, to a real host."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from browser.conftest import launch_chromium
from lab.hosts import LabHost
from mcp_server.harness import MODES, data_of
from mcp_server.test_stdio import server_of
from support.projects import make_project

pytestmark = [pytest.mark.browser, pytest.mark.anyio]


def approve_by_clicking(address: str, screenshot: Path) -> None:
    """What the person does; in a thread of its own, with a browser of its own."""
    with launch_chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        page.get_by_label("Comment").fill("clicked")
        page.get_by_role("button", name="Approve exactly this plan").click()
        page.get_by_text("went as planned").wait_for()
        page.screenshot(path=screenshot, full_page=True)


@pytest.mark.parametrize("mode", MODES)
async def test_from_a_request_to_a_host(
    trixie_host: LabHost, tmp_path: Path, screenshots: Path, mode: str, anyio_backend: str
) -> None:
    settings = '[policy]\napproval_strength = "page"\n'
    project = make_project(tmp_path / "project", {"web1": trixie_host.inventory_vars()}, settings=settings)
    clicks: list[asyncio.Future[None]] = []

    async def open_address(context: Any, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestURLParams)
        picture = screenshots / f"client-{mode}.png"
        click: Callable[[], None] = lambda: approve_by_clicking(params.url, picture)  # noqa: E731
        clicks.append(asyncio.get_running_loop().run_in_executor(None, click))
        return ElicitResult(action="accept")

    transport = stdio_client(server_of(project.directory), errlog=sys.stderr)
    async with Client(transport, mode=mode, elicitation_callback=open_address) as client:
        path = f"/srv/{mode}"
        step = {"intent": "file", "params": {"file_path": path, "file_content": "from the page\n"}}
        plan = data_of(await client.call_tool("plan_changes", {"hosts": "web1", "steps": [step]}))
        while plan["status"] == "planning":
            plan = data_of(await client.call_tool("get_plan", {"plan_id": plan["plan_id"]}))
        assert plan["approval"]["channels"] == ["terminal", "page"]
        run = data_of(await client.call_tool("apply_plan", {"plan_id": plan["plan_id"]}))
        while run["status"] in ("queued", "running"):
            run = data_of(await client.call_tool("get_run", {"run_id": run["run_id"], "wait_seconds": 30}))
        assert (run["status"], run["as_planned"]) == ("succeeded", True)
        await asyncio.gather(*clicks)
        assert len(clicks) == 1
        shown = data_of(await client.call_tool("list_history", {}))
    assert any("through page: clicked" in entry["summary"] for entry in shown["entries"])
    assert trixie_host.run(f"cat {path}").stdout == "from the page\n"
