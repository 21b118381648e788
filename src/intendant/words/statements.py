"""What a clause that only tells something is about, and what in it may be more than prose. Pure."""

import re
from collections.abc import Callable, Sequence

from intendant.words.hostnames import HostNames
from intendant.words.targets import read_target
from intendant.words.tokens import Token
from intendant.words.vocabulary import NAMING_WORDS, NEGATIONS, SEPARATOR

_IS = frozenset("is are was were isn't aren't wasn't keeps keep isnt arent".split())
VERBS = _IS | frozenset(
    "am i'm we're it's its has have had does doesn't don't dont can't cannot won't didn't runs gets got went goes says "
    "say said shows show needs wants seems fails failed keeps left lost died broke moved changed ended ran blocks "
    "works worked comes came takes took uses use used think thinks believe heard see saw saw live lives teach hired "
    "bought reached found stopped started crashed crashes belongs looks read reads told complains complain theyre "
    "they're there's that's he's she's wasn't weren't hasn't haven't banned hammering eating".split()
)
SUBJECTS = frozenset(
    "i we it they he she you somebody someone people users customers everybody nobody this that there its it's we're "
    "i'm they're theyre there's that's he's she's my our the a legal".split()
)
CAUSES = frozenset("because since as".split())
CONDITIONS = frozenset(
    "if when once until before unless while whenever whether could would what why how who tried wonder or".split()
)
WISHES = frozenset(
    "should must shall want wants need needs let may might can make sure please only ought has to".split()
)
_VALUE = re.compile(r".*[\d/=@].*|\w+\.\w+.*")
_ANY_MORE = [text.split() for text in ("any more", "anymore", "any longer", "no longer", "no more")]


def place_of(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The words of the statement that say where: "on web1"."""
    for place, token in enumerate(tokens):
        is_place = token.word in {"on", "in", "from", "of", "to"}
        if is_place and (target := read_target(tokens, place, names)) and target.names:
            return [Token("on"), *tokens[place + 1 : target.end]]
        if token.word in names.hosts_by_key:
            return [Token("on"), token]
    return []


def part_statement(tokens: Sequence[Token], starts_step: Callable[[str], bool]) -> tuple[list[Token], list[Token]]:
    """What a statement is about and what it says of it; empty where the words are none, or a wish or a condition."""
    words = [token.word for token in tokens]
    while words and words[0] in CAUSES | {SEPARATOR, "hello", "well"}:
        tokens, words = tokens[1:], words[1:]
    if not words or words[0] in NEGATIONS or starts_step(words[0]) or not CONDITIONS.isdisjoint(words):
        return [], []
    verb = next((n for n, word in enumerate(words) if word in VERBS and n), 0)
    if not verb and words[0] not in VERBS:
        return [], []
    if words[0] in {"we", "i", "nobody"} and (objects := object_no_more(tokens)):
        return objects, list(tokens[verb:])
    wishes = WISHES - {"need", "needs", "want", "wants", "only", "can", "to", "has"} if verb else WISHES
    if not wishes.isdisjoint(words):
        return [], []
    return list(tokens[: verb or 1]), list(tokens[verb:])


def object_no_more(tokens: Sequence[Token]) -> list[Token]:
    """The X of "we don't need X any more"."""
    words = [token.word for token in tokens]
    verb = next((n for n, word in enumerate(words) if word in {"need", "use", "want", "uses", "needs"}), 0)
    is_negated = not {"don't", "dont", "not", "longer", "nobody", "never"}.isdisjoint(words[: verb + 1])
    if not verb or not is_negated:
        return []
    end = next(
        (n for n in range(verb + 1, len(words)) if any(words[n : n + len(m)] == m for m in _ANY_MORE)), len(words)
    )
    return list(tokens[verb + 1 : end])


def has_value(tokens: Sequence[Token], names: HostNames) -> bool:
    """Whether one of the words may be a value rather than prose."""
    return any(
        token.quoted
        or token.is_time
        or token.word in NAMING_WORDS
        or (_VALUE.fullmatch(token.text) and token.word not in names.hosts_by_key)
        for token in tokens
    )
