"""Reads a command line into a script: our own reader, checked by a second one."""

import re

from intendant.shell.grouping import KEYWORDS, Grouped, group_tokens
from intendant.shell.lexing import Tokens, read_tokens
from intendant.shell.syntax import Command, Script
from intendant.shell.trees import Tree, read_tree

MAX_LENGTH = 10_000
#: characters that are invisible, that turn the direction of writing, or that look like a blank and are none
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def parse_script(text: str) -> Script:
    """What the text consists of; never raises. Whatever is not certain is among the problems."""
    if len(text) > MAX_LENGTH:
        return Script(problems=(f"it is longer than {MAX_LENGTH} characters",), differs=True)
    hidden = _HIDDEN.search(text)
    tokens = read_tokens(text)
    found = Grouped()
    if hidden:
        found.problems.insert(0, f"it holds the character U+{ord(hidden.group()):04X}, which cannot be seen")
    for level in tokens.levels:
        group_tokens(level, found)
    found.problems.extend(tokens.problems)
    # Lone surrogates have no UTF-8 form; they are a problem already, so any letter may stand for them.
    tree = read_tree(text.encode(errors="replace"))
    if doubt := _compare(text, tree, tokens, found):
        found.commands.extend(_commands_of(text.encode(errors="replace"), tree))
    return Script(
        commands=tuple(found.commands),
        loops=tuple(found.loops),
        defined=tuple(found.defined),
        problems=tuple(dict.fromkeys(found.problems)),
        doubt=doubt,
        differs=tokens.differs or found.differs or bool(found.problems or doubt) or not text.isascii(),
    )


def _compare(text: str, tree: Tree, tokens: Tokens, found: Grouped) -> str:
    """How the two readings differ, or ''."""
    if tree.strange:
        return "the syntax is wrong" if tree.strange == "an error" else f"it uses {tree.strange}"
    offsets = [0]
    for char in text:
        offsets.append(offsets[-1] + len(char.encode(errors="replace")))
    ours = {(offsets[token.start], offsets[token.end]) for level in tokens.levels for token in level
            if token.kind != "newline"}  # fmt: skip
    if ours == tree.tokens and {offsets[name] for name in found.names} == tree.names:
        return ""
    odd = min((start for start, _ in ours ^ tree.tokens), default=0)
    place = " ".join(text.encode(errors="replace")[odd : odd + 20].decode(errors="replace").split())
    return f"it can be read in two ways near '{place}'"


def _commands_of(data: bytes, tree: Tree) -> list[Command]:
    """The commands as the second reader sees them, in case that it is the one who is right."""
    commands = []
    for spans in tree.commands:
        found = Grouped()
        text = "\n".join(data[start:end].decode(errors="replace") for start, end in spans)
        words = [token for level in read_tokens(text).levels[:1] for token in level if token.kind == "word"]
        while words and words[0].text in KEYWORDS:
            words.pop(0)
        group_tokens(words, found)
        commands.extend(found.commands)
    return commands
