"""From the parts that a host printed for a topic to its rows. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, JsonValue

from intendant.facts.asking import Parts, TopicName
from intendant.facts.machine import read_disks, read_listening, read_network, read_system
from intendant.facts.rows import Fact
from intendant.facts.software import read_packages, read_services, read_users

#: rows that are kept of one topic.
MAX_ROWS = 20_000
Row = dict[str, JsonValue]

_READERS: dict[TopicName, Callable[[Parts], Sequence[Fact]]] = {
    "system": read_system,
    "packages": read_packages,
    "services": read_services,
    "disks": read_disks,
    "network": read_network,
    "users": read_users,
    "listening": read_listening,
}
#: without these parts there is no answer, and with one of them there is: (program, part).
_NEEDED: dict[TopicName, Mapping[str, str]] = {
    "system": {"uname": "kernel"},
    "packages": {"dpkg-query": "dpkg", "rpm": "rpm", "apk": "apk"},
    "services": {"systemctl": "units"},
    "disks": {"df": "df", "lsblk": "lsblk"},
    "network": {"ip": "addresses"},
    "users": {"getent": "accounts"},
    "listening": {"ss": "ss"},
}
#: parts that are alternatives: one that answers is enough.
_ALTERNATIVES: tuple[TopicName, ...] = ("packages",)


class Reading(BaseModel):
    """One topic of one host as it was at ``read_at``; ``problem`` says what is missing of it."""

    model_config = ConfigDict(frozen=True)

    topic: TopicName
    read_at: datetime
    rows: tuple[Row, ...] = ()
    problem: str = ""


def read_topic(topic: TopicName, parts: Parts, read_at: datetime) -> Reading:
    """The rows of a topic."""
    rows = _READERS[topic](parts)
    problems = [_explain(program, parts, name) for program, name in _NEEDED[topic].items()]
    said = [problem for problem in problems if problem]
    if topic in _ALTERNATIVES and (rows or len(said) < len(problems)):
        said = []
    if topic == "users" and not rows:  # behind a pipe the exit code of getent is not seen, and root is everywhere
        said = [f"'getent' failed: {parts['accounts'].last_line[:200]}"]
    if len(rows) > MAX_ROWS:
        said.append(f"only {MAX_ROWS} of {len(rows)} are kept")
    return Reading(
        topic=topic,
        read_at=read_at,
        rows=tuple(row.model_dump(mode="json", exclude_defaults=True) for row in rows[:MAX_ROWS]),
        problem="; ".join(said),
    )


def find_rows(reading: Reading, match: str) -> tuple[Row, ...]:
    """The rows whose name, process or port ``match`` fits: a glob where it holds ``*?[``, else a part; case is alike.

    The one row of `system` has nothing to be found by.
    """
    if not match or reading.topic == "system":
        return reading.rows
    wanted = match.lower()
    return tuple(row for row in reading.rows if any(_fits(text, wanted) for text in _texts(row)))


def _texts(row: Row) -> list[str]:
    return [str(row[name]).lower() for name in ("name", "process", "port") if name in row]


def _fits(text: str, wanted: str) -> bool:
    return fnmatchcase(text, wanted) if set(wanted) & set("*?[") else wanted in text


def _explain(program: str, parts: Parts, name: str) -> str:
    part = parts[name]
    if part.is_missing:
        return f"the host has no '{program}'"
    if part.is_late:
        return f"'{program}' did not end in time"
    if part.code:
        return f"'{program}' failed: {part.last_line[:200]}"
    return ""
