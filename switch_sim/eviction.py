"""Which entry of a full table makes room for a new one (OF1.4.1 5.5 "Flow Removal")."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from math import inf

from protocol.tables import EvictionFlags

from .flow_entry import FlowEntry

#: What a table looks at unless it is told otherwise.
DEFAULT_EVICTION = EvictionFlags.IMPORTANCE | EvictionFlags.LIFETIME
SUPPORTED_EVICTION = DEFAULT_EVICTION

_STALE = 64  # entries that left, which may be kept beside one for each that is there

_Rank = tuple[int, float]


class Evictor:
    """The entries of a table in the order in which they make room.

    With IMPORTANCE the less important go first, and none for a less important one. Among
    these, or without it, the one goes that would leave soonest if no packet came; then the
    one that was added first.
    """

    def __init__(self, entries: Iterable[FlowEntry], flags: EvictionFlags) -> None:
        self.flags = flags
        self._count = 0
        self._heap: list[tuple[_Rank, int, FlowEntry]] = []
        for size, entry in enumerate(sorted(entries, key=lambda one: one.created), 1):
            self.add(entry, size)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, entry: FlowEntry, size: int) -> None:
        """Take note of an entry that is in the table now, as one of `size`."""
        self._count += 1
        heappush(self._heap, (self._rank(entry), self._count, entry))
        if len(self._heap) > 2 * size + _STALE:
            self._heap = [one for one in self._heap if one[2].is_present]
            heapify(self._heap)

    def choose(self, newcomer: FlowEntry) -> FlowEntry | None:
        """Return the entry to make room; None where all are more important."""
        while self._heap:
            rank, number, entry = self._heap[0]
            if not entry.is_present:
                heappop(self._heap)
            elif (now_rank := self._rank(entry)) != rank:
                # Packets let it live longer since; that did not move it here.
                heappop(self._heap)
                heappush(self._heap, (now_rank, number, entry))
            elif rank[0] > self._rank(newcomer)[0]:
                return None
            else:
                return entry
        return None

    def _rank(self, entry: FlowEntry) -> _Rank:
        importance = entry.importance if self.flags & EvictionFlags.IMPORTANCE else 0
        deadline = entry.deadline() if self.flags & EvictionFlags.LIFETIME else None
        return importance, inf if deadline is None else deadline
