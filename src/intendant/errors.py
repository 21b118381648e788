"""Every error that Intendant raises on purpose, one class per distinct reaction of a caller.

    IntendantError
    ├── InputError          the caller's words are wrong: correct them and call again
    │   ├── NotFoundError   a name that does not exist (carries the nearest names)
    │   └── ProjectError    a file of the project cannot be used: mend the file
    ├── RefusedError        the request is understood and not allowed now
    │   ├── PolicyError     the policy forbids it: a person must change intendant.toml
    │   ├── ApprovalNeeded  a person must approve the plan first
    │   ├── StaleError      the plan no longer describes the world: plan again
    │   ├── UsedError       the plan was applied already: look at its run
    │   └── BusyError       a host is in use by another run: wait or cancel it
    ├── HostError           the one host that was asked could not do it: see the message
    └── EngineError         Ansible could not be run at all: see the message

A failure of a host is no error where several are asked: it is data in a plan or a run.
Messages name the field, what is allowed and what to do next; they never hold a secret value.
"""

from collections.abc import Iterable

from rapidfuzz import process


class IntendantError(Exception):
    """The root; its text is meant for the user."""


class InputError(IntendantError):
    """The caller's words are wrong: correct them and call again."""


class NotFoundError(InputError):
    """A name that does not exist; the message offers the nearest of the known names."""

    def __init__(self, kind: str, name: str, known: Iterable[str], next_step: str = "") -> None:
        names = sorted(known)
        near = [match for match, _, _ in process.extract(name, names, limit=3, score_cutoff=60)]
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        listed = f" Known: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}." if names and not near else ""
        super().__init__(f"There is no {kind} '{name}'.{hint}{listed}{' ' + next_step if next_step else ''}")
        self.nearest = near


class ProjectError(InputError):
    """A file of the project cannot be used: mend the file."""


class RefusedError(IntendantError):
    """The request is understood and not allowed now."""


class PolicyError(RefusedError):
    """The policy forbids it: a person must change intendant.toml."""


class ApprovalNeeded(RefusedError):
    """A person must approve the plan first."""


class StaleError(RefusedError):
    """The plan no longer describes the world; ``moved`` lists what differs, one sentence each."""

    def __init__(self, plan_id: str, moved: Iterable[str]) -> None:
        self.moved = tuple(moved)
        super().__init__(f"Plan {plan_id} is stale: {'; '.join(self.moved)}. Nothing was changed. Plan again.")


class UsedError(RefusedError):
    """The plan was applied already: look at its run."""


class BusyError(RefusedError):
    """A host is in use by another run: wait or cancel it."""


class HostError(IntendantError):
    """The one host that was asked could not do it: see the message."""


class EngineError(IntendantError):
    """Ansible could not be run at all: see the message."""


def restore_error(name: str, message: str) -> IntendantError | None:
    """An error that another process described by its class name and text; None when the name is not one of these."""
    kinds = [IntendantError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        if kind.__name__ == name:
            error = kind.__new__(kind)
            Exception.__init__(error, message)
            return error
    return None
