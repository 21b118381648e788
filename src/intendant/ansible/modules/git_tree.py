#!/usr/bin/python
"""Keep a working tree at one commit of a repository, and never lose what somebody changed there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: git_tree
short_description: A working tree at one commit, with the same diff in check mode and for real
description:
  - Clones, updates or deletes the tree as the account that owns it. The commit comes from M(git_remote), so that check
    mode needs no git.
  - A branch becomes the local branch of its name, anything else a detached HEAD.
options:
  destination:
    description: Folder of the working tree.
    type: str
    required: true
  state:
    description: What to reach.
    type: str
    choices: [present, absent]
    default: present
  repository:
    description: URL, C(user@host:path) or absolute path.
    type: str
    required: true
  commit:
    description: Full commit. Empty when check mode cannot know it.
    type: str
    default: ""
  ref:
    description: Full name of the branch or tag; empty for a plain commit.
    type: str
    default: ""
  unknown:
    description: Why O(commit) is not known; it becomes the RV(blind_spot).
    type: str
    default: ""
  owner:
    description: Account that owns the tree and that git runs as.
    type: str
    default: root
  depth:
    description: Number of commits of the history to fetch. Unset fetches all.
    type: int
  key:
    description: Path on the host of a private ssh key that the owner can read.
    type: str
  host_keys:
    description: Lines as in C(known_hosts) that are trusted besides those of the host.
    type: list
    elements: str
    default: []
  force:
    description: Throw local changes away, also a tree of another repository.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Have the release that git_remote found
  ansible.legacy.git_tree:
    repository: https://git.example.org/app.git
    destination: /srv/app
    commit: "{{ __app.commit }}"
    ref: "{{ __app.ref }}"
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import os
import pwd
import re
import shlex
import shutil
import stat
import tempfile
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

# What was checked out before. Commits that are neither below these nor in the repository are somebody's own.
MARKS = "refs/intendant"
SAFE = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "submodule.recurse=false", "gc.autoDetach=false"]


def plain(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")


class Tree:
    """One working tree, handled as its owner."""

    def __init__(self, module: AnsibleModule, scratch: str) -> None:
        params = module.params
        self.module, self.path, self.entry, self.prefix = module, params["destination"], None, list[str]()
        known, key = f"{scratch}/known_hosts", params["key"]
        with open(known, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in params["host_keys"]))
        os.chmod(scratch, 0o755)
        self.environment = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:http:https:ssh"}
        self.environment["GIT_OPTIONAL_LOCKS"] = "0"  # reading writes nothing
        try:
            self.entry = pwd.getpwnam(params["owner"])
        except KeyError:
            return
        ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=20"]
        ssh += [f"-oUserKnownHostsFile={self.entry.pw_dir}/.ssh/known_hosts {known}"]
        ssh += [f"-i{key}", "-oIdentitiesOnly=yes"] if key else []
        self.environment |= {"HOME": self.entry.pw_dir, "GIT_SSH_COMMAND": shlex.join(ssh)}
        if self.entry.pw_uid != os.geteuid():
            ids = [f"--reuid={self.entry.pw_uid}", f"--regid={self.entry.pw_gid}", "--init-groups"]
            self.prefix = ["setpriv", *ids, "--"]

    def fail(self, reason: str) -> NoReturn:
        self.module.fail_json(msg=reason)
        raise AssertionError

    def run(self, *argv: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(
            [*self.prefix, *argv], cwd="/", environ_update=self.environment, expand_user_and_vars=False, umask=0o022
        )
        return rc, out, err.strip()

    def git(self, *argv: str, check: bool = True) -> str:
        options = [part for setting in SAFE for part in ("-c", setting)]
        rc, out, err = self.run("git", "-C", self.path, *options, *argv)
        if rc != 0 and check:
            self.fail(f"git {argv[0]} failed in {self.path}: {err}")
        return out if rc == 0 else ""

    def read(self) -> dict[str, str]:
        """Return what is there: nothing, or repository, branch, commit and local changes of a tree."""
        if not os.path.lexists(self.path):
            return {}
        status = os.lstat(self.path)
        if not stat.S_ISDIR(status.st_mode):
            self.fail(f"{self.path} is not a folder; it is left alone")
        if not os.path.isdir(f"{self.path}/.git"):
            if os.listdir(self.path):
                self.fail(f"the folder {self.path} is not empty and not a checkout of git; it is left alone")
            return {}
        if self.entry and status.st_uid != self.entry.pw_uid:
            self.fail(f"{self.path} does not belong to {self.entry.pw_name} but to the user number {status.st_uid}")
        if not shutil.which("git"):
            return {"repository": "", "branch": "", "commit": "", "changes": "", "all": "?"}
        self.git("rev-parse", "--git-dir")  # git says by itself what it does not trust
        commit = self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).strip()
        known = ["--not", f"--glob={MARKS}/*", "--remotes", "--tags"]
        log = ["rev-list", "--max-count=50", "--pretty=oneline", "--abbrev-commit", "--branches", commit, *known]
        own = indent(self.git(*log)) if commit else ""
        status_of = ["status", "--porcelain", "--no-renames", "--ignore-submodules=all"]
        everything = self.git(*status_of, "--untracked-files=normal", "--ignored") + self.git("stash", "list")
        return {
            "repository": self.git("config", "--get", "remote.origin.url", check=False).strip(),
            "branch": self.git("symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip(),
            "commit": commit,
            "changes": own + indent(self.git(*status_of, "--untracked-files=no")),
            "all": own + indent(everything),
        }

    def make_folder(self) -> None:
        """Create the folder, as the owner where the owner may: nobody shall lead root elsewhere by a link."""
        assert self.entry is not None
        above = os.path.dirname(self.path)
        while not os.path.isdir(above):
            above = os.path.dirname(above)
        if os.stat(above).st_uid == self.entry.pw_uid:
            rc, _out, err = self.run("mkdir", "-p", "--", self.path)
            if rc != 0:
                self.fail(f"{self.path} cannot be created: {err}")
            return
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        os.fchown(handle, self.entry.pw_uid, self.entry.pw_gid)
        os.close(handle)

    def fetch(self, ref: str, commit: str, depth: int | None) -> None:
        kind, _, name = ref.removeprefix("refs/").partition("/")
        everything = ["+refs/heads/*:refs/remotes/origin/*"]
        wanted = {"heads": [f"+{ref}:refs/remotes/origin/{name}"], "tags": [f"+{ref}:{ref}"]}.get(kind, [])
        if depth:
            self.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", *(wanted or [commit]))
        else:
            unshallow = ["--unshallow"] if os.path.exists(f"{self.path}/.git/shallow") else []
            self.git("fetch", "--quiet", "--tags", "--force", *unshallow, "origin", *everything, *wanted)
        if not self.git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False):
            self.git("fetch", "--quiet", "--no-tags", "origin", ref or commit)
            self.git("rev-parse", "--verify", f"{commit}^{{commit}}")

    def check_out(self, found: dict[str, str]) -> None:
        params = self.module.params
        commit, ref = params["commit"], params["ref"]
        if not found:
            self.make_folder()
            self.git("init", "--quiet", "--template=")
        self.git("config", "remote.origin.url", params["repository"])
        self.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        if commit != found.get("commit") or params["repository"] != found.get("repository"):
            self.fetch(ref, commit, params["depth"])
        force = ["--force"] if params["force"] else []
        if branch := branch_of(ref):
            self.git("checkout", "--quiet", *force, "--no-track", "-B", branch, commit)
            self.git("config", f"branch.{branch}.remote", "origin")
            self.git("config", f"branch.{branch}.merge", ref)
        else:
            self.git("checkout", "--quiet", *force, "--detach", commit)
        self.git("update-ref", f"{MARKS}/heads/{branch}" if branch else f"{MARKS}/HEAD", commit)


def indent(text: str) -> str:
    lines = text.splitlines()
    return "".join(f"  {line}\n" for line in [*lines[:50], *(["..."] if len(lines) > 50 else [])])


def branch_of(ref: str) -> str:
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""


def describe(params: dict[str, Any], repository: str, branch: str, commit: str, changes: str) -> str:
    shown = {"repository": repository, "branch": branch or "(none, detached)", "commit": commit or "(not known yet)"}
    text = f"owner: {params['owner']}\n" + "".join(f"{key}: {value}\n" for key, value in shown.items())
    return text + (f"local changes:\n{changes}" if changes else "")


def make_diff(path: str, before: str, after: str) -> dict[str, str]:
    return {"before": before, "after": after, "before_header": f"checkout {path}", "after_header": f"checkout {path}"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "destination": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "repository": {"type": "str", "required": True},
            "commit": {"type": "str", "default": ""},
            "ref": {"type": "str", "default": ""},
            "unknown": {"type": "str", "default": ""},
            "owner": {"type": "str", "default": "root"},
            "depth": {"type": "int"},
            "key": {"type": "str", "no_log": False},
            "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    with tempfile.TemporaryDirectory() as scratch:
        (converge if module.params["state"] == "present" else remove)(module, Tree(module, scratch))


def converge(module: AnsibleModule, tree: Tree) -> None:
    params, found = module.params, tree.read()
    url, commit, branch = params["repository"], params["commit"], branch_of(params["ref"])
    if url.startswith("-") or commit.startswith("-"):
        tree.fail("repository and commit must not start with a dash")
    other = found and plain(found["repository"]) != plain(url)
    moves = not found or commit != found["commit"] or branch != found["branch"] or other
    if other and found["repository"] and not params["force"]:
        tree.fail(f"{tree.path} is a checkout of {found['repository']}, not of {url}; force makes it one of {url}")
    if found and moves and found["changes"] and not params["force"]:
        tree.fail(f"{tree.path} has local changes, which only force throws away:\n{found['changes']}")
    before = describe(params, found["repository"], found["branch"], found["commit"], found["changes"]) if found else ""
    changed = bool(moves or (params["force"] and found["changes"]))
    after = describe(params, url if moves else found["repository"], branch, commit, "") if changed else before
    result: dict[str, Any] = {"changed": changed, "diff": make_diff(tree.path, before, after)}
    if module.check_mode and changed and params["unknown"]:
        result["blind_spot"] = f"the commit is not known yet: {params['unknown']}"
    if module.check_mode or not changed:
        module.exit_json(**result)
    if tree.entry is None or not re.match(r"([0-9a-f]{40}|[0-9a-f]{64})\Z", commit):
        tree.fail(f"the account {params['owner']} and a full commit are needed; got {commit!r}")
    existed = os.path.lexists(tree.path)
    try:
        tree.check_out(found)
    except (OSError, SystemExit) as error:
        if not existed and os.path.isdir(tree.path):
            shutil.rmtree(tree.path, ignore_errors=True)
        if isinstance(error, OSError):
            tree.fail(f"{tree.path} cannot be checked out: {error}")
        raise
    module.exit_json(**result)


def remove(module: AnsibleModule, tree: Tree) -> None:
    params, found = module.params, tree.read()
    if not os.path.lexists(tree.path):
        module.exit_json(changed=False)
    if not found:
        tree.fail(f"{tree.path} is not a checkout of git; it is left alone")
    if plain(found["repository"]) != plain(params["repository"]) and not params["force"]:
        tree.fail(f"{tree.path} is a checkout of {found['repository'] or 'something'}; only force deletes it")
    if found["all"] and not params["force"]:
        tree.fail(f"{tree.path} holds what the repository does not; only force deletes it:\n{found['all']}")
    before = describe(params, found["repository"], found["branch"], found["commit"], found["all"])
    if not module.check_mode:
        shutil.rmtree(tree.path)
    module.exit_json(changed=True, diff=make_diff(tree.path, before, ""))


if __name__ == "__main__":
    main()
