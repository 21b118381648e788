#!/usr/bin/python
"""Manage a file, folder or link literally, predictable before its folder or owner exists."""

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_file
short_description: A file, folder or link with the same diff in check mode and for real
description:
  - Writes O(content) byte for byte and atomically, and creates missing folders above it.
  - A folder or an owner that does not exist yet does not break check mode; the prediction is then marked with
    RV(blind_spot) unless O(known_owners) names the owner.
  - Folders created on the way belong to the owner of the nearest existing one and have mode 0755.
options:
  path:
    description: Absolute path on the host.
    type: str
    required: true
  state:
    description: What to reach.
    type: str
    choices: [present, directory, link, absent]
    default: present
  content:
    description: What O(path) shall contain. Unset keeps the content and creates an empty file at most.
    type: str
  content_base64: {description: "The same, base64-encoded, for anything that is not text.", type: str}
  target: {description: Where a link points to., type: str}
  mode:
    description: Octal permissions as a string. Unset keeps them; new files get 0644 and new folders 0755.
    type: str
  owner:
    description: Name or number of the owner. Unset keeps it; new files belong to the user that runs the module.
    type: str
  group:
    description: Name or number of the group, as with O(owner).
    type: str
  force:
    description: Allow to delete a folder that is not empty, or to replace something of another kind.
    type: bool
    default: false
  validate:
    description: Arguments of a command that accepts or refuses a copy of the new content, C(%s), in check mode too.
    type: list
    elements: str
  validator_expected:
    description: The program of O(validate) comes in the same run; check mode makes no RV(blind_spot) of its absence.
    type: bool
    default: false
  known_owners:
    description: Users and groups that earlier steps of the same run create.
    type: list
    elements: str
    default: []
  sensitive:
    description: Keep the content out of the diff and the result.
    type: bool
    default: false
attributes: {check_mode: {support: full}, diff_mode: {support: full}}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Greet
  ansible.legacy.managed_file: {path: /etc/motd, content: "Welcome.\n"}
"""

RETURN = r"""
file: {description: The path., type: str, returned: always}
created: {description: Whether nothing was at the path before., type: bool, returned: always}
parents: {description: Folders above it that were or would be created., type: list, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import base64
import grp
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

SHOWN = 200_000
KINDS = {stat.S_IFREG: "present", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


class Found:
    """What is at a path now."""

    def __init__(self, path: str) -> None:
        self.kind, self.content, self.attributes = "absent", b"", {"mode": "", "owner": "", "group": ""}
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        self.kind = KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        self.attributes = {
            "mode": f"{stat.S_IMODE(status.st_mode):04o}",
            "owner": name_of(pwd.getpwuid, status.st_uid),
            "group": name_of(grp.getgrgid, status.st_gid),
        }
        if self.kind == "present":
            with open(path, "rb") as handle:
                self.content = handle.read()
        elif self.kind == "link":
            self.content = os.readlink(path).encode(errors="surrogateescape")
        elif self.kind == "directory":
            self.content = "".join(f"{name}\n" for name in sorted(os.listdir(path))).encode(errors="surrogateescape")


def name_of(look_up: Any, number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def show(kind: str, content: bytes, sensitive: bool) -> str:
    """Render content for the diff: text as it is, anything else by size and digest."""
    if kind == "link":
        return f"link to {content.decode(errors='replace')}\n"
    if kind == "directory":
        return "directory\n"
    if kind != "present":
        return "" if kind == "absent" else f"{kind}\n"
    if sensitive:
        return "(sensitive)\n"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or len(content) > SHOWN:
        sort = "binary" if "\0" in text else "text"
        return f"({sort}, {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()})\n"
    return text


class Plan:
    """What shall be at the path."""

    def __init__(self, module: AnsibleModule, found: Found) -> None:
        params = module.params
        self.module, self.kind, self.blind_spots = module, params["state"], list[str]()
        self.content = found.content if found.kind == self.kind else b""
        if params["content_base64"] is not None:
            self.content = base64.b64decode(params["content_base64"])
        text = params["target"] if self.kind == "link" else params["content"]
        if text is not None:
            self.content = text.encode(errors="surrogateescape")
        kept = found.attributes if found.kind == self.kind else {}
        self.attributes = {
            "mode": params["mode"] and f"{int(params['mode'], 8):04o}" or kept.get("mode", self.default_mode()),
            "owner": params["owner"] or kept.get("owner", name_of(pwd.getpwuid, os.geteuid())),
            "group": params["group"] or kept.get("group", name_of(grp.getgrgid, os.getegid())),
        }
        if self.kind == "link":
            self.attributes["mode"] = "0777"
        if self.kind == "absent":
            self.content, self.attributes = b"", dict.fromkeys(self.attributes, "")
        self.ids = [self.find_id(pwd.getpwnam, "owner"), self.find_id(grp.getgrnam, "group")]

    def default_mode(self) -> str:
        return "0755" if self.kind == "directory" else "0644"

    def find_id(self, look_up: Any, what: str) -> int:
        name = self.attributes[what]
        if name == "" or name.isdigit():
            return int(name or -1)
        try:
            return int(look_up(name)[2])
        except KeyError:
            if not self.module.check_mode:
                self.module.fail_json(msg=f"the {what} {name} does not exist on this host")
            if name not in self.module.params["known_owners"]:
                self.blind_spots.append(
                    f"the {what} {name} does not exist yet; an earlier step is assumed to create it"
                )
            return -1

    def validate(self) -> None:
        argv = self.module.params["validate"]
        with tempfile.NamedTemporaryFile() as handle:
            handle.write(self.content)
            handle.flush()
            argv = [part.replace("%s", handle.name) for part in argv]
            try:
                rc, out, err = self.module.run_command(
                    argv, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
                )
            except OSError as error:
                if not self.module.check_mode:
                    self.module.fail_json(msg=f"the content cannot be validated: {argv[0]}: {error.strerror}")
                if not self.module.params["validator_expected"]:
                    self.blind_spots.append(f"{argv[0]} is not there yet, so the content was not validated")
                return
        if rc != 0:
            self.module.fail_json(
                msg=f"{argv[0]} refuses the content: {(err or out).replace(handle.name, 'it').strip()}"
            )


def find_missing_parents(path: str) -> list[str]:
    missing, parent = [], os.path.dirname(path)
    while not os.path.isdir(parent):
        if os.path.lexists(parent):
            raise NotADirectoryError(f"{parent} is not a folder")
        missing.append(parent)
        parent = os.path.dirname(parent)
    return missing[::-1]


def list_tree(path: str) -> str:
    """Name what goes with a folder, so that its deletion can be judged."""
    inside = sorted(
        os.path.relpath(os.path.join(top, name), path) for top, dirs, files in os.walk(path) for name in dirs + files
    )
    more = [f"... and {len(inside) - 200} more"] if len(inside) > 200 else []
    return "".join(f"{line}\n" for line in ["directory", *(f"  {name}" for name in inside[:200]), *more])


def make_diffs(path: str, found: Found, plan: Plan, sensitive: bool) -> list[dict[str, str]]:
    """Return the permissions first: they read well above the content, also where somebody joins the two."""
    diffs = []
    if plan.kind not in ("absent", "link"):
        had = found.attributes if found.kind == plan.kind else {}
        moved = [key for key, value in plan.attributes.items() if had.get(key) != value]
        before = "".join(f"{key}: {had[key]}\n" for key in moved if key in had)
        after = "".join(f"{key}: {plan.attributes[key]}\n" for key in moved)
        diffs.append((f"{path} (permissions)", before, after))
    if found.kind != plan.kind or (found.content != plan.content and plan.kind != "directory"):
        before, after = show(found.kind, found.content, sensitive), show(plan.kind, plan.content, sensitive)
        if found.kind == "directory":
            before = list_tree(path)
        elif plan.kind == "absent" and not before:
            before = "(empty)\n"
        if sensitive and before == after:
            after = "(sensitive, changed)\n"
        diffs.append((path, before, after))
    return [
        {"before": before, "after": after, "before_header": header, "after_header": header}
        for header, before, after in diffs
        if before != after
    ]


def make_parents(module: AnsibleModule, missing: list[str]) -> None:
    for parent in missing:
        above = os.stat(os.path.dirname(parent))
        try:
            os.mkdir(parent)
        except FileExistsError:
            continue  # somebody else made it meanwhile, and owns it
        os.chown(parent, above.st_uid, above.st_gid)
        os.chmod(parent, 0o755)
        module.set_default_selinux_context(parent, False)


def apply(module: AnsibleModule, path: str, found: Found, plan: Plan) -> None:
    mode = int(plan.attributes["mode"] or "0", 8)
    if found.kind == "directory" and plan.kind != "directory":
        shutil.rmtree(path)
    elif found.kind != "absent" and plan.kind in ("absent", "directory") and found.kind != plan.kind:
        os.unlink(path)
    if plan.kind == "directory":
        if found.kind != "directory":
            os.mkdir(path, 0o700)
        os.chown(path, *plan.ids)
        os.chmod(path, mode)
    elif plan.kind == "link" and (found.kind != "link" or found.content != plan.content):
        beside = f"{path}.{os.getpid()}.new"
        os.symlink(plan.content, beside)
        os.replace(beside, path)
    elif plan.kind == "present" and (found.kind != "present" or found.content != plan.content):
        # The permissions are right before the content is there, and a reader sees the old file or the new one.
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)[:100]}.")
        with os.fdopen(handle, "wb") as file:
            os.fchown(file.fileno(), *plan.ids)
            os.fchmod(file.fileno(), mode)
            file.write(plan.content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    elif plan.kind == "present":
        os.chown(path, *plan.ids)
        os.chmod(path, mode)
    if plan.kind != "absent":
        module.set_default_selinux_context(path, False)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "directory", "link", "absent"], "default": "present"},
            "content": {"type": "str"},
            "content_base64": {"type": "str"},
            "target": {"type": "str"},
            "mode": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "force": {"type": "bool", "default": False},
            "validate": {"type": "list", "elements": "str"},
            "validator_expected": {"type": "bool", "default": False},
            "known_owners": {"type": "list", "elements": "str", "default": []},
            "sensitive": {"type": "bool", "default": False},
        },
        mutually_exclusive=[["content", "content_base64"]],
        required_if=[["state", "link", ["target"]]],
        supports_check_mode=True,
    )
    params = module.params
    path, sensitive = params["path"], params["sensitive"]
    if sensitive:
        module.no_log_values.update(params[key] for key in ("content", "content_base64") if params[key])
    if not path.startswith("/") or os.path.normpath(path) in ("/", "//") or not path.isprintable():
        module.fail_json(msg=f"{path!r} is not an absolute path to a file or folder")
    path = os.path.normpath(path)
    found = Found(path)
    plan = Plan(module, found)
    if found.kind not in ("absent", plan.kind) and not params["force"] and plan.kind != "absent":
        module.fail_json(msg=f"{path} is not of the wanted kind ({plan.kind}) but a {found.kind}; force replaces it")
    if plan.kind == "absent" and found.kind == "directory" and found.content and not params["force"]:
        module.fail_json(msg=f"the folder {path} is not empty; force deletes it with everything in it")
    try:
        missing = find_missing_parents(path) if plan.kind != "absent" else []
    except NotADirectoryError as error:
        module.fail_json(msg=str(error))
    if params["validate"] and plan.kind == "present" and plan.content != found.content:
        plan.validate()
    diffs = make_diffs(path, found, plan, sensitive)
    # Not "path": AnsibleModule expands $NAMES in what is returned as that, and fails.
    result: dict[str, Any] = {"file": path, "changed": bool(diffs), "diff": diffs, "parents": missing}
    result["created"] = found.kind == "absent" and plan.kind != "absent"
    if plan.blind_spots:
        result["blind_spot"] = "; ".join(dict.fromkeys(plan.blind_spots))
    if diffs and not module.check_mode:
        try:
            make_parents(module, missing)
            apply(module, path, found, plan)
        except OSError as error:
            module.fail_json(msg=f"{path} cannot be brought to the state {plan.kind}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
