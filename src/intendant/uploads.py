"""Files of this machine that a step sends to hosts: only from the upload folder, and as they were when planned.

A model names the file. Without a fence it could name a private key, and read it in the diff or on a host of its choice.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from intendant.config import Config
from intendant.errors import InputError
from intendant.intents import Intent, Step


def take_uploads(
    config: Config, intent: Intent, step: Step, snapshot: Path, kept: Mapping[str, bytes] | None = None
) -> Step:
    """Copy what the step's upload params name into the snapshot; the step that is returned names the copies.

    Args:
        kept: the content of the copies by name, as they came with a portable plan, in place of the project's files.

    Raises:
        InputError: a file is missing, too large, no regular file, or outside of the project's upload folder.
    """
    params = dict(step.params)
    for name in intent.uploads:
        if params.get(name) is not None:
            params[name] = _take(config, name, params[name], snapshot, kept)
    return step.model_copy(update={"params": params})


def encode_upload(copy: str, snapshot: Path) -> str:
    """A copy's place as a role is given it: a template, for the snapshot lies elsewhere on another machine."""
    return "{{ playbook_dir }}/" + Path(copy).relative_to(snapshot).as_posix()


def _take(config: Config, name: str, value: JsonValue, snapshot: Path, kept: Mapping[str, bytes] | None) -> str:
    folder = config.uploads
    if not isinstance(value, str):
        raise InputError(f"{name}: name a file below {folder}, as text.")
    copy = snapshot / "uploads" / _copy_name(value)
    copy.parent.mkdir(exist_ok=True)
    if kept is not None:
        if copy.name not in kept:
            raise InputError(f"{name}: the plan's file does not hold {value[:80]!r}.")
        copy.write_bytes(kept[copy.name])
        return str(copy)
    wanted = _find(folder, name, value, config.max_file_bytes)
    try:
        shutil.copyfile(wanted, copy)
    except OSError as error:
        raise InputError(f"{name}: {value[:80]!r} cannot be read: {error.strerror}.") from error
    return str(copy)


def _find(folder: Path, name: str, value: str, most: int) -> Path:
    try:
        wanted = (folder / value).resolve()
        is_file, size = wanted.is_file(), wanted.stat().st_size if wanted.exists() else 0
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, no path at all
        raise InputError(f"{name}: {value[:80]!r} is no path of a file.") from error
    if not wanted.is_relative_to(folder):
        raise InputError(f"{name}: only files below {folder} can be sent. Put the file there and name it.")
    if not is_file:
        raise InputError(f"{name}: there is no file {value[:80]!r} in {folder}.")
    if size > most:
        raise InputError(f"{name}: {wanted} has {size} bytes; max_file_bytes in intendant.toml allows {most}.")
    return wanted


def _copy_name(value: str) -> str:
    """Nothing in it may be read as a template, an option or a folder."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", value.rpartition("/")[2])[-100:]
    return f"{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()[:8]}-{name}"
