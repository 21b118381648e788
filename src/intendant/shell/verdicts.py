"""What can be said of a command."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["read", "unknown", "change", "destructive"]
#: From harmless to worst. "unknown" and "change" both wait for a person; "change" is the worse of them because its
#: reason says what will happen, where "unknown" only says what is not known. "destructive" is refused.
KINDS: tuple[Kind, ...] = ("read", "unknown", "change", "destructive")


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a command from being a mere read; ``reason`` is a sentence without its full stop."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The class of a command line.

    ``reason``: one sentence for a person. ``needs_bash``: ``sh`` may read the line in another way.
    """

    kind: Kind
    reason: str
    needs_bash: bool


def worst_of(findings: Iterable[Finding]) -> Finding | None:
    """The first of the worst kind; None when there is nothing to say."""
    return max(findings, key=lambda finding: KINDS.index(finding.kind), default=None)
