"""`make bench`: prints a table and writes build/bench.json."""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.commands import measure_commands
from bench.plans import measure_plans
from bench.projects import ROOT, make_bench_project
from bench.starts import measure_starts
from bench.table import print_table
from lab.hosts import LabHost
from lab.labs import Lab
from lab.needs import missing

# Commands take a fraction of a second each: more rounds cost little and even out the noise.
_COMMAND_ROUNDS = 6


def main() -> int:
    """Boot hosts, measure, print and write."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument(
        "--rounds", type=int, default=5, help="counted rounds of plans; commands have six times as many"
    )
    parser.add_argument("--hosts", type=int, default=20, help="hosts of the fleet")
    parser.add_argument("--only", choices=("plans", "commands"), help="measure only these")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    if reasons := missing():
        print("No lab hosts here: " + "; ".join(reasons), file=sys.stderr)
        return 1
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        names = [f"bench{number:02}" for number in range(1, arguments.hosts + 1)]
        hosts = lab.boot_many(dict.fromkeys(names, "trixie"))
        results = asyncio.run(measure(Path(folder), hosts, arguments.rounds, arguments.only))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print_table(results)
    return 0


async def measure(folder: Path, hosts: Mapping[str, LabHost], rounds: int, only: str | None) -> dict[str, Any]:
    """Every figure of the table."""
    project = make_bench_project(folder / "project", hosts)
    results: dict[str, Any] = {"machine": f"{platform.machine()}, {os.cpu_count()} processors", "rounds": rounds}
    if only != "plans":
        results |= await measure_commands(project, folder, hosts, rounds * _COMMAND_ROUNDS)
    if only != "commands":
        starts = await measure_starts(project, rounds)
        plans = await measure_plans(project, rounds, len(hosts))
        memory = starts["server_memory_mib"] | plans["server_memory_mib"]
        results |= starts | plans | {"server_memory_mib": memory}
    return results


if __name__ == "__main__":
    raise SystemExit(main())
