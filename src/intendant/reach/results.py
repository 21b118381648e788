"""What a check of a host comes to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

CheckName = Literal[
    "settings", "jump", "name", "connect", "banner", "host_key", "login", "shell", "python", "sudo", "space", "clock"
]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``fix`` says what mends it where it is not ok."""

    name: CheckName
    ok: bool
    detail: str
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True)
class HostCheck:
    """All that was seen of one host, in the order in which it matters; ``seconds`` is how long it took."""

    host: str
    checks: tuple[Check, ...]
    seconds: float = field(compare=False)

    @property
    def first_failed(self) -> Check | None:
        """What has to be mended first."""
        return next((check for check in self.checks if not check.ok), None)

    @property
    def ok(self) -> bool:
        """Nothing stands in the way of a plan."""
        return self.first_failed is None

    @property
    def problem(self) -> str:
        """What fails first; empty when nothing does."""
        failed = self.first_failed
        return (failed.problem or failed.detail) if failed else ""

    @property
    def fix(self) -> str:
        """What mends it."""
        failed = self.first_failed
        return failed.fix if failed else ""


class TaskAnswer(BaseModel):
    """What one raw command came to; ``message`` is Ansible's."""

    model_config = ConfigDict(frozen=True)

    rc: int | None = None
    stdout: str = ""
    stderr: str = ""
    message: str = ""
    unreachable: bool = False


class HostAnswer(BaseModel):
    """What a host answered: to the script, and to ``id -u`` as another user. None: not asked, or no answer."""

    model_config = ConfigDict(frozen=True)

    script: TaskAnswer | None = None
    become: TaskAnswer | None = None


def group_checks(found: Iterable[HostCheck]) -> list[list[HostCheck]]:
    """Hosts with the same outcome together, those with a problem first, each in the order of the input."""
    groups: dict[tuple[str, ...], list[HostCheck]] = {}
    for host in found:
        facts = [check.detail for check in host.checks if check.name in ("python", "sudo")] if host.ok else []
        groups.setdefault((host.problem, host.fix, *facts), []).append(host)
    return sorted(groups.values(), key=lambda group: group[0].ok)
