"""list_files, read_file and download_file: looking at files of one host."""

from typing import Annotated

from mcp_types import CallToolResult
from pydantic import Field

from intendant.tools.base import Hints, ToolSpec, answer
from intendant.tools.jobs import run_job
from intendant.tools.state import Ctx, get_app
from intendant.views.json import read_cursor
from intendant.views.results import FileResult, FilesResult, SavedResult

_Limit = Annotated[int, Field(ge=1, le=100_000, description="bytes")]


async def list_files(
    ctx: Ctx, host: str, path: str, sudo: bool = False, cursor: str = ""
) -> Annotated[CallToolResult, FilesResult]:
    from intendant.views.files import build_list

    app, start = await get_app(ctx), read_cursor(cursor)
    found = await run_job(ctx, lambda _: app.filer.list_files(host, path, start=start, sudo=sudo))
    return answer(build_list(found, start))


async def read_file(
    ctx: Ctx,
    host: str,
    path: str,
    offset: Annotated[int, Field(ge=0)] = 0,
    limit: _Limit = 20_000,
    sudo: bool = False,
) -> Annotated[CallToolResult, FileResult]:
    from intendant.views.files import build_page

    app = await get_app(ctx)
    return answer(
        build_page(await run_job(ctx, lambda _: app.filer.read_file(host, path, offset=offset, limit=limit, sudo=sudo)))
    )


async def download_file(
    ctx: Ctx, host: str, path: str, name: str = "", overwrite: bool = False, sudo: bool = False
) -> Annotated[CallToolResult, SavedResult]:
    from intendant.views.files import build_saved

    app = await get_app(ctx)
    saved = await run_job(
        ctx,
        lambda report: app.filer.download_file(host, path, name, overwrite=overwrite, sudo=sudo, on_progress=report),
    )
    return answer(build_saved(saved))


LIST_FILES = ToolSpec(
    list_files,
    "List files of a host",
    "Entries of a folder on one host, hidden ones too.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
READ_FILE = ToolSpec(
    read_file,
    "Read a file of a host",
    "A page of a regular file on one host, secrets masked: UTF-8 as text, anything else as base64, withheld where it "
    "may hold a secret.",
    Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
DOWNLOAD_FILE = ToolSpec(
    download_file,
    "Download a file of a host",
    "Save a file of one host, unmasked, on the user's machine, as name in the project's download folder. To send one "
    "to hosts, plan the intent file.",
    Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
)
