"""A client that renders apps, as small as it can be: a page with a sandboxed frame, and messages to and fro."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import TextResourceContents

from intendant.app import App
from intendant.server import build_server

HOST = "https://host.invalid/"
#: what the specification wants of a host when a view names no domain.
HOST_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' data:; connect-src 'none'; frame-src 'self'"
)
HOST_PAGE = """<!doctype html><html lang="en"><title>Host</title>
<style>body { margin: 0 } iframe { border: 0; width: 100%; height: 80px; display: block }</style>
<iframe sandbox="allow-scripts" title="Plan"></iframe>
<script>
const frame = document.querySelector("iframe");
const said = [];
const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  said.push(data);
  if (data.method === "ui/initialize")
    tell({ id: data.id, result: { protocolVersion: "2026-01-26", hostCapabilities: { serverTools: {} },
      hostInfo: { name: "test", version: "1" }, hostContext: window.context } });
  if (data.method === "ui/notifications/size-changed") frame.style.height = `${data.params.height}px`;
});
</script>"""


def call(app: App, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The view itself, then what it is sent: arguments and results of real calls, as they go over the wire."""

    async def run() -> list[dict[str, Any]]:
        async with Client(build_server(app)) as client:
            [page] = (await client.read_resource("ui://intendant/plan")).contents
            assert isinstance(page, TextResourceContents)
            sent: list[dict[str, Any]] = [{"html": page.text}]
            for tool, arguments in calls:
                result = await client.call_tool(tool, arguments)
                sent.append({"arguments": arguments, "result": result.model_dump(by_alias=True, exclude_none=True)})
            return sent

    # This thread has the event loop of Playwright.
    with ThreadPoolExecutor() as pool:
        return pool.submit(anyio.run, run).result()


class View:
    """The view inside of its host."""

    def __init__(self, page: Any, html: str) -> None:
        self.page = page
        page.evaluate("html => { frame.srcdoc = html; }", html)
        self.wait_for("said.some((it) => it.method === 'ui/notifications/initialized')")
        self.frame = page.frames[1]

    def wait_for(self, condition: str) -> None:
        """Until it is true in the host; Playwright's own way is refused by the host's policy."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never: {condition}")

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self.page.evaluate("message => tell(message)", {"method": f"ui/notifications/{method}", "params": params})

    def send(self, sent: dict[str, Any]) -> None:
        """The messages of one call, and the picture that comes of them."""
        self.tell("tool-input", {"arguments": sent["arguments"]})
        self.tell("tool-result", sent["result"])
        self.frame.get_by_text("Waiting for the plan").wait_for(state="detached")

    def picture(self, path: Path) -> None:
        """All of it: what of a frame is outside of the window is not painted."""
        width = self.page.viewport_size["width"]
        self.page.set_viewport_size({"width": width, "height": self.page.evaluate("frame.clientHeight") + 10})
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=path)

    @property
    def text(self) -> str:
        return str(self.frame.locator("body").inner_text())

    @property
    def said(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate("said"))
