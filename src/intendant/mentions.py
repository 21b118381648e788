"""Finds the hosts and groups that a request names, and takes those words out of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from intendant.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.vocabulary import SEPARATOR
from intendant.wording import Token, is_slip

_PREPOSITIONS = frozenset({"on", "onto", "to", "from", "in", "for", "across", "at", "of"})
_ALL = frozenset({"all", "every", "each"})
_FILLERS = frozenset({"the", "our", "of"})
_JOINERS = frozenset({"and", SEPARATOR})
_USERS = frozenset({"user", "users", "account", "accounts"})
_LONGEST_NAME = 3
#: orders whose object may be a host
_WHOLE = frozenset({"reboot", "update", "upgrade", "patch", "rename", "bring"})
_REMOVALS = frozenset({"remove", "uninstall", "purge", "delete", "rid", "removed", "uninstalled", "drop", "unload"})
#: orders in which "from", "to" or "for" a host may say something else than where to do it
_REACHING = frozenset(
    "allow open permit accept let close block deny forward proxy point redirect connect sync copy back backup clone "
    "mount unmount umount share export send push move migrate replicate restrict limit restore save mirror pull".split()
)
_SETTING = frozenset({"set", "change", "rename", "switch"})


@dataclass(frozen=True)
class Mentions:
    """Which hosts a request names.

    ``pattern`` is an Ansible host pattern, empty when none is named. ``question`` is set when it is not clear which
    hosts are meant. ``rest`` is the request without the words that name them.
    """

    rest: tuple[Token, ...]
    pattern: str = ""
    question: str = ""


@dataclass
class _Target:
    names: list[str] = field(default_factory=list)
    end: int = 0
    question: str = ""


def read_mentions(tokens: Sequence[Token], names: HostNames, is_verb: Callable[[str], bool]) -> Mentions:
    """Read "on web1", "from all web servers" and the like; ``is_verb`` tells whether a word starts a step."""
    rest: list[Token] = []
    found: list[list[str]] = []
    question = ""
    position = 0
    while position < len(tokens):
        word = tokens[position].word
        target = _read_target(tokens, position, names) if word in _PREPOSITIONS | {"here", "everywhere"} else None
        if target is None and position == 0 and tokens[1:2] and tokens[1].word == SEPARATOR:
            # the host first, with a colon after it
            target = _read_target([Token("on"), tokens[0]], 0, names)
            if target is not None:
                target.end = 2
        if target is None and (owner := _read_owner(tokens[position], names)):
            target = _Target([owner], position + 1)
        elif target is None and word in _WHOLE and (target := _read_object(tokens, position + 1, names)):
            rest += [tokens[position], Token("system")]
            word = ""
        if target is None:
            rest.append(tokens[position])
            position += 1
            continue
        about_users = word in {"to", "in", "from", "for"} and _USERS & {token.word for token in rest}
        unclear = [name for name in target.names if name in names.groups and name not in names.hosts]
        question = question or target.question or _explain_role(word, target, rest)
        if not question and about_users and unclear:
            question = f"Is '{unclear[0]}' the group of hosts, or a group of users on the host?"
        question = question or _check_sequel(tokens, target.end, is_verb)
        found.append(target.names)
        position = target.end
    patterns = {",".join(sorted(mention)): mention for mention in found if mention}
    if len(patterns) > 1 and not question:
        listed = " and ".join(", ".join(mention) for mention in patterns.values())
        question = f"The request names different hosts ({listed}); a plan has one set of hosts. Which are meant?"
    pattern = "" if question or not patterns else ",".join(next(iter(patterns.values())))
    return Mentions(tuple(rest), pattern, question)


def _explain_role(preposition: str, target: _Target, before: Sequence[Token]) -> str:
    """A question when a host may be a part of what is asked for: "allow ssh from web1"."""
    said = {token.word for token in before}
    reaches = preposition in {"from", "to", "for"} and not said.isdisjoint(_REACHING)
    removes = any(is_slip(word, removal) for word in said for removal in _REMOVALS)
    reaches = reaches or (preposition == "from" and bool(before) and not removes)
    reaches = reaches or (preposition == "to" and not said.isdisjoint(_SETTING))
    if reaches and target.names and target.names != ["all"]:
        return (
            f"Is '{target.names[0]}' the host to change, or a part of what is asked for? Say 'on HOST' for the former."
        )
    return ""


def explain_unknown_host(tokens: Sequence[Token], names: HostNames) -> str:
    """A question about the word after "on", when the inventory has no such name; empty when there is none."""
    for position, before in enumerate(tokens[:-1]):
        named = next((token for token in tokens[position + 1 :] if token.word not in _FILLERS | _ALL), None)
        if before.word not in _PREPOSITIONS or named is None or not named.word:
            continue
        # Whatever comes after "on" is a place; after "to" and the like only what looks like a host.
        near = names.nearest(named.text, 60 if before.word == "on" else 80)
        if before.word == "on" or near:
            known = near or [*names.groups, *names.hosts][:5]
            listed = f" Did you mean {', '.join(known)}?" if near else f" Known: {', '.join(known)}." if known else ""
            return f"The inventory has no host or group '{named.text}'.{listed}"
    return ""


def _read_target(tokens: Sequence[Token], position: int, names: HostNames) -> _Target | None:
    words = [token.word for token in tokens]
    if words[position] == "everywhere":
        return _Target(["all"], position + 1)
    if words[position] == "here":
        return _this_host(names, position + 1)
    start = position + 1
    if general := _read_general(words, start, names):
        return general
    target = _Target()
    while (found := _read_name(words, start, names)) is not None:
        name, start, question = found
        target.question = target.question or question
        target.end = start
        if name and name not in target.names:
            target.names.append(name)
        joined = start
        while joined < len(words) and words[joined] in _JOINERS:
            joined += 1
        if joined == start:
            break
        start = joined + 1 if joined < len(words) and words[joined] in {"on", words[position]} else joined
    return target if target.end else None


def _read_owner(token: Token, names: HostNames) -> str:
    """The host of "web1's"; empty when it is none."""
    owner = token.word.removesuffix("'s")
    found = names.find([owner]) if owner and owner != token.word else set()
    return found.pop() if len(found) == 1 else ""


def _read_object(tokens: Sequence[Token], start: int, names: HostNames) -> _Target | None:
    """The hosts that an order for whole hosts names without a preposition: "reboot web1"."""
    # "the system" is left to the phrases
    if start == len(tokens) or tokens[start].word in {"this", "the", "my"}:
        return None
    target = _read_target([Token("on"), *tokens[start:]], 0, names)
    if target is not None:
        target.end += start - 1
    return target


def _read_general(words: Sequence[str], start: int, names: HostNames) -> _Target | None:
    """A target without a name of its own, such as "all hosts", "all of the servers", "this machine"."""
    end = start
    is_all = words[end : end + 1] and words[end] in _ALL
    is_both = words[end : end + 1] == ["both"]
    is_this = words[end : end + 1] and words[end] in {"this", "the", "my"}
    if not (is_all or is_both or is_this):
        return None
    end += 1
    while not is_this and end < len(words) and words[end] in _FILLERS:
        end += 1
    noun = words[end] if end < len(words) else ""
    if is_this:
        return _this_host(names, end + 1) if noun in NOUNS and not _continues(words, end + 1, names) else None
    if noun in PLURAL_NOUNS | NOUNS | {"them"}:
        end += 1
    elif noun and noun not in _JOINERS:
        return None
    if is_both and len(names.hosts) != 2:
        return _Target(end=end, question="Which two hosts are meant?")
    return _Target(["all"], end)


def _continues(words: Sequence[str], end: int, names: HostNames) -> bool:
    """Whether a name follows, as in "the host web1"."""
    return end < len(words) and bool(names.find([words[end]]))


def _this_host(names: HostNames, end: int) -> _Target:
    if len(names.hosts) == 1:
        return _Target([names.hosts[0]], end)
    return _Target(end=end, question=f"Which host is meant? Known: {', '.join(names.hosts[:10])}.")


def _read_name(words: Sequence[str], start: int, names: HostNames) -> tuple[str, int, str] | None:
    """One name, where it ends, and a question when it is not clear."""
    is_all = start < len(words) and words[start] in _ALL
    while start < len(words) and words[start] in _FILLERS | _ALL:
        start += 1
    for length in range(min(_LONGEST_NAME, len(words) - start), 0, -1):
        spoken = words[start : start + length]
        if "" in spoken or SEPARATOR in spoken:
            continue
        if length > 1 and is_all and spoken[-1] in NOUNS:
            # "every web server" means the same as "all web servers".
            spoken = [*spoken[:-1], spoken[-1] + ("es" if spoken[-1].endswith("x") else "s")]
        found = sorted(names.find(spoken))
        if len(found) == 1:
            end = start + length
            is_one = end < len(words) and words[end] in NOUNS
            if is_one and found[0] in names.groups and found[0] not in names.hosts and not is_all:
                return "", end + 1, f"Is one host of {found[0]} meant, or all of them? Name the host or the group."
            return found[0], end + is_one, ""
        if found:
            return "", start + length, f"'{' '.join(spoken)}' may be {' or '.join(found)}. Which is meant?"
    return None


def _check_sequel(tokens: Sequence[Token], end: int, is_verb: Callable[[str], bool]) -> str:
    """A question when a list of hosts seems to go on with something that is no host: "on web1 and wbe2"."""
    following = end
    while following < len(tokens) and tokens[following].word in _JOINERS | {"then", "also", "please", "finally"}:
        following += 1
    if following == end or following == len(tokens) or is_verb(tokens[following].word):
        return ""
    return f"Is '{tokens[following].text}' meant to be a host? The inventory has no such name."
