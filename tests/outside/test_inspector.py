"""The MCP inspector's command line, over stdio."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intendant.tools.table import TOOLS

pytestmark = pytest.mark.outside

Inspect = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def inspect(npm_programs: Path, project: Path, environment: dict[str, str]) -> Inspect:
    """Runs one method of the inspector against `intendant serve`."""

    def run(method: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        state = f"INTENDANT_STATE_DIR={environment['INTENDANT_STATE_DIR']}"
        server = ["intendant", "--project", str(project), "serve"]
        command = [str(npm_programs / "mcp-inspector"), "--cli", *server, "-e", state, "--method", method, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def read(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_it_lists_every_tool(inspect: Inspect) -> None:
    listed = read(inspect("tools/list"))
    assert [tool["name"] for tool in listed["tools"]] == [spec.name for spec in TOOLS]


def test_it_calls_a_tool_and_gets_structured_content(inspect: Inspect) -> None:
    found = read(inspect("tools/call", "--tool-name", "describe_intent", "--tool-arg", "name=python"))
    assert found["structuredContent"]["name"] == "python"


def test_it_is_told_of_an_argument_that_does_not_exist(inspect: Inspect) -> None:
    done = inspect("tools/call", "--tool-name", "list_hosts", "--tool-arg", "patern=all")
    assert "patern" in done.stdout + done.stderr


def test_it_reads_a_resource(inspect: Inspect) -> None:
    found = read(inspect("resources/read", "--uri", "intent://python"))
    assert json.loads(found["contents"][0]["text"])["name"] == "python"


def test_it_lists_the_prompts(inspect: Inspect) -> None:
    listed = read(inspect("prompts/list"))
    assert {prompt["name"] for prompt in listed["prompts"]} == {"provision_server", "review_plan"}
