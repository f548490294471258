"""One switch and its channel, without a socket or a clock.

It says hello and answers what it is asked with the ordinary codec. What comes in masses,
flow_mods and packet_outs, is only counted: of each no more is read than its type, its length
and what tells which packet it is for.
"""

from __future__ import annotations

import struct
import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice, repeat

from protocol import (
    NO_BUFFER,
    Closed,
    Connection,
    DecodeError,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    FeaturesRequest,
    FlowMod,
    FlowStatsRequest,
    Message,
    MultipartRequest,
    Opened,
    PacketOut,
    Version,
)
from protocol.message import HEADER, decode, encode

from .answers import Answers, refuse
from .ring import Ring
from .steps import flow_mod_buffer_id
from .tally import Tally
from .traffic import MAGIC, TAIL, Kind, Traffic

_tail = TAIL.unpack_from
_ERROR, _ECHO_REPLY, _PACKET_OUT, _FLOW_MOD = 1, 3, 13, 14  # the same in all versions
_Came = tuple[int, int, int, int, list[float], float]  # as `receive` found it
SPARE = 64  #: bytes that must be readable behind what was received: a flow_mod may be cut short
_SHORTEST = HEADER.size
_ECHO_XID = 0xEC00_0000  # of the echo request that all switches send at once


def _heads(flow_mod_buffer_id: int) -> Callable[[bytearray, int], tuple[int, int, int, int]]:
    """Return what reads type, length, and the buffer_ids of a packet_out and of a flow_mod."""
    return struct.Struct(f">xBHxxxxI{flow_mod_buffer_id - 12}xI").unpack_from


class Lane:
    """A switch that keeps so many packet_ins on their way, and counts what comes back.

    Whoever waits for the next packet_in waits for us as well, so that what comes is taken in
    three steps: `receive` finds what was answered, `fill` lets the next ones go, and `settle`
    does all that can be done when these were written. `now` is in seconds on any clock that
    does not go back.
    """

    def __init__(
        self, answers: Answers, versions: Iterable[Version], tally: Tally, now: float
    ) -> None:
        self.answers, self.tally = answers, tally
        self.version: Version | None = None
        self.window = 0  #: packet_ins on their way at most; 0 sends none by itself
        self.left = sys.maxsize  #: packet_ins that the window lets go at all
        self.blocked = False  #: whether some of `out` waits until the controller reads
        self.due: deque[float] = deque()  #: when packet_ins that did not go yet should have gone
        self.pending: dict[int, float] = {}  #: token -> when its packet_in went, or was due
        self.out: list[bytes | memoryview] = []  #: to be written
        self.closed = ""  #: why the channel ended
        self.last_error: ErrorMsg | None = None
        self.featured: float | None = None  #: when the controller had its features
        self.heard = now  #: when it last asked for, or changed, something
        self.up: float | None = None  #: the last of these times before it was silent for a while
        self.echoed: float | None = None  #: when the echo reply came
        self._connection: Connection | None = Connection(now, versions, echo_interval=0)
        self._ring: Ring | None = None
        self._ahead: tuple[memoryview, int] | None = None  # what the window lets go next
        self._head = _heads(12)
        self._told: float | None = None  # when the last multipart reply went
        self._came: _Came | None = None  # what was received and is not counted yet
        self._put(self._connection.data_to_send())

    # What we say

    def load(self, traffic: Traffic, kind: Kind) -> None:
        """Get ready what is to be sent; what is on its way no longer counts."""
        self.pending.clear()
        self._ahead = None
        self._ring = Ring(traffic, kind, self.answers.datapath_id)

    def _send_due(self, now: float) -> None:
        assert self._ring is not None
        count = min(len(self.due), self._ring.slots)
        stamps = [self.due.popleft() for _ in range(count)]
        for stamp in stamps:
            self.tally.late.add(now - stamp)
        self._send(stamps, count)

    def _send(self, stamps: Iterable[float], count: int) -> None:
        if self._ring is None or self.closed:
            return
        views, tokens = self._ring.take(count)
        self.pending.update(zip(tokens, stamps, strict=False))
        self.tally.packet_ins += count
        self.out += views

    def fill(self, now: float) -> None:
        """Send as many packet_ins as are due, or as the window has room for."""
        if self.blocked:
            return
        pending, window = self.pending, self.window
        if self._ahead is not None and len(pending) < window and self.left:
            view, token = self._ahead
            self._ahead = None
            pending[token] = now
            self.out.append(view)
            self.left -= 1
            self.tally.packet_ins += 1
            if len(pending) == window:
                return
        if self.closed:
            self.give_up()
        elif self.due:
            if not self.out:  # else it is written first: the ring has just so many steps
                self._send_due(now)
        elif (room := min(window - len(pending), self.left)) > 0:
            self.left -= room
            self._send(repeat(now), room)

    def send_echo(self) -> None:
        """Ask for a sign of life."""
        assert self.version is not None
        self.echoed = None
        self._put(encode(EchoRequest(), self.version, _ECHO_XID))

    def expire(self, before: float) -> None:
        """Give up packet_ins that went before a time and were not answered."""
        late = 0
        for stamp in self.pending.values():  # the oldest first
            if stamp >= before:
                break
            late += 1
        for token in list(islice(self.pending, late)):
            del self.pending[token]
        self.tally.lost += late

    def give_up(self) -> None:
        """Count as lost what was due and did not go."""
        self.tally.lost += len(self.due)
        self.due.clear()

    def close(self, reason: str) -> None:
        """Note that the channel ended; what is on its way is lost."""
        self.closed = self.closed or reason
        self._ahead = None
        self.tally.lost += len(self.pending)
        self.pending.clear()

    def _put(self, data: bytes) -> None:
        if data:
            self.out.append(data)

    def ahead(self, buffer: bytearray, end: int) -> memoryview | None:
        """Return what goes next, if `buffer` begins with the answer to all that is on its way.

        `receive` and `fill` let it go as well, but after a look at all that came. Who waits for
        that packet alone writes it before these two, and tells by `went` how much was taken.
        """
        if self._ahead is None or self.window != 1 or not self.left or self.blocked:
            return None
        kind, then, token, flow_mod_token = self._head(buffer, 0)
        if kind == _FLOW_MOD and flow_mod_token == NO_BUFFER and then + _SHORTEST < end:
            # It lets no packet go; a packet_out behind it may.
            kind, length, token, flow_mod_token = self._head(buffer, then)
            then += length
        if kind == _FLOW_MOD:
            token = flow_mod_token
        elif kind != _PACKET_OUT:
            return None
        return self._ahead[0] if token in self.pending and then <= end else None

    def went(self, now: float, size: int) -> None:
        """Note that what `ahead` returned went, `size` bytes of it; the rest goes when it can."""
        assert self._ahead is not None
        view, token = self._ahead
        self._ahead = None
        self.pending[token] = now
        self.left -= 1
        self.tally.packet_ins += 1
        self.tally.bytes_out += size
        if size < len(view):
            self.out.append(bytes(view[size:]))
            self.blocked = True

    # What we hear

    def receive(self, buffer: bytearray, end: int, now: float) -> int:
        """Take in the whole messages of `buffer[:end]`; return where the rest begins.

        SPARE bytes of the buffer must follow, whatever they are. `settle` must come before the
        next call.
        """
        if self._connection is not None:
            self._greet(bytes(buffer[:end]), now)
            return end
        head, pop = self._head, self.pending.pop
        at = flow_mods = packet_outs = strays = 0
        waits: list[float] = []
        while end - at >= _SHORTEST:
            kind, length, token, flow_mod_token = head(buffer, at)
            then = at + length
            if then > end:
                break
            if length < _SHORTEST:
                self.close(f"the controller sent a message of {length} bytes")
                break
            if kind == _FLOW_MOD:
                flow_mods += 1
                token = flow_mod_token
            elif kind == _PACKET_OUT:
                packet_outs += 1
                if token == NO_BUFFER:
                    magic, token = _tail(buffer, then - 8)
                    if magic != MAGIC:
                        token = NO_BUFFER
            else:
                self._read(bytes(buffer[at:then]), now)
                token = NO_BUFFER
            at = then
            if token == NO_BUFFER:
                continue
            stamp = pop(token, None)
            if stamp is None:
                strays += 1
            else:
                waits.append(now - stamp)
        self._came = at, flow_mods, packet_outs, strays, waits, now
        return at

    def _greet(self, data: bytes, now: float) -> None:
        assert self._connection is not None
        connection = self._connection
        for event in connection.receive_data(data, now):
            if isinstance(event, Opened):
                self.version = event.version
                self._head = _heads(flow_mod_buffer_id(event.version))
            elif isinstance(event, Closed):
                self.close(event.reason)
            elif isinstance(event, Message):
                self._answer(event, now)
        self._put(connection.data_to_send())
        if self.version is not None and not connection.partial:
            self._connection = None

    def settle(self) -> None:
        """Count what was received, and get the next packet_in ready.

        What `out` had must have been written, or copied: the next one may take its place.
        """
        if self._came is None:
            return
        size, flow_mods, packet_outs, strays, waits, now = self._came
        self._came = None
        tally = self.tally
        tally.bytes_in += size
        if flow_mods:
            tally.flow_mods += flow_mods
            self.heard = now
        if packet_outs:
            tally.packet_outs += packet_outs
        if strays:
            tally.strays += strays
        if waits:
            tally.answered += len(waits)
            tally.latency.add_all(waits)
        if self._ahead is None and self._ring is not None and self.window:
            self._ahead = self._ring.one()

    def _read(self, data: bytes, now: float) -> None:
        """Read a message that comes seldom, and answer it."""
        assert self.version is not None
        try:
            message = decode(data, 0, len(data), self.version)
        except DecodeError as error:
            self._reply(refuse(data, error), HEADER.unpack_from(data)[3])
            return
        self._answer(message, now)

    def _answer(self, message: Message, now: float) -> None:
        assert self.version is not None
        tally = self.tally
        match message:
            case ErrorMsg():
                tally.errors += 1
                self.last_error = message
                return
            case EchoReply():
                if message.xid == _ECHO_XID:
                    self.echoed = now
                return
            case FlowMod():  # behind the hello
                tally.flow_mods += 1
            case PacketOut():
                tally.packet_outs += 1
                return
            case MultipartRequest():
                tally.stats_requests += 1
                if self._told is not None:
                    tally.latency.add(now - self._told)
            case _:
                tally.requests += 1
        self.heard = now
        if isinstance(message, FlowStatsRequest):
            self._put(self.answers.flow_stats(self.version, message.xid))
        else:
            self._reply(self.answers.answer(message, self.version), message.xid)
        if isinstance(message, FeaturesRequest):
            self.featured = now
        elif isinstance(message, MultipartRequest):
            self._told = now

    def _reply(self, replies: Iterable[Message], xid: int) -> None:
        assert self.version is not None
        for one in replies:
            self._put(encode(one, self.version, xid))
