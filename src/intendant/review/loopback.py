"""A server on loopback, in a thread of its own, on a port of the system's choice."""

import errno
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from intendant.errors import EngineError

if TYPE_CHECKING:
    from intendant.review.gate import Gate

_START_SECONDS = 20
_ATTEMPTS = 20


class LoopbackServer:
    """Serves as ``localhost``, on both addresses that browsers take this name for.

    Args:
        make_app: the application, given the port.
    """

    def __init__(self, make_app: "Callable[[int], Gate]") -> None:
        self._make_app = make_app
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    def start(self) -> int:
        """The port; serving begins with the first call.

        Raises:
            EngineError: nothing can be served on loopback.
        """
        with self._lock:
            if self._server is None:
                self._start()
            return self._port

    def close(self) -> None:
        """Stop serving, after the requests in flight."""
        with self._lock:
            if self._server is not None and self._thread is not None:
                self._server.should_exit = True
                self._thread.join(timeout=5)
                self._server = self._thread = None

    def _start(self) -> None:
        try:
            listening = _bind_both()
        except OSError as error:
            raise EngineError(f"The page cannot be served on localhost: {error.strerror}.") from error
        self._port = listening[0].getsockname()[1]
        config = uvicorn.Config(
            self._make_app(self._port),
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
        thread = threading.Thread(target=server.run, kwargs={"sockets": listening}, name="review page", daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                server.should_exit = True
                raise EngineError("The page could not start; the log says why.")
            time.sleep(0.01)
        self._server, self._thread = server, thread


def _bind_both() -> list[socket.socket]:
    """One port on 127.0.0.1 and ::1.

    Browsers try ::1 first: were it free, another user of the machine could listen there and be sent our addresses.
    """
    for attempt in range(_ATTEMPTS):
        first = _bind(socket.AF_INET, "127.0.0.1", 0)
        try:
            return [first, _bind(socket.AF_INET6, "::1", first.getsockname()[1])]
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return [first]  # a machine without IPv6: nobody can listen there
            first.close()
            if error.errno != errno.EADDRINUSE or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _bind(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made
