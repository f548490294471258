"""What a flow_mod does to the tables (OF1.3.5 6.4 "Flow Table Modification Messages")."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
    Version,
)

from .check import Checker, check_match
from .flow_entry import FlowEntry
from .flow_table import FlowTable, FlowTables, Selection
from .refused import Refused

# The flags that each version has, from the first named on.
_FLAGS10 = FlowModFlags.SEND_FLOW_REM | FlowModFlags.CHECK_OVERLAP
_FLAGS12 = _FLAGS10 | FlowModFlags.RESET_COUNTS
_FLAGS13 = _FLAGS12 | FlowModFlags.NO_PKT_COUNTS | FlowModFlags.NO_BYT_COUNTS

Removed = list[FlowEntry]


class FlowMods:
    """Does flow_mods, each wholly or, where it is refused, not at all."""

    def __init__(self, tables: FlowTables, checker: Checker) -> None:
        self.tables, self.checker = tables, checker
        self._commands: dict[int, Callable[[FlowMod, Version, float], Removed]] = {
            FlowModCommand.ADD: self._add,
            FlowModCommand.MODIFY: self._modify,
            FlowModCommand.MODIFY_STRICT: self._modify,
            FlowModCommand.DELETE: self._delete,
            FlowModCommand.DELETE_STRICT: self._delete,
        }

    def apply(self, message: FlowMod, version: Version, now: float) -> Removed:
        """Do what a message says; return the entries that are deleted.

        Refused, with the error that the specification names, where it cannot be done.
        """
        command = self._commands.get(message.command)
        if command is None:
            reason = f"flow_mod has no command {message.command}"
            raise Refused(FlowModFailedCode.BAD_COMMAND, reason)
        _check_flags(message.flags, version)
        check_match(message.match, version)
        return command(message, version, now)

    def _add(self, message: FlowMod, version: Version, now: float) -> Removed:
        self._check(message, version)
        table = self.tables[message.table_id]
        entry = FlowEntry(message, version, now)
        if message.flags & FlowModFlags.CHECK_OVERLAP and (other := table.overlapping(entry)):
            reason = f"the entry overlaps {other.match!r}"
            raise Refused(FlowModFailedCode.OVERLAP, reason)
        if before := table.find_twin(entry):
            table.remove(before)
            # Since OF1.2 the counters go on, unless there is a flag; before, they do not.
            if version >= OF12 and not message.flags & FlowModFlags.RESET_COUNTS:
                entry.continue_counts(before)
        table.add(entry)
        return []

    def _modify(self, message: FlowMod, version: Version, now: float) -> Removed:
        self._check(message, version)
        selection = Selection(cookie=message.cookie, cookie_mask=message.cookie_mask)
        table = self.tables[message.table_id]
        found = self._selected(table, message, selection)
        for entry in found:
            table.change(entry, message.instructions, version)
            if version == OF10:
                entry.cookie = message.cookie
            if version >= OF12 and message.flags & FlowModFlags.RESET_COUNTS:
                entry.reset_counts()
        # Up to OF1.1 a modify that finds nothing adds, unless it compares cookies.
        if version <= OF11 and not found and message.cookie_mask == 0:
            return self._add(message, version, now)
        return []

    def _delete(self, message: FlowMod, version: Version, now: float) -> Removed:
        selection = Selection(
            message.out_port, message.out_group, message.cookie, message.cookie_mask
        )
        removed: Removed = []
        for table in self._tables_of(message, version):
            for entry in self._selected(table, message, selection):
                table.remove(entry)
                removed.append(entry)
        return removed

    def _check(self, message: FlowMod, version: Version) -> None:
        self._check_table(message.table_id)
        self.checker.check_instructions(
            message.instructions, message.match, message.table_id, version
        )

    def _check_table(self, table_id: int) -> None:
        if table_id >= self.tables.n_tables:
            raise Refused(FlowModFailedCode.BAD_TABLE_ID, f"there is no table {table_id}")

    def _tables_of(self, message: FlowMod, version: Version) -> Iterable[FlowTable]:
        # OF1.0 does not speak of tables, so it deletes in all.
        if version == OF10 or message.table_id == ALL_TABLES:
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


def _check_flags(flags: int, version: Version) -> None:
    if version == OF10 and flags & FlowModFlags.EMERG:
        raise Refused(FlowModFailedCode.UNSUPPORTED, "there is no emergency flow cache")
    allowed = _FLAGS13 if version >= OF13 else _FLAGS12 if version >= OF12 else _FLAGS10
    if flags & ~allowed:
        raise Refused(FlowModFailedCode.BAD_FLAGS, f"flags {flags:#x} are unknown")
