"""Finds the hosts and groups that a request names, and takes those words out of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rapidfuzz import process

from intendant.wording import SEPARATOR, Token

_PREPOSITIONS = frozenset({"on", "onto", "to", "from", "in", "for", "across", "at"})
_PLURAL_NOUNS = frozenset("hosts servers machines boxes nodes computers systems vms instances".split())
_NOUNS = frozenset("host server machine box node computer system vm instance".split())
_GROUP_NOUNS = frozenset({"group", "groups"})
_ALL = frozenset({"all", "every", "each"})
_FILLERS = frozenset({"the", "our", "of"})
_JOINERS = frozenset({"and", SEPARATOR})
_USERS = frozenset({"user", "users", "account", "accounts"})
_LONGEST_NAME = 3


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


class HostNames:
    """The names of an inventory, prepared for look-up by the ways in which people write them."""

    def __init__(self, hosts: Sequence[str], groups: Sequence[str]) -> None:
        self.hosts = list(hosts)
        self.groups = [group for group in groups if group not in {"all", "ungrouped"}]
        self.hosts_by_key = {name.lower(): name for name in self.hosts}

    def find(self, words: Sequence[str]) -> set[str]:
        """The names that the words clearly stand for: none, one, or several that are equally good."""
        spoken = " ".join(words)
        named = list(words[1:]) if len(words) > 1 and words[0] in _NOUNS | _GROUP_NOUNS else list(words)
        if len(named) > 1 and named[-1] in _GROUP_NOUNS:
            named = named[:-1]
        exact = {name for name in [*self.hosts, *self.groups] if name.lower() in {spoken, " ".join(named)}}
        if exact:
            return exact
        keys = {_key(spoken), _key(" ".join(named))}
        if spaced := {name for name in [*self.hosts, *self.groups] if _key(name) in keys}:
            return spaced
        if short := {name for name in self.hosts if len(words) == 1 and name.lower().split(".")[0] == spoken}:
            return short
        return {name for name in self.groups if _key(name) in _plural_keys(named)}

    def nearest(self, word: str) -> list[str]:
        """Up to three names that look like the word."""
        return [name for name, _, _ in process.extract(word, [*self.hosts, *self.groups], limit=3, score_cutoff=60)]


def read_mentions(tokens: Sequence[Token], names: HostNames, is_verb: Callable[[str], bool]) -> Mentions:
    """Read "on web1", "from all web servers" and the like; ``is_verb`` tells whether a word starts a step."""
    rest: list[Token] = []
    found: list[list[str]] = []
    question = ""
    position = 0
    while position < len(tokens):
        word = tokens[position].word
        target = _read_target(tokens, position, names) if word in _PREPOSITIONS | {"here", "everywhere"} else None
        if target is None:
            rest.append(tokens[position])
            position += 1
            continue
        about_users = word in {"to", "in", "from", "for"} and _USERS & {token.word for token in rest}
        unclear = [name for name in target.names if name in names.groups and name not in names.hosts]
        question = question or target.question
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


def explain_unknown_host(tokens: Sequence[Token], names: HostNames) -> str:
    """A question about the word after "on", when the inventory has no such name; empty when there is none."""
    for position, before in enumerate(tokens[:-1]):
        named = next((token for token in tokens[position + 1 :] if token.word not in _FILLERS | _ALL), None)
        if before.word not in _PREPOSITIONS or named is None or not named.word:
            continue
        near = names.nearest(named.text)
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
        return _this_host(names, end + 1) if noun in _NOUNS and not _continues(words, end + 1, names) else None
    if noun in _PLURAL_NOUNS | _NOUNS | {"them"}:
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
        if length > 1 and is_all and spoken[-1] in _NOUNS:
            # "every web server" means the same as "all web servers".
            spoken = [*spoken[:-1], spoken[-1] + ("es" if spoken[-1].endswith("x") else "s")]
        found = sorted(names.find(spoken))
        if len(found) == 1:
            return found[0], start + length, ""
        if found:
            return "", start + length, f"'{' '.join(spoken)}' may be {' or '.join(found)}. Which is meant?"
    return None


def _check_sequel(tokens: Sequence[Token], end: int, is_verb: Callable[[str], bool]) -> str:
    """A question when a list of hosts seems to go on with something that is no host: "on web1 and wbe2"."""
    following = end
    while following < len(tokens) and tokens[following].word in _JOINERS:
        following += 1
    if following == end or following == len(tokens) or is_verb(tokens[following].word):
        return ""
    return f"Is '{tokens[following].text}' meant to be a host? The inventory has no such name."


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character not in " -_")


def _plural_keys(words: Sequence[str]) -> set[str]:
    """Keys under which a group may be known that is spoken of in the plural: "web servers", "databases"."""
    *front, last = words
    keys = set()
    if last in _PLURAL_NOUNS and front:
        base = _key(" ".join(front))
        keys |= {base, _key(" ".join([*front, last.removesuffix("s")]))}
        keys |= {base + "s", base.removesuffix("s")}
    elif last.endswith("s"):
        keys.add(_key(" ".join([*front, last.removesuffix("s")])))
    return keys
