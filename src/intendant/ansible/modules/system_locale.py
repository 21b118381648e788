#!/usr/bin/python
"""Generate locales and set the default one on Debian, predictable before the package locales is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_locale
short_description: Generated locales and the default one
description:
  - Adds locales to C(/etc/locale.gen) and generates them, and sets C(LANG) in C(/etc/default/locale).
  - Everything else in both files stays. C, POSIX and C.UTF-8 are always there and need no generating.
options:
  names:
    description: Locales, as in C(de_AT.UTF-8).
    type: list
    elements: str
    required: true
  lang:
    description: The locale that becomes C(LANG), or with V(absent) stops being it. Unset leaves it alone.
    type: str
  assumed_lang:
    description: What earlier steps of the same run are predicted to have set as C(LANG). Check mode takes it for that.
    type: str
  state:
    description: Whether O(names) are generated, or no longer.
    type: str
    choices: [present, absent]
    default: present
  fresh:
    description: The caller knows that an earlier step of the same run installs the package locales.
    type: bool
    default: false
  known:
    description: Locales that the package surely has. Others are a RV(blind_spot) in check mode with O(fresh).
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Speak Austrian German
  ansible.legacy.system_locale:
    names: [de_AT.UTF-8]
    lang: de_AT.UTF-8
"""

RETURN = r"""
lang: {description: The default locale afterwards., type: str, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import difflib
import os
import re
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

GEN, DEFAULT, SUPPORTED = "/etc/locale.gen", "/etc/default/locale", "/usr/share/i18n/SUPPORTED"
OWN_SUPPORTED = "/usr/local/share/i18n/SUPPORTED"
NAME = re.compile(r"(C|POSIX|[a-z]{2,3}(?:_[A-Z]{2})?)(?:\.([A-Za-z0-9-]+))?(?:@([A-Za-z0-9]+))?\Z")
ALWAYS = ("C", "POSIX", "C.UTF-8")


def normalize(name: str, charset: str = "") -> str:
    """Return one spelling for a locale, whether its name or its entry in a list says the character set."""
    found = NAME.match(name)
    if not found:
        return name
    kind = (found[2] or charset).lower().replace("-", "")
    return found[1] + (f".{kind}" if kind else "") + (f"@{found[3]}" if found[3] else "")


def read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []


def read_entries(lines: list[str]) -> dict[str, str]:
    """Return the entries of a list such as locale.gen that are no comments, by their normalized name."""
    entries = (line.split() for line in lines if re.match(r"\s*[A-Za-z]", line))
    return {normalize(*parts[:2]): " ".join(parts[:2]) for parts in entries if len(parts) >= 2}


def enable(lines: list[str], entry: str) -> list[str]:
    """Take an entry out of its comment, or append it."""
    for number, line in enumerate(lines):
        if line.lstrip("# ").split() == entry.split():
            return [*lines[:number], entry, *lines[number + 1 :]]
    return [*lines, entry]


def disable(lines: list[str], name: str) -> list[str]:
    return [f"# {line}" if name in read_entries([line]) else line for line in lines]


def read_lang(lines: list[str]) -> str:
    found = [match[1] for line in lines if (match := re.match(r"\s*LANG=(.*)", line))]
    return found[-1].strip().strip("'\"") if found else ""


def set_lang(lines: list[str], lang: str) -> list[str]:
    """Replace the line of LANG where it is; an empty one deletes it."""
    at = [number for number, line in enumerate(lines) if re.match(r"\s*LANG=", line)]
    kept = [line for number, line in enumerate(lines) if number not in at]
    return [
        *kept[: at[0] if at else len(kept)],
        *([f"LANG={lang}"] if lang else []),
        *kept[at[0] if at else len(kept) :],
    ]


def describe(names: list[str], generated: set[str], lang: str | None) -> str:
    """Render only what was asked for, so that the rest cannot differ between plan and run."""
    lines = [f"{name}: {'generated' if normalize(name) in generated else 'not generated'}" for name in names]
    return "".join(f"{line}\n" for line in [*lines, *([f"LANG: {lang or '(not set)'}"] if lang is not None else [])])


class Locales:
    """The locales of the host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.entries = read_entries(read_lines(GEN))
        self.offered = read_entries(read_lines(SUPPORTED) + read_lines(OWN_SUPPORTED))

    def run(self, *argv: str) -> str:
        rc, out, err = self.module.run_command(list(argv), environ_update={"LC_ALL": "C"}, expand_user_and_vars=False)
        if rc != 0:
            self.module.fail_json(msg=f"{argv[0]} failed: {(err or out).strip()}")
        return str(out)

    def read_generated(self) -> set[str]:
        """What is generated and stays so when the package is upgraded."""
        there = {normalize(name) for name in self.run("locale", "-a").split()}
        # An entry without a character set in its name is there with and without it.
        return {name for name in self.entries if name in there or name.replace(".utf8", "") in there}

    def write(self, path: str, lines: list[str]) -> None:
        path = os.path.realpath(path)
        created = not os.path.exists(path)
        handle, beside = tempfile.mkstemp(dir=self.module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(f"{line}\n" for line in lines))
        self.module.atomic_move(beside, path)
        if created:
            os.chmod(path, 0o644)

    def add(self, names: list[str]) -> None:
        lines = read_lines(GEN)
        for name in names:
            lines = enable(lines, self.offered[normalize(name)])
        self.write(GEN, lines)
        self.run("locale-gen", "--keep-existing")

    def remove(self, names: list[str]) -> None:
        lines = read_lines(GEN)
        listed = self.run("locale", "-a").split()
        for name in map(normalize, names):
            lines = disable(lines, name)
            # One whose entry names no character set is there under that name too.
            entry = self.entries.get(name, "").partition(" ")[0]
            for there in listed:
                if name == normalize(there) or entry == there:
                    self.run("localedef", "--delete-from-archive", there)
        self.write(GEN, lines)

    def check(self, names: list[str], fresh: bool, known: list[str]) -> str | None:
        """Refuse what the host does not know; returns what check mode could not see."""
        unknown = [name for name in names if normalize(name) not in self.offered]
        if not unknown:
            return None
        if fresh and self.module.check_mode:
            sure = {normalize(name, "UTF-8") for name in known}
            unsure = ", ".join(name for name in unknown if normalize(name) not in sure)
            return (
                f"the package locales is not there yet, so nobody can tell whether it has {unsure}" if unsure else None
            )
        near = difflib.get_close_matches(normalize(unknown[0]), self.offered, n=3, cutoff=0.6)
        shown = ", ".join(name.replace(".utf8", ".UTF-8") for name in near)
        self.module.fail_json(
            msg=f"this host knows no locale {unknown[0]}" + (f"; did you mean {shown}?" if near else "")
        )
        return None


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "lang": {"type": "str"},
            "assumed_lang": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "fresh": {"type": "bool", "default": False},
            "known": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    names = [name for name in dict.fromkeys(params["names"]) if name not in ALWAYS]
    lang, absent, fresh = params["lang"], params["state"] == "absent", params["fresh"]
    for name in [*names, lang or "C"]:
        if not NAME.match(name):
            module.fail_json(msg=f"{name!r} is not the name of a locale such as de_AT.UTF-8")
    locales = Locales(module)
    spot = None if absent else locales.check(names, fresh, params["known"])
    generated = set() if fresh else locales.read_generated()
    asked = {normalize(name) for name in names}
    had = read_lang(read_lines(DEFAULT))
    if module.check_mode and params["assumed_lang"] is not None:
        had = params["assumed_lang"]
    will = ("" if had == lang else had) if absent else lang
    before = describe(names, generated, None if lang is None else had)
    after = describe(names, generated - asked if absent else generated | asked, None if lang is None else will)
    result: dict[str, Any] = {"changed": before != after, "lang": had if lang is None else will}
    result["diff"] = {"before": before, "after": after, "before_header": "locales", "after_header": "locales"}
    if spot and module.check_mode:
        result["blind_spot"] = spot
    if result["changed"] and not module.check_mode:
        if absent and asked & generated:
            locales.remove(names)
        elif not absent and asked - generated:
            locales.add(names)
        if lang is not None and had != will:
            locales.write(DEFAULT, set_lang(read_lines(DEFAULT), will))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
