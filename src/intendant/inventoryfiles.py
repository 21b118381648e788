"""The YAML files that the project's inventory is made of, and which groups they put a host in."""

from pathlib import Path

from intendant.config import Config
from intendant.errors import InputError, ProjectError
from intendant.yamltext import read_plain

_NAMES = ("hosts.yml", "hosts.yaml")
_SUFFIXES = (".yml", ".yaml")
_VARIABLES = {"group_vars", "host_vars"}


def find_hosts_file(config: Config) -> Path:
    """The YAML file that hosts are written to.

    Raises:
        ProjectError: the inventory is something else (INI, a script, a plugin, a folder without hosts.yml).
    """
    for path in _sources(config):
        found = [path / name for name in _NAMES] if path.is_dir() else [path]
        for file in found:
            if file.is_file() and file.suffix in _SUFFIXES:
                return file
    named = config.read_ansible_setting("defaults", "inventory") or "inventory"
    raise ProjectError(f"The inventory ({named}) has no hosts.yml to write to. Add the host to it by hand.")


def find_files_of(config: Config, name: str) -> list[Path]:
    """The YAML files of the inventory that name a host among a group's hosts.

    Raises:
        InputError: there are none.
        ProjectError: one of the files is no YAML.
    """
    files: list[Path] = []
    for path in _sources(config):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [file for file in inside if file.suffix in _SUFFIXES and file.is_file()]
    found = [
        file
        for file in dict.fromkeys(files)
        if not _VARIABLES & {*file.parts} and name in _hosts_of(read_plain(file.read_text(encoding="utf-8")))
    ]
    if not found:
        raise InputError(
            f"The inventory's YAML files do not name the host '{name}': it may come from another source (INI, script, "
            "plugin). Edit that by hand."
        )
    return found


def list_groups(text: str, name: str) -> set[str]:
    """All groups of the file that the host is in, those that hold them too.

    Raises:
        ProjectError: the text is no YAML.
    """
    holders: dict[str, set[str]] = {}
    members: set[str] = set()

    def walk(groups: object, parent: str) -> None:
        for group, content in groups.items() if isinstance(groups, dict) else ():
            holders.setdefault(str(group), set()).update({parent} if parent else ())
            if isinstance(content, dict):
                if name in map(str, content.get("hosts") or ()):
                    members.add(str(group))
                walk(content.get("children"), str(group))

    walk(read_plain(text), "")
    todo = list(members)
    while todo:
        for holder in holders.get(todo.pop(), set()) - members:
            members.add(holder)
            todo.append(holder)
    return members - {"all", "ungrouped"}


def _sources(config: Config) -> list[Path]:
    named = config.read_ansible_setting("defaults", "inventory") or "inventory"
    return [config.project_dir / Path(part.strip()).expanduser() for part in named.split(",") if part.strip()]


def _hosts_of(groups: object) -> set[str]:
    found: set[str] = set()
    for content in groups.values() if isinstance(groups, dict) else ():
        if isinstance(content, dict):
            found |= set(map(str, content.get("hosts") or ())) | _hosts_of(content.get("children"))
    return found
