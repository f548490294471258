"""The Tornado shell of one channel: a socket, its Connection, and the timers.

It sits on bare sockets, which cost half of what a stream does. One read takes what is there,
the owner handles it, and one write says all that came of it; where many channels are ready each
of these steps is done for all of them before the next (`readiness.py`). What is said at other
times goes at the end of that turn of the loop.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from time import time
from typing import Protocol

from protocol import Closed, Connection, Event, PacketIn, State
from protocol.transport.tls import tls_fault

from .packet_in_limit import PacketInLimit
from .readiness import READ, WRITE, Readiness
from .recorder import Recorder, Tape
from .secure import TlsLayer
from .turns import REST, Turn

logger = logging.getLogger("controller")

READ_SIZE = 8192  # small messages of so many bytes are a millisecond of work; more gains nothing
READ_IN_TURN = 2048  # bytes at once of a switch that brings much while others want a turn
UNSENT_PAUSE = 1 << 20  # bytes a switch has not read, above which we stop reading from it
UNSENT_MAX = 1 << 28  # and above which it is given up
_CLOSED = State.CLOSED  # an enum takes as long to tell it as a dozen look-ups
STALL_TIMEOUT = 30.0  # seconds in which a switch must read some of what waits for it


class Owner(Protocol):
    """Who gets a channel's events."""

    def receive(self, events: Sequence[Event]) -> None:
        """Take events in their order; Closed can be the last one only."""

    def late(self) -> None:
        """What was expected did not come in time; see `Channel.expect`."""

    @property
    def busy(self) -> bool:
        """Whether reading should wait."""


class Channel:
    """A connected socket that speaks OpenFlow."""

    def __init__(
        self,
        sock: socket.socket,
        peer: str,
        connection: Callable[[float], Connection],
        recorder: Recorder,
        readiness: Readiness,
        tls: TlsLayer | None = None,
    ) -> None:
        self.peer = peer
        self._tls, self._readiness = tls, readiness
        self.recorder, self.tape = recorder, Tape(peer)
        self._loop = asyncio.get_running_loop()  # whose calls cost half of what Tornado's do
        self.connection = connection(time())
        self.connection.began = self.flush_soon
        self.owner: Owner | None = None
        self._receive: Callable[[Sequence[Event]], None]  # that of the owner
        self._context = copy_context()  # that of whoever met the switch: handlers run in it
        self._socket = sock
        self.closed = False  #: whether the socket is gone
        # What the socket did not take. Most take all, and an empty deque weighs 600 bytes.
        self._unsent: deque[memoryview] | None = None
        self._unsent_size = 0
        self._stalled_since = 0.0
        self._flushing = False  # a flush is due in this turn of the loop
        self.turn: Turn | None = None  #: what it brought lately; the owner sets it
        self.limit: PacketInLimit | None = None  #: what it may bring; the owner sets it
        self._resting = False  # nothing is read for a moment
        self._read_size = READ_SIZE
        self._interest = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0  # when the timer ends
        #: when the owner is called as something did not come; it sets it by `expect`
        self._expected: float | None = None
        sock.setblocking(False)

    def start(self, owner: Owner) -> None:
        """Begin to read, and say hello."""
        self.owner, self._receive = owner, owner.receive
        self._interest = READ
        self._readiness.add(self._socket, self._ready, self._interest)
        self._arm_timer()
        if self._tls is not None:
            self._tls.start()
        self._flushing = True  # what is said now need not ask for that
        # Who had to wait for us has said hello: then one write says all.
        self._ready(self._socket.fileno(), READ)
        self._readiness.then((self._flush_next, None))

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def close(self, reason: str) -> None:
        """Close the socket; the owner gets the Closed, once."""
        self._take(self.connection.close(reason))

    def update_interest(self) -> None:
        """Read, or not, as the owner has room and the switch takes what we write.

        Whoever changes one of these calls this; it is not asked for with each read.
        """
        if self.closed:
            return
        assert self.owner is not None
        paused = self._resting or self._unsent_size > UNSENT_PAUSE or self.owner.busy
        interest = (0 if paused else READ) | (WRITE if self._unsent else 0)
        if interest == self._interest:
            return
        if interest & ~self._interest & READ:
            self.connection.pardon(time())
        self._interest = interest
        self._readiness.update(self._socket, interest)

    def _ready(self, fd: int, interest: int) -> None:
        """Read, write, or do both, whatever the socket is ready for."""
        if interest != READ:
            self._flush()
            if self.closed or not interest & READ:
                return
        try:
            data = self._socket.recv(self._read_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broken(error)
            return
        if not data:
            self.close("the switch closed the connection")
            return
        if self._tls is not None and not (data := self._decrypted(data)):
            return
        now, connection, turn = time(), self.connection, self.turn
        self.recorder.note(now, self.tape, True, not connection.partial, data)
        if self.limit is None:
            events = connection.receive_data(data, now)
        else:
            events = self._limited(self.limit, data, now)
        if turn is not None:
            if turn.waits(len(events), now):
                self._rest()
            elif self._read_size != READ_SIZE and not turn.is_slowed(now):
                self._read_size = READ_SIZE
        self._readiness.then((self._hear, events))

    def _hear(self, events: list[Event]) -> None:
        """Let the owner take what a read brought, and write what comes of it."""
        if self.closed:
            return  # because of what another one brought
        self._flushing = True  # what is said now need not ask for that
        try:
            self._context.run(self._receive, events)
            if self.connection.state is _CLOSED:
                self._shut()
        finally:
            self._readiness.then((self._flush, None))

    def _rest(self) -> None:
        """Read slowly from a switch that brings much while others want a turn."""
        # What is dropped costs next to nothing, however much of it is read.
        self._read_size = READ_SIZE if self.connection.drops_packet_ins else READ_IN_TURN
        self.rest(REST)

    def rest(self, seconds: float) -> None:
        """Read nothing for a while."""
        self._resting = True
        self.update_interest()
        self._loop.call_later(seconds, self._rest_is_over)

    def _rest_is_over(self) -> None:
        self._resting = False
        self.update_interest()

    def _limited(self, limit: PacketInLimit, data: bytes, now: float) -> list[Event]:
        """Return what was said, but for packet_ins above the limit, which are dropped."""
        connection = self.connection
        connection.drops_packet_ins = limit.drops(0, now)
        events = connection.receive_data(data, now)
        limit.drops([type(event) for event in events].count(PacketIn), now)
        return events

    def _decrypted(self, data: bytes) -> bytes:
        """Return what is plain of what the socket brought; the handshake goes on by itself."""
        assert self._tls is not None
        try:
            data = self._tls.receive_data(data)
        except ssl.SSLError as error:
            self.close(tls_fault(error))
            return b""
        self.flush_soon()
        return data

    def _take(self, events: list[Event]) -> None:
        self._receive(events)
        if events and type(events[-1]) is Closed:
            self._shut()

    def _flush(self, step: None = None) -> None:
        """Write what there is to be said, and what was not taken before."""
        self._flushing = False
        if self.closed:
            return
        if fresh := self._fresh():
            if self._unsent is not None:
                self._keep(memoryview(fresh))
            elif (sent := self._sent(fresh)) < len(fresh):
                self._keep(memoryview(fresh)[sent:])
        if self._unsent is not None:
            self._send_on(self._unsent)
        if self._interest != READ:
            self.update_interest()

    def _flush_next(self, step: None) -> None:
        """Write when the others of a group have come as far as this one."""
        self._readiness.then((self._flush, None))

    def _fresh(self) -> bytes:
        """Return what the connection says, as it goes over the wire."""
        if fresh := self.connection.data_to_send():
            self.recorder.note(time(), self.tape, False, True, fresh)
        if self._tls is None:
            return fresh
        self._tls.send(fresh)
        return self._tls.data_to_send()

    def _sent(self, data: bytes | memoryview) -> int:
        """Write some of the oldest data; return how much of it the socket took."""
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._broken(error)
            return len(data)  # there is nothing to be done with it any more

    def _keep(self, data: memoryview) -> None:
        """Keep what the socket did not take, until it does."""
        if self._unsent is None:
            self._unsent = deque()
            self._stalled_since = time()
        self._unsent.append(data)
        self._unsent_size += len(data)

    def _send_on(self, unsent: deque[memoryview]) -> None:
        """Write what waits, as far as the socket takes it."""
        while unsent:
            sent = self._sent(unsent[0])
            if self.closed:
                return
            if sent:
                self._unsent_size -= sent
                self._stalled_since = time()
            if sent < len(unsent[0]):
                unsent[0] = unsent[0][sent:]
                break
            unsent.popleft()
        if not unsent:
            self._unsent = None
        if self._unsent_size > UNSENT_MAX:
            self.close(f"{self._unsent_size} bytes wait for a switch that does not read")
        self.update_interest()

    def _broken(self, error: OSError) -> None:
        self.close(f"the connection broke: {error.strerror or error}")

    def expect(self, seconds: float) -> None:
        """Call the owner's `late` after so many seconds, unless something else is expected."""
        self._expected = time() + seconds
        if self._timer is not None and self._expected < self._due_at:
            self._timer.cancel()
            self._arm_timer()

    def expect_nothing(self) -> None:
        """Do not call the owner's `late` any more: what was expected came."""
        self._expected = None

    def _arm_timer(self) -> None:
        now = time()
        longest = min(STALL_TIMEOUT, self.connection.echo_interval or STALL_TIMEOUT)
        due = now + longest  # as a deadline may also come nearer
        for deadline in (self.connection.deadline(), self._expected):
            if deadline is not None and deadline < due:
                due = deadline
        self._due_at = due
        self._timer = self._loop.call_later(due - now, self._due, context=self._context)

    def _due(self) -> None:
        now = time()
        if self._expected is not None and now >= self._expected:
            assert self.owner is not None
            self._expected = None
            self.owner.late()
            if self.closed:
                return
        if self._interest & READ:
            self._take(self.connection.handle_timer(now))
        else:
            self.connection.pardon(now)  # it is not the switch that is silent
            if _hung_up(self._socket):
                self.close("the switch went away while handlers were busy")
        if self._unsent and now - self._stalled_since > STALL_TIMEOUT:
            self.close(f"the switch reads nothing since {STALL_TIMEOUT:g} s")
        if not self.closed:
            self.flush_soon()
            self._arm_timer()

    def _shut(self) -> None:
        """Give the last words a chance, and all resources back."""
        if self.closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._readiness.remove(self._socket)
        try:
            self._socket.send(b"" if self._unsent else self._fresh())
        except OSError as error:
            logger.debug("%s: the last words were lost: %s", self.peer, error)
        self._socket.close()
        self.closed = True
        self._unsent = None
        self._unsent_size = 0


def _hung_up(sock: socket.socket) -> bool:
    """Whether the other side is gone, although what it said last may not be read yet."""
    if not hasattr(select, "poll"):
        return False  # on Windows one finds out when reading goes on
    poll = select.poll()
    poll.register(sock, getattr(select, "POLLRDHUP", 0))  # other systems tell less
    return bool(poll.poll(0))
