"""Sorts the words behind a program into options and operands, by its rule."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from intendant.shell.rules import Rule
from intendant.shell.syntax import Part, Word
from intendant.shell.verdicts import Finding, Kind


@dataclass
class Parsed:
    """``given``: the names of the options; ``texts``: option values; ``files``: those that name a file to be read."""

    name: str
    given: list[str] = field(default_factory=list)
    texts: list[tuple[str, Word, str]] = field(default_factory=list)
    files: list[Word] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def parse_options(name: str, rule: Rule, words: Sequence[Word], *, stops: bool = False) -> Parsed:
    """Read the words as the program would; with ``stops``, the first operand and what follows are operands all."""
    reader = _Reader(name, rule, list(words), stops=stops or rule.stops)
    reader.run()
    return reader.parsed


class _Reader:
    def __init__(self, name: str, rule: Rule, words: list[Word], *, stops: bool) -> None:
        self.rule, self.words, self.stops, self.at = rule, words, stops, 0
        self.parsed = Parsed(name)
        self.dangers = rule.dangers()
        self.with_value = {*rule.values, *rule.files, *rule.dangers(with_value=True)}

    def run(self) -> None:
        ended = False
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if ended or self.rule.style == "plain" or self._is_operand(word):
                self.parsed.operands.append(word)
                ended = ended or self.stops
            elif word.text == "--" and word.literal and self.rule.style == "getopt":
                ended = True
            else:
                self._option(word)

    def _is_operand(self, word: Word) -> bool:
        start = word.text if word.literal else word.prefix
        if self.rule.bundle and self.at == 1 and start and word.literal:
            return False
        if start and not start.startswith("-") and not (self.rule.plus and start.startswith("+")):
            if word.free and not self.rule.dynamic:
                self._unsure(word)
            return True
        if word.literal:
            return start in ("", "-")
        # A process substitution becomes a path below /dev.
        if not start and (self.rule.dynamic or word.dynamic == {Part.PROCESS}):
            return True
        if not start:
            self._unsure(word)
            return True
        return False

    def _unsure(self, word: Word) -> None:
        self._find("unknown", f"what '{word.raw}' becomes is only known when it runs, and it could be an option")

    def _option(self, word: Word) -> None:
        text = word.text if word.literal else word.prefix
        if word.many and not self.rule.dynamic:
            return self._unsure(word)
        if self.rule.style == "words":
            return self._exact(text, word)
        if self.rule.numbers and re.fullmatch(r"-[0-9]+[bkm]?", text) and word.literal:
            return None
        if text.startswith("--"):
            return self._long(text, word)
        return self._cluster(text, word)

    def _exact(self, text: str, word: Word) -> None:
        if not word.literal or not self._note(text):
            self._reject(text, word)
        if self._takes_value(text):
            self._value(text, None)

    def _long(self, text: str, word: Word) -> None:
        name, equals, _ = text.partition("=")
        if not word.literal and not equals:
            return self._unsure(word)
        if not self._note(name):
            self._reject(name, word)
            if name not in self.with_value:
                return None
        if equals and self._takes_value(name, glued=True):
            return self._value(name, word, word.text.partition("=")[2])
        if equals:
            return self._find("unknown", f"'{name}' of {self.parsed.name} takes no value")
        if self._takes_value(name):
            return self._value(name, None)
        return None

    def _cluster(self, text: str, word: Word) -> None:
        if self._is_known(text) and len(text) > 2 and word.literal:
            # A long name with one dash, as some programs have a few of.
            self._note(text)
            return self._value(text, None) if self._takes_value(text) else None
        bundled = not text.startswith(("-", "+"))
        text = f"-{text}" if bundled else text
        for place in range(1, len(text)):
            name, rest = text[0] + text[place], text[place + 1 :]
            if not self._note(name):
                self._reject(name, word)
                if self.rule.kind == "read" and name not in self.dangers:
                    return None
            if self._takes_value(name, glued=True):
                if bundled and self._takes_value(name):
                    # In this old form the values stand behind all the letters, in their order.
                    self._value(name, None)
                    continue
                if rest or not word.literal:
                    return self._value(name, word, rest)
                return self._value(name, None) if self._takes_value(name) else None
        return None if word.literal else self._unsure(word)

    def _is_known(self, name: str) -> bool:
        rule = self.rule
        return name in rule.flags or name in rule.values or name in rule.files or name in rule.optional

    def _note(self, name: str) -> bool:
        """Note the option if it is a harmless one; whether it is."""
        if known := self._is_known(name):
            self.parsed.given.append(name)
        return known

    def _takes_value(self, name: str, *, glued: bool = False) -> bool:
        return name in self.with_value or (glued and name in self.rule.optional)

    def _value(self, name: str, word: Word | None, glued: str = "") -> None:
        """Note the value: what is glued to the option in ``word``, else the next word."""
        value = glued
        if is_next := word is None:
            if self.at >= len(self.words):
                return self._find("unknown", f"'{name}' of {self.parsed.name} lacks its value")
            word = self.words[self.at]
            self.at += 1
            value = word.text
            if word.many and not self.rule.dynamic:
                self._unsure(word)
        self.parsed.texts.append((name, word, value))
        if name not in self.rule.files:
            return None
        if is_next:
            self.parsed.files.append(word)
        elif word.literal:
            self.parsed.files.append(Word(word.raw, word.start, word.end, value, value))
        else:
            self._find("unknown", f"the file in '{word.raw}' is only known when it runs")
        return None

    def _reject(self, name: str, word: Word) -> None:
        self.parsed.given.append(name)
        danger = self.dangers.get(name)
        if danger is None and name.startswith("--"):
            # GNU programs take the beginning of a long name for all of it.
            danger = next((self.dangers[full] for full in self.dangers if full.startswith(name)), None)
        if danger is not None:
            self._find(danger[0], f"'{name}' of {self.parsed.name} {danger[1]}")
        elif self.rule.kind == "read":
            shown = f"'{name}'" if name == word.raw else f"'{name}' in '{word.raw}'"
            self._find("unknown", f"the option {shown} of {self.parsed.name} is not known to be harmless")

    def _find(self, kind: Kind, reason: str) -> None:
        self.parsed.findings.append(Finding(kind, reason))
