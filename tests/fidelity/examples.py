"""The plan of every role's example on a fresh host, for the reference: `python -m fidelity.examples [--write]`."""

from __future__ import annotations

import re
import sys
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

from intendant.app import App
from intendant.intents import Intent
from intendant.resolving import resolve_request
from intendant.views.text import prediction_lines
from lab.labs import Lab
from lab.needs import missing
from support.projects import make_project

PLANS = Path(__file__).parents[2] / "docs" / "plans"
# What another day or mirror changes: versions, times, digests, sizes.
VOLATILE = re.compile(r"[0-9a-f]{12,}|\d[\w.+:~-]*|\(\+ [^)]*\)")


def plan_example(app: App, intent: Intent, intents: list[Intent]) -> str:
    """What a person reads when the example is planned on web1, without what differs each time."""
    found = resolve_request(intent.example, intents, ["web1"], [])
    assert found.certain, f"{intent.name}: {intent.example!r} is not certain: {found.question}"
    plan = app.planner.plan_changes(found.hosts, found.steps, request=intent.example)
    lines = [line.text for line in prediction_lines(plan)]
    return "".join(f"{line.rstrip()}\n" for line in lines if not line.startswith(("Plan plan-", "Valid until ")))


def main(write: bool) -> int:
    """Plan all examples; write them, or tell which page is stale. Returns the exit code."""
    if reasons := missing():
        print(f"no lab hosts here: {'; '.join(reasons)}", file=sys.stderr)
        return 1
    stale = 0
    with Lab() as lab, TemporaryDirectory() as folder:
        host = lab.boot("web1", "trixie")
        app = make_project(Path(folder), {"web1": host.inventory_vars()}).open()
        intents = app.catalog.list()
        for intent in intents:
            text, page = plan_example(app, intent, intents), PLANS / f"{intent.name}.txt"
            if write:
                PLANS.mkdir(exist_ok=True)
                page.write_text(text, encoding="utf-8")
                continue
            before, after = (VOLATILE.sub("…", said) for said in (page.read_text("utf-8"), text))
            if before != after:
                stale += 1
                print("".join(unified_diff(before.splitlines(True), after.splitlines(True), str(page.name), "now")))
    if stale:
        print(f"{stale} examples are stale; run: make examples")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
