"""What only Ansible can say: how it reaches hosts, and what those answer that OpenSSH alone cannot ask."""

import json
import sys
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from intendant.config import Config, describe_invalid
from intendant.errors import EngineError
from intendant.inventory import check_pattern
from intendant.reach.results import HostAnswer
from intendant.reach.running import run_bounded
from intendant.reach.settings import HostSettings
from intendant.runner.environment import ansible_environment
from intendant.sources import sign_files

_PROGRAM = Path(__file__).parents[1] / "ansible" / "reaching.py"
_SETTINGS_SECONDS = 120
# Clients of a tool wait for a minute in all.
_ASK_SECONDS = 40
_MOST_BYTES = 64 * 1024 * 1024
# An unknown key is never kept, whatever the user's own settings say.
_STRICT = {
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD": "False",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
}


@dataclass(frozen=True)
class Question:
    """What one host is asked: ``script`` with /bin/sh and, with ``become``, whether it lets us become root."""

    script: str
    become: bool


class AnsibleSide:
    """Ansible in a process of its own, which keeps every password to itself."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: dict[str, tuple[Hashable, dict[str, HostSettings]]] = {}

    def read_settings(self, pattern: str) -> dict[str, HostSettings]:
        """How Ansible reaches each host that ``pattern`` matches; asked again only when the inventory has changed.

        Raises:
            InputError: the pattern is empty or malformed.
            EngineError: the inventory cannot be read.
        """
        check_pattern(pattern)
        signature = sign_files(self._config)
        known = self._known.get(pattern)
        if signature is not None and known is not None and known[0] == signature:
            return known[1]
        exit_code, printed, said = self._call("settings", {"pattern": pattern}, _SETTINGS_SECONDS, {})
        if exit_code is None:
            raise EngineError(f"The inventory was not read within {_SETTINGS_SECONDS} s.")
        if exit_code:
            raise EngineError(f"Ansible cannot say how the hosts are reached: {said.strip()[-1500:]}")
        found: dict[str, Any] = json.loads(printed)
        settings = {name: _read_settings(values) for name, values in found.items()}
        if signature is not None:
            self._known[pattern] = (signature, settings)
        return settings

    def ask(self, questions: Mapping[str, Question]) -> dict[str, HostAnswer]:
        """Ask these hosts through Ansible, all at once; those that took too long are not in the result.

        Raises:
            EngineError: Ansible could not run, or no host answered in time.
        """
        request = {
            "scripts": {name: question.script for name, question in questions.items()},
            "become": [name for name, question in questions.items() if question.become],
            "forks": self._config.forks,
        }
        exit_code, printed, said = self._call("ask", request, _ASK_SECONDS, _STRICT)
        answers: dict[str, dict[str, Any]] = {}
        for line in printed.splitlines():
            with suppress(ValueError):  # the last one may be cut
                host, task, answer = json.loads(line)
                answers.setdefault(host, {})[task] = answer
        if exit_code is None and not answers:
            raise EngineError(f"Ansible got no answer within {_ASK_SECONDS} s.")
        if exit_code and not answers:
            raise EngineError(f"Ansible cannot ask the hosts: {said.strip()[-1500:]}")
        return {host: HostAnswer.model_validate(answer) for host, answer in answers.items()}

    def _call(
        self, what: str, request: dict[str, Any], seconds: float, more: Mapping[str, str]
    ) -> tuple[int | None, str, str]:
        config = self._config
        inventory = None if config.ansible_cfg else str(config.project_dir / "inventory")
        whole = json.dumps({**request, "folder": str(config.project_dir), "inventory": inventory})
        command = [sys.executable, "-P", str(_PROGRAM), what]
        environment = {**ansible_environment(config), **more}
        return run_bounded(command, config.project_dir, environment, whole, seconds, _MOST_BYTES)


def _read_settings(values: Mapping[str, Any]) -> HostSettings:
    try:
        return HostSettings.model_validate(values)
    except ValidationError as error:
        return HostSettings(error=describe_invalid(error))
