#!/usr/bin/python
"""Install, upgrade and remove Debian packages through apt-get, with a prediction for every package."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_get
short_description: Debian packages with a prediction for every package
description:
  - Needs nothing but C(apt-get) and C(dpkg) on the host; C(python3-apt) is not used.
  - Every package that is installed, upgraded or removed, dependencies included, is a line of the diff.
  - When the package lists are stale, check mode reads fresh ones into a temporary folder and leaves the host's alone.
options:
  names:
    description: Packages, each as C(name), C(name:arch) or C(name=version).
    type: list
    elements: str
    required: true
  state:
    description: What to reach. V(query) only reports RV(installed) and RV(candidates), also outside check mode.
    type: str
    choices: [present, absent, latest, query]
    default: present
  purge:
    description: Remove configuration files too when O(state=absent).
    type: bool
    default: false
  recommends:
    description: Install recommended packages too.
    type: bool
    default: true
  cache_valid_time:
    description: Seconds after which the package lists count as stale.
    type: int
    default: 3600
  arrived:
    description:
      - Packages that earlier steps of the same run bring, as their RV(arrived) says. In check mode they count as
        installed, so that neither they nor what they share with O(names) is predicted once more.
    type: list
    elements: str
    default: []
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
- name: Install a web server
  ansible.legacy.apt_get:
    names: [nginx-light]
"""

RETURN = r"""
installed: {description: Version of each named package on the host, type: dict, returned: when state is query}
candidates: {description: Version that would be installed, type: dict, returned: when state is query}
arrived: {description: Packages that were not there and are, or would be, installed., type: list, returned: on a change}
new_units: {description: Names of systemd units that the packages brought, type: list, returned: after a change}
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

# No trailing "-": apt-get would take it as a request to remove the package.
NAME = re.compile(r"([a-z0-9][a-z0-9+.-]*[a-z0-9+])(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?\Z")
PLANNED = re.compile(r"^(Inst|Remv|Purg) (\S+)(?: \[([^\]]+)\])?(?: \((\S+))?", re.MULTILINE)
LEFTOVERS = "(configuration files only)"
ENVIRONMENT = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "PAGER": "cat"}


class Asked:
    """One package as it was asked for."""

    def __init__(self, given: str) -> None:
        found = NAME.match(given)
        assert found is not None
        self.given, self.package, self.version = given, found[1] + (found[2] or ""), (found[3] or "=")[1:]


class Apt:
    """The package manager of one host, optionally looking at package lists of its own."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.scratch: str | None = None
        # apt must not take an unknown name for a pattern that matches other packages.
        self.options = ["-o", "APT::Cmd::Pattern-Only=true", "-o", "Dpkg::Options::=--force-confdef"]
        self.options += ["-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0"]
        self.options += ["-o", f"DPkg::Lock::Timeout={module.params['lock_timeout']}"]
        self.options += ["-o", f"APT::Install-Recommends={str(module.params['recommends']).lower()}"]

    def run(self, *argv: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(list(argv), environ_update=ENVIRONMENT, expand_user_and_vars=False)
        return rc, out, err

    def must(self, *argv: str) -> str:
        rc, out, err = self.run(*argv)
        if rc != 0:
            errors = [line for line in err.splitlines() if line.startswith("E:")] or err.splitlines()[-5:]
            self.module.fail_json(msg=f"{os.path.basename(argv[0])} failed: {' '.join(errors)}", stdout=out, stderr=err)
        return out

    def read_installed(self) -> dict[str, str]:
        """Return version by name, foreign architectures as name:arch, left-over configuration as such."""
        native = self.must("dpkg", "--print-architecture").strip()
        fields = "${Package} ${Architecture} ${db:Status-Abbrev} ${Version}\n"
        found = {}
        for line in self.must("dpkg-query", "-W", "-f", fields).splitlines():
            parts = line.split()
            name = parts[0] if parts[1] in (native, "all") else f"{parts[0]}:{parts[1]}"
            if parts[2][1:2] == "c":
                found[name] = LEFTOVERS
            elif parts[2][1:2] != "n":
                found[name] = parts[-1]
        return found

    def lists_are_stale(self) -> bool:
        stamps = ["/var/lib/apt/lists", "/var/lib/apt/lists/partial", "/var/lib/apt/periodic/update-success-stamp"]
        newest = max([os.path.getmtime(path) for path in stamps if os.path.exists(path)], default=0.0)
        empty = not glob.glob("/var/lib/apt/lists/*Release")
        return empty or time.time() - newest > self.module.params["cache_valid_time"]

    def refresh(self, private: bool) -> None:
        """Read fresh package lists; a failure only matters if a package is then unknown."""
        if private:
            self.scratch = tempfile.mkdtemp(prefix="apt-lists-")
            os.chmod(self.scratch, 0o755)  # apt downloads as a user of its own
            os.makedirs(f"{self.scratch}/lists/partial")
            os.makedirs(f"{self.scratch}/cache/archives/partial")
            self.options += ["-o", f"Dir::State::Lists={self.scratch}/lists", "-o", f"Dir::Cache={self.scratch}/cache"]
        rc, _out, err = self.run("apt-get", *self.options, "update")
        if rc != 0 or "Failed to fetch" in err:
            self.module.warn(f"the package lists could not be refreshed: {err.strip()}")

    def read_candidates(self, names: list[str]) -> dict[str, set[str]]:
        """Return the installable versions by name; the preferred one also under the key "name!"."""
        known: dict[str, set[str]] = {}
        name = ""
        for line in self.must("apt-cache", *self.options, "policy", *names).splitlines():
            if line and not line.startswith(" "):
                name = line.rstrip(":")
            elif line.startswith("  Candidate: ") and not line.endswith("(none)"):
                known[f"{name}!"] = {line.split()[1]}
            elif re.match(r" (   |\*\*\*) \S+ -?\d+$", line):
                known.setdefault(name, set()).add(line.split()[-2])
        return known


def list_units() -> set[tuple[str, str]]:
    """Return folder and name of the units that packages brought; removed packages leave their SysV scripts behind."""
    scripts = glob.glob("/etc/init.d/*")
    units = glob.glob("/usr/lib/systemd/system/*.*") + glob.glob("/lib/systemd/system/*.*")
    return {os.path.split(path) for path in units} | {os.path.split(f"{path}.service") for path in scripts}


def make_diff(before: dict[str, str], after: dict[str, str], names: set[str]) -> dict[str, str]:
    """Render one line for each package that changes."""
    texts = ["".join(f"{name} {side[name]}\n" for name in sorted(names) if side.get(name)) for side in (before, after)]
    return {"before": texts[0], "after": texts[1], "before_header": "packages", "after_header": "packages"}


def read_known(module: AnsibleModule, apt: Apt, asked: list[Asked], private: bool) -> dict[str, set[str]]:
    """Return what the package sources offer, after fresh lists if they are old or lack something."""

    def lacks(known: dict[str, set[str]]) -> bool:
        return any(f"{a.package}!" not in known or (a.version and a.version not in known[a.package]) for a in asked)

    packages = [a.package for a in asked]
    stale = apt.lists_are_stale()
    if stale:
        apt.refresh(private)
    known = apt.read_candidates(packages)
    if not stale and lacks(known) and module.params["state"] != "query":
        apt.refresh(private)
        known = apt.read_candidates(packages)
    return known


def assumed(module: AnsibleModule) -> set[str]:
    """Return what check mode has to take as installed; a real run sees for itself."""
    return set(module.params["arrived"]) if module.check_mode else set()


def find_todo(module: AnsibleModule, apt: Apt, installed: dict[str, str]) -> list[str]:
    """Return the arguments for apt-get: what is not yet as wanted."""
    state = module.params["state"]
    asked = [Asked(name) for name in dict.fromkeys(module.params["names"])]
    if state == "absent":
        purge = module.params["purge"]
        return [a.package for a in asked if a.package in installed and (purge or installed[a.package] != LEFTOVERS)]
    held = {a.package: installed[a.package] for a in asked if installed.get(a.package, LEFTOVERS) != LEFTOVERS}
    here = {*held, *assumed(module)}
    open_ = [a for a in asked if a.package not in here or a.version not in ("", held.get(a.package))]
    if state == "query" and not open_:
        module.exit_json(changed=False, installed=held, candidates=held)
    if state == "present" and not open_:
        return []
    known = read_known(module, apt, asked, private=module.check_mode or state == "query")
    candidates = {a.package: next(iter(known.get(f"{a.package}!", ())), None) for a in asked}
    if state == "query":
        packages = [a.package for a in asked]
        module.exit_json(changed=False, installed={p: held.get(p) for p in packages}, candidates=candidates)
    for a in open_:
        versions = known.get(a.package, set())
        if not candidates[a.package] or (a.version and a.version not in versions):
            offered = f"; it offers {a.package} {', '.join(sorted(versions))}" if versions else ""
            module.fail_json(msg=f"no package source of this host offers {a.given}{offered}")
    if state == "latest":
        newer = [a for a in asked if not a.version and candidates[a.package] not in (None, held.get(a.package))]
        open_ += [a for a in newer if a not in open_]
    return [a.given for a in open_]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent", "latest", "query"], "default": "present"},
            "purge": {"type": "bool", "default": False},
            "recommends": {"type": "bool", "default": True},
            "cache_valid_time": {"type": "int", "default": 3600},
            "arrived": {"type": "list", "elements": "str", "default": []},
            "lock_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    state, names = module.params["state"], module.params["names"]
    for name in names:
        if not NAME.match(name):
            module.fail_json(msg=f"{name!r} is not the name of a Debian package")
    apt = Apt(module)
    try:
        converge(module, apt, state, names)
    finally:
        if apt.scratch:
            shutil.rmtree(apt.scratch, ignore_errors=True)


def converge(module: AnsibleModule, apt: Apt, state: str, names: list[str]) -> None:
    installed, units = apt.read_installed(), list_units()
    todo = find_todo(module, apt, installed)
    if not todo:
        module.exit_json(changed=False)
    verb = ["install"] if state != "absent" else ["purge" if module.params["purge"] else "remove"]
    if any("=" in name for name in todo):
        verb.append("--allow-downgrades")
    command = ["apt-get", "-y", *apt.options, *verb]
    planned = dict(installed)
    for action, name, _old, new in PLANNED.findall(
        apt.must(*command, "-o", "Debug::NoLocking=true", "-s", "--", *todo)
    ):
        planned[name] = new if action == "Inst" else ""
    touched = {name for name in planned if planned[name] != installed.get(name)}
    if state != "absent":
        touched -= assumed(module)
    owners = [apt.run("dpkg-query", "-S", path)[1] for path in (sys.executable, os.path.realpath(sys.executable))]
    interpreter = next((name for name in (owner.split(":")[0] for owner in owners) if planned.get(name) == ""), None)
    if interpreter:
        module.fail_json(
            msg=f"refusing to remove {interpreter}: Ansible itself runs on it (asked for: {', '.join(todo)})"
        )
    result: dict[str, Any] = {"changed": bool(touched), "diff": make_diff(installed, planned, touched)}
    missing = {name for name in touched if installed.get(name, LEFTOVERS) == LEFTOVERS}
    result["arrived"] = sorted(name for name in missing if planned[name])
    if not touched or module.check_mode:
        module.exit_json(**result)

    apt.must(*command, "--", *todo)
    now = apt.read_installed()
    if verb[0] != "purge":  # what is removed, also for the sake of what is installed, leaves its configuration
        now = {
            name: version for name, version in now.items() if version != LEFTOVERS or installed.get(name) == LEFTOVERS
        }
    moved = {name for name in {**installed, **now} if installed.get(name, "") != now.get(name, "")}
    result.update(
        changed=bool(moved),
        diff=make_diff(installed, now, moved),
        new_units=sorted({name for _folder, name in list_units() - units}),
    )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
