"""The server of the inspector: connections that say nothing are dropped, and there are never many."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from spanferry.flows.inspector.guard import App

SILENCE = 10.0  # seconds within which a connection must have sent a whole head of a request
MOST = 100  # connections at a time; a browser opens six


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to patience: uvicorn waits for ever for the first byte."""

    silence, most = SILENCE, MOST
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Turns the connection away where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
            return
        self._deadline = self.loop.call_later(self.silence, self._drop)

    def data_received(self, data: bytes) -> None:
        """Stops the clock while a request is answered."""
        super().data_received(data)
        if self._busy:
            self._stop_clock()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.silence, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock for good."""
        self._stop_clock()
        super().connection_lost(exc)

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self._deadline = None
        if not self._busy and not self.transport.is_closing():
            self.transport.close()


def server_of(app: App, protocol: type[PatientProtocol] = PatientProtocol) -> uvicorn.Server:
    """A server of an application."""
    settings = uvicorn.Config(
        app, http=protocol, ws="none", log_level="warning", access_log=False, server_header=False, lifespan="off"
    )
    return _Server(settings)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the command: a decision is on the disk before it is answered, so nothing has to wait."""
        yield


def serve(app: App, listener: socket.socket) -> None:
    """Answers until it is interrupted."""
    server_of(app).run(sockets=[listener])
