"""Runs our modules directly, and our roles through plain ansible-playbook."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.hosts import LabHost

ROOT = Path(__file__).resolve().parents[2]
ROLES = tuple(sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml")))
MODULES = ROOT / "src" / "intendant" / "ansible" / "modules"


def run_module(name: str, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """What a module says when it runs here with these arguments."""
    document = {"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}}
    done = subprocess.run(
        [sys.executable, str(MODULES / f"{name}.py")],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip(), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dataclass(frozen=True)
class Result:
    """What one task reported."""

    host: str
    task: str
    status: str
    changed: bool
    diff: Any
    message: str
    blind_spot: str


def run_roles(
    steps: Sequence[tuple[str, dict[str, Any]]],
    folder: Path,
    *hosts: LabHost,
    check: bool = False,
    go_on: bool = False,
) -> list[Result]:
    """Run roles with params in one play on lab hosts, as their unprivileged user with become.

    With `go_on` a step that fails does not end the run.
    """
    tasks: list[dict[str, Any]] = [
        {"name": f"{number}", "ansible.builtin.include_role": {"name": role}, "vars": encode(params)}
        for number, (role, params) in enumerate(steps)
    ]
    if go_on:
        tasks = [{"block": [task], "rescue": [{"ansible.builtin.meta": "clear_host_errors"}]} for task in tasks]
    play = {"hosts": "all", "become": True, "gather_facts": True, "tasks": tasks}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "play.json").write_text(json.dumps([play]))
    inventory = {"all": {"hosts": {host.name: host.inventory_vars() for host in hosts}}}
    (folder / "inventory.json").write_text(json.dumps(inventory))
    record = folder / "record"
    record.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "RECORD_TO": str(record),
        "ANSIBLE_TIMEOUT": "60",  # other tests may keep the machine busy
    }
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            f"--inventory={folder / 'inventory.json'}",
            str(folder / "play.json"),
            *(["--check"] if check else []),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert record.exists(), done.stdout + done.stderr
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return [
        Result(
            host=line["host"],
            task=line["task"],
            status=line["status"],
            changed=bool(line["changed"]),
            diff=line["diff"],
            message=str(line["msg"] or ""),
            blind_spot=line["blind_spot"] or "",
        )
        for line in lines
    ]


def encode(value: Any) -> Any:
    """Mark every string as data, as Intendant does with params."""
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    return {"__ansible_unsafe": value} if isinstance(value, str) else value
