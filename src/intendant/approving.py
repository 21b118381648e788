"""Recording a person's (or the policy's) answer to a plan. No MCP tool reaches this by itself."""

from collections.abc import Callable, Sequence
from datetime import datetime

from intendant.approvals import Approval, Assertion, Channel
from intendant.authenticators import check_approval, count_signatures
from intendant.errors import IntendantError, RefusedError, StaleError, UsedError
from intendant.passkeys import PasskeyFile
from intendant.planning import new_id
from intendant.plans import Plan
from intendant.policy import suffices
from intendant.store import Store


class Approver:
    """Binds answers to plan digests."""

    def __init__(self, store: Store, now: Callable[[], datetime], keys: PasskeyFile) -> None:
        self._store = store
        self._now = now
        self._keys = keys

    def record(
        self,
        plan_id: str,
        digest: str,
        *,
        who: str,
        channel: Channel,
        comment: str = "",
        assertion: Assertion | None = None,
    ) -> Approval:
        """Keep an approval of the plan whose digest the person saw; it lasts as long as the plan.

        Args:
            assertion: what the passkey signed; for the channel ``passkey``, and for that alone.

        Raises:
            NotFoundError: no such plan.
            StaleError: the plan has expired, its digest is another, or the stored plan does not fit it.
            UsedError: the plan was applied already.
            RefusedError: there is nothing to approve, the plan was rejected, or no enrolled passkey signed this.
        """
        plan = self._store.get_plan(plan_id)
        status = self._store.plan_status(plan_id)
        if status == "applied":
            raise UsedError(f"Plan {plan_id} was applied already. Plan again.")
        if status != "pending":
            raise RefusedError(f"Plan {plan_id} is {status}. Plan again.")
        if plan.digest != plan.compute_digest():
            raise StaleError(plan_id, ["the stored plan was altered"])
        if digest != plan.digest:
            raise StaleError(plan_id, ["the approval is for another digest"])
        if self._now() >= plan.expires_at:
            raise StaleError(plan_id, ["it has expired"])
        if not plan.applyable:
            raise RefusedError(f"Plan {plan_id} has nothing to apply, so there is nothing to approve.")
        approval = self._answer(plan, who, channel, comment).model_copy(update={"assertion": assertion})
        if channel == "passkey":
            check_approval(approval, self._keys.load())
        self._store.add_approval(approval, count_signatures(assertion) if assertion else 0)
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

        One through a passkey counts only when its signature holds, whoever wrote it into the store.

        Args:
            channels: those that count, any when empty (default: those that the policy wanted when the plan was made).
        """
        plan = self._store.get_plan(plan_id)
        wanted = plan.approval_channels if channels is None else channels
        for approval in self._store.list_approvals(plan_id):
            fits = approval.verdict == "approved" and approval.digest == plan.digest
            fits = fits and suffices(approval.channel, wanted) and self._now() < approval.until
            if fits and not self._find_flaw(approval):
                return approval
        return None

    def explain_flaw(self, plan_id: str) -> str:
        """Why the newest approval of the plan through a passkey does not count; empty when there is none such."""
        signed = [found for found in self._store.list_approvals(plan_id) if found.channel == "passkey"]
        return self._find_flaw(signed[0]) if signed else ""

    def _find_flaw(self, approval: Approval) -> str:
        if approval.channel != "passkey":
            return ""
        try:
            check_approval(approval, self._keys.load())
        except IntendantError as error:
            return str(error)
        return ""

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
