"""Approval through the client: the question that a person gets, and what their answer means."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from mcp.server.mcpserver import Elicit
from pydantic import BaseModel, Field

from intendant.errors import ApprovalNeeded
from intendant.tools.state import Ctx, get_app, run_short
from intendant.views.lines import join_names, plural
from intendant.views.text import summarize_plan

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

_QUESTION_BYTES = 3_500


class ApprovalForm(BaseModel):
    """The form that the client shows. No default for the yes: it has to be given."""

    approve: bool = Field(title="Apply this plan", description="Yes applies exactly the changes listed above.")
    comment: str = Field("", title="Comment", description="Kept in the history.", max_length=500)


class NoQuestion(BaseModel):
    """There is nothing to ask, or nobody who could be asked: the plan's state decides alone."""


async def ask_approval(plan_id: str, ctx: Ctx) -> Elicit[ApprovalForm] | NoQuestion:
    """The question about a plan that waits for approval, if this client can ask it.

    Raises:
        NotFoundError: no such plan.
    """
    app = await get_app(ctx)
    plan = await run_short(lambda: app.store.get_plan(plan_id))
    if not can_ask_form(ctx) or not await run_short(lambda: _is_open(app, plan)):
        return NoQuestion()
    return Elicit(build_question(plan), ApprovalForm)


def can_ask_form(ctx: Ctx) -> bool:
    """Whether the client puts questions as forms of its own."""
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities is not None else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def build_question(plan: "Plan") -> str:
    """What the person decides by: the same text for the same plan, whenever and however often it is asked."""
    marks = []
    if deleted := plan.counts["delete"]:
        marks.append(f"DESTRUCTIVE: it deletes {plural(deleted, 'thing')}.")
    if not plan.complete:
        marks.append("INCOMPLETE: it does more, or less, than could be predicted.")
    hosts = f"{plural(len(plan.healthy_hosts), 'host')}: {join_names(plan.healthy_hosts, 12)}"
    return "\n".join(
        [
            f"Apply plan {plan.id} to {'the inventory of this project' if plan.kind == 'inventory' else hosts}?",
            f"Digest {plan.digest[:16]}, valid until {plan.expires_at:%Y-%m-%d %H:%M} UTC.",
            *marks,
            "",
            summarize_plan(plan, _QUESTION_BYTES),
        ]
    )


def record_answer(app: "App", plan_id: str, answer: object, who: str) -> None:
    """Turn the person's yes into an approval of the plan that they were shown.

    Raises:
        ApprovalNeeded: they did not say yes; nothing was recorded and no host was touched.
        StaleError, UsedError: the answer came too late.
    """
    if isinstance(answer, AcceptedElicitation):
        form: Any = answer.data
        if isinstance(form, NoQuestion):
            return
        if isinstance(form, ApprovalForm) and form.approve:
            digest = app.store.get_plan(plan_id).digest
            app.approver.record(plan_id, digest, who=who or "user", channel="elicitation", comment=form.comment)
            return
        said = "the user answered with approve = no"
        if isinstance(form, ApprovalForm) and form.comment:
            said += f" and the comment: {form.comment}"
    elif isinstance(answer, DeclinedElicitation):
        said = "the user declined"
    elif isinstance(answer, CancelledElicitation):
        said = "the user closed the question without an answer"
    else:
        raise TypeError(f"no answer to an elicitation: {type(answer).__name__}")
    raise ApprovalNeeded(
        f"Plan {plan_id} was not applied: {said}. No host was touched. Ask the user what they want. The plan stays "
        "open until it expires: apply_plan asks again, or a person approves it on a terminal with: "
        f"intendant review {plan_id}"
    )


def _is_open(app: "App", plan: "Plan") -> bool:
    """The plan waits for exactly this: what would be refused anyway is not worth a person's attention."""
    return (
        "elicitation" in plan.approval_channels
        and plan.applyable
        and plan.expires_at > datetime.now(UTC)
        and app.store.plan_status(plan.id) == "pending"
        and app.approver.current(plan.id) is None
    )
