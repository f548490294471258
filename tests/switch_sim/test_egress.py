"""OF1.5's egress tables: packets on their way out.

The rules are those of OF1.5.1 5.1 "Pipeline Processing" and "Action Set", how they are set up
those of "Table Features", unless a test says otherwise.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from protocol import (
    OF12,
    OF13,
    OF15,
    Action,
    ApplyActions,
    BadActionCode,
    BadInstructionCode,
    BadPropertyCode,
    ClearActions,
    DecNwTtl,
    FlowModCommand,
    GotoTable,
    Group,
    GroupMod,
    Instruction,
    Match,
    Output,
    PacketInReason,
    PacketOut,
    Port,
    PushVlan,
    TableFeaturesFailedCode,
    TableMod,
    Version,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol.groups import Bucket
from protocol.table_features import (
    NextTables,
    TableFeatureFlags,
    TableFeatures,
    TableFeaturesRequest,
    TableWriteActions,
)
from protocol.tables import TableConfig
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

BOTH = TableFeatureFlags.INGRESS_TABLE | TableFeatureFlags.EGRESS_TABLE
FIRST = BOTH | TableFeatureFlags.FIRST_EGRESS


def features(bench: Bench) -> list[TableFeatures]:
    return [
        table for part in bench.say(TableFeaturesRequest()) for table in getattr(part, "tables", ())
    ]


def first_at(bench: Bench, table_id: int) -> TableFeaturesRequest:
    """The request that lets egress tables begin at a table."""
    return TableFeaturesRequest((replace(features(bench)[table_id], features=FIRST),))


def four_tables() -> Bench:
    """A switch without egress tables that sends what it gets to ports 2 and 3."""
    bench = Bench(OF15, n_tables=4)
    bench.say(flow(Match(), Output(2), Output(3), priority=1))
    return bench


def egress_bench() -> Bench:
    """The same; packets leave through the tables from 2 on."""
    bench = four_tables()
    bench.say(first_at(bench, 2))
    return bench


def written_by(table: TableFeatures) -> set[int]:
    """The types of the actions that a table writes."""
    [found] = [one for one in table.properties if isinstance(one, TableWriteActions)]
    return {one.type for one in found.ids}


def stages(bench: Bench) -> list[bool]:
    """Of each table whether it is an egress table, as table features tell it."""
    flags = [bool(one.features & TableFeatureFlags.FIRST_EGRESS) for one in features(bench)]
    return [any(flags[: number + 1]) for number in range(len(flags))]


def test_each_output_goes_through_the_egress_tables_with_its_port() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63), (3, frames.TCP)]


def test_what_no_egress_table_wants_is_dropped() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.out_ports(frames.TCP) == [3]


def test_later_egress_tables_are_visited_by_goto() -> None:
    bench = egress_bench()
    tag = ApplyActions((PushVlan(), set_field(vlan_vid=0x1005)))
    bench.say(flow(Match(), instructions=(tag, GotoTable(3)), table_id=2))
    bench.say(flow(Match(vlan_vid=0x1005, actset_output=2), table_id=3))
    assert bench.frames(frames.TCP) == [(2, frames.VLAN_5_TCP)]


def test_what_is_sent_from_an_egress_table_leaves() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), Output(1), table_id=2))
    assert bench.out_ports(frames.TCP, in_port=3) == [1, 2]


def test_metadata_and_the_in_port_come_along() -> None:
    bench = egress_bench()
    bench.say(flow(Match(in_port=3), instructions=(WriteMetadata(7), GotoTable(1)), priority=9))
    bench.say(flow(Match(), Output(Port.IN_PORT), table_id=1))
    bench.say(flow(Match(metadata=7, in_port=3, actset_output=3), table_id=2))
    assert bench.out_ports(frames.TCP, in_port=3) == [3]


def test_packets_of_groups_go_through_them_too() -> None:
    bench = egress_bench()
    bench.say(GroupMod(1, buckets=(Bucket((Output(2),), bucket_id=1),)))
    bench.say(flow(Match(), Group(1), priority=9))
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63)]


def test_a_frame_whose_like_came_before_goes_through_them_too() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), table_id=2))
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2], [2]]
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.out_ports(frames.TCP) == [2, 3]


# The way through the tables


@pytest.mark.parametrize("port", [Port.ALL, Port.FLOOD, Port.NORMAL])
def test_a_reserved_port_leads_there_once_for_each_port(port: Port) -> None:
    bench = egress_bench()
    bench.say(flow(Match(), Output(port), priority=9))
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63), (3, frames.TCP)]


def test_what_goes_to_the_controller_has_no_port_to_be_processed_for() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=9))
    [told] = bench.packet_ins(frames.TCP)
    assert told.table_id == 0
    assert bench.switch.tables[2].lookup_count == 0


def test_an_action_set_leads_there() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), instructions=(WriteActions((Output(2),)),), priority=9))
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63)]


def test_a_packet_out_leads_there() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    assert bench.effects_of(PacketOut((Output(2),), frames.TCP)).frames == [(2, frames.TCP_TTL_63)]


def test_a_packet_out_to_table_begins_with_the_first_ingress_table() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.effects_of(PacketOut((Output(Port.TABLE),), frames.TCP)).frames == [
        (3, frames.TCP)
    ]
    assert bench.switch.tables[0].lookup_count == 1


def test_each_output_of_a_list_takes_the_packet_as_it_is_there() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), Output(2), DecNwTtl(), Output(3), priority=9))
    bench.say(flow(Match(), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP), (3, frames.TCP_TTL_63)]


def test_what_egress_tables_change_does_not_come_back() -> None:
    bench = egress_bench()
    changes = ApplyActions((DecNwTtl(),)), WriteMetadata(5)
    bench.say(flow(Match(actset_output=2), instructions=changes, table_id=2))
    bench.say(flow(Match(actset_output=3, metadata=0), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63), (3, frames.TCP)]


def test_what_clears_the_action_set_drops_the_packet() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), instructions=(ClearActions(),), table_id=2))
    assert bench.out_ports(frames.TCP) == []


def test_what_egress_tables_write_is_done_before_the_output() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), instructions=(WriteActions((DecNwTtl(),)),), table_id=2))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63), (3, frames.TCP_TTL_63)]


def test_groups_of_egress_tables_send_at_once() -> None:
    bench = egress_bench()
    bench.say(GroupMod(1, buckets=(Bucket((Output(1),), bucket_id=1),)))
    bench.say(flow(Match(actset_output=2), Group(1), table_id=2))
    assert bench.out_ports(frames.TCP, in_port=3) == [1, 2]
    assert bench.switch.tables[2].lookup_count == 1


def test_to_the_in_port_only_in_port_leads_from_egress_tables_as_well() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), Output(1), table_id=2))
    assert bench.out_ports(frames.TCP, in_port=1) == [2]
    bench.say(flow(Match(actset_output=2), Output(Port.IN_PORT), table_id=2))
    assert bench.out_ports(frames.TCP, in_port=1) == [1, 2]


def test_a_controller_is_told_the_egress_table_and_the_port() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), Output(Port.CONTROLLER), table_id=2, cookie=7))
    [told] = bench.packet_ins(frames.TCP)
    assert (told.table_id, told.cookie, told.reason) == (2, 7, PacketInReason.ACTION)
    assert told.match == Match(in_port=1, actset_output=2)


def test_a_table_miss_entry_of_an_egress_table_tells_the_controller() -> None:
    """OF1.5.1 "Table-miss"."""
    bench = egress_bench()
    bench.say(flow(Match(), Output(Port.CONTROLLER), table_id=2, priority=0))
    told = bench.packet_ins(frames.TCP)
    assert [(one.table_id, one.reason) for one in told] == [(2, PacketInReason.NO_MATCH)] * 2
    assert [one.match["actset_output"] for one in told] == [2, 3]


def test_egress_tables_count() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), table_id=2))
    for _ in range(3):  # the first time, and as its like came before
        bench.frames(frames.TCP)
    table = bench.switch.tables[2]
    assert (table.lookup_count, table.matched_count) == (6, 3)
    assert [entry.packet_count for entry in table] == [3]


def test_a_miss_that_goes_on_stays_among_ingress_tables() -> None:
    """OF1.1 A.3.4.3: up to OF1.2 a table may hand on what misses; egress tables are not next."""
    bench = egress_bench()
    bench.other(OF12).say(TableMod(1, TableConfig.TABLE_MISS_CONTINUE))
    bench.say(flow(Match(), instructions=(GotoTable(1),), priority=9))
    bench.say(flow(Match(), Output(2), table_id=2))
    assert bench.out_ports(frames.TCP) == []


def test_a_switch_that_lost_its_controllers_forwards_without_egress_tables() -> None:
    """OF1.5.1 "Connection Interruption": fail standalone mode is that of a legacy switch."""
    bench = egress_bench()
    bench.switch.alone_from = 0.0
    assert bench.out_ports(frames.TCP) == [2, 3]
    assert bench.switch.trace(1, frames.TCP, 0.0).verdict == "sent: port 2, port 3"


def test_copies_that_go_through_egress_tables_have_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("switch_sim.egress.MAX_COPIES", 1)
    bench = egress_bench()
    bench.say(flow(Match(), table_id=2))
    assert bench.out_ports(frames.TCP) == [2]


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


# What was kept of frames before


def test_frames_that_were_sent_at_once_are_so_no_more() -> None:
    bench = four_tables()
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2, 3], [2, 3]]
    bench.say(first_at(bench, 2))
    assert bench.out_ports(frames.TCP) == []


def test_frames_are_sent_at_once_when_egress_has_ended() -> None:
    bench = egress_bench()
    assert bench.out_ports(frames.TCP) == []
    bench.say(TableFeaturesRequest((replace(features(bench)[2], features=BOTH),)))
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2, 3], [2, 3]]
    walk = bench.switch.datapath.fast_path.cache.find(1, frames.TCP)
    assert walk is not None
    assert walk.outputs == (2, 3)


# Why


def test_a_trace_tells_the_egress_tables() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), table_id=2))
    trace = bench.switch.trace(1, frames.TCP, 0.0)
    assert [one.table_id for one in trace.look_ups] == [0, 2, 2]
    assert trace.verdict == "sent: port 2"


def test_a_trace_tells_why_an_egress_table_lost_a_packet() -> None:
    bench = egress_bench()
    bench.say(flow(Match(), instructions=(ClearActions(),), table_id=2))
    trace = bench.switch.trace(1, frames.TCP, 0.0)
    assert trace.verdict == (
        "nothing leaves the switch: dropped: its egress action set lost port 2; "
        "dropped: its egress action set lost port 3"
    )


def test_a_trace_counts_nothing_in_egress_tables() -> None:
    bench = egress_bench()
    bench.switch.trace(1, frames.TCP, 0.0)
    assert bench.switch.tables[2].lookup_count == 0
