"""Files of this machine that a step sends to hosts: only from the upload folder, and as they were when planned.

A model names the file. Without a fence it could name a private key, and read it in the diff or on a host of its choice.
"""

import hashlib
import shutil
from pathlib import Path

from pydantic import JsonValue

from intendant.config import Config
from intendant.errors import InputError
from intendant.intents import Intent, Step


def take_uploads(config: Config, intent: Intent, step: Step, snapshot: Path) -> Step:
    """Copy what the step's upload params name into the snapshot; the step that is returned names the copies.

    Raises:
        InputError: a file is missing, too large, no regular file, or outside of the project's upload folder.
    """
    params = dict(step.params)
    for name in intent.uploads:
        if params.get(name) is not None:
            params[name] = _take(config, name, params[name], snapshot)
    return step.model_copy(update={"params": params})


def _take(config: Config, name: str, value: JsonValue, snapshot: Path) -> str:
    folder = config.uploads
    if not isinstance(value, str):
        raise InputError(f"{name}: name a file below {folder}, as text.")
    try:
        wanted = (folder / value).resolve()
        is_file, size = wanted.is_file(), wanted.stat().st_size if wanted.exists() else 0
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, no path at all
        raise InputError(f"{name}: {value[:80]!r} is no path of a file.") from error
    if not wanted.is_relative_to(folder):
        raise InputError(f"{name}: only files below {folder} can be sent. Put the file there and name it.")
    if not is_file:
        raise InputError(f"{name}: there is no file {value[:80]!r} in {folder}.")
    if size > config.max_file_bytes:
        most = config.max_file_bytes
        raise InputError(f"{name}: {wanted} has {size} bytes; max_file_bytes in intendant.toml allows {most}.")
    copy = snapshot / "uploads" / f"{hashlib.sha256(value.encode()).hexdigest()[:8]}-{wanted.name[-100:]}"
    copy.parent.mkdir(exist_ok=True)
    try:
        shutil.copyfile(wanted, copy)
    except OSError as error:
        raise InputError(f"{name}: {value[:80]!r} cannot be read: {error.strerror}.") from error
    return str(copy)
