"""What of tables' features can be set (OF1.3.5 7.3.5.5.1 "Table Features request")."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol import (
    OF13,
    OF14,
    OF15,
    BadPropertyCode,
    FlowModFailedCode,
    Match,
    Message,
    TableStatsRequest,
    Version,
)
from protocol import TableFeaturesFailedCode as Code
from protocol.field_ids import FieldId
from protocol.record import Record
from protocol.table_features import (
    ExperimenterTableFeature,
    NextTables,
    TableApplyActions,
    TableApplyActionsMiss,
    TableFeatures,
    TableFeaturesReply,
    TableFeaturesRequest,
    TableMatch,
    TableSyncFrom,
)
from tests.switch_sim.builders import Bench, flow

since_13 = pytest.mark.parametrize("version", [OF13, OF14, OF15])


def features(bench: Bench) -> list[TableFeatures]:
    return told(bench.say(TableFeaturesRequest()))


def told(replies: list[Message]) -> list[TableFeatures]:
    return [one for part in replies if isinstance(part, TableFeaturesReply) for one in part.tables]


def small(version: Version) -> Bench:
    return Bench(version, n_tables=3, max_entries=10)


@since_13
def test_what_tables_are_they_can_be_told_to_be(version: Version) -> None:
    bench = small(version)
    before = features(bench)
    assert len(before) == 3
    assert told(bench.say(TableFeaturesRequest(tuple(before)))) == before


@since_13
def test_a_name_and_a_size_can_be_given(version: Version) -> None:
    bench = small(version)
    wanted = replace(features(bench)[1], name="acl", max_entries=1)
    bench.say(TableFeaturesRequest((wanted,)))
    assert [one.name for one in features(bench)] == ["table0", "acl", "table2"]
    bench.say(flow(Match(in_port=1), table_id=1))
    assert bench.refusal(flow(Match(), table_id=1)) == FlowModFailedCode.TABLE_FULL
    bench.say(flow(Match(in_port=1)))
    bench.say(flow(Match()))
    assert bench.say(TableStatsRequest())


@since_13
def test_all_tables_of_a_request_are_changed_or_none(version: Version) -> None:
    bench = small(version)
    first, second, _ = features(bench)
    good, bad = replace(first, name="x"), replace(second, max_entries=99)
    assert bench.refusal(TableFeaturesRequest((good, bad))) is not None
    assert features(bench)[0].name == "table0"


def with_property(one: Record, features: TableFeatures) -> TableFeatures:
    others = [other for other in features.properties if type(other) is not type(one)]
    return replace(features, properties=(*others, one))


@pytest.mark.parametrize(
    ("version", "change", "code"),
    [
        (OF13, {"table_id": 3}, Code.BAD_TABLE),
        (OF13, {"metadata_match": 1}, Code.BAD_METADATA),
        (OF13, {"metadata_write": 1}, Code.BAD_METADATA),
        (OF13, {"max_entries": 11}, Code.EPERM),
        (OF14, {"capabilities": 1 << 9}, Code.EPERM),
        (OF15, {"capabilities": 1 << 9}, Code.BAD_CAPA),
        (OF15, {"max_entries": 11}, Code.BAD_MAX_ENT),
        (OF15, {"max_entries": 0}, Code.BAD_MAX_ENT),
        (OF15, {"features": 2}, Code.BAD_FEATURES),
        (OF15, {"command": 3}, Code.EPERM),
        (OF15, {"command": 9}, Code.BAD_COMMAND),
    ],
)
def test_what_a_table_cannot_be_is_refused(version: Version, change: Any, code: object) -> None:
    bench = small(version)
    wanted = replace(features(bench)[0], **change)
    assert bench.refusal(TableFeaturesRequest((wanted,))) == code


@pytest.mark.parametrize(
    ("version", "property_", "code"),
    [
        (OF13, NextTables((1, 2, 9)), Code.BAD_ARGUMENT),
        (OF14, NextTables((1, 2, 9)), BadPropertyCode.BAD_VALUE),
        (OF13, NextTables((1,)), Code.EPERM),
        (OF13, TableApplyActions(), Code.EPERM),
        (OF13, TableApplyActionsMiss(), Code.EPERM),
        (OF13, TableMatch((FieldId("in_port"),)), Code.EPERM),
        (OF14, TableSyncFrom((1,)), BadPropertyCode.BAD_VALUE),
        (OF13, ExperimenterTableFeature(9), Code.BAD_ARGUMENT),
        (OF14, ExperimenterTableFeature(9), BadPropertyCode.BAD_EXPERIMENTER),
    ],
)
def test_who_wants_more_or_less_of_a_table_is_refused(
    version: Version, property_: Record, code: object
) -> None:
    bench = small(version)
    wanted = with_property(property_, features(bench)[0])
    assert bench.refusal(TableFeaturesRequest((wanted,))) == code


def test_a_property_stands_once() -> None:
    bench = small(OF14)
    wanted = features(bench)[0]
    twice = replace(wanted, properties=(*wanted.properties, wanted.properties[0]))
    assert bench.refusal(TableFeaturesRequest((twice,))) == BadPropertyCode.DUP_TYPE


def test_more_tables_than_there_are_are_too_many() -> None:
    bench = small(OF15)
    wanted = features(bench)
    assert bench.refusal(TableFeaturesRequest((*wanted, wanted[0]))) == Code.TOO_MANY
