"""Reads a role folder into an intent. Knows where Ansible looks for a role's specification and defaults."""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from intendant.errors import InputError, ProjectError
from intendant.intents import ExportRules, Frame, Intent
from intendant.params import JSON_TYPES
from intendant.plainyaml import YamlReader
from intendant.schemas import join_description
from intendant.words.slots import find_option
from intendant.words.templates import check_phrase

_SUFFIXES = (".yml", ".yaml", ".json")
_STEMS = ("meta/argument_specs", "meta/main", "meta/intent", "defaults/main")
_KEYS_OF_LISTS = ("choices", "required_together", "mutually_exclusive", "required_one_of", "required_if")


def _construct_unsafe(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


#: with the two tags of Ansible's that may stand in a role's defaults
_YAML = YamlReader({"!unsafe": _construct_unsafe, "!vault": lambda _loader, _suffix, _node: None})


class IntentFile(BaseModel):
    """``meta/intent.yml``: what a role may say about itself beyond its specification."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    phrases: list[str] = []
    frame: dict[str, list[str] | bool] = {}
    tags: list[str] = []
    synonyms: list[str] = []
    hints: list[str] = []
    platforms: list[str] = []
    uploads: list[str] = []
    undo: str = ""
    changes: str = ""
    example: str = ""
    export: ExportRules = ExportRules()


def read_role(name: str, folder: Path) -> Intent | None:
    """The intent that the role in ``folder`` is, or None when it has no argument specification.

    Raises:
        ProjectError: a file of the role cannot be used; the message names the file.
    """
    meta = _read_mapping(find_file(folder, "meta/main"))
    spec_file = find_file(folder, "meta/argument_specs")
    document = _read_mapping(spec_file) if spec_file else meta
    if "argument_specs" not in document and not spec_file:
        return None
    origin = spec_file or find_file(folder, "meta/main") or folder
    main = (document.get("argument_specs") or {}).get("main")
    if not isinstance(main, dict):
        raise ProjectError(f"{origin}: argument_specs has no entry point 'main'.")
    options = _check_options(origin, "options", main.get("options") or {})
    for option in options:
        if not option.isascii() or not option.isidentifier():
            raise ProjectError(f"{origin}: options.{option} is no variable name.")
    about = _read_intent_file(find_file(folder, "meta/intent"))
    galaxy = meta.get("galaxy_info")
    galaxy = galaxy if isinstance(galaxy, dict) else {}
    intent = Intent(
        name=name,
        title=about.title or join_description(main.get("short_description") or galaxy.get("description")) or name,
        description=join_description(main.get("description")),
        path=str(folder),
        options=options,
        defaults=_read_defaults(folder, options),
        phrases=tuple(about.phrases),
        frame=_read_frame(find_file(folder, "meta/intent"), about.frame),
        tags=tuple(about.tags),
        synonyms=tuple(about.synonyms),
        uploads=tuple(about.uploads),
        undo=about.undo,
        changes=about.changes,
        example=about.example,
        platforms=tuple(about.platforms) or _galaxy_platforms(galaxy),
        export=about.export,
    )
    for field, phrases in (("phrases", intent.phrases), ("frame", intent.frame.templates())):
        for phrase in phrases:
            try:
                check_phrase(phrase, intent)
            except InputError as error:
                raise ProjectError(f"{find_file(folder, 'meta/intent')}: {field}: {error}") from None
    for need in (name for alternatives in intent.frame.needs for name in alternatives.split("|")):
        if find_option(intent, need) is None:
            raise ProjectError(f"{find_file(folder, 'meta/intent')}: frame.needs: {need} is no param of the role.")
    return intent


def _read_frame(path: Path | None, frame: dict[str, list[str] | bool]) -> Frame:
    known = Frame.model_fields
    for key, value in frame.items():
        if key not in known:
            raise ProjectError(f"{path}: frame.{key} is not known. Allowed: {', '.join(known)}.")
        if isinstance(value, bool) != (key == "bare"):
            raise ProjectError(
                f"{path}: frame.{key} must be {'true or false' if key == 'bare' else 'a list of texts'}."
            )
    return Frame.model_validate(frame)


def is_role(folder: Path) -> bool:
    """Tell whether Ansible would find something to do in the folder; others may lie beside roles."""
    return find_file(folder, "tasks/main") is not None or find_file(folder, "meta/main") is not None


def role_signature(folder: Path) -> Hashable:
    """Changes whenever a file that ``read_role`` reads appears, disappears or is written."""
    found = []
    for path in (folder / f"{stem}{suffix}" for stem in _STEMS for suffix in _SUFFIXES):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def find_file(folder: Path, stem: str) -> Path | None:
    """The file of that name below the role, with whichever suffix Ansible would take first."""
    return next((path for suffix in _SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()), None)


def _read_mapping(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        document = _YAML.load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ProjectError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ProjectError(f"{path} must hold a mapping.")
    return document


def _read_intent_file(path: Path | None) -> IntentFile:
    try:
        return IntentFile.model_validate(_read_mapping(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ProjectError(f"{path}: unknown key {key}. Known: {', '.join(IntentFile.model_fields)}.") from None
        raise ProjectError(f"{path}: {key}: {first['msg']}.") from None


def _check_options(path: Path, where: str, options: object) -> dict[str, dict[str, Any]]:
    """The options, each a mapping whose parts have the types that Ansible expects."""
    if not isinstance(options, dict):
        raise ProjectError(f"{path}: {where} must be a mapping.")
    checked: dict[str, dict[str, Any]] = {}
    for name, given in options.items():
        here = f"{where}.{name}"
        option = {} if given is None else given
        if not isinstance(name, str) or not isinstance(option, dict):
            raise ProjectError(f"{path}: {here} must be a mapping with a name that is text.")
        for key in ("type", "elements"):
            if option.get(key) is not None and option[key] not in JSON_TYPES:
                raise ProjectError(f"{path}: {here}.{key} must be one of {', '.join(JSON_TYPES)}.")
        for key in _KEYS_OF_LISTS:
            if option.get(key) is not None and not isinstance(option[key], list):
                raise ProjectError(f"{path}: {here}.{key} must be a list.")
        checked[name] = dict(option)
        if option.get("options") is not None:
            checked[name]["options"] = _check_options(path, f"{here}.options", option["options"])
    return checked


def _read_defaults(folder: Path, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Defaults that may be shown: those of defaults/main.yml, which Ansible uses, else what the specification says."""
    found = _read_mapping(find_file(folder, "defaults/main"))
    defaults = {}
    for name, option in options.items():
        value = found.get(name, option.get("default"))
        if value is not None and not option.get("no_log"):
            # YAML has dates and sets, JSON has not.
            defaults[name] = json.loads(json.dumps(value, default=str))
    return defaults


def _galaxy_platforms(galaxy: dict[str, Any]) -> tuple[str, ...]:
    platforms = galaxy.get("platforms")
    found = []
    for platform in platforms if isinstance(platforms, list) else []:
        if isinstance(platform, dict) and platform.get("name"):
            versions = platform.get("versions")
            found.append(" ".join(map(str, [platform["name"], *(versions if isinstance(versions, list) else [])])))
    return tuple(found)
