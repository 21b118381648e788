"""Intents, hosts and history as text for people. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from intendant.cleaning import sanitize
from intendant.schemas import join_description
from intendant.views.lines import Line, format_value, join_names, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from intendant.intents import Intent
    from intendant.inventory import InventoryView
    from intendant.runs import Run
    from intendant.store import HistoryEntry
    from intendant.words.candidates import Candidate
    from intendant.words.resolving import Resolution

_MOST_HOSTS = 5


def table_lines(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Line]:
    """Aligned columns; no cell is cut, so that lines can be searched and copied."""
    cells = [[sanitize_line(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    texts = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [Line(texts[0], "heading"), *(Line(text) for text in texts[1:])]


def host_lines(view: InventoryView, last_runs: Mapping[str, Run]) -> list[Line]:
    """One line per host: how it is reached and its last run; never its variables."""
    if not view.hosts:
        return [Line("The inventory has no hosts yet: add them, then try again.", "warn")]
    rows = []
    for name, host in sorted(view.hosts.items()):
        run = last_runs.get(name)
        address = host.address if host.port is None else f"{host.address} port {host.port}"
        last = f"{run.status} {run.created_at:%Y-%m-%d %H:%M} {run.id}" if run else "-"
        rows.append([name, ",".join(host.groups) or "-", address, host.user or "-", host.connection, last])
    return table_lines(["HOST", "GROUPS", "ADDRESS", "USER", "CONNECTION", "LAST RUN"], rows)


def intents_lines(intents: Sequence[Intent]) -> list[Line]:
    """One line per intent."""
    return table_lines(["INTENT", "TITLE"], [[intent.name, intent.title] for intent in intents])


def intent_lines(intent: Intent) -> list[Line]:
    """One intent with its params, and a command that shows how it is used."""
    lines = [Line(f"{sanitize_line(intent.name)}: {sanitize_line(intent.title)}", "heading")]
    lines += [Line(line) for line in sanitize(_plain(intent.description)).splitlines()]
    facts = {"Changes": intent.changes, "Undo": intent.undo, "Platforms": ", ".join(intent.platforms)}
    for label, text in {**facts, "Example": intent.example}.items():
        if text:
            lines.append(Line(f"{label}: {sanitize_line(text)}"))
    lines.append(Line(""))
    rows = []
    for name, option in intent.options.items():
        kind = str(option.get("type", "str"))
        if choices := option.get("choices"):
            kind += f" ({'|'.join(map(str, choices))})"
        default = intent.defaults.get(name, option.get("default"))
        text = "required" if option.get("required") else "-" if default is None else format_value(default)
        shown = "secret" if name in intent.secret_params() else text
        rows.append([name, kind, shown, _plain(option.get("description"))])
    lines += table_lines(["PARAM", "TYPE", "DEFAULT", "MEANING"], rows)
    example = [f"-p {name}=…" for name in intent.required()]
    words = ["intendant plan --intent", intent.name, *example, "--hosts PATTERN"]
    return [*lines, Line(""), Line(" ".join(words), "dim")]


def resolution_lines(resolution: Resolution) -> list[Line]:
    """What a request may mean: the candidates, best first, and the question to answer."""
    lines = [_candidate_line(candidate) for candidate in resolution.candidates]
    if resolution.question:
        lines.append(Line(sanitize_line(resolution.question), "warn"))
    return lines or [Line("No intent fits these words. All of them: intendant intents", "warn")]


def history_lines(entries: Sequence[HistoryEntry]) -> list[Line]:
    """One line per plan, approval or run."""
    if not entries:
        return [Line("Nothing has been planned here yet.")]
    rows = [
        [
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.kind,
            entry.id,
            entry.status,
            join_names(tuple(entry.hosts), _MOST_HOSTS),
            entry.summary,
        ]
        for entry in entries
    ]
    return table_lines(["TIME (UTC)", "WHAT", "ID", "STATUS", "HOSTS", "SUMMARY"], rows)


def _candidate_line(candidate: Candidate) -> Line:
    params = [f"{sanitize_line(name)}={format_value(value)}" for name, value in sorted(candidate.params.items())]
    missing = f"(missing: {', '.join(candidate.missing)})" if candidate.missing else ""
    title = f"{candidate.score:5.1f}  {sanitize_line(candidate.intent)}: {sanitize_line(candidate.title)} "
    return Line(" ".join(part for part in [title, *params, missing] if part).rstrip())


def _plain(description: object) -> str:
    """Without Ansible's markup: ``V(absent)`` is ``absent``."""
    return re.sub(r"\b[A-Z]\(([^()]*)\)", r"\1", join_description(description))
