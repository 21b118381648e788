"""What a command line asks to plan: words, one intent with params, or a plan file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from intendant.cli.params import parse_params, read_secret
from intendant.errors import InputError
from intendant.intents import Step

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.resolving import Resolution


@dataclass(frozen=True)
class PlanRequest:
    """What to plan, where, and the words it was asked in (empty when it was not asked in words)."""

    hosts: str
    steps: tuple[Step, ...]
    words: str = ""


class _PlanFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hosts: str = ""
    steps: list[Step]


def read_plan_file(path: Path, hosts: str) -> PlanRequest:
    """A plan file: ``hosts`` (a pattern; the option ``hosts`` wins) and ``steps`` (intent and params each).

    Raises:
        InputError: the file cannot be read, is no such document, or no hosts are named.
    """
    try:
        content = _PlanFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"-f {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"-f {path}: is no YAML: {error}") from error
    except ValidationError as error:
        # Without the input: it may be a password.
        found = [f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()]
        expected = "Expected: hosts: PATTERN, steps: [{intent: NAME, params: {…}}]."
        raise InputError(f"-f {path}: {'; '.join(dict.fromkeys(found))}. {expected}") from None
    if not content.steps:
        raise InputError(f"-f {path}: steps is empty: name at least one intent.")
    return PlanRequest(hosts=_require_hosts(hosts or content.hosts), steps=tuple(content.steps))


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
