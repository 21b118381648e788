"""The review page and what belongs to it, as HTML. Every page stands alone; nothing is fetched from elsewhere."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from intendant.approvals import Approval
from intendant.cleaning import sanitize
from intendant.errors import NotFoundError
from intendant.intents import Step
from intendant.plans import Plan, group_hosts
from intendant.runs import HostRun, Run
from intendant.views.html.outline import GroupOutline, outline_plan, page_rows
from intendant.views.lines import SYMBOLS, format_value, sanitize_line

_CHANNELS = {
    "elicitation": "the client's question",
    "terminal": "a terminal",
    "page": "this page",
    "passkey": "the passkey",
    "policy": "the written policy",
}
_TITLE_CHARS = 200
_PARAM_CHARS = 2_000
_BAD = ("failed", "unreachable", "unfinished")


@dataclass(frozen=True)
class Earlier:
    """The last run on some of the plan's hosts."""

    hosts: tuple[str, ...]
    run: Run
    same_steps: bool


@dataclass(frozen=True)
class Form:
    """What the decision's form needs: the token that proves that it is ours, and what was typed already."""

    csrf: str
    comment: str = ""
    #: what the browser asks of an authenticator (JSON); empty where no passkey is wanted, or none is enrolled.
    asks: str = ""
    #: the names of the passkeys that can sign it.
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanPage:
    """A plan as it stands now. ``status`` as in PlanResult; ``approval`` is the answer that was given, if any."""

    plan: Plan
    status: str = "pending"
    approval: Approval | None = None
    run: Run | None = None
    earlier: tuple[Earlier, ...] = ()
    #: the program that serves the page goes on after the answer.
    stays: bool = True

    @property
    def title(self) -> str:
        """What was asked for, or the steps where nobody said it in words."""
        steps = ", ".join(dict.fromkeys(step.intent for step in self.plan.steps))
        text = sanitize_line(self.plan.request or f"{steps} on {self.plan.pattern}")
        return text if len(text) <= _TITLE_CHARS else f"{text[:_TITLE_CHARS]}…"

    @property
    def answerable(self) -> bool:
        """A person can still say yes or no, here."""
        takes = not self.plan.approval_channels or {"page", "passkey"} & set(self.plan.approval_channels)
        return self.status == "pending" and self.approval is None and self.plan.applyable and bool(takes)

    @property
    def wants_passkey(self) -> bool:
        """A yes counts only when a passkey signs it."""
        return "passkey" in self.plan.approval_channels

    @property
    def shows_state(self) -> bool:
        """There is more to say than that it waits for an answer."""
        return self.status != "pending" or self.approval is not None

    @property
    def moving(self) -> bool:
        """What is shown may change by itself soon."""
        if self.run is not None:
            return not self.run.finished
        return self.stays and self.status in ("pending", "applied") and self.approval is not None

    @property
    def status_word(self) -> str:
        """One word for where the plan stands."""
        if self.run is not None:
            return "applied" if self.run.finished else "applying"
        return "approved" if self.status == "pending" and self.approval else self.status

    @property
    def status_class(self) -> str:
        """Its colour."""
        if self.run is not None and self.run.finished:
            return "good" if self.run.as_planned else "bad"
        return {"approved": "good", "applied": "good", "rejected": "bad", "stale": "bad"}.get(self.status_word, "")

    @property
    def headline(self) -> str:
        """The title of the part that says how it went on."""
        if self.run is not None:
            return "Run"
        return {"pending": "Approved", "applied": "Applied", "rejected": "Rejected"}.get(
            self.status, f"This plan is {self.status}"
        )

    @property
    def advice(self) -> str:
        """What happens next, or what to do."""
        if self.run is not None:
            return "" if self.run.as_planned or not self.run.finished else "Plan again to see what is left."
        if self.status == "pending" and self.stays:
            return "It waits to be applied, by the client that asked for it or by: intendant apply " + self.plan.id
        if self.status == "pending":
            return f"Go on with: intendant apply {self.plan.id}. This page does not follow it; you can close it."
        return {"rejected": "It cannot be applied any more.", "applied": ""}.get(self.status, "Plan again.")

    @property
    def why(self) -> str:
        """Why a person is asked."""
        if self.plan.approval_channels:
            return (
                f"You are asked because {sanitize_line(self.plan.approval_reason)}. Your answer is for this plan alone."
            )
        return "The policy asked nobody when this plan was made. Your answer is for this plan alone."

    @property
    def blind_spots(self) -> int:
        """How many tasks could not be predicted."""
        return sum(len(host.blind_spots) for host in self.plan.hosts)

    @property
    def failed_hosts(self) -> tuple[str, ...]:
        """Hosts without a prediction."""
        return tuple(host.host for host in self.plan.hosts if host.error is not None)


@dataclass(frozen=True)
class EnrolPage:
    """A passkey on its way into the file: ``known`` are the names of those that are in it."""

    name: str
    path: str
    known: tuple[str, ...]
    step: Literal["create", "confirm", "done"]
    csrf: str
    #: what the browser asks of an authenticator (JSON).
    asks: str = ""
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is for."""
        return "The passkey is enrolled" if self.step == "done" else "Enroll a passkey"


class HtmlViews:
    """Renders pages from the templates of this package."""

    def __init__(self) -> None:
        # Autoescaping is for every template: none of them is anything but HTML.
        loader = PackageLoader("intendant.views.html")
        self._env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._env.filters |= {
            "clean": sanitize_line,
            "clean_lines": sanitize,
            "moment": _format_moment,
            "param": _format_param,
            "sort_bad_first": _sort_bad_first,
        }
        self._env.globals |= {"symbols": SYMBOLS, "channels": _CHANNELS, "csp": "", "scripts": (), "style": "style.css"}
        self._style = self._render("style.css")
        self._scripts = " ".join(f"'{_hash(self._render(name))}'" for name in ("page.js", "passkey.js"))

    @property
    def csp(self) -> str:
        """The Content-Security-Policy of served pages: our one style and our scripts, by their hashes."""
        return (
            f"default-src 'none'; style-src '{_hash(self._style)}'; script-src {self._scripts}; "
            "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )

    def render_file(self, page: PlanPage) -> str:
        """The plan as one file that needs nothing else: no forms, no script, long diffs folded."""
        csp = f"default-src 'none'; style-src '{_hash(self._style)}'; form-action 'none'; base-uri 'none'"
        groups = outline_plan(page.plan, whole=True)
        return self._render("plan.html", page=page, groups=groups, links=False, form=None, problem="", csp=csp)

    def render_plan(self, page: PlanPage, groups: Sequence[GroupOutline], form: Form, problem: str = "") -> str:
        """The page that asks; ``groups`` is the plan's outline, ``problem`` says why an answer did not count."""
        scripts = ("page.js", "passkey.js") if form.asks else ("page.js",)
        values = {"page": page, "groups": groups, "form": form, "problem": problem, "scripts": scripts}
        return self._render("plan.html", links=True, **values)

    def render_progress(self, page: PlanPage) -> str:
        """The part of the page that changes: the approval, the run and its verdict."""
        return self._render("progress.html", page=page)

    def render_diff(self, plan: Plan, group: int, number: int, page: int = 1) -> str:
        """A page of one long diff; numbers count from 1 as in the outline.

        Raises:
            NotFoundError: the plan has no such group or change.
        """
        groups = group_hosts(plan.hosts)
        if not (1 <= group <= len(groups) and 1 <= number <= len(groups[group - 1].changes)):
            raise NotFoundError("change", f"{group}/{number}", [], f"Changes of plan {plan.id} are meant.")
        change = groups[group - 1].changes[number - 1]
        blocks, pages = page_rows(change, page)
        return self._render(
            "diff.html",
            change=change,
            hosts=groups[group - 1].hosts,
            group=group,
            number=number,
            blocks=blocks,
            pages=pages,
            number_of_page=min(max(page, 1), pages),
            single=not change.before or not change.after,
            plan=plan,
        )

    def render_enrolment(self, page: EnrolPage) -> str:
        """The page on which a passkey is enrolled."""
        return self._render("enroll.html", page=page, scripts=("passkey.js",))

    def render_notice(self, title: str, text: str, forward: str = "") -> str:
        """A page that says one thing; ``forward`` is a path of ours to go on to."""
        return self._render("notice.html", title=title, text=text, forward=forward)

    def render_app(self) -> str:
        """The view that clients show a plan's result in (MCP Apps): it is sent the result, and only shows it."""
        style, script = (_hash(self._render(name)) for name in ("app.css", "app.js"))
        csp = f"default-src 'none'; style-src '{style}'; script-src '{script}'; form-action 'none'; base-uri 'none'"
        return self._render("app.html", csp=csp, style="app.css", scripts=("app.js",))

    def _render(self, template: str, **values: object) -> str:
        return self._env.get_template(template).render(values)


def find_earlier(
    plan: Plan, last_runs: Mapping[str, Run], steps_of: Mapping[str, tuple[Step, ...]]
) -> tuple[Earlier, ...]:
    """The newest runs on the plan's hosts but its own, at most five; ``steps_of`` has the steps of the runs' plans."""
    hosts: dict[str, list[str]] = {}
    runs = {}
    for host in plan.hosts:
        run = last_runs.get(host.host)
        if run is not None and run.plan_id != plan.id:
            hosts.setdefault(run.id, []).append(host.host)
            runs[run.id] = run
    newest = sorted(runs.values(), key=lambda run: run.created_at, reverse=True)[:5]
    return tuple(
        Earlier(tuple(hosts[run.id]), run, same_steps=steps_of.get(run.plan_id) == plan.steps) for run in newest
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _format_moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _format_param(value: object) -> str:
    text = format_value(value)
    return text if len(text) <= _PARAM_CHARS else f"{text[:_PARAM_CHARS]}… (+{len(text) - _PARAM_CHARS} characters)"


def _sort_bad_first(hosts: Sequence[HostRun]) -> list[HostRun]:
    return sorted(hosts, key=lambda host: host.status not in _BAD)
