"""The project's inventory as a YAML file: hosts are added and removed, comments and order stay."""

import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from intendant.config import Config
from intendant.errors import InputError, ProjectError

_NAMES = ("hosts.yml", "hosts.yaml")
#: how people indent: mappings, sequences, and the dash within a sequence
_LAYOUTS = ((2, 2, 0), (2, 4, 2), (4, 4, 0), (4, 4, 2), (4, 6, 4), (3, 3, 0))


def find_hosts_file(config: Config) -> Path:
    """The YAML file that hosts are written to.

    Raises:
        ProjectError: the inventory is something else (INI, a script, a plugin, a folder without hosts.yml).
    """
    named = config.read_ansible_setting("defaults", "inventory") or "inventory"
    for part in filter(None, map(str.strip, named.split(","))):
        path = config.project_dir / Path(part).expanduser()
        found = [path / name for name in _NAMES] if path.is_dir() else [path]
        for file in found:
            if file.is_file() and file.suffix in (".yml", ".yaml"):
                return file
    raise ProjectError(f"The inventory ({named}) has no hosts.yml to write to. Add the host to it by hand.")


def add_host(text: str, name: str, variables: Mapping[str, object], group: str = "") -> str:
    """The file's text with the host in it: in ``group``, which is made when it is not there, or beside all groups.

    Raises:
        ProjectError: the text is no YAML inventory.
    """
    yaml, document = _load(text)
    parent = next((holder for key, holder in _groups(document) if key == group), None) if group else None
    if parent is None:
        parent = _child(document, "all")
        if group:
            parent = _child(_child(parent, "children"), group)
    _child(parent, "hosts")[name] = CommentedMap(variables) if variables else None
    return _dump(yaml, document)


def remove_host(text: str, name: str) -> str:
    """The file's text without the host, in whatever groups it is.

    Raises:
        InputError: the file does not name the host.
        ProjectError: the text is no YAML inventory.
    """
    yaml, document = _load(text)
    removed = False
    for _, holder in list(_groups(document)):
        hosts = holder.get("hosts")
        if isinstance(hosts, dict) and name in hosts:
            del hosts[name]
            removed = True
            if not hosts:  # an empty mapping has to be written as one
                holder["hosts"] = CommentedMap()
    if not removed:
        raise InputError(f"The inventory's file does not name the host '{name}': it may come from another source.")
    return _dump(yaml, document)


def replace_text(path: Path, before: str, after: str) -> None:
    """Put ``after`` in the place of ``before``, whole or not at all.

    Raises:
        ProjectError: the file is another by now, or cannot be written.
    """
    try:
        if (path.read_text(encoding="utf-8") if path.exists() else "") != before:
            raise ProjectError(f"{path} has been changed in the meantime. Nothing was written: try again.")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        real = path.resolve()  # a link stays one
        descriptor, draft = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(after)
        Path(draft).chmod(real.stat().st_mode & 0o777 if real.exists() else 0o644)
        Path(draft).replace(real)
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror}.") from error


def _load(text: str) -> tuple[YAML, CommentedMap]:
    """The document, and a writer that lays it out as it is; the first where none does that in every line."""
    writers = [_writer(*layout) for layout in _LAYOUTS]
    try:
        document = writers[0].load(text)
        if document is None:
            return writers[0], CommentedMap()
        if not isinstance(document, CommentedMap):
            raise ProjectError("The inventory's file is no mapping of groups.")
        for yaml in writers:
            if _dump(yaml, yaml.load(text)) == text:
                return yaml, yaml.load(text)
    except YAMLError as error:
        raise ProjectError(f"The inventory's file is no YAML: {str(error).splitlines()[0]}") from error
    return writers[0], document


def _writer(mapping: int, sequence: int, offset: int) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def _dump(yaml: YAML, document: Any) -> str:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _groups(document: Any) -> Iterator[tuple[str, CommentedMap]]:
    """Every group of the file that is a mapping, wherever it is nested."""
    for name, group in document.items():
        if isinstance(group, CommentedMap):
            yield str(name), group
            if isinstance(children := group.get("children"), CommentedMap):
                yield from _groups(children)


def _child(parent: CommentedMap, name: str) -> CommentedMap:
    """The mapping under ``name``; made, in lines of its own, where there is none or an empty one."""
    child = parent.get(name)
    if child is not None and not isinstance(child, CommentedMap):
        raise ProjectError(f"The inventory's file has something else than a mapping under '{name}'.")
    if not child:
        child = parent[name] = CommentedMap()
    return child
