#!/usr/bin/python
"""Bring the packages of a Debian host up to date through apt-get, with a prediction for every package."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_upgrade
short_description: Upgrade all packages, or those with security updates, predicted one by one
description:
  - Needs nothing but C(apt-get), C(apt-cache), C(apt-mark) and C(dpkg) on the host.
  - Every package that is upgraded, installed or removed is a line of the diff, which is the same in both modes.
  - When the package lists are stale, check mode reads fresh ones into a temporary folder and leaves the host's alone.
options:
  scope:
    description:
      - Whether to upgrade every package (V(all)), or those for which a security archive has a newer version
        (V(security)). These are brought to the version that apt prefers.
      - An archive counts as one when its label is C(Debian-Security) or its suite or code name ends in C(-security).
    type: str
    choices: [all, security]
    default: all
  remove:
    description: Let an upgrade remove packages that stand in its way. Otherwise such upgrades are kept back.
    type: bool
    default: false
  cache_valid_time:
    description: Seconds after which the package lists count as stale.
    type: int
    default: 3600
  lock_timeout:
    description: Seconds to wait for another package manager to finish.
    type: int
    default: 300
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Install security updates
  ansible.legacy.apt_upgrade:
    scope: security
"""

RETURN = r"""
upgraded: {description: Packages that changed or would change., type: list, returned: always}
kept: {description: Packages that have a newer version and stay as they are., type: list, returned: always}
"""

import glob
import os
import re
import shutil
import sys
import tempfile
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

PLANNED = re.compile(r"^(Inst|Remv|Purg) (\S+)(?: \[([^\]]+)\])?(?: \((\S+))?", re.MULTILINE)
SOURCE = re.compile(r"^ +-?\d+ (\S.*)$")
VERSION = re.compile(r"^ (\*\*\*|   ) (\S+)(?: -?\d+)?(?: \(phased .*\))?$")
ENVIRONMENT = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "PAGER": "cat"}


def is_security(release: str) -> bool:
    """Tell from the fields of a release line whether it is an archive of security updates."""
    fields = dict(part.split("=", 1) for part in release.split(",") if "=" in part)
    return fields.get("l") == "Debian-Security" or any(fields.get(key, "").endswith("-security") for key in "an")


def find_security_sources(policy: str) -> set[str]:
    """Return the sources, as `apt-cache policy` names them, that hold security updates."""
    found, source = set(), ""
    for line in policy.splitlines():
        if match := SOURCE.match(line):
            source = match[1]
        elif line.strip().startswith("release ") and is_security(line.strip().removeprefix("release ")):
            found.add(source)
    return found


def find_security_updates(policies: str, sources: set[str]) -> list[str]:
    """Return the packages of `apt-cache policy NAMES` that such a source has in a version above the installed one."""
    found: list[str] = []
    name, newer = "", False
    for line in policies.splitlines():
        if line and not line.startswith(" "):
            name, newer = line.rstrip(":"), True
        elif match := VERSION.match(line):
            newer = newer and match[1] != "***"  # the table begins with the highest version
        elif newer and (match := SOURCE.match(line)) and match[1] in sources and name not in found:
            found.append(name)
    return found


class Apt:
    """The package manager of one host, optionally looking at package lists of its own."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.scratch: str | None = None
        self.options = ["-o", "APT::Cmd::Pattern-Only=true", "-o", "Dpkg::Options::=--force-confdef"]
        self.options += ["-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0"]
        self.options += ["-o", f"DPkg::Lock::Timeout={module.params['lock_timeout']}"]

    def run(self, *argv: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(list(argv), environ_update=ENVIRONMENT, expand_user_and_vars=False)
        return rc, out, err

    def must(self, *argv: str) -> str:
        rc, out, err = self.run(*argv)
        if rc != 0:
            errors = [line for line in err.splitlines() if line.startswith("E:")] or err.splitlines()[-5:]
            self.module.fail_json(msg=f"{argv[0]} failed: {' '.join(errors)}", stdout=out, stderr=err)
        return out

    def refresh_if_stale(self) -> None:
        stamps = ["/var/lib/apt/lists", "/var/lib/apt/lists/partial", "/var/lib/apt/periodic/update-success-stamp"]
        newest = max([os.path.getmtime(path) for path in stamps if os.path.exists(path)], default=0.0)
        fresh = time.time() - newest <= self.module.params["cache_valid_time"]
        if fresh and glob.glob("/var/lib/apt/lists/*Release"):
            return
        if self.module.check_mode:
            self.scratch = tempfile.mkdtemp(prefix="apt-lists-")
            os.chmod(self.scratch, 0o755)  # apt downloads as a user of its own
            os.makedirs(f"{self.scratch}/lists/partial")
            os.makedirs(f"{self.scratch}/cache/archives/partial")
            self.options += ["-o", f"Dir::State::Lists={self.scratch}/lists", "-o", f"Dir::Cache={self.scratch}/cache"]
        rc, _out, err = self.run("apt-get", *self.options, "update")
        if rc != 0 or "Failed to fetch" in err:
            self.module.fail_json(msg=f"the package lists cannot be read, so nothing was upgraded: {err.strip()}")

    def read_installed(self) -> dict[str, str]:
        """Return version by name, foreign architectures as name:arch, without left-over configuration."""
        native = self.must("dpkg", "--print-architecture").strip()
        fields = "${Package} ${Architecture} ${db:Status-Abbrev} ${Version}\n"
        found = {}
        for line in self.must("dpkg-query", "-W", "-f", fields).splitlines():
            parts = line.split()
            if parts[2][1:2] not in ("c", "n"):
                found[parts[0] if parts[1] in (native, "all") else f"{parts[0]}:{parts[1]}"] = parts[-1]
        return found

    def simulate(self, *verb: str) -> dict[str, str]:
        """Return the new version of each package that apt-get would change; an empty one is removed."""
        said = self.must("apt-get", "-y", *self.options, "-o", "Debug::NoLocking=true", "-s", *verb)
        return {name: new if action == "Inst" else "" for action, name, _old, new in PLANNED.findall(said)}

    def can(self, *verb: str) -> bool:
        return self.run("apt-get", "-y", *self.options, "-o", "Debug::NoLocking=true", "-s", *verb)[0] == 0

    def choose(self, installed: dict[str, str]) -> tuple[list[str], list[str]]:
        """Return what to tell apt-get, and which packages have a newer version whether it takes that or not."""
        remove = self.module.params["remove"]
        if self.module.params["scope"] == "all":
            newest = ["--ignore-hold", "dist-upgrade"]
            newer = [name for name in (self.simulate(*newest) if self.can(*newest) else {}) if name in installed]
            return ["dist-upgrade"] if remove else ["upgrade", "--with-new-pkgs"], newer
        sources = find_security_sources(self.must("apt-cache", *self.options, "policy"))
        newer = find_security_updates(self.must("apt-cache", *self.options, "policy", *sorted(installed)), sources)
        held = set(self.must("apt-mark", "showhold").split())
        wanted = [name for name in newer if name not in held]
        verb = ["install", "--only-upgrade", *([] if remove else ["--no-remove"]), "--"]
        if not self.can(*verb, *wanted):
            # One that cannot be upgraded must not keep the fixes of the others back.
            wanted = [name for name in wanted if self.can(*verb, name)]
        return [*verb, *wanted] if wanted else [], newer


def make_diff(before: dict[str, str], after: dict[str, str], names: list[str]) -> dict[str, str]:
    """Render one line for each package that changes."""
    texts = ["".join(f"{name} {side[name]}\n" for name in names if side.get(name)) for side in (before, after)]
    return {"before": texts[0], "after": texts[1], "before_header": "packages", "after_header": "packages"}


def upgrade(module: AnsibleModule, apt: Apt) -> dict[str, Any]:
    apt.refresh_if_stale()
    installed = apt.read_installed()
    verb, newer = apt.choose(installed)
    planned = {**installed, **(apt.simulate(*verb) if verb else {})}
    touched = sorted(name for name in planned if planned[name] != installed.get(name, ""))
    owner = apt.run("dpkg-query", "-S", os.path.realpath(sys.executable))[1].split(":")[0]
    if planned.get(owner) == "":
        module.fail_json(msg=f"refusing to remove {owner}: Ansible itself runs on it")
    result: dict[str, Any] = {
        "changed": bool(touched),
        "diff": make_diff(installed, planned, touched),
        "upgraded": touched,
    }
    result["kept"] = kept = sorted(name for name in newer if name not in touched)
    if kept:
        module.warn(f"these packages have a newer version and are kept back: {', '.join(kept)}")
    if not touched or module.check_mode:
        return result
    # apt-get takes each package that it is told by name for one that a person wanted.
    by_itself = sorted(set(apt.must("apt-mark", "showauto").split()) & set(verb))
    try:
        apt.must("apt-get", "-y", *apt.options, *verb)
    finally:
        if by_itself:
            apt.run("apt-mark", "auto", "--", *by_itself)
    now = apt.read_installed()
    moved = sorted(name for name in {**installed, **now} if installed.get(name) != now.get(name))
    return {**result, "changed": bool(moved), "diff": make_diff(installed, now, moved), "upgraded": moved}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "scope": {"type": "str", "choices": ["all", "security"], "default": "all"},
            "remove": {"type": "bool", "default": False},
            "cache_valid_time": {"type": "int", "default": 3600},
            "lock_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    apt = Apt(module)
    try:
        result = upgrade(module, apt)
    finally:
        if apt.scratch:
            shutil.rmtree(apt.scratch, ignore_errors=True)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
