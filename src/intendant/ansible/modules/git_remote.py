#!/usr/bin/python
"""Ask a git repository which commit a branch or tag is, also on a host that has no git yet."""

from __future__ import annotations

DOCUMENTATION = r"""
module: git_remote
short_description: The commit that a branch or tag of a remote repository stands at
description:
  - Changes nothing. The repository is reached from the host, by the account that will use it.
  - Where git is not installed yet, check mode reads the list of references itself, over http(s) or ssh.
  - What cannot be known without git (credentials, keys that are not there yet) is said in RV(unknown).
  - The key of an ssh server is never accepted unseen.
options:
  repository:
    description: URL, C(user@host:path) or absolute path.
    type: str
    required: true
  version:
    description: Branch, tag, full name of a reference, full commit, or V(HEAD) for the default branch.
    type: str
    default: HEAD
  owner:
    description: Account that git runs as.
    type: str
    default: root
  known_owners:
    description: Accounts that earlier steps of the same run create.
    type: list
    elements: str
    default: []
  key:
    description: Path on the host of a private ssh key that the owner can read.
    type: str
  host_keys:
    description: Lines as in C(known_hosts) that are trusted besides those of the host.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Ask for the newest commit of the default branch
  ansible.legacy.git_remote:
    repository: https://git.example.org/app.git
"""

RETURN = r"""
commit: {description: The commit; empty where it is unknown., type: str, returned: always}
ref: {description: Full name of the branch or tag; empty for a plain commit., type: str, returned: always}
unknown: {description: Why check mode could not know the commit., type: str, returned: always}
"""

import os
import pwd
import re
import shlex
import shutil
import tempfile
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")
SSH = re.compile(r"(?:ssh://(?P<at>[^/]+)(?P<path>/.*)|(?P<at2>[^/]+?):(?P<path2>[^:].*))\Z")
Refs = dict[str, str]


def parse_advertisement(data: bytes) -> tuple[Refs, str]:
    """Return commit by reference, and the branch that HEAD leads to, from what git-upload-pack says first."""
    refs, head, position = Refs(), "", 0
    while position + 4 <= len(data):
        length = int(data[position : position + 4], 16)
        line, _, abilities = data[position + 4 : position + max(length, 4)].partition(b"\0")
        position += max(length, 4)
        found = re.match(rb"([0-9a-f]{40,64}) (\S+)\n?\Z", line)
        if found and found[2] != b"capabilities^{}":
            refs[found[2].decode(errors="replace")] = found[1].decode()
        if symref := re.search(rb"\bsymref=HEAD:(\S+)", abilities):
            head = symref[1].decode(errors="replace")
    return refs, head


def parse_table(text: str) -> tuple[Refs, str]:
    """Return the same from ls-remote, from info/refs of a plain web server, or from packed-refs."""
    refs = {name: commit for commit, name in re.findall(r"^([0-9a-f]{40,64})[ \t](\S+)$", text, re.MULTILINE)}
    head = re.search(r"^ref: (\S+)", text, re.MULTILINE)
    return refs, head[1] if head else ""


def choose(refs: Refs, head: str, version: str) -> tuple[str, str] | None:
    """Return commit and reference of a version; branches go before tags, as in git clone --branch."""
    if COMMIT.match(version):
        return version, ""
    if version == "HEAD":
        commit = refs.get("HEAD") or refs.get(head)
        return (commit, head) if commit else None
    for name in (f"refs/heads/{version}", f"refs/tags/{version}", version):
        if name in refs and name.startswith("refs/"):
            return refs.get(f"{name}^{{}}", refs[name]), name
    return None


class Unknown(Exception):
    """Check mode cannot see it before git is there."""


class Remote:
    """One repository, reached as its future owner."""

    def __init__(self, module: AnsibleModule, scratch: str) -> None:
        self.module, self.url = module, module.params["repository"]
        name, key = module.params["owner"], module.params["key"]
        self.prefix, self.home = list[str](), "/nonexistent"
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            if not module.check_mode or name not in module.params["known_owners"]:
                self.fail(f"the account {name} does not exist on this host; create it first")
            self.exists = False
        else:
            self.exists, self.home = True, entry.pw_dir
            if entry.pw_uid != os.geteuid():
                ids = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups"]
                self.prefix = ["setpriv", *ids, "--"]
        known = f"{scratch}/known_hosts"
        with open(known, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in module.params["host_keys"]))
        os.chmod(scratch, 0o755)
        own = f"{self.home}/.ssh/known_hosts "
        self.ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=20"]
        self.ssh += [f"-oUserKnownHostsFile={own}{known}", *([f"-i{key}", "-oIdentitiesOnly=yes"] if key else [])]
        if not self.exists:  # it is root who asks, but with nothing that the account will not have
            self.ssh += ["-F/dev/null", *([] if key else ["-oPubkeyAuthentication=no"])]

    def fail(self, reason: str) -> NoReturn:
        self.module.fail_json(msg=reason)
        raise AssertionError

    def run(self, *argv: str, data: str = "") -> tuple[int, bytes, str]:
        environment = {
            "LC_ALL": "C", "HOME": self.home, "GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": shlex.join(self.ssh),
            "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
        }  # fmt: skip
        rc, out, err = self.module.run_command(
            [*self.prefix, *argv], data=data, cwd="/", environ_update=environment, expand_user_and_vars=False,
            encoding=None, binary_data=True,
        )  # fmt: skip
        return rc, out, err.decode(errors="replace").strip()

    def read(self) -> tuple[Refs, str]:
        """Return commit by reference, and what HEAD leads to."""
        key = self.module.params["key"]
        if key and not os.path.lexists(key) and self.module.check_mode:
            raise Unknown(f"the key {key} is not there yet")
        if key and self.exists and self.run("test", "-r", key)[0] != 0:
            self.fail(f"{self.module.params['owner']} cannot read the key {key}")
        if self.exists and shutil.which("git"):
            version = self.module.params["version"]
            patterns = ["HEAD", "refs/heads/*", "refs/tags/*", *([version] if version.startswith("refs/") else [])]
            rc, out, err = self.run("git", "ls-remote", "--symref", "--", self.url, *patterns)
            if rc != 0:
                self.fail(f"{self.url} cannot be read: {err}")
            return parse_table(out.decode(errors="replace"))
        if not self.module.check_mode:
            self.fail("git is not installed on this host")
        if self.url.startswith(("http://", "https://")):
            return self.read_web()
        if self.url.startswith(("file://", "/")):
            raise Unknown(f"{self.url} cannot be read before git is installed")
        return self.read_ssh()

    def read_web(self) -> tuple[Refs, str]:
        base = self.url.rstrip("/")
        try:
            with open_url(f"{base}/info/refs?service=git-upload-pack", timeout=60, http_agent="git/2") as answer:
                kind, body = answer.headers.get("Content-Type", ""), answer.read()
            if kind == "application/x-git-upload-pack-advertisement":
                return parse_advertisement(body)
            with open_url(f"{base}/HEAD", timeout=60, http_agent="git/2") as answer:
                return parse_table(body.decode(errors="replace") + "\n" + answer.read().decode(errors="replace"))
        except HTTPError as error:
            if error.code in (401, 403):
                raise Unknown(f"{self.url} asks for credentials, which need git") from error
            self.fail(f"{self.url} cannot be read: {error}")
        except (URLError, OSError, ValueError) as error:
            if "CERTIFICATE_VERIFY" in str(error):
                raise Unknown(f"the certificate of {self.url} cannot be checked yet") from error
            self.fail(f"{self.url} cannot be read: {error}")

    def read_ssh(self) -> tuple[Refs, str]:
        found = SSH.match(self.url)
        if not found or not shutil.which("ssh"):
            raise Unknown(f"{self.url} cannot be reached yet")
        at, _, port = (found["at"] or found["at2"]).partition(":")
        path = found["path"] or found["path2"]
        address = [*(["-p", port] if port else []), "--", at]
        rc, out, err = self.run(*self.ssh, *address, f"git-upload-pack {shlex.quote(path)}", data="0000")
        if rc != 0:
            self.fail(f"{self.url} cannot be read: {err}")
        return parse_advertisement(out)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "repository": {"type": "str", "required": True},
            "version": {"type": "str", "default": "HEAD"},
            "owner": {"type": "str", "default": "root"},
            "known_owners": {"type": "list", "elements": "str", "default": []},
            "key": {"type": "str", "no_log": False},
            "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    version = module.params["version"]
    if any(module.params[name].startswith("-") for name in ("repository", "version", "owner")):
        module.fail_json(msg="repository, version and owner must not start with a dash")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            refs, head = Remote(module, scratch).read()
    except Unknown as reason:
        known = version if COMMIT.match(version) else ""
        module.exit_json(changed=False, commit=known, ref="", unknown="" if known else str(reason))
    chosen = choose(refs, head, version)
    if chosen is None:
        names = [name.split("/", 2)[2] for name in refs if re.match(r"refs/(heads|tags)/[^^]+\Z", name)]
        has = f"it has {', '.join(names[:20])}" if names else "it is empty"
        module.fail_json(msg=f"{module.params['repository']} has no branch or tag {version}; {has}")
        return
    result: dict[str, Any] = {"changed": False, "commit": chosen[0], "ref": chosen[1], "unknown": ""}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
