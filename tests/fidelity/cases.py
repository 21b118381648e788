"""What is measured of each role: `cases/ROLE.yml`, read into values that say what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

CASES = Path(__file__).parent / "cases"
Suite = Literal["bookworm", "trixie"]
Steps = list[tuple[str, dict[str, Any]]]


class ParameterSet(BaseModel):
    """One way to use a role, and what it must have done on a fresh host of each suite.

    ``files`` are what the project has to send: bytes by name. ``prepare`` (shell) and ``before`` (steps) come first
    and are not measured. ``proof`` and ``undo_proof`` are shell commands run as root that end with 0. ``leaves`` are
    regular expressions of what may differ after the undo.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    files: dict[str, int] = {}
    prepare: str = ""
    before: Steps = []
    steps: Steps
    proof: str
    undo: Steps = []
    no_undo: str = ""
    undo_proof: str = ""
    leaves: list[str] = []
    leaves_because: str = ""
    #: why a second plan is not empty.
    runs_again: str = ""
    blind_spots: list[str] = []
    suites: list[Suite] = ["bookworm", "trixie"]

    @model_validator(mode="after")
    def _explain(self) -> ParameterSet:
        if bool(self.undo) == bool(self.no_undo):
            raise ValueError(f"{self.name}: give either undo or no_undo with the reason")
        if bool(self.leaves) != bool(self.leaves_because):
            raise ValueError(f"{self.name}: leaves goes with leaves_because")
        return self


class RoleCases(BaseModel):
    """The parameter sets of one role, and params that it must refuse with a fragment of the reason."""

    model_config = ConfigDict(extra="forbid")

    role: str
    sets: list[ParameterSet]
    refused: list[tuple[dict[str, Any], str]] = []


def read_cases(folder: Path = CASES) -> dict[str, RoleCases]:
    """The cases by role. Raises ValidationError for a file that does not say them."""
    found = [RoleCases.model_validate(yaml.safe_load(path.read_text("utf-8"))) for path in sorted(folder.glob("*.yml"))]
    return {cases.role: cases for cases in found}
