"""Decides whether a command line is a mere read. The one entrance to this package."""

from intendant.shell.judging import judge_text
from intendant.shell.portability import needs_bash
from intendant.shell.rules import Rules
from intendant.shell.verdicts import Verdict, worst_of


def classify(command: str, rules: Rules) -> Verdict:
    """The class of a command line as bash would run it. Runs nothing, and raises nothing whatever the text is."""
    script, findings, programs = judge_text(command, rules)
    bash = needs_bash(script)
    if worst := worst_of(findings):
        return Verdict(worst.kind, f"{worst.reason[:1].upper()}{worst.reason[1:]}.", bash)
    if not programs:
        return Verdict("unknown", "There is no command in it.", bash)
    return Verdict("read", f"It only reads: {', '.join(dict.fromkeys(programs))}.", bash)
