"""An authenticator without hardware: real keys and signatures, in the protocol's own bytes (WebAuthn level 2)."""

import base64
import hashlib
import html
import json
import re
import secrets
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from intendant.passkeys import PasskeyFile
from intendant.review.registering import Enrolment
from support.browser import Answer, Browser

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """A person's security key, in whose place of a touch the test calls it.

    Args:
        verifies: makes sure of its user, by a PIN or a fingerprint.
        count: how often it has signed; None for one that does not count.
    """

    verifies: bool = True
    count: int | None = 0
    rp_id: str = "localhost"
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, asked: str, origin: str) -> str:
        """Answers ``navigator.credentials.create``."""
        options = json.loads(asked)
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        made = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._say(_ATTESTED) + made}
        return self._answer(
            clientDataJSON=_client_data("webauthn.create", options["challenge"], origin),
            attestationObject=cbor2.dumps(attested),
        )

    def sign(self, asked: str, origin: str, **said: Any) -> str:
        """Answers ``navigator.credentials.get``; ``said`` is put into what the browser says."""
        client = _client_data("webauthn.get", json.loads(asked)["challenge"], origin, **said)
        data = self._say(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _say(self, flags: int) -> bytes:
        if self.count is not None:
            self.count += 1
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.count or 0)

    def _answer(self, **parts: bytes) -> str:
        response = {name: to_text(data) for name, data in parts.items()}
        return json.dumps(
            {"id": to_text(self.id), "rawId": to_text(self.id), "type": "public-key", "response": response}
        )


def _client_data(kind: str, challenge: str, origin: str, **said: Any) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False, **said}).encode()


def read_question(page: str) -> str:
    """What a page asks of an authenticator; empty when it asks for none."""
    found = re.search(r'data-passkey="([^"]*)"', page)
    return html.unescape(found[1]) if found else ""


def origin_of(browser: Browser) -> str:
    return f"http://{browser.url.netloc}"


def answer_with(browser: Browser, key: Authenticator, verdict: str = "approve", **fields: str) -> Answer:
    """Sends the page's form with what the authenticator signs of its question."""
    asked = read_question(browser.show().text)
    options = json.loads(asked)
    answer = (key.make if "user" in options else key.sign)(asked, origin_of(browser))
    return browser.answer(verdict, passkey=answer, **fields)


def enroll(file: PasskeyFile, name: str, key: Authenticator, *, by: Authenticator | None = None) -> None:
    """Enrolls a key as the page does; ``by`` is the one that lets it in."""
    enrolment = Enrolment(file, name, lambda: datetime.now(UTC))
    origin = "http://localhost:1"
    enrolment.take(key.make(enrolment.describe("", "nonce").asks, origin), "nonce", origin)
    if by is not None:
        enrolment.take(by.sign(enrolment.describe("", "nonce").asks, origin), "nonce", origin)
    assert enrolment.done.is_set()
