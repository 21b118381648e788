"""docs/roles.md, made from the roles' own specifications: `python -m intendant.cli.roles > docs/roles.md`."""

import json
from typing import Any

import typer

from intendant.catalog import Catalog
from intendant.intents import Intent
from intendant.paths import shipped_roles
from intendant.schemas import join_description

_HEAD = """\
<!-- Made by `python -m intendant.cli.roles`; a test compares it. -->
# The roles

Each runs with plain `ansible-playbook` too; its README has an example. What is secret is never shown.
"""


def render_roles() -> str:
    """docs/roles.md: every shipped intent with its params."""
    return _HEAD + "".join(_describe(intent) for intent in Catalog([shipped_roles()]).list())


def _describe(intent: Intent) -> str:
    rows = "".join(_row(name, option) for name, option in intent.options.items())
    facts = "".join(
        f"{label}: {text}\n\n" for label, text in (("Changes", intent.changes), ("Undo", intent.undo)) if text
    )
    platforms = f"Platforms: {', '.join(intent.platforms)}.\n" if intent.platforms else ""
    table = f"| param | type | default | |\n|---|---|---|---|\n{rows}"
    return f"\n## {intent.name}\n{intent.title}.\n\n{facts}{table}\n{platforms}"


def _row(name: str, option: dict[str, Any]) -> str:
    kind = " or ".join(f"`{choice}`" for choice in option.get("choices", [])) or str(option.get("type", "str"))
    if option.get("elements"):
        kind += f" of {option['elements']}"
    default = (
        "required" if option.get("required") else f"`{json.dumps(option['default'])}`" if "default" in option else ""
    )
    text = join_description(option.get("description")).replace("|", "\\|")
    return f"| `{name}` | {kind} | {default} | {text}{' Secret.' if option.get('no_log') else ''} |\n"


if __name__ == "__main__":
    typer.echo(render_roles(), nl=False)
