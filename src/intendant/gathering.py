"""Facts of hosts, topic by topic: from what they said lately, or else asked now."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from intendant.commands import HostOutput
from intendant.errors import InputError, NotFoundError
from intendant.factcache import FactCache
from intendant.facts.asking import TOPICS, TopicName, build_facts_command, split_answer
from intendant.facts.reading import Reading, Row, find_rows, read_topic
from intendant.inventory import HostEntry
from intendant.reads import HostReader
from intendant.runs import Run

MAX_AGE = 7 * 86400
_MAX_MATCH = 200
_SECONDS = 45


class TopicFacts(NamedTuple):
    """One topic of one host, ``age`` seconds old; ``problem`` says what is missing of it."""

    topic: TopicName
    age: int
    rows: tuple[Row, ...]
    problem: str


class HostFacts(NamedTuple):
    """One host. With an ``error`` it could not be asked now; what it said before may be there all the same."""

    host: str
    topics: tuple[TopicFacts, ...]
    error: str = ""


class FactQuery(NamedTuple):
    """What is asked: ``max_age`` is in seconds, and 0 asks the hosts now; ``match`` keeps the rows that it fits."""

    topics: tuple[str, ...] = ("system",)
    match: str = ""
    max_age: int = 300
    sudo: bool = False


class FactGatherer:
    """Reads facts.

    Args:
        last_runs: the newest run of each host: what was read before it ended may not hold any more.
    """

    def __init__(
        self,
        reader: HostReader,
        cache: FactCache,
        last_runs: Callable[[], Mapping[str, Run]],
        now: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._cache = cache
        self._last_runs = last_runs
        self._now = now

    def gather_facts(
        self, pattern: str, query: FactQuery, *, start: int = 0, most: int | None = None
    ) -> tuple[list[HostFacts], int]:
        """Facts of ``most`` hosts by name from position ``start`` on, and the number of hosts that match.

        Raises:
            InputError: the pattern or the query is wrong.
            PolicyError: the policy allows no commands on one of the hosts, or fewer hosts.
            EngineError: Ansible could not be started, or the inventory not be read.
        """
        topics = check_query(query)
        view = self._reader.find_hosts(pattern)
        names = sorted(view.hosts)
        hosts = [view.hosts[name] for name in names[start : None if most is None else start + most]]
        known = {
            (host.name, topic): self._cache.get(host, topic, sudo=query.sudo) for host in hosts for topic in topics
        }
        runs, now = self._last_runs(), self._now()
        stale = {key for key, reading in known.items() if not _is_fresh(reading, runs.get(key[0]), now, query.max_age)}
        errors = self._ask([host for host in hosts if any(name == host.name for name, _ in stale)], stale, known, query)
        now = self._now()
        found = [
            HostFacts(
                host.name,
                tuple(_view(reading, now, query.match) for topic in topics if (reading := known[host.name, topic])),
                errors.get(host.name, ""),
            )
            for host in hosts
        ]
        return found, len(names)

    def _ask(
        self,
        hosts: Sequence[HostEntry],
        stale: set[tuple[str, TopicName]],
        known: dict[tuple[str, TopicName], Reading | None],
        query: FactQuery,
    ) -> dict[str, str]:
        """Ask hosts anew, all at once; puts the readings into ``known`` and the cache, and returns errors by host."""
        if not hosts:
            return {}
        topics = [topic for topic in TOPICS if any(wanted == topic for _, wanted in stale)]
        mark = f"intendant{secrets.token_hex(8)}"
        command = build_facts_command(topics, mark)
        asked_at = self._now()
        outputs = self._reader.read([host.name for host in hosts], command, sudo=query.sudo, timeout=_SECONDS)
        errors = {}
        for host in hosts:
            output = outputs[host.name]
            readings = [] if output.error else _read_answer(output, topics, mark, asked_at)
            known |= {(host.name, reading.topic): reading for reading in readings}
            self._cache.put(host, readings, asked_at, sudo=query.sudo)
            if missing := [topic for topic in topics if topic not in {reading.topic for reading in readings}]:
                errors[host.name] = output.error or _explain(output, missing)
        return errors


def check_query(query: FactQuery) -> tuple[TopicName, ...]:
    """The topics that are meant, each once.

    Raises:
        InputError: an argument is wrong.
    """
    for topic in query.topics:
        if topic not in TOPICS:
            raise NotFoundError("topic", topic, TOPICS)
    if not query.topics:
        raise InputError(f"topics: is empty. Allowed: {', '.join(TOPICS)}.")
    if not 0 <= query.max_age <= MAX_AGE:
        raise InputError(f"max_age: is {query.max_age}; 0 (ask now) to {MAX_AGE} seconds are allowed.")
    if len(query.match) > _MAX_MATCH:
        raise InputError(f"match: has {len(query.match)} characters; {_MAX_MATCH} are allowed.")
    return cast("tuple[TopicName, ...]", tuple(dict.fromkeys(query.topics)))


def _is_fresh(reading: Reading | None, run: Run | None, now: datetime, max_age: int) -> bool:
    if reading is None or now - reading.read_at >= timedelta(seconds=max_age):
        return False
    # What a run does to a host may begin before it ends.
    return run is None or (run.ended_at is not None and run.ended_at <= reading.read_at)


def _view(reading: Reading, now: datetime, match: str) -> TopicFacts:
    age = max(0, int((now - reading.read_at).total_seconds()))
    return TopicFacts(reading.topic, age, find_rows(reading, match), reading.problem)


def _read_answer(output: HostOutput, topics: Iterable[TopicName], mark: str, at: datetime) -> list[Reading]:
    parts = split_answer(output.stdout, mark)
    return [read_topic(topic, parts[topic], at) for topic in topics if topic in parts]


def _explain(output: HostOutput, missing: Sequence[TopicName]) -> str:
    if output.ended:
        return f"it took longer than {_SECONDS} s; not read: {', '.join(missing)}"
    last = output.stderr.strip().rpartition("\n")[2]
    return f"it did not answer for {', '.join(missing)}{f': {last[:200]}' if last else ''}"
