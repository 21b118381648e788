"""MCP Apps: the view of a plan, for clients that render such views. It only shows: see decision 22."""

from typing import Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.resources import FunctionResource

from intendant.tools.plans import PLAN_APP


def make_apps() -> Apps:
    """The extension with its one view, which may load nothing from anywhere."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=PLAN_APP,
            name="plan",
            title="Plan",
            description="Shows a plan with its diffs. It cannot approve.",
            mime_type=APP_MIME_TYPE,
            meta={"ui": {"csp": {}, "prefersBorder": True}},
            fn=_render_plan,
        )
    )
    return apps


def _render_plan() -> str:
    # Clients that render no apps need neither templates nor lexers.
    from intendant.views.html.pages import HtmlViews

    return HtmlViews().render_app()


async def hide_apps(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """For clients that render no apps the lists are as if there were none."""
    result = await call_next(ctx)
    if ctx.method not in ("tools/list", "resources/list") or not isinstance(result, dict) or client_supports_apps(ctx):
        return result
    if ctx.method == "tools/list":
        return {**result, "tools": [{name: tool[name] for name in tool if name != "_meta"} for tool in result["tools"]]}
    return {**result, "resources": [item for item in result["resources"] if not item["uri"].startswith("ui://")]}
