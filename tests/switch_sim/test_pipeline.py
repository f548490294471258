"""Packets through tables, instructions and the action set, by example."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    ApplyActions,
    ClearActions,
    ConfigFlags,
    DecNwTtl,
    GotoTable,
    Instruction,
    Match,
    MeterAction,
    Output,
    PacketInReason,
    PacketOut,
    PopVlan,
    Port,
    PushVlan,
    SetConfig,
    SetVlanVid,
    Version,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol.tables import TableConfig
from switch_sim.packet import Dropped, Packet
from switch_sim.pipeline import Pipeline
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

FRAMES = [data for name, data in vars(frames).items() if name.isupper()]
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)


def does(*instructions: Instruction, table_id: int = 0, match: Match = WEB, **fields: int) -> Bench:
    bench = Bench()
    bench.say(flow(match, instructions=instructions, table_id=table_id, **fields))
    return bench


def test_applied_actions_are_done_in_their_order() -> None:
    bench = does(ApplyActions((Output(2), set_field(ipv4_dst="10.0.0.9"), Output(3))))
    assert bench.frames(frames.TCP) == [(2, frames.TCP), (3, frames.TCP_TO_10_0_0_9)]


def test_an_entry_without_instructions_drops() -> None:
    assert does().frames(frames.TCP) == []


def test_tables_are_visited_by_goto() -> None:
    # OF1.3.5 5.1 "Pipeline Processing"
    bench = does(GotoTable(5))
    bench.say(flow(WEB, Output(3), table_id=1))
    bench.say(flow(WEB, Output(2), table_id=5))
    assert bench.out_ports(frames.TCP) == [2]
    assert bench.switch.tables[5].matched_count == 1


def test_later_tables_see_the_changed_packet() -> None:
    bench = does(ApplyActions((set_field(ipv4_dst="10.0.0.9"),)), GotoTable(1))
    bench.say(flow(Match(eth_type=0x0800, ipv4_dst="10.0.0.9"), Output(2), table_id=1))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TO_10_0_0_9)]


def test_later_tables_see_the_metadata() -> None:
    bench = does(WriteMetadata(0xAB, 0xFF), GotoTable(1))
    bench.say(flow(Match(metadata=(0xA0, 0xF0)), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_metadata_outside_of_the_mask_stays() -> None:
    bench = does(WriteMetadata(0xFF), GotoTable(1))
    bench.say(flow(WEB, instructions=(WriteMetadata(0, 0xF0), GotoTable(2)), table_id=1))
    bench.say(flow(Match(metadata=0x0F), Output(2), table_id=2))
    assert bench.out_ports(frames.TCP) == [2]


def test_an_action_set_is_done_in_the_order_of_the_specification() -> None:
    # OF1.3.5 5.10 "Action Set": pop, push, decrement the TTL, set, output
    actions = (Output(2), DecNwTtl(), set_field(vlan_vid=100), set_field(vlan_pcp=3), PushVlan())
    bench = does(WriteActions(actions))
    tagged = frames.VLAN_TCP[:18] + frames.TCP_TTL_63[14:]
    assert bench.frames(frames.TCP) == [(2, tagged)]


def test_an_action_set_has_one_action_of_each_type() -> None:
    bench = does(
        WriteActions((Output(2), set_field(eth_dst=5), set_field(eth_src=6))), GotoTable(1)
    )
    later = WriteActions((Output(3), set_field(eth_dst=7)))
    bench.say(flow(WEB, instructions=(later,), table_id=1))
    [(port_no, data)] = bench.frames(frames.TCP)
    assert (port_no, data[:12].hex()) == (3, "000000000007000000000006")


def test_clear_actions_comes_before_write_actions() -> None:
    # OF1.3.5 5.9 "Instructions": the order of execution is not that of the message.
    bench = does(WriteActions((Output(2),)), GotoTable(1))
    again = (WriteActions((Output(3),)), ClearActions())
    bench.say(flow(WEB, instructions=again, table_id=1))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_packet_that_misses_in_a_later_table_is_dropped_with_its_action_set() -> None:
    bench = does(WriteActions((Output(2),)), GotoTable(1))
    assert bench.frames(frames.TCP) == []


def test_since_openflow_15_tables_see_which_port_the_action_set_names() -> None:
    bench = Bench(OF15)
    bench.say(flow(WEB, instructions=(WriteActions((Output(2),)), GotoTable(1))))
    told = Match(actset_output=2)
    bench.say(flow(told, instructions=(WriteActions((Output(3),)),), table_id=1))
    assert bench.out_ports(frames.TCP) == [3]


# Table miss


@pytest.mark.parametrize("version", [OF10, OF11, OF12])
def test_up_to_openflow_12_the_controller_gets_what_no_entry_wants(version: Version) -> None:
    [packet_in] = Bench(version).packet_ins(frames.TCP)
    assert packet_in.reason == PacketInReason.NO_MATCH
    assert packet_in.in_port == 1


@pytest.mark.parametrize("version", [OF13, OF14, OF15])
def test_since_openflow_13_what_no_entry_wants_is_dropped(version: Version) -> None:
    # OF1.3.5 5.4 "Table-miss"
    assert Bench(version).packet_ins(frames.TCP) == []


@pytest.mark.parametrize("version", [OF13, OF14, OF15])
def test_a_table_miss_entry_says_so(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=0, cookie=9))
    [packet_in] = bench.packet_ins(frames.TCP)
    assert packet_in.reason == PacketInReason.NO_MATCH
    assert packet_in.cookie == 9


def test_up_to_openflow_12_such_an_entry_is_like_any_other() -> None:
    bench = Bench(OF12)
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=0))
    [packet_in] = bench.packet_ins(frames.TCP)
    assert packet_in.reason == PacketInReason.ACTION


# TTL


@pytest.mark.parametrize(("flags", "count"), [(ConfigFlags.INVALID_TTL_TO_CONTROLLER, 1), (0, 0)])
def test_a_packet_whose_ttl_ends_goes_no_further(flags: int, count: int) -> None:
    bench = Bench(OF12)
    bench.say(SetConfig(flags))
    bench.say(flow(WEB, DecNwTtl(), Output(2)))
    assert bench.frames(frames.TCP_TTL_1) == []
    told = bench.packet_ins(frames.TCP_TTL_1)
    assert [one.reason for one in told] == [PacketInReason.INVALID_TTL] * count


# Versions


def test_an_entry_keeps_the_meaning_of_the_version_that_made_it() -> None:
    bench = Bench(OF10)
    bench.say(flow(WEB, SetVlanVid(5), Output(2)))
    bench.switch.connect(OF11)
    assert bench.frames(frames.TCP) == [(2, frames.VLAN_5_TCP)]


# Packets of the controller (OF1.3.5 7.3.7 "Packet-Out Message")


def test_a_packet_out_can_go_through_the_tables() -> None:
    bench = does(ApplyActions((set_field(ipv4_dst="10.0.0.9"), Output(2))))
    actions = (Output(Port.TABLE), Output(3))
    effects = bench.effects_of(PacketOut(actions, frames.TCP))
    assert effects.frames == [(2, frames.TCP_TO_10_0_0_9), (3, frames.TCP)]


@pytest.mark.parametrize(
    ("version", "reason"), [(OF13, PacketInReason.ACTION), (OF14, PacketInReason.PACKET_OUT)]
)
def test_a_packet_out_may_lead_back(version: Version, reason: PacketInReason) -> None:
    [packet_in] = Bench(version).say(PacketOut((Output(Port.CONTROLLER),), frames.TCP))
    assert getattr(packet_in, "reason", None) == reason


def test_a_packet_out_has_actions_done_on_it() -> None:
    effects = Bench().effects_of(PacketOut((PopVlan(), Output(1)), frames.VLAN_TCP))
    assert effects.frames == [(1, frames.TCP)]


@given(st.one_of(st.sampled_from(FRAMES), st.binary(max_size=99)), st.integers(0, 99))
def test_no_frame_raises(frame: bytes, size: int) -> None:
    bench = does(ApplyActions((PushVlan(), Output(Port.ALL), Output(Port.CONTROLLER, 20))))
    bench.say(flow(Match(), DecNwTtl(), Output(Port.NORMAL), priority=1))
    bench.switch.receive_frame(1, frame[:size], 0.0)


# What other rooms put in


def plugged(act: Callable[[Pipeline, Packet], None]) -> Bench:
    """A switch whose MeterAction does something else, then outputs to port 2."""
    bench = Bench(OF15)
    pipeline = bench.switch.datapath.pipeline
    pipeline.actions[MeterAction] = lambda packet, action: act(pipeline, packet)
    bench.switch.datapath.checker.actions[MeterAction] = lambda action, version: None
    bench.say(flow(WEB, MeterAction(1), Output(2)))
    return bench


def resubmit(pipeline: Pipeline, packet: Packet) -> None:
    pipeline.resubmit(packet, 7)


def drop(pipeline: Pipeline, packet: Packet) -> None:
    raise Dropped("the band is full")


def test_what_is_dropped_goes_no_further() -> None:
    bench = plugged(drop)
    assert bench.out_ports(frames.TCP) == []


def test_a_bucket_works_on_a_copy_in_the_order_of_an_action_set() -> None:
    # OF1.3.5 5.6 "Group Table": each bucket has a set of actions
    bucket = (Output(3), DecNwTtl())
    bench = plugged(lambda pipeline, packet: pipeline.do_bucket(packet, bucket, OF15))
    assert bench.frames(frames.TCP) == [(3, frames.TCP_TTL_63), (2, frames.TCP)]


def test_what_ends_a_bucket_does_not_end_the_packet() -> None:
    bucket = (Output(3), DecNwTtl())
    bench = plugged(lambda pipeline, packet: pipeline.do_bucket(packet, bucket, OF15))
    assert bench.out_ports(frames.TCP_TTL_1) == [2]


def test_a_resubmit_comes_back_with_what_later_tables_did() -> None:
    bench = plugged(lambda pipeline, packet: resubmit(pipeline, packet))
    bench.say(flow(WEB, set_field(ipv4_dst="10.0.0.9"), Output(3), table_id=7))
    assert bench.frames(frames.TCP) == [(3, frames.TCP_TO_10_0_0_9), (2, frames.TCP_TO_10_0_0_9)]


def test_a_resubmit_to_where_nothing_matches_goes_on() -> None:
    bench = plugged(lambda pipeline, packet: resubmit(pipeline, packet))
    assert bench.out_ports(frames.TCP) == [2]


def test_registers_stay_with_the_packet_when_its_headers_move() -> None:
    def act(pipeline: Pipeline, packet: Packet) -> None:
        packet.set_register("reg0", 5)
        pipeline.act(packet, (PopVlan(),))
        found.append(packet.key["reg0"])

    found: list[int] = []
    bench = plugged(act)
    bench.frames(frames.VLAN_TCP)
    assert found == [5]


# Table miss up to OF1.2, by the table's config (OF1.1 A.3.4.3 "Modify State Messages")


def misses(config: TableConfig) -> Bench:
    bench = Bench(OF11)
    bench.switch.tables[0].config = config
    bench.say(flow(Match(), Output(2), table_id=1))
    return bench


def test_a_table_may_drop_what_it_does_not_know() -> None:
    bench = misses(TableConfig.TABLE_MISS_DROP)
    assert (bench.packet_ins(frames.TCP), bench.out_ports(frames.TCP)) == ([], [])


def test_a_table_may_pass_what_it_does_not_know_to_the_next() -> None:
    assert misses(TableConfig.TABLE_MISS_CONTINUE).out_ports(frames.TCP) == [2]


def test_a_packet_that_passes_the_last_table_is_dropped() -> None:
    bench = Bench(OF11, n_tables=1)
    bench.switch.tables[0].config = TableConfig.TABLE_MISS_CONTINUE
    assert (bench.packet_ins(frames.TCP), bench.out_ports(frames.TCP)) == ([], [])


def test_since_openflow_13_invalid_ttls_are_not_told_unless_asked_for() -> None:
    # OF1.3.5 7.3.10 "Set Asynchronous Configuration Message"
    bench = Bench()
    bench.say(flow(WEB, DecNwTtl(), Output(2)))
    assert bench.packet_ins(frames.TCP_TTL_1) == []
