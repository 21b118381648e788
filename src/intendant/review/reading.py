"""What a plan's page shows, read from the store; blocking."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from intendant.approvals import Approval
from intendant.errors import NotFoundError
from intendant.intents import Step
from intendant.plans import Plan
from intendant.views.html.pages import PlanPage, find_earlier

if TYPE_CHECKING:
    from intendant.app import App


def read_page(app: "App", plan_id: str, *, stays: bool = True) -> PlanPage:
    """The plan with its answer, its run and what ran before, as of now.

    Raises:
        NotFoundError: no such plan.
    """
    plan = app.store.get_plan(plan_id)
    status: str = app.store.plan_status(plan_id)
    if status == "pending" and plan.expires_at <= datetime.now(UTC):
        status = "expired"
    # Whoever writes the store could otherwise show one plan and have another one's digest approved.
    if status == "pending" and plan.digest != plan.compute_digest():
        status = "stale"
    runs = app.store.runs_of_plan(plan_id)
    return PlanPage(
        plan,
        status,
        _find_answer(app, plan, status),
        app.applier.wait_run(runs[0].id) if runs else None,
        find_earlier(plan, last := app.store.last_runs(), _steps_of(app, {run.plan_id for run in last.values()})),
        stays,
    )


def _find_answer(app: "App", plan: Plan, status: str) -> Approval | None:
    if status == "pending":
        return app.approver.current(plan.id)
    wanted = "rejected" if status == "rejected" else "approved"
    answers = app.store.list_approvals(plan.id, unused=status != "applied")
    return next((answer for answer in answers if answer.verdict == wanted), None)


def _steps_of(app: "App", plan_ids: set[str]) -> dict[str, tuple[Step, ...]]:
    found = {}
    for plan_id in plan_ids:
        try:
            found[plan_id] = app.store.get_plan(plan_id).steps
        except NotFoundError:
            continue
    return found
