"""Enrolling a passkey on a page: a new authenticator makes a key, and one that is enrolled already lets it in."""

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from intendant.authenticators import (
    ask_assertion,
    ask_registration,
    check_assertion,
    check_registration,
    make_confirmation_challenge,
    make_registration_challenge,
    read_assertion,
)
from intendant.errors import InputError, IntendantError
from intendant.passkeys import Passkey, PasskeyFile
from intendant.review.gate import Gate
from intendant.review.guarding import make_origin
from intendant.review.invitations import Invitation, Invitations
from intendant.review.loopback import LoopbackServer
from intendant.views.html.pages import EnrolPage

_NO_ENTRY = (
    "This address does not work, or no longer: each opens the page once, in one browser. Run 'intendant enroll NAME' "
    "again."
)


class Enrolment:
    """One key on its way into the file.

    Args:
        now: the clock, for the date beside the key.
    """

    def __init__(self, file: PasskeyFile, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self.done = threading.Event()
        self._file = file
        self._now = now
        self._fresh: Passkey | None = None
        self._user = secrets.token_bytes(32)

    def describe(self, csrf: str, nonce: str, problem: str = "") -> EnrolPage:
        """What the page shows now."""
        keys = self._file.load()
        names = tuple(key.name for key in keys)
        page = partial(EnrolPage, self.name, str(self._file.path), names, csrf=csrf, problem=problem)
        if self.done.is_set():
            return page("done")
        if self._fresh is None:
            challenge = make_registration_challenge(self.name, nonce)
            return page("create", asks=ask_registration(self.name, challenge, self._user, keys))
        return page("confirm", asks=ask_assertion(make_confirmation_challenge(self._fresh, nonce), keys))

    def take(self, answer: str, nonce: str, origin: str) -> None:
        """Go a step on with what an authenticator answered.

        Raises:
            RefusedError: its answer does not hold.
            InputError: it is enrolled already, or the name is taken by now.
        """
        keys = self._file.load()
        if self.done.is_set():
            raise InputError("It is enrolled already.")
        if self._fresh is None:
            challenge = make_registration_challenge(self.name, nonce)
            fresh = check_registration(answer, challenge, origin, self.name, self._now())
            if any(key.id == fresh.id for key in keys):
                raise InputError("This authenticator is enrolled already.")
            self._fresh = fresh
            if keys:
                return
        elif keys:
            signed = read_assertion(answer, keys, nonce)
            check_assertion(signed, make_confirmation_challenge(self._fresh, nonce), keys, origin)
        self._file.add(self._fresh)
        self.done.set()


class EnrolApp(Gate):
    """An ASGI application around one enrolment."""

    def __init__(self, enrolment: Enrolment, invitations: Invitations, port: int) -> None:
        super().__init__(invitations, port, _NO_ENTRY)
        self._enrolment = enrolment

    async def _answer_guest(self, request: Request, method: str, rest: list[str], invitation: Invitation) -> Response:
        match (method, rest):
            case ("GET", []):
                return await to_thread.run_sync(self._show, invitation)
            case ("POST", ["answer"]):
                form = await self._read_form(request, invitation)
                return form if isinstance(form, Response) else await to_thread.run_sync(self._take, invitation, form)
        return self._not_found()

    def _show(self, invitation: Invitation, problem: str = "", status: int = 200) -> Response:
        page = self._enrolment.describe(invitation.csrf, invitation.nonce, problem)
        return HTMLResponse(self._views.render_enrolment(page), status)

    def _take(self, invitation: Invitation, form: Mapping[str, str]) -> Response:
        try:
            self._enrolment.take(form.get("passkey", ""), invitation.nonce, make_origin(self._port))
        except IntendantError as error:
            return self._show(invitation, str(error), HTTPStatus.CONFLICT)
        return RedirectResponse(f"/{invitation.name}/", HTTPStatus.SEE_OTHER)


class EnrolServer:
    """Serves the page of one enrolment."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._invitations = Invitations()
        self._server = LoopbackServer(lambda port: EnrolApp(enrolment, self._invitations, port))

    def invite(self) -> str:
        """An address that opens the page once; for the person alone.

        Raises:
            EngineError: nothing can be served on loopback.
        """
        port = self._server.start()
        name, token = self._invitations.issue("enrolment")
        return f"{make_origin(port)}/{name}/open/{token}"

    def close(self) -> None:
        """Stop serving, after the requests in flight."""
        self._server.close()
