"""Which values of a host's variables are secret: everything that came out of a vault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ansible.parsing.vault import EncryptedString

from intendant.redaction import SHOWN_ID


def find_vaulted(value: Any, encrypted_files: dict[str, bool]) -> Iterator[str]:
    """Plain values of everything vaulted in a variable.

    Args:
        encrypted_files: what is known already of files, path to whether it is encrypted; added to.
    """
    if isinstance(value, EncryptedString):
        if value._ciphertext.partition("\n")[0].endswith(f";{SHOWN_ID}"):
            return  # patterns mask what looks like a secret in it, and the rest may be shown
        with contextlib.suppress(Exception):  # one that cannot be decrypted cannot be shown either
            yield str(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from find_vaulted(item, encrypted_files)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find_vaulted(item, encrypted_files)
    elif isinstance(value, str) and _from_encrypted_file(value, encrypted_files):
        yield str(value)


def _from_encrypted_file(value: str, encrypted_files: dict[str, bool]) -> bool:
    from ansible._internal._datatag._tags import Origin

    origin = Origin.get_tag(value)
    if origin is None or not origin.path:
        return False
    if origin.path not in encrypted_files:
        with contextlib.suppress(OSError), open(origin.path, "rb") as file:
            encrypted_files[origin.path] = file.read(14) == b"$ANSIBLE_VAULT"
    return encrypted_files.get(origin.path, False)
