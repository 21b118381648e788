"""Programs that run another program: finds what they run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from intendant.shell.options import parse_options
from intendant.shell.rules import Rule, Wrap
from intendant.shell.syntax import Assignment, Word
from intendant.shell.verdicts import Finding

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


@dataclass
class Unwrapped:
    """``commands``: the words of each command inside; ``texts``: what is read as shell text."""

    commands: list[tuple[Word, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def unwrap(name: str, rule: Rule, wrap: Wrap, words: Sequence[Word]) -> Unwrapped:
    """What a wrapper runs, given the words behind its name."""
    parsed = parse_options(name, rule, words, stops=not wrap.option)
    found = Unwrapped(findings=parsed.findings)
    if wrap.query and set(parsed.given) & set(wrap.query):
        return found
    if wrap.hides:
        found.findings.append(Finding("unknown", f"'{name}' {wrap.hides}"))
    found.texts.extend(value for option, _, value in parsed.texts if option in wrap.option)
    operands = parsed.operands[wrap.skip :]
    while operands and operands[0].text == "-":
        # As in "env - command".
        operands.pop(0)
    while wrap.assignments and operands and (named := _ASSIGNMENT.match(operands[0].raw)):
        found.assignments.append(Assignment(named[1], operands.pop(0)))
    if wrap.flag:
        # Without the flag the operand is a script's name, which says nothing.
        found.texts.extend(word.text for word in operands[:1] if wrap.flag in parsed.given)
    elif wrap.text:
        found.texts.append(" ".join(word.text for word in operands))
    elif operands and not wrap.option:
        found.commands.append(tuple(operands))
    elif not operands and not wrap.option and rule.bare != "read":
        found.findings.append(Finding("unknown", f"'{name}' does not say what it runs"))
    return found


def cut_between(name: str, wrap: Wrap, words: Sequence[Word]) -> tuple[list[Word], Unwrapped]:
    """The words without the commands that stand between an option and ``;`` or ``+``, and those commands."""
    rest: list[Word] = []
    found = Unwrapped()
    inside: list[Word] | None = None
    for word in words:
        if inside is None and word.literal and word.text in wrap.between:
            inside = []
            found.findings.append(Finding("unknown", f"'{word.text}' of {name} {wrap.hides}"))
        elif inside is None:
            rest.append(word)
        elif word.literal and word.text in (";", "+"):
            found.commands.append(tuple(inside))
            inside = None
        else:
            inside.append(word)
    if inside:
        found.commands.append(tuple(inside))
    return rest, found
