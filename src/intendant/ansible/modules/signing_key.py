#!/usr/bin/python
"""Keep the signing key of a package repository, known by its fingerprint."""

from __future__ import annotations

DOCUMENTATION = r"""
module: signing_key
short_description: An OpenPGP public key from a URL, accepted by its fingerprint only
description:
  - Reads the key from the host, in check mode too, and refuses any other than the one that is asked for.
  - Needs no gpg.
options:
  url:
    description: Where the ASCII-armored key is.
    type: str
    required: true
  fingerprint:
    description: Fingerprint of the primary key, 40 hexadecimal digits.
    type: str
    required: true
  file:
    description: Absolute path of the file that holds it.
    type: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Know the key of a repository
  ansible.legacy.signing_key:
    url: https://download.example.org/key.asc
    fingerprint: 0123456789ABCDEF0123456789ABCDEF01234567
    file: /etc/apt/keyrings/example.asc
"""

RETURN = r"""
fingerprint: {description: Fingerprint of the key that is there., type: str, returned: always}
"""

import base64
import hashlib
import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url


def read_fingerprint(text: str) -> str:
    """Return the fingerprint of the one primary key in an armored block; raise ValueError if there is not just one."""
    blocks = re.findall(r"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----", text, re.S)
    if len(blocks) != 1:
        raise ValueError(f"it holds {len(blocks)} armored public keys, not one")
    body = re.split(r"\r?\n[ \t]*\r?\n", blocks[0], maxsplit=1)[-1]
    data = base64.b64decode("".join(line for line in body.split() if not line.startswith("=")))
    found, position = [], 0
    while position < len(data):
        tag, length, position = read_header(data, position)
        if tag == 6:  # a public key; its parts and signatures have other tags
            packet = data[position : position + length]
            if packet[:1] != b"\x04":
                raise ValueError("its key is not of version 4")
            found.append(hashlib.sha1(b"\x99" + length.to_bytes(2, "big") + packet).hexdigest().upper())  # noqa: S324
        position += length
    if len(found) != 1:
        raise ValueError(f"it holds {len(found)} public keys, not one")
    return found[0]


def read_header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag and length of the packet at a position, and where its body begins."""
    first = data[position]
    if not first & 0x80:
        raise ValueError("it is not OpenPGP data")
    if first & 0x40:
        size = data[position + 1]
        if size < 192:
            return first & 0x3F, size, position + 2
        if size < 224:
            return first & 0x3F, ((size - 192) << 8) + data[position + 2] + 192, position + 3
        if size < 255:
            raise ValueError("its packets have no definite length")
        return first & 0x3F, int.from_bytes(data[position + 2 : position + 6], "big"), position + 6
    if first & 0x03 == 3:
        raise ValueError("its packets have no definite length")
    width = 1 << (first & 0x03)
    return first >> 2 & 0x0F, int.from_bytes(data[position + 1 : position + 1 + width], "big"), position + 1 + width


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "fingerprint": {"type": "str", "required": True},
            "file": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    url, path = module.params["url"], module.params["file"]
    wanted = module.params["fingerprint"].replace(" ", "").upper()
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            old = file.read()
    except FileNotFoundError:
        old = ""
    try:
        current = read_fingerprint(old) if old else ""
    except (ValueError, IndexError):
        current = "something else"
    result = {"changed": current != wanted, "fingerprint": wanted}
    before, after = (f"fingerprint: {one}\n" if one else "" for one in (current, wanted))
    result["diff"] = {"before": before, "after": after, "before_header": path, "after_header": path}
    if current == wanted:
        module.exit_json(**result)
    try:
        with open_url(url, timeout=60, http_agent="signing-key") as answer:
            text = answer.read(1 << 20).decode()
        offered = read_fingerprint(text)
    except Exception as error:  # noqa: BLE001 - urllib, ssl and http.client raise a dozen unrelated kinds
        module.fail_json(msg=f"{url} cannot be used: {error}")
        return
    if offered != wanted:
        module.fail_json(msg=f"{url} has the key {offered}, not {wanted}; nothing was changed")
    if not module.check_mode:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".key-")
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            os.fchmod(new.fileno(), 0o644)
            new.write(text)
        os.replace(beside, path)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
