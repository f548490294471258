"""The shell of the lanes: their sockets, plain or TLS, and the one wait for all of them.

It sits on the system's own selector: a loop with tasks or streams would cost more than all
that is done for a message.
"""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from protocol.endpoint import Endpoint
from protocol.transport.tls import tls_fault

from .course import Course
from .lane import SPARE, Lane

READ_SIZE = 1 << 18  # bytes that one read takes at most
_WAIT = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
FINE = 0.005  # seconds: below it the selector, which counts in milliseconds, is too coarse
DIAL_TIMEOUT = 10.0  # seconds until nobody answers at a Unix socket
MAX_WAIT = 0.02  # seconds until we look whether someone said go
LOOKED_AT = 64  # sockets, at one look: the others are told at the next


@dataclass(frozen=True, slots=True)
class Place:
    """Where the controller listens, as the system calls it."""

    family: int
    address: Any

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """Look an endpoint up; OSError or UnicodeError where that fails."""
        if endpoint.path:
            return cls(socket.AF_UNIX, endpoint.path)
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        return cls(found[0][0], found[0][4])


def _direct(selector: selectors.BaseSelector) -> Callable[[float, int], list[tuple[int, int]]]:
    """Return what tells who is ready, by number: on Linux, with nothing between it and us.

    Who can only be read from is told by `_READ`, others by what is the system's own.
    """
    if isinstance(selector, selectors.EpollSelector):
        return select.epoll.fromfd(os.dup(selector.fileno())).poll
    return lambda seconds, _: [(key.fd, events) for key, events in selector.select(seconds)]


class Sockets:
    """The channels of all lanes of one process."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        place: Place,
        tls: ssl.SSLContext | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        busy: bool = False,
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.clock = clock
        self._serve = self._spin if busy else self._wait
        self._ready = _direct(self.selector)
        self._idled = 0.0  # processor seconds in which we only looked whether something came
        self.buffer = bytearray(READ_SIZE + SPARE)
        self.room = memoryview(self.buffer)
        self._channels: dict[Lane, _Channel] = {}
        self._numbered: dict[int, _Channel] = {}
        for lane in lanes:
            channel = self._channels[lane] = _Channel(self, lane, place, tls)
            self._numbered[channel.number] = channel
            if len(self._channels) % LOOKED_AT == 0:  # who is connected speaks while others dial
                self.glance()
        self._look = self.glance
        if tls is None and len(lanes) == 1:  # who else could be ready?
            self._look = self._channels[lanes[0]].look

    def run(self, course: Course, until: Callable[[], bool]) -> None:
        """Let the course go on until `until` says so; it is asked every MAX_WAIT or sooner."""
        while not until():
            self._serve(min(course.wake, self.clock() + MAX_WAIT))
            if (now := self.clock()) >= course.wake:
                course.advance(now)
                self.flush(course)

    def flush(self, course: Course) -> None:
        """Write what the course let lanes say."""
        spoke, course.spoke = course.spoke, []
        for lane in spoke:
            if not lane.blocked:
                self._channels[lane].flush()

    def worked(self) -> float:
        """Return the processor seconds that this process worked: looking in vain is no work."""
        return time.process_time() - self._idled

    def close(self) -> None:
        """Give all sockets back."""
        for channel in self._channels.values():
            channel.shut()
        self.selector.close()

    def _wait(self, end: float) -> None:
        """Serve who is ready until a time, and sleep until then while nobody is."""
        while True:
            seconds = max(end - self.clock(), 0)
            if 0 < seconds < FINE and (fileno := getattr(self.selector, "fileno", None)):
                select.select([fileno()], [], [], seconds)  # which counts in microseconds
                seconds = 0
            for key, events in self.selector.select(seconds):
                key.data.ready(events)
            if self.clock() >= end:
                return

    def _spin(self, end: float) -> None:
        """Serve who is ready until a time, and look without a pause while nobody is.

        Who sleeps is late by the time that waking takes.
        """
        clock, look = self.clock, self._look
        while True:
            if not look():
                began, now = time.process_time(), clock()
                while now < end and not look():
                    now = clock()
                # Only now, when the next ones are on their way: asking takes a while.
                self._idled += time.process_time() - (clock() - now) - began
            if clock() >= end:
                return

    def glance(self) -> bool:
        """Serve who is ready, and return whether anyone was."""
        found, channels = self._ready(0, LOOKED_AT), self._numbered
        for number, events in found:
            channels[number].ready(events if events == _READ else _READ | _WRITE)
        return bool(found)


class _Channel:
    """One lane's socket."""

    def __init__(
        self, owner: Sockets, lane: Lane, place: Place, tls: ssl.SSLContext | None
    ) -> None:
        self.lane = lane
        self._owner, self._tls = owner, tls
        self._rest = b""  # the beginning of a message
        self._step = self._connected
        self._interest = _WRITE
        self._is_plain = False  # and open
        self._socket = socket.socket(place.family)
        try:
            self._dial(place)
        except OSError as error:
            self._close(_words(error))
            return
        owner.selector.register(self._socket, self._interest, self)

    @property
    def number(self) -> int:
        """How the system calls the socket; -1 once it is closed."""
        return self._socket.fileno()

    def _dial(self, place: Place) -> None:
        if place.family == socket.AF_INET or place.family == socket.AF_INET6:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if (fault := self._socket.connect_ex(place.address)) not in (0, errno.EINPROGRESS):
                raise OSError(fault, os.strerror(fault))
        else:  # where there is no room for more, a Unix socket that does not wait fails
            self._socket.settimeout(DIAL_TIMEOUT)
            self._socket.connect(place.address)
            self._socket.setblocking(False)

    def ready(self, events: int) -> None:
        """Do what the socket is ready for."""
        try:
            if self._is_plain and events == _READ:  # as nearly always
                self._take()
            else:
                self._step(events)
        except _WAIT as wait:
            writes = self.lane.blocked or isinstance(wait, ssl.SSLWantWriteError)
            self._watch(_READ | _WRITE if writes else _READ)
        except OSError as error:
            self._close(_words(error))

    def _connected(self, events: int) -> None:
        if fault := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(fault, os.strerror(fault))
        self._step, self._is_plain = self._open, self._tls is None
        if self._tls is not None:
            self._owner.selector.unregister(self._socket)
            self._socket = self._tls.wrap_socket(self._socket, do_handshake_on_connect=False)
            self._owner.selector.register(self._socket, self._interest, self)
            self._step = self._shake_hands
        self._step(events)

    def _shake_hands(self, events: int) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        self._socket.do_handshake()
        self._step = self._open
        self._open(_READ | _WRITE)

    def _open(self, events: int) -> None:
        if events & _WRITE:
            self.lane.blocked = False
            self.flush()
            self.lane.fill(self._owner.clock())
            self.flush()
        if events & _READ and not self.lane.closed:
            self._take()
            while self._tls and not self.lane.closed:  # it is not ready for what was decrypted
                self._take()

    def _take(self, end: int = 0, now: float = 0.0) -> None:
        """Read once, and let go what may go then; `end` and `now` tell what was read, and when."""
        owner, lane, rest = self._owner, self.lane, self._rest
        if not end:
            room = owner.room
            if rest:
                end = len(rest)
                room[:end] = rest
                room = room[end:]
            size = self._socket.recv_into(room, READ_SIZE - end)
            if not size:
                self._close("the controller closed the connection")
                return
            now, end = owner.clock(), end + size
        at = lane.receive(owner.buffer, end, now)
        lane.fill(owner.clock())  # what we did with the answers is no wait for the next
        self.flush()
        lane.settle()
        if rest or at < end:
            self._rest = bytes(owner.room[at:end])

    def look(self) -> bool:
        """Take what is there without asking before whether there is; return whether it was."""
        owner, lane = self._owner, self.lane
        if self._interest != _READ or self._rest:
            return owner.glance()
        try:
            end = self._socket.recv_into(owner.room, READ_SIZE)
        except BlockingIOError:
            return False
        except OSError as error:
            self._close(_words(error))
            return True
        now = owner.clock()
        if (ahead := lane.ahead(owner.buffer, end)) is not None:
            try:
                lane.went(now, self._socket.send(ahead))
            except _WAIT:
                lane.went(now, 0)
            except OSError as error:
                self._close(_words(error))
                return True
        if end:
            self._take(end, now)
        else:
            self._close("the controller closed the connection")
        return True

    def flush(self) -> None:
        """Write what the lane has to say; what the socket does not take waits."""
        lane = self.lane
        if lane.closed:
            self._close(lane.closed)
            return
        while (out := lane.out) and not lane.blocked:
            data = out[0] if len(out) == 1 else b"".join(out)
            try:
                sent = self._socket.send(data)
            except _WAIT:
                sent = 0
            except OSError as error:
                self._close(_words(error))
                return
            out.clear()
            lane.tally.bytes_out += sent
            if sent < len(data):
                out.append(bytes(data[sent:]))
                lane.blocked = True
            elif lane.due:  # more than went at once
                lane.fill(self._owner.clock())
        if lane.blocked or self._interest != _READ:
            self._watch(_READ | _WRITE if lane.blocked else _READ)

    def _watch(self, interest: int) -> None:
        if interest != self._interest and self._socket.fileno() >= 0:
            self._interest = interest
            self._owner.selector.modify(self._socket, interest, self)

    def _close(self, reason: str) -> None:
        self.lane.close(reason)
        self.shut()

    def shut(self) -> None:
        """Give the socket back."""
        if self._socket.fileno() >= 0:
            if self._socket in self._owner.selector.get_map():
                self._owner.selector.unregister(self._socket)
            self._socket.close()
        self._interest = 0


def _words(error: OSError) -> str:
    return tls_fault(error) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
