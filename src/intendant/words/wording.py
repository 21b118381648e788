"""Reads English requests: splits them into words and knows the words that matter whatever is asked for. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from intendant.words.politeness import asks_politely, skip_closers, skip_openers
from intendant.words.schedules import TIME_OPENERS, read_schedule
from intendant.words.tokens import Token, unify
from intendant.words.vocabulary import (
    COMMANDS,
    HARMFUL,
    JOINERS,
    NAMING_WORDS,
    NEGATIONS,
    NO_NAMES,
    QUESTION_OPENERS,
    SEPARATOR,
)

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_TOKEN = re.compile(
    "|".join(rf"{opening}(?P<q{number}>[^{closing}]+){closing}(?=[\s,.;:!?]|$)"
             for number, (opening, closing) in enumerate(_QUOTES.items()))
    + r"|(?P<separator>,|&(?=\s))|(?P<word>[^\s,]+)"
)  # fmt: skip

_LONGEST_TIME = 7
_INFLECTION = re.compile(r"(?:e?s|e?d|ing|er|ed|ped|ping|led|ling)")
_LONGEST_ORDER = 3
_PLEASE = frozenset({"please", "pls", "plz"})
_WISHES = [[verb, who, what] for verb in ("can", "could", "may") for who in ("i", "we") for what in ("get", "have")]


@dataclass(frozen=True)
class Wording:
    """A request, read as far as that is possible without knowing what can be asked for."""

    tokens: tuple[Token, ...]
    is_question: bool = False
    negation: str = ""
    is_polite: bool = False


def read_wording(request: str) -> Wording:
    """Split a request into words, and take off what only makes it polite."""
    tokens: list[Token] = []
    asks = False
    for match in _TOKEN.finditer(request):
        if match["separator"]:
            tokens.append(Token(SEPARATOR))
        elif (word := match["word"]) is None:
            tokens.append(Token(next(text for text in match.groups() if text), quoted=True))
        else:
            stripped = word.rstrip(".:;!?…")
            asks = asks or "?" in word[len(stripped) :]
            if stripped:
                tokens.append(Token(stripped.replace("’", "'")))
            if stripped != word and match.end() < len(request):
                tokens.append(Token(SEPARATOR))
    tokens = unify(tokens)
    words = [token.word for token in tokens]
    negation = next((token.text for number, token in enumerate(tokens) if _is_negation(words, number)), "")
    start, polite = skip_openers(words)
    is_polite_question = (polite or asks_politely(words)) and not negation
    opener = words[start] if start < len(words) else ""
    # "I would like to have nginx installed"
    # "can I get python 3.12 please"
    gets = words[:3] in _WISHES and words[-1] in _PLEASE and not negation
    wishes = start > 0 and opener == "have" and not asks
    orders = words[start : start + 2] == ["check", "out"] and not asks
    passive = _ask_passive(tokens, start) if not negation else None
    is_question = (asks and not is_polite_question) or (opener in QUESTION_OPENERS and not wishes and not orders)
    tokens = tokens[2:] if gets else tokens
    is_polite = polite or bool(_PLEASE.intersection(words))
    if passive:
        return Wording(tuple(strip_politeness(passive)), is_polite=True)
    return Wording(tuple(strip_politeness(tokens)), is_question and not gets, negation, is_polite)


def _ask_passive(tokens: Sequence[Token], start: int) -> list[Token] | None:
    """ "Could the port please be opened?" as "the port should be opened"; None where it is something else."""
    words = [token.word for token in tokens]
    if words[start : start + 1] not in (["could"], ["can"]) or not _PLEASE.intersection(words):
        return None
    kept = [token for token in tokens[start + 1 :] if token.word not in _PLEASE]
    place = next((n for n, token in enumerate(kept) if token.word == "be"), 0)
    subject = [token.word for token in kept[:place]]
    if not 0 < place < 6 or SEPARATOR in subject or subject[0] in {"i", "we", "you", "it", "there"}:
        return None
    return [*kept[:place], Token("should"), *kept[place:]]


def strip_politeness(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the polite words and separators at both ends."""
    words = [token.word for token in tokens]
    start, _ = skip_openers(words)
    return list(tokens[start : skip_closers(words, start)])


def count_negations(tokens: Sequence[Token]) -> int:
    """How many words take something back."""
    words = [token.word for token in tokens]
    return sum(_is_negation(words, number) for number in range(len(words)))


def correct_verb(word: str, verbs: Collection[str]) -> str:
    """The one verb that ``word`` is a slip of the keyboard away from, or ``word`` itself."""
    if len(word) < 4 or word in verbs or word in COMMANDS or is_ordinary(word):
        return word
    near = {verb for verb in verbs if verb[0] == word[0] and is_slip(word, verb)} - HARMFUL
    if len(word) == 4:
        # Of short words only swapped letters are clear: "opne".
        near = {verb for verb in near if sorted(verb) == sorted(word)}
    near = {verb for verb in near if not is_inflected(word, verb)}
    return near.pop() if len(near) == 1 else word


def is_inflected(word: str, verb: str) -> bool:
    """Whether the word is a form of the verb, as "moved" and "mounting" are."""
    ending = word[len(verb) :] if word.startswith(verb) else word[len(verb) - 1 :] if verb.endswith("e") else ""
    stem = verb if word.startswith(verb) else verb.removesuffix("e")
    return (
        bool(ending)
        and word.startswith(stem)
        and (bool(_INFLECTION.fullmatch(ending)) or (verb.endswith("e") and ending == "d"))
    )


def correct_word(word: str, known: Collection[str]) -> str:
    """The one of the known words that ``word`` is a slip of the keyboard away from, or ``word`` itself."""
    if len(word) < 4 or not word.isalpha() or word in known or word in COMMANDS or is_ordinary(word):
        return word
    alike = (other for other in known if other[:1] == word[0] and abs(len(other) - len(word)) < 2)
    near = {other for other in alike if len(other) >= 4 and is_slip(word, other)} - HARMFUL
    # Of short words only swapped letters are clear: "prot".
    near = {other for other in near if min(len(word), len(other)) > 4 or sorted(word) == sorted(other)}
    return near.pop() if len(near) == 1 else word


def is_ordinary(word: str) -> bool:
    """Whether the word, or its singular, says something ordinary and so names nothing by itself."""
    singulars = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    # "stop asking"
    is_doing = word.endswith("ing") and not COMMANDS.isdisjoint({word[:-3], word[:-4], f"{word[:-3]}e"})
    return is_doing or not singulars.isdisjoint(NO_NAMES)


def is_slip(word: str, other: str) -> bool:
    """Whether one wrong, missing, doubled or swapped letter tells two words apart; short words need to be equal."""
    if min(len(word), len(other)) < 4:
        return word == other
    return bool(OSA.distance(word, other, score_cutoff=1) <= 1)


def join_times(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the words of each time joined to one: "every day at 6:30"."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        end = 0 if joined and joined[-1].word in NAMING_WORDS else _time_end(tokens, position)
        text = " ".join(token.text for token in tokens[position:end])
        joined.append(Token(text, quoted=True, is_time=True) if end else tokens[position])
        position = end or position + 1
    return joined


def _time_end(tokens: Sequence[Token], start: int) -> int:
    """Where the longest time that starts there ends; 0 when none does."""
    if tokens[start].quoted or tokens[start].word not in TIME_OPENERS:
        return 0
    for end in range(min(start + _LONGEST_TIME, len(tokens)), start, -1):
        words = [token.word for token in tokens[start:end]]
        if SEPARATOR not in words and "" not in words and read_schedule(" ".join(words)):
            return end
    return 0


def _is_negation(words: Sequence[str], number: int) -> bool:
    # "set it to no": the value, unless something follows that it may belong to
    is_value = words[number] == "no" and number > 0 and words[number - 1] in {"to", "=", "be"}
    return words[number] in NEGATIONS and not is_value


def quote_make(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the program make as a name: "git and make, also node"."""
    words = [SEPARATOR, *(token.word for token in tokens), SEPARATOR]
    return [
        Token("make", quoted=True)
        if token.word == "make"
        and words[place] in JOINERS
        and words[place + 2] in JOINERS | {"on", "is", "are", "to", "in", "from"}
        and place
        else token
        for place, token in enumerate(tokens)
    ]


def order_length(tokens: Sequence[Token], orders: Collection[str]) -> int:
    """How many words the longest order takes that the tokens start with, such as "get rid of"; 0 where it is none."""
    words = [token.word for token in tokens[:_LONGEST_ORDER]]
    return next((length for length in range(len(words), 0, -1) if " ".join(words[:length]) in orders), 0)
