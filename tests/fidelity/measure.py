"""One parameter set on fresh hosts: check, apply, check again, undo; whatever is not as predicted is a problem."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from fidelity.cases import ParameterSet, RoleCases, Steps
from intendant.app import App
from intendant.plans import HostPlan, Plan
from intendant.runs import Run
from intendant.views.text import prediction_lines
from lab.hosts import LabHost
from lab.labs import Lab
from roles.running import Result, run_roles
from support.host_state import compare_states, read_state
from support.projects import apply, make_project, plan


@dataclass
class Measured:
    """What came out for one role and set on one suite. ``problems`` is empty when all was as predicted."""

    role: str
    set: str
    suite: str
    predicted: int = 0
    applied: int = 0
    undone: int | None = None
    no_undo: str = ""
    leaves: str = ""
    blind_spots: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0
    #: what a person reads of the plan, without what differs each time
    plan: str = ""


class Told(NamedTuple):
    """What one host's plan and run came to."""

    predicted: int
    applied: int
    blind_spots: list[str]
    plan: str


def measure_set(role: str, asked: ParameterSet) -> list[Measured]:
    """Boot a host of each suite and measure the set on them, in one plan."""
    began = time.monotonic()
    found: dict[str, Measured] = {
        suite: Measured(role, asked.name, suite, no_undo=asked.no_undo) for suite in asked.suites
    }
    with Lab() as lab, TemporaryDirectory() as folder:
        hosts = lab.boot_many({suite: suite for suite in asked.suites})
        app = make_project(Path(folder), {name: host.inventory_vars() for name, host in hosts.items()}).open()
        for name, size in asked.files.items():
            app.config.uploads.mkdir(exist_ok=True)
            (app.config.uploads / name).write_bytes((b"0123456789abcde\n" * (size // 16 + 1))[:size])
        for host in hosts.values():
            host.run(asked.prepare or "true", timeout=300)
        if asked.before:
            _note_failures(apply(app, plan(app, "all", *asked.before).id, 900), found, "before")
        states = {name: read_state(host) for name, host in hosts.items()}
        measured = _measure_steps(app, asked.steps, asked.blind_spots, found, "apply", empty=not asked.runs_again)
        for name, one in found.items():
            one.predicted, one.applied, one.blind_spots, one.plan = measured[name]
        _prove(hosts, asked.proof, found, "proof")
        if asked.undo:
            measured = _measure_steps(app, asked.undo, asked.blind_spots, found, "undo")
            for name, one in found.items():
                one.undone = measured[name][1]
                left = compare_states(states[name], read_state(hosts[name]))
                kept = [line for line in left if any(re.search(pattern, line) for pattern in asked.leaves)]
                one.leaves = asked.leaves_because if kept else ""
                one.problems += [f"undo: not as before: {line}" for line in left if line not in kept]
            _prove(hosts, asked.undo_proof or "true", found, "undo_proof")
    for one in found.values():
        one.seconds = round(time.monotonic() - began, 1)
    return list(found.values())


def _measure_steps(
    app: App, steps: Steps, accepted: list[str], found: dict[str, Measured], phase: str, *, empty: bool = True
) -> dict[str, Told]:
    """Plan, apply, plan. Returns how many changes were predicted and done on each host, and the blind spots.

    ``empty``: the second plan has to be.
    """
    planned = plan(app, "all", *steps)
    run = apply(app, planned.id, 900) if planned.applyable else None
    again = plan(app, "all", *steps) if run else planned
    _note_failures(run, found, phase)
    _note_failures(planned, found, f"{phase}: plan")
    _note_failures(again, found, f"{phase}: second plan")
    told: dict[str, Told] = {}
    for host in planned.hosts:
        problems = found[host.host].problems
        spots = [spot.reason for spot in host.blind_spots]
        done = next((one.changes for one in run.hosts if one.host == host.host), ()) if run else ()
        told[host.host] = Told(len(host.changes), len(done), spots, _render(planned, host))
        if run is None and phase == "apply":
            problems.append(f"{phase}: nothing was predicted")
        problems += [f"{phase}: blind spot: {spot}" for spot in spots if spot not in accepted]
        if run:
            problems += [
                f"{phase}: {off.kind}: {off.task}: {off.target}: {off.detail}"
                for off in run.deviations
                if off.host == host.host
            ]
            if done != host.changes and not any(off.host == host.host for off in run.deviations):
                problems.append(f"{phase}: the changes are not those of the plan")
    for host in again.hosts if run and empty else ():
        problems = found[host.host].problems
        problems += [f"{phase}: second plan: {change.task}: {change.target}\n{change.diff}" for change in host.changes]
        problems += [f"{phase}: second plan: blind spot: {spot.reason}" for spot in host.blind_spots]
    return told


def _render(planned: Plan, host: HostPlan) -> str:
    alone = planned.model_copy(update={"hosts": (host,), "pattern": host.host})
    lines = [line.text.rstrip() for line in prediction_lines(alone)]
    return "".join(f"{line}\n" for line in lines if not line.startswith(("Plan plan-", "Valid until ", "Hosts: ")))


def _note_failures(told: Plan | Run | None, found: dict[str, Measured], phase: str) -> None:
    if isinstance(told, Run):
        for done in told.hosts:
            if done.status not in ("ok", "changed"):
                found[done.host].problems.append(f"{phase}: {done.status}: {done.failed_task}: {done.message}")
    elif told is not None:
        for host in told.hosts:
            if host.error:
                found[host.host].problems.append(f"{phase}: {host.error}")


def _prove(hosts: dict[str, LabHost], command: str, found: dict[str, Measured], phase: str) -> None:
    for name, host in hosts.items():
        done = host.run(command, check=False, timeout=120)
        if done.returncode:
            found[name].problems.append(f"{phase}: exit {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")


def measure_refused(cases: RoleCases) -> list[Measured]:
    """Try the params that must be refused, in check mode and for real, on one host of each suite."""
    found = {suite: Measured(cases.role, "(refused)", suite) for suite in ("bookworm", "trixie")}
    began = time.monotonic()
    steps: list[tuple[str, dict[str, Any]]] = [(cases.role, params) for params, _fragment in cases.refused]
    with Lab() as lab, TemporaryDirectory() as folder:
        hosts = lab.boot_many({suite: suite for suite in found})
        states = {name: read_state(host) for name, host in hosts.items()}
        for check in (True, False):
            results = run_roles(steps, Path(folder), *hosts.values(), check=check, go_on=True)
            for name, one in found.items():
                failed = [result for result in results if result.host == name and result.status == "failed"]
                one.problems += _compare_refusals(cases, failed, "check" if check else "run")
        for name, one in found.items():
            left = compare_states(states[name], read_state(hosts[name]))
            one.problems += [f"refused, and yet it changed the host: {line}" for line in left]
            one.seconds = round(time.monotonic() - began, 1)
    return list(found.values())


def _compare_refusals(cases: RoleCases, failed: list[Result], mode: str) -> list[str]:
    if len(failed) != len(cases.refused):
        told = "; ".join(f"{result.task}: {result.message}" for result in failed)
        return [f"{mode}: {len(failed)} of {len(cases.refused)} were refused: {told}"]
    return [
        f"{mode}: {params} was refused without saying {fragment!r}: {result.message}"
        for (params, fragment), result in zip(cases.refused, failed, strict=True)
        if fragment not in result.message
    ]


def guard(role: str, name: str, job: Callable[[], list[Measured]], until: float) -> list[Measured]:
    """One that breaks is told as such; the others go on. Nothing begins after ``until`` (seconds since the epoch)."""
    if time.time() > until:
        return []
    try:
        return job()
    except Exception as error:  # noqa: BLE001
        return [Measured(role, name, "-", problems=[f"{type(error).__name__}: {error}"])]
