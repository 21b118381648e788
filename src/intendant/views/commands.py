"""What a command came to, for models and for people. Pure functions."""

from typing import get_args

from intendant.cleaning import sanitize
from intendant.commands import CommandResult, HostOutput, OutputGroup
from intendant.errors import InputError
from intendant.outputs import StreamName
from intendant.views.lines import Line, Tone, join_names, sanitize_line
from intendant.views.results import CommandView, OutputGroupView, OutputPage

STREAMS: tuple[StreamName, ...] = get_args(StreamName)
_PAGE_BYTES = 20_000
_INDENT = "  | "


def build_command(result: CommandResult) -> CommandView:
    """The result as the tool answers it."""
    view = CommandView.model_validate(
        {
            "executed": result.executed,
            "class": result.kind,
            "reason": result.reason,
            "groups": [_view_group(group) for group in result.groups],
            "plan_id": result.plan_id or None,
            "equivalent": result.equivalent or None,
            "next": result.next,
        }
    )
    if result.output_id:
        view.output_id = result.output_id
    return view


def _view_group(group: OutputGroup) -> OutputGroupView:
    output = group.output
    view = OutputGroupView(
        hosts=list(group.hosts),
        exit_code=output.exit_code,
        stdout=output.stdout,
        stderr=output.stderr,
        duration=round(output.duration, 3),
        wall=output.wall,
    )
    if group.truncated:
        view.truncated = group.truncated
    for name in ("ended", "no_wall", "error"):
        if value := getattr(output, name):
            setattr(view, name, value)
    return view


def build_page(host: str, stream: StreamName, text: str, start: int) -> OutputPage:
    """One page of a kept output from byte ``start`` on.

    Raises:
        InputError: the cursor is behind the end.
    """
    data = text.encode("utf-8", "backslashreplace")
    if start > len(data):
        raise InputError(f"cursor: {start} is behind the end; the output has {len(data)} bytes.")
    part = data[start : start + _PAGE_BYTES]
    while part and start + len(part) < len(data) and (data[start + len(part)] & 0xC0) == 0x80:
        part = part[:-1]
    end = start + len(part)
    return OutputPage(
        host=host, stream=stream, text=part.decode(errors="replace"), next_cursor=str(end) if end < len(data) else ""
    )


def command_lines(result: CommandResult) -> list[Line]:
    """For people and for clients that show text: what hosts printed is set off, so that it cannot pass for ours."""
    if not result.executed:
        lines = [Line(f"Not run ({result.kind}): {sanitize_line(result.reason)}", "warn")]
        if result.equivalent:
            lines.append(Line(f"The same: {sanitize_line(result.equivalent)}", "heading"))
        return lines
    lines = []
    for group in result.groups:
        lines.append(Line(f"{join_names(group.hosts)}: {_describe(group.output)}", _tone_of(group.output)))
        lines += [Line(_INDENT + line, "error") for line in sanitize(group.output.error).splitlines()]
        lines += [Line(_INDENT + line) for line in group.output.stdout.splitlines()]
        lines += [Line(_INDENT + line, "warn") for line in group.output.stderr.splitlines()]
    return lines


def _describe(output: HostOutput) -> str:
    if output.error:
        return "no result"
    wall = ", behind a wall" if output.wall else f", without a wall ({output.no_wall})" if output.no_wall else ""
    how = "ended after its time" if output.ended else f"exit {output.exit_code}"
    return f"{how}, {output.duration:.2f} s{sanitize_line(wall)}"


def _tone_of(output: HostOutput) -> Tone:
    return "heading" if output.exit_code == 0 else "error"
