"""The words of a request as tokens, and the ways to write them that mean no more than others. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from intendant.words.vocabulary import COMMANDS, JOINERS, SEPARATOR


@dataclass(frozen=True)
class Token:
    """A word of a request, without the punctuation around it; ``quoted`` words are values, whatever they say.

    ``is_time`` says that it is all the words of a time, such as "every night at 2".
    """

    text: str
    quoted: bool = False
    is_time: bool = False

    @property
    def word(self) -> str:
        """The word in lower case; empty when quoted, so that quoted words have no meaning of their own."""
        return "" if self.quoted else self.text.lower()


#: signs, and slips of the keyboard in short words, that stand for a word
_SIGNS = {
    "@": Token("on"), "+": Token("and"), "&&": Token("and"), "n": Token("and"), "-": Token(SEPARATOR),
    ";": Token(SEPARATOR), "teh": Token("the"), "shud": Token("should"), "adn": Token("and"), "wiht": Token("with"),
}  # fmt: skip
_UNITS = re.compile(r"([kmgt])i?b?|(kilo|mega|giga|tera|gig|meg)(?:byte|a)?s?")
_TICKET = re.compile(r"[A-Z]{2,}-\d+|#\d+")
_TICKETS = frozenset("ticket task request incident story issue todo change case".split())
#: programs that only repeat what is ordered, with the orders that they pass on
_SHELL: dict[str, frozenset[str]] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude", "dnf", "yum"), frozenset({"install", "remove"})),
    "systemctl": frozenset("start stop restart reload enable disable".split()),
    "ufw": frozenset({"allow"}),
}
_KEY_TYPE = re.compile(r"ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-\w+")


def unify(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the number of a ticket and what only a shell needs, and with each value as one token."""
    signed = [_SIGNS.get(token.word, token) for token in tokens]
    for place, (before, token) in enumerate(pairwise(signed), 1):
        if token.word == "u" and before.word in {"can", "could", "would", "will"}:
            signed[place] = Token("you")
        elif before.word in {"new", "newly", "anew"} and token.word in {"start", "started"}:
            # "new started", as it is said in German
            signed[place - 1], signed[place] = Token(""), Token(f"re{token.word}")
        elif token.word == "of" and before.word in {"turn", "switch"}:
            signed[place] = Token("off")
    signed = [token for token in signed if token.text]
    return _skip_shell(_skip_ticket(_join_keys(join_sizes(signed))))


def join_sizes(tokens: Sequence[Token]) -> list[Token]:
    """ "2 GB" and "2 gigabytes" as one word, and "localhost port 80" as one address."""
    joined: list[Token] = []
    for token in tokens:
        unit = _UNITS.fullmatch(token.word)
        if unit and joined and re.fullmatch(r"\d+(\.\d+)?", joined[-1].word):
            joined[-1] = Token(f"{joined[-1].text}{(unit[1] or unit[2])[0].upper()}")
        elif token.word.isdigit() and [part.word for part in joined[-2:]] == ["localhost", "port"]:
            joined[-2:] = [Token(f"localhost:{token.text}")]
        else:
            joined.append(token)
    return joined


def _join_keys(tokens: Sequence[Token]) -> list[Token]:
    """A public key of ssh, with its comment, as one quoted word."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        size = 1
        if _KEY_TYPE.fullmatch(tokens[position].text) and tokens[position + 1 : position + 2]:
            size = 3 if "@" in (tokens[position + 2].text if len(tokens) > position + 2 else "") else 2
        key = " ".join(token.text for token in tokens[position : position + size])
        joined.append(Token(key, quoted=True) if size > 1 else tokens[position])
        position += size
    return joined


def _skip_ticket(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the number of a ticket, or the word "ticket" and a colon, in front."""
    if tokens and tokens[0].text.startswith("[") and _TICKET.fullmatch(tokens[0].text.strip("[]")):
        return list(tokens[1:])
    start = 1 if tokens and _TICKET.fullmatch(tokens[0].text) else 0
    words = [token.word for token in tokens[:4]]
    if not start and SEPARATOR in words:
        colon = words.index(SEPARATOR)
        named = [word for word in words[:colon] if not re.fullmatch(r"#?[a-z]{0,4}-?\d+", word)]
        start = colon if named and _TICKETS.issuperset(named) else 0
    return list(tokens[start:])


#: what ends the list of packages that apt takes
_AFTER_LIST = JOINERS | frozenset("on at in for to from with without here everywhere please using via".split())


def _installs(words: Sequence[str]) -> bool:
    """Whether the words so far are apt's order to install, with packages only after it."""
    start = next((n for n in range(len(words) - 1, 0, -1) if words[n] in {"install", "remove"}), 0)
    return bool(start) and words[start - 1] in {"apt", "apt-get"} and _AFTER_LIST.isdisjoint(words[start:])


def _skip_shell(tokens: Sequence[Token]) -> list[Token]:
    """ "apt install git" as "install git" and "systemctl restart nginx" as "restart nginx"."""
    words = [token.word for token in tokens]
    kept: list[Token] = []
    for position, token in enumerate(tokens):
        following = words[position + 1 : position + 4]
        is_start = not kept or kept[-1].word in JOINERS or kept[-1].word in {"please", "sudo", "pls"}
        is_sudo = token.word == "sudo" and following and (following[0] in _SHELL or following[0] in COMMANDS)
        is_apt = position > 1 and words[position - 1] not in _AFTER_LIST and _installs(words[:position])
        if is_apt and token.word not in _AFTER_LIST and kept[-1].word not in JOINERS | {"install", "remove"}:
            # "apt install git curl"
            kept.append(Token(SEPARATOR))
        if is_start and (is_sudo or _SHELL.get(token.word, frozenset()).intersection(following[:2])):
            continue
        if token.text in {"-y", "--yes", "-qq"} and not token.quoted:
            continue
        kept.append(token)
    return kept
