"""add_host, edit_host and remove_host: plans that edit the project's inventory, and wait for a person."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from mcp_types import CallToolResult
from pydantic import Field, JsonValue

from intendant.enrollments import HostRequest
from intendant.tools.base import Hints, ToolSpec
from intendant.tools.plans import start_planning
from intendant.tools.state import Ctx, get_client
from intendant.views.results import PlanBrief

if TYPE_CHECKING:
    from intendant.edits import Edit
    from intendant.enrolling import Enroller

_Names = Annotated[list[str], Field(max_length=20)]
_Port = Annotated[int, Field(ge=0, le=65535)]
_Jump = Annotated[str, Field(description="[USER@]HOST[:PORT]")]


async def add_host(
    ctx: Ctx,
    name: str,
    address: str,
    user: str = "",
    port: _Port = 0,
    key: Annotated[str, Field(description="private key file on this machine")] = "",
    jump: _Jump = "",
    groups: _Names = [],  # noqa: B006 (never changed)
    variables: dict[str, JsonValue] = {},  # noqa: B006
) -> Annotated[CallToolResult, PlanBrief]:
    said = HostRequest(name, address, user, port, key, jump, tuple(groups), (), variables)
    return await _plan(ctx, lambda enroller: enroller.prepare_addition(said))


async def edit_host(
    ctx: Ctx,
    name: str,
    address: str = "",
    user: str = "",
    port: _Port = 0,
    key: str = "",
    jump: str = "",
    groups: Annotated[list[str], Field(description="to join", max_length=20)] = [],  # noqa: B006
    leave: Annotated[list[str], Field(description="groups", max_length=20)] = [],  # noqa: B006
    variables: Annotated[dict[str, JsonValue], Field(description="null takes one away")] = {},  # noqa: B006
) -> Annotated[CallToolResult, PlanBrief]:
    said = HostRequest(name, address, user, port, key, jump, tuple(groups), tuple(leave), variables)
    return await _plan(ctx, lambda enroller: enroller.prepare_edit(said))


async def remove_host(ctx: Ctx, name: str) -> Annotated[CallToolResult, PlanBrief]:
    return await _plan(ctx, lambda enroller: enroller.prepare_removal(name))


async def _plan(ctx: Ctx, prepare: "Callable[[Enroller], Edit]") -> CallToolResult:
    client = get_client(ctx)
    return await start_planning(
        ctx, lambda app, plan_id, _: app.editor.plan_edit(prepare(app.enroller), plan_id=plan_id, client=client)
    )


_HINTS = Hints(read_only=False, destructive=False, idempotent=False, open_world=True)
ADD_HOST = ToolSpec(
    add_host,
    "Add a host",
    "Plan to add a host to the inventory, with its key's fingerprint, which a person compares when they approve. "
    "variables: no secrets, no templates.",
    _HINTS,
)
EDIT_HOST = ToolSpec(
    edit_host,
    "Edit a host",
    "Plan to change a host's entry in the inventory; what is left out stays. A person approves.",
    _HINTS,
)
REMOVE_HOST = ToolSpec(
    remove_host,
    "Remove a host",
    "Plan to take a host out of the inventory; the host itself is not touched. A person approves.",
    Hints(read_only=False, destructive=False, idempotent=False, open_world=False),
)
