"""Small real projects for tests: an ansible.cfg, an inventory of lab hosts, and settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from intendant.app import App, open_app
from intendant.intents import Step
from intendant.plans import HostPlan, Plan
from intendant.runs import HostRun, Run

APPROVED_BY_POLICY = '[policy]\napproval = "never"\n'


@dataclass(frozen=True)
class Project:
    """One project folder with a state folder beside it."""

    directory: Path

    def open(self) -> App:
        """A fresh App, as a new process would have it."""
        return open_app(self.directory)

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_role(self, name: str, tasks: str, options: Mapping[str, Any] | None = None, defaults: str = "") -> Path:
        """A role of the project's own; it is an intent because it has an argument specification."""
        specification = {"argument_specs": {"main": {"short_description": name, "options": dict(options or {})}}}
        self.write(f"roles/{name}/meta/argument_specs.yml", yaml.safe_dump(specification))
        if defaults:
            self.write(f"roles/{name}/defaults/main.yml", defaults)
        return self.write(f"roles/{name}/tasks/main.yml", tasks)

    def set_inventory(
        self, hosts: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Write the inventory: variables by host, and host names by group."""
        children: dict[str, object] = {
            name: {"hosts": {host: {} for host in members}} for name, members in (groups or {}).items()
        }
        document = {"all": {"hosts": {name: dict(values) for name, values in hosts.items()}, "children": children}}
        self.write("inventory/hosts.yml", json.dumps(document, indent=1))


def make_project(
    directory: Path,
    hosts: Mapping[str, Mapping[str, Any]],
    *,
    settings: str = APPROVED_BY_POLICY,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Project:
    """A project over these hosts (variables by name; for lab hosts ``{"web1": host.inventory_vars()}``)."""
    project = Project(directory)
    # A patient connection: other tests may keep the machine busy.
    project.write("ansible.cfg", "[defaults]\ninventory = inventory\ntimeout = 60\n")
    project.write("intendant.toml", f'state_dir = "state"\n{settings}')
    project.set_inventory(hosts, groups)
    return project


def plan(app: App, hosts: str, *steps: tuple[str, Mapping[str, Any]]) -> Plan:
    """Plan steps given as (intent, params)."""
    return app.planner.plan_changes(hosts, [Step(intent=intent, params=dict(params)) for intent, params in steps])


def apply(app: App, plan_id: str, wait_seconds: float = 300) -> Run:
    """Apply a plan and wait for its end."""
    run = app.applier.apply_plan(plan_id, wait_seconds=wait_seconds)
    assert run.finished, f"{run.id} is still {run.status} after {wait_seconds} s"
    return run


def only_plan(plan_: Plan) -> HostPlan:
    assert len(plan_.hosts) == 1
    return plan_.hosts[0]


def only_run(run: Run) -> HostRun:
    assert len(run.hosts) == 1
    return run.hosts[0]
