"""The folder that files of hosts are saved to: nothing is written outside of it, and no half of a file has its name."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from intendant.errors import InputError

_NAME_BYTES = 255
_DEPTH = 10
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def check_name(name: str) -> tuple[str, ...]:
    """The parts of a name for a download, sub-folders first.

    Raises:
        InputError: it is absolute, leads upwards, or holds what no file name should.
    """
    parts = tuple(name.split("/"))
    if len(parts) > _DEPTH or any(part in ("", ".", "..") for part in parts):
        raise InputError(
            f"name: {name[:80]!r} is no name below the download folder. Give one such as 'syslog' or 'web1/syslog'."
        )
    if not name.isprintable() or any(len(part.encode()) > _NAME_BYTES for part in parts):
        raise InputError("name: holds control characters, or a part that is too long for a file's name.")
    return parts


@contextmanager
def saving(folder: Path, parts: tuple[str, ...], *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file to write to, for its owner alone; it gets its name when the block ends without an error, all at once.

    Sub-folders are made, and none of them may be a link: every one is opened below the one before.

    Raises:
        InputError: there is a file of this name and ``overwrite`` is false, or the folder cannot be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"download_dir: {folder} cannot be used: {error.strerror}.") from error
    try:
        for part in parts[:-1]:
            inner = _enter(place, part)
            os.close(place)
            place = inner
        _refuse_existing(place, parts, overwrite=overwrite)
        beside = f".{secrets.token_hex(8)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(beside, flags, 0o600, dir_fd=place), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _name_file(place, beside, parts, overwrite=overwrite)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=place)
    except OSError as error:
        name = "/".join(parts)
        raise InputError(f"name: {name!r} cannot be saved in {folder}: {error.strerror}.") from error
    finally:
        os.close(place)


def _enter(place: int, part: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(part, 0o700, dir_fd=place)
    try:
        return os.open(part, _FOLDER, dir_fd=place)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise InputError(
                f"name: {part!r} in the download folder is no folder, or a link. Choose another."
            ) from error
        raise


def _refuse_existing(place: int, parts: tuple[str, ...], *, overwrite: bool) -> None:
    try:
        found = os.stat(parts[-1], dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not overwrite or stat.S_ISDIR(found.st_mode):
        raise _exists(parts)


def _name_file(place: int, beside: str, parts: tuple[str, ...], *, overwrite: bool) -> None:
    if overwrite:
        os.replace(beside, parts[-1], src_dir_fd=place, dst_dir_fd=place)
    else:
        try:
            # Unlike a rename it fails where the name was taken meanwhile.
            os.link(beside, parts[-1], src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
        except FileExistsError as error:
            raise _exists(parts) from error
    os.fsync(place)


def _exists(parts: tuple[str, ...]) -> InputError:
    return InputError(
        f"name: there is {'/'.join(parts)!r} in the download folder already. Choose another name, or set overwrite "
        "to replace a file."
    )
