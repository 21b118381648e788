"""Whether the files that an inventory is made of are still the same, where files are all that it is made of."""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path

import yaml

from intendant.config import Config
from intendant.plainyaml import YamlReader

_YAML = YamlReader()
_PLAIN = {".yml", ".yaml", ".json", ".ini", ".toml", ""}
_VARIABLES = ("group_vars", "host_vars")
_SKIPPED = {".git", ".venv", "__pycache__"}


def sign_files(config: Config) -> Hashable | None:
    """A value that changes with every change of an inventory's files, or None when other things may change it too.

    Scripts, inventory plugins and sources outside of the project's settings ask somebody else for their hosts.
    """
    sources = _sources(config)
    if sources is None:
        return None
    found = list(_files(sources, skip=_VARIABLES))
    if any(_is_dynamic(path) for path in found):
        return None
    bases = [config.project_dir, *(source if source.is_dir() else source.parent for source in sources)]
    found += _files([base / name for base in bases for name in _VARIABLES])
    if any(path.is_dir() for path in found):
        return None  # a link to a folder, which is not looked into
    signed = [(str(path), path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino) for path in found]
    settings = config.ansible_cfg.stat() if config.ansible_cfg else None
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("ANSIBLE_")))
    return (tuple(signed), settings and (settings.st_mtime_ns, settings.st_size), environment)


def _sources(config: Config) -> list[Path] | None:
    if config.ansible_cfg is None:
        return [config.project_dir / "inventory"]
    named = config.read_ansible_setting("defaults", "inventory")
    if not named or "ANSIBLE_INVENTORY" in os.environ or config.read_ansible_setting("inventory", "enable_plugins"):
        return None
    paths = [(config.project_dir / Path(part.strip()).expanduser()) for part in named.split(",") if part.strip()]
    return paths if paths and all(path.exists() for path in paths) else None


def _files(roots: list[Path], skip: tuple[str, ...] = ()) -> Iterator[Path]:
    for root in roots:
        if root.is_file():
            yield root
        for base, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and name not in skip)
            yield from (path for path in (Path(base) / name for name in folders) if path.is_symlink())
            yield from (Path(base) / name for name in sorted(names))


def _is_dynamic(path: Path) -> bool:
    """Scripts are executable, and plugin configurations are YAML with a top-level key ``plugin``."""
    if path.stat().st_mode & 0o111 or path.suffix not in _PLAIN:
        return True
    if path.suffix not in (".yml", ".yaml"):
        return False
    text = path.read_bytes()
    lines = text.splitlines()
    if any(line.startswith((b"plugin:", b'"plugin"', b"'plugin'")) for line in lines):
        return True
    # Flow style, as in JSON, has its keys anywhere in a line. Few files have it, so only these are parsed.
    return any(line.lstrip().startswith(b"{") for line in lines) and _names_plugin(text)


def _names_plugin(text: bytes) -> bool:
    try:
        document = _YAML.compose(text.decode())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return True
    return isinstance(document, yaml.MappingNode) and any(key.value == "plugin" for key, _ in document.value)
