"""Reads words as frames: a thing, an order and parts, in whatever order they are said. Pure.

Phrases say how a request is put; a frame only what it may be put together of. All of the words have to be accounted
for: by the thing that an intent is about, an order, a part, or one of a few words that say nothing. What is left over
makes the words unclear, and so does a second way to read them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from intendant.intents import Intent
from intendant.words.matching import Match, Template, texts_in
from intendant.words.readings import Lists, Reader, Reading
from intendant.words.rephrasing import SURE, from_gerund, from_participle
from intendant.words.slots import all_slots, build_params
from intendant.words.templates import ABSENT, slots_in, words_for, words_of
from intendant.words.tiling import ARRIVAL, DEPARTURE, OWN, SETTING, UNIVERSAL, Tiler, Tiling
from intendant.words.tokens import Token
from intendant.words.vocabulary import ARTICLES, NEGATIONS, PARTICLES, PLAIN, SEPARATOR, THING_LINKS

#: the key of a setting; what names a disk by a label is none
_KEY = re.compile(r"(?!(?:PART)?(?:UUID|LABEL)$)[A-Za-z_][\w.-]*")

#: params that say how a thing goes, not which
_HOW_IT_GOES = re.compile("_(state|name|remove_.*|purge|force)$")


class Frames:
    """The compiled frames of a set of intents; ``starts_step`` tells words that order something."""

    def __init__(self, intents: Sequence[Intent], starts_step: Callable[[str], bool]) -> None:
        self._frames = [_Frame(intent, starts_step) for intent in intents if intent.frame.things]

    def read(self, tokens: Sequence[Token], no_values: frozenset[str], *, may_imply: bool) -> list[Reading]:
        """Every way to understand all of the tokens.

        ``no_values`` are no part of a value; ``may_imply`` lets a thing alone stand for setting it up.
        """
        tokens = _part_settings(_wish(tokens))
        readings = [reading for frame in self._frames for reading in frame.read(tokens, may_imply=may_imply)]
        return [reading for reading in readings if no_values.isdisjoint(texts_in(reading.params))]


class _Frame:
    def __init__(self, intent: Intent, starts_step: Callable[[str], bool]) -> None:
        slots = all_slots(intent)
        lists: Lists = {slot: words for slot, option in slots.items() if (words := words_for(slot, option))}
        frame = intent.frame
        self._intent = intent
        self._required = intent.required()
        self._reader = Reader(intent, lists, starts_step)
        own = frozenset[str]().union(*(words_of(text, lists) for text in frame.templates()))
        self._things, orders, parts = (
            [Template(text, self._reader, own) for text in texts] for texts in (frame.things, frame.orders, frame.parts)
        )
        states = [option for name, option in intent.options.items() if name.endswith("_state")]
        is_removable = any(ABSENT in (option.get("choices") or ()) for option in states)
        #: "install" and the like mean something for what may be there or not, not for what only runs
        self._is_installable = is_removable or not states
        means = {ARRIVAL: self._is_installable, SETTING: True, DEPARTURE: is_removable}
        universal = {kind: words for kind, words in UNIVERSAL.items() if means[kind]}
        self._tiler = Tiler([*parts, *self._things], orders, universal, self._required)
        self._words = PLAIN | PARTICLES | own | {"be", *" ".join(self._tiler.verbs).split()}
        slots_said = {
            ref.slot_name for text in frame.templates() for ref in slots_in(text) if ref.list_name == ref.slot_name
        }
        self._open_slots = sorted(slots_said - lists.keys())
        said = [{ref.slot_name for ref in slots_in(text)} for text in frame.orders]
        self._has_complete_order = bool(self._required) and any(said_.issuperset(self._required) for said_ in said)

    def read(self, tokens: Sequence[Token], *, may_imply: bool) -> list[Reading]:
        if not all(self._may_fit(token) for token in tokens):
            return []
        found: dict[str, Reading] = {}
        for thing, rest in self._take_things(tokens):
            for tiling in self._tiler.tile(rest, thing):
                reading = self._convert(tiling, tokens, may_imply=may_imply)
                if reading is not None:
                    key = json.dumps(sorted(json.dumps(params, sort_keys=True) for params in reading.params))
                    if key not in found or found[key].literal < reading.literal:
                        found[key] = reading
        return list(found.values())

    def _may_fit(self, token: Token) -> bool:
        """Whether the word is known or may be a value; spares the search for most frames."""
        return (
            token.word in self._words
            or any(self._reader.read_values(slot, [token], is_named=True) for slot in self._open_slots)
            or bool(from_participle(token.word, self._tiler.verbs) or from_gerund(token.word, self._tiler.verbs))
        )

    def _take_things(self, tokens: Sequence[Token]) -> Iterator[tuple[Match, list[Token]]]:
        """The thing, wherever it is said, and the other words; none where an order says all: "git clone URL FOLDER"."""
        if self._has_complete_order:
            yield Match(0), list(tokens)
        for template in self._things:
            for start in range(len(tokens)):
                for match in template.match(tokens, start):
                    before, after = list(tokens[:start]), list(tokens[match.end :])
                    yield match, [*before, *after]
                    while before and before[-1].word in ARTICLES | {"the"}:
                        before = before[:-1]
                    if match.literal and before and before[-1].word in THING_LINKS:
                        # "the port of redis"
                        yield match, [*before[:-1], *after]

    def _convert(self, tiling: Tiling, tokens: Sequence[Token], *, may_imply: bool) -> Reading | None:
        kinds = {kind.removeprefix("inflected ") for kind in tiling.kinds}
        if not self._orders_something(kinds, tiling, may_imply=may_imply):
            return None
        literal = list(tiling.literal)
        if DEPARTURE in kinds:
            if ARRIVAL in kinds or (OWN in kinds and ABSENT not in texts_in(tiling.read)):
                return None
            literal.append("remove")
        steps = build_params(self._intent, [(slot, list(values)) for slot, values in tiling.read])
        if not steps or not all(self._reader.infer_states(params, literal) for params in steps):
            return None
        may_be_several = all(token.word != "from" for token in tokens)
        if DEPARTURE in kinds and not all(self._says_what_goes(params, may_be_several) for params in steps):
            return None
        if not all(self._is_enough(params) and all(name in params for name in self._required) for params in steps):
            return None
        spoken = (*tiling.literal, *tiling.telling)
        negations = sum(word in NEGATIONS for word in spoken)
        return Reading(self._intent.name, steps, len(spoken), len(tokens), frozenset(spoken), negations)

    def _orders_something(self, kinds: set[str], tiling: Tiling, *, may_imply: bool) -> bool:
        """Whether the words ask for something rather than tell how it is."""
        is_told = "inflected" in " ".join(tiling.kinds) or "subject" in kinds
        if (is_told and "modal" not in kinds) or ("no thing" in kinds and "complete" not in kinds):
            return False
        has_value = bool(tiling.read)
        if OWN in kinds or DEPARTURE in kinds or ARRIVAL in kinds:
            return True
        if SETTING in kinds or "modal" in kinds:
            return has_value
        is_thing = kinds.isdisjoint({"be", "wordy", "subject"})
        return is_thing and self._is_installable and self._intent.frame.bare and (may_imply or has_value)

    def _says_what_goes(self, params: Mapping[str, object], may_be_several: bool) -> bool:
        """Whether a removal names nothing but what goes: neither alice in "remove sudo from alice", nor a database in
        "remove the user bob from the database shop".
        """
        rules = self._intent.export
        named = {*self._required, rules.each, *"|".join(rules.identity or ()).split("|")}
        kinds = [name for name in params if "state" in (self._intent.options[name].get("options") or {})]
        others = params.keys() - named - set(kinds)
        return (may_be_several or len(kinds) < 2) and all(_HOW_IT_GOES.search(name) for name in others)

    def _is_enough(self, params: Mapping[str, object]) -> bool:
        is_gone = ABSENT in texts_in(
            [value for name, value in params.items() if "state" in name or isinstance(value, list)]
        )
        return is_gone or all(any(_says(params, name) for name in need.split("|")) for need in self._intent.frame.needs)


def _says(params: Mapping[str, object], name: str) -> bool:
    """Whether the param is there; of "param.key", whether each item has the key, if there are items."""
    param, _, key = name.partition(".")
    items = params.get(param, [])
    return (
        all(key in item for item in items if isinstance(item, dict))
        if key and isinstance(items, list)
        else param in params
    )


def _wish(tokens: Sequence[Token]) -> list[Token]:
    """ "Make sure that nginx is there" as "nginx should be there"."""
    words = [token.word for token in tokens[:5]]
    sure = next((start for start in SURE if words[: len(start)] == start), None)
    if sure is None:
        return list(tokens)
    rest = [Token("be") if token.word in {"is", "are"} else token for token in tokens[len(sure) :]]
    return [Token("should"), *rest]


def _part_settings(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with "PORT=80" taken apart, and numbers in a row as a list."""
    parted: list[Token] = []
    for token in tokens:
        key, equals, value = token.text.partition("=")
        is_option = bool(parted) and parted[-1].word in {"option", "options", "-o"}
        if not token.quoted and equals and value and not is_option and _KEY.fullmatch(key):
            parted += [Token(key), Token(equals), Token(value)]
        elif parted and token.word.isdigit() and parted[-1].word.isdigit():
            parted += [Token(SEPARATOR), token]
        else:
            parted.append(token)
    return parted
