"""Reads which hosts some words name: names, lists of them, groups, "all servers", "this host". Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from intendant.words.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.words.tokens import Token
from intendant.words.vocabulary import SEPARATOR

PREPOSITIONS = frozenset({"on", "onto", "to", "from", "in", "for", "across", "at", "of", "off", "scope", "target"})
ALL = frozenset({"all", "every", "each"})
TARGET_FILLERS = frozenset({"the", "our", "of"})
TARGET_JOINERS = frozenset({"and", SEPARATOR, "n"})
_LONGEST_NAME = 3


@dataclass
class Target:
    """The hosts that some words name, and where these words end; ``question`` when they are unclear."""

    names: list[str] = field(default_factory=list)
    end: int = 0
    question: str = ""
    is_open: bool = False


def read_target(tokens: Sequence[Token], position: int, names: HostNames, *, end: int = 0) -> Target | None:
    """The hosts after the preposition at the position; ``end`` is added to where they end."""
    target = _read_target_at(tokens, position, names)
    return target and replace(target, end=target.end + end)


def _read_target_at(tokens: Sequence[Token], position: int, names: HostNames) -> Target | None:
    words = [token.word for token in tokens]
    if words[position] == "everywhere":
        return Target(["all"], position + 1) if words[position - 1 : position] != ["from"] else None
    if words[position] == "here":
        return _this_host(names, position + 1)
    start = position + 1
    if words[start : start + 1] == ["both"] and start + 1 < len(words) and words[start + 1] in names.hosts_by_key:
        start += 1
    if general := _read_general(words, start, names):
        return general
    target = Target()
    while (found := _read_name(words, start, names)) is not None:
        name, start, question = found
        target.question = target.question or question
        target.end = start
        if name and name not in target.names:
            target.names.append(name)
        joined = start
        while joined < len(words) and words[joined] in TARGET_JOINERS:
            joined += 1
        if joined == start:
            break
        start = joined + 1 if joined < len(words) and words[joined] in {"on", words[position]} else joined
    return target if target.end else None


def _read_general(words: Sequence[str], start: int, names: HostNames) -> Target | None:
    """A target without a name of its own, such as "all hosts", "all of the servers", "this machine"."""
    end = start
    is_all = words[end : end + 1] and words[end] in ALL
    is_both = words[end : end + 1] == ["both"]
    is_this = words[end : end + 1] and words[end] in {"this", "the", "my"}
    if not (is_all or is_both or is_this):
        return None
    end += 1
    while not is_this and end < len(words) and words[end] in TARGET_FILLERS:
        end += 1
    noun = words[end] if end < len(words) else ""
    if noun in {"node", "system"} and words[end + 1 : end + 2] and words[end + 1] not in TARGET_JOINERS:
        # "the node exporter", "the system python"
        is_this = False if not _continues(words, end + 1, names) else is_this
        if not is_this and not is_all:
            return None
    if is_this:
        return _this_host(names, end + 1) if noun in NOUNS and not _continues(words, end + 1, names) else None
    if noun in PLURAL_NOUNS | NOUNS | {"them"}:
        end += 1
    elif noun and noun not in TARGET_JOINERS:
        return None
    if is_both and len(names.hosts) != 2:
        return Target(end=end, question="Which two hosts are meant?")
    return Target(["all"], end)


def _continues(words: Sequence[str], end: int, names: HostNames) -> bool:
    """Whether a name follows, as in "the host web1"."""
    return end < len(words) and bool(names.find([words[end]]))


def _this_host(names: HostNames, end: int) -> Target:
    if len(names.hosts) == 1:
        return Target([names.hosts[0]], end)
    return Target(end=end, question=f"Which host is meant? Known: {', '.join(names.hosts[:10])}.", is_open=True)


def _read_name(words: Sequence[str], start: int, names: HostNames) -> tuple[str, int, str] | None:
    """One name, where it ends, and a question when it is not clear."""
    is_all = start < len(words) and words[start] in ALL
    while start < len(words) and words[start] in TARGET_FILLERS | ALL:
        start += 1
    for length in range(min(_LONGEST_NAME, len(words) - start), 0, -1):
        spoken = words[start : start + length]
        if "" in spoken or SEPARATOR in spoken:
            continue
        if length > 1 and is_all and spoken[-1] in NOUNS:
            # "every web server" means the same as "all web servers".
            spoken = [*spoken[:-1], spoken[-1] + ("es" if spoken[-1].endswith("x") else "s")]
        found = sorted(names.find(spoken))
        if not found and spoken[-1] in NOUNS and length > 1:
            # "the database server" is the group's one host
            plural = spoken[-1] + ("es" if spoken[-1].endswith("x") else "s")
            found = sorted(group for group in names.find([*spoken[:-1], plural]) if names.is_single(group))
        if len(found) == 1:
            end = start + length
            is_one = end < len(words) and words[end] in NOUNS
            if is_one and names.is_single(found[0]):
                return found[0], end + 1, ""
            if is_one and found[0] in names.groups and found[0] not in names.hosts and not is_all:
                return "", end + 1, f"Is one host of {found[0]} meant, or all of them? Name the host or the group."
            return found[0], end + is_one, ""
        if found:
            return "", start + length, f"'{' '.join(spoken)}' may be {' or '.join(found)}. Which is meant?"
    return None
