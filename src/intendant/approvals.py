"""Approvals: a person's or a written policy's answer to one plan digest. Pure, no I/O, no clock."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from intendant.plans import canonical_json

Channel = Literal["elicitation", "terminal", "page", "passkey", "policy"]


class Assertion(BaseModel):
    """What an authenticator signed for one approval. Bytes are base64url, as WebAuthn has them.

    The signature covers ``client_data``, which holds the challenge, which covers the plan's digest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the name of the key, as its owner enrolled it.
    key: str
    credential: str
    authenticator_data: str
    client_data: str
    signature: str
    nonce: str


class Approval(BaseModel):
    """Bound to one plan digest and single use. Times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    plan_id: str
    digest: str
    who: str
    channel: Channel
    at: datetime
    until: datetime
    comment: str = ""
    verdict: Literal["approved", "rejected"] = "approved"
    #: of an approval through a passkey.
    assertion: Assertion | None = None

    @property
    def through(self) -> str:
        """The channel and, of a passkey, its name."""
        return f"{self.channel} '{self.assertion.key}'" if self.assertion else self.channel


def make_challenge(plan_id: str, digest: str, nonce: str) -> bytes:
    """What an authenticator signs to approve this plan, and nothing else."""
    return hashlib.sha256(canonical_json(["intendant: approve this plan", plan_id, digest, nonce])).digest()


def review_command(plan_id: str, channels: Collection[str]) -> str:
    """The command with which a person approves a plan through one of the channels."""
    on_page = channels and "terminal" not in channels
    return f"intendant review {'--web ' if on_page else ''}{plan_id}"
