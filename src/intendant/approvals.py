"""Approvals: a person's or a written policy's answer to one plan digest. Pure, no I/O, no clock."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Channel = Literal["elicitation", "terminal", "page", "policy"]


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
