"""What a tool is: one value that says all about itself, and how it becomes a tool of the SDK."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import process

from intendant.errors import IntendantError
from intendant.views.json import cut_text, to_json

_ERROR_CHARS = 4_000
_TEXT_CHARS = 8_000


@dataclass(frozen=True)
class Hints:
    """The four hints of a tool, all of them said."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


@dataclass(frozen=True)
class ToolSpec:
    """One tool: ``function`` is async, its name is the tool's, its parameters are the tool's arguments."""

    function: Callable[..., Any]
    title: str
    description: str
    hints: Hints
    #: runs first, with the arguments; what it gives in place of None is the answer to this call.
    before: "Callable[[Mapping[str, Any], Context[Any, Any]], Awaitable[InputRequiredResult | None]] | None" = None
    #: address of the view (MCP Apps) that shows its result, where it has one.
    app: str = ""

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.function.__name__


class _StrictTool(Tool):
    """A tool that knows its arguments, and tells our errors from crashes."""

    before: Any = Field(default=None, exclude=True)

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        try:
            if self.before is not None and (asked := await self.before(arguments, context)) is not None:
                return asked
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(self._explain(error.__cause__)) from None
            if isinstance(error.__cause__, IntendantError | ToolError):
                raise ToolError(cut_text(str(error.__cause__), _ERROR_CHARS)) from error.__cause__
            raise
        except IntendantError as error:
            raise ToolError(cut_text(str(error), _ERROR_CHARS)) from error
        except MCPError as error:
            if not self.resolved_params:
                raise
            # The client could not put the question: for the model this is a failed call, not a broken protocol.
            raise ToolError(
                f"The client failed to ask the user ({error.error.message}). Nothing was approved or changed. "
                f"A person can approve on a terminal: intendant review {arguments.get('plan_id', 'PLAN')}"
            ) from error

    def _explain(self, error: ValidationError) -> str:
        allowed = list(self.parameters["properties"])
        says = []
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            field = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                near = process.extractOne(field, allowed, score_cutoff=60)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                says.append(f"'{field}' is not an argument of {self.name}.{hint}")
            elif item["type"] == "missing":
                says.append(f"'{field}' is missing.")
            else:
                says.append(f"'{field}': {item['msg']}.")
        return f"{' '.join(says)} Arguments of {self.name}: {', '.join(allowed) or 'none'}."


def make_tool(spec: ToolSpec) -> Tool:
    """The SDK's tool: unknown arguments refused, schemas as small as they can be."""
    hints = spec.hints
    tool = _StrictTool.from_function(
        spec.function,
        title=spec.title,
        description=spec.description,
        annotations=ToolAnnotations(
            read_only_hint=hints.read_only,
            destructive_hint=hints.destructive,
            idempotent_hint=hints.idempotent,
            open_world_hint=hints.open_world,
        ),
        meta={"ui": {"resourceUri": spec.app}} if spec.app else None,
    )
    assert isinstance(tool, _StrictTool)
    tool.before = spec.before
    model = tool.fn_metadata.arg_model
    model.model_config = ConfigDict(**{**model.model_config, "extra": "forbid"})
    model.model_rebuild(force=True)
    tool.parameters = _slim({**model.model_json_schema(by_alias=True), "additionalProperties": False})
    # Every client has to keep the list of tools: it names what is always there, and docs/tools.md has all of it.
    described = tool.fn_metadata.output_schema or {}
    tool.fn_metadata.output_schema = {"type": "object", "required": described.get("required", [])}
    return tool


def describe_result(spec: ToolSpec) -> dict[str, Any]:
    """The whole JSON Schema of what a tool gives, of which the list of tools only names what is always there."""
    return _slim(Tool.from_function(spec.function).fn_metadata.output_schema or {})


def answer(result: BaseModel, text: str = "") -> CallToolResult:
    """A result for the client: structured, and as text for clients that show only that (default: the same as JSON)."""
    structured = to_json(result)
    shown = cut_text(text or json.dumps(structured, ensure_ascii=False, separators=(",", ":")), _TEXT_CHARS)
    return CallToolResult(content=[TextContent(type="text", text=shown)], structured_content=structured)


def _slim(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in fewer bytes, since every client pays for the list of tools in its context.

    Definitions are put where they are used (none is recursive); generated titles, docstrings of models and empty
    defaults go; ``X or null`` is one type with two names.
    """
    definitions = schema.get("$defs", {})

    def slim(part: Any) -> Any:
        if isinstance(part, list):
            return [slim(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return slim(definitions[part["$ref"].rpartition("/")[2]])
        if "anyOf" in part and {"type": "null"} in part["anyOf"] and len(part["anyOf"]) == 2:
            kept = slim(next(item for item in part["anyOf"] if item != {"type": "null"}))
            return {**kept, "type": [kept["type"], "null"], **slim({k: v for k, v in part.items() if k != "anyOf"})}
        kept = {key: slim(value) for key, value in part.items() if key not in ("title", "$defs", "properties")}
        if "properties" in part:
            kept["properties"] = {name: slim(value) for name, value in part["properties"].items()}
            kept.pop("description", None)
        if kept.get("additionalProperties") in ({}, True):
            del kept["additionalProperties"]
        if not kept.get("default", True):
            del kept["default"]
        return kept

    slimmed: dict[str, Any] = slim(schema)
    return slimmed
