"""run_command and get_output over stdio, on this machine as the host."""

from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from mcp_server.harness import data_of, error_of, text_of
from mcp_server.test_stdio import server_of

pytestmark = pytest.mark.anyio


async def test_a_command_that_reads_is_run_and_any_other_is_not(project: Path, mode: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    async with Client(stdio_client(server_of(project)), mode=mode) as client:
        call = {"hosts": "here", "command": "uname -s; ls /no/such/place"}
        result = await client.call_tool("run_command", call)
        found = data_of(result)
        assert (found["executed"], found["class"]) == (True, "read")
        [group] = found["groups"]
        assert group["hosts"] == ["here"]
        assert group["stdout"] == "Linux\n"
        assert "/no/such/place" in group["stderr"]
        assert group["exit_code"] == 2
        assert "  | Linux" in text_of(result)
        assert text_of(await client.call_tool("run_command", {**call, "response_format": "json"})).startswith("{")

        refused = data_of(await client.call_tool("run_command", {"hosts": "here", "command": f"touch {target}"}))
        assert (refused["executed"], refused["groups"]) == (False, [])
        assert "touch" in refused["reason"]
        assert not target.exists()
        plan = data_of(await client.call_tool("get_plan", {"plan_id": refused["plan_id"]}))
        [change] = plan["groups"][0]["changes"]
        assert (change["action"], f"+touch {target}" in change["diff"], plan["complete"]) == ("run", True, False)
        await client.call_tool("apply_plan", {"plan_id": refused["plan_id"]})
        assert not target.exists(), "it ran without approval"

        assert "600" in error_of(await client.call_tool("run_command", {**call, "timeout": 601}))
        assert "empty" in error_of(await client.call_tool("run_command", {"hosts": "here", "command": " "}))
        assert "web9" in error_of(await client.call_tool("run_command", {**call, "hosts": "web9"}))


async def test_a_command_that_an_intent_does_as_well_is_planned_as_that(
    project: Path, mode: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("still there\n")
    async with Client(stdio_client(server_of(project)), mode=mode) as client:
        offered = data_of(await client.call_tool("run_command", {"hosts": "here", "command": f"rm -f {target}"}))
        assert (offered["executed"], offered["class"], offered["groups"]) == (False, "change", [])
        assert offered["equivalent"] == f"file file_path={target} file_state=absent"
        assert f"apply_plan(plan_id='{offered['plan_id']}')" in offered["next"]
        plan = data_of(await client.call_tool("get_plan", {"plan_id": offered["plan_id"]}))
        [change] = plan["groups"][0]["changes"]
        assert (change["action"], "-still there" in change["diff"], plan["complete"]) == ("delete", True, True)
        await client.call_tool("apply_plan", {"plan_id": offered["plan_id"]})
        assert target.exists(), "it ran without approval"


async def test_the_rest_of_a_long_output_can_be_read_page_by_page(project: Path) -> None:
    async with Client(stdio_client(server_of(project))) as client:
        found = data_of(await client.call_tool("run_command", {"hosts": "here", "command": "seq 20000"}))
        [group] = found["groups"]
        whole = "".join(f"{number}\n" for number in range(1, 20001))
        assert group["stdout"].startswith("1\n2\n")
        assert group["stdout"].endswith("\n20000\n")
        assert group["truncated"]["stdout"] > 60_000
        cursor, text = "", ""
        while True:
            page = data_of(
                await client.call_tool(
                    "get_output", {"output_id": found["output_id"], "host": "here", "cursor": cursor}
                )
            )
            text += page["text"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert text == whole
        gone = await client.call_tool("get_output", {"output_id": "command-000000000000", "host": "here"})
        assert "kept for a day" in error_of(gone)
