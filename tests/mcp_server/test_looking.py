"""tail_log and host_facts over stdio, on this machine as the host."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from mcp_server.harness import data_of, error_of, make_inventory
from mcp_server.test_stdio import server_of

pytestmark = pytest.mark.anyio


async def test_the_end_of_a_log_is_shown_and_the_rest_can_be_read(project: Path, mode: str, tmp_path: Path) -> None:
    log = tmp_path / "my log"
    log.write_text("".join(f"{number} {'x' * 50} token=abcdefgh\n" for number in range(1500)))
    async with Client(stdio_client(server_of(project)), mode=mode) as client:
        call = {"hosts": "here", "path": str(log)}
        found = data_of(await client.call_tool("tail_log", {**call, "lines": 2}))
        [group] = found["groups"]
        assert group["text"] == "".join(f"{number} {'x' * 50} token=(sensitive)\n" for number in (1498, 1499))
        assert "output_id" not in found

        found = data_of(await client.call_tool("tail_log", {**call, "lines": 1000, "grep": "^1"}))
        [group] = found["groups"]
        assert group["text"].endswith(f"1499 {'x' * 50} token=(sensitive)\n")
        assert group["truncated"] > 0
        assert len(json.dumps(found)) < 20_000
        page = data_of(await client.call_tool("get_output", {"output_id": found["output_id"], "host": "here"}))
        assert page["text"].startswith("1")

        assert "1000" in error_of(await client.call_tool("tail_log", {**call, "lines": 1001}))
        assert "give one of them" in error_of(await client.call_tool("tail_log", {"hosts": "here"}))
        assert "absolute" in error_of(await client.call_tool("tail_log", {"hosts": "here", "path": "a"}))


async def test_facts_are_rows_with_an_age(project: Path, mode: str) -> None:
    async with Client(stdio_client(server_of(project)), mode=mode) as client:
        call: dict[str, Any] = {"hosts": "here", "topics": ["system", "users"]}
        [host] = data_of(await client.call_tool("host_facts", call))["hosts"]
        system, users = host["topics"]
        assert (system["topic"], system["total"]) == ("system", 1)
        assert system["rows"][0]["cpus"] >= 1
        assert "root" in {row["name"] for row in users["rows"]}
        later = data_of(await client.call_tool("host_facts", call))["hosts"][0]["topics"][0]
        assert later["rows"] == system["rows"]
        assert later["age_seconds"] >= system["age_seconds"]
        assert "packages" in error_of(await client.call_tool("host_facts", {**call, "topics": ["package"]}))


async def test_packages_are_paged_for_one_host_and_found_among_many(project: Path) -> None:
    async with Client(stdio_client(server_of(project))) as client:
        names: list[str] = []
        cursor = ""
        while True:
            found = data_of(
                await client.call_tool("host_facts", {"hosts": "here", "topics": ["packages"], "cursor": cursor})
            )
            assert len(json.dumps(found)) < 9_000
            [topic] = found["hosts"][0]["topics"]
            names += [row["name"] for row in topic["rows"]]
            cursor = found.get("next_cursor", "")
            if not cursor:
                break
        assert len(names) == topic["total"]
        assert names == sorted(names)
        (project / "inventory" / "hosts.yml").write_text(make_inventory([f"here{number}" for number in range(45)]))
        call = {"hosts": "all", "topics": ["packages"], "match": names[0]}
        first = data_of(await client.call_tool("host_facts", call))
        assert len(first["hosts"]) == 40
        assert {host["topics"][0]["rows"][0]["name"] for host in first["hosts"]} == {names[0]}
        rest = data_of(await client.call_tool("host_facts", {**call, "cursor": first["next_cursor"]}))
        assert len(rest["hosts"]) == 5
        assert "next_cursor" not in rest
        assert "cursor" in error_of(await client.call_tool("host_facts", {**call, "cursor": "1."}))
