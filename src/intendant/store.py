"""Plans, approvals, runs and locks, kept in a database (SQLite by default, another by URL)."""

import base64
import contextlib
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import CompoundSelect, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from intendant.approvals import Approval
from intendant.errors import ApprovalNeeded, BusyError, InputError, NotFoundError, RefusedError, UsedError
from intendant.plans import CONTROLLER, Plan, PlanStatus
from intendant.runs import FINAL, Run
from intendant.tables import APPROVALS, LOCKS, PLAN_HOSTS, PLANS, RUNS, open_database


class HistoryEntry(BaseModel):
    """One line of the history, newest first."""

    model_config = ConfigDict(frozen=True)

    kind: str
    id: str
    plan_id: str
    at: datetime
    status: str
    summary: str
    hosts: tuple[str, ...]


class Store:
    """Every method is one transaction; several processes may use the same database."""

    def __init__(self, state_dir: Path, url: str = "") -> None:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        state_dir.chmod(0o700)
        self._engine = open_database(url or f"sqlite:///{state_dir / 'intendant.db'}")

    def add_plan(self, plan: Plan) -> None:
        """Keep a new plan as pending."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(PLANS).values(
                    id=plan.id,
                    digest=plan.digest,
                    created_at=_naive(plan.created_at),
                    status="pending",
                    document=plan.model_dump_json(),
                )
            )
            rows = [{"plan_id": plan.id, "host": host.host} for host in plan.hosts]
            if rows:
                connection.execute(insert(PLAN_HOSTS), rows)

    def add_known_plan(self, plan: Plan) -> Plan:
        """Keep a plan that may be here already; the one that is kept is returned, with its status as it was."""
        with contextlib.suppress(IntegrityError):
            self.add_plan(plan)
        return self.get_plan(plan.id)

    def get_plan(self, plan_id: str) -> Plan:
        """The plan as it was made.

        Raises:
            NotFoundError: no plan has this id.
        """
        plan = self.find_plan(plan_id)
        if plan is None:
            with self._engine.begin() as connection:
                raise NotFoundError(
                    "plan", plan_id, self._recent(connection, PLANS), "The history lists what there is."
                )
        return plan

    def find_plan(self, plan_id: str) -> Plan | None:
        """The plan, or None when there is none of this id."""
        with self._engine.begin() as connection:
            document = connection.execute(select(PLANS.c.document).where(PLANS.c.id == plan_id)).scalar()
        return None if document is None else Plan.model_validate_json(document)

    def plan_status(self, plan_id: str) -> PlanStatus:
        """Where the plan stands.

        Raises:
            NotFoundError: no plan has this id.
        """
        with self._engine.begin() as connection:
            status: PlanStatus | None = connection.execute(select(PLANS.c.status).where(PLANS.c.id == plan_id)).scalar()
        if status is None:
            raise NotFoundError("plan", plan_id, [], "The history lists what there is.")
        return status

    def set_plan_status(self, plan_id: str, status: PlanStatus, *, expected: PlanStatus) -> bool:
        """Move a plan from the expected status to another; False when it was in none such."""
        wanted = and_(PLANS.c.id == plan_id, PLANS.c.status == expected)
        with self._engine.begin() as connection:
            return connection.execute(update(PLANS).where(wanted).values(status=status)).rowcount == 1

    def add_approval(self, approval: Approval, sign_count: int = 0) -> None:
        """Keep an approval; it stays unused until a run takes it.

        Args:
            sign_count: what the passkey's authenticator has counted; 0 when it does not count.

        Raises:
            RefusedError: the authenticator has counted further before: this is an old answer, or another device's.
        """
        signed = approval.assertion
        credential = hashlib.sha256(signed.credential.encode()).hexdigest() if signed else None
        with self._engine.begin() as connection:
            if credential:
                counts = select(func.max(APPROVALS.c.sign_count)).where(APPROVALS.c.credential == credential)
                before = connection.execute(counts).scalar() or 0
                if before and sign_count <= before:
                    raise RefusedError(
                        "The passkey's counter went back: this answer is old, or there is a copy of the key. If it "
                        "happens again, take the key out of the passkeys file."
                    )
            connection.execute(
                insert(APPROVALS).values(
                    id=approval.id,
                    plan_id=approval.plan_id,
                    at=_naive(approval.at),
                    credential=credential,
                    sign_count=sign_count,
                    document=approval.model_dump_json(),
                )
            )

    def list_approvals(self, plan_id: str, *, unused: bool = True) -> list[Approval]:
        """Answers to a plan, newest first: those that no run has used, or those that one has."""
        used = APPROVALS.c.used_by.is_(None) if unused else APPROVALS.c.used_by.is_not(None)
        wanted = and_(APPROVALS.c.plan_id == plan_id, used)
        with self._engine.begin() as connection:
            rows = connection.execute(select(APPROVALS.c.document).where(wanted).order_by(APPROVALS.c.at.desc()))
            return [Approval.model_validate_json(row.document) for row in rows]

    def start_run(self, run: Run, approval: Approval, hosts: Iterable[str]) -> None:
        """Use up plan and approval, lock the hosts and keep the run, all or nothing.

        Raises:
            UsedError: the plan is not pending any more.
            ApprovalNeeded: the approval was used or is for another plan.
            BusyError: a host is locked by another run.
        """
        wanted = list(hosts)
        with self._engine.begin() as connection:
            pending = and_(PLANS.c.id == run.plan_id, PLANS.c.status == "pending", PLANS.c.digest == approval.digest)
            if connection.execute(update(PLANS).where(pending).values(status="applied")).rowcount != 1:
                raise UsedError(self._say_used(connection, run.plan_id))
            unused = and_(
                APPROVALS.c.id == approval.id, APPROVALS.c.plan_id == run.plan_id, APPROVALS.c.used_by.is_(None)
            )
            if connection.execute(update(APPROVALS).where(unused).values(used_by=run.id)).rowcount != 1:
                raise ApprovalNeeded(f"The approval of plan {run.plan_id} was used already. Plan again.")
            busy = connection.execute(select(LOCKS).where(LOCKS.c.host.in_(wanted))).first()
            if busy is not None:
                raise BusyError(f"Host {busy.host} is in use by run {busy.run_id}. Wait for it, or cancel it.")
            self._write_run(connection, run, new=True)
            if wanted:
                connection.execute(insert(LOCKS), [{"host": host, "run_id": run.id} for host in wanted])

    def save_run(self, run: Run) -> None:
        """Keep the run's progress; a finished one gives its hosts free. What has finished is never changed."""
        with self._engine.begin() as connection:
            self._write_run(connection, run, new=False)
            if run.finished:
                connection.execute(delete(LOCKS).where(LOCKS.c.run_id == run.id))

    def get_run(self, run_id: str) -> Run:
        """The run as of now.

        Raises:
            NotFoundError: no run has this id.
        """
        run = self.find_run(run_id)
        if run is None:
            with self._engine.begin() as connection:
                raise NotFoundError("run", run_id, self._recent(connection, RUNS), "The history lists what there is.")
        return run

    def find_run(self, run_id: str) -> Run | None:
        """The run, or None while there is none of this id."""
        with self._engine.begin() as connection:
            document = connection.execute(select(RUNS.c.document).where(RUNS.c.id == run_id)).scalar()
        return None if document is None else Run.model_validate_json(document)

    def runs_of_plan(self, plan_id: str) -> list[Run]:
        """At most one: a plan is applied once."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(RUNS.c.document).where(RUNS.c.plan_id == plan_id))
            return [Run.model_validate_json(row.document) for row in rows]

    def active_runs(self) -> list[Run]:
        """Runs that have not finished."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(RUNS.c.document).where(RUNS.c.status.not_in(FINAL)))
            return [Run.model_validate_json(row.document) for row in rows]

    def runs_on(self, hosts: Iterable[str]) -> list[Run]:
        """All runs of plans for at least one of the hosts, in the order in which they began."""
        plans = select(PLAN_HOSTS.c.plan_id).where(PLAN_HOSTS.c.host.in_(list(hosts)))
        query = select(RUNS.c.document).where(RUNS.c.plan_id.in_(plans)).order_by(RUNS.c.created_at, RUNS.c.id)
        with self._engine.begin() as connection:
            return [Run.model_validate_json(row.document) for row in connection.execute(query)]

    def last_runs(self) -> dict[str, Run]:
        """The newest run of each host that ever had one."""
        joined = RUNS.join(PLAN_HOSTS, RUNS.c.plan_id == PLAN_HOSTS.c.plan_id)
        query = select(PLAN_HOSTS.c.host, RUNS.c.document).select_from(joined).order_by(RUNS.c.created_at)
        with self._engine.begin() as connection:
            newest = {row.host: row.document for row in connection.execute(query)}
        parsed = {document: Run.model_validate_json(document) for document in set(newest.values())}
        return {host: parsed[document] for host, document in newest.items()}

    def list_history(self, host: str = "", limit: int = 50, cursor: str = "") -> tuple[list[HistoryEntry], str]:
        """Plans, approvals and runs, newest first, and the cursor of the next page ("" at the end).

        Raises:
            InputError: the cursor is not one that this method gave.
        """
        before = _decode_cursor(cursor) if cursor else None
        entries: list[HistoryEntry] = []
        with self._engine.begin() as connection:
            for kind, table, column in (
                ("plan", PLANS, PLANS.c.created_at),
                ("approval", APPROVALS, APPROVALS.c.at),
                ("run", RUNS, RUNS.c.created_at),
            ):
                query = select(table.c.document, column.label("at"), table.c.id).order_by(
                    column.desc(), table.c.id.desc()
                )
                plan_column = table.c.id if table is PLANS else table.c.plan_id
                if host:
                    query = query.where(plan_column.in_(_plans_about(host)))
                if before:
                    at, identity = before
                    query = query.where(or_(column < at, and_(column == at, table.c.id < identity)))
                rows = connection.execute(query.limit(limit + 1)).all()
                entries += [self._entry(connection, kind, row.document) for row in rows]
        entries.sort(key=lambda entry: (entry.at, entry.id), reverse=True)
        page = entries[:limit]
        more = len(entries) > limit
        return page, _encode_cursor(page[-1]) if more and page else ""

    def _entry(self, connection: Connection, kind: str, document: str) -> HistoryEntry:
        if kind == "plan":
            plan = Plan.model_validate_json(document)
            status = connection.execute(select(PLANS.c.status).where(PLANS.c.id == plan.id)).scalar()
            summary = plan.request or ", ".join(step.intent for step in plan.steps)
            if plan.kind == "inventory":
                summary = f"{plan.steps[0].intent} {plan.steps[0].params['name']}"
            return HistoryEntry(
                kind=kind, id=plan.id, plan_id=plan.id, at=plan.created_at, status=str(status), summary=summary,
                hosts=tuple(host.host for host in plan.hosts),
            )  # fmt: skip
        if kind == "approval":
            approval = Approval.model_validate_json(document)
            used = connection.execute(select(APPROVALS.c.used_by).where(APPROVALS.c.id == approval.id)).scalar()
            verb = "rejected by " if approval.verdict == "rejected" else ""
            summary = f"{verb}{approval.who} through {approval.through}" + (
                f": {approval.comment}" if approval.comment else ""
            )
            return HistoryEntry(
                kind=kind, id=approval.id, plan_id=approval.plan_id, at=approval.at,
                status="rejected" if verb else "used" if used else "unused", summary=summary, hosts=(),
            )  # fmt: skip
        run = Run.model_validate_json(document)
        verdict = {True: "as planned", False: "with deviations", None: ""}[run.as_planned]
        return HistoryEntry(
            kind=kind, id=run.id, plan_id=run.plan_id, at=run.created_at, status=run.status,
            summary=run.message or verdict, hosts=tuple(host.host for host in run.hosts),
        )  # fmt: skip

    @staticmethod
    def _write_run(connection: Connection, run: Run, *, new: bool) -> None:
        values = {"status": run.status, "document": run.model_dump_json()}
        if new:
            connection.execute(
                insert(RUNS).values(id=run.id, plan_id=run.plan_id, created_at=_naive(run.created_at), **values)
            )
        else:
            open_run = and_(RUNS.c.id == run.id, RUNS.c.status.not_in(FINAL))
            connection.execute(update(RUNS).where(open_run).values(**values))

    @staticmethod
    def _recent(connection: Connection, table: object) -> list[str]:
        return [row.id for row in connection.execute(select(table.c.id).order_by(table.c.created_at.desc()).limit(10))]  # type: ignore[attr-defined]

    @staticmethod
    def _say_used(connection: Connection, plan_id: str) -> str:
        run_id = connection.execute(select(RUNS.c.id).where(RUNS.c.plan_id == plan_id)).scalar()
        if run_id:
            return f"Plan {plan_id} was applied already, by run {run_id}. To do it again, plan again."
        status = connection.execute(select(PLANS.c.status).where(PLANS.c.id == plan_id)).scalar()
        return f"Plan {plan_id} cannot be applied: it is {status or 'unknown'}. Plan again."


def _plans_about(host: str) -> CompoundSelect[tuple[str]]:
    """Ids of the plans for a host, and of those that edit the inventory's entry for it."""
    at = select(PLAN_HOSTS.c.plan_id).where(PLAN_HOSTS.c.host == host)
    edits = select(PLAN_HOSTS.c.plan_id).join(PLANS, PLANS.c.id == PLAN_HOSTS.c.plan_id)
    is_edit = func.json_extract(PLANS.c.document, "$.kind") == "inventory"
    is_about = func.json_extract(PLANS.c.document, "$.steps[0].params.name") == host
    return at.union(edits.where(PLAN_HOSTS.c.host == CONTROLLER, is_edit, is_about))


def _naive(moment: datetime) -> datetime:
    """UTC without a zone, as every database stores it alike."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _encode_cursor(entry: HistoryEntry) -> str:
    return base64.urlsafe_b64encode(f"{_naive(entry.at).isoformat()} {entry.id}".encode()).decode()


def _decode_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        moment, _, identity = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return datetime.fromisoformat(moment), identity
    except ValueError as error:
        raise InputError("cursor: not one that the history gave. Leave it out for the first page.") from error
