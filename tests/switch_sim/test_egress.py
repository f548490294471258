"""OF1.5's egress tables (OF1.5.1 5.1 "OpenFlow Pipeline"): packets on their way out."""

from __future__ import annotations

from msgspec.structs import replace

from protocol import (
    OF15,
    ApplyActions,
    BadInstructionCode,
    DecNwTtl,
    GotoTable,
    Group,
    GroupMod,
    Match,
    Output,
    Port,
    PushVlan,
    TableFeaturesFailedCode,
    WriteMetadata,
    set_field,
)
from protocol.groups import Bucket
from protocol.table_features import TableFeatureFlags, TableFeatures, TableFeaturesRequest
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

FIRST = TableFeatureFlags.EGRESS_TABLE | TableFeatureFlags.FIRST_EGRESS


def features(bench: Bench) -> list[TableFeatures]:
    return [
        table for part in bench.say(TableFeaturesRequest()) for table in getattr(part, "tables", ())
    ]


def egress_bench() -> Bench:
    """A switch of four tables; packets leave through the tables from 2 on."""
    bench = Bench(OF15, n_tables=4)
    first = replace(features(bench)[2], features=FIRST)
    bench.say(TableFeaturesRequest((first,)))
    bench.say(flow(Match(), Output(2), Output(3), priority=1))
    return bench


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


def test_no_ingress_table_goes_to_an_egress_table() -> None:
    bench = egress_bench()
    crossing = flow(Match(), instructions=(GotoTable(2),), table_id=1)
    assert bench.refusal(crossing) == BadInstructionCode.BAD_TABLE_ID
    assert bench.refusal(flow(Match(), instructions=(GotoTable(3),), table_id=2)) is None


def test_tables_tell_what_they_are_for() -> None:
    roles = [one.features for one in features(egress_bench())]
    assert roles == [1, 1, FIRST, TableFeatureFlags.EGRESS_TABLE]


def test_egress_ends_when_the_first_table_is_one_no_more() -> None:
    bench = egress_bench()
    bench.say(TableFeaturesRequest((replace(features(bench)[2], features=1),)))
    assert bench.out_ports(frames.TCP) == [2, 3]


def test_table_0_is_no_egress_table() -> None:
    bench = Bench(OF15, n_tables=4)
    wanted = replace(features(bench)[0], features=FIRST)
    refusal = bench.refusal(TableFeaturesRequest((wanted,)))
    assert refusal == TableFeaturesFailedCode.BAD_FEATURES


def test_a_trace_tells_the_egress_tables() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), table_id=2))
    trace = bench.switch.trace(1, frames.TCP, 0.0)
    assert [one.table_id for one in trace.look_ups] == [0, 2, 2]
    assert trace.verdict == "sent: port 2"
