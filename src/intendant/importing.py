"""Taking in a portable plan: it becomes a pending plan of this state folder, or is refused as stale.

Nothing in the file is trusted. Its snapshot has to be, byte for byte, what this project makes of the plan's steps, so
that somebody who writes a file of his own gets no more than somebody who asks for a plan; and what it says of the hosts
is predicted again before the run.
"""

import secrets
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from intendant import __version__
from intendant.binding import bind
from intendant.catalog import Catalog
from intendant.config import Config
from intendant.errors import InputError, IntendantError, RefusedError, StaleError
from intendant.intents import Step
from intendant.inventory import Inventory, InventoryView
from intendant.planning import check_steps, refuse_literals, snapshot_dir, write_snapshot
from intendant.plans import Plan, explain_drift
from intendant.policy import check_request, decide_approval
from intendant.portable import PortablePlan
from intendant.secrets import SecretBox
from intendant.snapshot import hash_snapshot
from intendant.store import Store

#: clocks of two machines may differ by this much.
_SKEW = timedelta(minutes=5)


class Importer:
    """Puts portable plans into the store.

    Args:
        check_step: raises for a step that may not be planned, whatever hosts it is for.
    """

    def __init__(
        self,
        config: Config,
        catalog: Catalog,
        inventory: Inventory,
        store: Store,
        box: SecretBox,
        now: Callable[[], datetime],
        check_step: Callable[[Step], None],
    ) -> None:
        self._config = config
        self._catalog = catalog
        self._inventory = inventory
        self._store = store
        self._box = box
        self._now = now
        self._check_step = check_step

    def import_plan(self, portable: PortablePlan) -> Plan:
        """The plan as it is kept here; the same file twice is the same plan, whatever became of it.

        Raises:
            StaleError: it has expired, or does not describe this project and its inventory.
            PolicyError: the policy of this project forbids it.
            InputError: it is not a plan that this project could have made.
        """
        plan = portable.plan
        if plan.kind != "hosts":
            raise InputError(f"Plan {plan.id} edits an inventory: that is planned where the inventory is.")
        known = self._store.find_plan(plan.id)
        if known is not None:
            _require_same(known, plan)
            if snapshot_dir(self._config, plan.id).is_dir() or self._store.plan_status(plan.id) != "pending":
                return known
        self._check_times(plan)
        view = self._check_request(plan)
        self._take_snapshot(portable, view)
        reason, channels = decide_approval(self._config.policy, plan, _groups(view))
        plan = plan.model_copy(update={"approval_reason": reason, "approval_channels": channels})
        kept = self._store.add_known_plan(plan)
        _require_same(kept, plan)
        return kept

    def _check_times(self, plan: Plan) -> None:
        now = self._now()
        if now >= plan.expires_at:
            raise StaleError(plan.id, [f"it expired at {plan.expires_at:%Y-%m-%d %H:%M:%S} UTC"])
        most = timedelta(seconds=max(self._config.plan_ttl_max_seconds, self._config.plan_ttl_seconds))
        if plan.expires_at - plan.created_at > most or plan.created_at > now + _SKEW:
            raise InputError(
                f"Plan {plan.id} lasts longer than the {most.total_seconds():.0f} seconds that this project allows "
                "(plan_ttl_max_seconds in intendant.toml), or it was made in the future: look at both clocks."
            )

    def _check_request(self, plan: Plan) -> InventoryView:
        try:
            steps = check_steps(self._catalog, self._config.policy, self._check_step, plan.steps)
            if steps != plan.steps:
                raise InputError("steps: they are not in the form that a plan holds them in.")
            refuse_literals(self._catalog, steps)
            view = self._inventory.read(plan.pattern)
        except RefusedError:
            raise
        except (IntendantError, OSError) as error:
            raise StaleError(plan.id, [str(error)]) from error
        check_request(self._config.policy, [step.intent for step in plan.steps], _groups(view))
        return view

    def _take_snapshot(self, portable: PortablePlan, view: InventoryView) -> None:
        plan, folder = portable.plan, snapshot_dir(self._config, portable.plan.id)
        fresh = folder.with_name(f".{plan.id}-{secrets.token_hex(4)}")
        try:
            write_snapshot(self._config, self._catalog, self._box, fresh, plan.steps, view, portable.uploads())
            self._compare(portable, view, fresh)
            try:
                fresh.replace(folder)
            except OSError:
                if not folder.is_dir():  # another process took the same file in
                    raise
        except RefusedError:
            raise
        except (IntendantError, OSError) as error:
            raise StaleError(plan.id, [str(error)]) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _compare(self, portable: PortablePlan, view: InventoryView, fresh: Path) -> None:
        plan, seal = portable.plan, portable.plan.bindings.seal
        assert seal is not None  # it came out of a file
        roles = {step.intent: self._catalog.role_dir(step.intent) for step in plan.steps}
        current = bind(self._config, self._box, view, roles, fresh, seal.salt)
        planned = plan.bindings.model_copy(update={"params": current.params})
        moved = explain_drift(planned, current)[:10]
        here, there = hash_snapshot(fresh), portable.hashes
        if not moved and here != there:
            names = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
            moved = [f"{', '.join(names[:5])} in it is not what this project makes of its steps"]
        if moved:
            if seal.intendant != __version__:
                moved.append(f"it was made by Intendant {seal.intendant}, this is {__version__}")
            raise StaleError(plan.id, moved)


def _groups(view: InventoryView) -> dict[str, tuple[str, ...]]:
    return {name: host.groups for name, host in view.hosts.items()}


def _require_same(known: Plan, plan: Plan) -> None:
    if known.digest != plan.digest:
        raise InputError(f"Another plan has the id {plan.id} here, and a plan cannot be replaced. Plan again.")
