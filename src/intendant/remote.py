"""How a command runs on a host, and what its outputs say afterwards. Pure: text in, text out.

The script is POSIX shell and leaves no file on the host. The command runs in a process group of its own with a time
limit, no input and a fixed environment; of each output the first and the last ``KEEP_BYTES`` come back. A random mark
at the start of both outputs cuts off what a login shell says; one at the end of standard error carries the exit code.
"""

import base64
import re
import shlex
from dataclasses import dataclass, field

KEEP_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16
_KILL_AFTER = 2
#: what the unit of a walled command may need beyond its own time.
_UNIT_SECONDS = 5
_GUARD = r"""held=$(readlink /proc/self/fd/6 /proc/self/fd/7)
  ( exec >/dev/null 3>&- 4>&- 5>&- 6>&- 7>&- </dev/null; holders "$held" ) & echo "watch $!" >&5"""
_WALL = (
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "NoNewPrivileges=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "CapabilityBoundingSet=~CAP_SYS_MODULE CAP_SYS_BOOT CAP_SYS_TIME CAP_SYS_RAWIO CAP_MKNOD",
    "KillMode=control-group",
    f"TimeoutStopSec={_KILL_AFTER}",
)
_ENVIRONMENT = ("LC_ALL=C.UTF-8", "PAGER=cat", "SYSTEMD_PAGER=cat", "GIT_PAGER=cat", "TERM=dumb")
# top makes a folder for its settings even where it only prints: not where there can be none.
_TOP = re.compile(r"\btop\W+-")
_NO_SETTINGS = "XDG_CONFIG_HOME=/dev/null"

# Descriptors: 3 and 4 are the real outputs, 5 is what the script says of itself, 6 and 7 are the command's outputs.
# They are set with exec in a subshell of their own: a shell that is to restore them keeps copies, which would hold the
# pipes open. Every program that is started costs a millisecond, and most outputs are short: dd tells whether an output
# may go on after its first bytes. `holders` ends what left the command's process group and keeps an output open;
# /proc/self/stat is how a subshell knows its own number, to spare the one between the two pipes. It is left out where
# nothing runs in the background; who else keeps an output open is given up after the command's time.
_SCRIPT = r"""
printf '%s\n' {mark}; printf '%s\n' {mark} >&2
unset BASH_ENV ENV; export {environment}
command={command}
now() {{ read -r now _ </proc/uptime && now=${{now%.*}} || now=$(date +%s); }}
start() {{ exec 1>&7 2>&6 3>&- 4>&- 5>&- 6>&- 7>&- </dev/null; {run} }}
run() {{
  exec 2>/dev/null 6>&1 7>&8 8>&-
  now; since=$now
  start & group=$!
  wait $group; code=$?
  now; echo "code $code seconds $((now - since))" >&5
  kill -KILL -$group
  {guard}
}}
holders() {{
  trap 'kill $nap; exit' TERM
  sleep 1 & nap=$!; wait $nap
  for process in /proc/[0-9]*; do
    [ "$process" = "/proc/$between" ] && continue
    ls -l "$process/fd" 2>/dev/null | grep '^l-w' | grep -qF "$1" && kill -KILL "${{process#/proc/}}"
  done
}}
limit() {{
  case $(dd bs={block} count={blocks} iflag=fullblock 2>&1 >&$2) in {blocks}+0*) ;; *) echo "$1 0"; return; esac
  {{ tee /dev/fd/9 | tail -c {keep} >&$2; }} 9>&1 | echo "$1 $(wc -c)"
}}
main() {{
  {checks}
  exec 3>&1 4>&2
  told=$(
    exec 5>&1
    (
      exec 8>&1; read -r between _ </proc/self/stat
      ( run ) | ( exec >&5 8>&-; limit stderr 4 )
    ) | ( exec >&5; limit stdout 3 )
  )
  said=$told; set -- $told
  while [ $# -gt 1 ]; do
    [ "$1" = watch ] && kill "$2" 2>/dev/null
    shift 2
  done
  finish $said
}}
finish() {{ printf '\n%s %s\n' {mark} "$*" >&2; }}
main; exit 0
"""


@dataclass(frozen=True)
class Order:
    """What one host is to do. ``seconds`` limits the command; ``wall`` asks for a unit that can write to no disk."""

    command: str
    mark: str
    seconds: int
    bash: bool = False
    wall: bool = False


@dataclass(frozen=True)
class Stream:
    """One output: its bytes, and how many are missing between the first and the last ``KEEP_BYTES``."""

    data: bytes = b""
    missing: int = 0

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """What stands before and after the missing bytes; the second is empty when none are."""
        return (self.data[:KEEP_BYTES], self.data[KEEP_BYTES:]) if self.missing else (self.data, b"")


@dataclass(frozen=True)
class Outcome:
    """What a host did. ``wall``: it stood.

    Where the command did not run, or its end is not known, ``problem`` says why; where it did not run because the wall
    does not stand, ``no_wall`` does.
    """

    code: int | None = None
    stdout: Stream = field(default_factory=Stream)
    stderr: Stream = field(default_factory=Stream)
    timed_out: bool = False
    wall: bool = False
    no_wall: str = ""
    problem: str = ""


def build_script(order: Order) -> str:
    """The script for a host; it always exits with 0."""
    shell = "bash" if order.bash else "sh"
    limit = f"timeout -k {_KILL_AFTER} {order.seconds}"
    checks = [_check("timeout", "the host has no 'timeout' program (coreutils)")]
    if order.bash:
        checks.append(_check("bash", "the command needs bash, which the host does not have"))
    if order.wall:
        checks.append('[ "$(id -u)" = 0 ] || { finish nowall not root; return; }')
        checks.append(
            "[ -d /run/systemd/system ] && command -v systemd-run >/dev/null ||"
            " { finish nowall the host does not run systemd; return; }"
        )
        limit = f"timeout -k {_KILL_AFTER} {order.seconds + _UNIT_SECONDS} {_unit(order)}"
        shell = _walled(order, shell)
    return _SCRIPT.format(
        mark=order.mark,
        environment=" ".join(_environment(order)),
        command=shlex.quote(order.command),
        run=f'exec {limit} {shell} -c "$command";' if not order.wall else f"exec {limit} {shell};",
        keep=KEEP_BYTES,
        block=_BLOCK_BYTES,
        blocks=KEEP_BYTES // _BLOCK_BYTES,
        guard=_GUARD if "&" in order.command else ":",
        checks="\n  ".join(checks),
    )


def _check(program: str, words: str) -> str:
    return f"command -v {program} >/dev/null || {{ finish problem {shlex.quote(words)}; return; }}"


def _environment(order: Order) -> tuple[str, ...]:
    return (*_ENVIRONMENT, _NO_SETTINGS) if _TOP.search(order.command) else _ENVIRONMENT


def _unit(order: Order) -> str:
    properties = [*_WALL, f"RuntimeMaxSec={order.seconds}"]
    words = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit=intendant-{order.mark}"]
    words += [word for text in properties for word in ("-p", text)]
    words += [f"--setenv={text}" for text in _environment(order)]
    return shlex.join(words) + ' --setenv=HOME="$HOME" --setenv=USER="$USER" -p WorkingDirectory="$PWD"'


def _walled(order: Order, shell: str) -> str:
    # systemd expands "$" and "%" in arguments: none may be in them. It goes on without the wall where it may not mount:
    # so it is looked at, and the mark says that it stands. The shell in between turns a signal into an exit code.
    inner = f"""[ -w /etc ] && {{ echo '/etc can be written'; exit 226; }} >&2
printf '%s\\n' {order.mark} >&2
{shell} -c {shlex.quote(order.command)}
exit $?"""
    encoded = base64.b64encode(inner.encode()).decode()
    return shlex.join(["/bin/sh", "-c", f'eval "`echo {encoded} | base64 -d`"'])


def read_outcome(order: Order, stdout: bytes, stderr: bytes) -> Outcome:
    """What came back of ``build_script``'s script; terminals, which join both outputs, are understood too."""
    mark = order.mark.encode()
    if b"\r\n" in stdout and mark not in stderr:
        stdout, stderr = _split_terminal(stdout.replace(b"\r\n", b"\n"), mark)
    out, err = _after(stdout, mark), _after(stderr, mark)
    if err is None:
        said = (stderr + stdout).decode(errors="replace").strip()
        return Outcome(problem=said[-1000:] or "the login shell ran nothing and said nothing")
    err, found, tail = err.rpartition(b"\n" + mark + b" ")
    if not found:
        return Outcome(problem="the connection ended before the command did")
    words = tail.decode(errors="replace").strip()
    kind, _, reason = words.partition(" ")
    if kind in ("problem", "nowall"):
        return Outcome(problem=reason) if kind == "problem" else Outcome(no_wall=reason)
    numbers = {name: int(value) for name, value in re.findall(r"(\w+) (-?\d+)", words)}
    stood = False
    if order.wall:
        inner = err.partition(mark + b"\n")
        stood, err = bool(inner[1]), inner[2] if inner[1] else err
        if not stood:
            said = err.decode(errors="replace").strip()[-300:]
            return Outcome(no_wall=said or f"systemd-run ended with {numbers.get('code')}")
    code = numbers.get("code", -1)
    timed_out = numbers.get("seconds", 0) >= order.seconds and (code in (124, 137) or (order.wall and code != 0))
    return Outcome(
        code=None if timed_out else code,
        stdout=Stream(out or b"", max(0, numbers.get("stdout", 0) - KEEP_BYTES)),
        stderr=Stream(err, max(0, numbers.get("stderr", 0) - KEEP_BYTES)),
        timed_out=timed_out,
        wall=stood,
    )


def _after(output: bytes, mark: bytes) -> bytes | None:
    before, found, rest = output.partition(mark + b"\n")
    # The echo of the command line holds the mark as well, but never alone on its line.
    while found and before and not before.endswith(b"\n"):
        more, found, rest = rest.partition(mark + b"\n")
        before += found + more
    return rest if found else None


def _split_terminal(output: bytes, mark: bytes) -> tuple[bytes, bytes]:
    """The joined output as standard output, with the marks as standard error's."""
    start = mark + b"\n"
    body = _after(output, mark)
    if body is None:
        return output, b""
    body = body.removeprefix(start)
    shown, found, tail = body.rpartition(b"\n" + mark + b" ")
    return start + shown, start + found + tail if found else start
