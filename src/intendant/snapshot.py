"""A plan's own copy of everything that it runs, and the fingerprints that tell when the originals have moved."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from intendant.config import Config
from intendant.errors import NotFoundError, ProjectError
from intendant.fingerprints import fingerprint_files, hash_file, is_executable
from intendant.inventory import HostEntry
from intendant.paths import ADJACENT, collections_path, configured_plugins, roles_path, shipped_modules
from intendant.plainyaml import YamlReader

_SKIPPED = {".git", "__pycache__", "molecule", ".venv"}
_CHUNK_BYTES = 1 << 20
STEPS_VARIABLE = "intendant_steps"
_DISCOVERY = "ansible_interpreter_python_fallback"
_PYTHONS = tuple(f"python3.{minor}" for minor in range(14, 7, -1))


def find_sources(config: Config, roles: Mapping[str, Path]) -> dict[str, Path]:
    """Everything a run reads that is copied into its snapshot: place in the snapshot to original folder."""
    sources = {"library": shipped_modules()}
    for name in ADJACENT:
        if (config.project_dir / name).is_dir():
            # The project's own modules lie over ours in one folder, as they would beside a playbook.
            sources[f"library{os.sep}" if name == "library" else name] = config.project_dir / name
    for name, folder in collect_roles(config, roles).items():
        if "." not in name:  # a collection's role runs from its collection, which is fingerprinted as a whole
            sources[f"roles/{name}"] = folder
    return sources


def fingerprint_sources(config: Config, roles: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 (hex) of every file that decides what Ansible does, under names that a person recognises."""
    content: dict[str, str] = {}
    for place, folder in find_sources(config, roles).items():
        content.update({f"{place.rstrip(os.sep)}/{name}": hash_file(path) for name, path in _files(folder)})
    for entry, folder in configured_plugins(config):
        inside = folder.is_relative_to(config.project_dir)
        place = str(folder.relative_to(config.project_dir)) if inside else entry.rstrip("/")
        content.update({f"{place}/{name}": hash_file(path) for name, path in _files(folder)})
    if config.ansible_cfg is not None:
        content["ansible.cfg"] = hash_file(config.ansible_cfg)
    seen = set()
    for folder in [path for base in collections_path(config) for path in (base / "ansible_collections").glob("*/*/")]:
        name = f"collection {folder.parent.name}.{folder.name}"
        if name not in seen:
            seen.add(name)  # an earlier one hides later ones
            # What was installed is as its manifest says; what is being worked on has none.
            manifest = folder / "MANIFEST.json"
            files = [(manifest.name, manifest)] if manifest.is_file() else _files(folder)
            content.update({f"{name}/{file}": hash_file(path) for file, path in files})
    for name, folder in collect_roles(config, roles).items():
        if "." in name:
            content.update({f"roles/{name}/{file}": hash_file(path) for file, path in _files(folder)})
    return content


def copy_sources(config: Config, roles: Mapping[str, Path], directory: Path) -> None:
    """Copy what ``find_sources`` names into a new snapshot folder."""
    for place, folder in find_sources(config, roles).items():
        for name, path in _files(folder):
            target = directory / place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def fingerprint_snapshot(directory: Path) -> str:
    """One SHA-256 (hex) over all files of a snapshot: playbook, params, roles, plugins, variables."""
    return fingerprint_files(hash_snapshot(directory))


def hash_snapshot(directory: Path) -> dict[str, str]:
    """Every file of a snapshot by name, as ``hash_content`` gives it."""
    return {name: hash_file(path) for name, path in _files(directory)}


def read_snapshot(directory: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file of a snapshot by name: its content, and whether it is executable."""
    return {name: (path.read_bytes(), is_executable(path)) for name, path in _files(directory)}


def collect_roles(config: Config, roles: Mapping[str, Path]) -> dict[str, Path]:
    """The given roles and all that they depend on, by name.

    Raises:
        ProjectError: a role names another one by a template, so that nobody can know what will run.
        NotFoundError: a role that is depended on does not exist.
    """
    found: dict[str, Path] = {}
    queue = list(roles.items())
    while queue:
        name, folder = queue.pop()
        if name in found:
            continue
        found[name] = folder
        for needed in _dependencies(folder):
            if "{{" in needed:
                raise ProjectError(
                    f"Role {name} includes a role by a template ({needed}): what it runs cannot be bound to a plan. "
                    "Name the role literally."
                )
            queue.append((needed, _find_role(config, needed, name)))
    return dict(sorted(found.items()))


def write_playbook(
    directory: Path, steps: Sequence[tuple[str, Mapping[str, Any]]], hosts: Mapping[str, HostEntry]
) -> None:
    """Write playbook.yml (one play for each step, named after its number) and params.json.

    Args:
        steps: role name and encoded params.
        hosts: the hosts to touch; a local one without its own setting gets the Python that runs Ansible.

    The same steps and hosts give the same files on every machine: nothing in them names a place of this one.
    """
    local = [host.name for host in hosts.values() if _lacks_interpreter(host)]
    decided = any(_DISCOVERY in host.variables for host in hosts.values())
    common = {"hosts": list(hosts), "become": True, "vars": {} if decided else {_DISCOVERY: list(list_pythons())}}
    # Facts stay in memory from this play to the next ones.
    plays: list[dict[str, Any]] = [{"name": "0", **common, "gather_facts": True}]
    for number, (role, params) in enumerate(steps, start=1):
        values = {name: f"{{{{ {STEPS_VARIABLE}[{number - 1}][{name!r}] }}}}" for name in params}
        play: dict[str, Any] = {
            "name": str(number),
            **common,
            "gather_facts": False,
            "roles": [{"role": role, "vars": values}],
        }
        plays.append(play)
    (directory / "playbook.yml").write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    document = {STEPS_VARIABLE: [dict(params) for _, params in steps]}
    path = directory / "params.json"
    path.write_text(json.dumps(document, sort_keys=True), encoding="ascii")
    path.chmod(0o600)
    for name in local:
        # Beside the playbook, so that it holds for these hosts alone and loses against the project's own host_vars.
        folder = directory / "host_vars" / name
        if not folder.is_file() and not folder.with_suffix(".yml").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "intendant-interpreter.yml").write_text(
                yaml.safe_dump({"ansible_python_interpreter": "{{ ansible_playbook_python }}"}), encoding="utf-8"
            )


def list_pythons() -> tuple[str, ...]:
    """The interpreters that plans look for on a host, where its variables do not say.

    The distribution's Python comes first: one that was put beside it may go in the middle of a run.
    """
    return (*(f"/usr/bin/{name}" for name in _PYTHONS), "/usr/bin/python3", *_PYTHONS, "python3")


def _lacks_interpreter(host: HostEntry) -> bool:
    # Discovery would take the first python3 of the PATH, which may be a shim that only works in a login shell.
    return host.connection == "local" and "ansible_python_interpreter" not in host.variables


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(base) / name
            if path.is_file() and not name.endswith(".pyc"):
                yield path.relative_to(folder).as_posix(), path


def _find_role(config: Config, name: str, wanted_by: str) -> Path:
    if name.count(".") >= 2:
        namespace, collection, role = name.split(".", 2)
        candidates = [
            base / "ansible_collections" / namespace / collection / "roles" / role for base in collections_path(config)
        ]
    else:
        candidates = [base / name for base in roles_path(config)]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise NotFoundError("role", name, [], f"Role {wanted_by} needs it.")


def _dependencies(folder: Path) -> Iterator[str]:
    meta = _load(folder / "meta" / "main.yml")
    for entry in (meta or {}).get("dependencies") or []:
        name = entry if isinstance(entry, str) else entry.get("role") or entry.get("name") or ""
        if name:
            yield str(name)
    for part in ("tasks", "handlers"):
        for name, path in _files(folder / part):
            if name.endswith((".yml", ".yaml")):
                yield from _included_roles(_load(path))


def _included_roles(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _included_roles(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if str(key).rpartition(".")[2] in ("include_role", "import_role"):
                given = value if isinstance(value, dict) else _read_pairs(str(value))
                if name := given.get("name") or given.get("role"):
                    yield str(name)
            elif key in ("block", "rescue", "always"):
                yield from _included_roles(value)


def _read_pairs(text: str) -> dict[str, str]:
    """Arguments in the short form, ``name=common tasks_from=install``."""
    return dict(re.findall(r"(\w+)=(\S+)", text))


#: indifferent to Ansible's own tags
_YAML = YamlReader({"!": lambda *_: None})


def _load(path: Path) -> Any:
    try:
        return _YAML.load(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ProjectError(f"{path} cannot be read: {error}") from error
