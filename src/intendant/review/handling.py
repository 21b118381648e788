"""The requests of the review page: exchange the token, show the plan, take the answer, follow the run."""

import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from intendant.errors import InputError, IntendantError, NotFoundError
from intendant.processes import identify_user
from intendant.review.guarding import explain_refusal, make_headers, read_body
from intendant.review.invitations import Invitation, Invitations
from intendant.review.reading import read_page
from intendant.views.html.outline import GroupOutline, outline_plan
from intendant.views.html.pages import Form, HtmlViews, PlanPage

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from intendant.app import App

_LOG = logging.getLogger(__name__)
_COOKIE = "intendant_review"
_REQUEST_SECONDS = 30
_FORM_TYPE = "application/x-www-form-urlencoded"
#: plans whose outline is kept, since a plan never changes and comparing texts takes time.
_MOST_OUTLINES = 8
_NO_ENTRY = (
    "This address does not work, or no longer: each opens the page once, in one browser. Ask for a new one, or run "
    "'intendant review --web PLAN' on the machine itself."
)


class ReviewApp:
    """An ASGI application over one project. Paths: ``/NAME/open/TOKEN``, then everything of a plan below ``/NAME/``.

    Args:
        stays: the program goes on after an answer, so that the page may follow the run.
    """

    def __init__(self, get_app: "Callable[[], App]", invitations: Invitations, port: int, *, stays: bool) -> None:
        self._get_app = get_app
        self._invitations = invitations
        self._port = port
        self._stays = stays
        self._views = HtmlViews()
        self._outlines: dict[str, list[GroupOutline]] = {}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request; the application knows nothing but HTTP."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            with anyio.fail_after(_REQUEST_SECONDS):
                response = await self._answer(request)
        except TimeoutError:
            response = self._notice(HTTPStatus.REQUEST_TIMEOUT, "Too slow", "The request took too long.")
        except Exception as error:  # noqa: BLE001 (uvicorn would log the path, which may hold a token)
            _LOG.exception("the review page failed: %s", type(error).__name__)
            response = self._notice(
                HTTPStatus.INTERNAL_SERVER_ERROR, "It failed", "Intendant itself failed; its log says more."
            )
        response.headers.update(make_headers(self._views.csp))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if refusal := explain_refusal(request, self._port):
            return self._notice(HTTPStatus.FORBIDDEN, "Not answered", refusal)
        match (request.method, request.url.path.strip("/").split("/")):
            case ("GET", [name, "open", token]):
                return self._open(request, name, token)
            case (method, [name, *rest]):
                invitation = self._invitations.find(name, request.cookies.get(_COOKIE, ""))
                if invitation is None:
                    return self._notice(HTTPStatus.FORBIDDEN, "No entry", _NO_ENTRY)
                return await self._answer_guest(request, method, rest, invitation)
        return self._notice(HTTPStatus.NOT_FOUND, "Not found", "There is no such page.")

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
                body = await read_body(request)
                if body is None:
                    return self._notice(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", "The form is too large.")
                if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM_TYPE:
                    return self._notice(
                        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "No form", "Only the page's own form is taken."
                    )
                show = partial(self._take_answer, invitation, body)
            case _:
                return self._notice(HTTPStatus.NOT_FOUND, "Not found", "There is no such page.")
        return await to_thread.run_sync(show)

    def _open(self, request: Request, name: str, token: str) -> Response:
        if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
            return self._notice(HTTPStatus.SERVICE_UNAVAILABLE, "Not yet", "The page opens when a person asks for it.")
        session = self._invitations.exchange(name, token)
        if session is None:
            return self._notice(HTTPStatus.FORBIDDEN, "No entry", _NO_ENTRY)
        response: Response
        if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            response = RedirectResponse(f"/{name}/", HTTPStatus.SEE_OTHER)
        else:
            # After a link on another site the browser would withhold a strict cookie from a redirect.
            response = self._notice(HTTPStatus.OK, "One moment", "The plan is opening.", forward=f"/{name}/")
        response.set_cookie(_COOKIE, session, path=f"/{name}/", httponly=True, samesite="strict")
        return response

    def _show_plan(self, invitation: Invitation, problem: str = "", status: int = 200, comment: str = "") -> Response:
        page = self._read(invitation)
        groups = self._outlines.get(page.plan.id)
        if groups is None:
            if len(self._outlines) >= _MOST_OUTLINES:
                self._outlines.clear()
            groups = self._outlines[page.plan.id] = outline_plan(page.plan, whole=False)
        form = Form(invitation.csrf, comment)
        return HTMLResponse(self._views.render_plan(page, groups, form, problem), status)

    def _show_progress(self, invitation: Invitation) -> Response:
        return HTMLResponse(self._views.render_progress(self._read(invitation)))

    def _show_diff(self, invitation: Invitation, group: int, number: int, page: int) -> Response:
        plan = self._get_app().store.get_plan(invitation.plan_id)
        try:
            return HTMLResponse(self._views.render_diff(plan, group, number, page))
        except NotFoundError as error:
            return self._notice(HTTPStatus.NOT_FOUND, "Not found", str(error))

    def _take_answer(self, invitation: Invitation, body: bytes) -> Response:
        try:
            form = {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=10).items()}
        except ValueError:
            form = {}
        if not invitation.accepts_form(form.get("csrf", "")):
            return self._notice(
                HTTPStatus.FORBIDDEN, "Not recorded", "This form is not from this page. Open the page again."
            )
        comment = form.get("comment", "")
        try:
            self._record(invitation, form.get("verdict", ""), form.get("digest", ""), form.get("hosts", ""), comment)
        except IntendantError as error:
            return self._show_plan(invitation, str(error), HTTPStatus.CONFLICT, comment)
        return RedirectResponse(f"/{invitation.name}/", HTTPStatus.SEE_OTHER)

    def _record(self, invitation: Invitation, verdict: str, digest: str, hosts: str, comment: str) -> None:
        """Keep the person's answer.

        Raises:
            InputError: it is no answer, or the hosts of a destructive plan were not typed.
            RefusedError: the plan cannot be answered any more, or is another than the page showed.
        """
        page, approver = self._read(invitation), self._get_app().approver
        plan = page.plan
        if verdict == "reject":
            approver.reject(plan.id, who=identify_user(), channel="page", comment=comment)
        elif verdict != "approve":
            raise InputError("Say approve or reject.")
        elif page.approval is not None:
            raise InputError("It is approved already.")
        elif plan.approval_channels and "page" not in plan.approval_channels:
            raise InputError(f"The policy takes approvals only through: {', '.join(plan.approval_channels)}.")
        elif plan.destructive and hosts.strip() != plan.pattern.strip():
            raise InputError(f"To approve a plan that deletes or hides something, type its hosts: {plan.pattern}")
        else:
            approver.record(plan.id, digest, who=identify_user(), channel="page", comment=comment)

    def _read(self, invitation: Invitation) -> PlanPage:
        return read_page(self._get_app(), invitation.plan_id, stays=self._stays)

    def _notice(self, status: HTTPStatus, title: str, text: str, forward: str = "") -> Response:
        return HTMLResponse(self._views.render_notice(title, text, forward), status)
