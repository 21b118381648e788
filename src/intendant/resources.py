"""MCP resources: what the tools show, by address."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from pydantic import BaseModel

from intendant.errors import InputError, IntendantError
from intendant.tools.plans import read_state
from intendant.tools.state import ServerState, run_short
from intendant.views.json import build_hosts, build_intent, build_run, to_json
from intendant.views.pages import build_plan

if TYPE_CHECKING:
    from intendant.app import App

_JSON = "application/json"


def add_resources(server: MCPServer[ServerState], state: ServerState) -> None:
    """Offer inventory, intents, plans and runs; reading them asks no host."""

    @server.resource(
        "inventory://hosts", title="Hosts", description="The inventory's hosts and groups.", mime_type=_JSON
    )
    async def hosts() -> str:
        return await _read(state, lambda app: build_hosts(app.inventory.read(), app.store.last_runs()))

    @server.resource("intent://{name}", title="Intent", description="One intent and its params.", mime_type=_JSON)
    async def intent(name: str) -> str:
        def read(app: "App") -> BaseModel:
            found = app.catalog.get(name)
            return build_intent(found, app.catalog.json_schema(found))

        return await _read(state, read)

    @server.resource("plan://{id}", title="Plan", description="A plan, shortened as get_plan does.", mime_type=_JSON)
    async def plan(id: str) -> str:  # noqa: A002 (the address is a public contract)
        def read(app: "App") -> BaseModel:
            found = app.store.get_plan(id)
            status, approval = read_state(app, found)
            return build_plan(found, status, approval=approval)

        return await _read(state, read)

    @server.resource("run://{id}", title="Run", description="A run as of now.", mime_type=_JSON)
    async def run(id: str) -> str:  # noqa: A002
        return await _read(state, lambda app: build_run(app.applier.wait_run(id)))


async def _read(state: ServerState, build: "Callable[[App], BaseModel]") -> str:
    try:
        return json.dumps(to_json(await run_short(lambda: build(state.get_app()))), ensure_ascii=False)
    except InputError as error:
        raise ResourceNotFoundError(str(error)) from error
    except IntendantError as error:
        raise ResourceError(str(error)) from error
