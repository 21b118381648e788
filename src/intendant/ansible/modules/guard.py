#!/usr/bin/python
"""Take a change back unless a new connection proves that the host can still be reached."""

from __future__ import annotations

DOCUMENTATION = r"""
module: guard
short_description: Let the host take a change back by itself
description:
  - With O(step=arm), before the change, keeps copies of O(files) and O(tables) and starts a timer of systemd's that
    brings them back and runs O(commands). The timer is on disk, so that it also works after a crash in between.
  - With O(step=hold), right before the change takes effect, gives it O(after) seconds. Until then it has five minutes;
    where those have run out, what was written since is taken back too.
  - With O(step=commit) over another connection, stops the timer. Whoever comes over the old connection has proved
    nothing, and everything is taken back at once.
  - Reports no change of its own. In check mode it does nothing but look for a guard that is still there.
options:
  name:
    description: Name of the guard; one of each name at a time.
    type: str
    required: true
  step:
    description: What to do.
    type: str
    choices: [arm, hold, commit]
    required: true
  connection:
    description: The connection that this step comes by, as the module ssh_login tells it; empty if it is none of ssh.
    type: str
    default: ""
  after:
    description: Seconds that a change may be in effect before it is taken back, with O(step=hold).
    type: int
    default: 30
  files:
    description: Files to keep. Those that do not exist are deleted when the change is taken back.
    type: list
    elements: str
    default: []
  tables:
    description: Tables of nftables to keep as they are loaded, as C(inet name).
    type: list
    elements: str
    default: []
  commands:
    description: Commands to run once the files are back, each a list of arguments.
    type: list
    elements: list
    default: []
  listening:
    description: Ports of the host on which something must listen before the change is committed.
    type: list
    elements: int
    default: []
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Keep the settings that are there
  ansible.legacy.guard:
    name: ssh_server
    step: arm
    connection: "{{ login.connection }}"
    files: [/etc/ssh/sshd_config.d/00-port.conf]
    commands: [[systemctl, reload-or-restart, ssh.service]]
"""

RETURN = r"""
name: {description: Name of the guard., type: str, returned: always}
"""

import os
import re
import shlex
import shutil
import time

from ansible.module_utils.basic import AnsibleModule

KEPT = "/var/lib/intendant/guard"
UNITS = "/etc/systemd/system"
PREPARING = 300
TIMER = """\
[Unit]
Description=Take the change of {name} back unless it is committed
[Timer]
OnActiveSec={after}
AccuracySec=500ms
"""
SERVICE = """\
[Unit]
Description=Take the change of {name} back
[Service]
Type=oneshot
ExecStart=/bin/sh {folder}/revert
"""


class Guard:
    """Where the parts of one guard are."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.name = module, module.params["name"]
        self.folder = f"{KEPT}/{self.name}"
        self.unit = f"intendant-guard-{self.name}"
        self.units = [f"{UNITS}/{self.unit}.timer", f"{UNITS}/{self.unit}.service"]
        self.link = f"{UNITS}/timers.target.wants/{self.unit}.timer"

    def run(self, *argv: str, check: bool = True) -> tuple[int, str]:
        rc, out, err = self.module.run_command(
            list(argv), environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
        )
        if check and rc != 0:
            self.module.fail_json(msg=f"{' '.join(argv)} failed: {err.strip()}")
        return rc, out

    def armed(self) -> bool:
        return os.path.lexists(self.link)

    def reverted(self) -> bool:
        return os.path.exists(f"{self.folder}/reverted")

    def write(self, path: str, text: str) -> None:
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())

    def keep(self) -> None:
        """Copy what is there now, and write the script that brings it back."""
        params = self.module.params
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, mode=0o700)
        lines = []
        for number, path in enumerate(params["files"]):
            kept = f"{self.folder}/file{number}"
            if os.path.lexists(path):
                self.run("cp", "--archive", "--", path, kept)
                # Renamed into place: a reader never sees half of it.
                beside = f"{path}.{self.unit}"
                lines.append(f"cp --archive -- {shlex.quote(kept)} {shlex.quote(beside)}")
                lines.append(f"mv --force -- {shlex.quote(beside)} {shlex.quote(path)}")
            else:
                lines.append(f"rm --force -- {shlex.quote(path)}")
        for number, table in enumerate(params["tables"]):
            kept = f"{self.folder}/table{number}"
            listed = self.run("nft", "--stateless", "list", "table", *table.split(), check=False)[1]
            self.write(kept, f"table {table}\ndelete table {table}\n{listed}")
            lines.append(f"nft --file {shlex.quote(kept)}")
        lines.append("systemctl daemon-reload")
        lines += [shlex.join(str(word) for word in command) for command in params["commands"]]
        forget = [f"rm --force -- {shlex.join([self.link, *self.units])}", f"touch {self.folder}/reverted"]
        # What cannot be brought back must not keep the rest from it.
        self.write(f"{self.folder}/revert", "\n".join([*lines, *forget, f"systemctl stop {self.unit}.timer"]) + "\n")
        self.write(f"{self.folder}/connection", params["connection"])

    def arm(self) -> None:
        self.keep()
        self.write(self.units[1], SERVICE.format(name=self.name, folder=self.folder))
        os.makedirs(os.path.dirname(self.link), exist_ok=True)
        os.symlink(self.units[0], self.link)
        self.start_timer(PREPARING)

    def start_timer(self, seconds: int) -> None:
        self.write(self.units[0], TIMER.format(name=self.name, after=seconds))
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "restart", f"{self.unit}.timer")

    def forget(self) -> None:
        """Leave no trace of the guard."""
        for path in (self.link, *self.units):
            if os.path.lexists(path):
                os.unlink(path)
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (KEPT, os.path.dirname(KEPT)):
            if os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)
        self.run("systemctl", "daemon-reload")

    def refuse(self, why: str) -> None:
        if not self.reverted():
            self.run("systemctl", "start", f"{self.unit}.service", check=False)
        back = self.reverted()
        if back:
            self.forget()
        outcome = "everything is as it was before" if back else "and it could not be taken back; look at the host"
        self.module.fail_json(msg=f"{self.name}: {why}; {outcome}")

    def hold(self) -> None:
        if self.reverted():
            # What was written after that must not come into effect by the next restart.
            self.run("/bin/sh", f"{self.folder}/revert", check=False)
            self.refuse("the host took too long to get ready")
        self.start_timer(self.module.params["after"])

    def commit(self) -> None:
        params = self.module.params
        if self.reverted():
            self.refuse(
                "no new connection to the host was possible in time with the change in effect, so the host took it back"
            )
        if not self.armed():
            self.module.fail_json(msg=f"{self.name}: nothing to commit; the guard is gone")
        with open(f"{self.folder}/connection", encoding="utf-8") as handle:
            before = handle.read()
        if before and params["connection"] in ("", before):
            self.refuse("Ansible still comes by its old connection, which proves nothing")
        silent = [port for port in params["listening"] if not listens(port)]
        if silent:
            self.refuse(f"nothing listens on port {', '.join(map(str, silent))}")
        self.run("systemctl", "stop", f"{self.unit}.timer")
        # It may have fired in this moment; then it runs to its end, and the change is gone.
        self.wait_for_service()
        if self.reverted():
            self.refuse("the proof came too late, the host has taken the change back")
        self.forget()

    def wait_for_service(self) -> None:
        for _ in range(100):
            state = self.run("systemctl", "show", "--property=ActiveState", "--value", f"{self.unit}.service")[1]
            if state.strip() not in ("activating", "deactivating"):
                return
            time.sleep(0.1)


def listens(port: int) -> bool:
    """Tell whether something listens on this port of the host itself; it may take a moment to come up."""
    for _ in range(10):
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as handle:
                sockets = [line.split() for line in handle.readlines()[1:]]
            # Local address and port in hexadecimal; 0A is the state of a socket that listens.
            if any(int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A" for fields in sockets):
                return True
        time.sleep(0.5)
    return False


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "step": {"type": "str", "choices": ["arm", "hold", "commit"], "required": True},
            "connection": {"type": "str", "default": ""},
            "after": {"type": "int", "default": 30},
            "files": {"type": "list", "elements": "str", "default": []},
            "tables": {"type": "list", "elements": "str", "default": []},
            "commands": {"type": "list", "elements": "list", "default": []},
            "listening": {"type": "list", "elements": "int", "default": []},
        },
        supports_check_mode=True,
    )
    if not re.match(r"[a-z][a-z0-9_]*\Z", module.params["name"]):
        module.fail_json(msg=f"{module.params['name']!r} is not the name of a guard: small letters, digits and _")
    guard = Guard(module)
    if module.params["step"] == "arm" and guard.armed():
        module.fail_json(
            msg=f"{guard.name}: an earlier change is still on trial and is taken back by itself; try again in a minute"
        )
    if not module.check_mode:
        {"arm": guard.arm, "hold": guard.hold, "commit": guard.commit}[module.params["step"]]()
    module.exit_json(changed=False, name=guard.name)


if __name__ == "__main__":
    main()
