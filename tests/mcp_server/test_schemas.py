"""One snapshot per tool: its schemas and words are a public contract, so a change of them has to be seen.

UPDATE_SNAPSHOTS=1 writes them anew.
"""

import difflib
import json
import os
from pathlib import Path

import pytest

from intendant.tools.base import ToolSpec, make_tool
from intendant.tools.reference import render_reference
from intendant.tools.table import TOOLS

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("spec", TOOLS, ids=lambda spec: spec.name)
def test_the_tool_is_what_its_snapshot_says(spec: ToolSpec) -> None:
    tool = make_tool(spec)
    hints = tool.annotations
    assert hints is not None
    current = json.dumps(
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "annotations": hints.model_dump(by_alias=True, exclude_none=True),
            "inputSchema": tool.parameters,
            "outputSchema": tool.output_schema,
        },
        indent=2,
    )
    snapshot = SNAPSHOTS / f"{spec.name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        snapshot.write_text(current + "\n", encoding="utf-8")
    stored = snapshot.read_text(encoding="utf-8").rstrip("\n") if snapshot.exists() else ""
    diff = "\n".join(difflib.unified_diff(stored.splitlines(), current.splitlines(), "snapshot", "now", lineterm=""))
    assert not diff, f"{diff}\n\nIf this is meant: UPDATE_SNAPSHOTS=1 and say it in CHANGELOG.md."


def test_there_is_no_snapshot_of_a_tool_that_is_gone() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == {spec.name for spec in TOOLS}


def test_the_reference_is_what_the_table_says(repository: Path) -> None:
    stored = (repository / "docs" / "tools.md").read_text(encoding="utf-8")
    assert stored == render_reference(), "python -m intendant.tools.reference > docs/tools.md"
