"""Flow monitors: who is told what becomes of entries (OF1.4.1 7.3.5 "Flow Monitoring").

Before OF1.4, Nicira and ONF had monitors of the same meaning. Theirs speak with one voice,
which says once what several monitors watch; since OF1.4 each monitor speaks for itself, in
answers to the request that set it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    EncodeError,
    Match,
    Message,
    MultipartFlags,
    Port,
    Version,
)
from protocol import FlowMonitorFailedCode as Code
from protocol.monitors import FlowMonitorCommand, FlowMonitorFlags
from protocol.record import Record

from .flow_changes import ChangeKind, FlowChange
from .flow_entry import FlowEntry, split_match
from .flow_stats import PART
from .flow_table import FlowTables, Selection, covers
from .monitor_forms import Form
from .refused import Refused
from .session import Effects, Session

MAX_MONITORS = 1_024  #: of a controller; each change is compared with each

_FLAG = {
    ChangeKind.ADDED: FlowMonitorFlags.ADD,
    ChangeKind.MODIFIED: FlowMonitorFlags.MODIFY,
    ChangeKind.REMOVED: FlowMonitorFlags.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, by which message."""

    session: Session
    xid: int


class Monitor:
    """What one monitor is to tell of; `xid` is that of what it says."""

    def __init__(
        self,
        monitor_id: int,
        match: Match,
        flags: int,
        table_id: int,
        selection: Selection,
        form: Form,
        xid: int,
    ) -> None:
        self.monitor_id, self.flags, self.form, self.xid = monitor_id, flags, form, xid
        self.match, self.table_id, self.selection = match, table_id, selection
        self._masks, self._values = split_match(match)

    def wants(self, change: FlowChange, is_own: bool) -> bool:
        """Whether it tells of a change."""
        return (
            bool(self.flags & _FLAG[change.kind])
            and (is_own or not self.flags & FlowMonitorFlags.ONLY_OWN)
            and self.watches(change.entry)
        )

    def watches(self, entry: FlowEntry) -> bool:
        """Whether an entry is one of those that it is about."""
        return (
            self.table_id in (entry.table_id, ALL_TABLES)
            and self.selection.takes(entry)
            and covers(self._masks, self._values, entry)
        )


@dataclass(slots=True)
class _Watcher:
    """The monitors of one controller."""

    monitors: dict[int, Monitor] = field(default_factory=dict)
    is_paused: bool = False
    # What came and what changed while nothing was told.
    added: dict[FlowEntry, None] = field(default_factory=dict)
    modified: dict[FlowEntry, None] = field(default_factory=dict)

    def voices(self) -> Iterator[list[Monitor]]:
        """Yield the monitors that speak together."""
        together = [one for one in self.monitors.values() if one.form.is_one_voice]
        if together:
            yield together
        yield from ([one] for one in self.monitors.values() if not one.form.is_one_voice)

    def note(self, changes: Iterable[FlowChange]) -> list[FlowChange]:
        """Remember what is not told now, and return what is told all the same.

        That an entry went which was told of, cannot be found out later.
        """
        told = []
        for change in changes:
            if change.kind is ChangeKind.ADDED:
                self.added[change.entry] = None
            elif change.kind is ChangeKind.MODIFIED and change.entry not in self.added:
                self.modified[change.entry] = None
            elif change.kind is ChangeKind.REMOVED:
                self.modified.pop(change.entry, None)
                if change.entry in self.added:
                    del self.added[change.entry]
                else:
                    told.append(change)
        return told

    def missed(self) -> list[FlowChange]:
        """Return what was not told, and forget it."""
        changes = [FlowChange(ChangeKind.ADDED, entry) for entry in self.added]
        changes += [FlowChange(ChangeKind.MODIFIED, entry) for entry in self.modified]
        self.added.clear()
        self.modified.clear()
        return changes


class Monitors:
    """All monitors of a switch."""

    def __init__(self, tables: FlowTables) -> None:
        self.tables = tables
        self._of: dict[Session, _Watcher] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def set(self, session: Session, monitor: Monitor, command: int) -> None:
        """Add, change or end a monitor; Refused where that cannot be."""
        number = monitor.monitor_id
        if command == FlowMonitorCommand.ADD:
            self.check_new(session, [number])
        elif command == FlowMonitorCommand.DELETE:
            self.end(session, number)
            return
        elif number not in self._known(session):
            raise Refused(Code.UNKNOWN_MONITOR, f"there is no monitor {number}")
        self._of.setdefault(session, _Watcher()).monitors[number] = monitor

    def check_new(self, session: Session, numbers: Sequence[int]) -> None:
        """Refuse monitors that there are already, that stand twice, or that are too many."""
        known = self._known(session)
        if len(set(numbers)) < len(numbers) or not known.keys().isdisjoint(numbers):
            raise Refused(Code.MONITOR_EXISTS, f"some of the monitors {numbers} exist already")
        if len(known) + len(numbers) > MAX_MONITORS:
            raise Refused(Code.UNKNOWN, f"a controller has at most {MAX_MONITORS} monitors")

    def _known(self, session: Session) -> Mapping[int, Monitor]:
        return self._of[session].monitors if session in self._of else {}

    def end(self, session: Session, monitor_id: int) -> None:
        """End a monitor; Refused (UNKNOWN_MONITOR) where there is none."""
        watcher = self._of.get(session)
        if watcher is None or watcher.monitors.pop(monitor_id, None) is None:
            raise Refused(Code.UNKNOWN_MONITOR, f"there is no monitor {monitor_id}")
        if not watcher.monitors:
            del self._of[session]

    def forget(self, session: Session) -> None:
        """End all monitors of a controller."""
        self._of.pop(session, None)

    # What is told

    def initial(self, monitors: Iterable[Monitor], version: Version) -> list[Message]:
        """Return the answer to the request that set monitors: the entries that are there."""
        asking = [one for one in monitors if one.flags & FlowMonitorFlags.INITIAL]
        found: dict[FlowEntry, int] = {}  # with the flags of all monitors that watch it
        for one in asking:
            for entry in self._selected(one):
                found[entry] = found.get(entry, 0) | one.flags
        form = next(iter(monitors)).form
        updates = (form.full(form.initial, entry, flags) for entry, flags in found.items())
        return _messages(form, updates, version)

    def _selected(self, monitor: Monitor) -> Iterator[FlowEntry]:
        every = monitor.table_id == ALL_TABLES
        for table_id in sorted(self.tables) if every else (monitor.table_id,):
            yield from self.tables[table_id].select(monitor.match, monitor.selection)

    def tell(self, changes: list[FlowChange], author: Author | None, effects: Effects) -> None:
        """Tell controllers what became of entries; `author` may be one of them."""
        for session, watcher in self._of.items():
            if session.is_congested and not watcher.is_paused:
                watcher.is_paused = True
                self._say_all(session, watcher, "paused", effects)
            told = watcher.note(changes) if watcher.is_paused else changes
            self._tell(session, watcher, told, author, effects)

    def relieve(self, session: Session, effects: Effects) -> None:
        """Tell what was not told while a controller did not read; it does again."""
        watcher = self._of.get(session)
        if watcher is not None and watcher.is_paused:
            watcher.is_paused = False
            self._tell(session, watcher, watcher.missed(), None, effects)
            self._say_all(session, watcher, "resumed", effects)

    def _tell(
        self,
        session: Session,
        watcher: _Watcher,
        changes: list[FlowChange],
        author: Author | None,
        effects: Effects,
    ) -> None:
        own_xid = author.xid if author is not None and author.session is session else None
        for voice in watcher.voices() if changes else ():
            updates = _updates(voice, changes, own_xid)
            for message in _messages(voice[0].form, updates, session.version):
                if message.updates:
                    effects.messages.append((session, message.numbered(voice[0].xid)))

    def _say_all(self, session: Session, watcher: _Watcher, what: str, effects: Effects) -> None:
        for voice in watcher.voices():
            message = getattr(voice[0].form, what)(voice[0].xid)
            effects.messages.append((session, message))


def _updates(
    voice: list[Monitor], changes: Iterable[FlowChange], own_xid: int | None
) -> Iterator[Record]:
    """Yield what monitors say of changes; of those by one's own message, that it made some."""
    form, is_own, is_said = voice[0].form, own_xid is not None, False
    for change in changes:
        flags = 0
        for monitor in voice:
            if monitor.wants(change, is_own):
                flags |= monitor.flags | _FLAG[change.kind]
        if not flags:
            continue
        if own_xid is None or flags & FlowMonitorFlags.NO_ABBREV:
            yield form.changed(change, flags)
        elif not is_said:
            is_said = True
            yield form.abbreviated(own_xid)


def _messages(form: Form, updates: Iterable[Record], version: Version) -> list[Any]:
    """Return the parts that updates need; what the version has no words for is left out."""
    parts: list[list[Record]] = [[]]
    size = 0
    for update in updates:
        try:
            more = len(form.reply((update,)).encode(version))
        except EncodeError:
            continue
        if size + more > PART:
            parts.append([])
            size = 0
        parts[-1].append(update)
        size += more
    messages = [form.reply(tuple(part), flags=MultipartFlags.MORE) for part in parts[:-1]]
    return [*messages, form.reply(tuple(parts[-1]))]


def check_out(out_port: int, out_group: int, max_group: int) -> None:
    """Refuse (BAD_OUT) what no action can lead to."""
    if out_port == 0 or Port.MAX < out_port < Port.IN_PORT:
        raise Refused(Code.BAD_OUT, f"nothing can be sent to port {out_port:#x}")
    if max_group < out_group < ANY_GROUP:
        raise Refused(Code.BAD_OUT, f"no group can be {out_group:#x}")
