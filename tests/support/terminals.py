"""The command line on a pseudo-terminal of its own, as a person has it."""

import os
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]


def spawn_intendant(project: Path, *words: str, **variables: str) -> "pexpect.spawn[str]":
    """Start intendant in the project's folder; ``variables`` are added to the environment. Waits take 60 s at most."""
    script = "import sys; from intendant.cli import main; sys.exit(main())"
    environment = {**os.environ, **variables}
    return pexpect.spawn(
        sys.executable, ["-c", script, *words], encoding="utf-8", timeout=60, env=environment, cwd=project
    )


def end(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """Wait for its end; the exit status, and what it printed since it was last waited for."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before or ""
