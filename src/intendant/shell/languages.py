"""Reads the small languages that some programs take in an operand, as far as they can be read for certain.

Each function answers why the text could do more than read, or ''.
"""

import re

_AWK_FUNCTIONS = frozenset(
    "length substr index split sub gsub gensub match sprintf tolower toupper int sqrt log exp sin cos atan2 rand "
    "strftime systime mktime print printf if while for in and or not return strtonum asort asorti exit next".split()
)
_AWK_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"', re.S)
_AWK_REGEX = re.compile(r"/(?:[^/\\\n\[]|\\.|\[\^?\]?(?:[^\]\\\n/\"]|\\.)*\])+/")
_BEFORE_REGEX = re.compile(r"(^|[~({,;!\n]|&&|\|\|)\s*\Z")
#: words behind which a slash begins a pattern; and those whose ')' may have one behind it
_AMBIGUOUS = re.compile(r"\b(if|while|for|print|printf|in|return)\s*\Z")
_BRANCH = re.compile(r"\b(if|while|for)\b")
_BEFORE_DIVISION = re.compile(r"[A-Za-z0-9_\])]\s*\Z")


def explain_awk(program: str) -> str:
    """An awk program: no files written, no programs started, nothing loaded."""
    bare = _strip_awk(program)
    if bare is None:
        return "the awk program is too hard to read"
    if found := re.search(
        r"\b(system|getline|function|func|ARGV|ARGC|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|close|fflush)\b", bare
    ):
        return f"awk's {found.group()} can do more than read"
    if "@" in bare or "|" in bare.replace("||", ""):
        return "awk starts another program or loads code"
    for name in re.findall(r"([A-Za-z_][A-Za-z0-9_]*)\s*\(", bare):
        if name not in _AWK_FUNCTIONS:
            return f"awk's {name}() is not known"
    if any(re.search(r"\bprintf?\b[^;{}]*>", part) for part in re.split(r"[;{}]", bare)):
        return "awk writes a file with '>'"
    return ""


def _strip_awk(program: str) -> str | None:
    """The program without the insides of its strings, patterns and comments; None when a slash could be either."""
    out: list[str] = []
    at = 0
    while at < len(program):
        char = program[at]
        before = "".join(out[-40:])
        if char == '"':
            if not (found := _AWK_STRING.match(program, at)):
                return None
            out.append('""')
            at = found.end()
        elif char == "/":
            found = _AWK_REGEX.match(program, at)
            if _BEFORE_REGEX.search(before) and found:
                out.append('""')
                at = found.end()
            elif _BEFORE_DIVISION.search(before) and not _AMBIGUOUS.search(before) and not _BRANCH.search(program):
                out.append(char)
                at += 1
            else:
                return None
        elif char in "#\\":
            return None
        else:
            out.append(char)
            at += 1
    return "".join(out)


_SED_ADDRESS = re.compile(r"[0-9]+(~[0-9]+)?|\$|[+~][0-9]+")
_SED_PLAIN = frozenset("pPdDnNgGhHx=lqQz}")


def explain_sed(script: str) -> str:
    """A sed script: only commands that print, delete or replace in what sed shows."""
    at = 0
    while at < len(script):
        if script[at] in " \t\n;{":
            at += 1
            continue
        at = _sed_addresses(script, at)
        if at < 0 or at >= len(script):
            return "the sed script is too hard to read"
        command = script[at]
        if command == "{":
            at += 1
            continue
        if command in _SED_PLAIN:
            at += 1
        elif command in "sy":
            at = _sed_replace(script, at)
            if at < 0:
                return f"sed's '{command}' is used in a form that may run or write something"
        else:
            return f"sed's command '{command}' is not known to only read"
        if at < len(script) and not re.match(r"\s*([;}\n]|\Z)", script[at:]):
            return "the sed script is too hard to read"
    return ""


def _sed_addresses(script: str, at: int) -> int:
    for turn in range(2):
        if at < len(script) and script[at] == "/":
            at = _sed_pattern(script, at)
            if at < 0:
                return -1
            while at < len(script) and script[at] in "IM":
                at += 1
        elif found := _SED_ADDRESS.match(script, at):
            at = found.end()
        elif turn:
            return -1
        while at < len(script) and script[at] in " \t":
            at += 1
        if turn or at >= len(script) or script[at] != ",":
            break
        at += 1
    while at < len(script) and script[at] in " \t!":
        at += 1
    return at


def _sed_pattern(script: str, at: int) -> int:
    """The place behind a text between delimiters, of which ``at`` is the first; -1 when that is not certain."""
    delimiter = script[at]
    if delimiter.isalnum() or delimiter in "\\\n ;{}[]":
        return -1
    at += 1
    in_brackets = False
    while at < len(script):
        char = script[at]
        if char == "\\":
            at += 2
            continue
        if char == delimiter:
            # Programs differ on a delimiter in brackets.
            return -1 if in_brackets else at + 1
        if char == "\n" or script.startswith(("[]", "[^]"), at):
            return -1
        in_brackets = char == "[" or (in_brackets and char != "]")
        at += 1
    return -1


def _sed_replace(script: str, at: int) -> int:
    """The place behind ``s/…/…/flags`` or ``y/…/…/``; -1 when it does more than replace."""
    command, delimiter = script[at], script[at + 1 : at + 2]
    middle = _sed_pattern(script, at + 1) if delimiter else -1
    if middle < 0:
        return -1
    end = middle
    while end < len(script) and script[end] != delimiter:
        end += 2 if script[end] == "\\" else 1
    if end >= len(script):
        return -1
    end += 1
    while command == "s" and end < len(script) and script[end] in "gpiI0123456789":
        end += 1
    return end


_UNARY = frozenset("-b -c -d -e -f -g -h -k -L -n -p -r -s -S -u -w -x -z -O -G -t".split())
_BINARY = frozenset("= == != -eq -ne -gt -ge -lt -le -nt -ot -ef".split())
_NUMERIC = frozenset("-eq -ne -gt -ge -lt -le".split())


def explain_test(words: list[tuple[str, bool, bool]], *, double: bool) -> str:
    """The words between the brackets, each ``(text, literal, may become several)``; ``double``: of ``[[``."""
    if double:
        # Its operators bind as in a list; each part is a condition of its own.
        parts: list[list[tuple[str, bool, bool]]] = [[]]
        for word in words:
            if word[0] in ("&&", "||"):
                parts.append([])
            else:
                parts[-1].append(word)
        problems = [_explain_condition(part, double=True) for part in parts]
        return next((problem for problem in problems if problem), "")
    return _explain_condition(words, double=False)


def _explain_condition(words: list[tuple[str, bool, bool]], *, double: bool) -> str:
    if words and words[0][:2] == ("!", True) and len(words) > 1:
        words = words[1:]
    if any(many for _, _, many in words) and not double:
        return "an expansion without quotes could become an operator of the test"
    if len(words) < 2 and not (double and words and words[0][0].startswith("-")):
        return ""
    texts = [text for text, _, _ in words]
    if len(words) == 2 and words[0][1] and texts[0] in _UNARY:
        return ""
    if len(words) == 3 and words[1][1] and texts[1] in (_BINARY | {"=~", "<", ">"} if double else _BINARY):
        if double and texts[1] in _NUMERIC and not all(re.fullmatch(r"-?[0-9]+", texts[place]) and words[place][1]
                                                       for place in (0, 2)):  # fmt: skip
            return "[[ calculates, and could run what stands in a subscript"
        return ""
    return f"the test '{' '.join(texts)}' is not a form known to only read"


def explain_printf(words: list[tuple[str, bool]]) -> str:
    """The operands of printf, each ``(text, literal)``."""
    if words and (not words[0][1] or words[0][0].startswith("-")):
        return "the format of printf is only known when it runs"
    if words and re.search(r"%[^%A-Za-z(]*n", words[0][0]):
        return "'%n' of printf sets a variable"
    return ""
