"""Check hosts: each in a thread of its own with OpenSSH; what OpenSSH cannot ask, Ansible asks all at once."""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import get_args

from intendant.config import Config
from intendant.errors import EngineError, IntendantError
from intendant.inventory import Inventory
from intendant.reach.advice import Target
from intendant.reach.asking import AnsibleSide, Question
from intendant.reach.attempt import Attempt, Hop, attempt_login, find_route
from intendant.reach.inside import judge_become, judge_by_ansible, judge_inside, refuse_su, withhold_password
from intendant.reach.judging import (
    judge_silence,
    judge_way,
    refuse_password,
)
from intendant.reach.reading import Reading, read_attempt, spoken_lines
from intendant.reach.results import Check, CheckName, HostAnswer, HostCheck
from intendant.reach.route import find_known_keys, find_local_keys, judge_jumps, make_target
from intendant.reach.script import read_report, write_script
from intendant.reach.settings import HostSettings, SshSettings
from intendant.redaction import Redactor
from intendant.snapshot import list_pythons

_MOST_AT_ONCE = 64
# sshd drops logins at random when ten others are in the making (MaxStartups 10:30:100).
_MOST_AT_ONE_ADDRESS = 10
_KEYGEN_SECONDS = 10
_RETRY_SECONDS = (0.3, 1.0)
_ORDER: tuple[CheckName, ...] = get_args(CheckName)


@dataclass
class _Look:
    """One host while it is being looked at; ``question`` is what is left for Ansible."""

    host: str
    settings: HostSettings
    checks: list[Check] = field(default_factory=list)
    target: Target | None = None
    question: Question | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return any(not check.ok for check in self.checks)


class HostChecker:
    """Finds what stands between this machine and a plan for the hosts. Changes nothing, accepts no key."""

    def __init__(self, config: Config, inventory: Inventory) -> None:
        self._config = config
        self._inventory = inventory
        self._ansible = AnsibleSide(config)
        self._pythons = list_pythons()

    def check(self, pattern: str, *, start: int = 0, most: int | None = None) -> tuple[list[HostCheck], int]:
        """Check ``most`` of the hosts that ``pattern`` matches, by name from position ``start`` on; and how many match.

        Raises:
            InputError: the pattern is wrong or matches nothing.
            EngineError: the inventory cannot be read.
        """
        settings = self._ansible.read_settings(pattern)
        if not settings:
            self._inventory.read(pattern)  # it knows the near names
        names = sorted(settings)
        chosen = names[start : start + most] if most is not None else names[start:]
        gates: dict[str, threading.Semaphore] = {}
        lock = threading.Lock()

        def look(name: str) -> _Look:
            return self._look(name, settings[name], gates, lock)

        looks: list[_Look] = []
        if chosen:
            with ThreadPoolExecutor(min(len(chosen), _MOST_AT_ONCE)) as pool:
                looks = list(pool.map(look, chosen))
        self._ask_ansible([found for found in looks if found.question is not None])
        return [_finish(found) for found in looks], len(names)

    def _look(
        self, host: str, settings: HostSettings, gates: dict[str, threading.Semaphore], lock: threading.Lock
    ) -> _Look:
        began = time.monotonic()
        found = _Look(host, settings)
        if settings.error:
            fix = "Mend the variables of the host in the inventory: ansible-inventory --host shows them."
            problem = f"Its variables cannot be resolved: {settings.error}"
            found.checks = [Check("settings", False, settings.error, problem, fix)]
        elif settings.by_ssh:
            try:
                route = find_route(settings, self._config.project_dir)
            except (IntendantError, ValueError) as error:  # ValueError: quotes that do not end
                fix = "Mend ansible_ssh_common_args and the like in the inventory, or ~/.ssh/config."
                found.checks = [Check("settings", False, str(error), str(error), fix)]
            else:
                with lock:
                    first = route[0].ssh.endpoint
                    gate = gates.setdefault(first, threading.Semaphore(_MOST_AT_ONE_ADDRESS))
                self._look_by_ssh(found, route, gate)
        else:
            found.question = Question(write_script(settings, self._pythons), settings.become_by_ansible)
        found.seconds = time.monotonic() - began
        return found

    def _look_by_ssh(self, found: _Look, route: Sequence[Hop], gate: threading.Semaphore) -> None:
        settings, folder = found.settings, self._config.project_dir
        script = write_script(settings, self._pythons)
        attempt, reading = self._attempt(settings, route, script, gate)
        found.checks += judge_jumps(settings, route, attempt, folder)
        if found.failed:
            return
        *jumps, last = route
        if jumps and reading.reason == "proxy":  # the way was open to its end
            reading = replace(reading, stage="banner", reason="closed")
        target = found.target = make_target(settings, last, folder)
        keys, known = find_local_keys(last), find_known_keys(last, reading, folder)
        way = list(judge_way(target, reading, keys, known))
        if settings.secret:
            if not last.ssh.checks_keys:
                found.checks += refuse_password(way)
            elif reading.stage in ("login", "session"):
                found.checks += [check for check in way if check.name != "login"]
                found.question = Question(script, settings.become_by_ansible)
            else:
                found.checks += way
            return
        found.checks += way
        if not reading.logged_in:
            return
        report = read_report(attempt.stdout)
        if report is None:
            said = "\n".join(spoken_lines(attempt.log.splitlines()))
            found.checks.append(judge_silence(target, attempt.stdout, said, attempt.exit_code))
            return
        found.checks += judge_inside(target, report, (attempt.began, attempt.ended), self._pythons)
        if settings.become_by_ansible and not found.failed:
            if settings.become_secret and not last.ssh.checks_keys:
                found.checks.append(withhold_password())
            elif settings.become_method == "su" and not settings.become_secret and report.user != settings.become_user:
                found.checks.append(refuse_su())  # it would wait for a password until Ansible gives up
            else:
                found.question = Question("", become=True)

    def _attempt(
        self, settings: HostSettings, route: Sequence[Hop], script: str, gate: threading.Semaphore
    ) -> tuple[Attempt, Reading]:
        """One attempt; another one only where the host dropped us because of too many at once."""
        for seconds in (*_RETRY_SECONDS, None):
            with gate:
                attempt = attempt_login(settings, route, script, self._config.project_dir, only_key=settings.secret)
            reading = read_attempt(attempt.log)
            first = read_attempt(attempt.jump_logs[0]) if attempt.jump_logs else reading
            if seconds is None or first.stage != "banner" or first.reason not in ("closed", "busy"):
                break
            time.sleep(seconds * random.uniform(1, 2))  # noqa: S311 (spreads load, hides nothing)
        if attempt.exit_code is None and reading.reason == "other":
            reading = replace(reading, reason="hung")
        return attempt, reading

    def _ask_ansible(self, looks: Sequence[_Look]) -> None:
        """What is left, in one run of Ansible."""
        if not looks:
            return
        began = time.time()
        answers: dict[str, HostAnswer] = {}
        failure = ""
        try:
            answers = self._ansible.ask({found.host: found.question for found in looks if found.question})
        except EngineError as error:
            failure = str(error)
        ended = time.time()
        for found in looks:
            assert found.question is not None
            found.seconds += ended - began
            answer = answers.get(found.host, HostAnswer())
            target = found.target or _without_ssh(found.settings)
            if found.question.script:
                by_ssh = found.settings.by_ssh
                found.checks += judge_by_ansible(
                    target, answer, failure, (began, ended), self._pythons, name="login" if by_ssh else "connect"
                )
            if not found.failed and found.question.become:
                found.checks.append(judge_become(target, answer, failure))


def _finish(found: _Look) -> HostCheck:
    """In the order of the checks, and without secrets that a message may hold; commands are masked word by word."""
    redactor = Redactor()
    checks = [
        replace(check, detail=redactor.redact(check.detail), problem=redactor.redact(check.problem))
        for check in found.checks
    ]
    return HostCheck(
        found.host, tuple(sorted(checks, key=lambda check: _ORDER.index(check.name))), round(found.seconds, 2)
    )


def _without_ssh(settings: HostSettings) -> Target:
    """A host that another connection leads to."""
    user = settings.remote_user or ""
    nothing = SshSettings(settings.host, 0, user, (), False, True, "", (), ())
    return Target(settings, nothing, settings.host, None)
