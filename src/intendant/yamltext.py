"""YAML that people have written, changed in place: comments, order and layout stay."""

import io
import re
from collections.abc import Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from intendant.errors import ProjectError

#: how people indent: mappings, sequences, and the dash within a sequence
_LAYOUTS = ((2, 2, 0), (2, 4, 2), (4, 4, 0), (4, 4, 2), (4, 6, 4), (3, 3, 0))


class Document:
    """A mapping as it is written. An instance is good for one change, which gives the new text.

    Lines are put in or cut where that says the same as the change of ``root`` does, so that no comment goes with them
    or comes to stand elsewhere.
    """

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            ProjectError: the text is no YAML, or no mapping.
        """
        self._lines = text.splitlines(keepends=True)
        writers = [_writer(*layout) for layout in _LAYOUTS]
        try:
            self._yaml, self.root = writers[0], writers[0].load(text)
            if self.root is None:
                self.root = CommentedMap()
            if not isinstance(self.root, CommentedMap):
                raise ProjectError("The inventory's file is no mapping of groups.")
            # The layout that it has; the first where none is kept in every line.
            for writer in writers if text.strip() else ():
                if _dump(writer, writer.load(text)) == text:
                    self._yaml, self.root = writer, writer.load(text)
                    break
        except YAMLError as error:
            raise ProjectError(f"The inventory's file is no YAML: {str(error).splitlines()[0]}") from error

    def put(self, parent: CommentedMap, key: str, value: object) -> str:
        """The text with an entry of a mapping; a new one is the last."""
        name, new = as_written(key), as_written(value)
        drafted = None
        if key in parent:
            span = self._find_span(parent, key)
        else:
            span = (end, end) if (end := self._find_end(parent)) is not None else None
        if span is not None:
            lines = _dump(self._yaml, CommentedMap({name: new})).splitlines(keepends=True)
            before = self._lines[: span[0]]
            if before and not before[-1].endswith("\n"):
                before[-1] += "\n"
            if len(lines) == 1 and span[0] < span[1] and (comment := _find_comment(parent, key)):
                lines[0] = f"{lines[0].rstrip()}   {comment}\n"
            drafted = [*before, *(" " * parent.lc.col + line for line in lines), *self._lines[span[1] :]]
        parent[name] = new
        return self._choose(drafted)

    def cut(self, parent: CommentedMap, key: str, holder: CommentedMap, name: str, *, empty: object) -> str:
        """The text without an entry of a mapping.

        Args:
            holder: where ``parent`` is the value of ``name``; this becomes ``empty`` ({} or None) when nothing is left.

        Raises:
            ProjectError: the entry comes from somewhere else.
        """
        if key not in (parent.lc.data or ()):
            raise ProjectError(f"The inventory's file has '{key}' from an anchor (<<). Edit it by hand.")
        drafted = None
        if (span := self._find_span(parent, key)) is not None:
            drafted = self._lines[: span[0]] + self._lines[span[1] :]
        del parent[key]
        if not parent:
            holder[name] = empty
            if drafted is not None and empty is not None:
                row = holder.lc.key(name)[0]
                drafted[row] = re.sub(
                    r":[ \t]*(#.*)?$", lambda found: f": {{}}  {found[1] or ''}".rstrip(), drafted[row]
                )
        return self._choose(drafted)

    def _choose(self, drafted: list[str] | None) -> str:
        written = _dump(self._yaml, self.root)
        try:
            if drafted is not None and (read_plain("".join(drafted)) or {}) == (read_plain(written) or {}):
                return "".join(drafted)
        except ProjectError:
            pass
        return written

    def _find_span(self, parent: CommentedMap, key: str) -> tuple[int, int] | None:
        """The lines of an entry without the comments after it, from and to; None where it shares them with others."""
        if parent.fa.flow_style() or key not in (parent.lc.data or ()):
            return None
        row, column = parent.lc.key(key)
        if self._lines[row][:column].strip():
            return None  # something else begins on this line
        end = row + 1
        for number in range(row + 1, len(self._lines)):
            line = self._lines[number]
            stripped, indent = line.strip(), len(line) - len(line.lstrip())
            if not stripped:
                continue
            if indent < column or (indent == column and not stripped.startswith("- ")):
                break  # a list may stand as far left as its key
            end = number + 1
        return row, end

    def _find_end(self, parent: CommentedMap) -> int | None:
        """Where a new last entry of a mapping belongs."""
        own = [key for key in parent if key in (parent.lc.data or ())]
        if not own:
            return None
        span = self._find_span(parent, max(own, key=lambda key: parent.lc.key(key)[0]))
        return None if span is None else span[1]


def _find_comment(parent: CommentedMap, key: str) -> str:
    """The comment behind an entry, on its line."""
    tokens = parent.ca.items.get(key) or ()
    text = next((token.value for token in tokens[2:3] if token is not None), "").split("\n")[0]
    return text if text.startswith("#") else ""


def as_written(value: Any) -> Any:
    """A value, or a key, so that Ansible's YAML 1.1 reads it as what it is: text such as ``on`` or ``12:30`` too."""
    if isinstance(value, Mapping):
        return CommentedMap((as_written(key), as_written(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return CommentedSeq(map(as_written, value))
    if type(value) is not str:
        return value
    try:
        same = yaml.safe_load(value) == value
    except (yaml.YAMLError, ValueError):
        same = False
    return value if same else SingleQuotedScalarString(value)


class _Loader(yaml.SafeLoader):
    """As Ansible reads it, but for its own tags, which are left as they are written."""


def _construct_tagged(_: yaml.SafeLoader, tag: str, node: yaml.Node) -> object:
    return (tag, node.value if isinstance(node, yaml.ScalarNode) else repr(node))


_Loader.add_multi_constructor("!", _construct_tagged)


def read_plain(text: str) -> Any:
    """The document as YAML 1.1 has it, as Ansible does.

    Raises:
        ProjectError: it is no YAML.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ProjectError(f"The inventory's file is no YAML: {str(error).splitlines()[0]}") from error


def _writer(mapping: int, sequence: int, offset: int) -> YAML:
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = 4096
    writer.indent(mapping=mapping, sequence=sequence, offset=offset)
    return writer


def _dump(writer: YAML, document: Any) -> str:
    stream = io.StringIO()
    writer.dump(document, stream)
    return stream.getvalue()
