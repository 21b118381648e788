"""Which steps do what a command line does. The one entrance to this package."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from intendant.equivalents.entries import Entries, Entry
from intendant.equivalents.matching import match_entry
from intendant.equivalents.parts import Part, read_parts
from intendant.intents import Step, join_steps

_MOST_STEPS = 20
_SHOWN_CHARACTERS = 500


@dataclass(frozen=True)
class Equivalent:
    """Steps that leave a host as the command does; ``differs``: where not, each the end of a sentence on the steps."""

    steps: tuple[Step, ...]
    differs: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line, as in ``packages packages_names=[nginx] packages_state=present``."""
        text = "; ".join(
            " ".join([step.intent, *(f"{name}={_show(value)}" for name, value in step.params.items())])
            for step in self.steps
        )
        return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def find_equivalent(command: str, entries: Entries, *, root: bool = False) -> Equivalent | None:
    """What does the same as the whole command line; None unless that is known of every word in it.

    Args:
        root: whether the line itself runs as root.
    """
    parts = read_parts(command, root=root)
    if parts is None:
        return None
    steps: list[Step] = []
    differs: list[str] = []
    waiting: list[Entry] = []
    for part in parts:
        found = _find_entry(part, entries)
        if found is None:
            return None
        entry, made = found
        if not made:
            waiting.append(entry)
            continue
        if not all(_adds_nothing(before, made) for before in waiting):
            return None
        waiting.clear()
        steps += made
        differs += [entry.differs] if entry.differs else []
    if waiting or not steps or len(steps) > _MOST_STEPS:
        return None
    return Equivalent(tuple(_join(steps)), tuple(dict.fromkeys(differs)))


def _find_entry(part: Part, entries: Entries) -> tuple[Entry, list[Step]] | None:
    """The one entry that the part has the form of. Two of them would be a guess."""
    found = [
        (entry, steps)
        for entry in entries.entries.values()
        if (steps := match_entry(entry, entries.slots, part)) is not None
    ]
    return found[0] if len(found) == 1 else None


def _adds_nothing(entry: Entry, steps: Sequence[Step]) -> bool:
    """Whether the intent of these steps does by itself what the entry's command does before them."""
    return all(
        step.intent in entry.before
        and all(step.params.get(name) in allowed for name, allowed in entry.before[step.intent].items())
        for step in steps
    )


def _join(steps: Sequence[Step]) -> Sequence[Step]:
    # Where a list is all that there shall be, the second one counts, and not both.
    if any(value is True and name.endswith("_exclusive") for step in steps for name, value in step.params.items()):
        return steps
    return join_steps(steps)


def _show(value: JsonValue) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_show(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_show(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, str) and value and not set(value) & set(" \t\n\"'[]{},;="):
        return value
    return json.dumps(value, ensure_ascii=False)
