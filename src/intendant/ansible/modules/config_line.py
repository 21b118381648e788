#!/usr/bin/python
"""Keep one line or one key of a text file, with the file's own diff in check mode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_line
short_description: One line, or one key with its value, in a text file
description:
  - Changes one line and leaves every other byte as it is, line breaks, permissions and owner included.
  - Comments are never changed. A new key is written below the last comment that names it, else at the end.
  - More than one line that could be meant is refused. O(state=absent) deletes all of them.
options:
  path:
    description: Absolute path of the file. A symbolic link is followed.
    type: str
    required: true
  line:
    description: The line, without a line break.
    type: str
  key:
    description: The key, instead of O(line).
    type: str
  value:
    description: The value of O(key).
    type: str
  separator:
    description: What is written between O(key) and O(value). White space around it does not matter for finding a key.
    type: str
    default: "="
  match:
    description: Regular expression that finds the line to replace or to delete, instead of the line or key itself.
    type: str
  after:
    description: Regular expression; a new line is written below the last line that it finds, if any.
    type: str
  state:
    description: Whether the line is there.
    type: str
    choices: [present, absent]
    default: present
  create:
    description: Whether a missing file is created, and one that gets empty by V(absent) deleted.
    type: bool
    default: false
  expected:
    description: The caller knows that an earlier step of the same run may bring the file.
    type: bool
    default: false
  assumed:
    description: What earlier steps of the same run are predicted to leave in the file. Check mode goes on from it.
    type: str
  validate:
    description:
      - Arguments of a command that accepts or refuses a copy of the new file, named by C(%s). In check mode only those
        run that are known to change nothing; for others check mode reports a RV(blind_spot).
    type: list
    elements: str
  sensitive:
    description: Keep the file's content out of the diff. A new file is then readable by its owner only.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Keep more of the journal
  ansible.legacy.config_line:
    path: /etc/systemd/journald.conf
    key: SystemMaxUse
    value: 2G
"""

RETURN = r"""
file: {description: Path of the file, links followed., type: str, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import os
import re
import stat
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

LIMIT = 1_000_000
# What a caller gives is not run before a plan is approved, except for these. None of them can be made to write, or to
# run something, by what is in the file: nginx -t, for instance, would load modules.
KNOWN_VALIDATORS = {
    ("visudo", "-cf", "%s"), ("visudo", "-c", "-f", "%s"), ("sshd", "-t", "-f", "%s"), ("findmnt", "--verify",
    "--tab-file", "%s"), ("named-checkconf", "%s"), ("python3", "-m", "json.tool", "%s"),
}  # fmt: skip


class Refused(ValueError):
    """The edit is not safe; the message says why."""


class Wanted:
    """One line as it was asked for, and how to find it."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.absent, key, separator = params["state"] == "absent", params["key"], params["separator"]
        self.value = params["value"] if key is not None else None
        self.line: str | None = params["line"]
        self.prefix, self.comment = "", re.compile(r"(?!)")
        if key is not None:
            self.prefix = f"{key}{separator}"
            between = rf"\s*{re.escape(separator.strip())}\s*" if separator.strip() else r"(?:\s+|$)"
            self.own = re.compile(rf"(\s*){re.escape(key)}{between}(.*)")
            self.comment = re.compile(rf"\s*(?:[#;]|//)[#;\s]*{re.escape(key)}{between}")
            self.line = f"{self.prefix}{self.value}" if self.value is not None else None
        self.match, self.after = (compile_pattern(name, params[name]) for name in ("match", "after"))

    def is_done(self, line: str) -> bool:
        """Tell whether a line says what was asked for."""
        if self.value is not None and self.match is None:
            found = self.own.fullmatch(line)
            return found is not None and found[2].strip() == self.value
        return line == self.line

    def is_meant(self, line: str) -> bool:
        """Tell whether a line is the one to replace or to delete."""
        if self.match is not None:
            return self.match.search(line) is not None
        if self.prefix:
            return self.own.fullmatch(line) is not None
        return line == self.line


def compile_pattern(name: str, pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern is not None else None
    except re.error as error:
        raise Refused(f"{name} is no regular expression: {error}") from error


def edit(text: str, wanted: Wanted) -> str:
    """Return the text with the line, or without it. Raises Refused when several lines could be meant."""
    # Not splitlines: a form feed and the like end no line of a configuration.
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    bare = [line.removesuffix("\n").removesuffix("\r") for line in lines]
    meant = [number for number, line in enumerate(bare) if wanted.is_meant(line)]
    if wanted.absent:
        return "".join(line for number, line in enumerate(lines) if number not in meant)
    assert wanted.line is not None
    if wanted.line in bare and (wanted.match or not wanted.prefix):
        return text
    if len(meant) > 1:
        numbers = ", ".join(str(number + 1) for number in meant)
        raise Refused(f"lines {numbers} could all be meant; say by match which one")
    if meant:
        at = meant[0]
        if wanted.is_done(bare[at]):
            return text
        indent = bare[at][: len(bare[at]) - len(bare[at].lstrip())] if wanted.prefix else ""
        lines[at] = indent + wanted.line + lines[at][len(bare[at]) :]
        return "".join(lines)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    places = [number for number, line in enumerate(bare) if (wanted.after or wanted.comment).search(line)]
    at = places[-1] + 1 if places else len(lines)
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += ending
    lines.insert(at, wanted.line + ending)
    return "".join(lines)


def read(module: AnsibleModule, path: str) -> str | None:
    """Return the text of the file, None if there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT:
        module.fail_json(msg=f"{path} is not a file of at most {LIMIT} bytes")
    with open(path, "rb") as file:
        content = file.read()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        module.fail_json(msg=f"{path} is not a text file in UTF-8")
    return text


def validate(module: AnsibleModule, copy: str) -> str | None:
    """Run the validator on a copy of the new file; returns what check mode could not see."""
    given = module.params["validate"]
    known = (os.path.basename(given[0]), *given[1:]) in KNOWN_VALIDATORS and given[0].count("/") == 0
    if module.check_mode and not known:
        return f"{' '.join(given)} was not run: check mode runs only validators that are known to change nothing"
    try:
        rc, out, err = module.run_command(
            [part.replace("%s", copy) for part in given],
            environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False,
        )  # fmt: skip
    except OSError as error:
        if module.check_mode and module.params["expected"]:
            return f"{given[0]} is not there yet, so the file was not validated"
        module.fail_json(msg=f"the file cannot be validated: {given[0]}: {error.strerror}")
    if rc != 0:
        said = "" if module.params["sensitive"] else f": {(err or out).replace(copy, 'it').strip()}"
        module.fail_json(msg=f"{given[0]} refuses the new file{said}")
    return None


def make_diff(path: str, before: str, after: str, sensitive: bool) -> dict[str, str]:
    if sensitive:
        before, after = "(sensitive)\n" if before else "", "(sensitive, changed)\n" if before != after else ""
    return {"before": before, "after": after, "before_header": path, "after_header": path}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "line": {"type": "str"},
            "key": {"type": "str", "no_log": False},
            "value": {"type": "str"},
            "separator": {"type": "str", "default": "="},
            "match": {"type": "str"},
            "after": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "create": {"type": "bool", "default": False},
            "expected": {"type": "bool", "default": False},
            "assumed": {"type": "str"},
            "validate": {"type": "list", "elements": "str"},
            "sensitive": {"type": "bool", "default": False},
        },
        mutually_exclusive=[["line", "key"]],
        required_one_of=[["line", "key", "match"]],
        supports_check_mode=True,
    )
    params = module.params
    if params["sensitive"]:
        module.no_log_values.update(params[name] for name in ("line", "value") if params[name])
    path = os.path.realpath(params["path"])
    if not params["path"].startswith("/") or re.match(r"/(proc|sys|dev)(/|\Z)", path):
        module.fail_json(msg=f"{params['path']!r} is not the absolute path of a configuration file")
    assumed = module.check_mode and params["assumed"] is not None
    try:
        wanted = Wanted(params)
        if wanted.line is None and not wanted.absent:
            raise Refused("what shall be there is missing: line, or key and value")
        if any("\n" in text or "\r" in text for text in (wanted.line, params["key"]) if text):
            raise Refused("one line cannot hold a line break")
        found = read(module, path)
        if assumed:
            found = params["assumed"]
        before = found or ""
        after = edit(before, wanted) if found is not None or not wanted.absent else ""
    except Refused as error:
        module.fail_json(msg=f"{params['path']}: {error}")
    gone = wanted.absent and params["create"] and found is not None and after == "" and before != ""
    result: dict[str, Any] = {"file": path, "changed": after != before}
    result["diff"] = make_diff(path, before, after, params["sensitive"])
    spots = []
    if found is None and not wanted.absent and not params["create"]:
        if not (module.check_mode and params["expected"]):
            module.fail_json(msg=f"there is no file {path}; create makes one")
        spots.append(f"{path} does not exist yet; an earlier step is assumed to bring it")
    if result["changed"] and not assumed and not spots and not os.path.isdir(os.path.dirname(path)):
        module.fail_json(msg=f"there is no folder {os.path.dirname(path)}")
    handle, beside = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(after)
    if params["validate"] and result["changed"] and not gone and (spot := validate(module, beside)):
        spots.append(spot)
    if spots and module.check_mode:
        result["blind_spot"] = "; ".join(spots)
    if result["changed"] and not module.check_mode:
        if gone:
            os.unlink(path)
        else:
            module.atomic_move(beside, path)
            if found is None:
                os.chmod(path, 0o600 if params["sensitive"] else 0o644)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
