"""How files are looked at on a host, and what its answers say. Pure: text in, values out.

The commands are POSIX shell for ``remote.build_script`` and change nothing. Their output is base64, so that it arrives
as it is over terminals too. A file is opened only when it looks like a regular one, and read only when the descriptor
that was opened is one, of a file system that keeps files: what is read cannot be exchanged in between.
"""

import base64
import binascii
import shlex
from dataclasses import dataclass
from typing import Literal, NamedTuple

from intendant.errors import InputError
from intendant.remote import Stream

#: most entries of a folder that are read on a host.
MOST_ENTRIES = 10_000
_PATH_BYTES = 4096
#: file systems (statfs(2), hexadecimal) whose files are the kernel's: reading one may block, consume or set off things.
_SYSTEM = {
    "9fa0": "proc",
    "62656572": "sysfs",
    "64626720": "debugfs",
    "74726163": "tracefs",
    "73636673": "securityfs",
    "27e0eb": "cgroup",
    "63677270": "cgroup2",
    "6165676c": "pstore",
    "62656570": "configfs",
    "de5e81e4": "efivarfs",
    "cafe4a11": "bpf",
    "42494e4d": "binfmt_misc",
    "19800202": "mqueue",
    "1cd1": "devpts",
    "f97cff8c": "selinux",
    "43415d53": "smackfs",
    "5a3c69f0": "apparmor",
    "67596969": "rpc_pipefs",
    "6e736673": "nsfs",
    "50494446": "pidfs",
    "65735543": "fusectl",
}
# %y and %z (modified, changed) are part of what tells one version of a file from another.
_OPENED = r"""path={path}
opened() {{
  [ -f /proc/self/fd/3 ] || {{ echo special; return; }}
  case $(stat -f -c %t /proc/self/fd/3) in {systems}) echo system; return;; "") return;; esac
  case $(readlink /proc/self/fd/3) in /proc/*|/sys/*|/dev/*) echo system; return;; esac
  stat -L -c 'file
%f %s %Y %u %g
%d %i %y %z
%U:%G' /proc/self/fd/3 && {body}
}}
{{
  if [ -d "$path" ]; then echo folder
  elif [ -e "$path" ] && [ ! -f "$path" ]; then echo special
  else opened 3<"$path"; fi
}} | base64"""
_ENTRY = r"%y\0%s\0%m\0%u\0%g\0%T@\0%f\0%l\0"
_FIELDS = 8
_LIST = r"""path={path}
{{
  if [ -d "$path" ]; then find -H "$path" -mindepth 1 -maxdepth 1 -printf '{entry}'
  else find "$path" -maxdepth 0 -printf '{entry}'; fi | head -z -n {most}
}} | base64"""
Kind = Literal["file", "folder", "special", "system"]


class Status(NamedTuple):
    """What a host says of a file. ``size`` is in bytes, ``modified`` in seconds since 1970.

    ``version`` differs when it is another file or was written to.
    """

    mode: str
    size: int
    modified: int
    owner: str
    group: str
    version: str


@dataclass(frozen=True)
class Reply:
    """What is at a path; ``status`` and ``data`` of a regular file only."""

    kind: Kind
    status: Status | None = None
    data: bytes = b""


class Entry(NamedTuple):
    """One entry of a folder; ``name`` and ``target`` are the host's bytes, ``kind`` is find's letter."""

    kind: str
    size: int
    mode: str
    owner: str
    group: str
    modified: int
    name: bytes
    target: bytes


def check_path(path: str) -> None:
    """Refuse what can be no path on a host.

    Raises:
        InputError: relative, too long, or with NUL, a line break or half a surrogate pair.
    """
    if not path.startswith("/"):
        raise InputError(f"path: {path[:80]!r} is not absolute. Give the whole path, such as /var/log/syslog.")
    if any(char in path for char in "\0\n\r") or any("\ud800" <= char <= "\udfff" for char in path):
        raise InputError("path: holds what no path may hold here (NUL, a line break, half a surrogate pair).")
    if len(path.encode()) > _PATH_BYTES:
        raise InputError(f"path: is longer than {_PATH_BYTES} bytes.")


def build_read(path: str, start: int, length: int) -> str:
    """The command that gives a file's status and ``length`` of its bytes from ``start`` on."""
    source = f"tail -c +{start + 1} <&3 | head -c {length}" if start else f"head -c {length} <&3"
    return _build_opened(path, source if length else ":")


def build_hash(path: str) -> str:
    """The command that gives a file's status and the SHA-256 of all of it."""
    return _build_opened(path, "sha256sum <&3")


def _build_opened(path: str, body: str) -> str:
    return _OPENED.format(path=shlex.quote(path), systems="|".join(_SYSTEM), body=body)


def build_list(path: str) -> str:
    """The command that lists a folder, or a single file, in the order of the file system."""
    return _LIST.format(path=shlex.quote(path), entry=_ENTRY, most=(MOST_ENTRIES + 1) * _FIELDS)


def read_reply(stdout: Stream) -> Reply | None:
    """What ``build_read`` or ``build_hash`` found; None where it could not be opened, as standard error says."""
    text = _decode(stdout)
    word, _, rest = text.partition(b"\n")
    if word in (b"folder", b"special", b"system"):
        return Reply(word.decode())  # type: ignore[arg-type]  # one of these words
    parts = rest.split(b"\n", 3)
    if word != b"file" or len(parts) != 4:
        return None
    numbers, version, names, data = parts
    try:
        raw_mode, size, modified, user, group = numbers.split()
        mode = f"{int(raw_mode, 16) & 0o7777:04o}"
        owner, owner_group = names.split(b":")
        status = Status(
            mode,
            int(size),
            int(modified),
            _name(owner, user),
            _name(owner_group, group),
            version.decode(errors="replace"),
        )
    except ValueError:
        return None
    return Reply("file", status, data)


def read_entries(stdout: Stream) -> tuple[list[Entry], bool]:
    """The entries by name, and whether the folder has more than these."""
    fields = _decode(stdout).split(b"\0")[:-1]
    entries = []
    for start in range(0, len(fields) - _FIELDS + 1, _FIELDS):
        kind, size, mode, user, group, modified, name, target = fields[start : start + _FIELDS]
        try:
            numbers = int(size), f"{int(mode, 8):04o}", int(modified.partition(b".")[0])
        except ValueError:
            break
        owner, its_group = (text.decode(errors="replace") for text in (user, group))
        entries.append(
            Entry(kind.decode(errors="replace"), numbers[0], numbers[1], owner, its_group, numbers[2], name, target)
        )
    cut = len(entries) > MOST_ENTRIES or bool(stdout.missing)
    return sorted(entries[:MOST_ENTRIES], key=lambda entry: entry.name), cut


def _decode(stdout: Stream) -> bytes:
    """What was sent; of a stream with a gap what comes before it."""
    text = b"".join(stdout.parts[0].split())
    try:
        return base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except binascii.Error:
        return b""


def _name(name: bytes, number: bytes) -> str:
    return (number if name in (b"UNKNOWN", b"") else name).decode(errors="replace")
