"""Hosts that a request leaves out: "on all hosts except db1". Pure."""

from collections.abc import Sequence

from intendant.words.hostnames import HostNames
from intendant.words.targets import Target, read_target
from intendant.words.tokens import Token
from intendant.words.vocabulary import SEPARATOR

_EXCEPT = ["except on", "except for", "except", "but not on", "but not", "but", "apart from", "other than", "excluding",
           "excepting", "without", "not on"]  # fmt: skip


def read_exclusion(tokens: Sequence[Token], position: int, names: HostNames) -> Target | None:
    """The hosts after "except", and where they end."""
    start = position + (tokens[position : position + 1] == [Token(SEPARATOR)])
    for words in (text.split() for text in _EXCEPT):
        if [token.word for token in tokens[start : start + len(words)]] == words:
            return read_target([Token("on"), *tokens[start + len(words) :]], 0, names, end=start + len(words) - 1)
    return None


def late_exclusion(rest: Sequence[Token], names: HostNames) -> tuple[list[Token], list[str]] | None:
    """The words without hosts that are left out at the end: "install curl on all hosts, …, except on db1"."""
    for place in range(1, len(rest)):
        found = read_exclusion(rest, place, names)
        if found is not None and found.names and found.end == len(rest) and not found.question:
            return list(rest[:place]), found.names
    return None


def left_out(excluded: Sequence[str], kept: Sequence[str], names: HostNames) -> list[str]:
    """The names to leave out, as a pattern has them; those of plain hosts are not there anyway."""
    return [f"!{name}" for name in excluded] if not set(kept).issubset(names.hosts) else []
