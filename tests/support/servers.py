"""Processes that apply a plan and can be killed while they do: Intendant used as a library, and its MCP server."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_LIBRARY = """
import sys
from pathlib import Path
from intendant.app import open_app
app = open_app(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
app.applier.apply_plan(sys.argv[2], wait_seconds=60)
print("done", flush=True)
"""
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "killer", "version": "1"}}


class Server:
    """A process that is ready to apply one plan, the leader of a session and group of its own."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def apply(self) -> None:
        """Ask it to apply, and do not wait."""
        self.write("go")

    def await_end(self) -> None:
        """Wait until it says that the run has ended."""
        assert self.read() == "done"

    def kill(self) -> None:
        """SIGKILL to it and to everything in its process group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().decode().strip()


class LibraryServer(Server):
    """A plain Python process."""

    def __init__(self, project: Path, plan_id: str) -> None:
        super().__init__([sys.executable, "-c", _LIBRARY, str(project), plan_id])
        assert self.read() == "ready"


class McpServer(Server):
    """`intendant serve`, spoken to over stdio as a client of the handshake era does."""

    def __init__(self, project: Path, plan_id: str) -> None:
        program = Path(sys.executable).parent / "intendant"
        super().__init__([str(program), "--project", str(project), "serve"])
        self._plan_id = plan_id
        self._send(1, "initialize", _HELLO)
        self._answer(1)
        self._send(None, "notifications/initialized", {})

    def apply(self) -> None:
        arguments = {"plan_id": self._plan_id, "wait_seconds": 45}
        self._send(2, "tools/call", {"name": "apply_plan", "arguments": arguments})

    def await_end(self) -> None:
        result = self._answer(2)["result"]
        assert result["structuredContent"]["status"] == "succeeded", result

    def _send(self, identity: int | None, method: str, params: dict[str, Any]) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.write(json.dumps(message if identity is None else {**message, "id": identity}))

    def _answer(self, identity: int) -> dict[str, Any]:
        while line := self.read():
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == identity:
                return message
        raise AssertionError("the server ended without an answer")
