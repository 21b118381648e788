"""Reads English requests: splits them into words and knows the words that matter whatever is asked for. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

SEPARATOR = ","
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_TOKEN = re.compile(
    "|".join(rf"{opening}(?P<q{number}>[^{closing}]+){closing}(?=[\s,.;:!?]|$)"
             for number, (opening, closing) in enumerate(_QUOTES.items()))
    + r"|(?P<separator>,|&(?=\s))|(?P<word>[^\s,]+)"
)  # fmt: skip

NEGATIONS = frozenset(
    "not no never nor neither cannot except unless avoid instead cancel rather skip undo nevermind don't dont "
    "doesn't doesnt didn't isn't isnt aren't wasn't won't wont can't cant shouldn't shouldnt couldn't wouldn't "
    "mustn't needn't haven't hasn't".split()
)
QUESTION_OPENERS = frozenset(
    "is are was were am do does did has have had can could may might should shall would will must what what's "
    "whats which who whose whom when where where's why how how's whether wonder tell show list explain describe "
    "check verify see find look report display print compare".split()
)
_POLITE_QUESTIONS = [["can", "you"], ["could", "you"], ["would", "you"], ["will", "you"]]
_POLITE_OPENERS = [
    *(line.split() for line in (
        "i want you to", "i want to", "i need you to", "i need to", "i would like you to", "i would like to",
        "i'd like you to", "i'd like to", "we want to", "we need to", "we would like to", "we'd like to",
        "let's", "lets", "let us", "go ahead and", "help me to", "help me", "please", "pls", "plz", "kindly", "just",
        "hey", "hi", "hello", "ok", "okay", "now", "then", "next", "first", "finally", "afterwards", "also", "and",
    )),
    [SEPARATOR],
]  # fmt: skip
_POLITE_CLOSERS = [
    *(line.split() for line in (
        "please", "pls", "plz", "thanks", "thank you", "thx", "now", "right now", "for me", "for us", "asap",
        "immediately", "as well", "too", "then", "and",
    )),
    [SEPARATOR],
]  # fmt: skip
#: words that join steps or the elements of a list
JOINERS = frozenset({"and", "then", "plus", SEPARATOR})
ARTICLES = frozenset("a an some any my your our another his her their its".split())
FUNCTION_WORDS = frozenset("is are to in into and with at on from for of as runs exists".split())
#: words that never are the name of something to install, start, create or delete
NO_NAMES = ARTICLES | frozenset(
    # pronouns, prepositions, auxiliaries, adverbs
    "the it them this that these those he she they we i you me us him one ones both all every each everything "
    "anything something nothing everyone same other others more less most least on onto in into at to from for of "
    "by with without as is are be been was were will would can could should must may might do does did has have "
    "had if when while until after before because since so but or and then also again please now soon later today "
    "tomorrow always only just really very maybe perhaps possibly up down out off over under here there "
    "everywhere somewhere new old latest newest current recent stable fresh version versions release yes ok using "
    "via like than too well what "
    # things of which there are many kinds (a plural counts as its singular)
    "server webserver database db firewall service daemon package software program app application website site "
    "tool editor browser proxy cache queue monitoring thing stuff update upgrade patch fix dependency "
    "prerequisites requirements computer machine host system node box network networking user account admin file "
    "folder directory group library config configuration settings options name named called job task process "
    "session connection port interface disk drive volume partition memory cpu storage space backup snapshot data "
    "content entry container cluster driver firmware kernel os linux debian ubuntu fedora centos rhel font "
    "certificate cert key license plugin extension module theme ipv4 ipv6 swap http ssl tls login logging log "
    "debug password passwd authentication encryption compression telemetry notifications alerts metrics "
    "statistics production staging development testing maintenance everybody nobody whatever whichever "
    # kinds of things
    "unused missing broken failed failing dead security essential extra additional optional basic common required "
    "useful important unnecessary obsolete outdated orphaned inactive idle local remote public private default "
    "custom own existing available running stopped installed enabled disabled automatic manual virtual free full "
    "empty first second third last next previous main primary secondary several many few multiple single".split()
)
#: what else people order; it is never a name after "and", and never what a list of names goes on with
COMMANDS = frozenset(
    "add allow apply ask back backup block boot bounce build call change check clean clear clone configure "
    "connect copy create cut delete deploy deny disable download drop edit enable ensure erase exec execute "
    "expose extend fetch fix forward generate get give go grant halt harden import increase init initialise "
    "initialize insert install keep kill launch leave let limit link list load lock log make migrate mount move "
    "notify open patch pause ping point power print provision prune pull purge push put read reboot rebuild "
    "reconfigure reduce refresh register reinstall reload remove rename renew repair replace reset resize restart "
    "restore resume revert revoke roll rotate run save scale scan schedule secure send set setup share show shut "
    "shutdown sign start stop suspend switch sync take tell test touch tune turn uninstall unlock unmount update "
    "upgrade upload use verify wait watch wipe write".split()
)
_INFLECTION = re.compile(r"(?:e?s|e?d|ing|er|ed|ped|ping|led|ling)")


@dataclass(frozen=True)
class Token:
    """A word of a request, without the punctuation around it; ``quoted`` words are values, whatever they say."""

    text: str
    quoted: bool = False

    @property
    def word(self) -> str:
        """The word in lower case; empty when quoted, so that quoted words have no meaning of their own."""
        return "" if self.quoted else self.text.lower()


@dataclass(frozen=True)
class Wording:
    """A request, read as far as that is possible without knowing what can be asked for."""

    tokens: tuple[Token, ...]
    is_question: bool = False
    negation: str = ""


def read_wording(request: str) -> Wording:
    """Split a request into words, and take off what only makes it polite."""
    tokens: list[Token] = []
    asks = False
    for match in _TOKEN.finditer(request):
        if match["separator"]:
            tokens.append(Token(SEPARATOR))
        elif (word := match["word"]) is None:
            tokens.append(Token(next(text for text in match.groups() if text), quoted=True))
        else:
            stripped = word.rstrip(".:;!?…")
            asks = asks or "?" in word[len(stripped) :]
            if stripped:
                tokens.append(Token(stripped.replace("’", "'")))
            if stripped != word and match.end() < len(request):
                tokens.append(Token(SEPARATOR))
    negation = next((token.text for token in tokens if token.word in NEGATIONS), "")
    words = [token.word for token in tokens]
    start, polite = _skip_openers(words)
    asks_politely = polite and not negation
    opener = words[start] if start < len(words) else ""
    is_question = (asks and not asks_politely) or opener in QUESTION_OPENERS
    return Wording(tuple(strip_politeness(tokens)), is_question, negation)


def strip_politeness(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the polite words and separators at both ends."""
    words = [token.word for token in tokens]
    start, _ = _skip_openers(words)
    end = len(words)
    while closer := next((closer for closer in _POLITE_CLOSERS if words[start:end][-len(closer) :] == closer), None):
        end -= len(closer)
    return list(tokens[start:end])


def correct_verb(word: str, verbs: Collection[str]) -> str:
    """The one verb that ``word`` is a slip of the keyboard away from, or ``word`` itself."""
    if len(word) < 5 or word in verbs or word in COMMANDS or is_ordinary(word):
        return word
    near = {verb for verb in verbs if verb[0] == word[0] and is_slip(word, verb)}
    near = {verb for verb in near if not (word.startswith(verb) and _INFLECTION.fullmatch(word[len(verb) :]))}
    return near.pop() if len(near) == 1 else word


def is_ordinary(word: str) -> bool:
    """Whether the word, or its singular, says something ordinary and so names nothing by itself."""
    singulars = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    return not singulars.isdisjoint(NO_NAMES)


def is_slip(word: str, other: str) -> bool:
    """Whether one wrong, missing, doubled or swapped letter tells two words apart; short words need to be equal."""
    if min(len(word), len(other)) < 4:
        return word == other
    return bool(OSA.distance(word, other, score_cutoff=1) <= 1)


def _skip_openers(words: Sequence[str]) -> tuple[int, bool]:
    """Where the request itself starts, and whether it is put as a polite question."""
    start = 0
    polite = False
    while True:
        question = next((opener for opener in _POLITE_QUESTIONS if list(words[start : start + 2]) == opener), [])
        opener = question or next((o for o in _POLITE_OPENERS if list(words[start : start + len(o)]) == o), [])
        if not opener:
            return start, polite
        polite = polite or bool(question) or opener in (["please"], ["pls"], ["plz"], ["kindly"])
        start += len(opener)
