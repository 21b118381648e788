"""Other words for the same: sayings that stand for a word which phrases and frames have. Pure."""

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


def say_plainly(tokens: Sequence[Token], names: HostNames) -> list[Token]:
    """The tokens with each saying replaced by what it stands for."""
    words = [token.word for token in tokens]
    if words[:1] == ["ssh"] and words[1:2] and words[1] in names.hosts_by_key and len(words) > 3:
        # "ssh web1 modprobe x"
        tokens = [*tokens[2:], Token("on"), tokens[1]]
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
