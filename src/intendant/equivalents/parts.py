"""Cuts a command line into the simple commands that run one after another. Only what is literal in every word."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from intendant.shell.grouping import KEYWORDS, REDIRECTIONS, Grouped, group_tokens
from intendant.shell.lexing import Token, read_tokens
from intendant.shell.options import parse_options
from intendant.shell.parsing import parse_script
from intendant.shell.rules import Rule
from intendant.shell.syntax import Command, Redirection, Word

#: where a home folder is put in for it
_TILDE = re.compile(r"~|.*[=:]~")
_PROGRAM = re.compile(r"(?:/(?:usr/)?s?bin/)?([A-Za-z0-9_.+-]+)")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
#: what may stand before an installer; the roles set it too
_HARMLESS = re.compile(r"DEBIAN_FRONTEND=noninteractive")
_SUDO = Rule(flags=("-n", "-H", "--non-interactive", "--set-home"))
_TEE = Rule(flags=("-a", "--append"))


@dataclass(frozen=True)
class Part:
    """One simple command that runs in its turn.

    ``program``: its bare name; one that only prints a text into a file is ``>`` or ``>>``, with the text and the
    path as ``words``. ``root``: it runs as root for certain.
    """

    program: str
    words: tuple[Word, ...]
    root: bool


def read_parts(text: str, *, root: bool = False) -> tuple[Part, ...] | None:
    """The parts of a line such as ``a && b; c``, or None when it holds anything else.

    Args:
        root: whether the line itself runs as root.
    """
    script = parse_script(text)
    levels = read_tokens(text).levels
    if script.problems or script.doubt or script.loops or script.defined or len(levels) != 1:
        return None
    pipelines = _split(levels[0], {";", "&&"})
    parts = [_read_pipeline(tokens, root=root) for tokens in pipelines]
    whole = tuple(part for part in parts if part is not None)
    return whole if whole and len(whole) == len(parts) else None


def _split(tokens: Iterable[Token], separators: set[str]) -> list[list[Token]]:
    """What stands between the separators and the ends of lines; nothing for what is empty."""
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "newline" or (token.kind == "operator" and token.text in separators):
            groups.append([])
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _read_pipeline(tokens: Sequence[Token], *, root: bool) -> Part | None:
    commands = [_read_command(group) for group in _split(tokens, {"|"})]
    if len(commands) == 1 and commands[0] is not None:
        return _read_single(commands[0], root=root)
    if len(commands) == 2 and commands[0] is not None and commands[1] is not None:
        return _read_tee(commands[0], commands[1], root=root)
    return None


def _read_command(tokens: Sequence[Token]) -> Command | None:
    """A simple command in which every word is literal, and no operator is left but redirections."""
    operators = {token.text for token in tokens if token.kind == "operator"}
    if not tokens or tokens[0].text in KEYWORDS or operators - REDIRECTIONS:
        return None
    found = Grouped()
    group_tokens(tokens, found)
    words = [token.word for token in tokens if token.kind == "word" and token.word]
    if len(found.commands) != 1 or found.problems or found.loops or not found.commands[0].words:
        return None
    command = found.commands[0]
    held = len(command.words) + len(command.assignments) + len(command.redirections)
    numbered = any(token.kind == "number" for token in tokens)
    if held != len(words) or not all(word.literal and not _TILDE.match(word.raw) for word in words):
        return None
    if numbered and not all(_is_discard(redirection) for redirection in command.redirections):
        return None
    return command


def _is_discard(redirection: Redirection) -> bool:
    """Whether it keeps output from being shown and does no more, as in ``>/dev/null 2>&1``."""
    operator, target = redirection.operator, redirection.target
    if operator == ">&" and target.text in ("1", "2"):
        return True
    return operator in (">", ">>", "&>", ">&") and target.text == "/dev/null"


def _read_single(command: Command, *, root: bool) -> Part | None:
    kept = [redirection for redirection in command.redirections if not _is_discard(redirection)]
    if kept:
        # What the shell writes, it writes without the rights of a sudo behind it.
        printed = _read_printed(command)
        if printed is None or len(command.redirections) != 1 or kept[0].operator not in (">", ">>"):
            return None
        return Part(kept[0].operator, (_as_word(printed), kept[0].target), root)
    words, rises = _take_sudo(command)
    if not words or (program := _PROGRAM.fullmatch(words[0].text)) is None:
        return None
    return Part(program[1], words[1:], root or rises)


def _read_tee(printing: Command, writing: Command, *, root: bool) -> Part | None:
    """As in ``echo TEXT | sudo tee FILE``."""
    printed = _read_printed(printing)
    words, rises = _take_sudo(writing)
    if printed is None or printing.redirections or not words or words[0].text != "tee":
        return None
    parsed = parse_options("tee", _TEE, words[1:])
    if parsed.findings or len(parsed.operands) != 1 or not all(map(_is_discard, writing.redirections)):
        return None
    return Part(">>" if parsed.given else ">", (_as_word(printed), parsed.operands[0]), root or rises)


def _take_sudo(command: Command) -> tuple[tuple[Word, ...], bool]:
    """The words without sudo and harmless assignments in front, and whether sudo was there; none if others are."""
    if not all(_HARMLESS.fullmatch(assignment.value.text) for assignment in command.assignments):
        return (), False
    words, rises = command.words, command.words[0].text == "sudo"
    if rises:
        # sudo's own options end at the first word that is none.
        parsed = parse_options("sudo", _SUDO, words[1:], stops=True)
        words = () if parsed.findings else tuple(parsed.operands)
    while words and rises and _ASSIGNMENT.match(words[0].text):
        if not _HARMLESS.fullmatch(words[0].text):
            return (), rises
        words = words[1:]
    return words, rises


def _read_printed(command: Command) -> str | None:
    """The text that a plain ``echo`` or ``printf '%s\\n'`` prints; None for anything that a shell may see otherwise."""
    # A sudo before it makes no difference to what it prints.
    name, *words = [word.text for word in _take_sudo(command)[0]] or [""]
    if name == "printf" and len(words) > 1 and words[0] == "%s\\n":
        return "".join(f"{word}\n" for word in words[1:])
    if name != "echo" or any("\\" in word for word in words):
        return None
    ending = "" if words[:1] == ["-n"] else "\n"
    words = words if ending else words[1:]
    if words and words[0].startswith("-"):
        return None
    return " ".join(words) + ending


def _as_word(text: str) -> Word:
    return Word(text, 0, 0, text, text)
