import os
import subprocess
from pathlib import Path

from intendant.runner.ansible import make_work_folder


def test_folders_of_killed_processes_are_removed_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    dead, living, other = (tmp_path / f"intendant-{name}" for name in (f"{child.pid}-a", f"{os.getpid()}-b", "mine"))
    for folder in (dead, living, other):
        folder.mkdir()
    made = make_work_folder(str(tmp_path))
    assert not dead.exists()
    assert living.exists()
    assert other.exists()
    assert made.stat().st_mode & 0o777 == 0o700
