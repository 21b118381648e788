"""The server of the review page: loopback only, a port of the system's choice, started when it is first needed."""

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from intendant.errors import EngineError
from intendant.review.handling import ReviewApp
from intendant.review.invitations import Invitations

if TYPE_CHECKING:
    from intendant.app import App

_ADDRESS = "127.0.0.1"
_START_SECONDS = 20


class ReviewServer:
    """Serves pages from a thread of its own.

    Args:
        get_app: the application; blocking.
        stays: the program goes on after an answer.
    """

    def __init__(self, get_app: "Callable[[], App]", *, stays: bool = True) -> None:
        self._get_app = get_app
        self._stays = stays
        self._invitations = Invitations()
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    def invite(self, plan_id: str) -> str:
        """An address that opens the plan's page once. It is a key: for the person alone, never for a model or a log.

        Raises:
            NotFoundError: no such plan.
            EngineError: nothing can be served on loopback.
        """
        self._get_app().store.get_plan(plan_id)
        with self._lock:
            if self._server is None:
                self._start()
            port = self._port
        name, token = self._invitations.issue(plan_id)
        return f"http://{_ADDRESS}:{port}/{name}/open/{token}"

    def close(self) -> None:
        """Stop serving, after the requests in flight."""
        with self._lock:
            if self._server is not None and self._thread is not None:
                self._server.should_exit = True
                self._thread.join(timeout=5)
                self._server = self._thread = None

    def _start(self) -> None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.bind((_ADDRESS, 0))
        except OSError as error:
            listening.close()
            raise EngineError(f"The review page cannot be served on {_ADDRESS}: {error.strerror}.") from error
        self._port = listening.getsockname()[1]
        config = uvicorn.Config(
            ReviewApp(self._get_app, self._invitations, self._port, stays=self._stays),
            # Its own logging would write addresses, and to stdout, which belongs to the protocol.
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=64,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=16_384,
            http="h11",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="review page", daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                server.should_exit = True
                raise EngineError("The review page could not start; the log says why.")
            time.sleep(0.01)
        self._server, self._thread = server, thread
