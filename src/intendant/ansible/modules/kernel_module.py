#!/usr/bin/python
"""Load or unload a kernel module, with a prediction that knows what the kernel has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_module
short_description: A kernel module, loaded or unloaded
description:
  - Loads or unloads one module with modprobe. One that is built into the kernel counts as loaded.
  - A module that the running kernel does not have is refused, in check mode too.
  - A module that is in use stays loaded until the next boot, and the diff says so.
options:
  name:
    description: Name of the module.
    type: str
    required: true
  state:
    description: What to reach. V(known) only refuses a module that the kernel does not have.
    type: str
    choices: [loaded, unloaded, known]
    default: loaded
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Let the bridge meet the firewall
  ansible.legacy.kernel_module:
    name: br_netfilter
"""

RETURN = r"""
name: {description: Name of the module as the kernel spells it., type: str, returned: always}
"""

import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


def spell(name: str) -> str:
    return name.replace("-", "_")


def read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def read_files(lines: list[str]) -> set[str]:
    """Return the modules that a list of files names, such as modules.dep or modules.builtin."""
    files = (os.path.basename(line.partition(":")[0].strip()) for line in lines)
    return {spell(file.partition(".ko")[0]) for file in files if ".ko" in file}


def read_loaded(lines: list[str]) -> dict[str, bool]:
    """Return the modules of /proc/modules, and whether each is in use."""
    return {parts[0]: parts[2] != "0" for parts in map(str.split, lines) if len(parts) > 2}


def describe(name: str, built_in: bool, loaded: bool, note: str = "") -> str:
    return f"{name}: {'built into the kernel' if built_in else 'loaded' if loaded else 'not loaded'}{note}\n"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["loaded", "unloaded", "known"], "default": "loaded"},
        },
        supports_check_mode=True,
    )
    state = module.params["state"]
    if not NAME.match(module.params["name"]):
        module.fail_json(msg=f"{module.params['name']!r} is not the name of a kernel module")
    name, release = spell(module.params["name"]), os.uname().release
    folder = f"/lib/modules/{release}"
    built_in = name in read_files(read_lines(f"{folder}/modules.builtin"))
    in_use = read_loaded(read_lines("/proc/modules"))
    loaded = built_in or name in in_use
    if not loaded and state != "unloaded" and name not in read_files(read_lines(f"{folder}/modules.dep")):
        hint = "" if os.path.isdir(folder) else f"; without {folder} it is a container, or waits for a reboot"
        module.fail_json(msg=f"the kernel {release} of this host has no module {name}{hint}")
    stays = state == "unloaded" and (built_in or in_use.get(name, False))
    after_loaded = loaded if state == "known" or stays else state == "loaded"
    before, after = describe(name, built_in, loaded), describe(name, built_in, after_loaded)
    if stays and not built_in:
        # Nothing changes now; it is said in both, so that it is no change either.
        before = after = describe(name, built_in, loaded, " (in use; stays until the next boot)")
    result: dict[str, Any] = {"changed": before != after, "name": name}
    header = "kernel module"
    result["diff"] = {"before": before, "after": after, "before_header": header, "after_header": header}
    if result["changed"]:
        program = module.get_bin_path("modprobe", opt_dirs=["/usr/sbin", "/sbin"])
        if program is None:
            module.fail_json(msg="this host has no modprobe; install the package kmod first")
        if not module.check_mode:
            argv = [program, "--", name] if state == "loaded" else [program, "--remove", "--", name]
            rc, out, err = module.run_command(argv, environ_update={"LC_ALL": "C"}, expand_user_and_vars=False)
            if rc != 0 or (name in read_loaded(read_lines("/proc/modules"))) != after_loaded:
                module.fail_json(msg=f"{name} is not {state}: {(err or out).strip() or 'modprobe says nothing'}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
