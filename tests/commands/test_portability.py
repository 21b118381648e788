"""When only bash may run a command."""

import pytest

from commands.labelled import rules
from intendant.shell.classifying import classify


@pytest.mark.parametrize(
    "text",
    [
        "[[ -f x ]]",
        "ls $'x'",
        'ls $"x"',
        "diff <(ls) <(ls)",
        "cat <<< x",
        "ls &> x",
        "ls &>> x",
        "ls |& cat",
        "ls {a,b}",
        "ls {1..3}",
        "a=(1 2)",
        "[ x == y ]",
        "test x == y",
        "function f { ls; }",
        "((x=1))",
        "echo $((1+2))",
        "echo ${x/a/b}",
        "echo ${x:0:1}",
        "echo ${!x}",
        "echo $RANDOM",
        "echo $HOSTNAME",
        "echo $UID",
        "select x in a; do ls; done",
        "coproc ls",
        "time ls",
        "source x",
        "let x=1",
        "echo -e 'a'",
        "echo 'a\\n'",
        'echo "$x"',
        "printf '%q' x",
        "printf '\\x41'",
        'printf "$x"',
        "ls [^a]*",
        "ls >&out",
        "ls 10>x",
        "ls é",
        "type ls",
        "declare x=1",
        "pushd /",
        "echo ~+",
        "cat <<E\nE",
        "[ -v x ]",
        "$x",
        "ls > >(cat)",
        "case x in a) ls;& b) id;; esac",
        "x+=1",
        "ls 'x",
        "for ((;;)); do ls; done",
        "@(a)",
        "read -p x",
        "command -v ls",
    ],
)
def test_what_a_posix_shell_may_read_otherwise_needs_bash(text: str) -> None:
    assert classify(text, rules()).needs_bash


@pytest.mark.parametrize(
    "text",
    [
        "ls -la /etc",
        "ls | grep x && id || true",
        "ls > /dev/null 2>&1",
        'for f in a b; do cat "$f"; done',
        "[ -f x ] && ls",
        "(ls; id)",
        "echo hello world",
        "echo -n x",
        "printf '%s\\n' a",
        "ls \"$HOME\" '$x' \\*",
        "ls *.c",
        "ls `id`",
        "if ls; then id; fi",
        "! ls",
        "LC_ALL=C sort x",
        "ls [!a]* ?",
        "rm -rf /",
        "ls $(id)",
        "{ ls; }",
        "ls; # x",
        "ls {} a{b",
        "cat < x >> y",
        "ls >&2",
        "ls ${x:-y} ${#x}",
    ],
)
def test_plain_commands_run_in_any_shell(text: str) -> None:
    assert not classify(text, rules()).needs_bash
