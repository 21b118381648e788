"""apply_plan, get_run, cancel_run and list_history: what was done. No function here can approve."""

from typing import Annotated, Any

from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Resolve
from mcp_types import CallToolResult
from pydantic import Field

from intendant.elicitation import ask_approval, record_answer
from intendant.errors import NotFoundError
from intendant.inviting import open_page
from intendant.runs import Run
from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.jobs import run_job
from intendant.tools.state import Ctx, get_app, get_client, run_short
from intendant.views.json import build_history, build_run, read_cursor
from intendant.views.results import HistoryResult, RunBrief, RunResult

_Seconds = Annotated[int, Field(ge=0, le=45)]


async def apply_plan(
    ctx: Ctx,
    plan_id: str,
    approval: Annotated[ElicitationResult[Any], Resolve(ask_approval)],
    wait_seconds: _Seconds = 20,
) -> Annotated[CallToolResult, RunResult]:
    app, client = await get_app(ctx), get_client(ctx)
    await run_short(lambda: record_answer(app, plan_id, approval, client))
    run = await run_job(
        ctx, lambda report: app.applier.apply_plan(plan_id, wait_seconds=wait_seconds, on_progress=report)
    )
    return answer(build_run(run))


async def get_run(
    ctx: Ctx, run_id: str, wait_seconds: _Seconds = 0, host: str = "", cursor: str = ""
) -> Annotated[CallToolResult, RunResult]:
    app, start = await get_app(ctx), read_cursor(cursor)
    run = await run_job(ctx, lambda report: app.applier.wait_run(run_id, wait_seconds, on_progress=report))
    if host:
        _check_host(run, host)
    return answer(build_run(run, host=host, start=start))


async def cancel_run(ctx: Ctx, run_id: str) -> Annotated[CallToolResult, RunBrief]:
    app = await get_app(ctx)
    return answer(build_run(await run_short(lambda: app.applier.cancel_run(run_id))))


async def list_history(
    ctx: Ctx, host: str = "", limit: Annotated[int, Field(ge=1, le=25)] = 20, cursor: str = ""
) -> Annotated[CallToolResult, HistoryResult]:
    app = await get_app(ctx)
    entries, next_cursor = await run_short(lambda: app.store.list_history(host, limit, cursor))
    return answer(build_history(entries, next_cursor))


def _check_host(run: Run, host: str) -> None:
    known = [item.host for item in run.hosts]
    if host not in known:
        raise NotFoundError("host", host, known, f"Hosts of run {run.id} are meant.")


APPLY_PLAN = ToolSpec(
    apply_plan,
    "Apply a plan",
    "Apply exactly what a plan showed. The client asks the user where policy wants that; else it is refused. Returns "
    "the run; where it goes on, call get_run.",
    Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
    before=open_page,
)
GET_RUN = ToolSpec(
    get_run,
    "Get a run",
    "State of a run: per host what happened and failures in the module's own words; whether it went as planned. Waits "
    "up to wait_seconds for its end.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
)
CANCEL_RUN = ToolSpec(
    cancel_run,
    "Cancel a run",
    "Stop a run after the task in flight. What was done stays; get_run says what.",
    Hints(read_only=False, destructive=True, idempotent=True, open_world=True),
)
LIST_HISTORY = ToolSpec(
    list_history,
    "List history",
    "Plans, approvals and runs, newest first.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
)
