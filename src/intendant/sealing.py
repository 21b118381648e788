"""Fingerprints of variables for a plan that leaves this machine. Pure, no I/O.

Another machine has to compute them from the same inventory, so they cannot use a key that only this one knows; and
whoever holds the file must not find out secrets with them. One slow hash (scrypt) over all values together decides:
each guess costs one such hash, and every other value has to be known as well. A byte of each value that does not look
secret says which one has changed; it is the same byte in every plan, so that many plans tell no more than one.
"""

import hashlib
import json
from collections.abc import Mapping

from intendant.plans import canonical_json
from intendant.redaction import Redactor

#: scrypt: 64 MiB and some tenths of a second for each hash. They belong to the format of plan files.
_COST, _BLOCK, _LANES = 2**16, 8, 1
_MEMORY = 2 * 128 * _BLOCK * _COST
_SECRET_WORDS = ("pass", "secret", "token", "key", "vault", "credential", "login", "pin")


def seal_values(salt: str, values: object) -> str:
    """One fingerprint (hex) of a JSON-like value; ``salt`` is hexadecimal."""
    return hashlib.scrypt(
        canonical_json(values),
        salt=bytes.fromhex(salt),
        n=_COST,
        r=_BLOCK,
        p=_LANES,
        maxmem=_MEMORY,
        dklen=32,
    ).hex()


def hint_value(name: str, value: object) -> str:
    """Two hexadecimal digits that tell most changes of a value; empty where it may be a secret."""
    if _may_be_secret(name, value):
        return ""
    return hashlib.sha256(b"hint" + canonical_json(value)).hexdigest()[:2]


def _may_be_secret(name: str, value: object) -> bool:
    if any(word in text.lower() for text in (name, *_keys(value)) for word in _SECRET_WORDS):
        return True
    text = json.dumps(value, ensure_ascii=False, default=str)
    return Redactor().redact(text) != text


def _keys(value: object) -> list[str]:
    """Names of everything inside a value, however deep; those of vaulted values are among them."""
    if isinstance(value, Mapping):
        return [str(key) for key in value] + [name for item in value.values() for name in _keys(item)]
    if isinstance(value, list | tuple):
        return [name for item in value for name in _keys(item)]
    return []
