"""What controllers may change of what tables can do (OF1.3.5 7.3.5.5.1 "Table Features request").

A table's name and its size. All else is as the switch can do it: who asks for more is told
that there is no more, who asks for less that no limit is kept (EPERM). All tables of a request
are changed or none; those that it does not name stay, since a switch has all its tables.

Since OF1.5 also where egress tables begin: at the table that has FIRST_EGRESS. Without it in
the features of the table that had it, and in those of any other, they end. Who changes that may
tell properties as they are before or as they are then. Entries have to fit already.

A request is judged in this order: how many tables; for each its command, its number, flags,
metadata, size, then its properties; and at last the entries that are there.
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

from .abilities import features_of
from .egress import Egress, fits
from .flow_table import FlowTable, FlowTables
from .refused import Refused
from .stages import Stages
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
        stages = Stages(self.tables.n_tables, self._first_egress(wanted, version))
        for one in wanted:
            self._check(one, version, stages)
        if stages != self.tables.stages:
            self._check_entries(stages)
            self.egress.begin_at(stages.first_egress)
        for one in wanted:
            table = self.tables[one.table_id]
            self.undo.note(partial(_rename, table, table.name, table.max_entries))
            _rename(table, one.name, one.max_entries)

    def _check(self, wanted: TableFeatures, version: Version, stages: Stages) -> None:
        if wanted.command not in _CHANGES:
            known = wanted.command in set(TableFeaturesCommand)
            reason = f"command {wanted.command}: tables are neither enabled nor disabled"
            raise Refused(Code.EPERM if known else Code.BAD_COMMAND, reason)
        if wanted.table_id >= self.tables.n_tables:
            raise Refused(Code.BAD_TABLE, f"there is no table {wanted.table_id}")
        mine = features_of(self.tables, stages, wanted.table_id, version)
        _check_flags(wanted, mine, stages)
        if version >= OF14 and wanted.capabilities & ~int(mine.capabilities):
            code = Code.BAD_CAPA if version >= OF15 else Code.EPERM
            raise Refused(code, f"capabilities {wanted.capabilities:#x} are unknown")
        if (wanted.metadata_match, wanted.metadata_write) != (
            mine.metadata_match,
            mine.metadata_write,
        ):
            raise Refused(Code.BAD_METADATA, "a table matches and writes all of the metadata")
        self._check_size(wanted, version)
        before = features_of(self.tables, self.tables.stages, wanted.table_id, version)
        _check_properties(wanted.properties, mine.properties, before.properties, version)

    def _first_egress(self, wanted: Sequence[TableFeatures], version: Version) -> int | None:
        """Return where a request lets egress tables begin; earlier versions leave it as it is."""
        now = self.tables.stages.first_egress
        if version < OF15:
            return now
        for one in wanted:
            if one.features & TableFeatureFlags.FIRST_EGRESS:
                return one.table_id
        return None if any(one.table_id == now for one in wanted) else now

    def _check_entries(self, stages: Stages) -> None:
        """Refuse stages that entries contradict which are there."""
        for table_id, table in self.tables.items():
            for entry in table:
                if not fits(entry, stages):
                    reason = f"an entry of table {table_id} does not fit: {entry.match!r}"
                    raise Refused(Code.EPERM, reason)

    def _check_size(self, wanted: TableFeatures, version: Version) -> None:
        entries = len(self.tables.known(wanted.table_id))
        if not max(entries, 1) <= wanted.max_entries <= self.tables.max_entries:
            code = Code.BAD_MAX_ENT if version >= OF15 else Code.EPERM
            reason = f"a table with {entries} entries cannot have {wanted.max_entries} at most"
            raise Refused(code, reason)


def _check_flags(wanted: TableFeatures, mine: TableFeatures, stages: Stages) -> None:
    """Refuse a table that cannot be used so (OF1.5.1 7.3.5 "Table Features").

    A table may be told to be of one stage only, if it is of that one then.
    """
    if not mine.features:  # before OF1.5
        return
    flags, is_egress = TableFeatureFlags(wanted.features), stages.is_egress(wanted.table_id)
    needed = TableFeatureFlags.EGRESS_TABLE if is_egress else TableFeatureFlags.INGRESS_TABLE
    is_first = bool(flags & TableFeatureFlags.FIRST_EGRESS)
    if (
        flags & ~mine.features
        or not flags & needed
        or is_first != (wanted.table_id == stages.first_egress)
    ):
        reason = f"features are {mine.features:#x}, not {wanted.features:#x}"
        raise Refused(Code.BAD_FEATURES, reason)


def _rename(table: FlowTable, name: str, max_entries: int) -> None:
    table.name, table.max_entries = name, max_entries


def _check_properties(
    wanted: Sequence[Record], mine: Sequence[Record], before: Sequence[Record], version: Version
) -> None:
    """Refuse properties that say more or less than those of a table, or than it had before."""
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
        if one in before:
            continue
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
