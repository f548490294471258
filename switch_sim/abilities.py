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

from .check import DIRECTING, MATCHABLE
from .fields import SETTABLE
from .flow_table import FlowTables
from .stages import Stages
from .statistics import action_numbers, in_parts, instruction_numbers, known_fields, table_name

_CAPABILITIES = TableConfig.EVICTION | TableConfig.VACANCY_EVENTS
_ALL_METADATA = (1 << 64) - 1


def table_features(tables: FlowTables, version: Version) -> Iterator[TableFeaturesReply]:
    """Yield what the tables can do (OF1.3.5 7.3.5.5 "Table Features")."""
    stages = tables.stages
    features = [
        features_of(tables, stages, table_id, version) for table_id in range(tables.n_tables)
    ]
    # The first table of a stage has the most tables behind it, and so the most to say.
    firsts = features[0], features[stages.first_egress or 0]
    size = max(len(write(one, version, headed=False)) for one in firsts)
    return in_parts(features, size, TableFeaturesReply)


def features_of(
    tables: FlowTables, stages: Stages, table_id: int, version: Version
) -> TableFeatures:
    """Return what one table can do, or could if the tables were parted into these stages."""
    table = tables.known(table_id)
    return TableFeatures(
        table_id,
        table.name or table_name(table_id),
        metadata_match=_ALL_METADATA,
        metadata_write=_ALL_METADATA,
        capabilities=_CAPABILITIES if version >= OF14 else 0,
        max_entries=table.max_entries,
        features=_flags(stages, table_id) if version >= OF15 else 0,
        properties=(
            _instructions(version),
            NextTables(tuple(stages.tables_behind(table_id))),
            _write_actions(version, stages.is_egress(table_id)),
            *_same_for_all(version),
        ),
    )


def _flags(stages: Stages, table_id: int) -> TableFeatureFlags:
    """Return what a table can be used for, and whether egress processing begins there."""
    flags = TableFeatureFlags.INGRESS_TABLE
    if table_id > 0:  # where all processing begins
        flags |= TableFeatureFlags.EGRESS_TABLE
    if table_id == stages.first_egress:
        flags |= TableFeatureFlags.FIRST_EGRESS
    return flags


@cache
def _write_actions(version: Version, is_egress: bool) -> TableWriteActions:
    numbers = action_numbers(version, DIRECTING if is_egress else ())
    return TableWriteActions(tuple(map(FeatureId, numbers)))


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
