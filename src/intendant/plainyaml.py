"""YAML as plain data, by libyaml where it is there: it is five to ten times as fast as PyYAML's own parser.

libyaml's binding knows no limit of nesting and ends the process when it runs out of stack. What may be nested that deep
is left to PyYAML's own parser, which raises a RecursionError.
"""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

#: what becomes of a node with a tag of its own: (loader, rest of the tag, node)
Construct = Callable[[Any, str, Any], object]
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 5_000


class YamlReader:
    """Reads plain data only. ``tags`` says by its beginning what a tag means; any other is an error."""

    def __init__(self, tags: Mapping[str, Construct] | None = None) -> None:
        self._fast, self._slow = (type("Loader", (base,), {}) for base in (_FAST, yaml.SafeLoader))
        for loader in (self._fast, self._slow):
            for prefix, construct in (tags or {}).items():
                yaml.add_multi_constructor(prefix, construct, Loader=loader)

    def load(self, text: str) -> Any:
        """The one document of the text.

        Raises:
            yaml.YAMLError: it is no YAML, or has a tag that means nothing.
            ValueError, RecursionError: a value is none of its type, such as the 13th month; it is nested too deep.
        """
        return yaml.load(text, Loader=self._loader_for(text))  # noqa: S506 (both are safe loaders)

    def load_all(self, text: str) -> list[Any]:
        """Every document of the text; raises what ``load`` raises."""
        return list(yaml.load_all(text, Loader=self._loader_for(text)))

    def compose(self, text: str) -> Any:
        """The node of the one document of the text; raises what ``load`` raises."""
        return yaml.compose(text, Loader=self._loader_for(text))

    def _loader_for(self, text: str) -> Any:
        # Each level of nesting takes a bracket, or a character of a line: a space of indentation or a dash.
        deepest = text.count("[") + text.count("{") + max(map(len, text.split("\n")))
        return self._fast if deepest < _DEEPEST else self._slow
