"""The server of the review page, started when it is first needed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from intendant.review.guarding import make_origin
from intendant.review.handling import ReviewApp
from intendant.review.invitations import Invitations
from intendant.review.loopback import LoopbackServer

if TYPE_CHECKING:
    from intendant.app import App


class ReviewServer:
    """Serves pages from a thread of its own.

    Args:
        get_app: the application; blocking.
        stays: the program goes on after an answer.
    """

    def __init__(self, get_app: "Callable[[], App]", *, stays: bool = True) -> None:
        self._get_app = get_app
        self._invitations = Invitations()
        self._server = LoopbackServer(lambda port: ReviewApp(get_app, self._invitations, port, stays=stays))

    def invite(self, plan_id: str) -> str:
        """An address that opens the plan's page once. It is a key: for the person alone, never for a model or a log.

        Raises:
            NotFoundError: no such plan.
            EngineError: nothing can be served on loopback.
        """
        self._get_app().store.get_plan(plan_id)
        port = self._server.start()
        name, token = self._invitations.issue(plan_id)
        return f"{make_origin(port)}/{name}/open/{token}"

    def close(self) -> None:
        """Stop serving, after the requests in flight."""
        self._server.close()
