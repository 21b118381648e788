"""Running the machine's own tools, with their words in the error."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence

from .errors import LabError


def run_tool(
    command: Sequence[str],
    *,
    stdin: str | None = None,
    check: bool = True,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `command` (timeout in seconds). Raises LabError, with what it printed, when it fails or takes longer."""
    shown = shlex.join(command)
    try:
        done = subprocess.run(
            command,
            input=stdin or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]} is not installed; run `python -m lab install`") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{shown}` took longer than {timeout:g} s") from error
    if check and done.returncode:
        raise LabError(f"`{shown}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done
