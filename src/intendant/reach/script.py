"""What is asked of a host in one login: its shell, Python, sudo, free space and clock. Pure.

The script only looks. It is read by /bin/sh from its input, so that no quoting of a login shell can spoil it.
"""

import re
import shlex
from dataclasses import dataclass

from intendant.reach.settings import HostSettings

_BEGIN, _END = "intendant-reach-begin", "intendant-reach-end"
_VALUE_CHARS = 300
# What a host says of itself gets into commands for people; nothing else than names may.
_SAFE_NAME = r"[A-Za-z0-9_][\w.@-]*\$?"
_SAFE_PATH = r"[\w./+ -]*"
_SCRIPT = r"""
reach() {
LC_ALL=C; export LC_ALL
echo @BEGIN@
echo "now=$(date +%s)"
echo "shell=$SHELL"
echo "id=$(id)"
test -r /etc/os-release && while read -r line; do
    case $line in ID=*|ID_LIKE=*) echo "system=$line";; esac
done </etc/os-release
newline='
'
version='import sys; print("%d.%d.%d" % sys.version_info[:3])'
@PYTHON@
@SUDO@
df -Pk / /tmp "$HOME" @TMP@
echo @END@
}
reach </dev/null 2>/dev/null
"""
_GIVEN_PYTHON = """\
echo python=@NAME@
said=$(@NAME@ -c "$version" 2>&1); echo "python_exit=$?"
echo "python_said=${said##*"$newline"}"
"""
_FOUND_PYTHON = """\
for name in @NAMES@; do
    command -v "$name" >/dev/null || continue
    echo "python=$(command -v "$name")"
    said=$("$name" -E -S -c "$version" 2>&1); echo "python_exit=$?"
    echo "python_said=${said##*"$newline"}"
    break
done
"""
_SUDO = """\
if test "$(id -un)" = @USER@; then echo sudo_exit=same
elif command -v @EXE@ >/dev/null; then
    said=$(@EXE@ @FLAGS@ -n -u @USER@ /bin/sh -c : 2>&1); echo "sudo_exit=$?"
    echo "sudo_said=${said##*"$newline"}"
else echo sudo_exit=missing
fi
"""


@dataclass(frozen=True)
class Space:
    """Room in the file system that holds ``place``, in KiB."""

    place: str
    total: int
    free: int


@dataclass(frozen=True)
class Report:
    """What the script printed. ``exit`` values are "" where there was none to see."""

    now: int | None
    shell: str
    user: str
    groups: tuple[str, ...]
    system: tuple[str, ...]
    python: str
    python_exit: str
    python_said: str
    sudo_exit: str
    sudo_said: str
    space: tuple[Space, ...]
    whole: bool


def write_script(settings: HostSettings, pythons: tuple[str, ...]) -> str:
    """The script for one host; ``pythons`` are looked for where its settings name none."""
    if settings.python.startswith("auto"):
        python = _fill(_FOUND_PYTHON, NAMES=shlex.join(settings.pythons or pythons))
    else:
        # Ansible puts the interpreter into its command line as it is: it may be `/usr/bin/env python3`.
        python = _fill(_GIVEN_PYTHON, NAME=shlex.join(shlex.split(settings.python)))
    sudo = ""
    if settings.sudo_by_script:
        sudo = _fill(
            _SUDO,
            EXE=shlex.quote(settings.become_exe or "sudo"),
            FLAGS=shlex.join(shlex.split(settings.become_flags)),
            USER=shlex.quote(settings.become_user or "root"),
        )
    place = shlex.quote(settings.remote_tmp) if settings.remote_tmp.startswith("/") else ""
    return _fill(_SCRIPT, BEGIN=_BEGIN, END=_END, PYTHON=python, SUDO=sudo, TMP=place)


def _fill(text: str, **values: str) -> str:
    """Each ``@NAME@`` once: what a value holds is not looked at again."""
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)


def read_report(printed: str) -> Report | None:
    """What the script printed, or None when it did not run; what a login shell prints before it is passed over."""
    _, begun, rest = printed.replace("\r\n", "\n").rpartition(f"{_BEGIN}\n")
    if not begun:
        return None
    body, _, _ = rest.partition(f"{_END}\n")
    values: dict[str, str] = {}
    spaces: dict[str, Space] = {}
    system: list[str] = []
    for line in body.splitlines():
        name, _, value = line.partition("=")
        if space := _read_space(line):
            spaces.setdefault(space.place, space)
        elif name == "system":
            system += value.partition("=")[2].strip("\"'").split()
        else:
            values.setdefault(name, value.strip()[:_VALUE_CHARS])
    now = values.get("now", "")
    names = dict(re.findall(r"(uid|groups)=(\S+)", values.get("id", "")))
    user, *_ = re.findall(rf"\(({_SAFE_NAME})\)", names.get("uid", "")) or [""]
    return Report(
        now=int(now) if now.isdigit() else None,
        shell=values.get("shell", ""),
        user=user,
        groups=tuple(re.findall(r"\((.*?)\)", names.get("groups", ""))),
        system=tuple(system),
        python=values.get("python", "") if re.fullmatch(_SAFE_PATH, values.get("python", "")) else "",
        python_exit=values.get("python_exit", ""),
        python_said=values.get("python_said", ""),
        sudo_exit=values.get("sudo_exit", ""),
        sudo_said=values.get("sudo_said", ""),
        space=tuple(spaces.values()),
        whole=_END in rest,
    )


def _read_space(line: str) -> Space | None:
    """A line of ``df -Pk``: device, blocks, used, available, per cent, mount point."""
    found = re.search(r"^\S.*\s(\d+)\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s+(/.*)$", line)
    return Space(found[3], int(found[1]), max(int(found[2]), 0)) if found else None
