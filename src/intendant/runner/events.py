"""Reads what our callback sends through ansible-runner; the only reader of that JSON."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from intendant.runner.base import TaskResult, TaskStatus

_RESULTS = {
    "runner_on_ok",
    "runner_on_failed",
    "runner_on_unreachable",
    "runner_on_skipped",
    "runner_item_on_ok",
    "runner_item_on_failed",
    "runner_item_on_skipped",
}
_COMPLAINTS = {"error", "warning", "system_warning", "verbose", "deprecated"}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Notice:
    """Anything but a task's result: a task that starts, the end with the failed hosts, or text that was printed."""

    kind: Literal["task", "end", "text"]
    text: str = ""
    step: int = 0
    hosts: frozenset[str] = frozenset()


def read_event(event: dict[str, Any]) -> TaskResult | Notice | None:
    """One event as a value, or None when it says nothing that matters here."""
    kind = event.get("event", "")
    data = event.get("event_data") or {}
    if kind in _RESULTS:
        return _read_result(kind, data)
    if kind == "playbook_on_task_start":
        return Notice("task", str(data.get("task") or data.get("name") or ""), _step(data))
    if kind == "playbook_on_stats":
        return Notice("end", hosts=frozenset({**(data.get("failures") or {}), **(data.get("dark") or {})}))
    if kind in _COMPLAINTS and (text := _ESCAPES.sub("", event.get("stdout") or "").strip()):
        return Notice("text", text)
    return None


def _step(data: dict[str, Any]) -> int:
    """Each step is one play, named after its number."""
    name = str(data.get("play", ""))
    return int(name) if name.isdigit() else 0


def _read_result(kind: str, data: dict[str, Any]) -> TaskResult | None:
    summary = data.get("summary") or {}
    if summary.get("looped") and not kind.startswith("runner_item"):
        # The items of the loop were reported one by one; only a failure of the loop itself is news.
        if kind != "runner_on_failed":
            return None
        summary = {**summary, "changed": False}
    return TaskResult(
        host=data["host"],
        step=_step(data),
        role=str(data.get("role") or ""),
        task=str(data.get("task") or ""),
        module=str(data.get("resolved_action") or data.get("task_action") or ""),
        status=_status(kind, summary),
        args=summary.get("args") or {},
        diff=tuple(summary.get("diff") or ()),
        item=summary.get("item", ""),
        message=summary.get("msg", ""),
        skip_reason=summary.get("skip_reason", ""),
        ignored=bool(data.get("ignore_errors")),
        hidden=bool(summary.get("hidden")),
        facts=summary.get("facts") or {},
        blind_spot=summary.get("blind_spot", ""),
    )


def _status(kind: str, summary: dict[str, Any]) -> TaskStatus:
    if kind.endswith("unreachable") or summary.get("unreachable"):
        return "unreachable"
    if kind.endswith("failed"):
        return "failed"
    if kind.endswith("skipped") or summary.get("skipped"):
        return "skipped"
    return "changed" if summary.get("changed") else "ok"
