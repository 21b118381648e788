"""JSON Schemas of what other programs read: `python -m intendant.cli.schemas docs` writes them."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from intendant.cli.results import PlanReport
from intendant.plans import Plan

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCHEMAS: dict[str, tuple[type[BaseModel], str]] = {
    "plan.schema.json": (PlanReport, "A plan as 'intendant show --format json' prints it, format_version 1"),
    "plan-file.schema.json": (Plan, "plan.json in the file of a portable plan, intendant-plan 1"),
}


def render_schemas() -> dict[str, str]:
    """The files' texts by name."""
    return {name: _render(model, title) for name, (model, title) in _SCHEMAS.items()}


def _render(model: type[BaseModel], title: str) -> str:
    schema: dict[str, Any] = model.model_json_schema(mode="serialization")
    return json.dumps({"$schema": _DIALECT, **schema, "title": title}, indent=2) + "\n"


if __name__ == "__main__":
    for name, text in render_schemas().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
