"""How long a server takes to its first `tools/list`, beside a bare one of the SDK, and the memory it then holds."""

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench.measure import Turns
from bench.projects import open_client, server_memory
from support.projects import Project

BARE = "a bare server of the SDK"


async def measure_starts(project: Project, rounds: int) -> dict[str, Any]:
    """Starts of both in turn, after one round that is not counted, and the memory of ours. Their ends are not timed."""
    seconds: dict[str, list[float]] = {"intendant": [], BARE: []}
    memory = 0
    for number in range(rounds + 1):
        for name, times in seconds.items():
            began = time.perf_counter()
            async with open_client(project) if name == "intendant" else _open_bare(project) as client:
                await client.list_tools()
                if number:
                    times.append(time.perf_counter() - began)
                if name == "intendant":
                    memory = server_memory()
    turns = Turns({name: tuple(times) for name, times in seconds.items()})
    return {"start_to_tools_list": turns.as_json("intendant"), "server_memory_mib": {"after_tools_list": memory}}


@asynccontextmanager
async def _open_bare(project: Project) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable,
        args=[str(Path(__file__).with_name("bare_server.py"))],
        env=dict(os.environ),
        cwd=project.directory,
    )
    async with Client(stdio_client(server)) as client:
        yield client
