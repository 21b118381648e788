#!/usr/bin/python
"""Install a Node.js release of the project itself beside the distribution's, verified by its digests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: standalone_node
short_description: A Node.js in a folder of its own
description:
  - Unpacks a release to C(PREFIX/X.Y.Z) and links C(node), C(npm) and C(npx) to it from O(links).
  - The archive is checked against the C(SHASUMS256.txt) of its release, unpacked aside, tried, and then moved.
  - Check mode reads the list of digests, so the version and digest it predicts are those that are installed.
  - Only folders that carry the module's own mark are replaced or removed.
options:
  version:
    description: Version as C(X), which any X.Y.Z satisfies, or C(X.Y.Z).
    type: str
    required: true
  state:
    description: What to reach. V(query) only reports.
    type: str
    choices: [present, absent, query]
    default: present
  mirror:
    description: URL below which C(latest-vX.x/SHASUMS256.txt), C(vX.Y.Z/SHASUMS256.txt) and the archives lie.
    type: str
  prefix:
    description: Folder that holds the releases.
    type: str
    default: /opt/node
  links:
    description: Folder that gets the links.
    type: str
    default: /usr/local/bin
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Have Node.js 22
  ansible.legacy.standalone_node:
    version: "22"
    mirror: https://nodejs.org/dist
"""

RETURN = r"""
installed: {description: Fitting versions in the prefix, type: list, returned: when state is query}
"""

import hashlib
import json
import os
import platform
import re
import shutil
import tarfile
import tempfile
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

MARK = ".standalone-node.json"
PROGRAMS = ("node", "npm", "npx")
MACHINES = {"x86_64": "x64", "aarch64": "arm64", "armv7l": "armv7l", "ppc64le": "ppc64le", "s390x": "s390x"}
Diffs = list[dict[str, str]]


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def fits(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")


def read_sums(text: str, wanted: str, machine: str) -> tuple[str, str] | None:
    """Return version and digest of the newest fitting archive that a SHASUMS256.txt names."""
    pattern = rf"^([0-9a-f]{{64}}) [ *]node-v(\d+\.\d+\.\d+)-linux-{machine}\.tar\.gz$"
    offered = {version: digest for digest, version in re.findall(pattern, text, re.MULTILINE) if fits(version, wanted)}
    return max(offered.items(), key=lambda item: number(item[0])) if offered else None


def diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before": before, "after": after, "before_header": header, "after_header": header}


class Node:
    """The releases in one prefix and the links that lead to one of them."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.wanted, self.prefix = module, module.params["version"], module.params["prefix"]
        self.links = {name: f"{module.params['links']}/{name}" for name in PROGRAMS}
        names = os.listdir(self.prefix) if os.path.isdir(self.prefix) else []
        self.installed = {name: mark for name in names if fits(name, self.wanted) and (mark := self.read_mark(name))}

    def fail(self, reason: str) -> NoReturn:
        self.module.fail_json(msg=reason)
        raise AssertionError

    def read_mark(self, name: str) -> dict[str, str] | None:
        try:
            with open(f"{self.prefix}/{name}/{MARK}", encoding="utf-8") as file:
                found: dict[str, str] = json.load(file)
        except (OSError, ValueError):
            return None
        return found

    def describe(self, version: str, mark: dict[str, str]) -> str:
        return f"version: {version}\nsha256: {mark['sha256']}\nfolder: {self.prefix}/{version}\n"

    def fetch(self, url: str, target: Any = None) -> str:
        """Return the text of a URL, or write what it holds to a file and return its SHA-256 digest."""
        digest = hashlib.sha256()
        try:
            with open_url(url, timeout=60, http_agent="standalone-node") as answer:
                if target is None:
                    return str(answer.read().decode(errors="replace"))
                while block := answer.read(1 << 20):
                    digest.update(block)
                    target.write(block)
        except Exception as error:  # noqa: BLE001 - urllib, ssl and http.client raise a dozen unrelated kinds
            self.fail(f"{url} cannot be read: {error}")
        return digest.hexdigest()

    def resolve(self) -> tuple[str, dict[str, str]]:
        """Return the exact version that the mirror has, and where to get it."""
        mirror, machine = self.module.params["mirror"], MACHINES.get(platform.machine())
        if not machine:
            self.fail(f"Node.js has no releases for {platform.machine()}")
        folder = f"latest-v{self.wanted}.x" if self.wanted.isdigit() else f"v{self.wanted}"
        found = read_sums(self.fetch(f"{mirror}/{folder}/SHASUMS256.txt"), self.wanted, machine)
        if found is None:
            self.fail(f"{mirror}/{folder} has no Node.js {self.wanted} for {machine}")
        version, digest = found
        return version, {"sha256": digest, "url": f"{mirror}/v{version}/node-v{version}-linux-{machine}.tar.gz"}

    def link_to(self, version: str) -> Diffs:
        """Return what changes so that every link leads to a version."""
        diffs = []
        for name, link in self.links.items():
            target, current = f"{self.prefix}/{version}/bin/{name}", read_link(link)
            if os.path.lexists(link) and not current.startswith(f"{self.prefix}/"):
                self.fail(f"{link} exists and does not lead to {self.prefix}; it is left alone")
            if current != target:
                before = f"link: {link} -> {current}\n" if current else ""
                diffs.append(diff(link, before, f"link: {link} -> {target}\n"))
                if not self.module.check_mode:
                    os.makedirs(os.path.dirname(link), exist_ok=True)
                    os.symlink(target, f"{link}.{os.getpid()}")
                    os.replace(f"{link}.{os.getpid()}", link)
        return diffs

    def unpack(self, version: str, mark: dict[str, str]) -> None:
        os.makedirs(self.prefix, mode=0o755, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=self.prefix, prefix=".unpack-")
        try:
            with open(f"{scratch}/archive", "w+b") as file:
                digest = self.fetch(mark["url"], file)
                if digest != mark["sha256"]:
                    self.fail(f"{mark['url']} has the digest {digest}, not {mark['sha256']}; nothing was installed")
                file.seek(0)
                with tarfile.open(fileobj=file, mode="r:gz") as archive:
                    self.extract(archive, os.path.basename(mark["url"]).removesuffix(".tar.gz"), scratch)
            program = f"{scratch}/tree/bin/node"
            rc, out, err = self.module.run_command([program, "--version"], expand_user_and_vars=False)
            if rc != 0 or out.strip() != f"v{version}":
                self.fail(f"the unpacked Node.js does not run here: {(err or out).strip()}")
            with open(f"{scratch}/tree/{MARK}", "w", encoding="utf-8") as mark_file:
                json.dump(mark, mark_file)
            os.rename(f"{scratch}/tree", f"{self.prefix}/{version}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def extract(self, archive: tarfile.TarFile, top: str, scratch: str) -> None:
        for member in archive.getmembers():
            parts = member.name.split("/")
            if parts[0] != top or ".." in parts:
                self.fail(f"the archive holds an unexpected path: {member.name}")
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
        options: dict[str, Any] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
        archive.extractall(scratch, **options)
        os.rename(f"{scratch}/{top}", f"{scratch}/tree")
        os.chmod(f"{scratch}/tree", 0o755)


def read_link(path: str) -> str:
    return os.readlink(path) if os.path.islink(path) else ""


def install(node: Node) -> Diffs:
    if node.installed:
        return node.link_to(max(node.installed, key=number))
    version, mark = node.resolve()
    if os.path.lexists(f"{node.prefix}/{version}"):
        node.fail(f"{node.prefix}/{version} exists and was not made by this module; it is left alone")
    diffs = [diff(f"node {version}", "", node.describe(version, mark))]
    if not node.module.check_mode:
        node.unpack(version, mark)
    return diffs + node.link_to(version)


def uninstall(node: Node) -> Diffs:
    diffs = []
    for version, mark in sorted(node.installed.items()):
        folder = f"{node.prefix}/{version}"
        gone = {link: target for link in node.links.values() if (target := read_link(link)).startswith(f"{folder}/")}
        diffs += [diff(link, f"link: {link} -> {target}\n", "") for link, target in gone.items()]
        diffs.append(diff(f"node {version}", node.describe(version, mark), ""))
        if not node.module.check_mode:
            for link in gone:
                os.unlink(link)
            shutil.rmtree(folder)
    return diffs


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent", "query"], "default": "present"},
            "mirror": {"type": "str"},
            "prefix": {"type": "str", "default": "/opt/node"},
            "links": {"type": "str", "default": "/usr/local/bin"},
        },
        required_if=[["state", "present", ["mirror"]]],
        supports_check_mode=True,
    )
    if not re.match(r"\d+(\.\d+\.\d+)?\Z", module.params["version"]):
        module.fail_json(msg=f"{module.params['version']!r} is not a version like 22 or 22.11.0")
    node, state = Node(module), module.params["state"]
    if state == "query":
        module.exit_json(changed=False, installed=sorted(node.installed, key=number))
    try:
        diffs = (install if state == "present" else uninstall)(node)
    except (OSError, tarfile.TarError) as error:
        module.fail_json(msg=f"Node.js {node.wanted} cannot be brought to the state {state}: {error}")
    module.exit_json(changed=bool(diffs), diff=diffs)


if __name__ == "__main__":
    main()
