"""A run outlives whoever asked for it; and when its own process dies, everybody is told."""

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from intendant.errors import UsedError
from intendant.runs import Run
from lab.hosts import LabHost
from support.locks import held_locks
from support.projects import Project, apply, plan
from support.servers import LibraryServer, McpServer, Server
from support.ticking import make_ticking, plan_ticks, read_ticks

_KILLS = 20
_LANES = ("web1", "web2", "web3", "web4")
_KINDS: tuple[Callable[[Path, str], Server], ...] = (LibraryServer, McpServer)


@dataclass(frozen=True)
class Kill:
    """What was seen of one kill: ``began`` when the run existed by then, ``alive`` when it had not finished."""

    moment: float
    began: bool
    alive: bool


@pytest.fixture
def hosts(trixie_host: LabHost, bookworm_host: LabHost) -> dict[str, LabHost]:
    for host in (trixie_host, bookworm_host):
        host.run("rm -f /var/tmp/ticks*")
    return dict(zip(_LANES, (trixie_host, bookworm_host) * 2, strict=True))


@pytest.fixture
def project(tmp_path: Path, hosts: dict[str, LabHost]) -> Project:
    return make_ticking(tmp_path / "project", hosts)


def measure_apply(project: Project, host: str, kind: Callable[[Path, str], Server]) -> float:
    """The seconds that an undisturbed apply takes."""
    with kind(project.directory, plan_ticks(project, host).id) as server:
        started = time.monotonic()
        server.apply()
        server.await_end()
        return time.monotonic() - started


def kill_and_look(project: Project, host: str, kind: Callable[[Path, str], Server], moment: float) -> Kill:
    """Kill a server so many seconds after it was asked to apply, and let the next one do the same again."""
    planned = plan_ticks(project, host)
    with kind(project.directory, planned.id) as server:
        server.apply()
        time.sleep(moment)
    app = project.open()
    seen = app.store.runs_of_plan(planned.id)
    with suppress(UsedError):  # which says that the killed server had come far enough
        app.applier.apply_plan(planned.id, wait_seconds=60)
    [run] = app.store.runs_of_plan(planned.id)
    run = app.applier.wait_run(run.id, 60)
    assert (run.status, run.as_planned) == ("succeeded", True), f"killed after {moment:.2f} s: {run}"
    assert run.id in [entry.id for entry in app.store.list_history(host=host)[0]]
    return Kill(moment, began=bool(seen), alive=not any(run.finished for run in seen))


@pytest.mark.long
def test_a_run_survives_the_death_of_the_server_at_any_moment(project: Project, hosts: dict[str, LabHost]) -> None:
    kinds = [_KINDS[number % 2] for number in range(_KILLS)]
    with ThreadPoolExecutor(len(_LANES)) as pool:
        durations = list(pool.map(measure_apply, [project] * 4, _LANES, kinds[:4]))
        longest = max(durations)
        moments = [longest * (number + random.random()) / _KILLS for number in range(_KILLS)]
        random.shuffle(moments)

        def work(lane: int) -> list[Kill]:
            numbers = range(lane, _KILLS, len(_LANES))
            # Not the same kind again and again on one host.
            own = [(kinds[number // len(_LANES)], moments[number]) for number in numbers]
            return [kill_and_look(project, _LANES[lane], kind, moment) for kind, moment in own]

        kills = [kill for found in pool.map(work, range(len(_LANES))) for kill in found]
    for name, host in hosts.items():
        assert read_ticks(host, name) == ["one", "two"] * (1 + _KILLS // len(_LANES))
    assert held_locks(project.state) == {}
    assert project.open().store.active_runs() == []
    # The moments were worth something: kills before the run existed, and many while it was going on.
    assert any(not kill.began for kill in kills), kills
    assert sum(kill.began and kill.alive for kill in kills) >= _KILLS // 4, kills


def start_resting(project: Project, plan_id: str) -> Run:
    """The run of a plan, in the middle of its task ``Rest``."""
    applier = project.open().applier
    run = applier.apply_plan(plan_id, wait_seconds=0)
    # A guard against hanging for ever, no bound on how quick a busy machine has to be.
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and not run.finished:
        run = applier.wait_run(run.id)
        if run.current_task == "Rest":
            return run
        time.sleep(0.1)
    log = (project.state / "runs" / run.id / "log").read_text(encoding="utf-8")
    raise AssertionError(f"{run.status} at {run.current_task!r}: {run.message}\n{log}")


def processes_of(project: Project) -> list[str]:
    """Command lines of living processes that have to do with the project, but for this one."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = " ".join(process.info["cmdline"] or [])
        living = process.info["status"] != psutil.STATUS_ZOMBIE and process.info["pid"] != os.getpid()
        if living and str(project.directory) in words:
            found.append(words)
    return found


def test_the_death_of_the_runs_own_process_is_told_and_leaves_nothing_behind(
    project: Project, hosts: dict[str, LabHost]
) -> None:
    run = start_resting(project, plan_ticks(project, "web1", "5").id)
    assert run.pid is not None
    assert any("ansible-playbook" in words or "playbook.yml" in words for words in processes_of(project))
    os.kill(run.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while processes_of(project) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(project) == []
    app = project.open()
    ended = app.store.get_run(run.id)
    assert (ended.status, ended.as_planned) == ("interrupted", False)
    assert "The run's own process died" in ended.message
    assert [(host.status, [change.task for change in host.changes]) for host in ended.hosts] == [
        ("unfinished", ["Count one"])
    ]
    assert held_locks(project.state) == {}
    [entry] = [entry for entry in app.store.list_history(host="web1")[0] if entry.id == run.id]
    assert (entry.status, entry.hosts) == ("interrupted", ("web1",))
    with pytest.raises(UsedError, match=f"applied already, by {run.id}"):
        app.applier.apply_plan(run.plan_id)
    assert read_ticks(hosts["web1"], "web1") == ["one"]


@pytest.mark.long
def test_after_an_interrupted_run_a_new_plan_shows_what_is_left_and_is_applied(
    project: Project, hosts: dict[str, LabHost]
) -> None:
    folder = "/var/tmp/ticks-folder"
    write = "- name: Write {0}\n  ansible.builtin.copy: {{content: '{0}', dest: {1}-{0}, mode: '0644'}}\n"
    rest = "- name: Rest\n  ansible.builtin.wait_for: {timeout: 3}\n"
    project.write_role("pair", write.format("first", folder) + rest + write.format("second", folder))
    app = project.open()
    before = plan(app, "web2", ("pair", {}))
    assert [change.task for change in before.hosts[0].changes] == ["Write first", "Write second"]
    run = start_resting(project, before.id)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    assert app.applier.wait_run(run.id, 10).status == "interrupted"
    left = plan(app, "web2", ("pair", {}))
    assert [change.task for change in left.hosts[0].changes] == ["Write second"]
    done = apply(app, left.id)
    assert (done.status, done.as_planned) == ("succeeded", True)
    assert hosts["web2"].run(f"cat {folder}-first {folder}-second").stdout == "firstsecond"


def test_a_hang_up_of_the_terminal_leaves_the_run_going(project: Project, hosts: dict[str, LabHost]) -> None:
    run = start_resting(project, plan_ticks(project, "web3", "2").id)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGHUP)
    ended = project.open().applier.wait_run(run.id, 60)
    assert (ended.status, ended.as_planned) == ("succeeded", True)
    assert read_ticks(hosts["web3"], "web3") == ["one", "two"]
