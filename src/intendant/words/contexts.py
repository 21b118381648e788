"""What a request says besides what it asks for: why, what for, secrets, commands. Pure."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from intendant.words.tokens import Token
from intendant.words.vocabulary import NEGATIONS, SEPARATOR
from intendant.words.wording import is_slip

_REQUESTS = [text.split() for text in (
    "please", "pls", "could you", "can you", "i need", "we need", "i want", "we want", "i think", "so please", "give",
    "let", "i'd like", "i would like", "it should", "it must", "it shall",
)]  # fmt: skip
#: verbs of sentences that tell something, and words that make one a condition or a question
_TELLING = frozenset(
    "is are i'm we're i've was were keeps says has have had forget always can't cannot won't doesn't don't gets runs "
    "needs seems".split()
)
_TELLERS = frozenset("the my our this that it i we somebody someone people users customers everybody its their".split())
_CONDITIONS = frozenset(
    "if when once until before after unless while whenever because should would could may what why how who tried "
    "wonder whether".split()
)
_MINE = frozenset("my our the a her his their".split())
_PURPOSES = frozenset(
    "app application shop project team website blog colleague colleagues company office customers business school "
    "webshop startup boss".split()
)
_SECRETS = frozenset({"password", "passwd", "pw", "passphrase", "secret", "token"})


def drop_context(tokens: Sequence[Token], starts_step: Callable[[str], bool]) -> list[Token]:
    """The tokens without a sentence in front that only tells why: "the disk is full, please …".

    It stays when it has a condition, or an order of its own.
    """
    words = [token.word for token in tokens]
    for place in (n for n, word in enumerate(words) if word == SEPARATOR and n):
        before = words[:place]
        after = words[place + 1 :]
        is_request = any(after[: len(opener)] == opener for opener in _REQUESTS)
        is_request = is_request and (before[0] in _TELLERS or before[0] in _TELLING - NEGATIONS)
        if (
            is_request
            and _TELLING.intersection(before)
            and _CONDITIONS.isdisjoint(before)
            and not starts_step(before[0])
        ):
            return list(tokens[place + 1 :])
    return _drop_purpose(tokens)


def _drop_purpose(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without what something is for: "for my web shop"."""
    words = [token.word for token in tokens]
    for place in range(len(words) - 2):
        if words[place] == "for" and words[place + 1] in _MINE:
            for end in (place + 3, place + 4):
                if end <= len(words) and words[end - 1] in _PURPOSES:
                    return [*tokens[:place], *tokens[end:]]
    return list(tokens)


def gives_secret(tokens: Sequence[Token]) -> bool:
    """Whether the words hold a password: "with the password 'x'"."""
    pairs = pairwise(tokens)
    return any(first.word in _SECRETS and second.quoted and not second.is_time for first, second in pairs)


def gives_command(tokens: Sequence[Token]) -> bool:
    """Whether the words are about a command to run, be it given or not."""
    words = [token.word for token in tokens]
    is_given = any(is_slip(first.word, "command") and second.quoted for first, second in pairwise(tokens))
    is_run = not {"execute", "type", "enter", "run"}.isdisjoint(words)
    return is_given or (is_run and not {"command", "bash", "shell"}.isdisjoint(words))
