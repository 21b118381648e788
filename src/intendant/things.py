"""What a step is about, and how one bears on another, by the ``export`` section of its role. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from intendant.intents import COMMAND, Intent

Params = dict[str, Any]
ABSENT = "absent"


@dataclass(frozen=True)
class Done:
    """A step of a plan, at its place among all of them."""

    place: tuple[int, int]
    plan_id: str
    intent: Intent
    params: Params


def acts_once(intent: Intent, params: Mapping[str, JsonValue]) -> bool:
    """The step does something each time anew, rather than say how things are."""
    acting = intent.export.once.items()
    return intent.name == COMMAND or any(intent.effective(params, name) in values for name, values in acting)


def removes(step: Done) -> bool:
    """The step is there to take something away."""
    return any(
        step.intent.effective(step.params, name) == ABSENT for name in step.intent.options if name.endswith("_state")
    )


def is_exclusive(step: Done, name: str) -> bool:
    """The list is all that there shall be."""
    return bool(step.params.get(f"{name}_exclusive") or step.params.get(f"{step.intent.name}_exclusive"))


def identify(step: Done) -> list[JsonValue]:
    """What tells the things apart that the intent's steps are about."""
    found: list[JsonValue] = []
    for names in step.intent.export.identity or []:
        values = [step.intent.effective(step.params, name) for name in names.split("|")]
        found.append(next((value for value in values if value is not None), None))
    return found


def item_key(step: Done, name: str, item: Any) -> str:
    """What tells an item of a list from the others."""
    rules = step.intent.export
    keys = rules.key if name == rules.each else rules.items[name]
    if isinstance(item, dict):
        return repr([item.get(key) for key in keys])
    return item.partition(keys[0])[0] if keys and isinstance(item, str) else repr(item)


def takes_away(new: Done, old: Done) -> bool:
    """The later step removes the thing that brought what the earlier one is about."""
    gone = _names(new) or [new.intent.name]
    return removes(new) and any(value in gone for value in identify(old))


def needs_what_came(old: Done, new: Done, kept: Sequence[Done]) -> bool:
    """What the later step says beyond the earlier one names a thing that came between them."""
    between = [step for step in kept if old.place < step.place < new.place]
    brought = {name for step in between for name in _names(step) if isinstance(name, str)}
    fresh = set(_leaves(new.params)) - set(_leaves(old.params))
    return any(value in brought for _, value in fresh)


def _names(step: Done) -> list[Any]:
    """What the step's things are called."""
    rules = step.intent.export
    found: list[Any] = [value for value in identify(step) if isinstance(value, str)]
    for name in (*rules.items, *([rules.each] if rules.each else [])):
        items = step.params.get(name, [])
        found += [value for item in items for value in (item.values() if isinstance(item, dict) else [item])]
    return found


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, str(value)
