"""Entries that look at the same bits of a packet, found with one look into a dictionary.

A table has few combinations of masks, however many entries (Srinivasan, Suri, Varghese:
"Packet Classification using Tuple Space Search", 1999).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from operator import and_, itemgetter
from typing import Any

from .flow_entry import FlowEntry, Masks, by_rank
from .flow_key import FlowKey

Probe = Callable[[FlowKey], Any]


class Tuple:
    """The entries of one combination of masks."""

    def __init__(self, masks: Masks) -> None:
        self.masks = masks
        self.names = frozenset(name for name, _ in masks)
        self.max_rank = -1
        self.probe = _probe(masks)
        self._alone = len(masks) == 1
        #: by what `probe` makes of a packet; most entries are alone there
        self.entries: dict[Any, FlowEntry | list[FlowEntry]] = {}
        self._ranks: dict[int, int] = {}  # -> how many entries have it
        self._heap: list[int] = []  # of negative ranks, some of which have no entry any more
        self._in_heap: set[int] = set()

    def __iter__(self) -> Iterator[FlowEntry]:
        return flattened(self.entries.values())

    def has_priority(self, priority: int) -> bool:
        """Whether an entry of this priority is here."""
        return any(rank >> 1 & 0xFFFF == priority for rank in self._ranks)

    def matching(self, key: FlowKey) -> list[FlowEntry]:
        """Return all entries that match, the highest rank last."""
        try:
            return _all_of(self.entries.get(self.probe(key)))
        except TypeError:  # the frame lacks a field that is matched with a mask
            return []

    def with_values(self, values: tuple[int, ...]) -> list[FlowEntry]:
        """Return the entries that match just these values, the highest rank last."""
        return _all_of(self.entries.get(self._key(values)))

    def twin_of(self, values: tuple[int, ...], priority: int) -> FlowEntry | None:
        """Return the entry that matches just these values and has this priority."""
        found = self.entries.get(self._key(values))
        if isinstance(found, list):
            return next((one for one in found if one.priority == priority), None)
        return found if found is not None and found.priority == priority else None

    def add(self, entry: FlowEntry) -> None:
        """Put an entry in."""
        key = self._key(entry.values)
        found = self.entries.setdefault(key, entry)
        if isinstance(found, list):
            insort(found, entry, key=by_rank)
        elif found is not entry:
            self.entries[key] = sorted((found, entry), key=by_rank)
        rank, ranks = entry.rank, self._ranks
        if rank in ranks:
            ranks[rank] += 1
            return
        ranks[rank] = 1
        if rank not in self._in_heap:
            self._in_heap.add(rank)
            heappush(self._heap, -rank)
        self.max_rank = max(self.max_rank, rank)

    def remove(self, entry: FlowEntry) -> None:
        """Take an entry out."""
        key = self._key(entry.values)
        left = [one for one in _all_of(self.entries[key]) if one is not entry]
        if left:
            self.entries[key] = left if len(left) > 1 else left[0]
        else:
            del self.entries[key]
        self._ranks[entry.rank] -= 1
        if not self._ranks[entry.rank]:
            del self._ranks[entry.rank]
            self._find_max_rank()

    def _find_max_rank(self) -> None:
        while self._heap and -self._heap[0] not in self._ranks:
            self._in_heap.discard(-heappop(self._heap))
        self.max_rank = -self._heap[0] if self._heap else -1

    def _key(self, values: tuple[int, ...]) -> Any:
        return values[0] if self._alone else values


def flattened(found: Iterable[FlowEntry | list[FlowEntry]]) -> Iterator[FlowEntry]:
    """Yield entries that stand by themselves or in lists."""
    for one in found:
        if isinstance(one, list):
            yield from tuple(one)  # which may change before all are taken
        else:
            yield one


def _all_of(found: FlowEntry | list[FlowEntry] | None) -> list[FlowEntry]:
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _probe(masks: Masks) -> Probe:
    """Return the function from a packet's fields to the key in the dictionary.

    It raises TypeError where the packet lacks a field that is matched with a mask. Each look-up
    in a table asks some of these, so the usual numbers of fields have theirs written out.
    """
    names, bits = [name for name, _ in masks], tuple(mask for _, mask in masks)
    if not names:
        return lambda key: ()
    get = itemgetter(*names)
    if all(mask == -1 for mask in bits):
        return get
    if len(bits) == 1:
        (name,), (mask,) = names, bits
        return lambda key: key[name] & mask
    if len(bits) == 2:
        (name, name2), (mask, mask2) = names, bits
        return lambda key: (key[name] & mask, key[name2] & mask2)
    if len(bits) == 3:
        (name, name2, name3), (mask, mask2, mask3) = names, bits
        return lambda key: (key[name] & mask, key[name2] & mask2, key[name3] & mask3)
    return lambda key: tuple(map(and_, get(key), bits))
