"""What a flow_mod does to the tables (OF1.3.5 6.4 "Flow Table Modification Messages")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from protocol import (
    ALL_TABLES,
    OF10,
    OF11,
    OF12,
    OF13,
    FlowMod,
    FlowModCommand,
    FlowModFailedCode,
    FlowModFlags,
    FlowRemovedReason,
    Version,
    nicira,
)

from .check import Checker, check_match
from .flow_changes import ChangeKind, FlowChange, FlowChanges
from .flow_entry import FlowEntry
from .flow_table import FlowTable, FlowTables, Selection
from .refused import Refused
from .undo import UndoLog

# The flags that each version has, from the first named on.
_FLAGS10 = FlowModFlags.SEND_FLOW_REM | FlowModFlags.CHECK_OVERLAP
_FLAGS12 = _FLAGS10 | FlowModFlags.RESET_COUNTS
_FLAGS13 = _FLAGS12 | FlowModFlags.NO_PKT_COUNTS | FlowModFlags.NO_BYT_COUNTS


class FlowMods:
    """Does flow_mods, each wholly or, where it is refused, not at all."""

    def __init__(self, tables: FlowTables, checker: Checker, undo: UndoLog) -> None:
        self.tables, self.checker, self.undo = tables, checker, undo
        self._commands: dict[int, Callable[[FlowMod, Version, float], FlowChanges]] = {
            FlowModCommand.ADD: self._add,
            FlowModCommand.MODIFY: self._modify,
            FlowModCommand.MODIFY_STRICT: self._modify,
            FlowModCommand.DELETE: self._delete,
            FlowModCommand.DELETE_STRICT: self._delete,
        }

    def apply(self, message: FlowMod, version: Version, now: float) -> FlowChanges:
        """Do what a message says; return what became of which entries.

        Refused, with the error that the specification names, where it cannot be done.
        """
        command = self._commands.get(message.command)
        if command is None:
            reason = f"flow_mod has no command {message.command}"
            raise Refused(FlowModFailedCode.BAD_COMMAND, reason)
        if message.flags:
            _check_flags(message, version)
        return command(message, version, now)

    def _add(self, message: FlowMod, version: Version, now: float) -> FlowChanges:
        doing = self.checker.check_flow(message, version)
        table = self.tables[message.table_id]
        entry = FlowEntry(message, version, now, doing)
        if message.flags and message.flags & FlowModFlags.CHECK_OVERLAP:
            _check_overlap(table, entry)
        changes: FlowChanges = []
        if before := table.find_twin(entry):
            self._take_out(table, before)
            # Since OF1.2 the counters go on, unless there is a flag; before, they do not.
            if version >= OF12 and not message.flags & FlowModFlags.RESET_COUNTS:
                entry.continue_counts(before)
        elif table.evictor is not None and (victim := _victim(table, entry)):
            self._take_out(table, victim)
            changes.append(FlowChange(ChangeKind.REMOVED, victim, FlowRemovedReason.EVICTION))
        table.add(entry)
        if self.undo.is_open:
            self.undo.note(partial(table.remove, entry))
        changes.append(FlowChange(ChangeKind.ADDED, entry))
        return changes

    def _modify(self, message: FlowMod, version: Version, now: float) -> FlowChanges:
        doing = self.checker.check_flow(message, version)
        selection = Selection(cookie=message.cookie, cookie_mask=message.cookie_mask)
        table = self.tables[message.table_id]
        found = self._selected(table, message, selection)
        for entry in found:
            self.undo.note(table.memory(entry))
            table.change(entry, doing, version)
            if version == OF10:
                entry.cookie = message.cookie
            if version >= OF12 and message.flags & FlowModFlags.RESET_COUNTS:
                entry.reset_counts()
        # Up to OF1.1 a modify that finds nothing adds, unless it compares cookies.
        if version <= OF11 and not found and message.cookie_mask == 0:
            return self._add(message, version, now)
        return [FlowChange(ChangeKind.MODIFIED, entry) for entry in found]

    def _delete(self, message: FlowMod, version: Version, now: float) -> FlowChanges:
        check_match(message.match, version)
        selection = Selection(
            message.out_port, message.out_group, message.cookie, message.cookie_mask
        )
        found = [
            entry
            for table in self._tables_of(message, version)
            for entry in self._selected(table, message, selection)
        ]
        return self.remove(found, FlowRemovedReason.DELETE)

    def remove(self, entries: Iterable[FlowEntry], reason: FlowRemovedReason) -> FlowChanges:
        """Take entries out of their tables; return what became of them."""
        changes: FlowChanges = []
        for entry in entries:
            self._take_out(self.tables[entry.table_id], entry)
            changes.append(FlowChange(ChangeKind.REMOVED, entry, reason))
        return changes

    def _take_out(self, table: FlowTable, entry: FlowEntry) -> None:
        table.remove(entry)
        self.undo.note(partial(table.add, entry))

    def _check_table(self, table_id: int) -> None:
        if table_id >= self.tables.n_tables:
            raise Refused(FlowModFailedCode.BAD_TABLE_ID, f"there is no table {table_id}")

    def _tables_of(self, message: FlowMod, version: Version) -> Iterable[FlowTable]:
        # OF1.0 does not speak of tables, so it deletes in all, unless by Nicira's flow_mod.
        names_none = version == OF10 and not isinstance(message, nicira.FlowMod)
        # To OF1.1 that is one table as well: the word is of OF1.2 (A.3.4.1).
        if names_none or (message.table_id == ALL_TABLES and version != OF11):
            return list(self.tables.values())
        self._check_table(message.table_id)
        return [self.tables[message.table_id]]

    def _selected(
        self, table: FlowTable, message: FlowMod, selection: Selection
    ) -> list[FlowEntry]:
        if message.command in (FlowModCommand.MODIFY, FlowModCommand.DELETE):
            return table.select(message.match, selection)
        entry = table.find(message.match, message.priority)
        return [entry] if entry and selection.takes(entry) else []


def _check_overlap(table: FlowTable, entry: FlowEntry) -> None:
    if other := table.overlapping(entry):
        raise Refused(FlowModFailedCode.OVERLAP, f"the entry overlaps {other.match!r}")


def _victim(table: FlowTable, newcomer: FlowEntry) -> FlowEntry | None:
    """Return the entry that makes room, where a full table lets one do so."""
    if table.evictor is None or len(table) < table.max_entries:
        return None
    return table.evictor.choose(newcomer)


def _check_flags(message: FlowMod, version: Version) -> None:
    flags = message.flags
    if version == OF10 and flags & FlowModFlags.EMERG:
        # An emergency entry has no timeouts (OF1.0 5.3.3 "Modify State Messages").
        if message.idle_timeout or message.hard_timeout:
            raise Refused(FlowModFailedCode.BAD_EMERG_TIMEOUT, "it would have a timeout")
        raise Refused(FlowModFailedCode.UNSUPPORTED, "there is no emergency flow cache")
    allowed = _FLAGS13 if version >= OF13 else _FLAGS12 if version >= OF12 else _FLAGS10
    if flags & ~int(allowed):
        raise Refused(FlowModFailedCode.BAD_FLAGS, f"flags {flags:#x} are unknown")
