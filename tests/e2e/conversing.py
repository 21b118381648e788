"""One conversation: what a model calls over stdio, and the person who is asked."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import ElicitRequestParams, ElicitResult

from mcp_server.harness import data_of, error_of

COMMAND = str(Path(sys.executable).with_name("intendant"))


@dataclass
class Person:
    """Says yes or no to what the client asks, and remembers what was asked."""

    answers: bool = True
    asked: list[str] = field(default_factory=list)

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": self.answers, "comment": ""})


@dataclass
class Conversation:
    """The model's side: every call gives the structured result, or the text of the error."""

    client: Client
    person: Person

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """A call that has to go well."""
        return data_of(await self.client.call_tool(tool, arguments))

    async def fail(self, tool: str, **arguments: Any) -> str:
        """A call that has to be refused; what the model reads then."""
        return error_of(await self.client.call_tool(tool, arguments))

    async def plan(self, hosts: str, *steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """A plan of steps, to its end."""
        planned = await self.call(
            "plan_changes", hosts=hosts, steps=[{"intent": intent, "params": params} for intent, params in steps]
        )
        while planned["status"] == "planning":
            planned = await self.call("get_plan", plan_id=planned["plan_id"])
        return planned

    async def apply(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Apply a plan and follow its run to the end."""
        run = await self.call("apply_plan", plan_id=plan["plan_id"], wait_seconds=45)
        while run["status"] in ("queued", "running"):
            run = await self.call("get_run", run_id=run["run_id"], wait_seconds=45)
        return run

    async def look(self, hosts: str, command: str, **more: Any) -> str:
        """What a command that reads prints."""
        found = await self.call("run_command", hosts=hosts, command=command, **more)
        assert found["executed"], found
        return "".join(str(group["stdout"]) for group in found["groups"])


def diffs_of(plan: dict[str, Any]) -> str:
    """All diffs of a plan, one after the other."""
    return "\n".join(change["diff"] for group in plan["groups"] for change in group["changes"])


@asynccontextmanager
async def converse(project: Path, mode: str) -> AsyncIterator[Conversation]:
    """A client of the given era on a real `intendant serve`."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("XDG_")}
    server = StdioServerParameters(
        command=COMMAND, args=["--project", str(project), "serve"], env=environment, cwd=str(project)
    )
    person = Person()
    async with Client(stdio_client(server), mode=mode, elicitation_callback=person) as client:
        yield Conversation(client, person)
