"""Planning beside bare ansible-playbook in check mode."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.measure import time_in_turn
from bench.projects import PARAMS, open_client, server_memory
from support.projects import Project

BARE = "ansible-playbook"


async def measure_plans(project: Project, rounds: int, fleet: int) -> dict[str, Any]:
    """Plans for one host and for all, and the memory that the server then holds."""
    results: dict[str, Any] = {}
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
                output = await _run_playbook(project, group)

            turns = await time_in_turn({"intendant": plan, BARE: bare}, rounds)
            results[f"plan_on_{count}"] = {
                **turns.as_json("intendant"),
                "result_bytes": len(json.dumps(answer)),
                "ansible_bytes": len(output.encode()),
            }
        results["server_memory_mib"] = {"after_plans": server_memory()}
    return results


async def _run_playbook(project: Project, group: str) -> str:
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
