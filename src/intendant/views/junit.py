"""Plans and runs as JUnit XML, for the test reports of pipelines. Pure functions.

One suite for each host. Of a plan, one test case for each step: failed where the host cannot be planned, skipped where
something cannot be predicted; what would change is its output. Of a run, one test case for each host.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from intendant.cleaning import sanitize
from intendant.plans import Change, HostPlan, Plan
from intendant.runs import HostRun, Run
from intendant.views.lines import describe_change, diff_lines, sanitize_line

_BAD = ("failed", "unreachable", "unfinished")
#: what XML 1.0 has no way to write.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_plan(plan: Plan) -> str:
    """The plan as one document."""
    return _write(plan.id, [_plan_suite(plan, host) for host in plan.hosts])


def render_run(run: Run) -> str:
    """The run as one document."""
    return _write(run.id, [_run_suite(run, host) for host in run.hosts])


def _plan_suite(plan: Plan, host: HostPlan) -> Element:
    cases = []
    for number, step in enumerate(plan.steps, start=1):
        case = _case(plan.id, f"step {number}: {step.intent}")
        spots = [spot for spot in host.blind_spots if spot.step == number]
        changes = [change for change in host.changes if change.step == number]
        if spots and host.error is None:
            reasons = "; ".join(f"{spot.task}: {spot.reason}" for spot in spots)
            _add(case, "skipped", f"cannot be predicted: {reasons}")
        if host.error is not None:
            _add(case, "failure", host.error, message="cannot be planned", type="planning")
        if changes:
            lines = [text for change in changes for text in _tell(change)]
            _add(case, "system-out", "\n".join(lines))
        cases.append(case)
    return _suite(plan.id, host.host, plan.created_at, cases)


def _run_suite(run: Run, host: HostRun) -> Element:
    case = _case(run.id, f"run of {run.plan_id}")
    deviations = [item for item in run.deviations if item.host == host.host]
    if host.status == "skipped":
        _add(case, "skipped", "nothing was run on this host")
    if host.status in _BAD:
        message = f"{host.status} at: {host.failed_task}" if host.failed_task else host.status
        _add(case, "failure", host.message, message=message, type=host.status)
    elif deviations:
        text = "\n".join(f"{item.kind}: {item.task} [{item.target}] {item.detail}" for item in deviations)
        _add(case, "failure", text, message="not as planned", type="deviation")
    if host.changes:
        _add(case, "system-out", "\n".join(describe_change(change) for change in host.changes))
    return _suite(run.id, host.host, run.started_at or run.created_at, [case])


def _tell(change: Change) -> list[str]:
    return [describe_change(change), *(line.text for line in diff_lines(change))]


def _case(owner: str, name: str) -> Element:
    return Element("testcase", classname=owner, name=_clean_line(name), time="0")


def _suite(owner: str, host: str, at: datetime, cases: list[Element]) -> Element:
    suite = Element(
        "testsuite",
        name=_clean_line(host),
        tests=str(len(cases)),
        failures=_count(cases, "failure"),
        errors="0",
        skipped=_count(cases, "skipped"),
        time="0",
        timestamp=at.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=_clean_line(host),
    )
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="id", value=owner)
    suite.extend(cases)
    return suite


def _write(owner: str, suites: list[Element]) -> str:
    root = Element("testsuites", name=f"intendant {owner}")
    root.extend(suites)
    indent(root)
    text = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(case: Element, tag: str, text: str, **attributes: str) -> None:
    clean = {name: _clean_line(value) for name, value in attributes.items()}
    SubElement(case, tag, clean).text = _legal(sanitize(text))


def _count(cases: Iterable[Element], tag: str) -> str:
    return str(sum(1 for case in cases if case.find(tag) is not None))


def _clean_line(text: str) -> str:
    return _legal(sanitize_line(text))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
