"""What a command came to, host by host. Pure: no I/O, no clock."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from intendant.cleaning import clean_output, cut_middle, describe_gap
from intendant.redaction import Redactor
from intendant.remote import Stream
from intendant.shell.verdicts import Kind

#: characters of a command line.
MAX_COMMAND = 10_000
#: seconds that a command may be given.
MAX_TIMEOUT = 600
_NOTE = "get_output has them"
#: bytes of one output in an answer, and of all of them: what does not fit is kept.
_STREAM_BYTES = 20_000
_ANSWER_BYTES = 40_000
_LEAST_BYTES = 400


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostOutput(_Frozen):
    """What one host answered; ``exit_code`` is None where the command did not end by itself, and ``error`` says why.

    ``ended`` is "timeout" for a command that was ended. ``wall``: it could write to no disk; ``no_wall`` says why not,
    where that was wanted. ``duration`` is in seconds. Texts are masked and cleaned.
    """

    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    duration: float = 0.0
    ended: str = ""
    wall: bool = False
    no_wall: str = ""
    error: str = ""


class OutputGroup(_Frozen):
    """Hosts that answered the same; ``duration`` is the longest. ``truncated``: bytes left out, by stream."""

    hosts: tuple[str, ...]
    output: HostOutput
    truncated: dict[str, int] = {}


class CommandResult(_Frozen):
    """What became of a command. ``output_id`` is set where more of the outputs is kept than is shown.

    ``plan_id`` is set where a plan was made instead; ``applyable``: there is something in it to approve. ``equivalent``
    is what does the same as the command: the steps of that plan, or without a plan what could be planned. ``note`` is
    what a person has to know besides.
    """

    executed: bool
    kind: Kind
    reason: str
    groups: tuple[OutputGroup, ...] = ()
    output_id: str = ""
    plan_id: str = ""
    applyable: bool = False
    equivalent: str = ""
    note: str = ""
    next: str = ""


def read_stream(stream: Stream) -> str:
    """A program's output as text to show: no control sequences, nothing that looks like a secret."""
    before, after = (clean_output(part) for part in stream.parts)
    if stream.missing:
        # Half a line could be half a secret.
        before = before[: before.rfind("\n") + 1] or before
        after = after[after.find("\n") + 1 :]
    text = f"{before}{describe_gap(stream.missing)}{after}" if stream.missing else before
    return Redactor().redact(text)


def group_outputs(outputs: Mapping[str, HostOutput]) -> list[OutputGroup]:
    """Hosts with the same answer, in order of first appearance; how long it took makes no difference."""
    groups: dict[HostOutput, list[str]] = {}
    for host, output in outputs.items():
        groups.setdefault(output.model_copy(update={"duration": 0.0}), []).append(host)
    return [
        OutputGroup(
            hosts=tuple(hosts),
            output=output.model_copy(update={"duration": max(outputs[host].duration for host in hosts)}),
        )
        for output, hosts in groups.items()
    ]


def cut_groups(groups: Iterable[OutputGroup]) -> tuple[OutputGroup, ...]:
    """The groups with outputs that fit into an answer together; head and tail of what is longer."""
    whole = list(groups)
    streams = sum(bool(text) for group in whole for text in (group.output.stdout, group.output.stderr))
    limit = min(_STREAM_BYTES, max(_LEAST_BYTES, _ANSWER_BYTES // max(1, streams)))
    return tuple(_cut_group(group, limit) for group in whole)


def _cut_group(group: OutputGroup, limit: int) -> OutputGroup:
    shown, truncated = {}, {}
    for name in ("stdout", "stderr"):
        shown[name], missing = cut_middle(getattr(group.output, name), limit, _NOTE)
        if missing:
            truncated[name] = missing
    return group.model_copy(update={"output": group.output.model_copy(update=shown), "truncated": truncated})
