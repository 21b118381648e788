"""Takes the quotes off a word exactly as bash does, and finds what in it is only known when it runs."""

import re
from typing import Protocol

from intendant.shell.syntax import Part, Word

MAX_DEPTH = 50
_META = frozenset(" \t\n;&|()<>")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
#: ``${…}`` in the forms that only read a variable: no subscript, no assignment, no transformation, no arithmetic
_EXPANSION = re.compile(r"\{(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?])(?:(:?[-+]|%%?|##?)([A-Za-z0-9_./ ,:=*+-]*))?\}")
_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
            "\\": "\\", "'": "'", '"': '"', "?": "?"}  # fmt: skip
_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})")
#: variables that every POSIX shell has, or that come with the login
_COMMON = frozenset("HOME PATH PWD USER LOGNAME SHELL TERM LANG TZ PPID ? # $ !".split())


class Levels(Protocol):
    """Reads the commands of a substitution."""

    def read_level(self, at: int, limit: int, closing: str, depth: int) -> int:
        """Read until the closing character and answer its place."""

    def report(self, problem: str) -> None:
        """Note what cannot be read for certain."""

    @property
    def found(self) -> "Differs":
        """Where it is noted that a POSIX shell reads something in another way."""


class Differs(Protocol):
    """Whether a POSIX shell might read the text in another way."""

    differs: bool


class WordReader:
    """Reads the words of one level of nesting; ``limit`` is where the level ends at the latest."""

    def __init__(self, text: str, limit: int, depth: int, levels: Levels) -> None:
        self._text, self._limit, self._depth, self._levels = text, limit, depth, levels
        self._value: list[str] = []
        self._prefix: str | None = None
        self._parts: set[Part] = set()
        self._variables: list[str] = []
        self._many = self._free = False
        #: the value before the first brace that could open an expansion
        self._brace: str | None = None

    def read(self, start: int) -> Word:
        """The word that begins at ``start``; at least one character long."""
        self._value, self._prefix, self._parts, self._variables = [], None, set(), []
        self._many = self._free = False
        self._brace = None
        at = start
        if self._text.startswith(("<(", ">("), at):
            at = self._process(at)
        while at < self._limit and (char := self._text[at]) not in _META:
            at = self._read_quote(at, char) if char in "\\'\"" else self._read_plain(at, char)
        raw = self._text[start:at]
        if self._text.startswith(("<(", ">("), at) and at < self._limit:
            self._levels.report("a process substitution stands inside a word")
        value = "".join(self._value)
        if raw.startswith("~") and not re.match(r"~(/|$)", raw):
            # Somebody's home, or another folder that bash remembers.
            self._levels.found.differs = True
            self._prefix = ""
            self._parts.add(Part.VARIABLE)
        prefix = value if self._prefix is None else self._prefix
        return Word(raw, start, at, value, prefix, frozenset(self._parts), tuple(self._variables),
                    self._many, self._free)  # fmt: skip

    def read_body(self, start: int, end: int) -> None:
        """Find the substitutions in the body of a here-document."""
        at = start
        while at < end:
            char = self._text[at]
            if char == "\\":
                at += 2
            elif char in "$`":
                at = self._substitution(at, quoted=True)
            else:
                at += 1

    def check_continuation(self, at: int) -> None:
        """A line may be continued between words only: elsewhere an operator could hide in two halves."""
        if at and self._text[at - 1] not in " \t\n":
            self._levels.report("a line is continued inside a word")

    def _read_plain(self, at: int, char: str) -> int:
        if char in "$`":
            return self._substitution(at, quoted=False)
        if char in "*?" or (char == "[" and at + 1 < self._limit and self._text[at + 1] not in _META):
            if self._text.startswith("[^", at):
                self._levels.found.differs = True
            self._mark(Part.GLOB, many=True)
        elif char == "{" and self._brace is None and not self._text.startswith("{}", at):
            self._brace = "".join(self._value) if self._prefix is None else self._prefix
        elif char in ",." and self._brace is not None:
            # Enough to be a brace expansion; whether it is one to the letter is not worth knowing.
            self._prefix, self._many, self._levels.found.differs = self._brace, True, True
            self._parts.add(Part.BRACES)
        self._value.append(char)
        return at + 1

    def _read_quote(self, at: int, char: str) -> int:
        if char == "'":
            end = self._text.find("'", at + 1, self._limit)
            if end < 0:
                return self._unterminated(char)
            self._value.append(self._text[at + 1 : end])
            return end + 1
        if char == '"':
            return self._double(at + 1)
        if self._text.startswith("\\\n", at):
            self.check_continuation(at)
            return at + 2
        if at + 1 >= self._limit:
            self._levels.report("it ends in a backslash")
        self._value.append(self._text[at + 1 : min(at + 2, self._limit)])
        return min(at + 2, self._limit)

    def _double(self, at: int) -> int:
        while at < self._limit and (char := self._text[at]) != '"':
            if char == "\\":
                following = self._text[at + 1 : at + 2]
                if following == "\n":
                    self.check_continuation(at)
                else:
                    self._value.append(following if following in ("$", "`", '"', "\\") else char + following)
                at += 2
            elif char in "$`":
                at = self._substitution(at, quoted=True)
            else:
                self._value.append(char)
                at += 1
        return at + 1 if at < self._limit else self._unterminated('"')

    def _unterminated(self, quote: str) -> int:
        self._levels.report(f"a {quote} is not closed")
        return self._limit

    def _substitution(self, at: int, *, quoted: bool) -> int:
        """Read what begins with ``$`` or a backquote."""
        text = self._text
        if text[at] == "`":
            end = text.find("`", at + 1, self._limit)
            if end < 0:
                return self._unterminated("`")
            inner = text[at + 1 : end]
            if "\\" in inner or (quoted and '"' in inner):
                self._levels.report("quotes stand inside of backquotes")
            self._mark(Part.SUBSTITUTION, many=not quoted, free=not quoted)
            self._levels.read_level(at + 1, end, "", self._depth + 1)
            return end + 1
        if text.startswith("$(", at):
            if text.startswith("$((", at):
                self._levels.report("it calculates with $((")
            self._mark(Part.SUBSTITUTION, many=not quoted, free=not quoted)
            return min(self._levels.read_level(at + 2, self._limit, ")", self._depth + 1) + 1, self._limit)
        if text.startswith("${", at):
            return self._expansion(at, quoted=quoted)
        if not quoted and text.startswith("$'", at):
            return self._ansi(at + 2)
        if text.startswith("$[", at) or (not quoted and text.startswith('$"', at)):
            self._levels.report(f"it uses {text[at : at + 2]}")
            self._levels.found.differs = True
            return at + 1
        if (found := _VARIABLE.match(text, at + 1, self._limit)) is None:
            self._value.append("$")
            return at + 1
        self._add_variable(found.group(), quoted=quoted)
        return found.end()

    def _expansion(self, at: int, *, quoted: bool) -> int:
        if found := _EXPANSION.match(self._text, at + 1, self._limit):
            self._add_variable(found[2], quoted=quoted)
            return found.end()
        self._levels.report("it changes or computes a variable with ${…}")
        self._levels.found.differs = True
        self._mark(Part.VARIABLE, many=not quoted, free=not quoted)
        # What stands in the braces is read as text that may hold substitutions.
        return at + 2

    def _ansi(self, at: int) -> int:
        self._levels.found.differs = True
        data = bytearray()
        while at < self._limit and (char := self._text[at]) != "'":
            if char != "\\":
                data += char.encode(errors="surrogatepass")
                at += 1
            elif found := _CODE.match(self._text, at + 1, self._limit):
                code = int(found[1] or found[2] or found[3] or found[4], 8 if found[2] else 16)
                if code == 0 or code > 0x10FFFF or (code > 0x7F and not (found[1] or found[2])):
                    self._levels.report("$'…' holds a character that cannot be read for certain")
                else:
                    data.append(code & 0xFF)
                at = found.end()
            else:
                letter = self._text[at + 1 : at + 2]
                if letter not in _ESCAPES:
                    self._levels.report("$'…' holds an unknown escape")
                data += _ESCAPES.get(letter, letter).encode(errors="surrogatepass")
                at += 2
        self._value.append(data.decode(errors="replace"))
        return at + 1 if at < self._limit else self._unterminated("$'")

    def _process(self, at: int) -> int:
        self._levels.found.differs = True
        if self._text[at] == ">":
            self._levels.report("it writes into a process substitution")
        self._mark(Part.PROCESS)
        return min(self._levels.read_level(at + 2, self._limit, ")", self._depth + 1) + 1, self._limit)

    def _add_variable(self, name: str, *, quoted: bool) -> None:
        self._variables.append(name)
        if name not in _COMMON and not name.islower():
            self._levels.found.differs = True
        several = not quoted or name == "@"
        self._mark(Part.VARIABLE, many=several, free=several)

    def _mark(self, part: Part, *, many: bool = False, free: bool = False) -> None:
        if self._prefix is None:
            self._prefix = "".join(self._value)
        self._parts.add(part)
        self._many |= many
        self._free |= free
