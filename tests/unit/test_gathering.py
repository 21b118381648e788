"""Facts: when hosts are asked, what is kept, and what of it is shown."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from intendant.commands import HostOutput
from intendant.config import Config
from intendant.connections import Connections
from intendant.errors import InputError, RefusedError
from intendant.factcache import FactCache
from intendant.facts.asking import build_facts_command
from intendant.facts.reading import Reading, Row
from intendant.gathering import FactGatherer, FactQuery, HostFacts, TopicFacts
from intendant.inventory import HostEntry, Inventory, InventoryView
from intendant.outputs import Outputs
from intendant.reads import HostReader
from intendant.runs import Run
from intendant.shell.verdicts import Verdict
from intendant.views.json import count_bytes, to_json
from intendant.views.looking import build_facts, facts_lines, page_hosts, read_position

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def host_of(name: str, **variables: str) -> HostEntry:
    return HostEntry(
        name=name, groups=(), address=name, user="", port=None, connection="ssh", variables=dict(variables)
    )


class ScriptedReader:
    """Hosts that have one account each; those in ``gone`` cannot be reached."""

    def __init__(self, *names: str) -> None:
        self.view = InventoryView(hosts={name: host_of(name) for name in names}, groups={})
        self.gone: set[str] = set()
        self.cut = False
        self.asked: list[list[str]] = []

    def find_hosts(self, pattern: str) -> InventoryView:
        return self.view

    def read(self, hosts: Iterable[str], command: str, *, sudo: bool, timeout: int) -> dict[str, HostOutput]:
        names = list(hosts)
        self.asked.append(names)
        return {name: self._answer(name, command) for name in names}

    def _answer(self, name: str, command: str) -> HostOutput:
        if name in self.gone:
            return HostOutput(error="Connection refused")
        mark = command.split()[1]
        text = f"{mark} users accounts\n{name}\tx\t1000\t1000\t\t/home\t/bin/sh\n{mark} 0\n"
        if self.cut:
            return HostOutput(stdout=text, ended="timeout")
        return HostOutput(exit_code=0, stdout=f"{text}{mark} users groups\n{mark} 0\n")


class Desk:
    """A gatherer with a clock that is set, and runs that are told."""

    def __init__(self, state: Path, *names: str) -> None:
        self.now = NOW
        self.runs: dict[str, Run] = {}
        self.reader = ScriptedReader(*names)
        self.gatherer = FactGatherer(
            cast(HostReader, self.reader), FactCache(state), lambda: self.runs, lambda: self.now
        )

    def gather(self, **query: Any) -> list[HostFacts]:
        return self.gatherer.gather_facts("all", FactQuery(**{"topics": ("users",), **query}))[0]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, "web1", "web2")


def test_hosts_are_asked_again_when_what_they_said_is_too_old(desk: Desk) -> None:
    assert [host.topics[0].age for host in desk.gather()] == [0, 0]
    desk.now += timedelta(seconds=299)
    assert [host.topics[0].age for host in desk.gather()] == [299, 299]
    assert len(desk.reader.asked) == 1
    desk.now += timedelta(seconds=1)
    assert [host.topics[0].age for host in desk.gather()] == [0, 0]
    assert desk.gather(max_age=0)
    assert len(desk.reader.asked) == 3


def test_what_root_saw_is_kept_apart(desk: Desk) -> None:
    desk.gather(sudo=True)
    desk.gather()
    assert len(desk.reader.asked) == 2


@pytest.mark.parametrize(("ended", "asked"), [(-1, []), (0, []), (1, [["web1"]]), (None, [["web1"]])])
def test_a_run_after_the_reading_or_one_that_goes_on_makes_it_old(
    desk: Desk, ended: int | None, asked: list[list[str]]
) -> None:
    desk.gather()
    desk.reader.asked.clear()
    ended_at = None if ended is None else NOW + timedelta(seconds=ended)
    desk.runs["web1"] = cast(Run, SimpleNamespace(ended_at=ended_at))
    desk.now += timedelta(seconds=2)
    desk.gather()
    assert desk.reader.asked == asked


def test_of_a_host_that_has_gone_the_old_facts_are_shown_with_the_error(desk: Desk) -> None:
    desk.gather()
    desk.reader.gone.add("web2")
    desk.now += timedelta(hours=1)
    first, second = desk.gather()
    assert (first.error, first.topics[0].age) == ("", 0)
    assert (second.error, second.topics[0].age) == ("Connection refused", 3600)
    assert [row["name"] for row in second.topics[0].rows] == ["web2"]


def test_an_answer_that_was_cut_off_is_not_kept(desk: Desk) -> None:
    desk.reader.cut = True
    first, _ = desk.gather()
    assert first.topics == ()
    assert first.error == "it took longer than 45 s; not read: users"


def test_the_cache_knows_another_way_to_a_host_and_forgets(tmp_path: Path) -> None:
    cache = FactCache(tmp_path)
    reading = Reading(topic="users", read_at=NOW)
    cache.put(host_of("web1"), [reading], NOW, sudo=False)
    assert cache.get(host_of("web1"), "users", sudo=False) == reading
    assert cache.get(host_of("web1", ansible_ssh_common_args="-J other"), "users", sudo=False) is None
    assert cache.get(host_of("web1"), "system", sudo=False) is None
    [file] = (tmp_path / "facts").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_text("{}")
    assert cache.get(host_of("web1"), "users", sudo=False) is None
    cache.put(host_of("web1"), [], datetime.now(UTC) + timedelta(days=8), sudo=False)
    assert not file.exists()


def test_the_reader_runs_nothing_that_is_not_known_to_only_read(tmp_path: Path) -> None:
    class Never(Connections):
        def run(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("it ran")

    config = Config(project_dir=tmp_path, state_dir=tmp_path)
    verdict = Verdict(kind="unknown", reason="Who knows.", needs_bash=False)
    reader = HostReader(config, Inventory(config), Never(config), Outputs(tmp_path), lambda _: verdict, lambda: NOW)
    with pytest.raises(RefusedError, match="Who knows"):
        reader.read(["web1"], build_facts_command(["users"], "mark"), sudo=False, timeout=1)


def facts_of(name: str, *counts: int) -> HostFacts:
    rows: tuple[Row, ...] = tuple(
        {"name": f"package{number:05}", "version": "1.2.3-4"} for number in range(max(counts))
    )
    return HostFacts(name, tuple(TopicFacts("packages", 5, rows[:count], "") for count in counts))


def test_the_rows_of_one_host_are_paged_within_a_few_kilobytes() -> None:
    found, position, seen = [facts_of("web1", 700, 1)], (0, 0), 0
    while True:
        page = build_facts(found, 1, position)
        assert count_bytes(to_json(page)) < 7_000
        assert [topic.total for topic in page.hosts[0].topics] == [700, 1]
        seen += len(page.hosts[0].topics[0].rows)
        if not page.next_cursor:
            break
        position = read_position(page.next_cursor)
    assert seen == 700


def test_of_many_hosts_the_first_rows_of_each_are_shown_and_hosts_are_paged() -> None:
    page = build_facts([facts_of(f"web{number}", 700) for number in range(40)], 50, (0, 0))
    assert count_bytes(to_json(page)) < 26_000
    shown = {len(host.topics[0].rows) for host in page.hosts}
    assert len(shown) == 1
    assert shown.pop() >= 5
    assert page.next_cursor == "40"
    assert "match" in page.next
    assert build_facts([facts_of("web49", 1)], 50, (49, 0)).next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "1.", ".x", "1.2.3", "-1", "١"])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        read_position(cursor)


def test_pages_hold_fewer_hosts_for_more_topics() -> None:
    assert [page_hosts(number) for number in (1, 2, 7)] == [40, 20, 5]


def test_people_see_sizes_they_can_read_and_nothing_that_steers_a_terminal() -> None:
    rows: tuple[Row, ...] = ({"name": "a\x1b[31m", "size_bytes": 25_000_000_000, "search": ["b\n"]},)
    lines = [
        line.text for line in facts_lines([HostFacts("web1", (TopicFacts("disks", 7, rows, "no 'lsblk'"),), "gone")])
    ]
    assert lines[0] == "web1: could not be asked"
    assert "web1: disks, 1 row, read 7 s ago" in lines
    assert "25.0 GB" in lines[-1]
    assert "\x1b" not in "".join(lines)
