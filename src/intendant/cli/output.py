"""Printing: results to stdout, everything else to stderr."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from intendant.cleaning import sanitize
from intendant.views.lines import Line

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON, in the shape of the MCP tools.")]


def show_lines(lines: Iterable[Line], *, stderr: bool = False) -> None:
    """Print lines, in colour on a terminal unless NO_COLOR is set; never wrapped or cut."""
    # Rich costs a tenth of a second, which neither the server's start nor --help need pay.
    from rich.console import Console

    from intendant.views.terminal import style_lines

    Console(stderr=stderr, highlight=False, markup=False, emoji=False).print(style_lines(lines), soft_wrap=True)


def show_json(result: BaseModel | Sequence[BaseModel | dict[str, str]]) -> None:
    """Print a result as indented JSON, in ASCII, so that nothing in it can steer a terminal."""
    typer.echo(to_json_text(result))


def to_json_text(result: BaseModel | Sequence[BaseModel | dict[str, str]]) -> str:
    """A result as indented JSON."""
    document = _to_json(result) if isinstance(result, BaseModel) else [_to_json(item) for item in result]
    return json.dumps(document, indent=2)


def _to_json(item: BaseModel | dict[str, str]) -> dict[str, Any]:
    return item.model_dump(mode="json", by_alias=True, exclude_unset=True) if isinstance(item, BaseModel) else item


def say(text: str) -> None:
    """A message for the person, cleaned, on stderr."""
    typer.echo(sanitize(text), err=True)
