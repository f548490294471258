"""Packets through OF1.5's egress tables on their way out.

The rules are those of OF1.5.1 5.1 "Pipeline Processing" and "Action Set", unless a test says
otherwise.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from protocol import (
    OF12,
    OF15,
    ApplyActions,
    ClearActions,
    DecNwTtl,
    GotoTable,
    Group,
    GroupMod,
    Match,
    Output,
    PacketInReason,
    PacketOut,
    Port,
    PushVlan,
    SetQueue,
    TableMod,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol import nicira as nx
from protocol.groups import Bucket
from protocol.queues import QueueStatsReply, QueueStatsRequest
from protocol.table_features import TableFeaturesRequest
from protocol.tables import TableConfig
from switch_sim.queues import parse_queue
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.egress_builders import BOTH, egress_bench, first_at, four_tables
from tests.switch_sim.test_table_requests import features


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


def test_what_ends_a_copy_in_egress_tables_ends_no_other() -> None:
    bench = egress_bench()
    bench.say(flow(Match(actset_output=2), DecNwTtl(), table_id=2))
    bench.say(flow(Match(actset_output=3), table_id=2))
    assert bench.out_ports(frames.TCP_TTL_1) == [3]


def test_a_queue_that_was_set_before_holds_for_the_output() -> None:
    bench = Bench(OF15, n_tables=4, queues=[parse_queue("2:1")])
    bench.say(first_at(bench, 2))
    bench.say(flow(Match(), SetQueue(1), Output(2), Output(3)))
    bench.say(flow(Match(), table_id=2))
    assert bench.out_ports(frames.TCP) == [2, 3]
    [reply] = bench.say(QueueStatsRequest())
    assert isinstance(reply, QueueStatsReply)
    assert [(one.port_no, one.queue_id, one.tx_packets) for one in reply.queues] == [(2, 1, 1)]


def test_what_waits_for_a_controller_in_an_egress_table_goes_on_to_its_port() -> None:
    """ovs-actions(7) "controller", pause."""
    bench = egress_bench()
    bench.say(nx.SetPacketInFormat(nx.PacketInFormat.NXT_PACKET_IN2))
    waiting = ApplyActions((nx.Controller2(pause=True),))
    bench.say(flow(Match(actset_output=2), instructions=(waiting,), table_id=2))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    [told] = [one for one in bench.heard(effects) if isinstance(one, nx.PacketIn2)]
    assert effects.frames == []
    assert bench.effects_of(nx.Resume.of(told)).frames == [(2, frames.TCP)]


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


def test_a_trace_does_not_process_for_ports_that_all_leaves_out() -> None:
    bench = egress_bench()
    bench.switch.set_link(2, up=False, now=0.0)
    bench.say(flow(Match(), Output(Port.ALL), priority=9))
    bench.say(flow(Match(), Output(3), table_id=2))
    trace = bench.switch.trace(1, frames.TCP, 0.0)
    assert trace.verdict == "sent: port 3, port 3"
    assert bench.out_ports(frames.TCP) == [3, 3]


def test_a_trace_counts_nothing_in_egress_tables() -> None:
    bench = egress_bench()
    bench.switch.trace(1, frames.TCP, 0.0)
    assert bench.switch.tables[2].lookup_count == 0
