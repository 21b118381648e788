"""list_files, read_file and download_file over stdio, on this machine as the host."""

from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from mcp_server.harness import data_of, error_of
from mcp_server.test_stdio import server_of

pytestmark = pytest.mark.anyio


async def test_files_are_listed_read_and_saved(project: Path, mode: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(120):
        (folder / f"{number:03}").write_text(f"token = secret-{number}\n")
    text = folder / "text"
    text.write_text("one\ntwo\npassword: hunter2hunter2\n")
    text.chmod(0o640)
    async with Client(stdio_client(server_of(project)), mode=mode) as client:
        listed = data_of(await client.call_tool("list_files", {"host": "here", "path": str(folder)}))
        assert (len(listed["entries"]), listed["total"], listed["next_cursor"]) == (100, 121, "100")
        rest = data_of(
            await client.call_tool("list_files", {"host": "here", "path": str(folder), "cursor": listed["next_cursor"]})
        )
        assert rest["next_cursor"] == ""
        entry = rest["entries"][-1]
        assert (entry["name"], entry["type"], entry["mode"], entry["size"]) == ("text", "file", "0640", 33)
        assert "target" not in entry

        call = {"host": "here", "path": str(text)}
        page = data_of(await client.call_tool("read_file", {**call, "limit": 5}))
        assert (page["content"], page["encoding"], page["offset"], page["next_offset"]) == ("one\nt", "text", 0, 5)
        page = data_of(await client.call_tool("read_file", {**call, "offset": 5}))
        assert (page["content"], page["next_offset"]) == ("wo\npassword: (sensitive)\n", None)
        assert page["mode"] == "0640"

        saved = data_of(await client.call_tool("download_file", {**call, "name": "here/text"}))
        assert saved["saved"] == "downloads/here/text"
        assert (project / saved["saved"]).read_text() == text.read_text()
        assert "overwrite" in error_of(await client.call_tool("download_file", {**call, "name": "here/text"}))
        data_of(await client.call_tool("download_file", {**call, "name": "here/text", "overwrite": True}))

        assert "name: " in error_of(await client.call_tool("download_file", {**call, "name": "../intendant.toml"}))
        assert "absolute" in error_of(await client.call_tool("read_file", {"host": "here", "path": "text"}))
        assert "100000" in error_of(await client.call_tool("read_file", {**call, "limit": 100_001}))
        assert "run_command" in error_of(await client.call_tool("read_file", {"host": "here", "path": "/proc/version"}))
        assert "No such file" in error_of(await client.call_tool("list_files", {"host": "here", "path": "/no/such"}))
        assert "web9" in error_of(await client.call_tool("read_file", {**call, "host": "web9"}))
