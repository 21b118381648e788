"""list_hosts and check_hosts: what there is to work on, and whether it can be reached."""

from typing import Annotated

from mcp_types import CallToolResult

from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.jobs import run_job
from intendant.tools.state import Ctx, get_app
from intendant.views.json import PAGE_HOSTS, add_facts, build_hosts, read_cursor
from intendant.views.reaching import PAGE_CHECKS, build_checks
from intendant.views.results import ChecksResult, HostsResult

_PAGE_HOSTS_WITH_FACTS = 10


async def list_hosts(
    ctx: Ctx, pattern: str = "all", facts: bool = False, cursor: str = ""
) -> Annotated[CallToolResult, HostsResult]:
    app, start = await get_app(ctx), read_cursor(cursor)
    most = _PAGE_HOSTS_WITH_FACTS if facts else PAGE_HOSTS

    def read(_: object) -> HostsResult:
        result = build_hosts(app.inventory.read(pattern), app.store.last_runs(), start=start, most=most)
        if facts and result.hosts:
            add_facts(result, app.inspector.read_facts(",".join(host.name for host in result.hosts)))
        return result

    return answer(await run_job(ctx, read))


LIST_HOSTS = ToolSpec(
    list_hosts,
    "List hosts",
    "Hosts and groups of the inventory: how each is reached, its last run. pattern is Ansible's, such as 'web,!web3'. "
    "facts=true also asks each for its system.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)


async def check_hosts(ctx: Ctx, pattern: str = "all", cursor: str = "") -> Annotated[CallToolResult, ChecksResult]:
    app, start = await get_app(ctx), read_cursor(cursor)

    def check(_: object) -> ChecksResult:
        found, total = app.checker.check(pattern, start=start, most=PAGE_CHECKS)
        return build_checks(found, total, start)

    return answer(await run_job(ctx, check))


CHECK_HOSTS = ToolSpec(
    check_hosts,
    "Check hosts",
    "Can hosts be reached and configured? For each the first thing that fails, from name to clock, and what mends it.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
