"""Groups the tokens of one level into simple commands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from intendant.shell.lexing import Token
from intendant.shell.syntax import Assignment, Command, Loop, Redirection, Word

REDIRECTIONS = frozenset({"<", ">", ">>", ">|", "<>", "<&", ">&", "&>", "&>>", "<<<", "<<", "<<-"})
#: words of the grammar after which another command begins
_OPENERS = frozenset("if then elif else do { !".split())
_CLOSERS = frozenset("fi done esac }".split())
#: constructs whose commands are found but whose meaning is not followed
_OPAQUE = {
    "while": "a 'while' loop may never end",
    "until": "an 'until' loop may never end",
    "case": "it branches with 'case'",
    "select": "it asks with 'select'",
    "function": "it defines a function",
    "coproc": "it starts a coprocess",
}
_STRUCTURE = _OPENERS | _CLOSERS | _OPAQUE.keys() | {"for", "[["}
KEYWORDS = _STRUCTURE | {"in", "time", "]]"}
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_OTHER_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[|\+=)")


@dataclass
class Grouped:
    """What the tokens are. ``names``: where the name of each command begins (offsets in characters)."""

    commands: list[Command] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    defined: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    names: set[int] = field(default_factory=set)
    differs: bool = False


def group_tokens(tokens: Sequence[Token], found: Grouped) -> None:
    """Add what one level holds to ``found``."""
    _Grouper(tokens, found).run()


class _Grouper:
    def __init__(self, tokens: Sequence[Token], found: Grouped) -> None:
        self.tokens, self.found, self.at = tokens, found, 0
        self._clear()

    def _clear(self) -> None:
        self.words: list[Word] = []
        self.assignments: list[Assignment] = []
        self.redirections: list[Redirection] = []

    def run(self) -> None:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind == "newline":
                self._flush()
            elif token.kind == "number":
                # The operator behind it says what happens.
                self.found.differs |= len(token.text) > 1
            elif token.kind == "operator":
                self._operator(token)
            elif token.word is not None:
                self._word(token.word)
        self._flush()

    def _flush(self) -> None:
        if self.words or self.assignments or self.redirections:
            command = Command(tuple(self.words), tuple(self.assignments), tuple(self.redirections))
            self.found.commands.append(command)
            if self.words:
                self.found.names.add(self.words[0].start)
        self._clear()

    def _operator(self, token: Token) -> None:
        if token.text in REDIRECTIONS:
            following = self.tokens[self.at] if self.at < len(self.tokens) else None
            target = following.word if following is not None else None
            if following is None or target is None or following.kind == "number":
                self.found.problems.append(f"nothing stands behind '{token.text}'")
                return
            self.at += 1
            self.redirections.append(Redirection(token.text, target))
            self.found.differs |= token.text in (">&", "<&") and not re.fullmatch(r"[0-9]|-", target.raw)
            return
        if token.text == "(":
            self._paren(token)
        elif token.text == "&":
            self.found.problems.append("it leaves something running with '&'")
        elif token.text in (";;", ";&", ";;&"):
            self.found.problems.append(f"it has a '{token.text}', which belongs to 'case'")
        self._flush()

    def _paren(self, token: Token) -> None:
        if self.words:
            self.found.defined.append(self.words[0].text)
            self.found.problems.append(f"it defines a function, or has a '(' behind '{self.words[-1].raw}'")
        elif self.assignments:
            self.found.problems.append("it fills an array")
        following = self.tokens[self.at] if self.at < len(self.tokens) else None
        if following is not None and following.text == "(" and following.start == token.end:
            self.found.problems.append("it calculates with ((")

    def _word(self, word: Word) -> None:
        if self.words:
            self.words.append(word)
        elif not self.assignments and not self.redirections and self._is_keyword(word):
            self._keyword(word)
        elif named := _ASSIGNMENT.match(word.raw):
            self.assignments.append(Assignment(named[1], word))
        else:
            if _OTHER_ASSIGNMENT.match(word.raw):
                self.found.problems.append(f"'{word.raw}' assigns to a part of a variable, or adds to it")
            self.words.append(word)

    def _is_keyword(self, word: Word) -> bool:
        if word.raw == "time":
            # Otherwise it is as good as a program of that name.
            ahead = [token.text for token in self.tokens[self.at : self.at + 2]]
            return bool(set(ahead[: 2 if ahead[:1] == ["-p"] else 1]) & (_STRUCTURE | {"(", "time"}))
        return word.raw in _STRUCTURE

    def _keyword(self, word: Word) -> None:
        name = word.raw
        before = [token.text for token in self.tokens[: self.at - 1] if token.kind != "newline"][-1:]
        if name == "!" and before and before[0] in ("|", "|&"):
            self.found.problems.append("a '!' stands inside of a pipeline")
        if name in _CLOSERS | {"then", "do", "else", "elif"} and before and before[0] in _OPENERS:
            self.found.problems.append(f"nothing stands before '{name}'")
        if name == "[[":
            self._condition(word)
        elif name == "for":
            self._loop()
        elif name == "time":
            self.found.differs = True
            self.at += self.tokens[self.at].text == "-p"
        elif name in _OPAQUE:
            self.found.problems.append(_OPAQUE[name])
            self.found.differs |= name in ("select", "function", "coproc")
            if name in ("function", "select", "case"):
                self._name_of(name)

    def _name_of(self, keyword: str) -> None:
        """Step over the word that the construct is about."""
        if self.at < len(self.tokens) and (word := self.tokens[self.at].word):
            self.at += 1
            if keyword == "function":
                self.found.defined.append(word.text)
            if keyword != "function" and self.at < len(self.tokens) and self.tokens[self.at].text == "in":
                self.at += 1

    def _loop(self) -> None:
        name = self._next_word()
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "newline":
            self.at += 1
        introduced = self._next_word()
        if name is None or introduced is None or introduced.raw != "in":
            self.found.problems.append("it has a 'for' without 'in'")
            return
        words = []
        while (word := self._next_word()) is not None:
            words.append(word)
        self.found.loops.append(Loop(name.raw, tuple(words)))

    def _next_word(self) -> Word | None:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "word":
            self.at += 1
            return self.tokens[self.at - 1].word
        return None

    def _condition(self, opening: Word) -> None:
        """``[[ … ]]`` as a command of that name; its operators become words."""
        self.found.differs = True
        self.words.append(Word(opening.raw, opening.start, opening.end, opening.raw, opening.raw))
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind != "newline":
                text = token.text
                self.words.append(token.word or Word(text, token.start, token.end, text, text))
            if token.text == "]]":
                return
        self.found.problems.append("a ']]' is missing")
