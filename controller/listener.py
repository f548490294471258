"""Accepting connections, and waiting where the system has no room for more."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

from tornado.ioloop import IOLoop

Accepted = tuple[socket.socket, Any]

logger = logging.getLogger("controller")

ACCEPTED_AT_ONCE = 32  # connections, as a group of those that are read; then others get their turn
RETRY_DELAY = 1.0  #: seconds until we try again after the system refused


class Listener:
    """Listening sockets; `accepted` gets what comes: connections, each with its address.

    Where a connection cannot be accepted, most likely for lack of file descriptors, it stays
    in the system's queue. The socket stays readable then, so that a loop that goes on asking
    would do nothing else; this one asks each `RETRY_DELAY` seconds.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        accepted: Callable[[Sequence[Accepted]], None],
    ) -> None:
        self._loop = IOLoop.current()
        self._accepted = accepted
        self._reading: set[socket.socket] = set()
        self._waiting: dict[socket.socket, object] = {}  # until when
        for one in sockets:
            self._start(one)

    def close(self) -> None:
        """Stop, and close the sockets."""
        for one in self._reading:
            self._loop.remove_handler(one)
        for timeout in self._waiting.values():
            self._loop.remove_timeout(timeout)
        for one in (*self._reading, *self._waiting):
            one.close()
        self._reading.clear()
        self._waiting.clear()

    def _start(self, listening: socket.socket) -> None:
        self._waiting.pop(listening, None)
        self._reading.add(listening)
        self._loop.add_handler(listening, self._ready, IOLoop.READ)

    def _ready(self, listening: socket.socket, events: int) -> None:
        came: list[Accepted] = []
        try:
            while len(came) < ACCEPTED_AT_ONCE:
                came.append(listening.accept())
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            pass  # there are no others, or they are told of again
        except OSError as error:
            self._pause(listening, error)
        self._accepted(came)

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        reason = error.strerror or error
        logger.error("no switch is accepted for %g s: %s", RETRY_DELAY, reason)
        self._loop.remove_handler(listening)
        self._reading.discard(listening)
        self._waiting[listening] = self._loop.call_later(RETRY_DELAY, self._start, listening)
