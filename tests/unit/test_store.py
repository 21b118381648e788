"""The store alone: what is all or nothing, what never changes, and how it opens."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC
from importlib.resources import files
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from intendant.errors import ApprovalNeeded, BusyError, NotFoundError, UsedError
from intendant.plans import HostPlan
from intendant.runs import FINAL, HostRun
from intendant.secrets import SecretBox
from intendant.store import Store
from intendant.tables import METADATA, open_database
from support.locks import held_locks
from unit.samples import AT, make_change, make_plan
from unit.stored import add_approval, add_plan, new_run


def test_of_many_starts_of_one_plan_exactly_one_succeeds(tmp_path: Path, store: Store) -> None:
    plan = add_plan(store, "plan-1", "web1", "web2")
    approvals = [add_approval(store, plan, f"approval-{number}") for number in range(8)]
    gate = Barrier(8)

    def start(number: int) -> str:
        own = Store(tmp_path)  # as another process has it
        gate.wait()
        try:
            own.start_run(new_run(plan, f"run-{number}"), approvals[number], plan.healthy_hosts)
        except UsedError as refused:
            return str(refused)
        return "started"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(start, range(8)))
    assert answers.count("started") == 1
    winner = f"run-{answers.index('started')}"
    assert held_locks(tmp_path) == {"web1": winner, "web2": winner}
    assert [run.id for run in store.runs_of_plan(plan.id)] == [winner]
    assert all(f"applied already, by run {winner}" in answer for answer in answers if answer != "started")
    assert len(store.list_approvals(plan.id)) == 7


def test_of_plans_that_share_a_host_one_starts_and_the_others_stay_as_they_were(tmp_path: Path, store: Store) -> None:
    plans = [add_plan(store, f"plan-{number}", "shared", f"own{number}") for number in range(6)]
    approvals = [add_approval(store, plan, f"approval-{plan.id}") for plan in plans]
    gate = Barrier(6)

    def start(number: int) -> bool:
        own = Store(tmp_path)
        gate.wait()
        try:
            own.start_run(new_run(plans[number], f"run-{number}"), approvals[number], plans[number].healthy_hosts)
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        started = list(pool.map(start, range(6)))
    assert sum(started) == 1
    winner = started.index(True)
    assert held_locks(tmp_path) == {"shared": f"run-{winner}", f"own{winner}": f"run-{winner}"}
    for number, plan in enumerate(plans):
        won = number == winner
        assert store.plan_status(plan.id) == ("applied" if won else "pending")
        assert bool(store.list_approvals(plan.id)) is not won


def test_an_approval_is_used_once_and_for_its_own_plan(store: Store) -> None:
    first, second = add_plan(store, "plan-1", "web1"), add_plan(store, "plan-2", "web2")
    approval = add_approval(store, first, "approval-1")
    with pytest.raises(ApprovalNeeded):
        store.start_run(new_run(second, "run-2"), approval, ["web2"])
    store.start_run(new_run(first, "run-1"), approval, ["web1"])
    assert store.set_plan_status(first.id, "pending", expected="applied")
    with pytest.raises(ApprovalNeeded, match="used already"):
        store.start_run(new_run(first, "run-3"), approval, ["web1"])
    assert store.plan_status(first.id) == "pending"
    assert store.list_approvals(first.id) == []


def test_an_approval_of_another_digest_starts_nothing(store: Store, tmp_path: Path) -> None:
    plan = add_plan(store, "plan-1", "web1")
    approval = add_approval(store, plan, "approval-1").model_copy(update={"digest": "f" * 64})
    with pytest.raises(UsedError, match="cannot be applied"):
        store.start_run(new_run(plan, "run-1"), approval, ["web1"])
    assert held_locks(tmp_path) == {}


@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_finished_run_frees_its_hosts_and_never_changes(status: str, store: Store, tmp_path: Path) -> None:
    plan = add_plan(store, "plan-1", "web1")
    run = new_run(plan, "run-1")
    store.start_run(run, add_approval(store, plan, "approval-1"), ["web1"])
    store.save_run(run.model_copy(update={"status": "running"}))
    assert held_locks(tmp_path) == {"web1": "run-1"}
    assert [active.id for active in store.active_runs()] == ["run-1"]
    ended = run.model_copy(update={"status": status, "message": "the end"})
    store.save_run(ended)
    assert (held_locks(tmp_path), store.active_runs()) == ({}, [])
    for later in ("running", *sorted(FINAL - {status})):
        store.save_run(run.model_copy(update={"status": later, "message": "too late"}))
    assert store.get_run("run-1") == ended


def test_a_late_word_of_a_finished_run_frees_no_host_of_another(store: Store, tmp_path: Path) -> None:
    plan, other = add_plan(store, "plan-1", "web1"), add_plan(store, "plan-2", "web1")
    run = new_run(plan, "run-1")
    store.start_run(run, add_approval(store, plan, "approval-1"), ["web1"])
    store.save_run(run.model_copy(update={"status": "interrupted"}))
    store.start_run(new_run(other, "run-2"), add_approval(store, other, "approval-2"), ["web1"])
    store.save_run(run.model_copy(update={"status": "succeeded"}))
    assert held_locks(tmp_path) == {"web1": "run-2"}


@pytest.mark.parametrize("read", [Store.get_plan, Store.plan_status, Store.get_run])
def test_unknown_ids_are_told_so(read: Callable[[Store, str], object], store: Store) -> None:
    add_plan(store, "plan-1", "web1")
    with pytest.raises(NotFoundError, match="nothing-of-that-name"):
        read(store, "nothing-of-that-name")


def test_a_reopened_store_holds_what_was_kept(tmp_path: Path, store: Store) -> None:
    plan = add_plan(store, "plan-1", "web1")
    run = new_run(plan, "run-1").model_copy(update={"hosts": (HostRun(host="web1", status="changed"),)})
    store.start_run(run, add_approval(store, plan, "approval-1"), ["web1"])
    again = Store(tmp_path)
    assert (again.get_plan("plan-1"), again.get_run("run-1")) == (plan, run)
    assert again.get_run("run-1").created_at.tzinfo == UTC


def test_the_migrations_make_the_tables_that_the_store_uses(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    # Indexes and NOT NULL are the migrations' own affair.
    kinds = [entry[0] for entry in differences if isinstance(entry, tuple)]
    assert not {"add_table", "remove_table", "add_column", "remove_column"} & set(kinds)
    with closing(sqlite3.connect(tmp_path / "new.db")) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]


def test_a_store_of_an_earlier_version_keeps_its_approvals(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'intendant.db'}")
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(files("intendant") / "migrations"))
    plan = make_plan(HostPlan(host="web1", changes=(make_change(),)), id="plan-1")
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.exec_driver_sql(
            "INSERT INTO plans VALUES (?, ?, ?, 'pending', ?)",
            ("plan-1", plan.digest, str(AT.replace(tzinfo=None)), plan.model_dump_json()),
        )
        old = {"id": "approval-1", "plan_id": "plan-1", "digest": plan.digest, "who": "ann", "channel": "page"}
        old |= {"at": AT.isoformat(), "until": AT.isoformat(), "comment": "", "verdict": "approved"}
        connection.exec_driver_sql(
            "INSERT INTO approvals (id, plan_id, at, document) VALUES (?, ?, ?, ?)",
            ("approval-1", "plan-1", str(AT.replace(tzinfo=None)), json.dumps(old)),
        )
    engine.dispose()
    [kept] = Store(tmp_path).list_approvals("plan-1")
    assert (kept.who, kept.channel, kept.assertion) == ("ann", "page", None)


def test_the_state_folder_and_the_key_are_the_owners_alone(tmp_path: Path) -> None:
    Store(tmp_path / "state")
    box = SecretBox(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert box.key_file.stat().st_mode & 0o777 == 0o600


_OPEN = """
import sys
from pathlib import Path
from intendant.secrets import SecretBox
from intendant.store import Store
print("ready", flush=True)
sys.stdin.readline()
store, box = Store(Path(sys.argv[1])), SecretBox(Path(sys.argv[1]))
print(len(store.list_history()[0]), box.fingerprint("one text"))
"""


def test_processes_that_open_a_new_state_folder_at_once_share_one_database_and_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OPEN, str(tmp_path / "state")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(5)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 5
    assert answers == {f"0 {SecretBox(tmp_path / 'state').fingerprint('one text')}\n"}
