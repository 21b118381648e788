"""Sending a person to the review page by the client's URL-mode elicitation, and waiting for the answer given there.

The address is a key to the page. It goes to the client, which shows it to the person; no result of a tool holds it, so
that a model does not get to see it.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
from mcp_types import ElicitRequest, ElicitRequestURLParams, ElicitResult, InputRequiredResult

from intendant.elicitation import can_ask_form
from intendant.errors import ApprovalNeeded, NotFoundError
from intendant.tools.state import Ctx, get_app, get_state, run_short
from intendant.views.lines import join_names, plural

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

_KEY = "intendant:review"
#: clients give up a call after 60 s.
_WAIT_SECONDS = 40
_POLL_SECONDS = 0.3
_STATELESS = "2026-07-28"


async def open_page(arguments: Mapping[str, Any], ctx: Ctx) -> InputRequiredResult | None:
    """Have the person answer on the page, where the plan wants an answer and this client asks in no other way.

    None: there is nothing to ask, or the answer is there by now. In the stateless era the first call gives the
    question.

    Raises:
        ApprovalNeeded: the person did not go there, said no, or has not answered yet.
    """
    plan_id = arguments.get("plan_id")
    if not isinstance(plan_id, str) or not _can_open(ctx):
        return None
    app = await get_app(ctx)
    plan = await run_short(lambda: _find_open(app, plan_id, form=can_ask_form(ctx)))
    if plan is None:
        return None
    answer = (ctx.input_responses or {}).get(_KEY)
    stateless = (ctx.protocol_version or "") >= _STATELESS
    if stateless and not isinstance(answer, ElicitResult):
        return InputRequiredResult(input_requests={_KEY: ElicitRequest(params=await _make_question(ctx, plan))})
    if stateless:
        assert isinstance(answer, ElicitResult)
        await _wait_answer(app, plan, answer.action)
        return None
    question = await _make_question(ctx, plan)
    assert question.elicitation_id is not None
    asked = await ctx.elicit_url(question.message, question.url, question.elicitation_id)
    await _wait_answer(app, plan, asked.action)
    await ctx.session.send_elicit_complete(question.elicitation_id)
    return None


def _can_open(ctx: Ctx) -> bool:
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities is not None else None
    return elicitation is not None and elicitation.url is not None


def _find_open(app: "App", plan_id: str, *, form: bool) -> "Plan | None":
    """The plan, if it waits for a person on the page; a client's own form is quicker, where it counts."""
    try:
        plan = app.store.get_plan(plan_id)
    except NotFoundError:
        return None
    wanted = {"page", "passkey"} & set(plan.approval_channels) and not (
        form and "elicitation" in plan.approval_channels
    )
    waits = plan.applyable and plan.expires_at > datetime.now(UTC) and app.store.plan_status(plan.id) == "pending"
    return plan if wanted and waits and app.approver.current(plan.id) is None else None


async def _make_question(ctx: Ctx, plan: "Plan") -> ElicitRequestURLParams:
    state = get_state(ctx)
    address = await run_short(lambda: state.invite(plan.id))
    hosts = f"{plural(len(plan.healthy_hosts), 'host')}: {join_names(plan.healthy_hosts, 12)}"
    return ElicitRequestURLParams(
        message=f"Read plan {plan.id} for {hosts}, and approve or reject it, on a page of this machine. It opens once.",
        url=address,
        elicitation_id=secrets.token_urlsafe(16),
    )


async def _wait_answer(app: "App", plan: "Plan", action: str) -> None:
    again = f"apply_plan asks again, or a person runs on that machine: intendant review --web {plan.id}"
    if action != "accept":
        raise ApprovalNeeded(
            f"Plan {plan.id} was not applied: the user did not open the review page. No host was touched. Ask the user "
            f"what they want; {again}"
        )
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if await run_short(lambda: app.approver.current(plan.id)):
            return
        if await run_short(lambda: app.store.plan_status(plan.id)) != "pending":
            await run_short(lambda: _explain_no(app, plan))
            return
        await anyio.sleep(_POLL_SECONDS)
    raise ApprovalNeeded(
        f"Plan {plan.id} waits for the user's answer on the review page that the client opened. No host was touched. "
        f"get_plan(plan_id='{plan.id}') says in approval.given when it came; then call apply_plan again. Where the "
        f"page was closed, {again}"
    )


def _explain_no(app: "App", plan: "Plan") -> None:
    """What the person said; nothing where the plan was closed otherwise, which the apply will say."""
    for answer in app.store.list_approvals(plan.id):
        if answer.verdict == "rejected":
            said = f" with the comment: {answer.comment}" if answer.comment else ""
            raise ApprovalNeeded(
                f"Plan {plan.id} was rejected by the user on the review page{said}. No host was touched. Ask the user "
                "what they want, then plan again."
            )
