#!/usr/bin/python
"""Put a file of any size into its place, predictable before anything is transferred."""

from __future__ import annotations

DOCUMENTATION = r"""
module: uploaded_file
short_description: A file of any size, compared by digest, checked when it has arrived, put into place at once
description:
  - Writes a regular file with its permissions beside O(path) and renames it. Folders above it are created.
  - The action plugin of the same name reads O(source) and sends it by the connection's file transfer (SFTP with ssh)
    when the host has not got it and check mode is off. Small files go with the arguments.
  - What was replaced can be kept beside it; nothing else that is no regular file is replaced without O(force).
options:
  path: {description: Absolute path on the host., type: str, required: true}
  source: {description: Absolute path on the machine that runs Ansible., type: str}
  content: {description: Text in place of O(source)., type: str}
  content_base64: {description: The bytes of a small file; the action plugin sets it., type: str}
  size: {description: Bytes of the file; the action plugin sets it., type: int}
  sha256: {description: Its digest, hexadecimal; the action plugin sets it., type: str}
  staged: {description: Where the file lies on the host by now; the action plugin sets it., type: str}
  mode: {description: Octal permissions as a string. Unset keeps them; a new file gets 0644., type: str}
  owner: {description: Name or number. Unset keeps it; a new file belongs to the user that runs the module., type: str}
  group: {description: The same for the group., type: str}
  force: {description: Whether to replace what is no regular file., type: bool, default: false}
  backup: {description: Whether to keep a replaced file under a name with the date., type: bool, default: false}
  known_owners:
    description: Users and groups that earlier steps of the same run create.
    type: list
    elements: str
    default: []
  sensitive: {description: Keep the content out of the diff and the result., type: bool, default: false}
attributes: {check_mode: {support: full}, diff_mode: {support: full}}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Bring the release
  ansible.legacy.uploaded_file: {path: /srv/app/release.tar, source: /home/me/release.tar, backup: true}
"""

RETURN = r"""
file: {description: The path., type: str, returned: always}
created: {description: Whether nothing was at the path before., type: bool, returned: always}
parents: {description: Folders above it that were or would be created., type: list, returned: always}
backup_file: {description: Where the replaced file is., type: str, returned: when one was kept}
wanted: {description: The file has to be sent., type: bool, returned: to the action plugin}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import base64
import grp
import hashlib
import io
import os
import pwd
import shutil
import stat
import tempfile
import time
from typing import Any, BinaryIO

from ansible.module_utils.basic import AnsibleModule

SHOWN = 200_000
CHUNK = 1 << 20
KINDS = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


class Content:
    """Bytes by size and digest; ``data`` where they are few enough to be shown."""

    def __init__(self, size: int, digest: str, data: bytes | None) -> None:
        self.size, self.digest, self.data = size, digest, data

    def show(self, sensitive: bool) -> str:
        if sensitive:
            return "(sensitive)\n"
        try:
            text = self.data.decode() if self.data is not None else None
        except UnicodeDecodeError:
            text = "\0"
        if text is not None and "\0" not in text:
            return text
        sort = "large" if self.data is None else "binary"
        return f"({sort}, {self.size} bytes, sha256 {self.digest})\n"


def read_content(file: BinaryIO, copy: BinaryIO | None = None) -> Content:
    digest, head, size = hashlib.sha256(), b"", 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        if len(head) <= SHOWN:
            head = (head + chunk)[: SHOWN + 1]
        size += len(chunk)
        if copy is not None:
            copy.write(chunk)
    return Content(size, digest.hexdigest(), head if size <= SHOWN else None)


def find_wanted(module: AnsibleModule) -> Content:
    params = module.params
    data = None
    if params["content"] is not None:
        data = params["content"].encode(errors="surrogateescape")
    elif params["content_base64"] is not None:
        data = base64.b64decode(params["content_base64"])
    if data is not None:
        return read_content(io.BytesIO(data))
    if params["sha256"] is None or params["size"] is None:
        module.fail_json(msg="source is read by the action plugin of the role file, which was not found")
    return Content(params["size"], params["sha256"], None)


def name_of(look_up: Any, number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


class Target:
    """What is at the path, and what its permissions shall be."""

    def __init__(self, module: AnsibleModule, path: str) -> None:
        self.module, self.kind, self.content, self.blind_spots = module, "absent", None, list[str]()
        self.had: dict[str, str] = {}
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            status = None
        if status is not None and stat.S_ISREG(status.st_mode):
            self.kind = "file"
            self.had = {
                "mode": f"{stat.S_IMODE(status.st_mode):04o}",
                "owner": name_of(pwd.getpwuid, status.st_uid),
                "group": name_of(grp.getgrgid, status.st_gid),
            }
            with open(path, "rb") as file:
                self.content = read_content(file)
        elif status is not None:
            self.kind = KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        params = module.params
        self.attributes = {
            "mode": f"{int(params['mode'], 8):04o}" if params["mode"] else self.had.get("mode", "0644"),
            "owner": params["owner"] or self.had.get("owner", name_of(pwd.getpwuid, os.geteuid())),
            "group": params["group"] or self.had.get("group", name_of(grp.getgrgid, os.getegid())),
        }
        self.ids = [self.find_id(pwd.getpwnam, "owner"), self.find_id(grp.getgrnam, "group")]

    def find_id(self, look_up: Any, what: str) -> int:
        name = self.attributes[what]
        if name.isdigit():
            return int(name)
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


def find_missing_parents(path: str) -> list[str]:
    missing, parent = [], os.path.dirname(path)
    while not os.path.isdir(parent):
        if os.path.lexists(parent):
            raise NotADirectoryError(f"{parent} is not a folder")
        missing.append(parent)
        parent = os.path.dirname(parent)
    return missing[::-1]


def make_diffs(path: str, target: Target, wanted: Content, replaces: bool) -> list[dict[str, str]]:
    """Return the permissions first: they read well above the content, also where somebody joins the two."""
    params = target.module.params
    moved = [key for key, value in target.attributes.items() if target.had.get(key) != value]
    before = "".join(f"{key}: {target.had[key]}\n" for key in moved if key in target.had)
    after = "".join(f"{key}: {target.attributes[key]}\n" for key in moved)
    if replaces and target.kind == "file" and params["backup"]:
        # Its name has the time of the run in it, which nobody knows yet.
        after += f"backup: {path}.NUMBER.DATE@TIME~\n"
    diffs = [(f"{path} (permissions)", before, after)]
    if replaces:
        was = target.content.show(params["sensitive"]) if target.content else ""
        becomes = wanted.show(params["sensitive"])
        if target.kind not in ("file", "absent"):
            was = f"{target.kind}\n"
        if params["sensitive"] and was == becomes:
            becomes = "(sensitive, changed)\n"
        diffs.append((path, was, becomes))
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


def put_in_place(module: AnsibleModule, path: str, target: Target, wanted: Content, source: BinaryIO) -> str:
    """Write beside the path, compare, keep the old file, rename. Returns the backup's path, or nothing."""
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)[:100]}.")
    kept = ""
    try:
        with os.fdopen(handle, "wb") as file:
            # The permissions are right before the content is there, and a reader sees the old file or the new one.
            os.fchown(file.fileno(), *target.ids)
            os.fchmod(file.fileno(), int(target.attributes["mode"], 8))
            written = read_content(source, file)
            file.flush()
            os.fsync(file.fileno())
        with open(beside, "rb") as file:
            stored = read_content(file)
        if {written.digest, stored.digest} != {wanted.digest}:
            module.fail_json(msg=f"what arrived for {path} is not what was sent; nothing was replaced")
        if target.kind == "file" and module.params["backup"]:
            kept = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~')}"
            keep(module, path, kept)
        if target.kind == "directory":
            shutil.rmtree(path)
        os.replace(beside, path)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)
    module.set_default_selinux_context(path, False)
    return kept


def keep(module: AnsibleModule, path: str, kept: str) -> None:
    """Give the old file a second name, which costs no space; copy it where the file system knows none."""
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:
        module.preserved_copy(path, kept)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "source": {"type": "str"},
            "content": {"type": "str"},
            "content_base64": {"type": "str"},
            "size": {"type": "int"},
            "sha256": {"type": "str"},
            "staged": {"type": "str"},
            "mode": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "force": {"type": "bool", "default": False},
            "backup": {"type": "bool", "default": False},
            "known_owners": {"type": "list", "elements": "str", "default": []},
            "sensitive": {"type": "bool", "default": False},
        },
        mutually_exclusive=[["content", "source"]],
        required_one_of=[["content", "source", "sha256"]],
        supports_check_mode=True,
    )
    params = module.params
    path = params["path"]
    if params["sensitive"]:
        module.no_log_values.update(params[key] for key in ("content", "content_base64") if params[key])
    if not path.startswith("/") or os.path.normpath(path) in ("/", "//") or not path.isprintable():
        module.fail_json(msg=f"{path!r} is not an absolute path to a file")
    path = os.path.normpath(path)
    wanted, target = find_wanted(module), Target(module, path)
    if params["sha256"] and wanted.digest != params["sha256"]:
        module.fail_json(msg=f"what arrived for {path} is not what was sent; nothing was replaced")
    if target.kind not in ("absent", "file") and not params["force"]:
        module.fail_json(msg=f"{path} is not a regular file but a {target.kind}; force replaces it")
    try:
        missing = find_missing_parents(path)
    except NotADirectoryError as error:
        module.fail_json(msg=str(error))
    replaces = target.content is None or target.content.digest != wanted.digest
    diffs = make_diffs(path, target, wanted, replaces)
    # Not "path": AnsibleModule expands $NAMES in what is returned as that, and fails.
    result: dict[str, Any] = {"file": path, "changed": bool(diffs), "diff": diffs, "parents": missing}
    result["created"] = target.kind == "absent"
    if target.blind_spots:
        result["blind_spot"] = "; ".join(dict.fromkeys(target.blind_spots))
    if diffs and not module.check_mode:
        if replaces and wanted.data is None and not params["staged"]:
            module.exit_json(changed=False, wanted=True)
        try:
            make_parents(module, missing)
            if replaces:
                handle = io.BytesIO(wanted.data) if wanted.data is not None else open_staged(params["staged"])
                with handle as source:
                    if kept := put_in_place(module, path, target, wanted, source):
                        result["backup_file"] = kept
            else:
                os.chown(path, *target.ids)
                os.chmod(path, int(target.attributes["mode"], 8))
        except OSError as error:
            module.fail_json(msg=f"{path} cannot be written: {error}")
    module.exit_json(**result)


def open_staged(path: str) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


if __name__ == "__main__":
    main()
