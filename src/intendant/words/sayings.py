"""Other words for the same: sayings that stand for a word which phrases and frames have. Pure."""

import re
from collections.abc import Sequence

from intendant.words.hostnames import HostNames
from intendant.words.tokens import Token
from intendant.words.vocabulary import SEPARATOR

_SAYINGS: dict[tuple[str, ...], tuple[str, ...]] = {
    tuple(saying.split()): tuple(meant.split())
    for meant, sayings in {
        # what it is called
        "named": "with the name|by the name of|under the name|that is called|which is called|that is named|"
        "which is named",
        ", named": "call it|name it|and call it|and name it|it is called|it's called|it should be called",
        # what belongs to it
        "with": "that has|which has|who has|that carries|which carries|that have|and it has|who gets|that gets",
        ",": "that is|which is|that are|which are|who is|and it is|and it's|please|pls|plz|kindly",
        # what is gone
        "permanently": "for good|for ever|forever|once and for all",
        "remove": "take away|rip out|take out|do away with|wipe out|throw out|get away",
        # in which order
        "then": "after that|and after that|thereafter|and afterwards|and then afterwards|followed by|and finally",
        "and": "as well as|along with|together with|and also|and additionally|in addition to|and too",
        # where
        "on": "in case of|as for|regarding|concerning|about|on host|on hosts|at host",
        "all hosts": "all the hosts there are|each and every host|the whole fleet|the entire fleet|the whole estate",
        "upgrade": "apt update and apt upgrade|apt-get update and apt-get upgrade|apt update and upgrade",
        "automatically": "by itself|by themselves|on its own|on their own",
        "": "don't forget to|don't forget|dont forget",
    }.items()
    for saying in sayings.split("|")
}  # fmt: skip
_LONGEST = max(map(len, _SAYINGS))
#: only at the start, because elsewhere they say something else
_INITIAL = frozenset({"about", "regarding", "concerning"})
_PLEAS = frozenset({"please", "pls", "plz", "kindly"})
#: what has to be at the end, or before a host
_PRONOUNS = frozenset({"it", "them", "both", "those", "these"})


#: "X's Y" where X is no thing that has a Y
_NO_OWNERS = frozenset("it that let what there here who where how he she everybody today now one".split())
#: what one word says with another before it
_PAIRS = frozenset({("home", "directory"), ("home", "folder"), ("login", "shell"), ("full", "name")})
#: as chown has it
_OWNERSHIP = re.compile(r"([a-z_][\w.-]*):([a-z_][\w.-]*)")
_OWNING = frozenset({"chown", "by", "to", "owner"})


def _part_owners(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with "bob's shell" as "the shell of bob", and the owner "www-data:adm" as "www-data group adm"."""
    parted: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        before = tokens[place - 1].word if place else ""
        owner = token.text.removesuffix("'s")
        words = tuple(following.word for following in tokens[place + 1 : place + 3])
        size = 2 if words in _PAIRS else 1
        if owner and owner != token.text and owner.lower() not in _NO_OWNERS and words[:1] and words[0].isalpha():
            parted += [Token("the"), *tokens[place + 1 : place + 1 + size], Token("of"), Token(owner)]
            place += 1 + size
            continue
        both = _OWNERSHIP.fullmatch(token.text)
        parted += [Token(both[1]), Token("group"), Token(both[2])] if both and before in _OWNING else [token]
        place += 1
    return parted


def say_plainly(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The tokens with each saying replaced by what it stands for."""
    words = [token.word for token in tokens]
    if words[:1] == ["ssh"] and words[1:2] and words[1] in names.hosts_by_key and len(words) > 3:
        # "ssh web1 modprobe x"
        tokens = [*tokens[2:], Token("on"), tokens[1]]
        words = [token.word for token in tokens]
    tokens = _part_owners(tokens)
    words = [token.word for token in tokens]
    plain: list[Token] = []
    place = 0
    while place < len(tokens):
        said = next((found for size in range(_LONGEST, 0, -1)
                     if (found := tuple(words[place : place + size])) in _SAYINGS), ())  # fmt: skip
        # "please" in front of a request tells it from what is said before it
        begins = place == 0 or words[place - 1] == SEPARATOR
        if said and (place == 0 or said[0] not in _INITIAL) and not (begins and said[0] in _PLEAS):
            plain += [Token(word) for word in _SAYINGS[said]]
            place += len(said)
            continue
        if words[place] in _PRONOUNS and plain and plain[-1].word in {"reboot", "bounce"}:
            # "… and reboot it"
            place += 1
            continue
        plain.append(tokens[place])
        place += 1
    return [token for n, token in enumerate(plain) if token.word != SEPARATOR or (n and plain[n - 1].word != SEPARATOR)]
