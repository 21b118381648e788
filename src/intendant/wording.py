"""Reads English requests: splits them into words and knows the words that matter whatever is asked for. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from intendant.politeness import skip_closers, skip_openers
from intendant.schedules import TIME_OPENERS, read_schedule
from intendant.vocabulary import COMMANDS, HARMFUL, NAMING_WORDS, NEGATIONS, NO_NAMES, QUESTION_OPENERS, SEPARATOR

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_TOKEN = re.compile(
    "|".join(rf"{opening}(?P<q{number}>[^{closing}]+){closing}(?=[\s,.;:!?]|$)"
             for number, (opening, closing) in enumerate(_QUOTES.items()))
    + r"|(?P<separator>,|&(?=\s))|(?P<word>[^\s,]+)"
)  # fmt: skip

_UNITS = re.compile(r"([kmgt])i?b?|(kilo|mega|giga|tera|gig|meg)(?:byte)?s?")
_LONGEST_TIME = 7
_INFLECTION = re.compile(r"(?:e?s|e?d|ing|er|ed|ped|ping|led|ling)")


@dataclass(frozen=True)
class Token:
    """A word of a request, without the punctuation around it; ``quoted`` words are values, whatever they say.

    ``is_time`` says that it is all the words of a time, such as "every night at 2".
    """

    text: str
    quoted: bool = False
    is_time: bool = False

    @property
    def word(self) -> str:
        """The word in lower case; empty when quoted, so that quoted words have no meaning of their own."""
        return "" if self.quoted else self.text.lower()


@dataclass(frozen=True)
class Wording:
    """A request, read as far as that is possible without knowing what can be asked for."""

    tokens: tuple[Token, ...]
    is_question: bool = False
    negation: str = ""


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
    tokens = _join_sizes(tokens)
    words = [token.word for token in tokens]
    negation = next((token.text for number, token in enumerate(tokens) if _is_negation(words, number)), "")
    start, polite = skip_openers(words)
    asks_politely = polite and not negation
    opener = words[start] if start < len(words) else ""
    # "I would like to have nginx installed"
    wishes = start > 0 and opener == "have" and not asks
    orders = words[start : start + 2] == ["check", "out"] and not asks
    is_question = (asks and not asks_politely) or (opener in QUESTION_OPENERS and not wishes and not orders)
    return Wording(tuple(strip_politeness(tokens)), is_question, negation)


def strip_politeness(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the polite words and separators at both ends."""
    words = [token.word for token in tokens]
    start, _ = skip_openers(words)
    return list(tokens[start : skip_closers(words, start)])


def correct_verb(word: str, verbs: Collection[str]) -> str:
    """The one verb that ``word`` is a slip of the keyboard away from, or ``word`` itself."""
    if len(word) < 4 or word in verbs or word in COMMANDS or is_ordinary(word):
        return word
    near = {verb for verb in verbs if verb[0] == word[0] and is_slip(word, verb)} - HARMFUL
    if len(word) == 4:
        # Of short words only swapped letters are clear: "opne".
        near = {verb for verb in near if sorted(verb) == sorted(word)}
    near = {verb for verb in near if not (word.startswith(verb) and _INFLECTION.fullmatch(word[len(verb) :]))}
    return near.pop() if len(near) == 1 else word


def correct_word(word: str, known: Collection[str]) -> str:
    """The one of the known words that ``word`` is a slip of the keyboard away from, or ``word`` itself."""
    if len(word) < 5 or not word.isalpha() or word in known or word in COMMANDS or is_ordinary(word):
        return word
    near = {other for other in known if len(other) >= 5 and other[0] == word[0] and is_slip(word, other)} - HARMFUL
    return near.pop() if len(near) == 1 else word


def is_ordinary(word: str) -> bool:
    """Whether the word, or its singular, says something ordinary and so names nothing by itself."""
    singulars = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    return not singulars.isdisjoint(NO_NAMES)


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


def _join_sizes(tokens: Sequence[Token]) -> list[Token]:
    """ "2 GB" and "2 gigabytes" as one word."""
    joined: list[Token] = []
    for token in tokens:
        unit = _UNITS.fullmatch(token.word)
        if unit and joined and re.fullmatch(r"\d+(\.\d+)?", joined[-1].word):
            joined[-1] = Token(f"{joined[-1].text}{(unit[1] or unit[2])[0].upper()}")
        else:
            joined.append(token)
    return joined
