#!/usr/bin/python
"""Set the time zone of a host, predictable before the zones are installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: timezone
short_description: The time zone of the host
description:
  - Links C(/etc/localtime) to a zone of C(/usr/share/zoneinfo), and keeps C(/etc/timezone) equal where that is there.
  - Needs neither systemd nor D-Bus. An unknown zone is refused, in check mode too, with the names that come near.
options:
  name:
    description: Name of the zone, as in C(Europe/Vienna).
    type: str
    required: true
  fresh:
    description:
      - The caller knows that an earlier step of the same run installs the zones. What was set before then counts as
        nothing, in both modes; check mode cannot tell whether there is such a zone and says so by RV(blind_spot).
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Use Viennese time
  ansible.legacy.timezone:
    name: Europe/Vienna
"""

RETURN = r"""
before: {description: The zone before, type: str, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode without zones}
"""

import difflib
import os
import re

from ansible.module_utils.basic import AnsibleModule

LINK, NAME_FILE, ZONES = "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*\Z")
# Copies of all zones with other rules for leap seconds.
COPIES = ("posix", "right")


def read_link(link: str = LINK, zones: str = ZONES) -> str:
    """Return the zone that is set, and how it is set where that is not by a link to the zones."""
    if not os.path.lexists(link):
        return "(not set)"
    if not os.path.islink(link):
        return "(a file of its own)"
    target = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    return target[len(zones) + 1 :] if target.startswith(f"{zones}/") else target


def read_name() -> str | None:
    """Return what Debian's own file says, None where there is none."""
    try:
        with open(NAME_FILE, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def is_zone(name: str, zones: str = ZONES) -> bool:
    try:
        with open(f"{zones}/{name}", "rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False


def find_near(name: str, zones: str = ZONES) -> list[str]:
    """Return the zones that somebody may have meant; the name of a city is enough."""
    known = []
    for top, folders, files in os.walk(zones):
        folders[:] = [folder for folder in folders if folder not in COPIES]
        known += [os.path.relpath(os.path.join(top, file), zones) for file in files]
    known = sorted(zone for zone in known if NAME.match(zone) and is_zone(zone, zones))
    asked = name.lower().replace(" ", "_")
    same = [zone for zone in known if asked.rpartition("/")[2] == zone.lower().rpartition("/")[2]]
    lower = {zone.lower(): zone for zone in known}
    return same or [lower[near] for near in difflib.get_close_matches(asked, lower, n=3, cutoff=0.75)]


def describe(zone: str, name: str | None) -> str:
    """Render both files as one, unless they contradict each other."""
    return f"{zone}\n" + (f"{NAME_FILE} says {name}\n" if name not in (None, zone) else "")


def apply(module: AnsibleModule, name: str) -> None:
    beside = f"{LINK}.{os.getpid()}.new"
    os.symlink(f"{ZONES}/{name}", beside)
    os.replace(beside, LINK)
    module.set_default_selinux_context(LINK, False)
    if os.path.isfile(NAME_FILE):
        with open(NAME_FILE, "w", encoding="utf-8") as file:
            file.write(f"{name}\n")
    if os.path.isdir("/run/systemd/system"):
        # It remembers the zone while it runs, and comes back by itself when it is asked something.
        module.run_command(["systemctl", "stop", "systemd-timedated.service"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "fresh": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name, fresh = module.params["name"], module.params["fresh"]
    if not NAME.match(name):
        module.fail_json(msg=f"{name!r} is not the name of a time zone such as Europe/Vienna")
    before, after = describe(read_link(), read_name()), describe(name, name)
    if fresh:
        before = ""
    result = {"changed": before != after, "before": before.strip()}
    result["diff"] = {"before": before, "after": after, "before_header": "time zone", "after_header": "time zone"}
    if not is_zone(name):
        if fresh and module.check_mode:
            spot = f"the zones are not installed yet, so nobody can tell whether {name} is one of them"
            module.exit_json(**result, blind_spot=spot)
        near = ", ".join(find_near(name))
        hint = f"did you mean {near}?" if near else "on Debian 13, old names such as US/Eastern are in tzdata-legacy"
        module.fail_json(msg=f"this host knows no time zone {name}; {hint}")
    if result["changed"] and not module.check_mode:
        apply(module, name)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
