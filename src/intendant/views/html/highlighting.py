"""Syntax highlighting of what hosts report. Pure.

The text is hostile: only lexers of plain configuration and script formats read it, chosen by the target's name, and
only where the text is short. What it looks like is never guessed from its content. Pygments' lexers of
systemd's units, Python, Apache and Docker are not used: a few lines keep them busy for minutes. A test tries the others
with hostile text.
"""

import posixpath

from pygments.lexer import RegexLexer
from pygments.lexers.configs import IniLexer, NginxConfLexer, TOMLLexer
from pygments.lexers.data import JsonLexer, YamlLexer
from pygments.lexers.shell import BashLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, _TokenType

#: a run of characters and the CSS class that colours it ("" for none).
Token = tuple[str, str]

_MOST_CHARS = 40_000
_LONGEST_LINE = 500
_BY_SUFFIX: dict[str, type[RegexLexer]] = {
    **dict.fromkeys((".yml", ".yaml"), YamlLexer),
    **dict.fromkeys((".sh", ".bash", ".bashrc", ".profile"), BashLexer),
    **dict.fromkeys((".ini", ".cnf", ".cfg", ".conf", ".repo", ".network", ".netdev", ".local"), IniLexer),
    **dict.fromkeys((".service", ".timer", ".socket", ".mount", ".path", ".target"), IniLexer),
    ".toml": TOMLLexer,
}
_BY_FOLDER: dict[str, type[RegexLexer]] = {"nginx": NginxConfLexer, "systemd": IniLexer}
_BY_PROGRAM: dict[str, type[RegexLexer]] = dict.fromkeys(("sh", "bash", "dash"), BashLexer)

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "tc"),
    (Keyword.Constant, "tn"),
    (Keyword, "tk"),
    (Name.Tag, "tk"),
    (Name.Attribute, "ta"),
    (Name.Builtin, "tk"),
    (Name.Variable, "ta"),
    (Name.Namespace, "tk"),
    (String, "ts"),
    (Number, "tn"),
    (Operator, ""),
    (Punctuation, ""),
)


def highlight_lines(text: str, target: str, module: str = "") -> list[list[Token]] | None:
    """The tokens of each line (split at line feeds only), or None where the text stays as it is."""
    lines = text.split("\n")
    if len(text) > _MOST_CHARS or max(map(len, lines)) > _LONGEST_LINE:
        return None
    lexer = _choose_lexer(target, module, lines[0])
    if lexer is None:
        return None
    tokens: list[list[Token]] = [[]]
    # Without the lexer's own clean-up of the text, which would move lines.
    for _, kind, value in lexer.get_tokens_unprocessed(text):
        css = _name_class(kind)
        for number, part in enumerate(value.split("\n")):
            if number:
                tokens.append([])
            if part:
                tokens[-1].append((part, css))
    whole = ["".join(part for part, _ in line) for line in tokens]
    return tokens if whole == lines else None


def _choose_lexer(target: str, module: str, first_line: str) -> RegexLexer | JsonLexer | None:
    name, suffix = posixpath.basename(target), posixpath.splitext(target)[1]
    if suffix == ".json":
        return JsonLexer()
    if module.rpartition(".")[2] in ("command", "shell"):
        return BashLexer()
    for folder, lexer in _BY_FOLDER.items():
        if folder in target.split("/")[:-1]:
            return lexer()
    if first_line.startswith("#!"):
        program = first_line.replace("/", " ").split()[-1:]
        return _BY_PROGRAM[program[0]]() if program and program[0] in _BY_PROGRAM else None
    found = _BY_SUFFIX.get(suffix) or _BY_SUFFIX.get(name)
    return found() if found else None


def _name_class(kind: _TokenType) -> str:
    return next((css for group, css in _CLASSES if kind in group), "")
