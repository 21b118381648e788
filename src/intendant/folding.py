"""What is left of a row of steps when what later ones took back or said again is left out. Pure.

Replaying what is left gives the state that all of them gave, and changes nothing where it is there already. An
``export`` section in a role's ``meta/intent.yml`` says what its steps are about; see ``intents.ExportRules``.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from intendant.intents import COMMAND
from intendant.things import (
    ABSENT,
    Done,
    Params,
    acts_once,
    identify,
    is_exclusive,
    item_key,
    needs_what_came,
    removes,
    takes_away,
)


def fold_steps(steps: Sequence[Done]) -> tuple[list[Done], list[Done]]:
    """The steps of one host, in order of their places, without what later plans said again or took back.

    Steps of one plan stay as they are among themselves. The second list holds steps that would fail now: what they
    need was taken away later.
    """
    kept: list[Done] = []
    lost: list[Done] = []
    for step in steps:
        rest: Done | None = step
        for old in reversed(kept.copy()):
            if old.plan_id == step.plan_id:
                continue
            if old.intent.export.goes_with_others and old.intent.name != step.intent.name:
                if takes_away(step, old):
                    kept.remove(old)
                    lost.append(old)
                continue
            if old.intent.name != step.intent.name:
                continue
            left, rest = _fold(old, step, rest, kept)
            position = kept.index(old)
            kept[position : position + 1] = [left] if left else []
            if not step.intent.export.is_told:
                break  # nobody knows what it is about, so only what came right before can be the same
        kept += [rest] if rest else []
        kept.sort(key=lambda done: done.place)
    return kept, lost


def _fold(old: Done, new: Done, rest: Done | None, kept: Sequence[Done]) -> tuple[Done | None, Done | None]:
    """What is left of an earlier step, and of ``rest``, which is ``new`` without what others say."""
    acts = [acts_once(step.intent, step.params) for step in (old, new)]
    if any(acts):
        again = all(acts) and old.params == new.params and new.intent.name != COMMAND
        return (None if again else old), rest
    if old.params == new.params:
        return old, None
    if new.intent.export.each:
        return _fold_each(old, new, rest)
    if new.intent.export.identity is None or identify(old) != identify(new):
        return old, rest
    params = _correct(old, new)
    if params is None or rest is None:
        return (replace(old, params=params) if params else None), rest
    both = (params, rest.params)
    whole = next((one for one in both if all(_says_all(new, one, other) for other in both)), None)
    if whole is not None:
        # One step says it all. It stands where the thing was first made, unless it could not have been done there.
        if whole != old.params and needs_what_came(old, new, kept):
            return None, replace(rest, params=whole)
        return replace(old if whole == old.params else rest, place=old.place, params=whole), None
    return replace(old, params=params), replace(rest, params=_without_items(new, rest.params, params))


def _fold_each(old: Done, new: Done, rest: Done | None) -> tuple[Done | None, Done | None]:
    """Of intents whose steps are no more than their items: an item belongs to the last step that decides it."""
    name = new.intent.export.each
    said = {item_key(new, name, item): item for item in new.params.get(name, [])}
    alike = all(
        new.intent.effective(old.params, other) == new.intent.effective(new.params, other)
        for other in (old.params.keys() | new.params.keys()) - {name}
    )
    before = {item_key(old, name, item): item for item in old.params.get(name, [])}
    same = {key for key in said if alike and before.get(key) == said[key]}
    left = [item for key, item in before.items() if key in same or key not in said]
    if rest is not None:
        more = [item for item in rest.params[name] if item_key(new, name, item) not in same]
        if not left and more == new.params[name] and not removes(new):
            return replace(rest, place=old.place), None
        rest = replace(rest, params={**rest.params, name: more}) if more else None
    return (replace(old, params={**old.params, name: left}) if left else None), rest


def _correct(old: Done, new: Done) -> Params | None:
    """The earlier params with what the later step made of them; None where nothing of them holds any more."""
    rules, state = new.intent.export, [removes(step) for step in (old, new)]
    listed = [name for name in rules.items if name in new.params]
    if any(state):
        if state[0] == state[1] and not listed:
            return None
        params = {name: _uncovered(old, new, name) if name in listed else old.params[name] for name in old.params}
        return params if listed and any(params.get(name) for name in rules.items) else None
    params = {}
    scalars_stay = rules.partial or bool(rules.items)
    either = set(rules.either) & new.params.keys()
    for name, value in old.params.items():
        if name in rules.items:
            params[name] = _correct_items(old, new, name) if name in new.params else value
        elif name in new.params:
            params[name] = new.params[name]
        elif scalars_stay and not (either and name in rules.either):
            params[name] = value
    return params


def _correct_items(old: Done, new: Done, name: str) -> list[Any]:
    if is_exclusive(new, name):
        return list(new.params[name])
    said = {item_key(new, name, item): item for item in new.params[name]}
    items = []
    for item in old.params[name]:
        later = said.get(item_key(old, name, item), item)
        if later == item or (isinstance(later, dict) and later.get("state") == ABSENT):
            items += [item] if later == item else []
        elif new.intent.export.partial:
            items.append({field: later.get(field, value) for field, value in item.items()})
        else:
            items.append(later)
    return items + [item for item in new.params[name] if is_exclusive(old, name) and item not in items]


def _uncovered(old: Done, new: Done, name: str) -> list[Any]:
    """Items that a removal does not name; what it leaves open in an item means all of them."""
    keys = new.intent.export.items[name]

    def covers(later: Any, item: Any) -> bool:
        if not isinstance(later, dict) or not isinstance(item, dict) or not keys:
            return bool(later == item)
        return all(later.get(key) in (None, item.get(key)) for key in keys)

    return [item for item in old.params[name] if not any(covers(later, item) for later in new.params[name])]


def _without_items(new: Done, params: Params, said: Params) -> Params:
    adding = {name for name in new.intent.export.items if not is_exclusive(new, name)}
    return {
        name: [item for item in value if item not in said.get(name, [])] if name in adding else value
        for name, value in params.items()
    }


def _says_all(step: Done, more: Params, less: Params) -> bool:
    """Whether ``more`` says everything that ``less`` says."""
    return all(
        all(item in more.get(name, []) for item in value)
        if name in step.intent.export.items
        else name in more and more[name] == value
        for name, value in less.items()
    )
