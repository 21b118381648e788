"""Plans, runs and what else the tools answer with, as bounded results. Pure functions, no clock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from intendant.errors import InputError
from intendant.intents import Intent
from intendant.runs import HostRun, Run
from intendant.views.results import (
    DeviationView,
    EntryView,
    HistoryResult,
    HostRunView,
    HostsResult,
    HostView,
    IntentResult,
    LastRunView,
    ProgressView,
    RunResult,
)

if TYPE_CHECKING:  # a server must not load the database to list its tools
    from intendant.inventory import HostEntry, InventoryView
    from intendant.store import HistoryEntry

_T = TypeVar("_T")
PAGE_HOSTS = 40
_PAGE_BYTES = 6_000
_MESSAGE_CHARS = 1_500
_FACT_CHARS = 200
_DEVIATIONS = 20
_HISTORY_HOSTS = 5
_SUMMARY_CHARS = 150
_SCHEMA_BYTES = 8_000
_SHORT_CHARS = 60


def to_json(result: BaseModel) -> dict[str, Any]:
    """What is sent: the fields that were set, JSON types only."""
    dumped: dict[str, Any] = result.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dumped


def count_bytes(value: object) -> int:
    """Size of a value as compact JSON (UTF-8)."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def cut_text(text: str, limit: int) -> str:
    """At most ``limit`` characters, and how many are left out."""
    return text if len(text) <= limit else f"{text[:limit]}… (+{len(text) - limit} characters)"


def format_time(time: datetime | None) -> str:
    """ISO 8601 in whole seconds; empty for None."""
    return "" if time is None else time.isoformat(timespec="seconds")


def read_cursor(cursor: str) -> int:
    """The position that an offset cursor names; 0 for the empty one.

    Raises:
        InputError: the cursor is none of ours.
    """
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InputError("cursor: pass the next_cursor of the previous page as it is, or leave it out.")
    return int(cursor or 0)


def build_run(run: Run, *, host: str = "", start: int = 0) -> RunResult:
    """A run: hosts that failed first, from position ``start`` on; ``host`` keeps one host only."""
    bad = ("unreachable", "failed", "unfinished")
    ordered = sorted(run.hosts, key=lambda item: bad.index(item.status) if item.status in bad else len(bad))
    chosen = [item for item in ordered if not host or item.host == host]
    deviations = [item for item in run.deviations if not host or item.host == host]
    shown = _take((_view_host_run(item) for item in chosen[start:]), _PAGE_BYTES)
    result = RunResult(
        run_id=run.id,
        plan_id=run.plan_id,
        status=run.status,
        as_planned=run.as_planned,
        deviations=[
            DeviationView(
                host=item.host, kind=item.kind, task=item.task, target=item.target, detail=cut_text(item.detail, 200)
            )
            for item in deviations[:_DEVIATIONS]
        ],
        hosts=shown,
        next=_next_of_run(run),
    )
    if run.message:
        result.message = cut_text(run.message, _MESSAGE_CHARS)
    if not run.finished:
        result.progress = ProgressView(task=run.current_task, done=run.tasks_done, expected=run.tasks_expected)
    if len(deviations) > _DEVIATIONS:
        result.more_deviations = len(deviations) - _DEVIATIONS
    if start + len(shown) < len(chosen):
        result.next_cursor = str(start + len(shown))
    return result


def _view_host_run(run: HostRun) -> HostRunView:
    return HostRunView(
        host=run.host,
        status=run.status,
        changed=len(run.changes),
        failed_task=run.failed_task,
        message=cut_text(run.message, _MESSAGE_CHARS),
    )


def _next_of_run(run: Run) -> str:
    if not run.finished:
        return f"It goes on by itself. Call get_run(run_id='{run.id}', wait_seconds=45) until status is final."
    if run.status == "interrupted":
        return "The run's process died. Plan again: the new plan shows what is left."
    if run.status == "cancelled":
        return "Stopped on request. Plan again: the new plan shows what is left."
    if run.status != "succeeded":
        return "Tell the user which hosts failed and the message of each; mend the cause, then plan again."
    if run.deviations:
        return "It ended otherwise than planned: tell the user the deviations, then plan again to see what is left."
    return "Done as planned. Planning the same again should show no changes."


def build_hosts(
    view: "InventoryView", last_runs: Mapping[str, Run], *, start: int = 0, most: int = PAGE_HOSTS
) -> HostsResult:
    """``most`` hosts by name from position ``start`` on, how each is reached and its last run; never the variables."""
    names = sorted(view.hosts)
    candidates = (_view_host(view.hosts[name], last_runs.get(name)) for name in names[start : start + most])
    shown = _take(candidates, _PAGE_BYTES)
    end = start + len(shown)
    return HostsResult(
        hosts=shown,
        groups=dict(_take(((name, len(hosts)) for name, hosts in view.groups.items()), _PAGE_BYTES)),
        next_cursor=str(end) if end < len(names) else "",
    )


def add_facts(result: HostsResult, facts: Mapping[str, Mapping[str, str]]) -> HostsResult:
    """The same hosts with what each says of itself."""
    for host in result.hosts:
        host.facts = {name: cut_text(value, _FACT_CHARS) for name, value in facts.get(host.name, {}).items()}
    return result


def _view_host(entry: "HostEntry", run: Run | None) -> HostView:
    last = None
    if run is not None:
        last = LastRunView(run_id=run.id, status=run.status, at=format_time(run.ended_at or run.created_at))
    view = HostView(
        name=entry.name,
        groups=list(entry.groups),
        address=entry.address,
        user=entry.user,
        connection=entry.connection,
        last_run=last,
    )
    if entry.port:
        view.port = entry.port
    return view


def build_intent(intent: Intent, schema: dict[str, Any]) -> IntentResult:
    """All that a caller must know to use one intent; ``schema`` is the JSON Schema of its params."""
    shown = intent.options.keys() - intent.secret_params()
    return IntentResult(
        name=intent.name,
        title=intent.title,
        description=cut_text(intent.description, _MESSAGE_CHARS),
        params=schema if count_bytes(schema) <= _SCHEMA_BYTES else _shorten(schema),
        defaults={name: value for name, value in intent.defaults.items() if name in shown},
        platforms=list(intent.platforms),
        changes=intent.changes,
        undo=intent.undo,
        next=f"plan_changes(hosts=…, steps=[{{intent: '{intent.name}', params: {{…}}}}])",
    )


def _shorten(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of very many params with their descriptions cut."""
    short = {}
    for name, option in schema.get("properties", {}).items():
        short[name] = {**option, "description": cut_text(str(option.get("description", "")), _SHORT_CHARS)}
    return {**schema, "properties": short}


def build_history(entries: "Sequence[HistoryEntry]", next_cursor: str) -> HistoryResult:
    """Plans, approvals and runs, as the store ordered them."""
    return HistoryResult(entries=[_view_entry(entry) for entry in entries], next_cursor=next_cursor)


def _view_entry(entry: "HistoryEntry") -> EntryView:
    view = EntryView(
        kind=entry.kind,
        id=entry.id,
        plan_id=entry.plan_id,
        at=format_time(entry.at),
        summary=cut_text(entry.summary, _SUMMARY_CHARS),
        status=entry.status,
        hosts=list(entry.hosts[:_HISTORY_HOSTS]),
    )
    if len(entry.hosts) > _HISTORY_HOSTS:
        view.more_hosts = len(entry.hosts) - _HISTORY_HOSTS
    return view


def _take(items: Iterable[_T], budget: int) -> list[_T]:
    """The first items that fit into ``budget`` bytes of JSON, at least one."""
    taken: list[_T] = []
    for item in items:
        budget -= count_bytes(to_json(item) if isinstance(item, BaseModel) else item)
        if taken and budget < 0:
            break
        taken.append(item)
    return taken
