"""Other ways to say the same: the forms in which people put an order, brought to "verb, thing, value". Pure."""

import re
from collections.abc import Collection, Iterator, Sequence

from intendant.words.tokens import Token
from intendant.words.vocabulary import JOINERS, SEPARATOR

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
_IS = frozenset({"is", "are", "isn't", "aren't"})
_NEGATED = [phrase.split() for phrase in (
    "should not be", "shouldn't be", "must not be", "mustn't be", "should no longer be", "must no longer be",
    "shall not be", "shall no longer be", "is not", "are not", "isn't", "aren't", "is no longer", "are no longer",
)]  # fmt: skip
_OPPOSITES = {"open": "close", "reachable": "close", "running": "stop", "started": "stop", "installed": "remove",
              "present": "remove", "there": "remove", "mounted": "unmount", "loaded": "unload"}  # fmt: skip
_WISHED = [phrase.split() for phrase in (
    "i'd appreciate it if", "i would appreciate it if", "it would be great if", "it would be nice if", "i'd be glad if",
    "i'd be happy if", "i would be happy if", "i would be glad if", "i would be grateful if", "i'd be grateful if",
    "it would be good if", "i should like", "i would like", "i'd like", "we would like", "we'd like", "i wish",
    "it is requested that", "it is required that", "i request that", "i ask that", "please see to it that",
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
    tokens = _settle(tokens, verbs)
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


def _negate_state(tokens: Sequence[Token]) -> list[Token]:
    """ "X should not be open any more" and "make sure X is not open" as "close X"; empty where the words are others."""
    words = [token.word for token in tokens]
    sure = max((start for start in SURE if words[: len(start)] == start), key=len, default=[])
    for place in range(len(sure) + 1, len(words) - 1):
        negated = next(
            (n for n in _NEGATED if words[place : place + len(n)] == n and bool(sure) == (n[0] in _IS)), None
        )
        if negated is None:
            continue
        end = place + len(negated)
        verb = _OPPOSITES.get(words[end]) if end < len(words) else None
        end += 1
        for more in (["any", "more"], ["anymore"], ["any", "longer"]):
            end += len(more) if words[end : end + len(more)] == more else 0
        is_done = end == len(words) or words[end] in {"on", "in", "from", "at"}
        if verb and is_done and JOINERS.isdisjoint(words[:place]):
            return [Token(verb), *tokens[len(sure) : place], *tokens[end:]]
    return []


def _settle(tokens: Sequence[Token], verbs: Collection[str]) -> list[Token]:
    """Wishes for a state as "X should be …", and verbs at the end, as in German, put where they belong in English."""
    words = [token.word for token in tokens]
    if opposite := _negate_state(tokens):
        return opposite
    wish = next((wish for wish in _WISHED if words[: len(wish)] == wish), None)
    if wish:
        tokens, words = tokens[len(wish) :], words[len(wish) :]
        for place in range(1, len(words) - 1):
            if words[place] in {"was", "were", "is", "are", "be"} or words[place : place + 2] == ["to", "be"]:
                rest = tokens[place + 1 + (words[place] == "to") :]
                return [*tokens[:place], Token("should"), Token("be"), *rest]
    modal = next((n for n, word in enumerate(words) if word in {"shall", "should", "must"}), None)
    if modal is None or len(words) - modal < 3:
        return list(tokens)
    if words[-1] == "be" and from_participle(words[-2], verbs):
        front, middle = list(tokens[:modal]), list(tokens[modal + 1 : -2])
        if not JOINERS.isdisjoint(words[modal:]):
            return list(tokens)
        return (
            [*front, Token("should"), Token("be"), tokens[-2], *middle]
            if front and words[0] not in {"on", "in"}
            else [Token(from_participle(words[-2], verbs)), *middle, *front]
        )
    if words[-1] in _HABITS and words[modal + 1] not in _HABITS and SEPARATOR not in words[modal:]:
        return [*tokens[: modal + 1], tokens[-1], *tokens[modal + 1 : -1]]
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
