"""Judges what stands behind a program's options."""

import posixpath
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from intendant.shell.languages import explain_awk, explain_printf, explain_sed, explain_test
from intendant.shell.options import Parsed
from intendant.shell.places import explain_read, explain_write
from intendant.shell.rules import Rule
from intendant.shell.syntax import Word
from intendant.shell.verdicts import Finding


def judge_operands(rule: Rule, parsed: Parsed, loops: AbstractSet[str]) -> list[Finding]:
    """What the operands and the values of options say; ``loops``: variables that go through files which may be read."""
    found = _judge_forms(rule, parsed)
    if rule.writes:
        values = [word.text for word in parsed.operands] + [value for _, _, value in parsed.texts]
        targets = [text.partition("=")[2] or text for text in values]
        found += [Finding("destructive", why) for text in targets if (why := explain_write(text))]
    if rule.kind != "read":
        return found
    found += _judge_number(rule, parsed)
    files = list(parsed.files)
    skipped = 1 if rule.leading and not set(parsed.given) & set(rule.leading_unless) else 0
    if rule.operands == "files":
        files += [word for word in parsed.operands[skipped:] if word.text != "-" or not word.literal]
    found += [Finding("unknown", why) for word in files if (why := explain_read(word, loops))]
    for first in parsed.operands[:skipped]:
        if first.free or (first.many and not rule.dynamic):
            found.append(Finding("unknown", f"'{first.raw}' may become several words"))
    if rule.literal:
        words = [*parsed.operands, *(word for _, word, _ in parsed.texts)]
        why = f"is only known when it runs, and {parsed.name} sends it elsewhere"
        found += [Finding("unknown", f"what '{word.raw}' becomes {why}") for word in words if not word.literal]
    if rule.check:
        found += [Finding("unknown", why) for why in [CHECKS[rule.check](parsed)] if why]
    return found


def _judge_forms(rule: Rule, parsed: Parsed) -> list[Finding]:
    operands = [(word.text, word) for word in parsed.operands]
    everything = [*operands, *((value, word) for _, word, value in parsed.texts)]
    found = []
    for patterns, texts in ((rule.forbid, operands), (rule.forbid_values, everything)):
        for pattern, forbidden in patterns.items():
            found += [Finding(forbidden.kind, f"'{text}' of {parsed.name} {forbidden.why}")
                      for text, _ in texts if re.search(pattern, text)]  # fmt: skip
        if rule.kind == "read" and patterns:
            found += [Finding("unknown", f"what '{word.raw}' becomes is only known when it runs")
                      for _, word in texts if not word.literal]  # fmt: skip
    if rule.needs and not set(parsed.given) & set(rule.needs.options):
        found.append(Finding(rule.needs.kind, f"'{parsed.name}' {rule.needs.why}"))
    return found


def _judge_number(rule: Rule, parsed: Parsed) -> list[Finding]:
    count = len(parsed.operands)
    most = 0 if rule.operands == "none" else rule.max
    if count < rule.min:
        return [
            Finding("unknown", f"'{parsed.name}' without {'more ' if count else ''}operands is not known to only read")
        ]
    if most is not None and count > most:
        if rule.extra:
            return [Finding(rule.extra.kind, f"'{parsed.name} {parsed.operands[most].raw}' {rule.extra.why}")]
        return [
            Finding("unknown", f"'{parsed.operands[most].raw}' is one operand too many for {parsed.name} to only read")
        ]
    if most is not None and any(word.many for word in parsed.operands):
        return [Finding("unknown", f"'{parsed.name}' takes few operands, and a pattern here may become many")]
    return []


def _script_of(parsed: Parsed, options: tuple[str, ...]) -> list[Word] | None:
    """The words that hold a program text; None when one is not known beforehand."""
    words = [word for name, word, _ in parsed.texts if name in options] or parsed.operands[:1]
    return None if any(not word.literal for word in words) else words


def _check_sed(parsed: Parsed) -> str:
    if _script_of(parsed, ("-e", "--expression")) is None:
        return "what sed does is only known when it runs"
    given = [value for name, _, value in parsed.texts if name in ("-e", "--expression")]
    # GNU joins the parts of a script by line ends.
    return explain_sed("\n".join(given or [word.text for word in parsed.operands[:1]]))


def _check_awk(parsed: Parsed) -> str:
    if _script_of(parsed, ()) is None:
        return "what awk does is only known when it runs"
    return next((problem for word in parsed.operands[:1] if (problem := explain_awk(word.text))), "")


def _check_test(parsed: Parsed) -> str:
    words = [(word.text, word.literal, word.many) for word in parsed.operands]
    if parsed.name in ("[", "[["):
        if not words or words[-1][0] != parsed.name.replace("[", "]"):
            return f"'{parsed.name}' is not closed"
        words = words[:-1]
    return explain_test(words, double=parsed.name == "[[")


def _check_printf(parsed: Parsed) -> str:
    return explain_printf([(word.text, word.literal) for word in parsed.operands])


def _check_cd(parsed: Parsed) -> str:
    for word in parsed.operands:
        if not word.literal or not re.match(r"~(/|$)|/", word.text) or ".." in word.text:
            return f"where 'cd {word.raw}' leads to is not certain"
        if re.fullmatch(r"/*|/(dev|proc|sys)(/.*)?", posixpath.normpath(re.sub("/+", "/", word.text))):
            return f"from '{word.text}', names without a '/' could lead to devices"
    return ""


def _check_counted(parsed: Parsed) -> str:
    numbers = [word for word in parsed.operands if word.text.isdigit() or not word.literal]
    return f"'{parsed.name}' with an interval and no count never ends" if len(numbers) == 1 else ""


def _check_batch(parsed: Parsed) -> str:
    return "" if "-b" in parsed.given else f"'{parsed.name}' without -b is made for a person at a terminal"


CHECKS: Mapping[str, Callable[[Parsed], str]] = {
    "awk": _check_awk,
    "batch": _check_batch,
    "cd": _check_cd,
    "counted": _check_counted,
    "printf": _check_printf,
    "sed": _check_sed,
    "test": _check_test,
}
