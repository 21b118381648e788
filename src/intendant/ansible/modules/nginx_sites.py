#!/usr/bin/python
"""Site files of nginx, live only when nginx accepts the whole configuration with them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_sites
short_description: Site files of nginx, tested against the whole configuration first
description:
  - Each site is one file C(/etc/nginx/conf.d/intendant-NAME.conf); other files are left alone.
  - The files are tested together with the rest of the configuration before any is written, in a private mount
    namespace where a copy of C(/etc/nginx) lies over the real one. Check mode tests the same way.
  - After that a running nginx is reloaded. If it does not take up the new configuration, the former files come back.
options:
  sites:
    description: The files, each a dictionary of C(name) and C(content); without C(content) the file is deleted.
    type: list
    elements: dict
    default: []
  default_site:
    description: Whether the site that Debian's package ships is switched on. V(unchanged) leaves it as it is.
    type: str
    choices: [enabled, disabled, unchanged]
    default: unchanged
  fresh:
    description: >-
      An earlier step of the same run brings nginx. The shipped site then counts as not there before the run, in both
      modes, and check mode tests nothing if nginx is not there.
    type: bool
    default: false
  expected_files:
    description: Files that earlier steps of the same run bring. Check mode tests with other certificates instead.
    type: list
    elements: str
    default: []
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Serve a folder
  ansible.legacy.nginx_sites:
    sites: [{name: docs, content: "server { listen 8080; root /srv/docs; }\n"}]
"""

RETURN = r"""
blind_spot: {description: What check mode could not see., type: str, returned: in check mode when something was assumed}
"""

import contextlib
import glob
import os
import re
import shutil
import sys
import tempfile
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HOME = "/etc/nginx"
SHIPPED, SWITCH = f"{HOME}/sites-available/default", f"{HOME}/sites-enabled/default"
LOG = "/var/log/nginx/error.log"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
STAMP = re.compile(r"^.*?\[\w+\] (\d+#\d+: )?(\*\d+ )?")
TLS_FILE = re.compile(r"^(\s*ssl_certificate(?:_key)?\s+)(/[^\s;]+);", re.MULTILINE)
# Runs inside the namespace. 97 tells that the copy could not be laid over the real folder.
TEST = f"""
import os, subprocess, sys
if subprocess.run(["mount", "--bind", sys.argv[1], "{HOME}"]).returncode != 0:
    sys.exit(97)
os.execvp("nginx", ["nginx", "-t"])
"""


class Nginx:
    """The server on this host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.present = module.get_bin_path("nginx", opt_dirs=["/usr/sbin"]) is not None

    def run(self, *argv: str) -> tuple[int, str]:
        rc, out, err = self.module.run_command(
            list(argv), environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
        )
        return rc, err or out

    def test_copy(self, folder: str) -> tuple[bool | None, str]:
        """Test a copy of the configuration in the place of the real one; None where the host does not allow that."""
        namespace = ["unshare", "--mount", "--propagation", "private", "--"]
        rc, said = self.run(*namespace, sys.executable, "-c", TEST, folder)
        if rc == 97 or said.startswith("unshare:"):
            return None, said
        return rc == 0, said

    def read_workers(self) -> set[str]:
        """Return the workers that serve; those of a former configuration say that they are shutting down."""
        rc, out = self.run("systemctl", "show", "--property=MainPID", "--value", "nginx.service")
        if rc != 0 or out.strip() in ("", "0"):
            return set()
        found = set()
        for folder in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError), open(f"{folder}/status") as status, open(f"{folder}/cmdline") as title:
                mine = f"\nPPid:\t{out.strip()}\n" in status.read()
                if mine and title.read().strip("\0 ").endswith("worker process"):
                    found.add(folder)
        return found

    def reload(self) -> str:
        """Reload a running server. Returns what went wrong, or nothing."""
        former = self.read_workers()
        size = os.path.getsize(LOG) if os.path.exists(LOG) else 0
        rc, said = self.run("systemctl", "reload", "nginx.service")
        deadline = time.monotonic() + 15
        while rc == 0 and time.monotonic() < deadline and "still could not bind" not in said:
            if self.read_workers() - former:
                return ""
            time.sleep(0.2)
            said = read_log(size)
        return said.strip() or "no worker of the new configuration came up"


def read_log(start: int) -> str:
    """Return what nginx called fatal since then, each once."""
    try:
        with open(LOG, errors="replace") as file:
            file.seek(start)
            lines = [line.split(": ", 1)[-1].strip() for line in file if "[emerg]" in line]
    except OSError:
        return ""
    return "[emerg] " + "; ".join(dict.fromkeys(lines)) if lines else ""


def read_file(path: str) -> str | None:
    """Return the text of a file, the target of a link with a mark, or None if there is nothing."""
    if os.path.islink(path):
        return f"link to {os.readlink(path)}\n"
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def put(root: str, path: str, content: str | None) -> None:
    """Write, link or delete one file below a root, atomically."""
    path = root + path
    if content is None:
        if os.path.lexists(path):
            os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    # nginx reads *.conf only, so it never meets a half-written one.
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")
    if content.startswith("link to "):
        os.symlink(content[len("link to ") :].rstrip("\n"), beside)
    else:
        with open(beside, "w", errors="surrogateescape") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    os.replace(beside, path)


class Wanted:
    """What shall be in the files, and what is in them now."""

    def __init__(self, module: AnsibleModule) -> None:
        params = module.params
        self.module = module
        self.files: dict[str, str | None] = {}
        for site in params["sites"]:
            if not NAME.match(site["name"]):
                module.fail_json(msg=f"{site['name']!r} cannot be the name of a site")
            self.files[f"{HOME}/conf.d/intendant-{site['name']}.conf"] = site.get("content")
        link = f"link to {SHIPPED}\n"
        if params["default_site"] != "unchanged":
            self.files[SWITCH] = link if params["default_site"] == "enabled" else None
        self.found = {path: read_file(path) for path in self.files}
        if self.found.get(SWITCH) not in (None, link):
            module.fail_json(msg=f"{SWITCH} is not the link that the package made; move it out of the way by hand")
        self.open = [path for path, content in self.files.items() if self.found[path] != content]
        self.before = {**self.found, SWITCH: None} if params["fresh"] else self.found

    def make_diffs(self) -> list[dict[str, str]]:
        return [
            {"before": self.before[path] or "", "after": content or "", "before_header": path, "after_header": path}
            for path, content in self.files.items()
            if self.before[path] != content
        ]

    def write(self, root: str = "") -> None:
        for path in self.open:
            put(root, path, self.files[path])

    def restore(self) -> None:
        for path in self.open:
            put("", path, self.found[path])

    def stand_in(self, nginx: Nginx, folder: str) -> list[str]:
        """Let certificates that are not there yet be others in the copy. Returns those nobody has promised."""
        assumed: list[str] = []
        stand_ins = {"certificate": f"{folder}/stand-in.pem", "key": f"{folder}/stand-in.key"}
        for path in self.open:
            content = self.files[path] or ""
            missing = [name for _, name in TLS_FILE.findall(content) if not os.path.exists(name)]
            if not missing:
                continue
            if not os.path.exists(stand_ins["key"]):
                nginx.run(
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=stand-in", "-keyout", stand_ins["key"], "-out", stand_ins["certificate"],
                )  # fmt: skip
            assumed += [name for name in missing if name not in self.module.params["expected_files"]]

            def replace(found: re.Match[str]) -> str:
                kind = "key" if "_key" in found[1] else "certificate"
                return f"{found[1]}{found[2] if os.path.exists(found[2]) else stand_ins[kind]};"

            put(folder, path, TLS_FILE.sub(replace, content))
        return list(dict.fromkeys(assumed))


def test(module: AnsibleModule, nginx: Nginx, wanted: Wanted) -> tuple[bool, str]:
    """Test the wanted files with the rest. Returns whether that was possible, and what check mode assumed for it."""
    with tempfile.TemporaryDirectory(prefix="nginx-test-") as folder:
        shutil.copytree(HOME, folder + HOME, symlinks=True)
        wanted.write(folder)
        assumed, untestable = "", "the configuration could not be tested beside the real one on this host"
        try:
            if module.check_mode and (missing := wanted.stand_in(nginx, folder)):
                assumed = f"not there yet, and assumed to be brought by an earlier step: {', '.join(missing)}"
            good, said = nginx.test_copy(folder + HOME)
        except OSError:
            return False, untestable
        said = said.replace(folder, "")
    if good is None:
        return False, untestable
    if not good:
        reasons = [STAMP.sub("", line) for line in said.splitlines() if "[emerg]" in line] or said.splitlines()
        module.fail_json(msg=f"nginx refuses the configuration, nothing was changed: {'; '.join(reasons)}")
    for line in said.splitlines():
        if "[warn]" in line:
            module.warn(STAMP.sub("", line))
    return True, assumed


def activate(module: AnsibleModule, nginx: Nginx, wanted: Wanted, tested: bool) -> None:
    """Write the files and let a running server take them up, or bring the former ones back."""
    wanted.write()
    if not tested and nginx.present:
        rc, said = nginx.run("nginx", "-t")
        if rc != 0:
            wanted.restore()
            module.fail_json(msg=f"nginx refuses the configuration, the former one is back: {said.strip()}")
    running = nginx.run("systemctl", "is-active", "--quiet", "nginx.service")[0] == 0
    if running and (wrong := nginx.reload()):
        wanted.restore()
        nginx.run("systemctl", "reload", "nginx.service")
        module.fail_json(
            msg=f"nginx could not take up the configuration, the former one is back and served: {wrong}. Another "
            "program may hold the port; an address that only became narrower needs the site removed and added again"
        )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "sites": {"type": "list", "elements": "dict", "default": []},
            "default_site": {"type": "str", "choices": ["enabled", "disabled", "unchanged"], "default": "unchanged"},
            "fresh": {"type": "bool", "default": False},
            "expected_files": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    nginx, wanted = Nginx(module), Wanted(module)
    diffs = wanted.make_diffs()
    result: dict[str, Any] = {"changed": bool(diffs), "diff": diffs}
    tested = False
    if wanted.open and nginx.present:
        tested, assumed = test(module, nginx, wanted)
        if module.check_mode and assumed:
            result["blind_spot"] = assumed
    elif wanted.open and any(wanted.files.values()) and not module.params["fresh"]:
        if not module.check_mode:
            module.fail_json(msg="there is no nginx on this host to serve the sites")
        result["blind_spot"] = "nginx is not there yet, so the sites were not tested"
    if wanted.open and not module.check_mode:
        activate(module, nginx, wanted, tested)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
