"""The polite words around a request. Pure."""

from collections.abc import Sequence

from intendant.vocabulary import SEPARATOR

_QUESTIONS = [["can", "you"], ["could", "you"], ["would", "you"], ["will", "you"]]
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
        "when you have time", "if you have a minute", "if possible", "if you have a moment", "whenever you can",
        "as soon as possible", "as soon as you can", "good afternoon", "so", "well", "alright", "right", "quickly",
        "simply", "let's", "lets", "let us", "go ahead and", "help me to", "help me", "please", "plese", "pleas",
        "pls", "plz", "kindly", "just", "hey", "hi", "hello", "ok", "okay", "now", "then", "next", "first", "finally",
        "afterwards", "also", "and",
    )),
    [SEPARATOR],
]  # fmt: skip
_CLOSERS = [
    *(line.split() for line in (
        "finally", "also", "next", "afterwards",
        "please", "pls", "plz", "thanks", "thank you", "thx", "now", "right now", "for me", "for us", "asap",
        "immediately", "as well", "too", "then", "and", "thank you very much", "thank you so much", "many thanks",
        "thanks a lot", "if you please", "would you", "will you", "cheers", "kindly", "at once", "if you don't mind",
        "thanks in advance", "ok", "okay",
    )),
    [SEPARATOR],
]  # fmt: skip
_PLEAS = (["please"], ["pls"], ["plz"], ["kindly"], ["plese"], ["pleas"])


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
