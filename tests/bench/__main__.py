"""`make bench`: prints a table and writes build/bench.json."""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from rich.console import Console
from rich.table import Table

from bench.measure import time_pairs
from lab.hosts import LabHost
from lab.labs import Lab
from lab.needs import missing
from support.projects import Project, make_project

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {"file_path": "/etc/motd", "file_content": "Measured.\n", "file_mode": "0644"}


def main() -> int:
    """Boot hosts, measure, print and write."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of each pair")
    parser.add_argument("--hosts", type=int, default=20, help="hosts of the fleet")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    if reasons := missing():
        print("No lab hosts here: " + "; ".join(reasons), file=sys.stderr)
        return 1
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        names = [f"bench{number:02}" for number in range(1, arguments.hosts + 1)]
        hosts = lab.boot_many(dict.fromkeys(names, "trixie"))
        project = make_bench_project(Path(folder), hosts)
        results = asyncio.run(measure(project, arguments.rounds, len(hosts)))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print_table(results)
    return 0


def make_bench_project(folder: Path, hosts: Mapping[str, LabHost]) -> Project:
    """A project with a playbook of the same role, and pipelining for both sides."""
    first = next(iter(hosts))
    variables = {name: host.inventory_vars() for name, host in hosts.items()}
    project = make_project(folder, variables, groups={"one": [first], "fleet": list(hosts)})
    project.write(
        "ansible.cfg",
        "[defaults]\ninventory = inventory\nforks = 20\n"
        f"roles_path = {ROOT / 'roles'}\nlibrary = {ROOT / 'src/intendant/ansible/modules'}\n"
        "[ssh_connection]\npipelining = true\n",
    )
    play = [{"hosts": "all", "become": True, "roles": [{"role": "file", "vars": PARAMS}]}]
    project.write("bench.yml", json.dumps(play))
    return project


async def measure(project: Project, rounds: int, fleet: int) -> dict[str, Any]:
    """Every figure of the table."""
    results: dict[str, Any] = {"machine": f"{platform.machine()}, {os.cpu_count()} processors", "rounds": rounds}
    starts, memory = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        async with open_client(project) as client:
            await client.list_tools()
            starts.append(time.perf_counter() - began)
            memory = server_memory()
    results["start_to_tools_list"] = {"seconds": [round(value, 3) for value in starts]}
    results["start_to_tools_list"]["median"] = round(statistics.median(starts), 3)
    results["server_memory_mib"] = {"after_tools_list": memory}
    async with open_client(project) as client:
        for group, count in (("one", 1), ("fleet", fleet)):
            answer: dict[str, Any] = {}
            output = ""

            async def plan(group: str = group) -> None:
                nonlocal answer
                steps = [{"intent": "file", "params": PARAMS}]
                result = await client.call_tool("plan_changes", {"hosts": group, "steps": steps})
                assert not result.is_error, result.content
                answer = result.model_dump(mode="json", by_alias=True, exclude_none=True)

            async def bare(group: str = group) -> None:
                nonlocal output
                output = await run_playbook(project, group)

            pairs = await time_pairs(plan, bare, rounds)
            results[f"plan_on_{count}"] = {
                **pairs.as_json(),
                "result_bytes": len(json.dumps(answer)),
                "ansible_bytes": len(output.encode()),
            }
        results["server_memory_mib"]["after_plans"] = server_memory()
    return results


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


async def run_playbook(project: Project, group: str) -> str:
    """Bare ansible-playbook in check mode; its output."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ansible-playbook")),
        *("--check", "--diff", "--limit", group, "bench.yml"),
        cwd=project.directory,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def server_memory() -> int:
    """Resident memory of the server processes that this one started, MiB."""
    return sum(
        child.memory_info().rss
        for child in psutil.Process().children()
        if "serve" in child.cmdline()
    ) // 2**20  # fmt: skip


def print_table(results: Mapping[str, Any]) -> None:
    """The figures for people."""
    table = Table(title=f"Intendant beside ansible-playbook --check --diff ({results['machine']})")
    for column in ("figure", "Intendant", "ansible-playbook", "ratio"):
        table.add_column(column)
    for name, figure in results.items():
        if name.startswith("plan_on_"):
            hosts = name.removeprefix("plan_on_")
            row = (f"{figure['a_median']} s", f"{figure['b_median']} s", str(figure["ratio"]))
            table.add_row(f"plan_changes on {hosts} host(s), median", *row)
            ratio = figure["result_bytes"] / figure["ansible_bytes"]
            sizes = (f"{figure['result_bytes']} bytes", f"{figure['ansible_bytes']} bytes", f"{ratio:.2f}")
            table.add_row(f"what the caller reads for {hosts} host(s)", *sizes)
    table.add_row("server start to first tools/list, median", f"{results['start_to_tools_list']['median']} s", "", "")
    for moment, size in results["server_memory_mib"].items():
        table.add_row(f"memory of the server {moment.replace('_', ' ')}", f"{size} MiB", "", "")
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
