"""The words of an exported playbook: names of plays and tasks, and comments that say where each came from. Pure.

Names are templates to Ansible, and both are read by people, so nothing in them may be evaluated or deceive.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from intendant.cleaning import sanitize
from intendant.intents import Intent, Step
from intendant.plans import Plan
from intendant.playbooks import ONCE, UPLOADS, Task
from intendant.runs import Run

_SHORT = re.compile(r"[A-Za-z0-9_./@:-]{1,60}")
_MOST_WORDS = 200
_MOST_TITLE = 100


@dataclass
class Contents:
    """What the comment at the top of the file has to say."""

    what: str
    left_out: Sequence[str]
    roles: Sequence[str] = ()
    #: secret variables that somebody has to set, with what each is for.
    secrets: dict[str, str] = field(default_factory=dict)
    #: variables that were named by reference.
    variables: Sequence[str] = ()
    uploads: Sequence[str] = ()
    once: bool = False


def title_task(intent: Intent, step: Step) -> str:
    """The intent's title, with what the step is about where that is a plain word."""
    title = re.sub(r"[{}]|[^\x20-\x7e\xa1-\uffff]", "", intent.title).strip() or intent.name
    about = [step.params.get(name) for names in intent.export.identity or [] for name in names.split("|")]
    first = next((value for value in about if isinstance(value, str) and _SHORT.fullmatch(value)), "")
    return f"{title[0].upper()}{title[1:_MOST_TITLE]}{f' ({first})' if first else ''}"


def title_play(tasks: Sequence[Task]) -> str:
    """The first task's name, and how many follow."""
    more = f", and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return f"{tasks[0].name}{more}"


def say(plan: Plan) -> str:
    """What was asked: the words, or the intents where it was not asked in words."""
    text = clean(plan.request or ", ".join(step.intent for step in plan.steps))
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}…"


def clean(text: str) -> str:
    """Text that stays on its line and hides nothing."""
    return " ".join(sanitize(text).split())


def caption_play(plan: Plan, run: Run | None, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Where a play came from."""
    lines = [f"Asked: {say(plan)}", f"Plan {plan.id} of {_format(plan.created_at)}"]
    if run is None:
        lines[1] += ", not applied"
    elif run.status in ("succeeded", "partial"):
        how = {True: "as planned", False: "with deviations", None: run.status}[run.as_planned]
        lines.append(f"Applied by {run.id} of {_format(run.created_at)}, {how}")
    else:
        lines.append(f"{run.id} of {_format(run.created_at)} did not succeed: {run.status}")
    if once := [str(number) for number, task in enumerate(tasks, start=1) if task.once]:
        lines.append(f"Task {', '.join(once)} acts every time anew (not idempotent), so only with --tags all,{ONCE}")
    return tuple(lines)


def caption_file(contents: Contents) -> list[str]:
    """The comment at the top: how to run it, what it needs, and what is not in it."""
    lines = [
        f"From Intendant's history: {clean(contents.what)}.",
        "Run it: ansible-playbook FILE --check --diff. As plans again: intendant plan -f FILE.",
        f"Roles that it needs on the roles path: {', '.join(contents.roles)}.",
    ]
    if contents.once:
        lines.append(f"On a new host run it with --tags all,{ONCE}: that does what acts every time anew, too.")
    if contents.secrets:
        lines.append("Secrets are not kept. Put these variables into a vault before you run it:")
        lines += [f"  {name}: {clean(purpose)}" for name, purpose in contents.secrets.items()]
    if others := [name for name in contents.variables if name not in contents.secrets]:
        lines.append(f"Variables that the inventory or a vault has to have: {', '.join(others)}.")
    if contents.uploads:
        lines.append(f"Files that have to lie in {UPLOADS}/ beside this file (they come from the upload folder):")
        lines += [f"  {clean(name)}" for name in contents.uploads]
    if contents.left_out:
        lines.append("Left out:")
        lines += [f"  {clean(reason)}" for reason in contents.left_out]
    return lines


def _format(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
