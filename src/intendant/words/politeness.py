"""The polite words around a request. Pure."""

from collections.abc import Sequence

from intendant.words.vocabulary import SEPARATOR

_QUESTIONS = [
    *([verb, "you"] for verb in ("can", "could", "would", "will")),
    *([verb, who] for verb in ("can", "could") for who in ("somebody", "someone", "anybody")),
]
_OPENERS = [
    *(line.split() for line in (
        "i want you to", "i want to", "i need you to", "i need to", "i would like you to", "i would like to",
        "i'd like you to", "i'd like to", "we want to", "we need to", "we would like to", "we'd like to",
        "i'd love you to", "i'd love to", "i was hoping you could", "i was wondering if you could", "we should",
        "you should", "you need to", "it would be great if you could", "it would be nice if you could",
        "be so kind as to", "be so kind and", "be so nice as to", "do me a favour and", "do me a favor and",
        "your task is to", "your job is to", "time to", "it's time to", "it is time to", "if you could",
        "feel free to", "i have to", "we have to", "i must", "we must", "good morning", "good evening", "hi there",
        "hello there", "hey there", "i think we should", "when you have a minute", "when you have a moment",
        "when you have time", "if you have a minute", "it would be great to have", "it would be nice to have",
        "i'd be happy if you could", "i would be happy if you could", "if possible", "if you have a moment",
        "whenever you can",
        "as soon as possible", "as soon as you can", "good afternoon", "i think", "first of all",
        "do one thing for me", "do one thing", "yo", "bruh", "bro", "dude", "uh", "um", "erm",
        "sir", "madam", "ma'am", "dear team", "hi team", "hi all", "hello all", "dear all", "guys", "folks",
        "after that",
        "in addition", "i should like to", "you are an expert devops engineer", "you are a system administrator",
        "you are a sysadmin", "you are an expert system administrator", "be good enough to",
        "be so good as to", "we'd love to", "i'd be grateful if you could", "i would be grateful if you could",
        "i'd appreciate it if you could", "i would appreciate it if you could", "it is required to", "you must",
        "therefore", "thus", "hence", "and so", "lastly", "at last", "in the end", "additionally", "furthermore",
        "moreover", "besides", "what i need is to",
        "so", "well", "alright", "right", "quickly",
        "simply", "let's", "lets", "let us", "go ahead and", "help me to", "help me", "please", "plese", "pleas",
        "pls", "plz", "kindly", "just", "hey", "hi", "hello", "ok", "okay", "now", "then", "next", "first", "finally",
        "afterwards", "also", "and",
    )),
    [SEPARATOR],
]  # fmt: skip
_CLOSERS = [
    *(line.split() for line in (
        "finally", "also", "next", "afterwards", "after that", "thereafter", "in addition", "additionally",
        "lol", "lmao",
        "omg", "smh", "haha", "thanks so much", "thank you in advance", "thank you kindly", "ty", "tia", "already",
        "quick", "while you are at it", "while you're at it", "if that goes",
        "if that is possible", "if possible", "sir", "bro", "dude", "at your convenience", "best regards",
        "regards", "kind regards",
        "please", "pls", "plz", "thanks", "thank you", "thx", "now", "right now", "for me", "for us", "asap",
        "immediately", "as well", "too", "then", "and", "thank you very much", "thank you so much", "many thanks",
        "thanks a lot", "if you please", "would you", "will you", "cheers", "kindly", "at once", "if you don't mind",
        "thanks in advance", "ok", "okay", "rn",
    )),
    [SEPARATOR],
]  # fmt: skip
_PLEAS = (
    "it would be great to have".split(), "it would be nice to have".split(),
    ["please"], ["pls"], ["plz"], ["kindly"], ["plese"], ["pleas"],
)  # fmt: skip

#: single words that are only polite
POLITE_WORDS = frozenset("please thanks kindly hello could would".split())


def asks_politely(words: Sequence[str]) -> bool:
    """Whether a polite question comes after something else: "I am new here, could you …"."""
    pairs = (list(words[place + 1 : place + 3]) for place, word in enumerate(words) if word == SEPARATOR)
    return any(pair in _QUESTIONS for pair in pairs)


def skip_openers(words: Sequence[str]) -> tuple[int, bool]:
    """Where the request itself starts, and whether it is put as a polite question."""
    start = 0
    polite = False
    while True:
        question = next((opener for opener in _QUESTIONS if list(words[start : start + 2]) == opener), [])
        opener = question or next((o for o in _OPENERS if list(words[start : start + len(o)]) == o), [])
        if not opener:
            return start, polite
        polite = polite or bool(question) or opener in _PLEAS
        start += len(opener)


def skip_closers(words: Sequence[str], start: int) -> int:
    """Where the request itself, which starts at ``start``, ends."""
    end = len(words)
    while closer := next((closer for closer in _CLOSERS if list(words[start:end])[-len(closer) :] == closer), None):
        end -= len(closer)
    return end
