"""A project whose one role counts on the host how often it ran, and takes its time over it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intendant.app import open_app
from intendant.intents import Step
from intendant.plans import Plan
from intendant.runner.base import TaskResult
from intendant.runner.fake import FakeRunner
from lab.hosts import LabHost
from support.projects import Project, make_project

_COUNTS = "/var/tmp/ticks"
TASKS = ("Count one", "Rest", "Count two", "Settle")
_ROLE = f"""\
- name: Count one
  ansible.builtin.shell: echo one >> {_COUNTS}-{{{{ inventory_hostname }}}}
- name: Rest
  ansible.builtin.command: sleep {{{{ tick_rest }}}}
- name: Count two
  ansible.builtin.shell: echo two >> {_COUNTS}-{{{{ inventory_hostname }}}}
- name: Settle
  ansible.builtin.command: sync --version
"""


def make_ticking(directory: Path, hosts: Mapping[str, LabHost]) -> Project:
    """A project over these hosts, several of which may be names of one."""
    python = {"ansible_python_interpreter": "/usr/bin/python3"}
    variables = {name: {**host.inventory_vars(), **python} for name, host in hosts.items()}
    project = make_project(directory, variables)
    project.write("ansible.cfg", "[defaults]\ninventory = inventory\ngather_subset = !all,!min\n")
    project.write_role("tick", _ROLE, {"tick_rest": {"type": "str", "required": True}})
    return project


def plan_ticks(project: Project, host: str, rest: str = "0.3") -> Plan:
    """A real plan but for its prediction, which is what check mode says of such tasks, said faster."""
    skipped = "Command would have run if not in check mode"
    results = [TaskResult(host, 1, "tick", task, "command", "skipped", message=skipped) for task in TASKS]
    params: dict[str, Any] = {"tick_rest": rest}
    planner = open_app(project.directory, FakeRunner(results)).planner
    return planner.plan_changes(host, [Step(intent="tick", params=params)])


def read_ticks(host: LabHost, name: str) -> list[str]:
    """The counts on a host, in order; two for each full run."""
    return host.run(f"cat {_COUNTS}-{name} 2>/dev/null || true").stdout.split()
