"""A booted host as its users see it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .commands import run_tool
from .errors import LabError


@dataclass(frozen=True)
class LabHost:
    """How to reach a host; `user` is unprivileged and may use sudo without a password.

    At `unused_address`, in the same network, there is never a host.
    """

    name: str
    suite: str
    address: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    unused_address: str

    def ssh_command(self, *, user: str = "root", options: tuple[str, ...] = ()) -> list[str]:
        """The ssh command line up to where the remote command goes."""
        fixed = [
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "ConnectTimeout=10",
            "LogLevel=ERROR",
        ]
        pairs = [word for option in (*fixed, *options) for word in ("-o", option)]
        target = ["-p", str(self.port), "-i", str(self.key), f"{user}@{self.address}"]
        return ["ssh", "-F", "/dev/null", *pairs, *target]

    def run(
        self, command: str, *, user: str = "root", check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the host (timeout in seconds). Raises LabError when it fails, unless told not to."""
        done = run_tool([*self.ssh_command(user=user), command], check=False, timeout=timeout)
        if check and done.returncode:
            said = (done.stderr.strip() + "\n" + done.stdout.strip()).strip()[-2000:]
            raise LabError(f"{self.name}: `{command}` ended with {done.returncode}: {said}")
        return done

    def inventory_vars(self) -> dict[str, Any]:
        """The host's variables for an Ansible inventory."""
        checked = f"-o UserKnownHostsFile={self.known_hosts} -o StrictHostKeyChecking=yes"
        return {
            "ansible_host": self.address,
            "ansible_port": self.port,
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"{checked} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes",
        }
