"""Which application put which entry into a switch, as far as it was told here.

Owners are the bases of their cookie spaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import islice
from typing import NamedTuple

from protocol import ALL_TABLES, ANY_GROUP, FlowMod, FlowModCommand, FlowRemoved, Match, Port

from .cookies import PREFIX_MASK
from .overlaps import Covering, MatchSet

OWNED_MAX = 8192  #: entries of one switch that are known; those that come above that are not
# Entries of one table and priority that are compared with those of other applications. To
# look for overlaps costs more than all else that a flow_mod costs here; applications that go
# on side by side for so long without one are made for it.
COMPARED_MAX = 1024

_NOBODY: Set[int] = frozenset()
_STRICT = {FlowModCommand.MODIFY_STRICT, FlowModCommand.DELETE_STRICT}


class Entry(NamedTuple):
    """What makes an entry another one than all others of a switch."""

    table_id: int
    priority: int
    match: Match


class _Row:
    """The entries of one table and priority, which must not overlap (OF1.3.5 6.4)."""

    def __init__(self) -> None:
        self.owners: dict[Match, int] = {}
        self.only: int | None = None  #: who has all of them, while that is one
        self.latest: list[Match] = []  #: which were added by the only one, and are not noted yet
        self._counts: dict[int, int] = {}
        self._sets: dict[int, MatchSet] = {}  # once there are several owners
        self._left = COMPARED_MAX  # to compare

    def add(self, match: Match, owner: int) -> Set[int]:
        """Note an entry that its owner has not yet; return who has one that it overlaps with."""
        counts = self._counts
        before = self.remove(match) if self.only != owner else None
        self.owners[match] = owner
        counts[owner] = counts.get(owner, 0) + 1
        self.only = owner if len(counts) == 1 else None
        if before is None and len(counts) == 1:
            return _NOBODY
        met = _NOBODY if before is None else {before}
        return met | self._compared(match, owner) if self._left and len(counts) > 1 else met

    def note_latest(self) -> int:
        """Note the latest entries; return how many were not there before."""
        assert self.only is not None
        before = len(self.owners)
        self.owners |= dict.fromkeys(self.latest, self.only)
        self._counts[self.only] = len(self.owners)
        return len(self.owners) - before

    def remove(self, match: Match) -> int | None:
        """Forget an entry; return whose it was."""
        owner = self.owners.pop(match, None)
        if owner is not None:
            self._counts[owner] -= 1
            if not self._counts[owner]:
                del self._counts[owner]
                self.only = next(iter(self._counts)) if len(self._counts) == 1 else None
            if owner in self._sets:
                self._sets[owner].remove(match)
        return owner

    def _compared(self, match: Match, owner: int) -> set[int]:
        self._left -= 1
        if not self._sets:
            for one, whose in islice(reversed(self.owners.items()), COMPARED_MAX):
                self._sets.setdefault(whose, MatchSet()).add(one)
        self._sets.setdefault(owner, MatchSet()).add(match)
        met = {one for one, kept in self._sets.items() if one != owner and kept.meets(match)}
        if not self._left:
            self._sets.clear()
        return met


class FlowOwners:
    """The entries of one switch, with their owners.

    It is made where several applications run. What expires without a flow_removed stays
    known, as nothing tells of it.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], _Row] = {}  # by table_id and priority
        self._late: list[_Row] = []  # those that have entries which are not noted yet
        self._left = OWNED_MAX  # for which there is room until they have to be noted
        self._size = 0
        self.complete = True  #: whether there was room for all

    def add(self, owner: int, message: FlowMod) -> Set[int]:
        """Note that an entry is added; return which others have one that it overlaps with.

        That is one of the same table and priority that the same packet could match.
        """
        row = self._rows.get((message.table_id, message.priority))
        if row is None or row.only != owner:
            self._note_latest()
            row = self._rows.setdefault((message.table_id, message.priority), _Row())
            return self._note(row, message.match, owner)
        # There is nobody whose entry it could meet: all else can wait until somebody asks.
        latest = row.latest
        if not latest:
            self._late.append(row)
        latest.append(message.match)
        self._left -= 1
        if not self._left:
            self._note_latest()
        return _NOBODY

    def _note(self, row: _Row, match: Match, owner: int) -> Set[int]:
        before = row.owners.get(match)
        if before == owner:
            return _NOBODY
        if before is None:
            if self._size >= OWNED_MAX:
                self.complete = False
                return _NOBODY
            self._size += 1
        return row.add(match, owner)

    def _note_latest(self) -> None:
        for row in self._late:
            assert row.only is not None
            if len(row.latest) <= OWNED_MAX - self._size:
                self._size += row.note_latest()
            else:  # there may not be room for all
                for match in row.latest:
                    self._note(row, match, row.only)
            row.latest.clear()
        self._late.clear()
        self._left = OWNED_MAX

    def delete(self, owner: int, message: FlowMod) -> None:
        """Note that an application deletes entries of its own.

        Where a deletion is narrowed down by what is not known here, such as an output, they
        stay known, as some of them may stay.
        """
        if _is_narrowed(message):
            return
        for entry in self.touched(owner, message)[0]:
            self._forget(entry)

    def removed(self, message: FlowRemoved) -> None:
        """Note that an entry went."""
        self._forget(Entry(message.table_id, message.priority, message.match))

    def touched(self, owner: int, message: FlowMod) -> tuple[list[Entry], list[Entry]]:
        """Return which entries a flow_mod reaches that looks at no cookie.

        First those of `owner`, then those of others.
        """
        ours: list[Entry] = []
        others: list[Entry] = []
        for entry, whose in self._reached(message):
            (ours if whose == owner else others).append(entry)
        return ours, others

    def _reached(self, message: FlowMod) -> Iterator[tuple[Entry, int]]:
        self._note_latest()
        if message.command in _STRICT:
            entry = Entry(message.table_id, message.priority, message.match)
            row = self._rows.get((entry.table_id, entry.priority))
            if row is not None and entry.match in row.owners:
                yield entry, row.owners[entry.match]
            return
        # In NXM a match may have a cookie, which no entry has in its own.
        wide = Covering(message.match.without("cookie"))
        for (table_id, priority), row in self._rows.items():
            if message.table_id in (table_id, ALL_TABLES):
                for match, whose in row.owners.items():
                    if wide.covers(match):
                        yield Entry(table_id, priority, match), whose

    def _forget(self, entry: Entry) -> None:
        self._note_latest()
        where = (entry.table_id, entry.priority)
        row = self._rows.get(where)
        if row is None or row.remove(entry.match) is None:
            return
        self._size -= 1
        if not row.owners:
            del self._rows[where]


def _is_narrowed(message: FlowMod) -> bool:
    """Whether a flow_mod looks at more than matches and at whose entries are."""
    outputs = message.out_port != Port.ANY or message.out_group != ANY_GROUP
    return outputs or bool(message.cookie_mask & ~PREFIX_MASK) or "cookie" in message.match
