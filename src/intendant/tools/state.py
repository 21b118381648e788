"""What the tools work with: the application, and the plans in the making."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio.to_thread
from mcp.server.mcpserver import Context

from intendant.tools.jobs import Plannings

if TYPE_CHECKING:
    from intendant.app import App
    from intendant.review.serving import ReviewServer

T = TypeVar("T")
_CLIENT_CHARS = 100


class ServerState:
    """One per server; reaches the tools as the lifespan's context.

    Args:
        open_app: called once, with the first tool that needs the application: a client that connects gets its list of
            tools without waiting for the database and the like.
    """

    def __init__(self, open_app: "Callable[[], App]") -> None:
        self._open_app = open_app
        self._app: App | None = None
        self._lock = threading.Lock()
        self.plannings = Plannings()
        self._review: ReviewServer | None = None

    @property
    def opened_app(self) -> "App | None":
        """The application where it is there already."""
        return self._app

    def get_app(self) -> "App":
        """The application; blocking. Raises what opening it raises, each time anew."""
        with self._lock:
            if self._app is None:
                self._app = self._open_app()
            return self._app

    def invite(self, plan_id: str) -> str:
        """A one-time address of the plan's page, which is served from now on; blocking.

        It goes to the client's URL-mode elicitation alone, never into a result or a log.
        """
        with self._lock:
            if self._review is None:
                from intendant.review.serving import ReviewServer

                self._review = ReviewServer(self.get_app)
        return self._review.invite(plan_id)

    def close(self) -> None:
        """Stop what was started for this server."""
        if self._review is not None:
            self._review.close()


Ctx: TypeAlias = Context[ServerState, Any]


def get_state(ctx: Ctx) -> ServerState:
    """The server's state."""
    return ctx.request_context.lifespan_context


async def get_app(ctx: Ctx) -> "App":
    """The application.

    Raises:
        ProjectError: the project cannot be used.
    """
    state = get_state(ctx)
    opened = state.opened_app
    return opened if opened is not None else await run_short(state.get_app)


def get_client(ctx: Ctx) -> str:
    """The client's own name for itself; empty when it did not say. No proof of anything."""
    params = ctx.session.client_params
    return params.client_info.name[:_CLIENT_CHARS] if params is not None else ""


async def run_short(call: Callable[[], T]) -> T:
    """A blocking call that takes no more than seconds."""
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
