"""Whether hostile strings have arrived on a host byte for byte."""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from intendant.plans import HostPlan
from intendant.redaction import Redactor
from lab.hosts import LabHost
from support.cases import Case, Pair, is_applied_together

_READER = r"""
import crypt, grp, json, os, sys

files = {}
for top in (b"/srv/hostile", b"/home", b"/srv/home"):
    for folder, _, names in os.walk(top):
        for path in (os.path.join(folder, name) for name in names):
            status, link = os.lstat(path), os.path.islink(path)
            files[path.hex()] = {
                "link": os.readlink(path).hex() if link else "",
                "content": "" if link else open(path, "rb").read().hex(),
                "mode": status.st_mode & 0o7777, "file_owner": status.st_uid, "file_group": status.st_gid,
            }
lines = open("/etc/passwd", "rb").read().splitlines()
hashes = dict(line.split(":")[:2] for line in open("/etc/shadow"))
fits = lambda name, word: crypt.crypt(bytes.fromhex(word).decode(), hashes[name]) == hashes[name]
print(json.dumps({
    "files": files,
    "users": {line.split(b":")[0].decode(): [part.hex() for part in line.split(b":")] for line in lines},
    "groups": {group.gr_name: group.gr_mem for group in grp.getgrall()},
    "passwords": [name for name, word in json.load(sys.stdin).items() if fits(name, word)],
}))
"""


class Arrivals:
    """What lies on the host, as bytes: files with content, link target, mode and owner; users, groups, passwords."""

    def __init__(self, read: dict[str, Any]) -> None:
        self._files = {bytes.fromhex(path): entry for path, entry in read["files"].items()}
        self._users = {name: [bytes.fromhex(part) for part in parts] for name, parts in read["users"].items()}
        self._groups: dict[str, list[str]] = read["groups"]
        self._passwords: list[str] = read["passwords"]

    def check(self, pair: Pair, case: Case, text: str, planned: HostPlan) -> None:
        """Assert that the string of an applied case is there byte for byte, and that its diff showed it."""
        param, name = pair.slot.param, str(case.params.get("user_name"))
        sent = case.params[param]
        path = str(PurePosixPath(case.params.get("file_path", "/")))
        file = self._files.get(path.encode(), {})
        match param:
            case "file_content":
                assert bytes.fromhex(file["content"]) == text.encode(), pair
                shown = "".join(change.after or "" for change in planned.changes)
                assert Redactor().redact(text) in shown, (pair, shown)
            case "file_source":
                assert bytes.fromhex(file["content"]) == upload_text(text).encode(), pair
            case "file_target":
                assert bytes.fromhex(file["link"]) == text.encode(), pair
            case "file_path":
                assert path.encode() in self._files, pair
            case "file_mode":
                assert file["mode"] == int(sent, 8), pair
            case "file_owner" | "file_group":
                assert file[param] == int(sent), pair
            case "user_comment" | "user_home" | "user_shell":
                place = {"user_comment": 4, "user_home": 5, "user_shell": 6}[param]
                assert self._users[name][place] == sent.encode(), pair
            case "user_groups":
                assert all(name in self._groups[group] for group in sent), pair
            case "user_password":
                assert name in self._passwords, pair
            case "user_authorized_keys":
                lines = bytes.fromhex(self._files[f"/home/{name}/.ssh/authorized_keys".encode()]["content"])
                [line] = [line for line in sent if line.endswith(f" {text}")]
                assert line.strip().encode() in lines.split(b"\n"), pair
            case _:
                raise AssertionError(f"{pair} was applied, and nobody knows how to look for it: {planned}")


def upload_text(name: str) -> str:
    """What is in the file that a test sends under this name."""
    return f"file {name}"


def make_shells(host: LabHost, cases: Iterable[Case]) -> None:
    """Programs under the names that a user's shell is to have: only what is there can be one."""
    names = [case.params["user_shell"] for case in cases if is_applied_together(case) and "user_shell" in case.params]
    script = (
        "import json, os, sys\nfor name in json.load(sys.stdin):\n os.makedirs(os.path.dirname(name), exist_ok=True)"
    )
    script += "\n os.path.exists(name) or os.symlink('/bin/sh', name)"
    host.run(f"python3 -c \"{script}\" <<'END'\n{json.dumps(names)}\nEND")


def read_arrivals(host: LabHost, passwords: dict[str, str]) -> Arrivals:
    """What is on the host (one with Python 3.11); ``passwords`` (by user) are tried."""
    words = json.dumps({name: text.encode().hex() for name, text in passwords.items()})
    host.run(f"cat > /root/reader.py <<'END'\n{_READER}\nEND")
    return Arrivals(json.loads(host.run(f"python3 -W ignore /root/reader.py <<'END'\n{words}\nEND").stdout))
