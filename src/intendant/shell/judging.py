"""Judges each command of a script by the rules."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from intendant.shell.operands import judge_operands
from intendant.shell.options import parse_options
from intendant.shell.parsing import parse_script
from intendant.shell.places import explain_read, explain_write
from intendant.shell.rules import Rule, Rules
from intendant.shell.syntax import Assignment, Command, Loop, Part, Redirection, Script, Word
from intendant.shell.verdicts import Finding, Kind
from intendant.shell.wrapping import Unwrapped, cut_between, unwrap

_MAX_WRAPS = 20
_PATH = re.compile(r"/(?:usr/)?s?bin/([^/]+)")
#: variables that change at most how things are written down, with the values that do no more than that
_VARIABLES = re.compile(
    r"(LC_[A-Z]+|LANG|COLUMNS|LINES|NO_COLOR|TERM)=[A-Za-z0-9_.,@-]*|TZ=[A-Za-z0-9_+-][A-Za-z0-9_+/-]*|TZ="
)
#: a loop may set any of these: nothing else looks at variables in lower case, but for those that name a proxy
_LOOP_NAME = re.compile(r"(?!.*proxy)[a-z_][a-z0-9_]*")


def judge_text(text: str, rules: Rules) -> tuple[Script, list[Finding], list[str]]:
    """The script, what keeps it from being a mere read, and the names of its programs."""
    judge = _Judge(rules)
    script = judge.judge_text(text, 0)
    return script, judge.findings, judge.programs


def _is_plain(word: Word) -> bool:
    """Whether it stays one word with the same meaning where its value is used without quotes."""
    pattern = r"[\w./:@%+=,~-]+" if word.literal else r"[\w./:@%+=,~*?\[\]-]+"
    return ".." not in word.text and re.fullmatch(pattern, word.text) is not None


class _Judge:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.findings: list[Finding] = []
        self.programs: list[str] = []

    def judge_text(self, text: str, depth: int) -> Script:
        script = parse_script(text)
        self.findings.extend(Finding("unknown", problem) for problem in script.problems)
        for name in script.defined:
            if re.search(rf"{re.escape(name)}\s*[|&]+\s*{re.escape(name)}", text):
                self._find("destructive", f"the function '{name}' starts itself again and again")
        loops = self._check_loops(script.loops)
        for command in script.commands:
            self._command(command, loops, depth)
        if script.doubt:
            self._find("unknown", script.doubt)
        return script

    def _find(self, kind: Kind, reason: str) -> None:
        self.findings.append(Finding(kind, reason))

    def _check_loops(self, loops: Iterable[Loop]) -> set[str]:
        """The variables whose values are files that may be read."""
        checked: dict[str, bool] = {}
        for loop in loops:
            if not _LOOP_NAME.fullmatch(loop.name):
                self._find("unknown", f"the loop sets '{loop.name}', which may change what programs do")
            fine = all(
                word.dynamic <= {Part.GLOB} and _is_plain(word) and not explain_read(word, set()) for word in loop.words
            )
            checked[loop.name] = checked.get(loop.name, True) and fine
        return {name for name, fine in checked.items() if fine}

    def _command(self, command: Command, loops: AbstractSet[str], depth: int) -> None:
        for redirection in command.redirections:
            self._redirection(redirection, loops)
        self._assignments(command.assignments)
        if command.words:
            self._words(command.words, loops, depth)
        elif command.assignments:
            self._find("unknown", f"setting '{command.assignments[0].name}' may change what later commands do")

    def _assignments(self, assignments: Iterable[Assignment]) -> None:
        for assignment in assignments:
            value = assignment.value
            if not value.literal or not _VARIABLES.fullmatch(value.text):
                self._find("unknown", f"the variable in '{value.raw}' may change what programs do")

    def _redirection(self, redirection: Redirection, loops: AbstractSet[str]) -> None:
        operator, target = redirection.operator, redirection.target
        if operator in ("<<<", "<<", "<<-"):
            return
        if operator in ("<&", ">&") and re.fullmatch(r"[0-9]+-?|-", target.raw):
            return
        if operator == "<":
            if target.many:
                self._find("unknown", f"which file '< {target.raw}' reads is only known when it runs")
            elif problem := explain_read(target, loops):
                self._find("unknown", problem)
            return
        if problem := explain_write(target.text):
            self._find("destructive", problem)
        elif not (target.literal and target.text == "/dev/null" and operator in (">", ">>", ">|", "&>", "&>>", ">&")):
            self._find("change", f"'{operator} {target.raw}' writes a file")

    def _words(self, words: Sequence[Word], loops: AbstractSet[str], depth: int) -> None:
        if depth > _MAX_WRAPS:
            return self._find("unknown", "programs that run programs are nested too deep")
        first = words[0]
        if not first.literal:
            return self._find("unknown", f"which program '{first.raw}' is, is only known when it runs")
        name = first.text
        if "/" in name:
            found = _PATH.fullmatch(name)
            if found is None:
                self._find("unknown", f"'{name}' is no program of the system")
            name = found[1] if found else name.rpartition("/")[2]
        rule, rest = self.rules.find(name), words[1:]
        if len(rest) == 1 and rest[0].literal and rest[0].text in self.rules.versions.get(name, ()):
            self.programs.append(name)
        elif rule is not None:
            self.programs.append(name)
            self._rule(name, rule, rest, loops, depth)
        elif name in self.rules.versions:
            self._find("unknown", f"'{name}' is known to only read when asked for its version")
        else:
            self._find("unknown", f"'{name}' is not among the programs that are known to only read")
        return None

    def _rule(self, name: str, rule: Rule, words: Sequence[Word], loops: AbstractSet[str], depth: int) -> None:
        while rule.subcommands:
            parsed = parse_options(name, rule, words, stops=True)
            self.findings.extend(parsed.findings)
            if not parsed.operands:
                if rule.bare != "read":
                    kind = rule.bare or "unknown"
                    self._find(kind, f"'{name}' without more words is not known to only read")
                return None
            word, words = parsed.operands[0], parsed.operands[1:]
            following = rule.find_subcommand(word.text) if word.literal else None
            if following is None:
                other = rule.other
                self._find(other.kind if other else "unknown", f"'{name} {word.raw}' " + (
                    other.why if other else "is not among the commands that are known to only read"))  # fmt: skip
                return None
            name, rule = f"{name} {word.text}", following
        if rule.wraps and rule.wraps.between:
            words, found = cut_between(name, rule.wraps, words)
            self._unwrapped(found, loops, depth)
        elif rule.wraps:
            self._kind(name, rule)
            return self._unwrapped(unwrap(name, rule, rule.wraps, words), loops, depth)
        self._kind(name, rule)
        parsed = parse_options(name, rule, words)
        self.findings.extend(parsed.findings)
        self.findings.extend(judge_operands(rule, parsed, loops))
        return None

    def _kind(self, name: str, rule: Rule) -> None:
        if rule.kind != "read":
            self._find(rule.kind, f"'{name}' {rule.why}")

    def _unwrapped(self, found: Unwrapped, loops: AbstractSet[str], depth: int) -> None:
        self.findings.extend(found.findings)
        self._assignments(found.assignments)
        for words in found.commands:
            self._words(words, loops, depth + 1)
        for text in found.texts:
            if depth >= _MAX_WRAPS:
                self._find("unknown", "programs that run programs are nested too deep")
            else:
                self.judge_text(text, depth + 1)
