"""The most that one login may say: what a host prints before our script runs, or instead of it, is bounded here.

Ansible's ssh connection keeps all that its ssh process prints, and reads for as long as there is more. The script
bounds a command's output on the host; a login shell, or a host that means ill, need not run it.
"""

from __future__ import annotations

import io
import re
import subprocess
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ssh

#: bytes of one output. The script's own are at most half of it, also where a terminal joins both.
MOST_BYTES = 8 << 20
# Bytes before become has succeeded: Ansible looks at each line until then.
_BECOME_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 16
_SUCCESS = re.compile(rb"BECOME-SUCCESS-\w+")


class _BoundedPipe(io.BufferedReader):
    """An output of an ssh process that raises when it has given too much, and ends the process."""

    def __init__(self, raw: io.RawIOBase, process: _Popen) -> None:
        super().__init__(raw, _CHUNK_BYTES)
        self._process = process
        self._seen = 0
        self._tail = b""

    def read(self, size: int | None = -1) -> bytes:
        """What is there by now, not all that comes: the other side may be faster."""
        chunk = self.read1(_CHUNK_BYTES)
        self._seen += len(chunk)
        if self._process.awaited:
            self._process.look_for_success(self._tail + chunk)
            self._tail = chunk[-100:]
        if self._seen > (_BECOME_BYTES if self._process.awaited else MOST_BYTES):
            self._process.kill()
            raise AnsibleConnectionFailure(
                f"the host printed more than {self._seen - 1} bytes at the login, before the command or instead of it"
            )
        return chunk


class _Popen(subprocess.Popen):  # type: ignore[type-arg]  # text or bytes, as it is asked for
    def __init__(self, args: Any, **kwargs: Any) -> None:
        super().__init__(args, **kwargs)
        found = _SUCCESS.search(b" ".join(args))
        #: what become prints when it has succeeded, until it has.
        self.awaited = found[0] if found else b""
        for name in ("stdout", "stderr"):
            pipe = getattr(self, name)
            if isinstance(pipe, io.BufferedReader):
                setattr(self, name, _BoundedPipe(pipe.detach(), self))

    def look_for_success(self, output: bytes) -> None:
        """From then on more may come."""
        if self.awaited in output:
            self.awaited = b""


class _Subprocess:
    """The module, with that class in it."""

    Popen = _Popen

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)


def bound_logins() -> None:
    """Have Ansible's ssh connections of this process read no more than that."""
    ssh.subprocess = _Subprocess()
