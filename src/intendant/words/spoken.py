"""What people say where others write a sign or a digit: "web one", "port eighty", "europe slash london". Pure."""

import re
from collections.abc import Collection, Sequence

from intendant.words.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.words.targets import TARGET_FILLERS
from intendant.words.tokens import Token, join_sizes
from intendant.words.vocabulary import SEPARATOR

_UNITS = {word: str(number) for number, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split()
)}  # fmt: skip
_TENS = {word: str(number * 10) for number, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2
)}  # fmt: skip
_FACTORS = {"hundred": 100, "thousand": 1000}
_COUNTED = re.compile(r"(?:kilo|mega|giga|tera|gig|meg)(?:byte)?s?|[kmgt]i?b|gigs?|megs?|megas?|minutes?|hours?|days?")
#: after one of them a single word is a number
_NUMBERED = frozenset("port ports to at".split())
_ZONES = frozenset("africa america antarctica arctic asia atlantic australia europe indian pacific".split())
_SOUNDS = {"to": "2", "too": "2", "two": "2", "for": "4", "four": "4"}
_ESTATES = frozenset("estate fleet network inventory infrastructure company park datacenter".split())


def write_out(
    tokens: Sequence[Token], names: HostNames, known: Collection[str], ordinary: Collection[str]
) -> list[Token]:
    """The tokens as somebody would write them; ``known`` are what intents are called, ``ordinary`` other words."""
    written = _join_names(_join_hosts(tokens, names), known, ordinary)
    return join_sizes(_read_numbers(_join_signs(written)))


def correct_self(tokens: Sequence[Token]) -> list[Token]:
    """ "tree and unzp, sorry, unzip" as "tree and unzip"."""
    words = [token.word for token in tokens]
    for place in range(2, len(words) - 1):
        size = 1 if words[place] in {"sorry", "oops"} else 2 if words[place : place + 2] == ["i", "mean"] else 0
        if size and words[place - 1] == SEPARATOR and words[place - 2] != SEPARATOR:
            start = place + size
            while words[start : start + 1] in ([SEPARATOR], ["i"], ["mean"], ["meant"]):
                start += 1
            return [*tokens[: place - 2], *tokens[start:]] if start < len(words) else list(tokens)
    return list(tokens)


def name_hosts(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The tokens with "both web servers" as "web servers", "all three machines" as "all machines" and the like."""
    named = [part for token in tokens for part in _open_brackets(token)]
    words = [token.word for token in named]
    if len(named) > 2 and re.search(r"[\d/]|^,$", words[-2]) and names.hosts_by_key.keys().isdisjoint(words):
        # "open 443 web"
        last = [Token("all"), Token("hosts")] if words[-1] == "all" else [named[-1]]
        named = [*named[:-1], *([Token("on")] if words[-1] in {"all", *names.groups} else []), *last]
        words = [token.word for token in named]
    kept: list[Token] = []
    skipped = False
    for place, token in enumerate(named):
        following = words[place + 1 :]
        count = _UNITS.get(token.word, token.word)
        before = kept[-1].word if kept else ""
        if token.word == "both" and (_is_pair(following, names) or before in names.hosts_by_key):
            skipped = following[:1] == ["of"]
            continue
        if skipped and token.word == "of":
            skipped = False
            continue
        if (
            count == str(len(names.hosts))
            and before in {"all", "the"}
            and following[:1]
            and following[0] in PLURAL_NOUNS
        ):
            kept[-1] = Token("all")
            continue
        if token.word in names.hosts_by_key and before in names.hosts_by_key:
            kept.append(Token(SEPARATOR))
        kept.append(token)
        if token.word in PLURAL_NOUNS | NOUNS and following[:2] in ([w, "the"] for w in ("in", "of")):
            named_there = following[2:3]
            if named_there and named_there[0] in _ESTATES:
                words[place + 1 : place + 4] = ["", "", ""]
                named[place + 1 : place + 4] = [Token(SEPARATOR)] * 3
    return kept


def _open_brackets(token: Token) -> list[Token]:
    """ "(web" as a comma and "web"; a hash that begins a comment as a comma."""
    if token.quoted or not re.search(r"^[(#]|\)$", token.text):
        return [token]
    text = token.text.strip("()#")
    front = [Token(SEPARATOR)] if token.text[0] in "(#" else []
    back = [Token(SEPARATOR)] if token.text[-1] == ")" else []
    return [*front, *([Token(text)] if text else []), *back]


def _is_pair(following: Sequence[str], names: HostNames) -> bool:
    """Whether the words name a group of two hosts."""
    start = 0
    while start < len(following) and following[start] in TARGET_FILLERS:
        start += 1
    for length in (2, 1):
        found = names.find(following[start : start + length]) if len(following) >= start + length else set()
        if len(found) == 1 and names.size(found.pop()) == 2:
            return True
    return False


def _join_hosts(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    joined: list[Token] = []
    for token in tokens:
        number = {**_UNITS, "to": "2", "too": "2"}.get(token.word, token.word)
        host = f"{joined[-1].word}{number}" if joined and number.isdigit() else ""
        if host in names.hosts_by_key:
            joined[-1] = Token(names.hosts_by_key[host])
        else:
            joined.append(token)
    return joined


def _join_names(tokens: Sequence[Token], known: Collection[str], ordinary: Collection[str]) -> list[Token]:
    """ "fail to ban" and "post gres" as one word, where that is what an intent is called."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        for length in (3, 2):
            words = [token.word for token in tokens[position : position + length]]
            texts = {"".join(words), "".join([words[0], *(_SOUNDS.get(word, word) for word in words[1:])])} & set(known)
            is_spoken = any(re.search(r"\d", text) for text in texts) or not set(words).issubset(ordinary)
            if len(words) == length and is_spoken and not {"", SEPARATOR} & set(words) and len(texts) == 1:
                joined.append(Token(texts.pop()))
                position += length
                break
        else:
            joined.append(tokens[position])
            position += 1
    return joined


def _join_signs(tokens: Sequence[Token]) -> list[Token]:
    """ "europe slash london" as "Europe/London"."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.word == "slash" and joined and position + 1 < len(tokens) and joined[-1].word in _ZONES:
            joined[-1] = Token(f"{joined[-1].text.title()}/{tokens[position + 1].text.title()}")
            position += 2
        else:
            joined.append(token)
            position += 1
    return joined


def _read_numbers(tokens: Sequence[Token]) -> list[Token]:
    """Numbers in words as digits: "eighty", "four four three", "twenty two", "two gigabytes"."""
    read: list[Token] = []
    position = 0
    while position < len(tokens):
        end = position
        digits = ""
        while end < len(tokens) and (word := tokens[end].word) in _UNITS | _TENS | _FACTORS:
            if word in _FACTORS:
                digits = str(int(digits or "1") * _FACTORS[word])
            elif word in _UNITS and end > position and tokens[end - 1].word in _TENS and word not in {"ten", "zero"}:
                digits = f"{digits[:-1]}{_UNITS[word]}"
            else:
                digits += (_UNITS | _TENS)[word]
            end += 1
        following = tokens[end].word if end < len(tokens) else ""
        before = read[-1].word if read else ""
        is_number = end - position > 1 or _COUNTED.fullmatch(following) or before in _NUMBERED or len(digits) > 1
        if digits and is_number:
            read.append(Token(digits))
        else:
            read += tokens[position : max(end, position + 1)]
        position = max(end, position + 1)
    return read
