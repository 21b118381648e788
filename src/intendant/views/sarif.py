"""Plans and runs as SARIF 2.1.0, for what shows findings on a pull request. Pure functions.

A finding is what a reader should look at first: something is deleted, cannot be predicted, cannot be planned, or went
wrong.
"""

import hashlib
import json
from typing import Any
from urllib.parse import quote

from intendant import __version__
from intendant.plans import Plan, canonical_json
from intendant.runs import Run
from intendant.views.lines import sanitize_line

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = {
    "delete": ("warning", "Something is deleted."),
    "blind-spot": ("warning", "Check mode cannot predict what a task does."),
    "cannot-be-planned": ("error", "A host could not be planned and will not be touched."),
    "host-failed": ("error", "A run did not come to its end on a host."),
    "not-as-planned": ("warning", "A run did something else than its plan said."),
}


def render_plan(plan: Plan) -> str:
    """What a plan deletes, cannot predict, or could not plan."""
    found = []
    for host in plan.hosts:
        if host.error is not None:
            found.append(_result("cannot-be-planned", host.host, "", host.error))
        found += [
            _result("delete", host.host, change.task, f"deletes {change.target or change.module}", change.step)
            for change in host.changes
            if change.action == "delete"
        ]
        found += [
            _result("blind-spot", host.host, spot.task, f"cannot be predicted: {spot.reason}", spot.step)
            for spot in host.blind_spots
        ]
    return _write(found, {"plan": plan.id, "digest": plan.digest})


def render_run(run: Run) -> str:
    """The hosts on which a run failed, and where it deviated from its plan."""
    found = [
        _result("host-failed", host.host, host.failed_task, f"{host.status}: {host.message}")
        for host in run.hosts
        if host.status in ("failed", "unreachable", "unfinished")
    ]
    found += [
        _result("not-as-planned", item.host, item.task, f"{item.kind}: {item.target}: {item.detail}")
        for item in run.deviations
    ]
    return _write(found, {"run": run.id, "plan": run.plan_id})


def _result(rule: str, host: str, task: str, text: str, step: int = 0) -> dict[str, Any]:
    where = f" (step {step}: {task})" if step else f" ({task})" if task else ""
    name = sanitize_line(host)
    mark = hashlib.sha256(canonical_json([rule, host, step, task, text])).hexdigest()
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": _RULES[rule][0],
        "message": {"text": sanitize_line(f"{host}: {text}{where}")},
        # No line of a file is at fault; what shows findings by file shows them by host.
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"hosts/{quote(name, safe='')}"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"name": name, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"intendant/v1": mark},
    }


def _write(results: list[dict[str, Any]], properties: dict[str, str]) -> str:
    rules = [
        {"id": name, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}
        for name, (level, text) in _RULES.items()
    ]
    driver = {"name": "Intendant", "semanticVersion": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results, "properties": properties}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"
