"""The file of enrolled passkeys: public keys only, so it may lie in a repository, or where only root can write."""

import os
import re
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from intendant.config import describe_invalid
from intendant.errors import InputError, ProjectError

_NAME = re.compile(r"\w[\w .'@+-]{0,63}")
_Frozen = ConfigDict(frozen=True, extra="forbid")


class Passkey(BaseModel):
    """An authenticator's public key for this project. Bytes are base64url."""

    model_config = _Frozen

    name: str
    id: str
    #: as the authenticator gave it (COSE).
    public_key: str
    #: what the authenticator counted when it was enrolled; 0 for those that do not count.
    sign_count: Annotated[int, Field(ge=0)] = 0
    #: its owner's other devices may hold it, too.
    synced: bool = False
    added: datetime


class _Document(BaseModel):
    model_config = _Frozen

    version: Literal[1] = 1
    passkeys: tuple[Passkey, ...] = ()


class PasskeyFile:
    """Read anew each time: a key that was taken out counts no more."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> tuple[Passkey, ...]:
        """The enrolled keys; none where there is no file.

        Raises:
            ProjectError: it cannot be read, or is no such file.
        """
        try:
            document = _Document.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ProjectError(f"passkeys: {self.path}: {error.strerror}.") from error
        except ValidationError as error:
            raise ProjectError(f"passkeys: {self.path}: {describe_invalid(error)}") from error
        if len({key.name for key in document.passkeys}) < len(document.passkeys):
            raise ProjectError(f"passkeys: {self.path}: two keys have the same name. Give each a name of its own.")
        return document.passkeys

    def check_name(self, name: str) -> None:
        """Refuse a name that a new key cannot have.

        Raises:
            InputError: it is taken, or no name.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"enroll: {name!r} is no name for a key. Give 1 to 64 letters, digits, spaces or . _ ' @ + -, such as "
                "'desk key'."
            )
        if any(key.name == name for key in self.load()):
            raise InputError(f"enroll: a key named '{name}' is in {self.path}. Choose another name.")

    def check_writable(self) -> None:
        """Refuse early what ``add`` could not do.

        Raises:
            ProjectError: this account cannot write the file.
        """
        existing = next(folder for folder in self.path.parents if folder.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            raise ProjectError(
                f"passkeys: {self.path} is not yours to write, as it should be. Enroll as root: sudo intendant enroll …"
            )

    def add(self, key: Passkey) -> None:
        """Write the file anew with one key more.

        Raises:
            InputError: the name is taken, or is none.
            ProjectError: it cannot be written.
        """
        self.check_name(key.name)
        self._write([*self.load(), key])

    def _write(self, keys: Sequence[Passkey]) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(_Document(passkeys=tuple(keys)).model_dump_json(indent=2) + "\n", encoding="utf-8")
            temporary.chmod(0o644)
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ProjectError(f"passkeys: {self.path}: {error.strerror}.") from error


def find_changeable(path: Path) -> Path | None:
    """What this account could change to put other keys into the file: it, a link or a folder above; None if nothing."""
    for way in (Path(os.path.abspath(path)), path.resolve()):  # noqa: PTH100 (links stay as they are)
        below: os.stat_result | None = None
        for part in (way, *way.parents):
            if part.exists():
                status = part.stat()
                # In a sticky folder only the owner of an entry, or of the folder, can take it away.
                kept = below is not None and status.st_mode & stat.S_ISVTX and below.st_uid != os.geteuid()
                if status.st_uid == os.geteuid() or (os.access(part, os.W_OK) and not kept):
                    return part
                below = status
    return None
