"""The requests of the review page: show the plan, take the answer, follow the run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from intendant.approvals import Assertion, make_challenge
from intendant.authenticators import ask_assertion, check_assertion, read_assertion
from intendant.errors import InputError, IntendantError, NotFoundError
from intendant.processes import identify_user
from intendant.review.gate import Gate
from intendant.review.guarding import make_origin
from intendant.review.invitations import Invitation, Invitations
from intendant.review.reading import read_page
from intendant.views.html.outline import GroupOutline, outline_plan
from intendant.views.html.pages import Form, PlanPage

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.plans import Plan

#: plans whose outline is kept, since a plan never changes and comparing texts takes time.
_MOST_OUTLINES = 8
_NO_ENTRY = (
    "This address does not work, or no longer: each opens the page once, in one browser. Ask for a new one, or run "
    "'intendant review --web PLAN' on the machine itself."
)


class ReviewApp(Gate):
    """An ASGI application over one project; an invitation is for one plan.

    Args:
        stays: the program goes on after an answer, so that the page may follow the run.
    """

    def __init__(self, get_app: "Callable[[], App]", invitations: Invitations, port: int, *, stays: bool) -> None:
        super().__init__(invitations, port, _NO_ENTRY)
        self._get_app = get_app
        self._stays = stays
        self._outlines: dict[str, list[GroupOutline]] = {}

    async def _answer_guest(self, request: Request, method: str, rest: list[str], invitation: Invitation) -> Response:
        show: Callable[[], Response]
        match (method, rest):
            case ("GET", []):
                show = partial(self._show_plan, invitation)
            case ("GET", ["progress"]):
                show = partial(self._show_progress, invitation)
            case ("GET", ["diff", group, number]) if group.isdecimal() and number.isdecimal():
                page = request.query_params.get("page", "1")
                at = int(page) if page.isdecimal() and len(page) < 7 else 1
                show = partial(self._show_diff, invitation, int(group), int(number), at)
            case ("POST", ["answer"]):
                form = await self._read_form(request, invitation)
                if isinstance(form, Response):
                    return form
                show = partial(self._take_answer, invitation, form)
            case _:
                return self._not_found()
        return await to_thread.run_sync(show)

    def _show_plan(self, invitation: Invitation, problem: str = "", status: int = 200, comment: str = "") -> Response:
        page = self._read(invitation)
        groups = self._outlines.get(page.plan.id)
        if groups is None:
            if len(self._outlines) >= _MOST_OUTLINES:
                self._outlines.clear()
            groups = self._outlines[page.plan.id] = outline_plan(page.plan, whole=False)
        form = Form(invitation.csrf, comment)
        if page.answerable and page.wants_passkey and (keys := self._get_app().keys.load()):
            challenge = make_challenge(page.plan.id, page.plan.digest, invitation.nonce)
            form = replace(form, asks=ask_assertion(challenge, keys), keys=tuple(key.name for key in keys))
        return HTMLResponse(self._views.render_plan(page, groups, form, problem), status)

    def _show_progress(self, invitation: Invitation) -> Response:
        return HTMLResponse(self._views.render_progress(self._read(invitation)))

    def _show_diff(self, invitation: Invitation, group: int, number: int, page: int) -> Response:
        plan = self._get_app().store.get_plan(invitation.subject)
        try:
            return HTMLResponse(self._views.render_diff(plan, group, number, page))
        except NotFoundError as error:
            return self._notice(HTTPStatus.NOT_FOUND, "Not found", str(error))

    def _take_answer(self, invitation: Invitation, form: Mapping[str, str]) -> Response:
        try:
            self._record(invitation, form)
        except IntendantError as error:
            return self._show_plan(invitation, str(error), HTTPStatus.CONFLICT, form.get("comment", ""))
        return RedirectResponse(f"/{invitation.name}/", HTTPStatus.SEE_OTHER)

    def _record(self, invitation: Invitation, form: Mapping[str, str]) -> None:
        """Keep the person's answer.

        Raises:
            InputError: it is no answer, or the hosts of a destructive plan were not typed.
            RefusedError: the plan cannot be answered any more, is another than the page showed, or wants a passkey
                that did not sign it.
        """
        page, approver = self._read(invitation), self._get_app().approver
        plan, verdict, comment = page.plan, form.get("verdict", ""), form.get("comment", "")
        if verdict == "reject":
            approver.reject(plan.id, who=identify_user(), channel="page", comment=comment)
        elif verdict != "approve":
            raise InputError("Say approve or reject.")
        elif page.approval is not None:
            raise InputError("It is approved already.")
        elif plan.approval_channels and not {"page", "passkey"} & set(plan.approval_channels):
            raise InputError(f"The policy takes approvals only through: {', '.join(plan.approval_channels)}.")
        elif plan.destructive and form.get("hosts", "").strip() != plan.pattern.strip():
            raise InputError(f"To approve a plan that deletes or hides something, type its hosts: {plan.pattern}")
        else:
            signed = self._read_passkey(plan, invitation, form.get("passkey", "")) if page.wants_passkey else None
            approver.record(
                plan.id,
                form.get("digest", ""),
                who=identify_user(),
                channel="passkey" if signed else "page",
                comment=comment,
                assertion=signed,
            )

    def _read_passkey(self, plan: "Plan", invitation: Invitation, answer: str) -> Assertion:
        keys = self._get_app().keys.load()
        if not keys:
            raise InputError("No passkey is enrolled. A person enrolls one on a terminal: intendant enroll NAME")
        if not answer:
            raise InputError(
                "Only a passkey approves this plan, and none has signed. The page needs its script for it."
            )
        signed = read_assertion(answer, keys, invitation.nonce)
        # Later any port of localhost counts; here it has to be this very page.
        check_assertion(signed, make_challenge(plan.id, plan.digest, signed.nonce), keys, make_origin(self._port))
        return signed

    def _read(self, invitation: Invitation) -> PlanPage:
        return read_page(self._get_app(), invitation.subject, stays=self._stays)
