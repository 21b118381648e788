"""Printing: results to stdout, everything else to stderr."""

import json
from collections.abc import Iterable
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

from intendant.cleaning import sanitize
from intendant.views.lines import Line
from intendant.views.terminal import style_lines

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON, in the shape of the MCP tools.")]


def show_lines(lines: Iterable[Line], *, stderr: bool = False) -> None:
    """Print lines, in colour on a terminal unless NO_COLOR is set; never wrapped or cut."""
    Console(stderr=stderr, highlight=False, markup=False, emoji=False).print(style_lines(lines), soft_wrap=True)


def show_json(result: BaseModel | list[dict[str, str]]) -> None:
    """Print a result as indented JSON, in ASCII, so that nothing in it can steer a terminal."""
    typer.echo(to_json_text(result))


def to_json_text(result: BaseModel | list[dict[str, str]]) -> str:
    """A result as indented JSON."""
    document = (
        result.model_dump(mode="json", by_alias=True, exclude_unset=True) if isinstance(result, BaseModel) else result
    )
    return json.dumps(document, indent=2)


def say(text: str) -> None:
    """A message for the person, cleaned, on stderr."""
    typer.echo(sanitize(text), err=True)
