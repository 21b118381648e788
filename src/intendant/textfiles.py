"""Text files that are replaced whole, and only if they are as they were when it was decided."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from intendant.errors import IntendantError, ProjectError


class FileChange(BaseModel):
    """A file as it is and as it will be, and why; ``before`` is empty where there is none."""

    model_config = ConfigDict(frozen=True)

    path: Path
    before: str
    after: str
    purpose: str = ""


def read_text(path: Path) -> str:
    """The file's text; empty where there is no file.

    Raises:
        ProjectError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}") from error


def replace_texts(changes: Sequence[FileChange], check: Callable[[], object]) -> None:
    """Make all of the changes; none of them stays when one fails, or when ``check`` raises after the last.

    Raises:
        ProjectError: a file is another by now, cannot be written, or the check failed.
    """
    done: list[FileChange] = []
    try:
        for change in changes:
            replace_text(change.path, change.before, change.after)
            done.append(change)
        check()
    except IntendantError as error:
        for change in reversed(done):
            replace_text(change.path, change.after, change.before)
        if not done:
            raise
        raise ProjectError(f"{error} The files are as they were.") from error


def replace_text(path: Path, before: str, after: str) -> None:
    """Put ``after`` in the place of ``before``, whole or not at all.

    Raises:
        ProjectError: the file is another by now, or cannot be written.
    """
    if read_text(path) != before:
        raise ProjectError(f"{path} has been changed in the meantime. Nothing was written: try again.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        real = path.resolve()  # a link stays one
        descriptor, draft = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(after)
        Path(draft).chmod(real.stat().st_mode & 0o777 if real.exists() else 0o644)
        Path(draft).replace(real)
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror}.") from error
