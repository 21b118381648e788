"""Recording a person's (or the policy's) answer to a plan. No MCP tool reaches this by itself."""

from collections.abc import Callable, Sequence
from datetime import datetime

from intendant.approvals import Approval, Channel
from intendant.errors import RefusedError, StaleError, UsedError
from intendant.planning import new_id
from intendant.plans import Plan
from intendant.store import Store


class Approver:
    """Binds answers to plan digests."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def record(self, plan_id: str, digest: str, *, who: str, channel: Channel, comment: str = "") -> Approval:
        """Keep an approval of the plan whose digest the person saw; it lasts as long as the plan.

        Raises:
            NotFoundError: no such plan.
            StaleError: the plan has expired, or its digest is another.
            UsedError: the plan was applied already.
            RefusedError: there is nothing to approve, or the plan was rejected.
        """
        plan = self._store.get_plan(plan_id)
        status = self._store.plan_status(plan_id)
        if status == "applied":
            raise UsedError(f"Plan {plan_id} was applied already. Plan again.")
        if status != "pending":
            raise RefusedError(f"Plan {plan_id} is {status}. Plan again.")
        if digest != plan.digest:
            raise StaleError(plan_id, ["the approval is for another digest"])
        if self._now() >= plan.expires_at:
            raise StaleError(plan_id, ["it has expired"])
        if not plan.applyable:
            raise RefusedError(f"Plan {plan_id} has nothing to apply, so there is nothing to approve.")
        approval = self._answer(plan, who, channel, comment)
        self._store.add_approval(approval)
        return approval

    def reject(self, plan_id: str, *, who: str, channel: Channel, comment: str = "") -> None:
        """Close the plan: it can no longer be approved or applied; the history says who did it.

        Raises:
            NotFoundError: no such plan.
            UsedError: the plan is not pending any more.
        """
        plan = self._store.get_plan(plan_id)
        if not self._store.set_plan_status(plan_id, "rejected", expected="pending"):
            raise UsedError(f"Plan {plan_id} is {self._store.plan_status(plan_id)}: it cannot be rejected any more.")
        self._store.add_approval(self._answer(plan, who, channel, comment).model_copy(update={"verdict": "rejected"}))

    def current(self, plan_id: str, channels: Sequence[str] | None = None) -> Approval | None:
        """The newest approval that would let the plan be applied now, or None.

        Args:
            channels: those that count, any when empty (default: those that the policy wanted when the plan was made).
        """
        plan = self._store.get_plan(plan_id)
        wanted = plan.approval_channels if channels is None else channels
        for approval in self._store.list_approvals(plan_id):
            fits = approval.verdict == "approved" and approval.digest == plan.digest
            fits = fits and (not wanted or approval.channel in wanted)
            if fits and self._now() < approval.until:
                return approval
        return None

    def _answer(self, plan: Plan, who: str, channel: Channel, comment: str) -> Approval:
        return Approval(
            id=new_id("approval"),
            plan_id=plan.id,
            digest=plan.digest,
            who=who,
            channel=channel,
            at=self._now(),
            until=plan.expires_at,
            comment=comment[:2000],
        )
