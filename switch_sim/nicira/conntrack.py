"""Connection tracking: which connections there are, and what a packet is to them.

The table is for itself: it knows tuples, not packets, and no clock (ovs-actions(7) "The ct
action", ovs-fields(7) "CONNTRACK FIELDS").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from protocol.nicira import CtState

from .connections import Connection, Verdict, begin, follow, may_begin
from .five_tuple import FiveTuple, Seen

MAX_CONNECTIONS = 65_536  #: at a time, of all zones together
_STALE_TIMERS = 64  # that there may be beside one for each connection
_NATTED = CtState.SRC_NAT | CtState.DST_NAT

#: Takes a new connection and sets its `nat` and `back`; False where there is no room.
Translator = Callable[[Connection, "Conntrack"], bool]


class Tracked(NamedTuple):
    """What connection tracking says of a packet."""

    state: CtState
    connection: Connection | None = None
    way: FiveTuple | None = None  #: that the connection began with, or this packet's own
    is_reply: bool = False
    translates: bool = False  #: whether the packet's addresses are to be translated


@dataclass(frozen=True, slots=True)
class Tracking:
    """What an action wants to be done with the packet's connection."""

    commit: bool = False
    force: bool = False
    translates: bool = False  #: addresses, as was decided for the connection or is now
    translator: Translator | None = None  #: what decides it for a new connection
    only_looks: bool = False  #: nothing is noted of the packet


class Conntrack:
    """The connections that are known, each until its time is over.

    When the table is full, the connection that would be forgotten first makes room for the
    new one.
    """

    def __init__(self, max_connections: int = MAX_CONNECTIONS) -> None:
        self.max_connections = max_connections
        self.evicted_count = 0
        self._known: dict[FiveTuple, Connection] = {}  # by both of its ways
        self._connections: set[Connection] = set()
        self._timers: list[tuple[float, int, Connection]] = []
        self._timer_number = 0

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    def find(self, way: FiveTuple, now: float) -> Connection | None:
        """Return the connection that has packets of this tuple, one way or the other."""
        connection = self._known.get(way)
        return connection if connection is not None and connection.deadline > now else None

    def is_taken(self, way: FiveTuple) -> bool:
        """Whether packets of this tuple belong to a connection."""
        return way in self._known

    def track(
        self, seen: Seen | None, tracking: Tracking, before: CtState, tcp_flags: int, now: float
    ) -> Tracked:
        """Tell what a packet is, and note that it was there.

        `before` is what the same zone said of it already, nothing where none did.
        """
        if seen is None:
            return Tracked(CtState.INVALID | CtState.TRACKED)
        connection, is_reply, way = self._belongs(seen.tuple, before, now)
        if connection is not None and tracking.only_looks:
            connection = copy(connection)
        if connection is not None and tracking.force and is_reply:
            self._end(connection, tracking)  # it begins anew, this way round
            connection = None
        if connection is None:
            return self._unknown(seen, way, tracking, tcp_flags, now)
        if seen.is_related:
            state = int(before | CtState.RELATED | (CtState.REPLY_DIR if is_reply else 0))
        else:
            verdict = follow(connection, is_reply, tcp_flags, now)
            if verdict == Verdict.BEGINS_ANEW:
                self._end(connection, tracking)
                return self._unknown(seen, way, tracking, tcp_flags, now)
            state = _state(verdict, before, is_reply)
            if not tracking.only_looks:
                self._watch(connection)
        translates = tracking.translates and bool(connection.nat) and not before & _NATTED
        return Tracked(
            CtState(state | CtState.TRACKED), connection, connection.way, is_reply, translates
        )

    def _belongs(
        self, way: FiveTuple, before: CtState, now: float
    ) -> tuple[Connection | None, bool, FiveTuple]:
        """Return a packet's connection, whether it is an answer, and its tuple."""
        if before & _NATTED:
            # Its addresses are translated already: answers to it would look the other way.
            connection = self.find(way.back(), now)
            if connection is not None:
                is_reply = way.back() == connection.way
                return connection, is_reply, connection.back if is_reply else connection.way
        connection = self.find(way, now)
        return connection, connection is not None and way != connection.way, way

    def _unknown(
        self, seen: Seen, way: FiveTuple, tracking: Tracking, tcp_flags: int, now: float
    ) -> Tracked:
        if seen.is_related or not may_begin(way, tcp_flags):
            return Tracked(CtState.INVALID | CtState.TRACKED, way=way)
        state = CtState.NEW | CtState.TRACKED
        if not tracking.commit:
            return Tracked(state, way=way)
        connection = Connection(way)
        begin(connection, now)
        if tracking.translator and not tracking.translator(connection, self):
            return Tracked(state, way=way)
        if not tracking.only_looks:
            self._add(connection, now)
        return Tracked(state, connection, way, translates=bool(connection.nat))

    def _end(self, connection: Connection, tracking: Tracking) -> None:
        if not tracking.only_looks:
            self.forget(connection)

    def _add(self, connection: Connection, now: float) -> None:
        for way in (connection.way, connection.back):
            over = self._known.get(way)
            if over is not None and over.deadline <= now:
                self.forget(over)
        while len(self) >= self.max_connections:
            self._evict()
        for way in (connection.way, connection.back):
            self._known.setdefault(way, connection)
        self._connections.add(connection)
        connection.timer = 0.0
        self._watch(connection)

    def forget(self, connection: Connection) -> None:
        """Know a connection no more."""
        self._connections.discard(connection)
        for way in (connection.way, connection.back):
            if self._known.get(way) is connection:
                del self._known[way]
        if len(self._timers) > 2 * len(self) + _STALE_TIMERS:
            self._timers = [one for one in self._timers if self._is_due(one)]
            heapify(self._timers)

    def flush(self, wanted: Callable[[Connection], bool]) -> None:
        """Forget the connections that are wanted."""
        for connection in [one for one in self if wanted(one)]:
            self.forget(connection)

    # Timeouts

    def deadline(self) -> float | None:
        """Return when to call `expire` next, None for never."""
        while self._timers and not self._is_due(self._timers[0]):
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def expire(self, now: float) -> None:
        """Forget the connections whose time is over."""
        while self._timers and self._timers[0][0] <= now:
            timer = heappop(self._timers)
            if not self._is_due(timer):
                continue
            connection = timer[2]
            if connection.deadline <= now:
                self.forget(connection)
            else:
                connection.timer = 0.0
                self._watch(connection)

    def _evict(self) -> None:
        """Forget the connection that would be forgotten first."""
        while True:
            timer = heappop(self._timers)
            if not self._is_due(timer):
                continue
            connection = timer[2]
            if connection.deadline <= timer[0]:
                self.evicted_count += 1
                self.forget(connection)
                return
            connection.timer = 0.0
            self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        # A timer that rings too early is set anew then; only one that would be late is not.
        if connection.timer and connection.timer <= connection.deadline:
            return
        connection.timer = connection.deadline
        self._timer_number += 1
        heappush(self._timers, (connection.deadline, self._timer_number, connection))

    def _is_due(self, timer: tuple[float, int, Connection]) -> bool:
        connection = timer[2]
        return connection in self._connections and connection.timer == timer[0]


def _state(verdict: Verdict, before: CtState, is_reply: bool) -> int:
    match verdict:
        case Verdict.NEW:
            return before | CtState.NEW
        case Verdict.ESTABLISHED:
            reply = CtState.REPLY_DIR if is_reply else 0
            return before & ~CtState.NEW | CtState.ESTABLISHED | reply
    return CtState.INVALID
