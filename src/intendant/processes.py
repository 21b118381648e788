"""Who this process runs as, and telling one process from a later one that got the same number."""

import os
import pwd
import socket
from pathlib import Path

import psutil


def read_start(pid: int) -> float | None:
    """When the process started, in a unit of its machine's own; None when there is no such process, or only its zombie.

    On Linux these are the kernel's ticks since boot (proc(5), field 22 of stat), which no step of the clock moves.
    """
    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return None
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            # The second field is the program's name in brackets, which may itself hold spaces and brackets.
            return float(stat.read_text().rpartition(")")[2].split()[19])
        return psutil.Process(pid).create_time()
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def identify_user() -> str:
    """``user@host`` by the process's user id; the environment is not asked, for anyone can set it."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
