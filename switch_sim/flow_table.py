"""A flow table: entries, look-up, selection, overlap, timeouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from protocol import (
    ANY_GROUP,
    FlowModFailedCode,
    FlowRemovedReason,
    Match,
    Port,
    Version,
)
from protocol.tables import TableConfig

from .eviction import Evictor
from .flow_entry import Doing, FlowEntry, Masks, split_match
from .flow_key import FlowKey
from .nicira import conjunctions
from .references import References
from .refused import Refused
from .soonest import Soonest
from .stages import Stages
from .tuple_space import Tuple, flattened
from .vacancy import Vacancy

MAX_ENTRIES = 1_000_000  #: of a table, unless the switch is made with another number
_UNTOLD = TableConfig.TABLE_MISS_DROP | TableConfig.TABLE_MISS_CONTINUE
_STALE_TIMERS = 64  # that a table may keep beside one for each entry


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries a request means, beside the match."""

    out_port: int = Port.ANY
    out_group: int = ANY_GROUP
    cookie: int = 0
    cookie_mask: int = 0

    def takes(self, entry: FlowEntry) -> bool:
        """Whether an entry passes (OF1.3.5 6.4 "Flow Table Modification Messages")."""
        return (
            entry.has_cookie(self.cookie, self.cookie_mask)
            and entry.sends_to(self.out_port)
            and entry.uses_group(self.out_group)
        )


EVERY_ENTRY = Selection()


class FlowTable:
    """One table of the pipeline (OF1.3.5 5.2 "Flow Table").

    >>> from protocol import FlowMod, OF13
    >>> table = FlowTable()
    >>> table.add(FlowEntry(FlowMod(Match(in_port=1), priority=5), OF13, now=0))
    >>> [entry.priority for entry in table]
    [5]
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        references: References | None = None,
        soonest: Soonest | None = None,
    ) -> None:
        self.max_entries = max_entries
        self.name = ""  #: where a controller gave it one
        self._references = References() if references is None else references
        self._config = TableConfig(0)
        self.passes_over = False  #: up to OF1.2, whether the next table gets what misses
        self.tells_misses = True  #: and whether the controller gets it
        self.generation = 0  #: grows whenever a look-up may find what it did not find before
        self.evictor: Evictor | None = None  #: where a full table makes room
        self.vacancy: Vacancy | None = None  #: where its room is told
        self.lookup_count = 0
        self.matched_count = 0
        self._size = 0
        self._n_conjunctive = 0
        self._tuples: dict[Masks, Tuple] = {}
        self._latest: Tuple | None = None  # of those, the one asked for last
        self.footprints: dict[Any, Any] = {}  #: kept for footprint.py
        self._sorted: list[Tuple] | None = []  # by the highest rank; None: to be sorted anew
        self._timers: list[tuple[float, int, FlowEntry]] = []
        self._timer_number = 0
        self._soonest = Soonest() if soonest is None else soonest  # of all tables' timers

    def __len__(self) -> int:
        return self._size

    @property
    def room(self) -> int:
        """How many entries can be added."""
        return max(0, self.max_entries - self._size)

    def __iter__(self) -> Iterator[FlowEntry]:
        for group in self._tuples.values():
            yield from group

    @property
    def config(self) -> TableConfig:
        """What a table_mod says; up to OF1.2 what is done on a miss (OF1.1 A.3.4.3)."""
        return self._config

    @config.setter
    def config(self, config: TableConfig) -> None:
        self._config = config
        self.passes_over = bool(config & TableConfig.TABLE_MISS_CONTINUE)
        self.tells_misses = not config & _UNTOLD
        self.generation += 1

    def lookup(self, key: FlowKey) -> FlowEntry | None:
        """Return the entry of the highest rank that matches (OF1.3.5 5.3 "Matching").

        Which one of several with the same priority is left open there.
        """
        if self._n_conjunctive:
            return conjunctions.lookup(self._tuples.values(), key)
        best, best_rank = None, -1
        for group in self._sorted if self._sorted is not None else self._sort():
            if group.max_rank <= best_rank:
                break
            try:
                found = group.entries.get(group.probe(key))
            except TypeError:  # the frame lacks a field that is matched with a mask
                continue
            if found is not None:
                highest = found[-1] if isinstance(found, list) else found
                if highest.rank > best_rank:
                    best, best_rank = highest, highest.rank
        return best

    def searched(self, found: FlowEntry | None) -> list[Tuple]:
        """Return the tuples that a look-up has to ask to find an entry, or that there is none."""
        groups = self._sorted if self._sorted is not None else self._sort()
        if found is None or self._n_conjunctive:
            return groups
        rank, number = found.rank, 0
        for group in groups:
            if group.max_rank < rank:
                break
            number += 1
        return groups[:number]

    def _sort(self) -> list[Tuple]:
        self.footprints.clear()
        self._sorted = sorted(self._tuples.values(), key=lambda one: one.max_rank, reverse=True)
        return self._sorted

    def find(self, match: Match, priority: int) -> FlowEntry | None:
        """Return the entry with just this match and priority."""
        return self._find(*split_match(match), priority)

    def find_twin(self, entry: FlowEntry) -> FlowEntry | None:
        """Return the entry with the match and priority of one that is not in the table."""
        return self._find(entry.masks, entry.values, entry.priority)

    def _find(self, masks: Masks, values: tuple[int, ...], priority: int) -> FlowEntry | None:
        group = self._tuple_of(masks)
        return group.twin_of(values, priority) if group is not None else None

    def _tuple_of(self, masks: Masks) -> Tuple | None:
        # Most entries are like the one before, whose masks need not be hashed again.
        if (latest := self._latest) is not None and latest.masks is masks:
            return latest
        self._latest = found = self._tuples.get(masks)
        return found

    def select(self, match: Match, selection: Selection = EVERY_ENTRY) -> list[FlowEntry]:
        """Return the entries that `match` covers: theirs is the same or more specific.

        That is the non-strict form of requests (OF1.3.5 6.4 "Flow Table Modification Messages").
        """
        return list(self.walk(match, selection))

    def walk(self, match: Match, selection: Selection = EVERY_ENTRY) -> Iterator[FlowEntry]:
        """Yield what `select` returns, one by one.

        What came or went meanwhile is not seen, but for entries that differ in priority only
        from others that were there.
        """
        masks, values = split_match(match)
        names = frozenset(name for name, _ in masks)
        # A copy of so many entries takes its time: the lists among them stay what they are.
        entries = [
            (True, list(group.with_values(values)))
            if group.masks == masks
            else (False, list(group.entries.values()))
            for group in self._tuples.values()
            if names <= group.names
        ]
        for same, found in entries:
            for entry in flattened(found):
                if (same or covers(masks, values, entry)) and selection.takes(entry):
                    yield entry

    def overlapping(self, entry: FlowEntry) -> FlowEntry | None:
        """Return an entry of the same priority that a packet may match as well.

        One with the same match is such, too (OF1.3.5 6.4 "Flow Table Modification Messages").
        """
        for group in self._tuples.values():
            if group.has_priority(entry.priority):
                for other in group:
                    if other.priority == entry.priority and _overlap(entry, other):
                        return other
        return None

    def add(self, entry: FlowEntry) -> None:
        """Put in an entry; there must be none with its match and priority.

        Refused (TABLE_FULL) where there is no room.
        """
        if self._size >= self.max_entries:
            raise Refused(
                FlowModFailedCode.TABLE_FULL, f"the table takes {self.max_entries} entries"
            )
        group = self._tuple_of(entry.masks)
        if group is None:
            group = self._latest = self._tuples[entry.masks] = Tuple(entry.masks)
        highest = group.max_rank
        entry.masks = group.masks  # which all entries of the tuple share
        group.add(entry)
        entry.is_present = True
        doing = entry.doing
        if doing.names_some:
            self._references.add(entry)
        if doing.conjunctions:
            self._n_conjunctive += 1
        self.generation += 1
        self._size += 1
        if group.max_rank != highest:
            self._sorted = None
        if entry.idle_timeout or entry.hard_timeout:
            self.watch(entry)
        if self.evictor is not None:
            self.evictor.add(entry, self._size)

    def remove(self, entry: FlowEntry) -> None:
        """Take an entry out."""
        group = self._tuples[entry.masks]
        highest = group.max_rank
        group.remove(entry)
        entry.is_present = False
        self._references.remove(entry)
        # Of an entry that leaves only those know that met it; a clause is met by many.
        self.generation += bool(entry.doing.conjunctions)
        self._size -= 1
        self._n_conjunctive -= bool(entry.doing.conjunctions)
        if group.max_rank != highest:
            self._sorted = None
        if group.max_rank < 0:
            del self._tuples[entry.masks]
            self._latest = None
        if entry.idle_timeout or entry.hard_timeout:
            self._soonest.forget()
        if len(self._timers) > 2 * self._size + _STALE_TIMERS:
            self._timers = [timer for timer in self._timers if timer[2].is_present]
            heapify(self._timers)

    def change(self, entry: FlowEntry, doing: Doing, version: Version) -> None:
        """Let an entry of the table do other things from now on."""
        self._references.remove(entry)
        self._n_conjunctive -= bool(entry.doing.conjunctions)
        self.generation += bool(entry.doing.conjunctions)
        entry.change(doing, version)
        self.generation += bool(doing.conjunctions)
        self._n_conjunctive += bool(doing.conjunctions)
        self._references.add(entry)

    def memory(self, entry: FlowEntry) -> Callable[[], None]:
        """Return how to make an entry again what it is now."""
        before = entry.doing, entry.version, entry.cookie
        counted = entry.packet_count, entry.byte_count

        def restore() -> None:
            doing, version, entry.cookie = before
            self.change(entry, doing, version)
            entry.packet_count, entry.byte_count = counted

        return restore

    # Timeouts (OF1.3.5 5.5 "Flow Removal")

    def watch(self, entry: FlowEntry) -> None:
        """Take note of an entry's timeouts, which are new or shorter than they were."""
        deadline = entry.deadline()
        if deadline is not None:
            self._timer_number += 1
            heappush(self._timers, (deadline, self._timer_number, entry))
            self._soonest.hear(deadline)

    def deadline(self) -> float | None:
        """Return when to call `expire` next, None for never.

        An entry in use may get a later deadline by then: packets do not move timers.
        """
        while self._timers and not self._timers[0][2].is_present:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def expire(self, now: float) -> list[tuple[FlowEntry, FlowRemovedReason]]:
        """Take out and return the entries whose time is over, in the order of their deadlines.

        An entry goes when it is idle_timeout seconds without a packet or hard_timeout seconds
        old; 0 means never.
        """
        gone = []
        while self._timers and self._timers[0][0] <= now:
            _, _, entry = heappop(self._timers)
            if not entry.is_present:
                continue
            deadline = entry.deadline()
            if deadline is None or deadline > now:
                self._soonest.forget()
                self.watch(entry)
                continue
            self.remove(entry)
            gone.append((entry, _reason(entry, deadline)))
        return gone


def _reason(entry: FlowEntry, deadline: float) -> FlowRemovedReason:
    hard = entry.hard_timeout and entry.modified + entry.hard_timeout <= deadline
    return FlowRemovedReason.HARD_TIMEOUT if hard else FlowRemovedReason.IDLE_TIMEOUT


def covers(masks: Masks, values: tuple[int, ...], entry: FlowEntry) -> bool:
    """Whether all packets of an entry have these values under these masks."""
    fields = entry.fields
    for (name, mask), value in zip(masks, values, strict=True):
        found = fields.get(name)
        if found is None or found[1] & mask != mask or found[0] & mask != value:
            return False
    return True


def _overlap(one: FlowEntry, other: FlowEntry) -> bool:
    others = other.fields
    for name, (value, mask) in one.fields.items():
        if (found := others.get(name)) and (value ^ found[0]) & mask & found[1]:
            return False
    return True


class FlowTables(dict[int, FlowTable]):
    """The tables of a pipeline by table_id, made when first needed."""

    def __init__(self, n_tables: int, max_entries: int) -> None:
        super().__init__()
        self.n_tables, self.max_entries = n_tables, max_entries
        self.stages = Stages(n_tables)
        self.references = References()
        self._soonest = Soonest()
        self._untouched = FlowTable(max_entries)

    def __missing__(self, table_id: int) -> FlowTable:
        table = self[table_id] = FlowTable(self.max_entries, self.references, self._soonest)
        return table

    def deadline(self) -> float | None:
        """Return when an entry may go next, None for never; cheap, as each frame asks for it."""
        return self._soonest.among(table.deadline() for table in self.values())

    def known(self, table_id: int) -> FlowTable:
        """Return a table to ask, which is not made for a question where nobody needed it yet."""
        return self.get(table_id, self._untouched)
