"""Takes out of a request what only tells: why, what else is so, what is not meant; and says for what "it" stands. Pure.

Nothing that may be a value is taken out, nor a wish or a condition. Whether the words that were taken out bear on what
was then read is for the caller to judge: see ``Told.words``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from intendant.words.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.words.statements import (
    CAUSES,
    CONDITIONS,
    SUBJECTS,
    VERBS,
    WISHES,
    has_value,
    object_no_more,
    part_statement,
    place_of,
)
from intendant.words.targets import read_target
from intendant.words.tokens import Token
from intendant.words.vocabulary import JOINERS, SEPARATOR

_LINKS = frozenset("so please pls kindly therefore thus hence and then just plz".split())
_REQUESTS = frozenset("i we i'd we'd it can could would".split())
_OBJECTS = frozenset({"it", "them", "that", "him", "her"})
_NEGATED = [text.split() for text in (
    "don't", "dont", "do not", "not", "no need to", "no", "it is not necessary to", "you don't need to", "never",
    "without", "but don't", "but not", "but no", "but dont", "but do not", "and don't", "and no", "but without",
)]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A request without what it only tells; ``words`` are those taken out, which must not bear on what is read."""

    tokens: tuple[Token, ...]
    words: frozenset[str] = frozenset()


def without_background(tokens: Sequence[Token], names: HostNames, starts_step: Callable[[str], bool]) -> Iterator[Told]:
    """Ways to leave out what a request only tells, those that leave out least first."""
    fronts = [Told(tuple(tokens)), *_without_head(tokens, names), *_without_front(tokens, names, starts_step)]
    for front in fronts:
        ends = [front, *_without_end(front, names, starts_step)]
        for told in ends:
            if told.tokens != tuple(tokens):
                yield told
            yield from _without_exclusion(told, names)


def _segments(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    places = [-1, *(n for n, token in enumerate(tokens) if token.word == SEPARATOR), len(tokens)]
    return [(start + 1, end) for start, end in pairwise(places) if start + 1 < end]


def _without_front(tokens: Sequence[Token], names: HostNames, starts_step: Callable[[str], bool]) -> Iterator[Told]:
    words = [token.word for token in tokens]
    for _, end in _segments(tokens)[:3]:
        start = end + 1
        linked = False
        while start < len(words) and words[start] in _LINKS | {SEPARATOR}:
            linked = linked or words[start] in _LINKS
            start += 1
        before, after = list(tokens[:end]), list(tokens[start:])
        # "the docs say: install htop" asks for nothing
        is_asked = linked or words[0] in CAUSES or (start < len(words) and words[start] in _REQUESTS)
        refers_back = bool(after) and starts_step(after[0].word) and words[0] not in {"this", "that", "it"}
        if not after or not (is_asked or refers_back):
            continue
        subject, predicate = part_statement(before, starts_step)
        if not subject:
            continue
        place = place_of(before, names)
        pronouns = [n for n, token in enumerate(after) if token.word in _OBJECTS and not _is_conjunction(after, n)]
        owner = [n for n, token in enumerate(after) if token.word == "its"]
        about = [token for token in subject if token not in place]
        if (pronouns or owner) and about and about[0].word not in {"it", "i", "we", "they", "you", "there"}:
            for at in (pronouns or owner)[:1]:
                replaced = [*after[:at], *about, *after[at + 1 :]]
                if not has_value(predicate, names):
                    yield Told((*replaced, *place))
        elif is_asked and not pronouns and not owner and not has_value(before, names):
            yield Told((*after, *place), frozenset())


def _without_head(tokens: Sequence[Token], names: HostNames) -> Iterator[Told]:
    """Without a heading that only says on what occasion: "Harden all servers: …", "Offboarding, …"."""
    segments = _segments(tokens)
    if len(segments) < 2 or segments[0][0] or segments[0][1] > 8:
        return
    head, rest = tokens[: segments[0][1]], tokens[segments[0][1] + 1 :]
    where: list[Token] = []
    for start in range(len(head)):
        target = read_target([Token("on"), *head[start:]], 0, names)
        if target and target.names:
            where = [Token("on"), *head[start : start + target.end - 1]]
            break
    if not where and any(token.word in PLURAL_NOUNS | NOUNS for token in head):
        return
    said = {token.word for token in head} - {token.word for token in where}
    is_occasion = not said.isdisjoint(_OCCASIONS) and not has_value(head, names)
    if said.issubset(_PREPARING) or is_occasion:
        bearing = frozenset() if said.issubset(_PREPARING) else frozenset(said - _OCCASIONS)
        yield Told((*rest, *where), bearing)


_PREPARING = frozenset(
    "harden secure prepare set up setup the our my a for app shop site website project "
    "new release launch go-live of on all in".split()
)
_OCCASIONS = frozenset("colleague offboarding onboarding go-live launch maintenance migration audit employee".split())


def _is_conjunction(tokens: Sequence[Token], place: int) -> bool:
    """Whether "that" begins a clause rather than standing for something."""
    return tokens[place].word == "that" and place + 1 < len(tokens) and tokens[place + 1].word != SEPARATOR


def _without_end(told: Told, names: HostNames, starts_step: Callable[[str], bool]) -> Iterator[Told]:
    """Without a sentence behind that gives a reason: "…, we do not use it", "… because it is full"."""
    tokens = told.tokens
    words = [token.word for token in tokens]
    ends = [start for start, _ in _segments(tokens)[1:]]
    # "take it off it banned me", "its so old"
    ends += [n for n in range(2, len(words)) if _begins_reason(words, n)]
    for start in sorted(set(ends), reverse=True)[:3]:
        end = next((n for n in range(start, len(words)) if words[n] == SEPARATOR), len(words))
        last = list(tokens[start:end])
        subject, _ = part_statement(last, starts_step)
        no_more = bool(object_no_more(last)) or words[-2:] in (["wants", "it"], ["needs", "it"])
        orders = any(pair[0].word in JOINERS and starts_step(pair[1].word) for pair in pairwise(last))
        is_reason = bool(subject) and not orders and words[start] in SUBJECTS | CAUSES
        is_reason = is_reason and not place_of(last, names)
        if is_reason and (no_more or WISHES.isdisjoint(words[start + 1 :])) and not has_value(last, names):
            kept = tokens[: start - (words[start - 1] == SEPARATOR)] + tokens[end:]
            yield Told(kept, told.words | _content(last))
    for place in range(2, len(words)):
        is_cause = words[place] == "because" or words[place : place + 2] == ["so", "that"]
        is_purpose = words[place] == "so" and words[place + 1 : place + 2] and words[place + 1] in SUBJECTS
        if (is_cause or is_purpose) and SEPARATOR not in words[place:] and not has_value(tokens[place:], names):
            yield Told(tokens[:place], told.words | _content(tokens[place:]))


def _begins_reason(words: Sequence[str], place: int) -> bool:
    """Whether a sentence begins there for which somebody has left out the comma."""
    if words[place - 1] in {"sure", "that", "if", "and", "so", "when", "as", "because", SEPARATOR} | VERBS:
        return False
    is_short = words[place] in {"its", "it's", "theyre", "they're"} and words[place + 1 : place + 2] != [SEPARATOR]
    following = words[place + 1 : place + 2]
    return is_short or (words[place] in {"it", "they"} and bool(following) and following[0] in VERBS - {"keep"})


def _content(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(token.word for token in tokens) - SUBJECTS - VERBS - WISHES - _LINKS - {"not", "no", "any", "more"}


def _without_exclusion(told: Told, names: HostNames) -> Iterator[Told]:
    """Without what is expressly not asked for: "…, but no docker", "don't reboot it, just …"."""
    tokens = told.tokens
    words = [token.word for token in tokens]
    for start, end in _segments(tokens):
        part = words[start:end]
        opener = max((o for o in _NEGATED if part[: len(o)] == o), key=len, default=None)
        follows = words[end + 1 : end + 2]
        if opener and end < len(words) and not start and follows and follows[0] in {"just", "only", "but", "instead"}:
            hosts = place_of(tokens[start:end], names)
            rest = [*tokens[end + 2 :]]
            dropped = frozenset(part[len(opener) :]) - set(names.hosts_by_key)
            if not has_value(tokens[start:end], names):
                yield Told((*rest, *hosts), told.words | _as_words(dropped))
    for start in range(1, len(words)):
        opener = max(
            (o for o in _NEGATED if o[0] == "but" and words[start : start + len(o)] == o), key=len, default=None
        )
        if opener and SEPARATOR not in words[start:]:
            left_out = tokens[start + len(opener) :]
            place = place_of(left_out, names)
            dropped = frozenset(token.word for token in left_out if token not in place)
            is_other = dropped.isdisjoint(_OBJECTS | CONDITIONS | _SEQUELS) and not has_value(left_out, names)
            if is_other and 0 < len(left_out) - len(place) <= 4:
                yield Told((*tokens[:start], *place), told.words | _as_words(dropped))


#: orders that belong to what was asked for before them: "but do not start it"
_SEQUELS = frozenset({"start", "enable", "restart", "reboot", "yet"})


def _as_words(words: frozenset[str]) -> frozenset[str]:
    return words - {"the", "a", "any", "anything", "please", "of", "on", "to", "install", "open", SEPARATOR}
