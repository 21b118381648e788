"""The plan: what check mode predicts, host by host, and what decides the outcome. Pure, no I/O, no clock."""

import difflib
import hashlib
import json
from collections import Counter
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from intendant.intents import Step

Action = Literal["create", "update", "delete", "run"]
ACTIONS: tuple[Action, ...] = ("create", "update", "delete", "run")
PlanStatus = Literal["pending", "applied", "stale", "rejected"]
PlanKind = Literal["hosts", "inventory"]
SENSITIVE = "(sensitive)"
#: what plans of the inventory call the machine that Intendant runs on
CONTROLLER = "localhost"
_UNSAID = (("kind", "hosts"), ("to_confirm", ""))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Frozen):
    """One thing that one task does to one target on one host.

    ``before`` and ``after`` are text as Ansible reported it, masked; None where nothing was reported.
    ``step`` counts from 1.
    """

    step: int
    role: str
    task: str
    module: str
    target: str
    action: Action
    before: str | None = None
    after: str | None = None
    sensitive: bool = False

    @property
    def diff(self) -> str:
        """Unified diff of before and after; empty when neither was reported."""
        if self.sensitive and self.before is None and self.after is None:
            return SENSITIVE
        before, after = self.before or "", self.after or ""
        if before == after:
            return ""
        target = "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in self.target)
        lines = difflib.unified_diff(
            _diff_lines(before), _diff_lines(after), f"before: {target}", f"after: {target}", lineterm=""
        )
        return "\n".join(lines)


class BlindSpot(_Frozen):
    """A task whose effect check mode could not predict."""

    step: int
    task: str
    reason: str


class HostPlan(_Frozen):
    """What is predicted for one host; ``error`` is set when its prediction failed."""

    host: str
    changes: tuple[Change, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    error: str | None = None


class Seal(_Frozen):
    """What lets another machine check a plan's variables: see ``sealing``. Only portable plans have one."""

    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    values: str
    #: the version of Intendant that made the plan.
    intendant: str


class Bindings(_Frozen):
    """Fingerprints of everything that decides the outcome, so that a difference can be named.

    ``content`` maps files of roles, plugins, collections and configuration to SHA-256; ``variables`` maps each host to
    its variables' keyed fingerprints (HMAC-SHA-256, so that values cannot be guessed from a stored plan). With a
    ``seal`` these are hints only, and the seal decides.
    """

    content: dict[str, str]
    params: str
    hosts: tuple[str, ...]
    variables: dict[str, dict[str, str]]
    ansible_core: str
    seal: Seal | None = None


class Plan(_Frozen):
    """An immutable prediction. Params hold secrets only by reference. Times are UTC."""

    id: str
    #: what it changes: hosts, through Ansible, or the project's own inventory and known_hosts.
    kind: PlanKind = "hosts"
    created_at: datetime
    expires_at: datetime
    pattern: str
    steps: tuple[Step, ...]
    hosts: tuple[HostPlan, ...]
    bindings: Bindings
    request: str = ""
    client: str = ""
    #: how many tasks check mode started: what progress is measured against.
    tasks: int = 0
    #: what a person has to compare before saying yes.
    to_confirm: str = ""
    #: why approval is needed and the channels that may give it; empty channels mean that policy approves.
    approval_reason: str = ""
    approval_channels: tuple[str, ...] = ()
    digest: str = ""

    @property
    def errored(self) -> bool:
        """At least one host could not be predicted."""
        return any(host.error is not None for host in self.hosts)

    @property
    def complete(self) -> bool:
        """Nothing is hidden: no host failed and no task was a blind spot."""
        return not self.errored and not any(host.blind_spots for host in self.hosts)

    @property
    def healthy_hosts(self) -> tuple[str, ...]:
        """The hosts that an apply will touch."""
        return tuple(host.host for host in self.hosts if host.error is None)

    @property
    def applyable(self) -> bool:
        """There is something to do on at least one host whose prediction succeeded."""
        return any(host.error is None and (host.changes or host.blind_spots) for host in self.hosts)

    @property
    def destructive(self) -> bool:
        """Something is deleted, or a command runs whose effect is unknown."""
        return any(change.action == "delete" for host in self.hosts for change in host.changes) or any(
            host.blind_spots for host in self.hosts
        )

    @property
    def counts(self) -> dict[Action, int]:
        """Number of changes per action, over all hosts."""
        found = Counter(change.action for host in self.hosts for change in host.changes)
        return {action: found[action] for action in ACTIONS}

    @property
    def portable(self) -> bool:
        """The plan can be taken to another machine."""
        return self.bindings.seal is not None

    def to_document(self) -> dict[str, Any]:
        """The plan as JSON values, the way it is kept in files and digests.

        Fields that plans did not always have are there only where they say something, so that kept plans stay valid.
        """
        document = self.model_dump(mode="json")
        return {name: value for name, value in document.items() if (name, value) not in _UNSAID}

    def compute_digest(self) -> str:
        """SHA-256 (hex) over everything that decides the outcome, the predicted changes and the times included.

        Of a portable plan it covers all but what the applying side's policy decides.
        """
        covered = {"id", "kind", "created_at", "expires_at", "pattern", "steps", "hosts", "bindings", "to_confirm"}
        if self.portable:
            covered |= {"request", "client", "tasks"}
        document = {name: value for name, value in self.to_document().items() if name in covered}
        if not self.portable:
            del document["bindings"]["seal"]
        return hashlib.sha256(canonical_json(document)).hexdigest()


class HostGroup(_Frozen):
    """Hosts whose predictions are identical."""

    hosts: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    error: str | None = None


def _diff_lines(text: str) -> list[str]:
    """Lines as diff(1) shows them: only a line feed ends one, and a last line without it says so."""
    lines = text.split("\n")
    if lines[-1]:
        return [*lines[:-1], f"{lines[-1]}\n\\ No newline at end of file"]
    return lines[:-1]


def canonical_json(document: object) -> bytes:
    """The one serialisation that digests are computed over."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def group_hosts(hosts: tuple[HostPlan, ...]) -> tuple[HostGroup, ...]:
    """Hosts with the same changes, blind spots and error, in order of first appearance."""
    groups: dict[tuple[object, ...], list[HostPlan]] = {}
    for host in hosts:
        groups.setdefault((host.changes, host.blind_spots, host.error), []).append(host)
    return tuple(
        HostGroup(
            hosts=tuple(member.host for member in members),
            changes=members[0].changes,
            blind_spots=members[0].blind_spots,
            error=members[0].error,
        )
        for members in groups.values()
    )


def explain_drift(planned: Bindings, current: Bindings) -> list[str]:
    """One sentence for each thing that moved between two bindings; empty when they are equal."""
    moved = []
    for path in sorted(planned.content.keys() | current.content.keys()):
        if planned.content.get(path) != current.content.get(path):
            moved.append(f"{path} {_verb(path in planned.content, path in current.content)}")
    if gone := set(planned.hosts) - set(current.hosts):
        moved.append(f"host {', '.join(sorted(gone))} no longer matches")
    if joined := set(current.hosts) - set(planned.hosts):
        moved.append(f"host {', '.join(sorted(joined))} now matches too")
    for host in sorted(set(planned.variables) & set(current.variables)):
        old, new = planned.variables[host], current.variables[host]
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                moved.append(f"variable {name} of {host} {_verb(name in old, name in new)}")
    sealed = [bindings.seal.values if bindings.seal else "" for bindings in (planned, current)]
    if sealed[0] != sealed[1] and not any(line.startswith(("variable ", "setting ")) for line in moved):
        moved.append("a variable of the hosts or a setting ANSIBLE_… has another value, which may be a secret")
    if planned.ansible_core != current.ansible_core:
        moved.append(f"ansible-core is {current.ansible_core}, was {planned.ansible_core}")
    if planned.params != current.params:
        moved.append("the plan's stored copy was altered")
    return moved


def _verb(was: bool, present: bool) -> str:
    return "changed" if was and present else "was removed" if was else "was added"
