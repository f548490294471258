"""The ways out of the switch: ports, reserved ports, controllers."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    NO_BUFFER,
    OF10,
    OF13,
    OF14,
    ControllerMaxLen,
    GotoTable,
    Match,
    Output,
    PacketIn,
    PacketInReason,
    PacketOut,
    Port,
    PortConfig,
    PortMod,
    SetConfig,
    Version,
    WriteActions,
    WriteMetadata,
)
from switch_sim.mac_table import MacTable
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow


def sends_to(port: int, max_len: int = ControllerMaxLen.NO_BUFFER, **options: Any) -> Bench:
    bench = Bench(**options)
    bench.say(flow(Match(), Output(port, max_len), priority=5))
    return bench


# Ports (OF1.3.5 4.5 "Reserved Ports")


@pytest.mark.parametrize(
    ("port", "out"),
    [
        (2, [2]),
        (1, []),  # only IN_PORT leads back
        (77, []),
        (Port.IN_PORT, [1]),
        (Port.ALL, [2, 3]),
        (Port.FLOOD, [2, 3]),
        (Port.LOCAL, []),
    ],
)
def test_ports_and_reserved_ports(port: int, out: list[int]) -> None:
    assert sends_to(port).out_ports(frames.TCP) == out


@pytest.mark.parametrize("config", [PortConfig.NO_FWD, PortConfig.PORT_DOWN])
def test_a_port_that_does_not_forward_is_left_out(config: PortConfig) -> None:
    bench = sends_to(Port.ALL)
    bench.say(PortMod(2, 0xA2, config, config))
    assert bench.out_ports(frames.TCP) == [3]


def test_no_flood_takes_a_port_out_of_flood_only() -> None:
    bench = Bench(OF10)
    bench.say(flow(Match(), Output(Port.FLOOD)))
    bench.say(PortMod(2, 0xA2, PortConfig.NO_FLOOD, PortConfig.NO_FLOOD))
    assert bench.out_ports(frames.TCP) == [3]
    bench.say(flow(Match(), Output(Port.ALL)))
    assert bench.out_ports(frames.TCP) == [2, 3]


# NORMAL


def test_normal_floods_what_it_does_not_know_and_learns() -> None:
    bench = sends_to(Port.NORMAL)
    back = frames.TCP[6:12] + frames.TCP[:6] + frames.TCP[12:]
    assert bench.out_ports(frames.TCP, in_port=1) == [2, 3]
    assert bench.out_ports(back, in_port=2) == [1]
    assert bench.out_ports(frames.TCP, in_port=1) == [2]


def test_normal_keeps_vlans_apart() -> None:
    bench = sends_to(Port.NORMAL)
    back = frames.TCP[6:12] + frames.TCP[:6] + frames.TCP[12:]
    bench.frames(frames.VLAN_TCP, in_port=1)
    assert bench.out_ports(back, in_port=2) == [1, 3]


def test_normal_forgets_what_was_behind_a_link_that_broke() -> None:
    bench = sends_to(Port.NORMAL)
    back = frames.TCP[6:12] + frames.TCP[:6] + frames.TCP[12:]
    bench.frames(frames.TCP, in_port=1)
    bench.switch.set_link(1, up=False, now=0.0)
    bench.switch.set_link(1, up=True, now=0.0)
    assert bench.out_ports(back, in_port=2) == [1, 3]


def test_normal_does_not_forward_what_bridges_keep_to_themselves() -> None:
    bpdu = bytes.fromhex("0180c2000000") + frames.TCP[6:]
    assert sends_to(Port.NORMAL).out_ports(bpdu) == []


def test_the_address_heard_longest_ago_makes_room() -> None:
    macs = MacTable(size=2)
    for address in (1, 2, 1, 3):
        macs.learn(0, address, address, now=0.0)
    assert [macs.find(0, address, 0.0) for address in (1, 2, 3)] == [1, None, 3]


def test_an_address_is_forgotten_after_a_time() -> None:
    macs = MacTable()
    macs.learn(0, 1, 1, now=0.0)
    assert (macs.find(0, 1, 300.0), macs.find(0, 1, 300.5)) == (1, None)


# Controllers (OF1.3.5 7.4.1 "Packet-In Message")


def test_a_packet_in_has_as_much_as_the_action_says() -> None:
    [packet_in] = sends_to(Port.CONTROLLER, 20).packet_ins(frames.TCP)
    assert packet_in.data == frames.TCP[:20]
    assert packet_in.total_len == len(frames.TCP)
    assert packet_in.buffer_id != NO_BUFFER
    assert packet_in.reason == PacketInReason.ACTION


def test_a_packet_in_has_all_where_there_is_no_buffer() -> None:
    [packet_in] = sends_to(Port.CONTROLLER, 20, n_buffers=0).packet_ins(frames.TCP)
    assert (packet_in.data, packet_in.buffer_id) == (frames.TCP, NO_BUFFER)


def test_no_buffer_in_the_action_means_all_of_the_packet() -> None:
    [packet_in] = sends_to(Port.CONTROLLER).packet_ins(frames.TCP)
    assert (packet_in.data, packet_in.buffer_id) == (frames.TCP, NO_BUFFER)


def test_a_buffered_packet_is_sent_by_its_number() -> None:
    bench = sends_to(Port.CONTROLLER, 20)
    [packet_in] = bench.packet_ins(frames.TCP)
    message = PacketOut((Output(2),), buffer_id=packet_in.buffer_id)
    assert bench.effects_of(message).frames == [(2, frames.TCP)]


def test_a_miss_takes_the_length_that_each_controller_has_set() -> None:
    bench = Bench(OF10)
    other = bench.switch.connect(OF10)
    bench.say(SetConfig(miss_send_len=20))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    sizes = {
        session: len(message.data)
        for session, message in effects.messages
        if isinstance(message, PacketIn)
    }
    assert sizes == {bench.session: 20, other: len(frames.TCP)}


def test_each_controller_gets_its_own_packet_in() -> None:
    bench = sends_to(Port.CONTROLLER)
    other = bench.switch.connect(OF13)
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert [session for session, _ in effects.messages] == [bench.session, other]


def test_without_controllers_nothing_is_told_or_kept() -> None:
    bench = sends_to(Port.CONTROLLER, 20)
    bench.switch.disconnect(bench.session)
    assert bench.packet_ins(frames.TCP) == []
    assert len(bench.switch.datapath.buffers) == 0


def test_a_packet_in_tells_the_table_and_the_registers() -> None:
    bench = Bench()
    bench.say(flow(Match(), instructions=(WriteMetadata(7), GotoTable(3))))
    bench.say(flow(Match(), Output(Port.CONTROLLER), table_id=3, cookie=9))
    [packet_in] = bench.packet_ins(frames.TCP)
    assert (packet_in.table_id, packet_in.cookie) == (3, 9)
    assert packet_in.match == Match(in_port=1, metadata=7)


@pytest.mark.parametrize(
    ("version", "reason"), [(OF13, PacketInReason.ACTION), (OF14, PacketInReason.ACTION_SET)]
)
def test_since_openflow_14_an_action_set_is_told_apart(
    version: Version, reason: PacketInReason
) -> None:
    bench = Bench(version)
    bench.say(flow(Match(), instructions=(WriteActions((Output(Port.CONTROLLER),)),)))
    assert [one.reason for one in bench.packet_ins(frames.TCP)] == [reason]


def test_a_silent_port_has_no_packet_ins_of_misses() -> None:
    # OF1.3.5 7.2.1 "Port Structures": NO_PACKET_IN is about table misses.
    bench = Bench()
    quiet = PortConfig.NO_PACKET_IN
    bench.say(PortMod(1, 0xA1, quiet, quiet))
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=0))
    assert bench.packet_ins(frames.TCP) == []
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=1))
    assert len(bench.packet_ins(frames.TCP)) == 1


def test_a_huge_packet_fits_into_a_packet_in() -> None:
    bench = sends_to(Port.CONTROLLER)
    [packet_in] = bench.packet_ins(frames.TCP + bytes(70_000))
    assert packet_in.total_len == 0xFFFF
