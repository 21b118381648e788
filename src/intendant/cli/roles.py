"""docs/roles.md and docs/roles/NAME.md, made from the roles' specifications: `python -m intendant.cli.roles docs`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from intendant.catalog import Catalog
from intendant.intents import Intent
from intendant.paths import shipped_roles
from intendant.schemas import join_description

_NOTE = "<!-- Made by `make docs`; a test compares it. -->\n"
_INDEX = f"""\
{_NOTE}# The roles

Each role is an intent: its params come from its argument specification, so the tools, the command line and plain
`ansible-playbook` take the same ones. How faithful their plans are is measured in [fidelity.md](fidelity.md).

| role | what it does | can be undone |
|---|---|---|
"""


def render_roles(docs: Path) -> dict[str, str]:
    """The pages by name relative to ``docs``; ``docs/plans/ROLE.txt`` holds a plan of each role."""
    intents = Catalog([shipped_roles()]).list()
    pages = {f"roles/{intent.name}.md": _page(intent, docs / "plans" / f"{intent.name}.txt") for intent in intents}
    rows = "".join(
        f"| [{intent.name}](roles/{intent.name}.md) | {intent.title} | {'yes' if intent.undo else 'no'} |\n"
        for intent in intents
    )
    return {"roles.md": _INDEX + rows, **pages}


def _page(intent: Intent, plan: Path) -> str:
    facts = "".join(
        f"**{label}.** {text}\n\n"
        for label, text in (
            ("Changes", intent.changes),
            ("Undo", intent.undo),
            ("Platforms", ", ".join(intent.platforms)),
        )
        if text
    )
    rows = "".join(_rows(intent.options))
    return (
        f"{_NOTE}# {intent.name}\n{intent.title}.\n\n{facts}"
        f"| param | type | default | |\n|---|---|---|---|\n{rows}"
        + (f"\n## In words\n`{intent.example}`\n" if intent.example else "")
        + (
            "\n## A plan\nOn a fresh host, of the first set of params in [fidelity.md](../fidelity.md):\n\n"
            f"```\n{plan.read_text('utf-8')}```\n"
            if plan.exists()
            else ""
        )
    )


def _rows(options: Mapping[str, dict[str, Any]], above: str = "") -> Iterator[str]:
    for name, option in options.items():
        yield _row(above + name, option)
        inside = "[]." if option.get("type") == "list" else "."
        yield from _rows(option.get("options") or {}, f"{above}{name}{inside}")


def _row(name: str, option: dict[str, Any]) -> str:
    kind = " or ".join(f"`{choice}`" for choice in option.get("choices", [])) or str(option.get("type", "str"))
    if option.get("elements"):
        kind += f" of {option['elements']}"
    default = (
        "required" if option.get("required") else f"`{json.dumps(option['default'])}`" if "default" in option else ""
    )
    text = join_description(option.get("description")).replace("|", "\\|")
    return f"| `{name}` | {kind} | {default} | {text}{' Secret.' if option.get('no_log') else ''} |\n"


def main(docs: Path) -> None:
    """Write the pages, and delete those of roles that are gone."""
    pages = render_roles(docs)
    (docs / "roles").mkdir(exist_ok=True)
    for old in (docs / "roles").glob("*.md"):
        if f"roles/{old.name}" not in pages:
            old.unlink()
    for name, text in pages.items():
        (docs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
