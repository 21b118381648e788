"""An edit of the project's inventory: what will be written, and what of it may be shown."""

import re
from collections import Counter
from difflib import SequenceMatcher

from pydantic import BaseModel, ConfigDict

from intendant.errors import ProjectError
from intendant.intents import Step
from intendant.redaction import Redactor
from intendant.textfiles import FileChange

HIDDEN = "(not shown)"
#: variables whose values are shown whoever wrote them: they say how the host is reached
_SHOWN = frozenset({"ansible_host", "ansible_port", "ansible_user", "ansible_connection", "ansible_become"})
_ENTRY_NAME = r"""(?:"[^"]*"|'[^']*'|[^\s#'"{\[&*!-][^:]*)"""
_ENTRY = re.compile(rf"(\s*(?:-\s+)?)({_ENTRY_NAME})\s*:(?:\s+(.*))?")
_BRACES = re.compile(rf"\s*(?:-\s+)*(?:{_ENTRY_NAME}\s*:\s+)?(?:[&!]\S*\s+)*[{{\[]\s*[^\s}}\]]")


class HostKey(BaseModel):
    """The key that a host presented when the edit was prepared.

    ``fingerprint`` is as ``ED25519 SHA256:…``, ``place`` says where it came from, ``is_new`` that this machine did not
    know it, so that a person has to compare it.
    """

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    place: str
    is_new: bool


class Edit(BaseModel):
    """What adding, editing or removing a host will write.

    ``step`` is what was asked for, ``groups`` are all groups that the host is in, before or after.
    """

    model_config = ConfigDict(frozen=True)

    step: Step
    groups: tuple[str, ...]
    files: tuple[FileChange, ...]
    key: HostKey | None = None
    is_own_machine: bool = False

    @property
    def host(self) -> str:
        """Its name in the inventory."""
        return str(self.step.params["name"])

    def say_to_confirm(self) -> str:
        """What a person has to compare before saying yes; empty where there is nothing."""
        parts = []
        if self.key is not None and self.key.is_new:
            kind = self.key.fingerprint.partition(" ")[0].lower()
            parts.append(
                f"{self.key.place} presents the key {self.key.fingerprint}, which is not known yet. Is it the key of "
                f"{self.host}? On its own console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"
            )
        elif self.key is not None:
            parts.append(f"{self.key.place} presents the key {self.key.fingerprint}, which this machine knows already.")
        if self.is_own_machine:
            parts.append(
                "This is the machine that Intendant runs on: plans for it can change Intendant's own settings."
            )
        return " ".join(parts)


def show_change(change: FileChange) -> tuple[str, str]:
    """Before and after as others than the file's owner may see them.

    Variables of hosts are never shown, for they may hold secrets. So of lines that stay or go only the names are, and
    what says how a host is reached; what comes is shown whole.

    Raises:
        ProjectError: what comes cannot be told from what was there, since they share a line in braces.
    """
    before, after = change.before.split("\n"), change.after.split("\n")
    shown = list(map(_hide_value, after))
    start = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(before), len(after)) if start is None else start
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    left = Counter(line.strip() for line in old)
    for kind, _, _, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for number in range(first, last) if kind in ("insert", "replace") else ():
            line = new[number]
            if left[line.strip()]:  # it was only laid out anew
                left[line.strip()] -= 1
            elif _BRACES.match(line):
                raise ProjectError(
                    f"{change.path}: a line in braces holds other entries too, which would have to be shown. Give each "
                    "entry lines of its own, or make the edit on a terminal: intendant hosts add, edit or remove."
                )
            else:
                shown[start + number] = line
    redactor = Redactor()
    return redactor.redact("\n".join(map(_hide_value, before))), redactor.redact("\n".join(shown))


def _hide_value(line: str) -> str:
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return line
    found = _ENTRY.fullmatch(line)
    if found is None:
        return f"{line[: len(line) - len(line.lstrip())]}{HIDDEN}"
    indent, name, value = found[1], found[2], (found[3] or "").strip()
    if not value or value.startswith("#") or value in ("{}", "[]") or name.strip("\"' ") in _SHOWN:
        return line
    return f"{indent}{name}: {HIDDEN}"
