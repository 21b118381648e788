"""What browsers and authenticators are asked for (WebAuthn), and the checks of what they answer.

py_webauthn does the protocol. It is imported late: most commands do without it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

from intendant.approvals import Approval, Assertion, make_challenge
from intendant.errors import RefusedError
from intendant.passkeys import Passkey
from intendant.plans import canonical_json

#: WebAuthn wants a name here and no address; `localhost` is the one that every machine has.
RP_ID = "localhost"
_RP_NAME = "Intendant"
_ORIGIN = re.compile(r"http://localhost:[0-9]{1,5}")
_TIMEOUT_MS = 120_000
_PARTS = {"clientDataJSON": "client_data", "authenticatorData": "authenticator_data", "signature": "signature"}


def make_registration_challenge(name: str, nonce: str) -> bytes:
    """What a new authenticator answers to be enrolled under this name."""
    return hashlib.sha256(canonical_json(["intendant: enroll this passkey", name, nonce])).digest()


def make_confirmation_challenge(fresh: Passkey, nonce: str) -> bytes:
    """What an enrolled authenticator signs to let another one in."""
    covered = ["intendant: let this passkey in", fresh.name, fresh.id, fresh.public_key, nonce]
    return hashlib.sha256(canonical_json(covered)).digest()


def ask_registration(name: str, challenge: bytes, user: bytes, known: Sequence[Passkey]) -> str:
    """The options for ``navigator.credentials.create``, as JSON. ``user`` is random: another one replaces no key."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (  # fmt: skip
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    return options_to_json(
        generate_registration_options(
            rp_id=RP_ID,
            rp_name=_RP_NAME,
            user_id=user,
            user_name=name,
            user_display_name=name,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                # A key that other pages of localhost cannot find without its id.
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_describe_keys(known),
        )
    )


def ask_assertion(challenge: bytes, keys: Sequence[Passkey]) -> str:
    """The options for ``navigator.credentials.get``, as JSON: one of these keys is to sign."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=RP_ID,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=_describe_keys(keys),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def check_registration(answer: str, challenge: bytes, origin: str, name: str, at: datetime) -> Passkey:
    """The key that a new authenticator made for this page.

    Raises:
        RefusedError: it is not the answer to this question, or the authenticator did not verify its user.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        made = verify_registration_response(
            credential=_as_object(answer),
            expected_challenge=challenge,
            expected_rp_id=RP_ID,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        _refuse(error)
    return Passkey(
        name=name,
        id=encode(made.credential_id),
        public_key=encode(made.credential_public_key),
        sign_count=made.sign_count,
        synced=made.credential_backed_up,
        added=at,
    )


def read_assertion(answer: str, keys: Sequence[Passkey], nonce: str) -> Assertion:
    """What a browser sent, in the form that is kept; nothing of it is checked yet but that the key is enrolled.

    Raises:
        RefusedError: it is no such answer, or of another key.
    """
    try:
        found = _as_object(answer)
        credential, response = str(found["id"]), found["response"]
        parts: dict[str, str] = {ours: str(response[theirs]) for theirs, ours in _PARTS.items()}
    except (ValueError, TypeError, KeyError) as error:
        _refuse(error)
    name = next((key.name for key in keys if key.id == credential), "")
    if not name:
        raise RefusedError("This passkey is not enrolled here. Use one that is; 'intendant enroll --list' names them.")
    return Assertion(key=name, credential=credential, nonce=nonce, **parts)


def check_approval(approval: Approval, keys: Sequence[Passkey]) -> None:
    """That an enrolled key signed exactly this approval, on a page of this machine.

    Raises:
        RefusedError: it did not; the message says what is wrong.
    """
    if approval.assertion is None:
        raise RefusedError("nothing is signed")
    challenge = make_challenge(approval.plan_id, approval.digest, approval.assertion.nonce)
    check_assertion(approval.assertion, challenge, keys)


def check_assertion(assertion: Assertion, challenge: bytes, keys: Sequence[Passkey], origin: str = "") -> None:
    """That an enrolled key signed this challenge, its user verified, on ``origin`` (default: any port of localhost).

    Raises:
        RefusedError: it did not; the message says what is wrong.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    key = next((key for key in keys if (key.id, key.name) == (assertion.credential, assertion.key)), None)
    if key is None:
        raise RefusedError(f"the passkey '{assertion.key}' is not enrolled")
    response = {theirs: getattr(assertion, ours) for theirs, ours in _PARTS.items()}
    try:
        said = _as_object(decode(assertion.client_data).decode())
        if said.get("crossOrigin") or not _ORIGIN.fullmatch(str(said["origin"])):
            raise RefusedError(f"it was signed on another page ({str(said['origin'])[:100]})")
        verify_authentication_response(
            credential={"id": key.id, "rawId": key.id, "type": "public-key", "response": response},
            expected_challenge=challenge,
            expected_rp_id=RP_ID,
            expected_origin=origin or str(said["origin"]),
            credential_public_key=decode(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        _refuse(error)


def count_signatures(assertion: Assertion) -> int:
    """How many signatures the authenticator has counted; 0 for those that do not count."""
    return int.from_bytes(decode(assertion.authenticator_data)[33:37], "big")


def encode(data: bytes) -> str:
    """Bytes as WebAuthn writes them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Bytes from the text that WebAuthn writes them as."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _describe_keys(keys: Sequence[Passkey]) -> list[Any]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=decode(key.id)) for key in keys]


def _as_object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def _refuse(error: Exception) -> NoReturn:
    raise RefusedError(f"The passkey's answer does not hold: {error}. Try again on this page.") from error
