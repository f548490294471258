"""What controllers may change of what tables can do (OF1.3.5 7.3.5.5.1 "Table Features request").

A table's name and its size. All else is as the switch can do it: who asks for more is told
that there is no more, who asks for less that no limit is kept (EPERM). All tables of a request
are changed or none; those that it does not name stay, since a switch has all its tables.

A request is judged in this order: how many tables; and for each its command, its number,
flags, metadata, size, then its properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from protocol import OF14, OF15, BadPropertyCode, ErrorCode, Version
from protocol import TableFeaturesFailedCode as Code
from protocol.record import Record
from protocol.table_features import (
    ExperimenterTableFeature,
    ExperimenterTableFeatureMiss,
    TableFeatureFlags,
    TableFeatures,
    TableFeaturesCommand,
)

from .abilities import features_of, role_of
from .egress import Egress
from .flow_table import FlowTable, FlowTables
from .refused import Refused
from .undo import UndoLog

_CHANGES = (TableFeaturesCommand.REPLACE, TableFeaturesCommand.MODIFY)


class TableRequests:
    """Changes tables as far as that goes."""

    def __init__(self, tables: FlowTables, undo: UndoLog, egress: Egress) -> None:
        self.tables, self.undo, self.egress = tables, undo, egress

    def apply(self, wanted: Sequence[TableFeatures], version: Version) -> None:
        """Let tables be as wanted; Refused where one of them cannot be."""
        if len(wanted) > self.tables.n_tables:
            code = Code.TOO_MANY if version >= OF15 else Code.BAD_TABLE
            raise Refused(code, f"there are {self.tables.n_tables} tables")
        first = self._first_egress(wanted, version)
        for one in wanted:
            self._check(one, version, first)
        if first != self.tables.first_egress:
            self.egress.begin_at(first)
        for one in wanted:
            table = self.tables[one.table_id]
            self.undo.note(partial(_rename, table, table.name, table.max_entries))
            _rename(table, one.name, one.max_entries)

    def _check(self, wanted: TableFeatures, version: Version, first: int | None) -> None:
        if wanted.command not in _CHANGES:
            known = wanted.command in set(TableFeaturesCommand)
            reason = f"command {wanted.command}: tables are neither enabled nor disabled"
            raise Refused(Code.EPERM if known else Code.BAD_COMMAND, reason)
        if wanted.table_id >= self.tables.n_tables:
            raise Refused(Code.BAD_TABLE, f"there is no table {wanted.table_id}")
        mine = features_of(self.tables, wanted.table_id, version)
        if wanted.features not in (mine.features, role_of(first, wanted.table_id)):
            reason = f"features are {mine.features:#x}, not {wanted.features:#x}"
            raise Refused(Code.BAD_FEATURES, reason)
        if version >= OF14 and wanted.capabilities & ~int(mine.capabilities):
            code = Code.BAD_CAPA if version >= OF15 else Code.EPERM
            raise Refused(code, f"capabilities {wanted.capabilities:#x} are unknown")
        if (wanted.metadata_match, wanted.metadata_write) != (
            mine.metadata_match,
            mine.metadata_write,
        ):
            raise Refused(Code.BAD_METADATA, "a table matches and writes all of the metadata")
        self._check_size(wanted, version)
        _check_properties(wanted.properties, mine.properties, version)

    def _first_egress(self, wanted: Sequence[TableFeatures], version: Version) -> int | None:
        """Return where egress tables begin by a request: where a table says so, if one does.

        They end when the first one says no more that it is (OF1.5.1 7.3.5.18 "Table Features").
        """
        begun = self.tables.first_egress
        if version < OF15:
            return begun
        firsts = [one.table_id for one in wanted if one.features & TableFeatureFlags.FIRST_EGRESS]
        if len(firsts) > 1 or 0 in firsts:
            raise Refused(Code.BAD_FEATURES, f"tables {firsts} cannot be the first egress table")
        if firsts:
            return firsts[0]
        return None if any(one.table_id == begun for one in wanted) else begun

    def _check_size(self, wanted: TableFeatures, version: Version) -> None:
        entries = len(self.tables.known(wanted.table_id))
        if not max(entries, 1) <= wanted.max_entries <= self.tables.max_entries:
            code = Code.BAD_MAX_ENT if version >= OF15 else Code.EPERM
            reason = f"a table with {entries} entries cannot have {wanted.max_entries} at most"
            raise Refused(code, reason)


def _rename(table: FlowTable, name: str, max_entries: int) -> None:
    table.name, table.max_entries = name, max_entries


def _check_properties(wanted: Sequence[Record], mine: Sequence[Record], version: Version) -> None:
    """Refuse properties that say more or less than those of a table."""
    known = {type(one).__name__: _values(one) for one in mine}
    seen = set()
    for one in wanted:
        kind = type(one)
        if isinstance(one, ExperimenterTableFeature | ExperimenterTableFeatureMiss):
            reason = f"experimenter {one.experimenter:#x} is unknown"
            raise Refused(_code(BadPropertyCode.BAD_EXPERIMENTER, version), reason)
        if kind in seen:
            raise Refused(_code(BadPropertyCode.DUP_TYPE, version), f"{kind.__name__} stands twice")
        seen.add(kind)
        # What the table-miss entry may do is what all others may.
        theirs, ours = _values(one), known.get(kind.__name__.removesuffix("Miss"), set())
        if theirs - ours:
            reason = f"{kind.__name__} asks for what there is not"
            raise Refused(_code(BadPropertyCode.BAD_VALUE, version), reason)
        if ours - theirs:
            raise Refused(Code.EPERM, f"{kind.__name__} asks for less than there is")


def _code(since14: BadPropertyCode, version: Version) -> ErrorCode:
    return since14 if version >= OF14 else Code.BAD_ARGUMENT


def _values(one: Record) -> set[object]:
    """Return what a property lists."""
    (listed,) = (getattr(one, name) for name in type(one).__struct_fields__)
    return set(listed)
