"""tail_log and host_facts: looking at hosts without a command of one's own."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from intendant.facts.asking import TopicName
from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.jobs import run_job
from intendant.tools.state import Ctx, get_app
from intendant.views.results import FactsResult, LogView

_Lines = Annotated[int, Field(ge=1, le=1000)]
_Age = Annotated[int, Field(ge=0, le=604_800, description="seconds; 0 asks now")]


async def tail_log(
    ctx: Ctx,
    hosts: str,
    unit: str = "",
    path: str = "",
    lines: _Lines = 100,
    since: Annotated[str, Field(description="1h, today, or ISO 8601; of units")] = "",
    grep: Annotated[str, Field(description="extended regular expression")] = "",
    sudo: bool = False,
) -> Annotated[CallToolResult, LogView]:
    from intendant.logs import LogQuery
    from intendant.views.looking import build_logs

    app = await get_app(ctx)
    query = LogQuery(unit=unit, path=path, lines=lines, since=since, grep=grep)
    return answer(build_logs(await run_job(ctx, lambda _: app.tailer.tail_log(hosts, query, sudo=sudo))))


async def host_facts(
    ctx: Ctx,
    hosts: str,
    topics: tuple[TopicName, ...] = ("system",),
    match: Annotated[str, Field(description="part of a row's name, or a glob")] = "",
    max_age: _Age = 300,
    sudo: bool = False,
    cursor: str = "",
) -> Annotated[CallToolResult, FactsResult]:
    from intendant.gathering import FactQuery
    from intendant.views.looking import build_facts, page_hosts, read_position

    app, position = await get_app(ctx), read_position(cursor)
    query = FactQuery(tuple(topics), match, max_age, sudo)

    def gather(_: object) -> FactsResult:
        found, total = app.gatherer.gather_facts(hosts, query, start=position[0], most=page_hosts(len(topics)))
        return build_facts(found, total, position)

    return answer(await run_job(ctx, gather))


TAIL_LOG = ToolSpec(
    tail_log,
    "Show the end of a log",
    "The last lines of a systemd unit's journal (unit='nginx') or of a file (path='/var/log/…'). Times are UTC.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
HOST_FACTS = ToolSpec(
    host_facts,
    "Look up facts of hosts",
    "What hosts are and have, as rows; failed services come first.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
