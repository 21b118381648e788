"""What a command line asks to plan: words, one intent with params, or a plan file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from intendant.cli.params import parse_params, read_secret
from intendant.errors import InputError
from intendant.intents import Step
from intendant.playsteps import PlaybookLoader, is_play, read_play

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.words.resolving import Resolution


FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "-f",
        "--file",
        metavar="FILE|DIR",
        help="What YAML files say: hosts and steps, in one document or more; a folder stands for its *.yml files.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class PlanRequest:
    """What to plan, where, and the words it was asked in (empty when it was not asked in words)."""

    hosts: str
    steps: tuple[Step, ...]
    words: str = ""
    #: the file and document it was read from, for messages.
    source: str = ""


_EXPECTED = "Expected: hosts: PATTERN, steps: [{intent: NAME, params: {…}}]."


class _PlanFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hosts: str = ""
    steps: list[Step]


def read_plan_files(paths: Sequence[Path], hosts: str) -> list[PlanRequest]:
    """What plan files say, in order; a folder stands for its ``*.yml`` and ``*.yaml`` files by name.

    A file holds one document or more: ``hosts`` (a pattern; the option ``hosts`` wins) and ``steps`` (intent and params
    each), or a list of such. A playbook that was exported is such a list, too: each play is a document.

    Raises:
        InputError: a file cannot be read, holds something else, or no hosts are named; or a folder holds no file.
    """
    return [asked for path in paths for file in _list_files(path) for asked in _read_plan_file(file, hosts)]


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in (".yml", ".yaml") and file.name[0] != ".")
    if not found:
        raise InputError(f"-f {path}: the folder holds no *.yml file.")
    return found


def _read_plan_file(path: Path, hosts: str) -> list[PlanRequest]:
    try:
        text = path.read_text(encoding="utf-8")
        documents = list(yaml.load_all(text, PlaybookLoader))
    except OSError as error:
        raise InputError(f"-f {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"-f {path}: is no YAML: {error}") from error
    found = [item for one in documents for item in (one if isinstance(one, list) else [one])]
    if not found:
        raise InputError(f"-f {path}: is empty. {_EXPECTED}")
    return [
        _read_document(item, hosts, f"{path}, document {number}" if len(found) > 1 else str(path))
        for number, item in enumerate(found, start=1)
    ]


def _read_document(document: object, hosts: str, where: str) -> PlanRequest:
    if is_play(document):
        try:
            named, steps = read_play(document)
        except InputError as error:
            raise InputError(f"-f {where}: {error}") from None
        return PlanRequest(hosts=hosts or named, steps=steps, source=where)
    try:
        content = _PlanFile.model_validate(document)
    except ValidationError as error:
        # Without the input: it may be a password.
        found = [f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()]
        raise InputError(f"-f {where}: {'; '.join(dict.fromkeys(found))}. {_EXPECTED}") from None
    if not content.steps:
        raise InputError(f"-f {where}: steps is empty: name at least one intent.")
    return PlanRequest(hosts=_require_hosts(hosts or content.hosts), steps=tuple(content.steps), source=where)


def read_intent(app: App, name: str, params: Sequence[str], hosts: str) -> PlanRequest:
    """One step from ``--intent`` and ``-p``.

    Raises:
        InputError: see ``parse_params``; or no hosts are named.
        NotFoundError: no such intent or param.
    """
    intent = app.catalog.get(name)
    _require_hosts(hosts)
    return PlanRequest(hosts=hosts, steps=(Step(intent=intent.name, params=parse_params(params, intent, read_secret)),))


def resolve_words(app: App, words: str) -> Resolution:
    """What the words may mean, given the project's intents, hosts and groups."""
    return app.resolve(words)


def _require_hosts(hosts: str) -> str:
    if not hosts:
        raise InputError("--hosts: name the hosts or groups, such as --hosts web1 or --hosts 'web,!web3'.")
    return hosts
