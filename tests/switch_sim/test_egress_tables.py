"""Which tables are OF1.5's egress tables, what they refuse, and how they are set up.

The rules are those of OF1.5.1 5.1 "Pipeline Processing" and 7.3.5 "Table Features".
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from protocol import (
    OF13,
    OF14,
    OF15,
    Action,
    BadActionCode,
    BadInstructionCode,
    BadPropertyCode,
    DecNwTtl,
    FlowModCommand,
    GotoTable,
    Group,
    GroupMod,
    Instruction,
    Match,
    Output,
    Port,
    TableFeaturesFailedCode,
    Version,
    WriteActions,
)
from protocol.table_features import (
    NextTables,
    TableFeatureFlags,
    TableFeatures,
    TableFeaturesRequest,
    TableWriteActions,
)
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.egress_builders import (
    BOTH,
    FIRST,
    egress_bench,
    first_at,
    four_tables,
    stages,
)
from tests.switch_sim.test_table_requests import features


def written_by(table: TableFeatures) -> set[int]:
    """The types of the actions that a table writes."""
    [found] = [one for one in table.properties if isinstance(one, TableWriteActions)]
    return {one.type for one in found.ids}


# What is refused


def test_no_ingress_table_goes_to_an_egress_table() -> None:
    bench = egress_bench()
    crossing = flow(Match(), instructions=(GotoTable(2),), table_id=1)
    assert bench.refusal(crossing) == BadInstructionCode.BAD_TABLE_ID
    assert bench.refusal(flow(Match(), instructions=(GotoTable(3),), table_id=2)) is None


@pytest.mark.parametrize("action", [Output(3), Output(Port.CONTROLLER), Group(1)])
def test_egress_tables_write_no_other_way_out(action: Action) -> None:
    bench = egress_bench()
    bench.say(GroupMod(1))
    writing = WriteActions((DecNwTtl(), action))
    match = Match(eth_type=0x0800)
    assert bench.refusal(flow(match, instructions=(writing,), table_id=1)) is None
    code = bench.refusal(flow(match, instructions=(writing,), table_id=2))
    assert code == BadActionCode.BAD_TYPE


def test_what_was_right_in_an_ingress_table_is_asked_again_in_an_egress_table() -> None:
    bench = four_tables()
    writing = flow(Match(), instructions=(WriteActions((Output(3),)),), table_id=3)
    bench.say(writing)
    bench.say(replace(writing, command=FlowModCommand.DELETE))
    bench.say(first_at(bench, 2))
    assert bench.refusal(writing) == BadActionCode.BAD_TYPE


# How they are set up


def test_at_first_there_are_none() -> None:
    assert not any(stages(four_tables()))


def test_tables_tell_what_they_can_be_used_for() -> None:
    roles = [one.features for one in features(egress_bench())]
    assert roles == [TableFeatureFlags.INGRESS_TABLE, BOTH, FIRST, BOTH]


@pytest.mark.parametrize("version", [OF13, OF15])
def test_tables_lead_to_those_of_their_stage(version: Version) -> None:
    told = features(egress_bench().other(version))
    assert [one.properties[1] for one in told] == [
        NextTables((1,)),
        NextTables(),
        NextTables((3,)),
        NextTables(),
    ]


@pytest.mark.parametrize("version", [OF13, OF15])
def test_egress_tables_do_not_list_outputs_and_groups_among_what_they_write(
    version: Version,
) -> None:
    _, ingress, egress, _ = (written_by(one) for one in features(egress_bench().other(version)))
    assert ingress - egress == {0, 22}  # OFPAT_OUTPUT, OFPAT_GROUP
    assert egress < ingress


@pytest.mark.parametrize("n_tables", [2, 254])
def test_replies_are_cut_by_the_largest_of_both_stages(n_tables: int) -> None:
    bench = Bench(OF15, n_tables=n_tables)
    bench.say(first_at(bench, 1))
    parts = bench.say(TableFeaturesRequest())
    assert max(len(part.encode(OF15)) for part in parts) < 1 << 16
    assert len(features(bench)) == n_tables


def test_all_tables_can_be_told_to_be_what_they_are() -> None:
    bench = egress_bench()
    told = features(bench)
    bench.say(TableFeaturesRequest(tuple(told)))
    assert features(bench) == told


def test_a_whole_pipeline_can_be_told_with_the_properties_it_had_or_will_have() -> None:
    before, after = four_tables(), egress_bench()
    old, new = features(before), features(after)
    before.say(TableFeaturesRequest((*old[:2], replace(old[2], features=FIRST), old[3])))
    assert features(before) == new
    other = four_tables()
    other.say(TableFeaturesRequest(tuple(new)))
    assert features(other) == new


def test_a_table_can_be_told_to_be_of_its_stage_only() -> None:
    bench = four_tables()
    flags = TableFeatureFlags.EGRESS_TABLE | TableFeatureFlags.FIRST_EGRESS
    bench.say(TableFeaturesRequest((replace(features(bench)[2], features=flags),)))
    assert stages(bench) == [False, False, True, True]


def test_egress_ends_when_the_first_table_is_one_no_more() -> None:
    bench = egress_bench()
    bench.say(TableFeaturesRequest((replace(features(bench)[2], features=BOTH),)))
    assert bench.out_ports(frames.TCP) == [2, 3]
    assert not any(stages(bench))


def test_another_first_table_takes_its_place() -> None:
    bench = egress_bench()
    bench.say(first_at(bench, 3))
    assert stages(bench) == [False, False, False, True]


def test_other_requests_leave_it_where_it_is() -> None:
    bench = egress_bench()
    bench.say(TableFeaturesRequest((replace(features(bench)[1], name="acl"),)))
    bench.other(OF13).say(TableFeaturesRequest())
    assert stages(bench) == [False, False, True, True]


@pytest.mark.parametrize("version", [OF13, OF14])
def test_older_versions_neither_set_nor_end_it(version: Version) -> None:
    bench = egress_bench()
    other = bench.other(version)
    other.say(TableFeaturesRequest(tuple(features(other))))
    assert stages(bench) == [False, False, True, True]


@pytest.mark.parametrize(
    ("table_id", "flags"),
    [
        (0, FIRST),  # processing begins there
        (0, BOTH),
        (1, TableFeatureFlags.INGRESS_TABLE | TableFeatureFlags.FIRST_EGRESS),
        (1, TableFeatureFlags.EGRESS_TABLE),  # an egress table before the first one
        (3, TableFeatureFlags.INGRESS_TABLE),  # an ingress table behind it
        (1, 0),
        (1, 4),
    ],
)
def test_a_table_that_cannot_be_used_so_is_refused(table_id: int, flags: int) -> None:
    bench = egress_bench()
    wanted = replace(features(bench)[table_id], features=flags)
    refusal = bench.refusal(TableFeaturesRequest((wanted,)))
    assert refusal == TableFeaturesFailedCode.BAD_FEATURES
    assert stages(bench) == [False, False, True, True]


def test_two_first_egress_tables_are_refused() -> None:
    bench = four_tables()
    _, one, two, _ = (replace(table, features=FIRST) for table in features(bench))
    refusal = bench.refusal(TableFeaturesRequest((one, two)))
    assert refusal == TableFeaturesFailedCode.BAD_FEATURES


def test_a_table_that_is_not_there_is_told_first() -> None:
    bench = four_tables()
    wanted = replace(features(bench)[3], table_id=4, features=FIRST)
    refusal = bench.refusal(TableFeaturesRequest((wanted,)))
    assert refusal == TableFeaturesFailedCode.BAD_TABLE


def test_a_boundary_can_be_taken_back() -> None:
    bench = four_tables()
    datapath = bench.switch.datapath
    datapath.undo.begin()
    bench.say(first_at(bench, 2))
    assert bench.out_ports(frames.TCP) == []
    datapath.undo.roll_back()
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2, 3], [2, 3]]


def test_next_tables_that_cross_are_refused() -> None:
    bench = egress_bench()
    wanted = replace(features(bench)[1], properties=(NextTables((2,)),))
    assert bench.refusal(TableFeaturesRequest((wanted,))) == BadPropertyCode.BAD_VALUE


@pytest.mark.parametrize(
    ("table_id", "instruction"),
    [(1, GotoTable(2)), (1, GotoTable(3)), (2, WriteActions((Output(2),)))],
)
def test_entries_that_contradict_are_in_the_way(table_id: int, instruction: Instruction) -> None:
    bench = four_tables()
    entry = flow(Match(), instructions=(instruction,), table_id=table_id)
    bench.say(entry)
    refusal = bench.refusal(first_at(bench, 2))
    assert refusal == TableFeaturesFailedCode.EPERM
    bench.say(replace(entry, command=FlowModCommand.DELETE))
    assert bench.refusal(first_at(bench, 2)) is None


def test_entries_of_egress_tables_that_go_on_are_not_in_the_way_when_they_end() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), instructions=(GotoTable(3),), table_id=2))
    wanted = replace(features(bench)[2], features=BOTH)
    assert bench.refusal(TableFeaturesRequest((wanted,))) is None
