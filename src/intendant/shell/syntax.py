"""What a command line consists of, as far as the decision needs it. Values only.

The result of a line is that of its worst part, so its order, its operators and its nesting are not kept: a script is a
flat collection of the simple commands that could run, wherever they stand.
"""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What can make the text of a word unknown before it runs."""

    VARIABLE = "variable"
    SUBSTITUTION = "substitution"
    PROCESS = "process"
    GLOB = "glob"
    BRACES = "braces"


@dataclass(frozen=True)
class Word:
    """One word of a command.

    ``raw`` is how it is typed, between ``start`` and ``end`` (offsets in characters); ``text`` is its value after the
    quotes are taken away, without the parts that are only known when it runs; ``prefix`` is the value before the first
    of those. ``many``: it may become several words, or none. ``free``: those may begin with anything.
    """

    raw: str
    start: int
    end: int
    text: str
    prefix: str
    dynamic: frozenset[Part] = frozenset()
    variables: tuple[str, ...] = ()
    many: bool = False
    free: bool = False

    @property
    def literal(self) -> bool:
        """Whether ``text`` is all that it can ever be."""
        return not self.dynamic


@dataclass(frozen=True)
class Assignment:
    """``NAME=value`` before a command or alone."""

    name: str
    value: Word


@dataclass(frozen=True)
class Redirection:
    """``operator`` is one of ``< > >> >| <> <& >& &> &>> <<<``."""

    operator: str
    target: Word


@dataclass(frozen=True)
class Command:
    """A simple command; no words when only assignments or redirections stand there. ``[[`` is one too."""

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...] = ()
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class Loop:
    """``for name in words``."""

    name: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Script:
    """Everything in one command line.

    ``problems`` are sentences on what could not be read for certain, ``doubt`` is one on what a second reader sees in
    another way; ``defined``: the names of functions; ``differs``: a POSIX shell would read the text in another way, or
    might.
    """

    commands: tuple[Command, ...] = ()
    loops: tuple[Loop, ...] = ()
    defined: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    doubt: str = ""
    differs: bool = False
