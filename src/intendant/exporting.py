"""What was planned or done, as a playbook that runs without Intendant. Reads the history, writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from intendant.captions import Contents, caption_file, caption_play, say, title_play, title_task
from intendant.catalog import Catalog
from intendant.config import Config
from intendant.errors import InputError, ProjectError
from intendant.folding import fold_steps
from intendant.intents import Intent, Step
from intendant.inventory import Inventory
from intendant.placeholders import Placeholders
from intendant.plans import Plan, canonical_json
from intendant.playbooks import Play, Task, looks_like_template, write_playbook
from intendant.runs import Run
from intendant.secrets import list_references
from intendant.store import Store
from intendant.things import Done, acts_once

_DONE = ("ok", "changed")
_NAMED = "Give exactly one of plans (ids), runs (ids) and hosts (a pattern: everything that was applied there)."


@dataclass(frozen=True)
class Export:
    """A playbook, with what is not in it and why, and the secret variables that somebody has to set first."""

    text: str
    left_out: tuple[str, ...]
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """A plan on the hosts that it counts for."""

    plan: Plan
    hosts: tuple[str, ...]
    run: Run | None = None


@dataclass(frozen=True)
class _Placed:
    """A step that is left, with all hosts that it is left for."""

    done: Done
    hosts: tuple[str, ...]


class Exporter:
    """Turns the history into a playbook."""

    def __init__(self, config: Config, catalog: Catalog, inventory: Inventory, store: Store) -> None:
        self._config = config
        self._catalog = catalog
        self._inventory = inventory
        self._store = store

    def export(self, *, plans: Sequence[str] = (), runs: Sequence[str] = (), hosts: str = "") -> Export:
        """The playbook of these plans, of these runs, or of all that was applied to hosts that match a pattern.

        Raises:
            InputError: none or several of the three are given; a plan edits the inventory; a run did not succeed on
                any host; or nothing was applied to the hosts. NotFoundError: no such plan, run or host.
        """
        if [bool(plans), bool(runs), bool(hosts.strip())].count(True) != 1:
            raise InputError(_NAMED)
        left_out: list[str] = []
        patterns: dict[tuple[str, ...], str] = {}
        if hosts.strip():
            names = tuple(sorted(self._inventory.read(hosts).hosts))
            patterns[names] = hosts
            sources = list(self._find_applied(names, left_out))
            what = f"everything that was applied to {hosts}"
        else:
            chosen = [self._choose_plan(name) for name in dict.fromkeys(plans)]
            chosen += [self._choose_run(name, left_out) for name in dict.fromkeys(runs)]
            sources = sorted(chosen, key=lambda one: (one.run or one.plan).created_at)
            for source in sources:
                if len(source.hosts) == len(source.plan.hosts):
                    patterns.setdefault(source.hosts, source.plan.pattern)
            what = ", ".join((*plans, *runs))
        placed = self._fold(sources, left_out)
        if not placed:
            why = f" Left out: {'; '.join(left_out)}." if left_out else ""
            raise InputError(f"Nothing to export of {what}: no step of it was applied.{why} See the history.")
        return self._write(what, placed, sources, patterns, left_out)

    def _choose_plan(self, plan_id: str) -> _Source:
        plan = self._require_hosts(self._store.get_plan(plan_id))
        run = next(iter(self._store.runs_of_plan(plan.id)), None)
        return _Source(plan, tuple(sorted(host.host for host in plan.hosts)), run)

    def _choose_run(self, run_id: str, left_out: list[str]) -> _Source:
        run = self._store.get_run(run_id)
        plan = self._require_hosts(self._store.get_plan(run.plan_id))
        hosts = _succeeded(run)
        if not hosts:
            raise InputError(
                f"runs: {run.id} is {run.status}, and its plan {plan.id} holds on no host. Leave it out, or export "
                f"what was planned by plans: {plan.id}."
            )
        if others := [host.host for host in run.hosts if host.host not in hosts]:
            left_out.append(f"{', '.join(others)} of {run.id}, where it did not succeed")
        return _Source(plan, hosts, run)

    @staticmethod
    def _require_hosts(plan: Plan) -> Plan:
        if plan.kind != "hosts":
            raise InputError(f"{plan.id} edits the inventory: the inventory's own file is its record. Leave it out.")
        return plan

    def _find_applied(self, names: tuple[str, ...], left_out: list[str]) -> Iterator[_Source]:
        for run in self._store.runs_on(names):
            plan = self._store.get_plan(run.plan_id)
            if plan.kind != "hosts":
                left_out.append(f"{plan.id}, an edit of the inventory: the inventory's own file is its record")
                continue
            done = tuple(name for name in _succeeded(run) if name in names)
            missed = [host.host for host in plan.hosts if host.host in names and host.host not in done]
            if missed:
                left_out.append(f"{run.id} ({run.status}) on {', '.join(missed)}: {say(plan)}")
            if done:
                yield _Source(plan, done, run)

    def _fold(self, sources: Sequence[_Source], left_out: list[str]) -> list[_Placed]:
        """The steps that are left, each with its hosts, in order."""
        steps = [self._list_steps(number, source, left_out) for number, source in enumerate(sources)]
        found: dict[bytes, list[tuple[Done, str]]] = {}
        for host in sorted({host for source in sources for host in source.hosts}):
            own = [step for source, all_ in zip(sources, steps, strict=True) if host in source.hosts for step in all_]
            kept, lost = fold_steps(own)
            for done in lost:
                left_out.append(f"{done.intent.name} of {done.plan_id} on {host}: what it needs was removed later")
            for done in kept:
                key = canonical_json([done.place, done.plan_id, done.params])
                found.setdefault(key, []).append((done, host))
        placed = [_Placed(every[0][0], tuple(host for _, host in every)) for every in found.values()]
        return sorted(placed, key=lambda one: (one.done.place, one.hosts))

    def _list_steps(self, number: int, source: _Source, left_out: list[str]) -> list[Done]:
        found = []
        for position, step in enumerate(source.plan.steps):
            try:
                intent = self._catalog.get(step.intent)
                params = self._place_uploads(intent, step)
            except InputError as error:
                if isinstance(error, ProjectError):
                    raise
                left_out.append(f"{step.intent} of {source.plan.id}: {error}")
                continue
            found.append(Done((number, position), source.plan.id, intent, params))
        return found

    def _place_uploads(self, intent: Intent, step: Step) -> dict[str, object]:
        """The params, with files named as they lie below the upload folder."""
        params: dict[str, object] = dict(step.params)
        for name in intent.uploads:
            if isinstance(value := params.get(name), str):
                path = (self._config.uploads / value).resolve()
                inside = path.is_relative_to(self._config.uploads)
                params[name] = path.relative_to(self._config.uploads).as_posix() if inside else value
                if looks_like_template(value):
                    raise InputError(f"{name}: the name {value!r} would be a template in a playbook; rename the file")
        return params

    def _write(
        self,
        what: str,
        placed: Sequence[_Placed],
        sources: Sequence[_Source],
        patterns: dict[tuple[str, ...], str],
        left_out: Sequence[str],
    ) -> Export:
        secrets = Placeholders()
        of_plan = {source.plan.id: source for source in sources}
        plays = []
        for (plan_id, hosts), group in groupby(placed, key=lambda one: (one.done.plan_id, one.hosts)):
            tasks = tuple(_make_task(one.done, secrets) for one in group)
            comments = caption_play(of_plan[plan_id].plan, of_plan[plan_id].run, tasks)
            shown = (patterns[hosts],) if hosts in patterns else hosts
            plays.append(Play(title_play(tasks), shown, tasks, comments))
        done = [task for play in plays for task in play.tasks]
        contents = Contents(
            what,
            tuple(dict.fromkeys(left_out)),
            roles=sorted({task.step.intent for task in done}),
            secrets=secrets.names,
            variables=list_references(task.step for task in done),
            uploads=sorted({str(task.step.params[name]) for task in done for name in task.uploads}),
            once=any(task.once for task in done),
        )
        return Export(write_playbook(plays, caption_file(contents)), tuple(contents.left_out), tuple(secrets.names))


def _make_task(done: Done, secrets: Placeholders) -> Task:
    step = secrets.fill(done.intent, done.params, done.plan_id)
    uploads = tuple(name for name in done.intent.uploads if isinstance(step.params.get(name), str))
    return Task(title_task(done.intent, step), step, uploads, acts_once(done.intent, step.params))


def _succeeded(run: Run) -> tuple[str, ...]:
    """Hosts that are as the plan wanted them."""
    if run.status not in ("succeeded", "partial"):
        return ()
    return tuple(sorted(host.host for host in run.hosts if host.status in _DONE))
