"""Whether a part of a command line has the form of an entry, and the steps that this makes."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from intendant.equivalents.entries import PLACE, Entry, Operand, Slot
from intendant.equivalents.parts import Part
from intendant.intents import Step
from intendant.shell.options import parse_options
from intendant.shell.syntax import Word

Slots = Mapping[str, Slot]
#: what each slot stands for in one command.
_Values = dict[str, list[str]]


def match_entry(entry: Entry, slots: Slots, part: Part) -> list[Step] | None:
    """The steps, none for an entry that adds nothing; None when the part has another form, or anything more in it."""
    if part.program not in entry.programs or (entry.root and not part.root):
        return None
    parsed = parse_options(part.program, entry.rule, part.words)
    if parsed.findings:
        return None
    values: _Values = {}
    params = dict(entry.params)
    for option in entry.all_options:
        given = [text for name, _, text in parsed.texts if name in option.names]
        if not set(option.names) & set(parsed.given):
            if option.names[0] in entry.needs:
                return None
            continue
        if len(given) > 1:
            return None
        if option.slot and not _bind(option.slot, given[0].split(",") if option.commas else given, slots, values):
            return None
        params.update(option.params)
    if not _bind_operands(entry.operands, parsed.operands, slots, values):
        return None
    if not entry.intent:
        return []
    return [
        Step(intent=entry.intent, params={name: _fill(value, slots, each) for name, value in params.items()})
        for each in _separate(entry.each, slots, values)
    ]


def _bind(slot: str, texts: Sequence[str], slots: Slots, values: _Values) -> bool:
    """Note what a slot stands for, its groups included; whether the words look as they must."""
    found = [re.fullmatch(slots[slot].pattern, text) for text in texts]
    for text, match in zip(texts, found, strict=True):
        if match is None:
            return False
        for name, value in {slot: text, **match.groupdict()}.items():
            values.setdefault(name, []).append(value or "")
    return True


def _bind_operands(operands: Sequence[Operand], words: Sequence[Word], slots: Slots, values: _Values) -> bool:
    many = len(words) - len(operands) + 1
    if many < 1 or (many > 1 and not any(operand.many for operand in operands)):
        return False
    at = 0
    for operand in operands:
        texts = [word.text for word in words[at : at + (many if operand.many else 1)]]
        at += len(texts)
        if operand.slot and not _bind(operand.slot, texts, slots, values):
            return False
        if not operand.slot and texts[0] not in operand.words:
            return False
    return True


def _separate(each: str, slots: Slots, values: _Values) -> Iterator[_Values]:
    """The values for each step: the repeated slot and its groups one by one, the others always."""
    if not each:
        yield values
        return
    single = {each, *slots[each].names}
    for number in range(len(values[each])):
        yield {name: [texts[number]] if name in single else texts for name, texts in values.items()}


def _fill(value: JsonValue, slots: Slots, values: _Values) -> JsonValue:
    """A param with the slots in it filled."""
    if isinstance(value, dict):
        return {name: _fill(inner, slots, values) for name, inner in value.items()}
    if isinstance(value, list):
        items: list[JsonValue] = []
        for inner in value:
            found = PLACE.fullmatch(inner) if isinstance(inner, str) else None
            items.extend(values[found[1]] if found and found[2] else [_fill(inner, slots, values)])
        return items
    if not isinstance(value, str):
        return value
    found = PLACE.fullmatch(value)
    if found and found[1] in slots and slots[found[1]].number:
        return int(values[found[1]][0])
    return PLACE.sub(lambda place: values[place[1]][0], value)
