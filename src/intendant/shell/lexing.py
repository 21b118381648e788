"""Cuts a command line into tokens as bash does, for the part of its language that can be read for certain.

What is outside of that part becomes a problem, a sentence; reading then goes on as well as it can, so that what stands
behind it is judged too.
"""

from dataclasses import dataclass, field

from intendant.shell.quoting import MAX_DEPTH, WordReader
from intendant.shell.syntax import Word

_OPERATORS = (
    "<<<", "&>>", ";;&", "<<-", "&&", "||", ";;", ";&", "|&", "&>", ">>", "<<", "<&", ">&", "<>", ">|",
    ";", "&", "|", "(", ")", "<", ">",
)  # fmt: skip
#: operators that bash has and a POSIX shell has not
_BASH_OPERATORS = frozenset({"<<<", "&>>", ";;&", ";&", "|&", "&>"})


@dataclass(frozen=True)
class Token:
    """A word, an operator, the number before a redirection (``number``), or the end of a line (``newline``)."""

    kind: str
    start: int
    end: int
    text: str
    word: Word | None = None


@dataclass
class Tokens:
    """What was found. ``levels``: the tokens of the line itself and of each substitution in it, in no certain order."""

    levels: list[list[Token]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    differs: bool = False


def read_tokens(text: str) -> Tokens:
    """All tokens of the text."""
    lexer = _Lexer(text)
    lexer.read_level(0, len(text), "", 0)
    return lexer.found


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found = Tokens()

    def report(self, problem: str) -> None:
        self.found.problems.append(problem)

    def read_level(self, at: int, limit: int, closing: str, depth: int) -> int:
        """Read tokens from ``at`` until an unpaired ``closing`` or ``limit``; answers where that is."""
        tokens: list[Token] = []
        self.found.levels.append(tokens)
        if depth > MAX_DEPTH:
            self.report(f"it is nested more than {MAX_DEPTH} deep")
            return limit
        reader = WordReader(self.text, limit, depth, self)
        parens = 0
        heredocs: list[tuple[Word, bool]] = []
        while at < limit:
            char = self.text[at]
            if char in " \t":
                at += 1
            elif char == "\n":
                tokens.append(Token("newline", at, at + 1, char))
                at = self._skip_heredocs(at + 1, limit, heredocs, reader)
            elif char == "\\" and self.text.startswith("\\\n", at):
                reader.check_continuation(at)
                at += 2
            elif char == "#":
                end = self.text.find("\n", at, limit)
                at = limit if end < 0 else end
            elif char == closing and not parens:
                break
            elif (operator := self._operator_at(at, limit)) is not None:
                parens += {"(": 1, ")": -1}.get(operator, 0)
                if parens < 0 and closing == ")":
                    break
                if parens < 0:
                    # As in the patterns of 'case'.
                    parens = 0
                    self.report("it has a ')' too many")
                if operator in _BASH_OPERATORS:
                    self.found.differs = True
                tokens.append(Token("operator", at, at + len(operator), operator))
                at += len(operator)
            else:
                word = reader.read(at)
                at = word.end
                kind = (
                    "number" if word.raw.isdigit() and self.text[at : at + 1] in ("<", ">") and at < limit else "word"
                )
                if len(tokens) > 0 and tokens[-1].text in ("<<", "<<-"):
                    heredocs.append((word, tokens[-1].text == "<<-"))
                    self.report("it has a here-document")
                tokens.append(Token(kind, word.start, word.end, word.raw, word))
        if parens:
            self.report("a '(' is not closed")
        if closing and at >= limit:
            self.report(f"a '{closing}' is missing")
        return at

    def _operator_at(self, at: int, limit: int) -> str | None:
        if self.text.startswith(("<(", ">("), at):
            return None
        return next((name for name in _OPERATORS if self.text.startswith(name, at) and at + len(name) <= limit), None)

    def _skip_heredocs(self, at: int, limit: int, heredocs: list[tuple[Word, bool]], reader: WordReader) -> int:
        """Step over the bodies that begin at this line; what they substitute is read."""
        for delimiter, strips in heredocs:
            start = at
            while at < limit:
                end = self.text.find("\n", at, limit)
                end = limit if end < 0 else end
                line = self.text[at:end]
                body_end, at = at, min(end + 1, limit)
                if (line.lstrip("\t") if strips else line) == delimiter.text:
                    break
            else:
                body_end = limit
            if delimiter.raw == delimiter.text:
                reader.read_body(start, body_end)
        heredocs.clear()
        return at
