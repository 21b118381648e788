"""The command line that shows the end of a log, and what its answer means. Pure: text in, text out."""

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from intendant.cleaning import cut_start
from intendant.commands import HostOutput
from intendant.errors import InputError

MAX_LINES = 1000
_MAX_TEXT = 500
#: bytes of one group's lines in an answer, and of all of them: what does not fit is kept.
_GROUP_BYTES = 16_000
_ANSWER_BYTES = 32_000
_NOT_REGULAR = 3
_NOT_FOUND = 127

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_UNITS_OF_TIME = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PIECE = r"(\d{1,9})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_RELATIVE = re.compile(rf"-?\s*((?:{_PIECE}\s*)+)(?:ago)?", re.IGNORECASE)
_NAMED = ("today", "yesterday", "now")
_SINCE = (
    "'1h', '10 min ago', 'today', 'yesterday', or a time such as 2026-11-27T10:00Z; without a zone it is taken as UTC"
)
_SUDO = "Repeat it with sudo=true (--sudo)"


class LogQuery(BaseModel):
    """What is shown: the last ``lines`` of a unit's journal or of a file, of those that match ``grep`` (ERE)."""

    model_config = ConfigDict(frozen=True)

    unit: str = ""
    path: str = ""
    lines: int = 100
    since: str = ""
    grep: str = ""


class LogGroup(NamedTuple):
    """Hosts that answered the same. ``truncated``: bytes left out before ``text``, which ends with the newest line.

    ``note`` says what may be missing, ``error`` why there is nothing to show.
    """

    hosts: tuple[str, ...]
    text: str = ""
    truncated: int = 0
    note: str = ""
    error: str = ""


def build_log_command(query: LogQuery) -> str:
    """The command line for /bin/sh.

    Raises:
        InputError: an argument is wrong, or not for this kind of log.
    """
    _check(query)
    count = f"tail -n {query.lines}"
    if query.path:
        path = shlex.quote(query.path)
        # A FIFO would keep us waiting; what it is instead of a file, or why it cannot be seen, ls says.
        regular = f"test -f {path} || {{ ls -Ld -- {path} >&2; exit {_NOT_REGULAR}; }}"
        shown = f"{_grep(query.grep)} -- {path} | {count}" if query.grep else f"{count} -- {path}"
        return f"{regular}; {shown}"
    since = f" --since={shlex.quote(_read_since(query.since))}" if query.since else ""
    journal = f"journalctl --no-pager --utc -o short-iso --unit={shlex.quote(query.unit)}{since}"
    # journalctl's own --grep is another kind of expression, and some systems are built without it.
    return f"{journal} | {_grep(query.grep)} | {count}" if query.grep else f"{journal} -n {query.lines}"


def group_logs(query: LogQuery, outputs: Mapping[str, HostOutput]) -> tuple[LogGroup, ...]:
    """Hosts with the same answer together, each cut so that all fit into an answer."""
    groups: dict[LogGroup, list[str]] = {}
    for host, output in outputs.items():
        groups.setdefault(_read_output(query, output), []).append(host)
    limit = min(_GROUP_BYTES, max(1_000, _ANSWER_BYTES // max(1, sum(bool(group.text) for group in groups))))
    found = []
    for group, hosts in groups.items():
        text, missing = cut_start(group.text, limit)
        found.append(group._replace(hosts=tuple(hosts), text=text, truncated=missing))
    return tuple(found)


def _check(query: LogQuery) -> None:
    if bool(query.unit) == bool(query.path):
        raise InputError("unit, path: give one of them: a unit such as 'nginx', or a file such as '/var/log/syslog'.")
    if not 1 <= query.lines <= MAX_LINES:
        raise InputError(f"lines: is {query.lines}; 1 to {MAX_LINES} are allowed. Narrow it with grep or since.")
    for name in ("path", "grep"):
        text = getattr(query, name)
        if len(text) > _MAX_TEXT or not text.isprintable():
            raise InputError(f"{name}: at most {_MAX_TEXT} characters on one line are allowed, none of them a control.")
    if query.unit and not _UNIT.fullmatch(query.unit):
        raise InputError(f"unit: {query.unit[:80]!r} is no name of a unit. One name, such as 'nginx' or 'ssh.service'.")
    if query.path:
        _check_path(query)


def _check_path(query: LogQuery) -> None:
    parts = query.path.split("/")
    if not query.path.startswith("/") or ".." in parts:
        raise InputError(f"path: {query.path[:80]!r} must be absolute, without '..', such as '/var/log/syslog'.")
    if next((part for part in parts if part not in ("", ".")), "") in ("proc", "sys", "dev"):
        raise InputError("path: /proc, /sys and /dev hold no log files. The kernel's log is 'journalctl -k -n 100'.")
    if query.since:
        raise InputError("since: is for units; the lines of a file carry no time that is sure. Use grep, or unit=….")


def _grep(pattern: str) -> str:
    return f"grep -a -E -e {shlex.quote(pattern)}"


def _read_since(text: str) -> str:
    """As every journalctl understands it, in UTC.

    Raises:
        InputError: it is none of the forms that are known.
    """
    words = text.strip()
    if words.lower() in _NAMED:
        return f"{words.lower()} UTC" if words.lower() != "now" else "now"
    if found := _RELATIVE.fullmatch(words):
        pieces = re.findall(_PIECE, found[1], re.IGNORECASE)
        seconds = sum(int(number) * _UNITS_OF_TIME[unit[0].lower()] for number, unit in pieces)
        return f"{seconds} seconds ago"
    try:
        time = datetime.fromisoformat(words)
        time = time.replace(tzinfo=UTC) - (time.utcoffset() or timedelta(0))
    except (ValueError, OverflowError):
        raise InputError(f"since: {text[:80]!r} is not understood. Allowed: {_SINCE}.") from None
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _read_output(query: LogQuery, output: HostOutput) -> LogGroup:
    if output.error:
        return LogGroup((), error=output.error)
    said = output.stderr.strip()
    text, note = _drop_notices(output.stdout), ""
    if output.ended:
        note = "It was ended after its time: ask for less (since, grep, lines)."
    elif query.unit and ("insufficient permissions" in said or "not seeing messages" in said):
        note = f"The login does not see the whole journal. {_SUDO}, or add it to the group systemd-journal."
    elif said:
        note = _explain(query, output.exit_code, said)
    return LogGroup((), text=text, note=note) if text else LogGroup((), error=note)


def _drop_notices(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line.rstrip() != "-- No entries --")


def _explain(query: LogQuery, code: int | None, said: str) -> str:
    last = said.splitlines()[-1][:_MAX_TEXT]
    if "Permission denied" in said:
        return f"{last}. {_SUDO}, or give the login the right to read it."
    if (query.unit and code == _NOT_FOUND) or re.search(r"journalctl.*not found", said):
        return "The host has no journalctl (no systemd): name a file with path."
    if code == _NOT_REGULAR and not said.startswith("ls:"):
        return f"It is no regular file: {last}"
    return last
