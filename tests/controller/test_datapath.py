"""Datapath: what applications say is what the switch gets, in each version."""

from __future__ import annotations

import asyncio

import pytest

from controller.testing import recording
from protocol import (
    ALL_TABLES,
    NO_BUFFER,
    OF10,
    OF11,
    OF13,
    ApplyActions,
    BarrierReply,
    BarrierRequest,
    EncodeError,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    GotoTable,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortDesc,
    PortReason,
    PortStatus,
    Version,
)

WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)


def carried(message: Message, version: Version) -> Message:
    """Return the message as it arrives in a version."""
    return Message.decode(message.encode(version))


@pytest.mark.parametrize("version", Version)
def test_a_flow_arrives_in_each_version_as_it_was_meant(version: Version) -> None:
    datapath, sent = recording(version)
    xid = datapath.add_flow(
        WEB,
        [Output(2)],
        priority=7,
        idle_timeout=10,
        hard_timeout=20,
        cookie=0xABC,
        flags=FlowModFlags.SEND_FLOW_REM,
    )
    assert xid == len(sent) == 1
    assert carried(sent[0], version) == FlowMod(
        WEB,
        (ApplyActions((Output(2),)),),
        priority=7,
        idle_timeout=10,
        hard_timeout=20,
        cookie=0xABC,
        flags=FlowModFlags.SEND_FLOW_REM,
    )


@pytest.mark.parametrize("version", Version)
def test_a_flow_without_actions_drops(version: Version) -> None:
    datapath, sent = recording(version)
    datapath.add_flow(Match())
    arrived = carried(sent[0], version)
    assert isinstance(arrived, FlowMod)
    assert not [one for one in arrived.instructions if one != ApplyActions(())]


def test_actions_come_before_further_instructions() -> None:
    datapath, sent = recording(OF13)
    datapath.add_flow(WEB, [Output(1)], instructions=[GotoTable(3)], table_id=2)
    (message,) = sent
    assert isinstance(message, FlowMod)
    assert message.instructions == (ApplyActions((Output(1),)), GotoTable(3))
    assert message.table_id == 2


def test_what_a_version_cannot_say_is_refused_before_it_is_sent() -> None:
    datapath, sent = recording(OF10)
    with pytest.raises(EncodeError):
        datapath.add_flow(WEB, instructions=[GotoTable(1)])
    assert sent == []


@pytest.mark.parametrize("version", Version)
def test_flows_are_deleted_from_all_tables_unless_one_is_named(version: Version) -> None:
    datapath, sent = recording(version)
    datapath.delete_flows()
    datapath.delete_flows(WEB, table_id=0, out_port=3)
    everywhere, in_one = (carried(message, version) for message in sent)
    all_tables = 0 if version <= OF11 else ALL_TABLES  # this switch has one table
    assert everywhere == FlowMod(command=FlowModCommand.DELETE, table_id=all_tables)
    assert in_one == FlowMod(WEB, command=FlowModCommand.DELETE, out_port=3)


@pytest.mark.parametrize("version", Version)
def test_of_several_tables_openflow_11_clears_each_as_it_has_no_word_for_all(
    version: Version,
) -> None:
    # Open vSwitch answers 0xff in OF1.1 with OFPFMFC_BAD_TABLE_ID.
    datapath, sent = recording(version)
    datapath.n_tables = 3
    xid = datapath.delete_flows()
    tables = [one.table_id for one in sent if isinstance(one, FlowMod)]
    assert tables == {OF10: [0], OF11: [0, 1, 2]}.get(version, [ALL_TABLES])
    assert xid == len(sent)


@pytest.mark.parametrize("version", [version for version in Version if version >= OF11])
def test_what_is_deleted_can_be_narrowed_down_by_cookie_and_group(version: Version) -> None:
    datapath, sent = recording(version)
    datapath.delete_flows(cookie=0x10, cookie_mask=0xF0, out_group=9)
    arrived = carried(sent[0], version)
    assert isinstance(arrived, FlowMod)
    assert (arrived.cookie, arrived.cookie_mask, arrived.out_group) == (0x10, 0xF0, 9)


@pytest.mark.parametrize("version", Version)
def test_a_packet_that_the_switch_keeps_is_named_and_not_sent_again(version: Version) -> None:
    datapath, sent = recording(version)
    packet = PacketIn(buffer_id=5, match=Match(in_port=3), data=b"the beginning")
    datapath.packet_out(packet, [Output(Port.FLOOD)])
    arrived = carried(sent[0], version)
    assert arrived == PacketOut((Output(Port.FLOOD),), b"", 5, Match(in_port=3))


@pytest.mark.parametrize("version", Version)
def test_a_packet_that_the_switch_does_not_keep_is_sent_whole(version: Version) -> None:
    datapath, sent = recording(version)
    datapath.packet_out(PacketIn(match=Match(in_port=3), data=b"all of it"), [Output(1)])
    datapath.packet_out(PacketIn(match=Match(in_port=3), data=b"x"), [Output(1)], in_port=4)
    first, second = (carried(message, version) for message in sent)
    assert first == PacketOut((Output(1),), b"all of it", NO_BUFFER, Match(in_port=3))
    assert second == PacketOut((Output(1),), b"x", NO_BUFFER, Match(in_port=4))


@pytest.mark.parametrize("version", Version)
def test_a_frame_of_our_own_comes_from_the_controller_or_the_port_that_is_said(
    version: Version,
) -> None:
    datapath, sent = recording(version)
    datapath.packet_out(b"frame", [Output(1)])
    datapath.packet_out(b"frame", [Output(1)], in_port=2)
    ports = [carried(message, version) for message in sent]
    assert [one.in_port for one in ports if isinstance(one, PacketOut)] == [Port.CONTROLLER, 2]


async def test_a_barrier_waits_for_its_reply() -> None:
    datapath, sent = recording()
    waiting = asyncio.create_task(datapath.barrier())
    await asyncio.sleep(0)  # the task begins in the next turn of the loop
    assert sent == [BarrierRequest()]
    assert not waiting.done()
    assert datapath._requests.resolve(BarrierReply(xid=1))
    await waiting


def test_ports_follow_what_the_switch_tells() -> None:
    datapath, _ = recording(ports=(1, 2))
    changed = PortDesc(2, name="renamed")
    datapath.learn_port(PortStatus(PortReason.DELETE, PortDesc(1)))
    datapath.learn_port(PortStatus(PortReason.MODIFY, changed))
    datapath.learn_port(PortStatus(PortReason.ADD, PortDesc(3)))
    datapath.learn_port(PortStatus(PortReason.DELETE, PortDesc(99)))
    assert datapath.ports == {2: changed, 3: PortDesc(3)}


def test_a_datapath_is_called_by_its_number() -> None:
    datapath, _ = recording(datapath_id=0xABC)
    assert str(datapath) == "datapath 0x0000000000000abc"
    assert repr(datapath) == "<Datapath 0xabc, OpenFlow 1.3>"
