#!/usr/bin/python
"""Run one shell command with a time limit. Check mode shows the command, and says that it knows no more."""

from __future__ import annotations

DOCUMENTATION = r"""
module: command_once
short_description: Run one line of shell, each time
description:
  - Reports a change, with the same diff in both modes, that is the command line itself.
  - The command has no input, a fixed environment, and a process group of its own, which is ended after O(timeout).
  - What it leaves in the background goes on; its output is not waited for.
options:
  line:
    description: The command line.
    type: str
    required: true
  shell:
    description: The shell that reads it.
    type: str
    choices: [sh, bash]
    default: sh
  timeout:
    description: Seconds after which the command is ended.
    type: int
    default: 30
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Forget failed units
  ansible.legacy.command_once:
    line: systemctl reset-failed
"""

RETURN = r"""
rc: {description: Exit code., type: int, returned: when it ran}
stdout: {description: Beginning and end of its standard output., type: str, returned: when it ran}
stderr: {description: Beginning and end of its standard error., type: str, returned: when it ran}
blind_spot: {description: That its changes are not known., type: str, returned: in check mode}
"""

import os
import shutil
import signal
import subprocess
import threading
from typing import Any

from ansible.module_utils.basic import AnsibleModule

KEEP = 32768
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PAGER": "cat", "SYSTEMD_PAGER": "cat", "GIT_PAGER": "cat", "TERM": "dumb"}
BLIND = "what the command changes cannot be predicted"


class Ends:
    """The first and the last bytes of a stream, read as they come so that the command never waits."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._head, self._tail, self._left_out = b"", b"", 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            chunk = os.read(self._stream.fileno(), 65536)
            if not chunk:
                return
            room = KEEP - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:]
            self._left_out += max(0, len(self._tail) - KEEP)
            self._tail = self._tail[-KEEP:]

    def text(self, seconds: float) -> str:
        """What has come so far, after its end or that time."""
        self._thread.join(seconds)
        gap = f"\n[... {self._left_out} bytes left out ...]\n".encode() if self._left_out else b""
        return (self._head + gap + self._tail).decode("utf-8", "backslashreplace")


def run(line: str, shell: str, timeout: int) -> dict[str, Any]:
    """Return exit code (None after the time) and outputs."""
    environment = {name: value for name, value in os.environ.items() if name not in ("BASH_ENV", "ENV")}
    process = subprocess.Popen(
        [shell, "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment, **ENVIRONMENT},
        start_new_session=True,
    )
    outputs = {"stdout": Ends(process.stdout), "stderr": Ends(process.stderr)}
    code = None
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
    return {"rc": code, **{name: ends.text(2) for name, ends in outputs.items()}}


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and all of its group, by force after two seconds."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "line": {"type": "str", "required": True},
            "shell": {"type": "str", "choices": ["sh", "bash"], "default": "sh"},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    line, shell, timeout = (module.params[name] for name in ("line", "shell", "timeout"))
    if shutil.which(shell) is None:
        module.fail_json(msg=f"The host has no {shell}.")
    after = line if line.endswith("\n") else f"{line}\n"
    diff = {"before": "", "after": after, "before_header": f"{shell} -c", "after_header": f"{shell} -c"}
    if module.check_mode:
        module.exit_json(changed=True, diff=diff, blind_spot=BLIND)
    done = run(line, shell, timeout)
    if done["rc"] is None:
        module.fail_json(msg=f"The command was ended after {timeout} s; what it did until then is done.", **done)
    if done["rc"] != 0:
        module.fail_json(msg=f"The command ended with {done['rc']}; what it did until then is done.", **done)
    module.exit_json(changed=True, diff=diff, **done)


if __name__ == "__main__":
    main()
