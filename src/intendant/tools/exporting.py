"""export_playbook: the history as a playbook."""

from typing import Annotated

from mcp_types import CallToolResult

from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.state import Ctx, get_app, run_short
from intendant.views.results import ExportResult


async def export_playbook(
    ctx: Ctx,
    plans: list[str] = [],  # noqa: B006 (never changed)
    runs: list[str] = [],  # noqa: B006
    hosts: str = "",
    cursor: str = "",
) -> Annotated[CallToolResult, ExportResult]:
    from intendant.views.exports import page_export

    app = await get_app(ctx)
    found = await run_short(lambda: app.exporter.export(plans=plans, runs=runs, hosts=hosts))
    return answer(page_export(found, cursor))


EXPORT_PLAYBOOK = ToolSpec(
    export_playbook,
    "Export a playbook",
    "Plans or runs (ids), or all that was applied to hosts (a pattern), as a playbook for plain ansible-playbook. "
    "Secrets are variables in it. Writes no file.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=False),
)
