"""However commands are put together, the whole is as bad as its worst part."""

import re
import shlex

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from commands.labelled import Label, bash_accepts, rank, read_labels, rules
from intendant.shell.classifying import classify

#: commands that can stand inside of others: no comments, no here-documents, nothing left open
PARTS = [
    label
    for label in read_labels()
    if not re.search(r"[#\n\\]|<<|&$", label.command) and label.command.isprintable() and bash_accepts(label.command)
]
SIMPLE = re.compile(r"[A-Za-z/][\w./:=,+%@ -]*")
JOINTS = (
    "{a} | {b}",
    "{a} |& {b}",
    "{a}; {b}",
    "{a} && {b}",
    "{a} || {b}",
    "{a} & {b}",
    "{a}\n{b}",
    "{a} |\n {b}",
    "{a} &&\n\n{b}",
    "if {a}; then {b}; fi",
    "if ls; then {a}; else {b}; fi",
    "if ls; then id; elif {a}; then {b}; fi",
    "( {a} ); {b}",
    "{{ {a}; }} || {b}",
    "while {a}; do {b}; done",
    "until {a}; do {b}; done",
    "for i in 1 2; do {a}; {b}; done",
    "case x in y) {a};; *) {b};; esac",
    "f() {{ {a}; }}; {b}",
    "cat <({a}) <({b})",
    "cat <<EOF\n$({a})\nEOF\n{b}",
    "ls # {a}'\"\n{b}; {a}",
    "ls 'x;' \"y\" ; {a} ; {b}",
    "ls \\\n -l ; {a} ; {b}",
    "a=1 b=2 ls; {a}; {b}",
)
FRAMES = (
    "echo $({a})",
    'echo "$({a})"',
    'echo "x $(echo "$({a})") y"',
    "( {a} )",
    "{{ {a}; }}",
    "! {a}",
    "( ( {a} ) )",
    "echo ${{x:-$({a})}}",
    'ls "$(id)$({a})"',
    "LC_ALL=$({a}) ls",
    '[ -n "$({a})" ]',
    "[[ -n $({a}) ]]",
    "{a} >/dev/null",
    'ls > "$({a})"',
    'cat <<< "$({a})"',
    "for i in $({a}); do ls; done",
    "echo $(( $({a}) ))",
    "x=( $({a}) )",
    "\n\n{a}\n",
)
SHELLS = (
    "sh -c {q}",
    "bash -c {q}",
    "eval {q}",
    "sudo sh -c {q}",
    "su - -c {q}",
    "ssh web2 {q}",
    "watch {q}",
    "bash -lc {q}",
    "timeout 5 sh -c {q}",
    "find . -exec sh -c {q} \\;",
    "xargs sh -c {q}",
    "docker exec web sh -c {q}",
)
PREFIXES = (
    "sudo",
    "sudo -n",
    "sudo -u www-data",
    "env",
    "env -i",
    "nice -n 5",
    "timeout 5",
    "time",
    "nohup",
    "setsid",
    "stdbuf -oL",
    "ionice -c 3",
    "xargs",
    "xargs -r -n 1",
    "chroot /mnt",
    "busybox",
    "doas",
    "command",
    "LC_ALL=C",
    "2>/dev/null",
)

parts = st.sampled_from(PARTS)
simple_parts = st.sampled_from([label for label in PARTS if SIMPLE.fullmatch(label.command)])


@st.composite
def wholes(draw: st.DrawFn) -> tuple[str, str]:
    """A command line and the class of its worst part."""
    label = draw(parts)
    text, worst = label.command, label.kind
    if SIMPLE.fullmatch(text) and draw(st.booleans()):
        text = " ".join([*draw(st.lists(st.sampled_from(PREFIXES[:12]), max_size=3)), text])
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 3))
        if kind == 0:
            text = draw(st.sampled_from(FRAMES)).format(a=text)
        elif kind == 1:
            text = draw(st.sampled_from(SHELLS)).format(q=shlex.quote(text))
        else:
            other = draw(parts)
            a, b = (text, other.command) if draw(st.booleans()) else (other.command, text)
            joint = draw(st.sampled_from(JOINTS))
            # A comment ends with its line, and a here-document with the first line that is its word.
            assume("#" not in joint or "\n" not in a)
            assume("EOF" not in joint or "EOF" not in a)
            text = joint.format(a=a, b=b)
            worst = max(worst, other.kind, key=rank)
    return text, worst


@given(wholes())
@settings(max_examples=1200, deadline=None, derandomize=True)
def test_the_whole_is_as_bad_as_its_worst_part(whole: tuple[str, str]) -> None:
    text, worst = whole
    verdict = classify(text, rules())
    assert rank(verdict.kind) >= rank(worst), (text, worst, verdict)


@given(wholes())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_is_called_a_read_is_correct_bash(whole: tuple[str, str]) -> None:
    text, worst = whole
    assume(worst == "read")
    if classify(text, rules()).kind == "read":
        assert bash_accepts(text)


@given(simple_parts, st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_no_wrapper_lowers_a_class(label: Label, prefixes: list[str]) -> None:
    # Variables and redirections are the shell's own and can only come first.
    prefixes.sort(key=lambda prefix: not re.match(r"LC_|2>", prefix))
    text = " ".join([*prefixes, label.command])
    assert rank(classify(text, rules()).kind) >= rank(label.kind), text


def _escape(word: str) -> str:
    return "".join(f"\\{char}" for char in word)


def _hex(word: str) -> str:
    return "$'" + "".join(f"\\x{byte:02x}" for byte in word.encode()) + "'"


QUOTINGS = (
    lambda word: f"'{word}'",
    lambda word: f'"{word}"',
    _escape,
    _hex,
    lambda word: f"{word[:1]}''{word[1:]}",
    lambda word: f'{word[:1]}"{word[1:]}"',
    lambda word: f"{word[:2]}\\\n{word[2:]}",
    lambda word: "$'" + "".join(f"\\{ord(char):03o}" for char in word) + "'",
    lambda word: f'""{word}',
)


@given(simple_parts, st.data())
@settings(max_examples=600, deadline=None, derandomize=True)
def test_other_quotes_around_a_word_never_lower_a_class(label: Label, data: st.DataObject) -> None:
    words = label.command.split()
    place = data.draw(st.integers(0, len(words) - 1))
    # With quotes an assignment is none, but the name of a program.
    assume("=" not in words[place])
    words[place] = data.draw(st.sampled_from(QUOTINGS))(words[place])
    text = " ".join(words)
    verdict = classify(text, rules())
    assert rank(verdict.kind) >= rank(label.kind), (text, verdict)
    if "\\\n" not in text and place:
        assert verdict.kind == label.kind, (text, verdict)
