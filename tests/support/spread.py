"""Many params in one Ansible run: each step of a plan goes to a host of its own instead of all steps to all hosts.

A plan tries its steps one after the other and leaves a host at its first failure, so hundreds of values that fail,
each by itself, would take hundreds of plans. Everything but the order of the plays is as ever: validation, encoding,
snapshot, the roles, ansible-playbook with its callback, and what is kept of the results.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from intendant.app import App, open_app
from intendant.config import load_config
from intendant.runner.ansible import AnsibleRunner
from intendant.runner.base import Job, Outcome, Runner, TaskResult
from intendant.secrets import SecretBox
from intendant.snapshot import STEPS_VARIABLE

#: inventory variable of each host: the number of its step, from 0
CASE = "case_number"
#: a host without such a number, in every play: Ansible ends when all hosts of a play have failed
BYSTANDER = "bystander"


class SpreadingRunner:
    """Runs step number N of a job on those hosts alone whose variable ``case_number`` is N."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(
        self,
        job: Job,
        on_result: Callable[[TaskResult], None],
        on_task: Callable[[int, str], None],
        should_cancel: Callable[[], bool],
    ) -> Outcome:
        """See ``Runner.run``."""
        with tempfile.TemporaryDirectory(prefix="spread-") as folder:
            directory = Path(folder) / "snapshot"
            shutil.copytree(job.directory, directory)
            playbook = directory / "playbook.yml"
            plays = spread_plays(yaml.safe_load(playbook.read_text(encoding="utf-8")), job.hosts)
            playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
            return self._runner.run(replace(job, directory=directory), on_result, on_task, should_cancel)


def spread_plays(plays: list[dict[str, Any]], hosts: tuple[str, ...]) -> list[dict[str, Any]]:
    """One play for each role, for the hosts whose cases are about it, with params looked up by the host's number."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for play in plays:
        if not play.get("roles"):
            continue  # the gathering of facts: roles that need some gather them
        [entry] = play["roles"]
        step = int(play["name"]) - 1
        key = (entry["role"], *sorted(entry["vars"]))
        if key not in found:
            values = {name: f"{{{{ {STEPS_VARIABLE}[{CASE}][{name!r}] }}}}" for name in entry["vars"]}
            role = {"role": entry["role"], "vars": values, "when": f"{CASE} is defined"}
            found[key] = {**play, "name": str(len(found) + 1), "hosts": [BYSTANDER], "roles": [role]}
        found[key]["hosts"] += [host for host in (case_host(step),) if host in hosts]
    return list(found.values())


def case_host(step: int) -> str:
    """The name of the host that gets a step, counted from 0."""
    return f"case{step:04}"


def open_spread(directory: Path) -> App:
    """The application over a project, with its steps spread."""
    config = load_config(directory)
    config.state_dir.mkdir(parents=True, exist_ok=True)
    return open_app(directory, SpreadingRunner(AnsibleRunner(config, SecretBox(config.state_dir).key_file)))
