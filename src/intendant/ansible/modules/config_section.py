#!/usr/bin/python
"""Keep one section of a file that is made of sections, such as one share of Samba's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_section
short_description: One [section] of a file, with a diff of that section alone
description:
  - Writes or removes one section; the others, and their order, stay as they are. A file without sections is deleted.
  - The diff shows that section and not the file, so that steps of one run that write different sections of a new file
    are predicted as they then happen.
options:
  file:
    description: Absolute path on the host. The file belongs to root and has mode 0644.
    type: str
    required: true
  section:
    description: Name of the section, without brackets. Small and capital letters are the same.
    type: str
    required: true
  lines:
    description: The lines of the section.
    type: list
    elements: str
    default: []
  state:
    description: Whether the section is there.
    type: str
    choices: [present, absent]
    default: present
  validate:
    description: Arguments of a command that accepts or refuses a copy of the new file, named by C(%s).
    type: list
    elements: str
    default: []
  validator_expected:
    description: An earlier step of the same run brings the program of O(validate), so that check mode may lack it.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Share a folder
  ansible.legacy.config_section:
    file: /etc/samba/shares.conf
    section: docs
    lines: [path = /srv/docs]
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode without the validator}
"""

import os
import re
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HEADER = re.compile(r"\s*\[(.+)\]\s*$")


def split_sections(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what is above the first section, and each section as its name and whole text."""
    head, sections = "", list[tuple[str, str]]()
    for line in text.splitlines(keepends=True):
        if found := HEADER.match(line):
            sections.append((found[1].strip(), line))
        elif sections:
            name, told = sections[-1]
            sections[-1] = (name, told + line)
        else:
            head += line
    return head, sections


def put_section(text: str, section: str, wanted: str) -> tuple[str, str]:
    """Return the section's text of before, and the whole text with the wanted one; an empty one removes it."""
    head, sections = split_sections(text)
    mine = [told for name, told in sections if name.lower() == section.lower()]
    before = "".join(mine)
    if not mine:
        gap = "\n" if text and not text.endswith("\n") and wanted else ""
        return "", text + gap + wanted
    written = False
    after = head
    for name, told in sections:
        if name.lower() != section.lower():
            after += told
        elif not written:
            after, written = after + wanted, True
    return before, after


def validate(module: AnsibleModule, text: str) -> str:
    """Hold the text against the validator. Returns a blind spot, or nothing."""
    argv: list[str] = module.params["validate"]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape") as handle:
        handle.write(text)
        handle.flush()
        argv = [part.replace("%s", handle.name) for part in argv]
        try:
            rc, out, err = module.run_command(
                argv, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
            )
        except OSError as error:
            if not module.check_mode:
                module.fail_json(msg=f"the file cannot be validated: {argv[0]}: {error.strerror}")
            return "" if module.params["validator_expected"] else f"{argv[0]} is not there yet to validate the file"
        if rc != 0:
            module.fail_json(msg=f"{argv[0]} refuses the file: {(err or out).replace(handle.name, 'it').strip()}")
    return ""


def write(path: str, text: str) -> None:
    """Replace the file in one move; without sections it goes."""
    if not text.strip():
        os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}.")
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "file": {"type": "str", "required": True},
            "section": {"type": "str", "required": True},
            "lines": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "validate": {"type": "list", "elements": "str", "default": []},
            "validator_expected": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    path, section = params["file"], params["section"]
    if not section.isprintable() or re.search(r"[\[\]]", section) or section.strip() != section or not section:
        module.fail_json(msg=f"{section!r} is not the name of a section")
    if any(not line.isprintable() or HEADER.match(line) for line in params["lines"]):
        module.fail_json(msg="lines must be single lines without control characters and none may be a section's head")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            text = handle.read()
    except FileNotFoundError:
        text = ""
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.strerror}")
    wanted = ""
    if params["state"] == "present":
        wanted = f"[{section}]\n" + "".join(f"  {line}\n" for line in params["lines"])
    before, after = put_section(text, section, wanted)
    header = f"[{section}] in {path}"
    diff = {"before": before, "after": wanted, "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": before != wanted, "diff": diff}
    if before != wanted and params["validate"] and after.strip():
        if spot := validate(module, after):
            result["blind_spot"] = spot
    if before != wanted and not module.check_mode:
        try:
            write(path, after)
        except OSError as error:
            module.fail_json(msg=f"{path} cannot be written: {error.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
