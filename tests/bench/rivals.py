"""What Intendant is measured beside, on the same hosts with the same keys."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench.projects import ROOT
from lab.commands import run_tool
from lab.hosts import LabHost
from support.projects import Project

SSH = "ssh, warm"
ANSIBLE = "ansible -m raw"
SSH_MCP = "ssh-mcp 2.11.0"


async def warm_ssh(host: LabHost, sockets: Path, command: str) -> None:
    """The command over OpenSSH's shared connection, which the first one opens."""
    options = ("ControlMaster=auto", f"ControlPath={sockets / '%C'}", "ControlPersist=60")
    await _run(*host.ssh_command(user=host.user, options=options), command)


async def run_raw(project: Project, group: str, command: str) -> None:
    """The command by `ansible -m raw`, a process for each."""
    program = str(Path(sys.executable).with_name("ansible"))
    await _run(program, group, "-m", "raw", "-a", command, folder=project.directory)


def find_ssh_mcp() -> Path | None:
    """Where `make bench` installed it, if it could."""
    script = ROOT / ".cache/ssh-mcp/node_modules/ssh-mcp/build/index.js"
    return script if script.is_file() and Path(sys.executable).with_name("node").exists() else None


@asynccontextmanager
async def open_ssh_mcp(script: Path, host: LabHost, folder: Path) -> AsyncIterator[Client]:
    """A client of ssh-mcp over stdio; its own settings lie in ``folder``, and it checks the host's key."""
    settings = _write_settings(host, folder)
    server = StdioServerParameters(
        command=str(Path(sys.executable).with_name("node")),
        args=[str(script), f"--config={settings}"],
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        cwd=folder,
    )
    async with Client(stdio_client(server)) as client:
        yield client


def _write_settings(host: LabHost, folder: Path) -> Path:
    fingerprint = run_tool(["ssh-keygen", "-lf", str(host.known_hosts)]).stdout.split()[1]
    profile = {
        "name": "bench", "host": host.address, "port": host.port, "user": host.user, "auth": "key",
        "keyRef": str(host.key), "role": "admin", "trustedHostKey": fingerprint,
    }  # fmt: skip
    # A JSON scalar is a TOML scalar too.
    lines = ["[defaults]", 'defaultProfile = "bench"', "", "[[profiles]]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in profile.items()]
    folder.mkdir(mode=0o700)
    settings = folder / "config.toml"
    settings.touch(mode=0o600)
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings


async def _run(*command: str, folder: Path | None = None) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
