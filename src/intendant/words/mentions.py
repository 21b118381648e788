"""Finds the hosts and groups that a request names, and takes those words out of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from intendant.words.exclusions import late_exclusion, left_out, read_exclusion
from intendant.words.hostnames import NOUNS, PLURAL_NOUNS, HostNames
from intendant.words.targets import PREPOSITIONS, TARGET_JOINERS, Target, read_target
from intendant.words.tokens import Token
from intendant.words.vocabulary import DEPARTURES, SEPARATOR
from intendant.words.wording import is_ordinary, is_slip

_USERS = frozenset({"user", "users", "account", "accounts"})
#: orders whose object may be a host
_WHOLE = frozenset({"reboot", "bounce", "update", "upgrade", "patch", "rename", "bring"})
_REMOVALS = frozenset({"rid", "removed", "uninstalled", "unload"} | DEPARTURES)
#: words after which the name of a host is a value and not a place
_OWNERS = frozenset(
    "to from for as named called name hostname user users account login database databases group between via = by is "
    "be with at host rename ping and or shutdown delete remove add domain link site".split()
)
#: orders in which "from", "to" or "for" a host may say something else than where to do it
_REACHING = frozenset(
    "allow open permit accept let close block deny forward proxy point redirect connect sync copy back backup clone "
    "mount unmount umount share export send push move migrate replicate restrict limit restore save mirror pull".split()
)
#: orders for what a host has, so that "from" is a place
_SHARING = frozenset({"export", "share", "serve", "offer"})
#: what a host has, so that "from" means "of": "the hostname from web1"
_OWNED = frozenset("hostname name timezone zone locale language clock".split())
_SETTING = frozenset({"set", "change", "rename", "switch"})


@dataclass(frozen=True)
class Mentions:
    """Which hosts a request names.

    ``pattern`` is an Ansible host pattern, empty when none is named. ``question`` is set when it is not clear which
    hosts are meant. ``rest`` is the request without the words that name them. ``is_open`` says that the question is
    only which host "this host" is, so that the rest of the request can be read all the same.
    """

    rest: tuple[Token, ...]
    pattern: str = ""
    question: str = ""
    is_open: bool = False


def read_mentions(tokens: Sequence[Token], names: HostNames, is_verb: Callable[[str], bool]) -> Mentions:
    """Read "on web1", "from all web servers" and the like; ``is_verb`` tells whether a word starts a step."""
    rest: list[Token] = []
    found: list[list[str]] = []
    question = ""
    is_open = False
    position = 0
    while position < len(tokens):
        word = tokens[position].word
        target = read_target(tokens, position, names) if word in PREPOSITIONS | {"here", "everywhere"} else None
        if word == "off" and (DEPARTURES | {"get", "take", "put"}).isdisjoint(token.word for token in rest):
            target = None
        if target is None and position == 0 and tokens[1:2] and tokens[1].word == SEPARATOR:
            # the host first, with a colon after it
            target = read_target([Token("on"), tokens[0]], 0, names)
            if target is not None:
                target.end = 2
        if target is None and (target := _read_bare(tokens, position, names)):
            word = ""
        if target is None and (owner := _read_owner(tokens[position], names)):
            target = Target([owner], position + 1)
        elif target is None and word in _WHOLE and (target := _read_object(tokens, position + 1, names)):
            rest += [tokens[position], Token("system")]
            word = ""
        if target is None and found and (end := _read_same(tokens, position)):
            # "and open 443 there"
            position = end
            continue
        if target is None:
            rest.append(tokens[position])
            position += 1
            continue
        about_users = word in {"to", "in", "from", "for"} and _USERS & {token.word for token in rest}
        unclear = [name for name in target.names if name in names.groups and name not in names.hosts]
        is_open = is_open or (target.is_open and not question)
        question = question or target.question or _explain_role(word, target, rest)
        if not question and about_users and unclear:
            question = f"Is '{unclear[0]}' the group of hosts, or a group of users on the host?"
        question = question or _check_sequel(tokens, target.end, names, is_verb)
        if word == "off":
            # "get nginx off web1"
            rest = [Token("remove") if token.word in {"get", "take", "put"} else token for token in rest]
        position = target.end
        if (excluded := read_exclusion(tokens, position, names)) and target.names and excluded.names:
            target.names += left_out(excluded.names, target.names, names)
            position = excluded.end
        found.append(target.names)
    if len(found) == 1 and found[0] and not question and (late := late_exclusion(rest, names)):
        rest, excluded_names = late
        found[0] += left_out(excluded_names, found[0], names)
    patterns = {",".join(sorted(mention)): mention for mention in found if mention}
    if len(patterns) > 1 and not question:
        listed = " and ".join(", ".join(mention) for mention in patterns.values())
        question = f"The request names different hosts ({listed}); a plan has one set of hosts. Which are meant?"
    pattern = "" if question or not patterns else write_pattern(next(iter(patterns.values())))
    return Mentions(tuple(rest), pattern, question, is_open and not patterns)


def write_pattern(names: Sequence[str]) -> str:
    """The Ansible host pattern of the names, of which those with "!" in front are left out."""
    kept = ",".join(name for name in names if not name.startswith("!"))
    return ":".join([kept, *(name for name in names if name.startswith("!"))])


def _read_same(tokens: Sequence[Token], position: int) -> int:
    """Where "there", "on it" or "on them" ends, the hosts named before; 0 when it is none."""
    words = [token.word for token in tokens[position : position + 2]]
    before = tokens[position - 1].word if position else ""
    after = tokens[position + 2].word if position + 2 < len(tokens) else SEPARATOR
    if words[0] == "there" and before not in {"is", "are", "be", "was", "were", "been", ""}:
        return position + 1
    is_end = after in TARGET_JOINERS | {"too", "as", "then", "also", "please"}
    return position + 2 if words[0] == "on" and words[1:] in (["it"], ["them"], ["those"], ["these"]) and is_end else 0


def _explain_role(preposition: str, target: Target, before: Sequence[Token]) -> str:
    """A question when a host may be a part of what is asked for: "allow ssh from web1"."""
    said = {token.word for token in before}
    # "close port 21 and remove vsftpd from web1": the order that is next to it counts
    orders = [word for place, word in enumerate(token.word for token in before)
              if not place or before[place - 1].word in {SEPARATOR, "and", "then", "please"}]  # fmt: skip
    last = next((word for word in reversed(orders) if word in _REACHING | _REMOVALS), "")
    if preposition == "from" and last in _REMOVALS | _SHARING:
        return ""
    reaches = preposition in {"from", "to", "for"} and not said.isdisjoint(_REACHING)
    removes = any(is_slip(word, removal) for word in said for removal in _REMOVALS)
    owns = bool(before) and before[-1].word in _OWNED
    reaches = reaches or (preposition == "from" and bool(before) and not removes and not owns)
    reaches = reaches or (preposition == "to" and not said.isdisjoint(_SETTING))
    if reaches and target.names and target.names != ["all"]:
        return (
            f"Is '{target.names[0]}' the host to change, or a part of what is asked for? Say 'on HOST' for the former."
        )
    return ""


def _read_bare(tokens: Sequence[Token], position: int, names: HostNames) -> Target | None:
    """Hosts without a preposition: "web1 needs docker", "give web1 2G of swap", "nginx, web1", "docker, all hosts"."""
    if (
        tokens[position].word in NOUNS | PLURAL_NOUNS
        and tokens[position + 1 :]
        and tokens[position + 1].word in names.hosts_by_key
    ):
        # "the box web1"
        return read_target([Token("on"), *tokens[position:]], 0, names, end=position - 1)
    before = tokens[position - 1].word if position else SEPARATOR
    is_last = position + 1 == len(tokens)
    is_free = before == SEPARATOR or not (before in _OWNERS or before.endswith("ing"))
    if tokens[position].word in names.hosts_by_key and is_free:
        return read_target([Token("on"), *tokens[position:]], 0, names, end=position - 1)
    nearby = {token.word for token in tokens[position + 1 : position + 5]}
    if before in {"to", "from", "for", "with"} or is_last or nearby.isdisjoint(PLURAL_NOUNS):
        return None
    # "all hosts", "the web servers": where nothing else follows, or as somebody who is to do or get something
    target = read_target([Token("on"), *tokens[position:]], 0, names, end=position - 1)
    words = [token.word for token in tokens[position : target.end]] if target else []
    if target is None or len(words) < 2 or words[-1] not in PLURAL_NOUNS or not target.names:
        return None
    return (
        target
        if target.end == len(tokens) or before in {"let", "give", "have", SEPARATOR, "upgrade", "update"}
        else None
    )


def _read_owner(token: Token, names: HostNames) -> str:
    """The host of "web1's"; empty when it is none."""
    owner = token.word.removesuffix("'s")
    found = names.find([owner]) if owner and owner != token.word else set()
    return found.pop() if len(found) == 1 else ""


def _read_object(tokens: Sequence[Token], start: int, names: HostNames) -> Target | None:
    """The hosts that an order for whole hosts names without a preposition: "reboot web1"."""
    # "the system" is left to the phrases
    if start == len(tokens) or tokens[start].word in {"this", "the", "my"}:
        return None
    return read_target([Token("on"), *tokens[start:]], 0, names, end=start - 1)


def _check_sequel(tokens: Sequence[Token], end: int, names: HostNames, is_verb: Callable[[str], bool]) -> str:
    """A question when a list of hosts seems to go on with something that is no host: "on web1 and wbe2"."""
    following = end
    while following < len(tokens) and tokens[following].word in TARGET_JOINERS | {"then", "also", "please", "finally"}:
        following += 1
    if following == end or following == len(tokens) or is_verb(tokens[following].word):
        return ""
    word = tokens[following].word
    is_list = SEPARATOR not in {token.word for token in tokens[end:following]}
    if not is_list and (is_ordinary(word) or not names.nearest(word, 60)):
        # A comma may be the end of what is said about hosts, too.
        return ""
    return f"Is '{tokens[following].text}' meant to be a host? The inventory has no such name."


def part_hosts(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The tokens with "onweb1" as "on web1", and an arrow as "to" unless it points to a host."""
    parted: list[Token] = []
    for token in tokens:
        is_joined = token.word.startswith("on") and token.word not in names.hosts_by_key
        is_joined = is_joined and token.word[2:] in names.hosts_by_key
        parted += [Token("on"), Token(token.text[2:])] if is_joined else [token]
    for place, token in enumerate(parted[:-1]):
        if token.text == "->" and parted[place + 1].word not in names.hosts_by_key:
            parted[place] = Token("to")
    return parted
