#!/usr/bin/python
"""Tell whether a host is to boot again, and why, in a way that check mode can predict. Does not reboot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reboot_needed
short_description: Whether a host needs a reboot, also after upgrades that are only planned
description:
  - Reports a change, with the same diff in both modes, when the host is to boot again. Another task does it.
  - A reboot is required when a package has asked for it in C(/run/reboot-required), when a newer kernel of the running
    one's flavour is installed, or when O(upgraded) names a kernel, microcode, the C library or D-Bus.
options:
  when:
    description: Whether to boot again in any case, or only if that is required. V(query) only returns RV(reasons).
    type: str
    choices: [now, if_required, query]
    default: if_required
  upgraded:
    description: Packages that earlier steps of the same run upgrade or install.
    type: list
    elements: str
    default: []
  known:
    description:
      - Reasons that were there before such steps. Given, they are taken for what is the case, so that a run decides as
        its prediction did. What turns up besides is a warning.
    type: list
    elements: str
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Look whether the host has to boot again
  ansible.legacy.reboot_needed:
    when: if_required
"""

RETURN = r"""
reasons: {description: Why a reboot is required; empty if it is not., type: list, returned: always}
"""

import glob
import os
import re

from ansible.module_utils.basic import AnsibleModule

FLAG = "/run/reboot-required"
KERNEL = re.compile(r"linux-image-.")
BASE = re.compile(r"(libc6|dbus|dbus-daemon|dbus-broker|(intel|amd64)-microcode)(:|\Z)")
FLAVOUR = re.compile(r"\d[0-9A-Za-z.+~]*(?:-\d+)?-(.*)\Z")


def split_version(version: str) -> list[tuple[int, str]]:
    """Return something to compare versions by: numbers as such, and text between them."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|[^\d.+~-]+", version)]


def find_newer_kernel(running: str, installed: list[str]) -> str | None:
    """Return the newest installed kernel of the running one's flavour, if it is not the running one."""
    flavour = FLAVOUR.match(running)
    if flavour is None or running not in installed:
        return None  # the host's kernel does not come from its packages
    same = [name for name in installed if (found := FLAVOUR.match(name)) and found[1] == flavour[1]]
    newest = max(same, key=split_version)
    return newest if newest != running else None


def find_upgraded(upgraded: list[str], contained: bool) -> list[str]:
    """Return the packages that take effect with a reboot only; a container does not run a kernel of its own."""
    return [name for name in upgraded if BASE.match(name) or (KERNEL.match(name) and not contained)]


def read_flag() -> list[str]:
    if not os.path.exists(FLAG):
        return []
    try:
        with open(f"{FLAG}.pkgs", encoding="utf-8", errors="replace") as file:
            names = sorted({line.strip() for line in file if line.strip()})
    except OSError:
        names = []
    return [f"{name} asks for it" for name in names] or [f"{FLAG} asks for it"]


def is_contained(module: AnsibleModule) -> bool:
    try:
        return bool(module.run_command(["systemd-detect-virt", "-q", "--container"], handle_exceptions=False)[0] == 0)
    except OSError:
        return False


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "when": {"type": "str", "choices": ["now", "if_required", "query"], "default": "if_required"},
            "upgraded": {"type": "list", "elements": "str", "default": []},
            "known": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    params = module.params
    contained = is_contained(module)
    found = read_flag()
    installed = [path.removeprefix("/boot/vmlinuz-") for path in glob.glob("/boot/vmlinuz-*")]
    newer = None if contained else find_newer_kernel(os.uname().release, installed)
    if newer:
        found.append(f"the kernel {newer} is newer than the running one")
    upgraded = [f"{name} is upgraded" for name in find_upgraded(params["upgraded"], contained)]
    # What such an upgrade does to the host is to be seen in a run only, and must not be in its diff.
    before = params["known"] if params["known"] is not None else [] if upgraded else found
    reasons = [*before, *upgraded]
    if params["when"] == "query":
        module.exit_json(changed=False, reasons=reasons)
    changed = params["when"] == "now" or bool(reasons)
    if not changed and found:
        module.warn(f"a reboot is required that was not foreseen ({', '.join(found)}); ask for it on its own")
    shown = "".join(f"  {reason}\n" for reason in reasons)
    after = f"boot: again\n{shown}" if changed else "boot: now\n"
    diff = {"before": "boot: now\n", "after": after, "before_header": "boot", "after_header": "boot"}
    module.exit_json(changed=changed, reasons=reasons, diff=diff)


if __name__ == "__main__":
    main()
