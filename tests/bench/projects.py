"""The project that is measured, and a real client of a real server over it."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from lab.hosts import LabHost
from support.projects import Project, make_project

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {"file_path": "/etc/motd", "file_content": "Measured.\n", "file_mode": "0644"}


def make_bench_project(folder: Path, hosts: Mapping[str, LabHost]) -> Project:
    """A project with a playbook of the same role, and pipelining for both sides."""
    project = make_project(folder, {})
    variables = {name: host.inventory_vars() for name, host in hosts.items()}
    groups: dict[str, Any] = {
        "one": {"hosts": {next(iter(hosts)): {}}},
        "fleet": {"hosts": {name: {} for name in hosts}},
    }
    # Plain YAML, as people write it: it is remembered until it changes.
    project.write("inventory/hosts.yml", yaml.safe_dump({"all": {"hosts": variables, "children": groups}}))
    project.write(
        "ansible.cfg",
        "[defaults]\ninventory = inventory\nforks = 20\n"
        f"roles_path = {ROOT / 'roles'}\nlibrary = {ROOT / 'src/intendant/ansible/modules'}\n"
        "[ssh_connection]\npipelining = true\n",
    )
    play = [{"hosts": "all", "become": True, "roles": [{"role": "file", "vars": PARAMS}]}]
    project.write("bench.yml", json.dumps(play))
    return project


@asynccontextmanager
async def open_client(project: Project) -> AsyncIterator[Client]:
    """A real client of a real `intendant serve`."""
    server = StdioServerParameters(
        command=str(Path(sys.executable).with_name("intendant")),
        args=["--project", str(project.directory), "serve"],
        env=dict(os.environ),
        cwd=project.directory,
    )
    async with Client(stdio_client(server)) as client:
        yield client


def server_memory() -> int:
    """Resident memory of the server processes that this one started, MiB."""
    return sum(
        child.memory_info().rss
        for child in psutil.Process().children()
        if "serve" in child.cmdline()
    ) // 2**20  # fmt: skip
