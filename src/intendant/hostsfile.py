"""One YAML file of the inventory: hosts are added, edited and removed, comments and order stay."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap

from intendant.errors import InputError, ProjectError
from intendant.yamltext import Document, read_plain


def add_host(text: str, name: str, variables: Mapping[str, object], group: str = "") -> str:
    """The file's text with the host in it: in ``group``, which is made when it is not there, or beside all groups.

    Raises:
        ProjectError: the text is no YAML inventory, or other entries would change with it.
    """
    return _guard(text, _join(text, name, group, variables or None), name)


def edit_host(
    text: str,
    name: str,
    variables: Mapping[str, object] | None = None,
    *,
    join: Sequence[str] = (),
    leave: Sequence[str] = (),
) -> str:
    """The file's text with the host in other groups and with other variables (None takes one away).

    Raises:
        InputError: the file does not name the host, or it has no such variable or is not in such a group.
        ProjectError: the text is no YAML inventory, or other entries would change with it.
    """
    after = text
    for variable, value in (variables or {}).items():
        after = _unset(after, name, variable) if value is None else _set(after, name, variable, value)
    for group in join:
        after = _join(after, name, group, None)
    for group in leave:
        after = _leave(after, name, group)
    return _guard(text, after, name)


def remove_host(text: str, name: str) -> str:
    """The file's text without the host, in whatever groups it is.

    Raises:
        InputError: the file does not name the host.
        ProjectError: the text is no YAML inventory.
    """
    after, places = text, _list_entries(document := Document(text), name)
    while places:
        holder = places[0][1]
        after = document.cut(holder["hosts"], name, holder, "hosts", empty=CommentedMap())
        places = _list_entries(document := Document(after), name)
    if after == text:
        raise InputError(_unnamed(name))
    return _guard(text, after, name)


def _join(text: str, name: str, group: str, variables: Mapping[str, object] | None) -> str:
    """The host in one more group (beside all groups without one), where it is not there yet."""
    document = Document(text)
    found = next((holder for key, holder in _groups(document.root) if key == group), None) if group else None
    if found is not None:
        parent, path = found, ["hosts", name]
    else:
        parent, path = document.root, ["all", *(["children", group] if group else []), "hosts", name]
    # As far as there is something; the rest is new.
    while len(path) > 1 and parent.get(path[0]):
        parent = parent[path.pop(0)]
        if not isinstance(parent, CommentedMap):
            raise ProjectError(f"The inventory's file has something else than a mapping before '{path[0]}'.")
    if path[0] == name and name in parent:
        return text
    value: object = variables
    for key in reversed(path[1:]):
        value = {key: value}
    return document.put(parent, path[0], value)


def _set(text: str, name: str, variable: str, value: object) -> str:
    document = Document(text)
    holders = [holder for _, holder in _require_entries(document, name)]
    hosts = next((holder["hosts"] for holder in holders if variable in (holder["hosts"][name] or ())), None)
    if hosts is None:
        hosts = next((holder["hosts"] for holder in holders if holder["hosts"][name]), holders[0]["hosts"])
    if not hosts[name]:
        return document.put(hosts, name, {variable: value})
    return document.put(hosts[name], variable, value)


def _unset(text: str, name: str, variable: str) -> str:
    document = Document(text)
    for _, holder in _require_entries(document, name):
        entry = holder["hosts"][name]
        if entry and variable in entry:
            return document.cut(entry, variable, holder["hosts"], name, empty=None)
    raise InputError(
        f"variables: the inventory's file gives '{name}' no variable '{variable}' that could be taken away."
    )


def _leave(text: str, name: str, group: str) -> str:
    places = _require_entries(Document(text), name)
    gone = next((holder for key, holder in places if key == group), None)
    if gone is None:
        known = ", ".join(dict.fromkeys(key for key, _ in places))
        raise InputError(f"leave: the inventory's file does not name '{name}' in the group '{group}', but in: {known}.")
    variables = copy.deepcopy(gone["hosts"][name]) or {}
    kept = next((holder for _, holder in places if holder is not gone), None)
    if kept is None:  # the host itself stays
        text = _join(text, name, "", variables)
    there = kept["hosts"][name] or () if kept is not None else variables
    for variable in variables:
        # Those that the host has in the group go with it to where it stays.
        if variable not in there:
            document = Document(text)
            hosts = next(place["hosts"] for key, place in _require_entries(document, name) if key != group)
            entry = hosts[name]
            value = variables[variable]
            text = document.put(entry, variable, value) if entry else document.put(hosts, name, {variable: value})
    document = Document(text)
    holder = next(holder for key, holder in _require_entries(document, name) if key == group)
    return document.cut(holder["hosts"], name, holder, "hosts", empty=CommentedMap())


def _guard(before: str, after: str, name: str) -> str:
    """The text after an edit, when it says of everything but the host what it said before.

    Raises:
        ProjectError: it does not.
    """
    if _without_host(read_plain(before), name) != _without_host(read_plain(after), name):
        raise ProjectError(
            f"Other entries of the inventory's file would change with '{name}': they share an anchor (&, *) or are "
            "written in an unusual way. Edit the file by hand."
        )
    return after


def _without_host(groups: object, name: str) -> object:
    if not isinstance(groups, dict):
        return groups or {}
    found = {}
    for key, content in groups.items():
        if isinstance(content, dict):
            hosts = content.get("hosts")
            kept = {host: hosts[host] for host in hosts if str(host) != name} if isinstance(hosts, dict) else hosts
            parts = {**content, "hosts": kept, "children": _without_host(content.get("children"), name)}
            found[str(key)] = {part: value for part, value in parts.items() if value}
        else:
            found[str(key)] = content
    return {key: content for key, content in found.items() if content}


def _require_entries(document: Document, name: str) -> list[tuple[str, CommentedMap]]:
    if not (places := _list_entries(document, name)):
        raise InputError(_unnamed(name))
    return places


def _list_entries(document: Document, name: str) -> list[tuple[str, CommentedMap]]:
    """The groups, with their names, that have the host among their hosts."""
    places = _groups(document.root)
    return [place for place in places if isinstance(hosts := place[1].get("hosts"), dict) and name in hosts]


def _unnamed(name: str) -> str:
    return f"The inventory's file does not name the host '{name}': it may come from another source."


def _groups(root: Any) -> Iterator[tuple[str, CommentedMap]]:
    """Every group of the file that is a mapping, wherever it is nested."""
    for name, group in root.items():
        if isinstance(group, CommentedMap):
            yield str(name), group
            if isinstance(children := group.get("children"), CommentedMap):
                yield from _groups(children)
