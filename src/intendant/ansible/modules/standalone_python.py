#!/usr/bin/python
"""Install a relocatable Python build beside the system's own, verified by the release's digests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: standalone_python
short_description: A Python of its own folder, beside the system's
description:
  - Unpacks a build of python-build-standalone to C(PREFIX/X.Y.Z) and links C(pythonX.Y) to it from O(links).
  - The archive is checked against the C(SHA256SUMS) of its release, unpacked beside its place, tried, and then moved.
  - Check mode reads the list of digests, so the version and digest it predicts are those that are installed.
  - Never touches another Python. Only folders that carry the module's own mark are replaced or removed.
options:
  version:
    description: Version as C(X.Y), which any X.Y.Z satisfies, or C(X.Y.Z).
    type: str
    required: true
  state:
    description: What to reach. V(query) only reports.
    type: str
    choices: [present, absent, query]
    default: present
  mirror:
    description: URL below which C(TAG/SHA256SUMS) and C(TAG/cpython-…-install_only.tar.gz) lie.
    type: str
  release:
    description: Tag of the release, or V(latest), which leaves an installed build alone.
    type: str
    default: latest
  latest_url:
    description: URL of the JSON document that names the latest tag.
    type: str
  prefix:
    description: Folder that holds the builds.
    type: str
    default: /opt/python
  links:
    description: Folder that gets the link.
    type: str
    default: /usr/local/bin
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Have Python 3.12 beside the system's own
  ansible.legacy.standalone_python:
    version: "3.12"
    mirror: https://github.com/astral-sh/python-build-standalone/releases/download
    latest_url: https://raw.githubusercontent.com/astral-sh/python-build-standalone/latest-release/latest-release.json
"""

RETURN = r"""
installed: {description: Fitting versions in the prefix, type: list, returned: when state is query}
system: {description: X.Y of the system's own Python, type: str, returned: when state is query}
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tarfile
import tempfile
from typing import Any
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

MARK = ".standalone-python.json"
# A build that is started through a link makes virtual environments that do not run: venv takes the link's folder for
# the home of Python (mended upstream only at the end of 2025).
HOOK = (
    "import os, sys; sys.prefix == sys.base_prefix and "
    "setattr(sys, '_base_executable', os.path.realpath(sys.executable))\n"
)


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def fits(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")


class Builds:
    """The builds in one prefix and the link that leads to one of them."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.wanted, self.prefix = module, module.params["version"], module.params["prefix"]
        self.series = ".".join(self.wanted.split(".")[:2])
        self.link = f"{module.params['links']}/python{self.series}"
        names = os.listdir(self.prefix) if os.path.isdir(self.prefix) else []
        self.installed = {name: mark for name in names if fits(name, self.wanted) and (mark := self.read_mark(name))}

    def read_mark(self, name: str) -> dict[str, str] | None:
        try:
            with open(f"{self.prefix}/{name}/{MARK}", encoding="utf-8") as file:
                found: dict[str, str] = json.load(file)
        except (OSError, ValueError):
            return None
        return found

    def program(self, version: str) -> str:
        return f"{self.prefix}/{version}/bin/python{self.series}"

    def describe(self, version: str, mark: dict[str, str]) -> str:
        lines = [f"version: {version}", f"release: {mark['release']}", f"sha256: {mark['sha256']}"]
        return "".join(f"{line}\n" for line in [*lines, f"folder: {self.prefix}/{version}"])

    def describe_link(self, target: str) -> str:
        return f"link: {self.link} -> {target}\n" if target else ""

    def read_link(self) -> str:
        return os.readlink(self.link) if os.path.islink(self.link) else ""


def fetch(module: AnsibleModule, url: str, target: Any = None) -> bytes:
    """Return what a URL holds, or write it to a file and return its SHA-256 digest."""
    try:
        with open_url(url, timeout=60, http_agent="standalone-python") as answer:
            if target is None:
                body: bytes = answer.read()
                return body
            digest = hashlib.sha256()
            while block := answer.read(1 << 20):
                digest.update(block)
                target.write(block)
            return digest.hexdigest().encode()
    except Exception as error:  # urllib, ssl and http.client raise a dozen unrelated kinds
        module.fail_json(msg=f"{url} cannot be read: {error}")
        raise


def resolve(module: AnsibleModule, builds: Builds) -> tuple[str, dict[str, str]]:
    """Return the exact version that the release has, and where to get it."""
    params, tag = module.params, module.params["release"]
    if tag == "latest":
        try:
            tag = json.loads(fetch(module, params["latest_url"]))["tag"]
        except (ValueError, KeyError, TypeError):
            module.fail_json(msg=f"{params['latest_url']} does not name a release")
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z", str(tag)):
        module.fail_json(msg=f"{tag!r} is not the tag of a release")
    machine = platform.machine()
    name = rf"cpython-(\d+\.\d+\.\d+)\+{re.escape(tag)}-{machine}-unknown-linux-gnu-install_only\.tar\.gz"
    pattern = rf"^([0-9a-f]{{64}}) [ *]({name})$"
    sums = fetch(module, f"{params['mirror']}/{tag}/SHA256SUMS").decode(errors="replace")
    offered = {version: (digest, name) for digest, name, version in re.findall(pattern, sums, re.MULTILINE)}
    fitting = sorted((version for version in offered if fits(version, builds.wanted)), key=number)
    if not fitting:
        versions = ", ".join(sorted(offered, key=number)) or "nothing"
        module.fail_json(msg=f"release {tag} has no Python {builds.wanted} for {machine}; it has {versions}")
    digest, name = offered[fitting[-1]]
    return fitting[-1], {"release": tag, "sha256": digest, "url": f"{params['mirror']}/{tag}/{quote(name)}"}


def unpack(module: AnsibleModule, builds: Builds, version: str, mark: dict[str, str]) -> None:
    os.makedirs(builds.prefix, mode=0o755, exist_ok=True)
    scratch = tempfile.mkdtemp(dir=builds.prefix, prefix=".unpack-")
    try:
        with open(f"{scratch}/archive", "w+b") as file:
            digest = fetch(module, mark["url"], file).decode()
            if digest != mark["sha256"]:
                module.fail_json(
                    msg=f"{mark['url']} has the digest {digest}, not {mark['sha256']}; nothing was installed"
                )
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:gz") as archive:
                for member in archive.getmembers():
                    if not re.match(r"python(/|\Z)", member.name) or ".." in member.name.split("/"):
                        module.fail_json(msg=f"{mark['url']} holds an unexpected path: {member.name}")
                    member.uid = member.gid = 0
                    member.uname = member.gname = "root"
                options: dict[str, Any] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
                archive.extractall(scratch, **options)
        program = f"{scratch}/python/bin/python{builds.series}"
        rc, out, err = module.run_command([program, "-IBc", "import platform; print(platform.python_version())"])
        if rc != 0 or out.strip() != version:
            module.fail_json(msg=f"the unpacked Python does not run here: {(err or out).strip()}")
        with open(f"{scratch}/python/{MARK}", "w", encoding="utf-8") as file:
            json.dump(mark, file)
        with open(
            f"{scratch}/python/lib/python{builds.series}/site-packages/standalone.pth", "w", encoding="utf-8"
        ) as file:
            file.write(HOOK)
        os.chmod(f"{scratch}/python", 0o755)
        folder = f"{builds.prefix}/{version}"
        if os.path.isdir(folder):
            os.rename(folder, f"{scratch}/old")
        os.rename(f"{scratch}/python", folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before": before, "after": after, "before_header": header, "after_header": header}


def install(module: AnsibleModule, builds: Builds) -> list[dict[str, str]]:
    release, diffs = module.params["release"], []
    good = [name for name, mark in builds.installed.items() if release in ("latest", mark["release"])]
    if os.path.lexists(builds.link) and not builds.read_link().startswith(f"{builds.prefix}/"):
        module.fail_json(msg=f"{builds.link} exists and does not lead to {builds.prefix}; it is left alone")
    if good:
        version, mark = max(good, key=number), dict[str, str]()
    else:
        version, mark = resolve(module, builds)
        folder, old = f"{builds.prefix}/{version}", builds.installed.get(version)
        if os.path.lexists(folder) and not old:
            module.fail_json(msg=f"{folder} exists and was not made by this module; it is left alone")
        before = builds.describe(version, old) if old else ""
        diffs.append(diff(f"python {version}", before, builds.describe(version, mark)))
    target, current = builds.program(version), builds.read_link()
    if current != target:
        diffs.append(diff(builds.link, builds.describe_link(current), builds.describe_link(target)))
    if module.check_mode:
        return diffs
    if mark:
        unpack(module, builds, version, mark)
    if current != target:
        os.makedirs(os.path.dirname(builds.link), exist_ok=True)
        beside = f"{builds.link}.{os.getpid()}"
        os.symlink(target, beside)
        os.replace(beside, builds.link)
    return diffs


def uninstall(module: AnsibleModule, builds: Builds) -> list[dict[str, str]]:
    diffs, current = [], builds.read_link()
    for version, mark in sorted(builds.installed.items()):
        folder = f"{builds.prefix}/{version}"
        if os.path.realpath(sys.executable).startswith(f"{folder}/"):
            module.fail_json(
                msg=f"refusing to remove {folder}: Ansible itself runs on it; set ansible_python_interpreter"
            )
        diffs.append(diff(f"python {version}", builds.describe(version, mark), ""))
        if current == builds.program(version):
            diffs.append(diff(builds.link, builds.describe_link(current), ""))
        if not module.check_mode:
            if current == builds.program(version):
                os.unlink(builds.link)
            shutil.rmtree(folder)
    return diffs


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent", "query"], "default": "present"},
            "mirror": {"type": "str"},
            "release": {"type": "str", "default": "latest"},
            "latest_url": {"type": "str"},
            "prefix": {"type": "str", "default": "/opt/python"},
            "links": {"type": "str", "default": "/usr/local/bin"},
        },
        required_if=[["state", "present", ["mirror", "latest_url"]]],
        supports_check_mode=True,
    )
    if not re.match(r"\d+\.\d+(\.\d+)?\Z", module.params["version"]):
        module.fail_json(msg=f"{module.params['version']!r} is not a version like 3.12 or 3.12.4")
    builds, state = Builds(module), module.params["state"]
    if state == "query":
        system = os.path.basename(os.path.realpath("/usr/bin/python3"))[len("python") :]
        module.exit_json(changed=False, installed=sorted(builds.installed, key=number), system=system)
    try:
        diffs = (install if state == "present" else uninstall)(module, builds)
    except (OSError, tarfile.TarError) as error:
        module.fail_json(msg=f"Python {builds.wanted} cannot be brought to the state {state}: {error}")
    module.exit_json(changed=bool(diffs), diff=diffs)


if __name__ == "__main__":
    main()
