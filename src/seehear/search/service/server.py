"""Running the service: one socket, an orderly end, and connections that must say what they want in time.

SIGTERM and Ctrl-C end it so: readiness says no, nothing new is taken, answers under way are finished, processes and
files go. A second Ctrl-C ends it at once.
"""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from seehear.errors import UsageError
from seehear.search.service.app import App

DRAIN_SECONDS = 30
_CONNECTIONS = 256
_BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UsageError: where the address is not to be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        raise _taken(host, port, error) from error
    return listening


def _taken(host: str, port: int, error: OSError | OverflowError) -> UsageError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return UsageError(f"port {port} of {host} is in use", cause="another service", cure="--port 0 takes a free one")
    if number in (errno.EACCES, errno.EPERM):
        return UsageError(f"port {port} of {host} may not be used", cure="a port above 1023, or --port 0")
    return UsageError(f"cannot listen on {host}, port {port}: {error}", expected="an address of this machine")


class Server(uvicorn.Server):
    """Serves an app until it is told to stop.

    Args:
        app: the service.
        ready: called once requests are answered.
    """

    def __init__(self, app: App, ready: Callable[[], None] = lambda: None):
        settings = app.settings
        config = uvicorn.Config(
            app,
            http=_within(settings.read_seconds),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=settings.header_bytes,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        super().__init__(config)
        self._app, self._ready = app, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order; at once on a second Ctrl-C."""
        self._app.desk.draining = True
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals end the service, and not the process after it: an orderly end is a good one."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _within(seconds: float) -> type[H11Protocol]:
    """The protocol with a limit on how long a request's head may take."""

    class Timed(H11Protocol):
        _waiting: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _watch(self) -> None:
            """A clock runs while a head is incomplete; more bytes of it do not set the clock back."""
            if self.conn.their_state is not h11.IDLE:
                self._forget()
            elif self._waiting is None:
                self._waiting = self.loop.call_later(seconds, self._give_up)

        def _forget(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def _give_up(self) -> None:
            self._waiting = None
            if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
                self.transport.abort()

    return Timed
