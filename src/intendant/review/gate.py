"""The way into every page: guards, the exchange of the token for a cookie, forms. What guests see is for subclasses."""

import logging
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from intendant.review.guarding import explain_refusal, make_headers, read_body
from intendant.review.invitations import Invitation, Invitations
from intendant.views.html.pages import HtmlViews

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_LOG = logging.getLogger(__name__)
_COOKIE = "intendant_review"
_REQUEST_SECONDS = 30
_FORM_TYPE = "application/x-www-form-urlencoded"


class Gate(ABC):
    """An ASGI application. Paths: ``/NAME/open/TOKEN``, then everything that an invitation is for below ``/NAME/``.

    Args:
        no_entry: what is said to whoever has no session.
    """

    def __init__(self, invitations: Invitations, port: int, no_entry: str) -> None:
        self._invitations = invitations
        self._port = port
        self._no_entry = no_entry
        self._views = HtmlViews()

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

    @abstractmethod
    async def _answer_guest(self, request: Request, method: str, rest: list[str], invitation: Invitation) -> Response:
        """Answer a request below ``/NAME/`` of somebody who has its session."""

    async def _answer(self, request: Request) -> Response:
        if refusal := explain_refusal(request, self._port):
            return self._notice(HTTPStatus.FORBIDDEN, "Not answered", refusal)
        match (request.method, request.url.path.strip("/").split("/")):
            case ("GET", [name, "open", token]):
                return self._open(request, name, token)
            case (method, [name, *rest]):
                invitation = self._invitations.find(name, request.cookies.get(_COOKIE, ""))
                if invitation is None:
                    return self._notice(HTTPStatus.FORBIDDEN, "No entry", self._no_entry)
                return await self._answer_guest(request, method, rest, invitation)
        return self._not_found()

    def _open(self, request: Request, name: str, token: str) -> Response:
        if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
            return self._notice(HTTPStatus.SERVICE_UNAVAILABLE, "Not yet", "The page opens when a person asks for it.")
        session = self._invitations.exchange(name, token)
        if session is None:
            return self._notice(HTTPStatus.FORBIDDEN, "No entry", self._no_entry)
        response: Response
        if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            response = RedirectResponse(f"/{name}/", HTTPStatus.SEE_OTHER)
        else:
            # After a link on another site the browser would withhold a strict cookie from a redirect.
            response = self._notice(HTTPStatus.OK, "One moment", "The page is opening.", forward=f"/{name}/")
        response.set_cookie(_COOKIE, session, path=f"/{name}/", httponly=True, samesite="strict")
        return response

    async def _read_form(self, request: Request, invitation: Invitation) -> dict[str, str] | Response:
        """The fields of the page's own form, or the answer to something else."""
        body = await read_body(request)
        if body is None:
            return self._notice(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", "The form is too large.")
        if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM_TYPE:
            return self._notice(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "No form", "Only the page's own form is taken.")
        try:
            form = {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=10).items()}
        except ValueError:
            form = {}
        if not invitation.accepts_form(form.get("csrf", "")):
            return self._notice(
                HTTPStatus.FORBIDDEN, "Not recorded", "This form is not from this page. Open the page again."
            )
        return form

    def _not_found(self) -> Response:
        return self._notice(HTTPStatus.NOT_FOUND, "Not found", "There is no such page.")

    def _notice(self, status: HTTPStatus, title: str, text: str, forward: str = "") -> Response:
        return HTMLResponse(self._views.render_notice(title, text, forward), status)
