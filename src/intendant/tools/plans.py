"""plan_changes and get_plan: what would change, shown before anything does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field

from intendant.errors import InputError
from intendant.intents import Step
from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.intents import Request, resolve, view_candidates
from intendant.tools.jobs import Job
from intendant.tools.state import Ctx, get_app, get_client, get_state, run_short
from intendant.views.json import count_bytes, to_json
from intendant.views.pages import Detail, build_plan
from intendant.views.results import PlannedResult, PlanResult
from intendant.views.text import summarize_plan

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.approvals import Approval
    from intendant.plans import Plan
    from intendant.runner.base import Progress

#: the view that shows a plan in clients that render apps.
PLAN_APP = "ui://intendant/plan"
#: clients give up after 60 s; what takes longer goes on and is asked for with get_plan.
_ANSWER_WITHIN_SECONDS = 45
#: text and structured content together: what a plan's answer may take of a model's context, and the least for the text.
_ANSWER_BYTES = 5_400
_LEAST_TEXT_BYTES = 700
_MOST_TEXT_BYTES = 2_500


async def plan_changes(
    ctx: Ctx,
    hosts: Annotated[str, Field(description="host pattern, where request does not say it")] = "",
    steps: Annotated[list[Step], Field(description="in order; either steps or request")] = [],  # noqa: B006 (never changed)
    request: Request = "",
) -> Annotated[CallToolResult, PlannedResult]:
    if bool(steps) == bool(request.strip()):
        raise InputError(
            "Give either steps ([{intent, params}], in order) or request (the user's words), not both or none."
        )
    if request:
        app = await get_app(ctx)
        resolution = await run_short(lambda: resolve(app, request))
        if resolution.hosts and hosts and resolution.hosts != hosts:
            raise InputError(
                f"hosts: is '{hosts}' but the request says '{resolution.hosts}'. Name the hosts in one place."
            )
        hosts = hosts or resolution.hosts
        # Steps without certainty mean that the words name no host, and nothing else is missing.
        if not resolution.steps or not hosts:
            question = resolution.question or "On which hosts? Name hosts or groups; list_hosts shows them."
            return answer(
                PlannedResult(
                    status="uncertain",
                    candidates=view_candidates(resolution.candidates),
                    question=question,
                    next="Nothing was planned. Ask the user the question, then call plan_changes with hosts and steps.",
                )
            )
        steps = resolution.steps
    if not hosts.strip():
        raise InputError("hosts: is missing. Name hosts or groups; list_hosts shows them.")
    client = get_client(ctx)

    def plan(app: "App", plan_id: str, report: "Callable[[Progress], None]") -> "Plan":
        return app.planner.plan_changes(
            hosts, steps, request=request, client=client, plan_id=plan_id, on_progress=report
        )

    return await start_planning(ctx, plan)


async def get_plan(
    ctx: Ctx, plan_id: str, host: str = "", cursor: str = "", detail: Detail = "concise"
) -> Annotated[CallToolResult, PlanResult]:
    plannings = get_state(ctx).plannings
    if (job := plannings.get(plan_id)) is not None:
        if not await job.wait(ctx, _ANSWER_WITHIN_SECONDS):
            return answer(_still_planning(plan_id, job))
        plannings.pop(plan_id)
    app = await get_app(ctx)
    return await run_short(lambda: show_plan(app, plan_id, host=host, cursor=cursor, detail=detail))


def show_plan(
    app: "App", plan_id: str, *, host: str = "", cursor: str = "", detail: Detail = "concise"
) -> CallToolResult:
    """A plan from the store as a tool's answer; blocking.

    Raises:
        NotFoundError: no such plan, or no such host in it.
        InputError: the cursor is none of ours.
    """
    plan = app.store.get_plan(plan_id)
    status, approval = read_state(app, plan)
    return answer_plan(plan, status, approval=approval, host=host, cursor=cursor, detail=detail)


def answer_plan(
    plan: "Plan",
    status: str,
    *,
    approval: "Approval | None" = None,
    host: str = "",
    cursor: str = "",
    detail: Detail = "concise",
) -> CallToolResult:
    """A plan, or a page of it, as a tool's answer; raises as ``build_plan``. A concise one has a text for people."""
    result = build_plan(plan, status, approval=approval, host=host, cursor=cursor, detail=detail)
    if host or cursor or detail == "full":
        return answer(result)
    head = f"Plan {plan.id} ({status}), digest {plan.digest}, valid until {result.expires_at}"
    limit = max(_LEAST_TEXT_BYTES, _ANSWER_BYTES - count_bytes(to_json(result)) - len(head) - len(result.next))
    return answer(result, f"{head}\n{summarize_plan(plan, min(limit, _MOST_TEXT_BYTES))}\nNext: {result.next}")


def read_state(app: "App", plan: "Plan") -> "tuple[str, Approval | None]":
    """Where a plan stands now, and the unused approval of it, if there is one; blocking."""
    status: str = app.store.plan_status(plan.id)
    if status == "pending" and plan.expires_at <= datetime.now(UTC):
        status = "expired"
    return status, app.approver.current(plan.id) if status == "pending" else None


async def start_planning(ctx: Ctx, plan: "Callable[[App, str, Callable[[Progress], None]], Plan]") -> CallToolResult:
    """The plan that ``plan(app, plan_id, report)`` makes, as an answer; one that takes long is asked for later."""
    from intendant.planning import new_id

    app, plannings = await get_app(ctx), get_state(ctx).plannings
    plan_id = new_id("plan")
    job = plannings.start(plan_id, lambda report: plan(app, plan_id, report))
    if not await job.wait(ctx, _ANSWER_WITHIN_SECONDS):
        return answer(_still_planning(plan_id, job))
    plannings.pop(plan_id)
    return await run_short(lambda: show_plan(app, plan_id))


def _still_planning(plan_id: str, job: "Job[Plan]") -> PlanResult:
    latest = job.latest
    now = f" Now: {latest.task} ({latest.done} of {latest.expected or '?'})." if latest else ""
    return PlanResult(
        status="planning", plan_id=plan_id, next=f"Check mode goes on.{now} Call get_plan(plan_id='{plan_id}')."
    )


PLAN_CHANGES = ToolSpec(
    plan_changes,
    "Plan changes",
    "Predict in check mode what steps, or a request, would change on hosts: diffs, blind spots, how to approve it. "
    "Changes nothing on them; stores a plan that expires. An uncertain request gives candidates and a question.",
    Hints(read_only=False, destructive=False, idempotent=False, open_world=True),
    app=PLAN_APP,
)
GET_PLAN = ToolSpec(
    get_plan,
    "Get a plan",
    "Any part of a plan: one host, the next page (cursor), or whole diffs (detail='full').",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
    app=PLAN_APP,
)
