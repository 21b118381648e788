"""docs/tools.md, made from the table of tools: `python -m intendant.tools.reference > docs/tools.md`."""

import json
import sys
from typing import Any

from mcp.server.mcpserver.tools import Tool

from intendant.tools.base import ToolSpec, describe_result, make_tool
from intendant.tools.table import TOOLS

_HEAD = """\
<!-- Made by `python -m intendant.tools.reference`; a test compares it. -->
# The MCP tools

Unknown arguments are refused. Results are structured and bounded: `next` says what to do and `next_cursor` gives the
rest. Their schemas in `tools/list` name the fields; what these hold is said here. No tool can approve a plan.

| tool | what it is for | changes hosts |
|---|---|---|
"""


def render_reference() -> str:
    """The page as Markdown."""
    rows = "".join(f"| [`{spec.name}`](#{spec.name}) | {spec.title} | {_says_effect(spec)} |\n" for spec in TOOLS)
    return _HEAD + rows + "".join(_describe(spec) for spec in TOOLS)


def _says_effect(spec: ToolSpec) -> str:
    if spec.hints.read_only:
        return "no"
    return "yes" if spec.hints.destructive else "no, but keeps a plan"


def _describe(spec: ToolSpec) -> str:
    tool = make_tool(spec)
    return f"\n## {spec.name}\n{spec.description}\n\n{_arguments(tool)}\nGives:\n\n{_fields(describe_result(spec))}"


def _arguments(tool: Tool) -> str:
    required = tool.parameters.get("required", [])
    lines = ["| argument | type | default | |", "|---|---|---|---|"]
    for name, schema in tool.parameters["properties"].items():
        default = "required" if name in required else f"`{json.dumps(_default(schema))}`"
        lines.append(f"| `{name}` | {_type(schema)} | {default} | {schema.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _default(schema: dict[str, Any]) -> Any:
    empty = {"string": "", "boolean": False, "integer": 0, "array": [], "object": {}}
    return schema.get("default", empty[schema["type"]])


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "maximum" in schema:
        return f"{schema['type']}, {schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "array":
        items = schema["items"]
        return f"list of {{{', '.join(items['properties'])}}}" if "properties" in items else f"list of {_type(items)}"
    return str(schema["type"])


def _fields(schema: dict[str, Any]) -> str:
    lines = ["| field | type | |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        lines.append(f"| `{name}` | {_result_type(field)} | {field.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _result_type(schema: dict[str, Any]) -> str:
    """The type of a field, with the fields of what it holds."""
    types = schema.get("type", "any")
    text = " or ".join(types) if isinstance(types, list) else str(types)
    if "properties" in schema:
        inner = (f"{name}: {_result_type(field)}" for name, field in schema["properties"].items())
        return text.replace("object", f"{{{', '.join(inner)}}}")
    return f"list of {_result_type(schema['items'])}" if "items" in schema else text


if __name__ == "__main__":
    sys.stdout.write(render_reference())
