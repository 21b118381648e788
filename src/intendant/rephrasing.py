"""Other ways to say the same: the forms in which people put an order, brought to "verb, thing, value". Pure."""

import re
from collections.abc import Collection, Iterator, Sequence

from intendant.tokens import Token
from intendant.vocabulary import JOINERS

_IRREGULAR = {"set": "set", "put": "put", "shut": "shut", "made": "make", "run": "run", "kept": "keep", "cut": "cut",
              "given": "give", "taken": "take", "gone": "remove", "forbidden": "forbid"}  # fmt: skip
_AUXILIARIES = [phrase.split() for phrase in (
    "should be", "must be", "shall be", "needs to be", "need to be", "has to be", "have to be", "ought to be",
    "should get", "needs to get", "should become",
)]  # fmt: skip
#: "redis should listen on …" is "let redis listen on …"
_MODALS = frozenset({"should", "must", "shall"})
_HABITS = frozenset({"listen", "run", "use"})
_PARTICLES = frozenset("up off on down in".split())
_WISHES = [phrase.split() for phrase in (
    "i want", "we want", "i need", "we need", "i require", "we require", "i would like", "we would like", "i'd like",
    "we'd like", "i want to have", "we want to have", "have", "get", "get me", "i wish for", "there should be",
)]  # fmt: skip
SURE = [
    phrase.split()
    for phrase in (
        "make sure that",
        "make sure",
        "ensure that",
        "ensure",
        "see to it that",
        "i want that",
        "we want that",
        "make that",
    )
]
_STATES = {
    "installed": "install", "present": "install", "available": "install", "there": "install", "set up": "set up",
    "removed": "remove", "uninstalled": "uninstall", "gone": "remove", "absent": "remove", "open": "open",
    "opened": "open", "reachable": "open", "closed": "close", "mounted": "mount", "loaded": "load", "allowed": "allow",
}  # fmt: skip
#: what may be meant by a thing alone: "docker on web1"
_IMPLIED = (["install"], ["set"], ["add"], ["create"], ["set", "up"])


def to_active(tokens: Sequence[Token], verbs: Collection[str]) -> list[Token]:
    """ "The port should be opened" as "open the port", "have nginx installed" as "install nginx"."""
    words = [token.word for token in tokens]
    if words[:1] == ["mind"] and len(words) > 1 and (verb := from_gerund(words[1], verbs)):
        return [Token(verb), *tokens[2:]]
    for start in range(1, len(words)):
        auxiliary = next((aux for aux in _AUXILIARIES if words[start : start + len(aux)] == aux), None)
        if auxiliary is None:
            continue
        subject, rest = list(tokens[:start]), list(tokens[start + len(auxiliary) :])
        while rest and rest[0].word in {"also", "now", "then", "only"}:
            rest = rest[1:]
        if not rest or (not JOINERS.isdisjoint(words[:start]) and words[0] in verbs):
            return list(tokens)
        if verb := from_participle(rest[0].word, verbs):
            particle = 1 if len(rest) > 1 and rest[1].word in _PARTICLES and not _is_place(rest[1:]) else 0
            return [Token(verb), *rest[1 : 1 + particle], *subject, *rest[1 + particle :]]
        return [Token("make"), Token("sure"), *subject, Token("is"), *rest]
    modal = next((n for n, word in enumerate(words[1:-1], 1) if word in _MODALS and words[n + 1] in _HABITS), 0)
    if modal and JOINERS.isdisjoint(words[:modal]):
        return [Token("let"), *tokens[:modal], *tokens[modal + 1 :]]
    for wish in _WISHES:
        if words[: len(wish)] != wish or words[:2] == ["get", "rid"]:
            continue
        done = next((n for n in range(len(wish) + 1, len(words)) if from_participle(words[n], verbs)), None)
        if done is not None:
            return [Token(from_participle(words[done], verbs)), *tokens[len(wish) : done], *tokens[done + 1 :]]
    return list(tokens)


def variants(tokens: Sequence[Token], verbs: Collection[str], *, may_imply: bool) -> Iterator[tuple[list[Token], int]]:
    """The tokens and other ways to say them, best first, with how many words of a phrase each must have.

    ``may_imply`` lets a thing alone stand for an order to set it up.
    """
    words = [token.word for token in tokens]
    sure = next((start for start in SURE if words[: len(start)] == start), None)
    rest = list(tokens[len(sure) :]) if sure else []
    is_at = next((n for n, token in enumerate(rest) if token.word in {"is", "are"} and n), 0)
    if is_at:
        verb = _STATES.get(" ".join(token.word for token in rest[is_at + 1 :]), "")
        if verb:
            yield [*map(Token, verb.split()), *rest[:is_at]], 2
    yield list(tokens), 1
    if is_at and is_at + 2 == len(rest):
        yield [Token("set"), *rest[:is_at], Token("to"), *rest[is_at + 1 :]], 2
    wish = max((w for w in _WISHES if words[: len(w)] == w), key=len, default=None)
    if wish or (may_imply and words and words[0] not in verbs):
        thing = list(tokens[len(wish or ()) :])
        for order in _IMPLIED:
            yield [*map(Token, order), *thing], len(order) + 1


def from_gerund(word: str, verbs: Collection[str]) -> str:
    """The verb of "installing"; empty when it is none."""
    return _verb_of(word, "ing", verbs)


def from_participle(word: str, verbs: Collection[str]) -> str:
    """The verb of "installed"; empty when it is none."""
    return _IRREGULAR.get(word, "") if _IRREGULAR.get(word) in verbs else _verb_of(word, "ed", verbs)


def _verb_of(word: str, ending: str, verbs: Collection[str]) -> str:
    if not word.endswith(ending):
        return ""
    stem = word.removesuffix(ending)
    candidates = [stem, stem + "e", re.sub(r"(.)\1$", r"\1", stem), re.sub("i$", "y", stem)]
    return next((verb for verb in candidates if verb in verbs), "")


def _is_place(tokens: Sequence[Token]) -> bool:
    """Whether "on" or "in" begins a place rather than belonging to the verb."""
    return tokens[0].word in {"on", "in"} and len(tokens) > 1
