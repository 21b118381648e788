"""The names of an inventory, and the ways in which people write them. Pure."""

from collections.abc import Mapping, Sequence

from rapidfuzz import process

PLURAL_NOUNS = frozenset("hosts servers machines boxes nodes computers systems vms instances".split())
NOUNS = frozenset("host server machine box node computer system vm instance".split())
#: what groups are called for short
_SHORT = {"database": "db", "webserver": "web", "application": "app", "monitoring": "mon"}
_GROUP_NOUNS = frozenset({"group", "groups"})


class HostNames:
    """The names of an inventory, prepared for look-up by the ways in which people write them."""

    def __init__(self, hosts: Sequence[str], groups: Sequence[str] | Mapping[str, Sequence[str]]) -> None:
        """``groups`` may be mapped to their hosts; without these, no group is known to have one host only."""
        self.hosts = list(hosts)
        self._members = groups if isinstance(groups, Mapping) else {}
        self.groups = [group for group in groups if group not in {"all", "ungrouped"}]
        self._spaced: dict[str, set[str]] = {}
        for name in [*self.hosts, *self.groups]:
            self._spaced.setdefault(_key(name), set()).add(name)
        self.hosts_by_key = {name.lower(): name for name in self.hosts}

    def find(self, words: Sequence[str]) -> set[str]:
        """The names that the words clearly stand for: none, one, or several that are equally good."""
        spoken = " ".join(words)
        named = list(words[1:]) if len(words) > 1 and words[0] in NOUNS | _GROUP_NOUNS else list(words)
        if len(named) > 1 and named[-1] in _GROUP_NOUNS:
            named = named[:-1]
        exact = {name for name in [*self.hosts, *self.groups] if name.lower() in {spoken, " ".join(named)}}
        if exact:
            return exact
        keys = {_key(spoken), _key(" ".join(named))}
        if spaced := {name for key in keys for name in self._spaced.get(key, ())}:
            return spaced
        if short := {name for name in self.hosts if len(words) == 1 and name.lower().split(".")[0] == spoken}:
            return short
        return {name for name in self.groups if _key(name) in _plural_keys(named)}

    def is_single(self, group: str) -> bool:
        """Whether the group is known to have one host, so that "the database server" is that one."""
        return len(self._members.get(group, ())) == 1

    def size(self, group: str) -> int:
        """How many hosts the group is known to have."""
        return len(self._members.get(group, ()))

    def nearest(self, word: str, cutoff: float) -> list[str]:
        """Up to three names that look like the word."""
        return [name for name, _, _ in process.extract(word, [*self.hosts, *self.groups], limit=3, score_cutoff=cutoff)]


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character not in " -_")


def _plural_keys(words: Sequence[str]) -> set[str]:
    """Keys under which a group may be known that is spoken of in the plural: "web servers", "databases"."""
    *front, last = words
    keys = set()
    if last in PLURAL_NOUNS and len(front) == 1 and front[0] in _SHORT:
        keys.add(_SHORT[front[0]])
    if last in PLURAL_NOUNS and front:
        base = _key(" ".join(front))
        keys |= {base, _key(" ".join([*front, last.removesuffix("s")]))}
        keys |= {base + "s", base.removesuffix("s")}
    elif last.endswith("s"):
        keys.add(_key(" ".join([*front, last.removesuffix("s")])))
    return keys
