"""Mends slips of the keyboard: a word that is nothing itself, and a letter away from one word that is known. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from intendant.words.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.words.politeness import POLITE_WORDS
from intendant.words.tokens import Token
from intendant.words.vocabulary import (
    ARRIVALS,
    COMMANDS,
    FUNCTION_WORDS,
    HARMFUL,
    MODALS,
    NAMING_WORDS,
    NEGATIONS,
    NO_NAMES,
    PLAIN,
    PROSE,
    QUESTION_OPENERS,
    SEPARATOR,
)
from intendant.words.wording import is_inflected, is_ordinary, is_slip

_SHORT = {
    "usr": "user", "usrs": "users", "grp": "group", "acc": "account", "acct": "account", "w/o": "without", "w/": "with",
    "incl": "including", "svc": "service", "pkg": "package", "pkgs": "packages", "cert": "certificate",
    "auto": "automatic", "whilst": "while", "b4": "before", "every1": "everyone", "sum1": "someone", "fw": "firewall",
}  # fmt: skip
#: after one of them stands a name, which nobody may mend
_OWNERS = NAMING_WORDS | frozenset(
    "user users account accounts login name database databases db group groups job service site share module package "
    "packages folder directory file branch tag domain host hostname = as".split()
)


_ARRIVING = ARRIVALS | frozenset({"installed", "present", "uninstall", "remove", "upgrade", "purge"})


class Speller:
    """Knows the words that a request may have; ``known`` are those of the intents, ``names`` what these are called."""

    def __init__(self, known: Collection[str], names: Collection[str]) -> None:
        nouns = NOUNS | PLURAL_NOUNS
        self._names = frozenset(name for name in names if " " not in name)
        targets = frozenset(known) | self._names | (COMMANDS - HARMFUL) | nouns | MODALS | POLITE_WORDS | _TARGETS
        self.known = (
            targets | HARMFUL | NO_NAMES | PLAIN | NEGATIONS | QUESTION_OPENERS | FUNCTION_WORDS | PROSE | _NUMBERS
        )
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(targets - HARMFUL):
            if len(word) >= 4 and word.isalnum() and not word.isdigit():
                self._by_letter.setdefault(word[0], []).append(word)

    def mend(self, tokens: Sequence[Token], names: HostNames) -> list[Token]:
        """The tokens with each slip mended that leaves no choice, but for what may be a name."""
        mended: list[Token] = []
        for token in tokens:
            before = mended[-1].word if mended else ""
            word = _SHORT.get(token.word, token.word)
            if before not in _OWNERS and word == token.word and word not in names.hosts_by_key:
                word = self._mend_word(word, names)
            mended.append(token if word == token.word else replace(token, text=word))
        changed = [token.word for token, before in zip(mended, tokens, strict=True) if token.word != before.word]
        # A name that is all that looks wrong may be that of another package: "install redir".
        may_be_other = self._names.issuperset(changed) and any(token.word in _ARRIVING for token in mended)
        return list(tokens) if may_be_other else mended

    def _mend_word(self, word: str, names: HostNames) -> str:
        if word in self.known or len(word) < 4 or not word.isalnum():
            return word
        if word.isdigit() or is_ordinary(word) or names.find([word]) or names.nearest(word, 85):
            return word
        alike = [other for other in self._by_letter.get(word[0], ()) if abs(len(other) - len(word)) < 2]
        digits = "".join(filter(str.isdigit, word))
        alike = [other for other in alike if not is_inflected(word, other)]
        near = [other for other in alike if is_slip(word, other) and "".join(filter(str.isdigit, other)) == digits]
        # A wrong letter may as well be another name: openssl and openssh.
        near = [
            other for other in near if len(other) != len(word) or other in COMMANDS or sorted(other) == sorted(word)
        ]
        swapped = [other for other in near if sorted(other) == sorted(word)]
        if len(word) == 4:
            near = swapped
        for choice in (swapped, [other for other in near if _is_doubling(word, other)], near):
            if choice:
                return choice[0] if len(choice) == 1 else word
        return word


_NUMBERS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand slash".split()
)
#: other words that are worth mending
_TARGETS = frozenset(
    "everything everywhere everyone necessary needed required completely altogether automatic automatically because "
    "without every should would could there their certificate addresses address incoming upgrades updates".split()
)


def _is_doubling(word: str, other: str) -> bool:
    """Whether a letter that is doubled in one of the two tells them apart: "incomming"."""
    long, short = sorted((word, other), key=len, reverse=True)
    return len(long) > len(short) and any(
        long[n] == long[n - 1] and long[:n] + long[n + 1 :] == short for n in range(1, len(long))
    )


def part_joined(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The tokens with "port443" and "ofweb2" taken apart."""
    parted: list[Token] = []
    for token in tokens:
        front = next((front for front in ("ports", "port", "of", "on", "to", "in") if token.word.startswith(front)), "")
        rest = token.text[len(front) :]
        is_port = front in {"port", "ports"} and rest.isdigit()
        is_host = bool(front) and token.word not in names.hosts_by_key and rest.lower() in names.hosts_by_key
        parted += [Token(front), Token(rest)] if is_port or (is_host and front not in {"port", "ports"}) else [token]
    return [token for number, token in enumerate(parted) if token.word != SEPARATOR or number]
