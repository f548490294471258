"""What the switch's tables can do, as table features tell it since OF1.3."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from protocol import OF14, OF15, FieldId, Version
from protocol.compiler import write
from protocol.oxm import OXM
from protocol.record import Record
from protocol.table_features import (
    FeatureId,
    NextTables,
    TableApplyActions,
    TableApplyCopyField,
    TableApplySetField,
    TableFeatureFlags,
    TableFeatures,
    TableFeaturesReply,
    TableInstructions,
    TableMatch,
    TableWildcards,
    TableWriteActions,
    TableWriteCopyField,
    TableWriteSetField,
)
from protocol.tables import TableConfig

from .check import MATCHABLE
from .fields import SETTABLE
from .flow_table import FlowTables
from .statistics import action_numbers, in_parts, instruction_numbers, known_fields, table_name

_CAPABILITIES = TableConfig.EVICTION | TableConfig.VACANCY_EVENTS
_ALL_METADATA = (1 << 64) - 1


def table_features(tables: FlowTables, version: Version) -> Iterator[TableFeaturesReply]:
    """Yield what the tables can do (OF1.3.5 7.3.5.5 "Table Features")."""
    features = [features_of(tables, table_id, version) for table_id in range(tables.n_tables)]
    # The first table has the most tables behind it, and so the most to say.
    size = len(write(features[0], version, headed=False))
    return in_parts(features, size, TableFeaturesReply)


def role_of(first: int | None, table_id: int) -> TableFeatureFlags:
    """Return what a table is for, where egress tables begin at `first`."""
    if first is None or table_id < first:
        return TableFeatureFlags.INGRESS_TABLE
    if table_id > first:
        return TableFeatureFlags.EGRESS_TABLE
    return TableFeatureFlags.EGRESS_TABLE | TableFeatureFlags.FIRST_EGRESS


def _end_of(tables: FlowTables, table_id: int) -> int:
    """Return the table behind the last one that a table can go to."""
    first = tables.first_egress
    return tables.n_tables if first is None or table_id >= first else first


def features_of(tables: FlowTables, table_id: int, version: Version) -> TableFeatures:
    """Return what one table can do."""
    table = tables.known(table_id)
    return TableFeatures(
        table_id,
        table.name or table_name(table_id),
        metadata_match=_ALL_METADATA,
        metadata_write=_ALL_METADATA,
        capabilities=_CAPABILITIES if version >= OF14 else 0,
        max_entries=table.max_entries,
        features=role_of(tables.first_egress, table_id) if version >= OF15 else 0,
        properties=(
            _instructions(version),
            NextTables(tuple(range(table_id + 1, _end_of(tables, table_id)))),
            *_same_for_all(version),
        ),
    )


@cache
def _instructions(version: Version) -> TableInstructions:
    return TableInstructions(tuple(map(FeatureId, instruction_numbers(version))))


@cache
def _same_for_all(version: Version) -> tuple[Record, ...]:
    actions = tuple(map(FeatureId, action_numbers(version)))
    matchable = tuple(
        FieldId(name, masked=OXM[name].maskable) for name in known_fields(version, MATCHABLE)
    )
    settable = tuple(FieldId(name) for name in known_fields(version, SETTABLE))
    return (
        TableWriteActions(actions),
        TableApplyActions(actions),
        TableMatch(matchable),
        TableWildcards(tuple(FieldId(one.name) for one in matchable)),
        TableWriteSetField(settable),
        TableApplySetField(settable),
        *(
            (TableWriteCopyField(settable), TableApplyCopyField(settable))
            if version >= OF15
            else ()
        ),
    )
