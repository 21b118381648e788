"""Planning what a command would do: by an intent that does the same where one is known, else as the command itself."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import JsonValue

from intendant.commands import CommandResult
from intendant.equivalents.finding import Equivalent
from intendant.errors import InputError, PolicyError, ProjectError
from intendant.intents import COMMAND, Step
from intendant.planning import Planner
from intendant.plans import Plan
from intendant.policy import Policy
from intendant.redaction import Redactor
from intendant.runner.base import Progress
from intendant.shell.verdicts import Verdict

REFUSED = (
    "Not run, and no plan can be made of it: the policy allows no commands that destroy. A person can run it by hand, "
    "or set allow_destructive_commands in intendant.toml."
)
_MOST_CHARACTERS = 1000


class Asked(NamedTuple):
    """A command that is not run at once. ``root``: it runs as root on every host; ``timeout`` is in seconds."""

    pattern: str
    command: str
    verdict: Verdict
    sudo: bool
    root: bool
    timeout: int
    client: str = ""


class Proposer:
    """Makes a plan of a command that may change something.

    Args:
        find_equivalent: what does the same as a command line that runs as root or not; None where nothing is known to.
    """

    def __init__(
        self, policy: Policy, planner: Planner, find_equivalent: Callable[[str, bool], Equivalent | None]
    ) -> None:
        self._policy = policy
        self._planner = planner
        self._find_equivalent = find_equivalent

    def propose(self, asked: Asked, on_progress: Callable[[Progress], None] = lambda _: None) -> CommandResult:
        """The plan, or why there is none.

        Raises:
            InputError, PolicyError, EngineError: as ``Planner.plan_changes`` does for the command itself.
        """
        equivalent = self._find_equivalent(asked.command, asked.root)
        if not is_allowed(self._policy, asked.verdict):
            return _refuse(asked.verdict, equivalent)
        note = ""
        if equivalent is not None:
            plan, problem = self._plan_equivalent(asked, equivalent, on_progress)
            if plan is not None:
                return _offer(asked.verdict, plan, equivalent)
            note = f"An intent does the same ({_describe(equivalent)}) but could not be planned: {problem}."
        step = Step(intent=COMMAND, params=_params(asked))
        plan = self._planner.plan_changes(asked.pattern, [step], client=asked.client, on_progress=on_progress)
        return _offer_command(asked.verdict, plan, note)

    def _plan_equivalent(
        self, asked: Asked, equivalent: Equivalent, on_progress: Callable[[Progress], None]
    ) -> tuple[Plan | None, str]:
        """The plan, or None with the reason when it cannot be made or fails on every host."""
        try:
            plan = self._planner.plan_changes(
                asked.pattern, equivalent.steps, client=asked.client, on_progress=on_progress
            )
        except (InputError, PolicyError, ProjectError) as error:
            return None, _cut(Redactor().redact(str(error)))
        return (plan, "") if plan.healthy_hosts else (None, _list_errors(plan))


def check_command_step(policy: Policy, classify: Callable[[str], Verdict], step: Step) -> None:
    """Refuse a step that runs a command which destroys, where the policy does not allow that.

    Raises:
        PolicyError: it is one, or what it runs cannot be known yet.
    """
    if step.intent != COMMAND:
        return
    line = step.params.get("command_line")
    if not isinstance(line, str):
        raise PolicyError("command_line: give the command itself; it is looked at before anything is planned.")
    verdict = classify(line)
    if not is_allowed(policy, verdict):
        raise PolicyError(f"command_line: {verdict.reason} {REFUSED}")


def is_allowed(policy: Policy, verdict: Verdict) -> bool:
    """Whether a plan may be made of such a command."""
    return verdict.kind != "destructive" or policy.allow_destructive_commands


def _refuse(verdict: Verdict, equivalent: Equivalent | None) -> CommandResult:
    other = (
        f" An intent does the same and shows what changes: plan_changes with {_describe(equivalent)}."
        if equivalent is not None
        else ""
    )
    return CommandResult(
        executed=False,
        kind=verdict.kind,
        reason=verdict.reason,
        equivalent=_describe(equivalent) if equivalent else "",
        next=f"{REFUSED}{other}",
    )


def _offer(verdict: Verdict, plan: Plan, equivalent: Equivalent) -> CommandResult:
    notes = [f"Other than the command, it {differs}." for differs in equivalent.differs]
    if errors := _list_errors(plan):
        notes.append(f"Not on these hosts: {errors}.")
    if plan.applyable:
        what = (
            f"Not run: plan {plan.id} does the same and shows what changes. Tell the user what it shows, then "
            f"apply_plan(plan_id='{plan.id}')."
        )
    else:
        notes.insert(0, "Nothing would change: the hosts are as the command would leave them.")
        what = f"Not run: plan {plan.id} does the same, and there is nothing to apply."
    note = " ".join(notes)
    literally = f"If the command itself is wanted, plan_changes with the intent {COMMAND} and command_line."
    return CommandResult(
        executed=False,
        kind=verdict.kind,
        reason=verdict.reason,
        plan_id=plan.id,
        applyable=plan.applyable,
        equivalent=_describe(equivalent),
        note=note,
        next=" ".join(filter(None, [what, note, literally])),
    )


def _offer_command(verdict: Verdict, plan: Plan, note: str) -> CommandResult:
    errors = _list_errors(plan)
    if plan.applyable:
        what = (
            f"Not run: what it changes cannot be predicted. It waits for approval as plan {plan.id}; tell the user the "
            f"command and the reason, then apply_plan(plan_id='{plan.id}')."
        )
        other = "" if note else "If an intent does the same (find_intents), plan that: its plan shows what changes."
        note = " ".join(filter(None, [note, f"Not on these hosts: {errors}." if errors else ""]))
        following = " ".join(filter(None, [what, note, other]))
    else:
        note = f"The plan cannot be applied: {errors}"
        following = f"Not run, and plan {plan.id} cannot be applied: {errors}"
    return CommandResult(
        executed=False,
        kind=verdict.kind,
        reason=verdict.reason,
        plan_id=plan.id,
        applyable=plan.applyable,
        note=note,
        next=following,
    )


def _params(asked: Asked) -> dict[str, JsonValue]:
    return {
        "command_line": asked.command,
        "command_shell": "bash" if asked.verdict.needs_bash else "sh",
        "command_sudo": asked.sudo,
        "command_timeout": asked.timeout,
    }


def _describe(equivalent: Equivalent) -> str:
    return Redactor().redact(equivalent.describe())


def _list_errors(plan: Plan) -> str:
    return _cut("; ".join(f"{host.host}: {host.error}" for host in plan.hosts if host.error))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
