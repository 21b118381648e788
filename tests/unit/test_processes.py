import os
import subprocess
import sys

from intendant.processes import read_start


def test_a_process_keeps_its_start_and_two_processes_do_not_share_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        started = read_start(child.pid)
        assert started is not None
        assert started == read_start(child.pid)
        assert started != read_start(os.getpid())
    finally:
        child.communicate(b"\n")
    assert read_start(child.pid) is None


def test_a_zombie_has_no_start() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert read_start(pid) is None
    finally:
        os.waitpid(pid, 0)
