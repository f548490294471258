"""Which of many sockets can be read or written, and when what came of it is written.

A loop makes a callback for each socket that is ready, and between what one and the next bring
the processor forgets our code for that of the system. So an epoll of our own holds the sockets;
the loop watches just that one. Those that are ready are read in groups, one after another, and
then what is to be written of a group goes at once. Systems that have no epoll let the loop watch
each socket.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Protocol

from tornado.ioloop import IOLoop

READ, WRITE = IOLoop.READ, IOLoop.WRITE  #: as epoll has them
GROUP = 16  #: sockets that are read before what came of it is written: more of them wait longer
GROUPS = 8  #: of them, then timers and tasks of the loop get their turn
_OTHER = ~(READ | WRITE)  # it broke, or the other side hung up

Ready = Callable[[int], None]


class Readiness(Protocol):
    """Calls who waits for sockets, as long as they are ready for what is waited for.

    What one of them raises goes where the loop tells such things, and does not touch the
    others. Each is called in the context of whoever added it.
    """

    def add(self, sock: socket.socket, ready: Ready, interest: int) -> None:
        """Call `ready` with READ, WRITE or both of them, as far as that is the `interest`."""

    def update(self, sock: socket.socket, interest: int) -> None:
        """Wait for something else from now on, 0 for nothing at all."""

    def remove(self, sock: socket.socket) -> None:
        """Call nobody any more; who closes a socket does this before."""

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when those that are ready with us were called, else after this turn."""


def readiness() -> Readiness:
    """Return the best that this system has."""
    return Grouped() if hasattr(select, "epoll") else Single()


class _Soon:
    """Keeps callbacks until a group was called."""

    def __init__(self) -> None:
        self._soon: list[Callable[[], None]] | None = None  # while a group is called

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when those that are ready with us were called, else after this turn."""
        if self._soon is None:
            asyncio.get_running_loop().call_soon(callback)
        else:
            self._soon.append(callback)

    def _call_kept(self, kept: list[Callable[[], None]]) -> None:
        self._soon = None  # what they want in their turn would else never come to an end
        for callback in kept:
            try:
                callback()
            except Exception as error:
                _tell(error, callback)


class Grouped(_Soon):
    """By an epoll of our own."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll: select.epoll | None = None  # as long as there are sockets
        self._waiting: dict[int, tuple[Context, Ready, int]] = {}
        # What is known of these may not be true any more, and one may be another socket by now.
        self._changed: set[int] = set()

    def add(self, sock: socket.socket, ready: Ready, interest: int) -> None:
        """Call `ready` with READ, WRITE or both of them, as far as that is the `interest`."""
        if self._epoll is None:
            self._epoll = select.epoll()
            asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._turn)
        self._waiting[sock.fileno()] = copy_context(), ready, 0
        self.update(sock, interest)

    def update(self, sock: socket.socket, interest: int) -> None:
        """Wait for something else from now on, 0 for nothing at all."""
        assert self._epoll is not None
        fd = sock.fileno()
        context, ready, before = self._waiting[fd]
        self._waiting[fd] = context, ready, interest
        self._changed.add(fd)
        if not interest:
            if before:  # one that stayed here would be told of when it breaks, again and again
                self._epoll.unregister(fd)
        elif before:
            self._epoll.modify(fd, interest)
        else:
            self._epoll.register(fd, interest)

    def remove(self, sock: socket.socket) -> None:
        """Call nobody any more; who closes a socket does this before."""
        if sock.fileno() not in self._waiting:
            return
        self.update(sock, 0)
        del self._waiting[sock.fileno()]
        if not self._waiting and self._epoll is not None:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _turn(self) -> None:
        for _ in range(GROUPS):
            # A handler may have removed the last socket.
            if self._epoll is None or self._call(self._epoll.poll(0, GROUP)) < GROUP:
                return

    def _call(self, found: list[tuple[int, int]]) -> int:
        """Call those that are ready, then who wanted to be called after them; return how many."""
        changed, waiting = self._changed, self._waiting
        changed.clear()
        kept = self._soon = []
        try:
            for fd, events in found:
                if fd in changed:
                    continue  # what is still true is told again
                context, ready, interest = waiting[fd]
                try:
                    # Who waits for anything finds out by trying what it is that broke.
                    context.run(ready, interest if events & _OTHER else events & interest)
                except Exception as error:
                    _tell(error, ready)
        finally:
            self._call_kept(kept)
        return len(found)


class Single(_Soon):
    """By the loop, which calls one socket after another: a group is one of them."""

    def add(self, sock: socket.socket, ready: Ready, interest: int) -> None:
        """Call `ready` with READ, WRITE or both of them, as far as that is the `interest`."""

        def call(fd: object, events: int) -> None:
            kept = self._soon = []
            try:
                ready(events)
            finally:
                self._call_kept(kept)

        IOLoop.current().add_handler(sock, call, interest)

    def update(self, sock: socket.socket, interest: int) -> None:
        """Wait for something else from now on, 0 for nothing at all."""
        IOLoop.current().update_handler(sock, interest)

    def remove(self, sock: socket.socket) -> None:
        """Call nobody any more; who closes a socket does this before."""
        IOLoop.current().remove_handler(sock)


def _tell(error: Exception, who: Callable[..., None]) -> None:
    """Tell of an error as the loop does of one in a callback of its own."""
    told = {"message": f"Exception in callback {who!r}", "exception": error}
    asyncio.get_running_loop().call_exception_handler(told)
