"""An edit of the project's inventory: what will be written, and what of it may be shown."""

import re
from collections import Counter
from difflib import SequenceMatcher

import yaml
from pydantic import BaseModel, ConfigDict

from intendant.errors import ProjectError
from intendant.intents import Step
from intendant.redaction import Redactor
from intendant.textfiles import FileChange

HIDDEN = "(not shown)"
#: variables whose values are shown whoever wrote them: they say how the host is reached
_SHOWN = frozenset({"ansible_host", "ansible_port", "ansible_user", "ansible_connection", "ansible_become"})
_ENTRY_NAME = r"""(?:"[\w.-]+"|'[\w.-]+'|[\w.][\w.-]*)"""
_ENTRY = re.compile(rf"(\s*(?:-\s+)?)({_ENTRY_NAME})\s*:(?:\s+(.*))?")
_BRACES = re.compile(rf"\s*(?:-\s+)*(?:{_ENTRY_NAME}\s*:\s+)?(?:[&!]\S*\s+)*[{{\[]\s*[^\s}}\]]")
_LONG = 4


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

    Variables of hosts are never shown, for they may hold secrets. So of what stays or goes only the names are, and what
    says how a host is reached; what comes is shown, and all of it is in the step's params, too.

    Raises:
        ProjectError: what comes cannot be told from what was there, since they share a line in braces.
    """
    before, after = change.before.split("\n"), change.after.split("\n")
    shown = _hide_values(after)
    start = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(before), len(after)) if start is None else start
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    is_yaml = change.path.suffix in (".yml", ".yaml")
    known, present = (_list_values(text) or Counter() for text in (change.before, change.after))
    stays = {value for value, count in known.items() if present[value] <= count}
    for kind, _, _, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for number in range(first, last) if kind in ("insert", "replace") else ():
            line = new[number]
            is_old = is_yaml and _holds(line, stays)
            if is_old and _BRACES.match(line):
                raise ProjectError(
                    f"{change.path}: a line in braces holds other entries too, which would have to be shown. Give each "
                    "entry lines of its own, or make the edit on a terminal: intendant hosts add, edit or remove."
                )
            if not is_old:  # else it was only laid out anew
                shown[start + number] = line
    redactor = Redactor()
    return redactor.redact("\n".join(_hide_values(before))), redactor.redact("\n".join(shown))


def _list_values(text: str) -> Counter[str] | None:
    """Every scalar of a YAML text that is hidden: no key of a mapping, nor what is shown. None where it is no YAML."""
    values: Counter[str] = Counter()
    is_key, name = False, ""
    try:
        for token in yaml.scan(text, yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken):
                if not is_key and name not in _SHOWN:
                    values[token.value] += 1
                is_key, name = False, token.value if is_key else ""
            elif isinstance(token, yaml.KeyToken):
                is_key, name = True, ""
    except (yaml.YAMLError, ValueError):
        return None
    return values


def _holds(line: str, values: set[str]) -> bool:
    """Whether one of the values, or a part of a long one, stands on the line, or may."""
    own = _list_values(line)
    parts = [part.strip() for value in values for part in value.split("\n") if len(part.strip()) >= _LONG]
    return own is None or bool(own.keys() & values) or any(part in line for part in parts)


def _hide_values(lines: list[str]) -> list[str]:
    shown, deeper_than = [], -1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if deeper_than >= 0 and (not line.strip() or indent > deeper_than):
            shown.append(f"{line[:indent]}{HIDDEN}" if line.strip() else line)  # the rest of a long value
            continue
        deeper_than = -1
        found = _ENTRY.fullmatch(line)
        value = ((found[3] if found else "") or "").strip()
        name = found[2].strip("\"'") if found else ""
        is_shown = bool(found) and (_says_nothing(value) or (name in _SHOWN and value[0] not in "|>"))
        if is_shown or not line.strip() or line.lstrip().startswith("#"):
            shown.append(line)
        elif found:
            shown.append(f"{found[1]}{found[2]}: {HIDDEN}")
            deeper_than = len(found[1])
        else:
            shown.append(f"{line[:indent]}{HIDDEN}")
    return shown


def _says_nothing(value: str) -> bool:
    return not value or value.startswith("#") or value in ("{}", "[]")
