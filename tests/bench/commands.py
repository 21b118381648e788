"""One read command: run_command by a real client over stdio, beside what people use instead."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from mcp import Client

from bench.measure import Action, time_in_turn
from bench.projects import open_client
from bench.rivals import ANSIBLE, SSH, SSH_MCP, find_ssh_mcp, open_ssh_mcp, run_raw, warm_ssh
from lab.hosts import LabHost
from support.projects import Project

COMMAND = "uptime -p"


async def measure_commands(project: Project, folder: Path, hosts: Mapping[str, LabHost], rounds: int) -> dict[str, Any]:
    """The same command on one host by each contestant, and on all hosts at once beside parallel ssh."""
    first = next(iter(hosts.values()))
    results: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(project))
        sockets = folder / "sockets"
        sockets.mkdir(mode=0o700)

        async def intendant() -> None:
            await _run(client, "one", 1)

        async def ssh() -> None:
            await warm_ssh(first, sockets, COMMAND)

        async def raw() -> None:
            await run_raw(project, "one", COMMAND)

        actions: dict[str, Action] = {"intendant": intendant, SSH: ssh, ANSIBLE: raw}
        if program := find_ssh_mcp():
            other = await stack.enter_async_context(open_ssh_mcp(program, first, folder / "ssh-mcp"))

            async def ssh_mcp() -> None:
                result = await other.call_tool("read-command", {"command": COMMAND})
                assert not result.is_error, result.content

            actions[SSH_MCP] = ssh_mcp
        else:
            results["ssh_mcp_missing"] = f"{SSH_MCP} is not installed (npm was not reached); it is left out"
        results["command_on_1"] = (await time_in_turn(actions, rounds)).as_json("intendant")

        async def fleet() -> None:
            await _run(client, "fleet", len(hosts))

        async def parallel() -> None:
            await asyncio.gather(*(warm_ssh(host, sockets, COMMAND) for host in hosts.values()))

        turns = await time_in_turn({"intendant": fleet, SSH: parallel}, rounds)
        results[f"command_on_{len(hosts)}"] = turns.as_json("intendant")
    return results


async def _run(client: Client, group: str, count: int) -> None:
    result = await client.call_tool("run_command", {"hosts": group, "command": COMMAND})
    assert not result.is_error, result.content
    groups = (result.structured_content or {})["groups"]
    assert [found["exit_code"] for found in groups] == [0] * len(groups), groups
    assert sum(len(found["hosts"]) for found in groups) == count
