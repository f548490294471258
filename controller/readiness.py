"""Which of many sockets can be read or written, and in which order all is done that follows.

A loop calls back for one socket after the other. Each is read, what it brought is handled and
the answer is written, and each of the three finds that the processor has forgotten its code over
the two others. So an epoll of our own holds the sockets, of which the loop sees one; those that
are ready are called as a group, and what they have to do then is done for all of them: first
everybody reads, then everybody handles, then everybody writes.

A few are no group, and each does all at once. As long as there are no more of them the loop
watches each by itself, and always on systems that have no epoll.
"""

from __future__ import annotations

import asyncio
import select
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any

from tornado.ioloop import IOLoop

READ, WRITE = IOLoop.READ, IOLoop.WRITE  #: as epoll has them
FEW = 5  # fewer sockets gain nothing as a group, and their answers would wait for one another
GROUP = 32  # sockets at most
GROUPS = 64  # at once, then timers and tasks of the loop get their turn: each of these costs much
LATEST = 0.005  # seconds of handling after which answers do not wait for the rest of their group
LOOK_EVERY = 4  # of them, as to look at the clock takes long itself
_OTHER = ~(READ | WRITE)  # it broke, or the other side hung up
_FAULTS = (Exception, asyncio.CancelledError)  # all else ends the program

Ready = Callable[[int, int], None]  # gets the file descriptor and what it is ready for
Step = tuple[Callable[[Any], None], Any]  # what is called, and with what


def _at_once(step: Step) -> None:
    callback, argument = step
    callback(argument)


class Readiness:
    """Calls who waits for sockets, as long as they are ready for what is waited for.

    What one of them raises goes where the loop tells such things, and does not touch the
    others. `few` sockets or more are called in groups, where the system has epoll.
    """

    def __init__(self, few: int = FEW) -> None:
        self._few = few if hasattr(select, "epoll") else sys.maxsize
        self._epoll: select.epoll | None = None  # as long as it is needed
        self._waiting: dict[int, tuple[Ready, int]] = {}
        # What a look found out of these may not be true any more; one may be another socket.
        self._changed: set[int] = set()
        #: does the next step for a socket that is ready: after this one for all of its group
        self.then: Callable[[Step], None] = _at_once

    def add(self, sock: socket.socket, ready: Ready, interest: int) -> None:
        """Call `ready` with READ, WRITE or both of them, as far as that is the `interest`."""
        fd = sock.fileno()
        self._waiting[fd] = ready, 0
        if self._epoll is None:
            IOLoop.current().add_handler(fd, ready, 0)
        self.update(sock, interest)
        if self._epoll is None and len(self._waiting) >= self._few:
            self._gather()

    def update(self, sock: socket.socket, interest: int) -> None:
        """Wait for something else from now on, 0 for nothing at all."""
        fd = sock.fileno()
        ready, before = self._waiting[fd]
        self._waiting[fd] = ready, interest
        self._changed.add(fd)
        if self._epoll is None:
            IOLoop.current().update_handler(fd, interest)
        elif before and interest:
            self._epoll.modify(fd, interest)
        elif interest:
            self._epoll.register(fd, interest)
        elif before:  # it would be told of without end when it breaks
            self._epoll.unregister(fd)

    def remove(self, sock: socket.socket) -> None:
        """Call nobody any more; who closes a socket does this before."""
        fd = sock.fileno()
        if fd not in self._waiting:
            return
        self.update(sock, 0)
        del self._waiting[fd]
        if self._epoll is None:
            IOLoop.current().remove_handler(fd)
        elif not self._waiting:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _gather(self) -> None:
        """Take from the loop what it waits for up to now."""
        try:
            self._epoll = select.epoll()
        except OSError:  # no file descriptor is left for it: who comes next tries again
            return
        for fd, (_, interest) in self._waiting.items():
            IOLoop.current().remove_handler(fd)
            if interest:
                self._epoll.register(fd, interest)
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._turn)

    def do(self, steps: Sequence[Step]) -> None:
        """Do some steps, and then as a group what comes next for those who did them."""
        following: list[Step] = []
        if len(steps) >= self._few:
            self.then = following.append
        try:
            _do_all(steps)
        finally:
            self._go_on(following)

    def _turn(self) -> None:
        for _ in range(GROUPS):
            if self._epoll is None:
                return  # the last one left
            found = self._epoll.poll(0, GROUP)
            self._changed.clear()
            if len(found) < self._few:
                self._call(found)
                return
            steps: list[Step] = []
            self.then = steps.append
            try:
                self._call(found)
            finally:
                self._go_on(steps)
            if len(found) < GROUP:
                return

    def _call(self, found: Iterable[tuple[int, int]]) -> None:
        changed, waiting = self._changed, self._waiting
        for fd, events in found:
            if fd in changed:
                continue  # what is still true is told again
            ready, interest = waiting[fd]
            if events != interest:
                # Who waits for anything finds out by trying what it is that broke.
                events = interest if events & _OTHER else events & interest
            try:
                ready(fd, events)
            except _FAULTS as error:
                _tell(error, ready)

    def _go_on(self, steps: Iterable[Step]) -> None:
        """Do what comes next for a group, and then what comes after that."""
        following: list[Step] = []
        try:
            latest = monotonic() + LATEST
            self.then = following.append
            for number, (callback, argument) in enumerate(steps):
                try:
                    callback(argument)
                except _FAULTS as error:
                    _tell(error, callback)
                if number % LOOK_EVERY == 0 and monotonic() > latest:
                    self._end(following)
                    following.clear()
                    latest = monotonic() + LATEST
                    self.then = following.append
        finally:
            self._end(following)

    def _end(self, steps: Iterable[Step]) -> None:
        self.then = _at_once
        _do_all(steps)


def _do_all(steps: Iterable[Step]) -> None:
    for callback, argument in steps:
        try:
            callback(argument)
        except _FAULTS as error:
            _tell(error, callback)


def _tell(error: BaseException, who: Callable[..., None]) -> None:
    """Tell of an error as the loop does of one in a callback of its own."""
    told = {"message": f"Exception in callback {who!r}", "exception": error}
    asyncio.get_running_loop().call_exception_handler(told)
