"""What vectors of Nicira's messages cannot say."""

from __future__ import annotations

import pytest

import protocol
from protocol import (
    OF10,
    OF13,
    DecodeError,
    EncodeError,
    Match,
    Message,
    PacketInReason,
    Port,
    Stats,
    Version,
    nicira,
)
from protocol.multipart import (
    ExperimenterMultipartReply,
    ExperimenterMultipartRequest,
    Gatherer,
    MultipartFlags,
)


def test_a_packet_in_of_nicira_is_a_packet_in() -> None:
    message = nicira.PacketIn(match=Match(in_port=3), data=b"frame")
    assert isinstance(message, protocol.PacketIn)
    assert message.in_port == 3
    assert nicira.PacketIn2().in_port == Port.ANY


def test_a_held_packet_goes_on_as_it_was() -> None:
    held = nicira.PacketIn2(
        data=b"frame",
        match=Match(in_port=3),
        reason=PacketInReason.ACTION,
        cookie=9,
        userdata=b"mine",
        continuation=b"\0\0\0\0state",
    )
    resume = nicira.Resume.of(held)
    assert (resume.data, resume.continuation) == (b"frame", b"\0\0\0\0state")
    assert resume.userdata is None
    assert Message.decode(resume.encode(OF13)) == resume


@pytest.mark.parametrize("version", Version)
def test_packets_come_in_properties_in_all_versions(version: Version) -> None:
    message = nicira.PacketIn2(data=b"frame", match=Match(in_port=3), total_len=60)
    assert Message.decode(message.encode(version)) == message


def test_a_property_stands_once() -> None:
    data = nicira.PacketIn2(data=b"1234").encode(OF13)
    twice = data + bytes.fromhex("0003000500000000")
    with pytest.raises(DecodeError, match="table_id stands twice"):
        Message.decode(twice[:2] + len(twice).to_bytes(2, "big") + twice[4:])


def test_there_is_no_place_for_a_group_in_niciras_flow_mod() -> None:
    with pytest.raises(EncodeError, match=r"out_group does not exist in OpenFlow 1\.0"):
        nicira.FlowMod(out_group=5).encode(OF10)


def test_entries_come_in_parts_and_are_gathered() -> None:
    zero = Stats(0, 0, packet_count=0, byte_count=0)
    entry, last = (nicira.FlowStats(Match(reg0=n), stats=zero) for n in (1, 2))
    parts = [
        nicira.FlowStatsReply((entry,), flags=MultipartFlags.MORE, xid=5),
        nicira.FlowStatsReply((last,), xid=5),
    ]
    gatherer = Gatherer()
    read = [Message.decode(part.encode(OF10)) for part in parts]
    found = [gatherer.add(part, 100) for part in read if isinstance(part, nicira.FlowStatsReply)]
    assert found == [None, nicira.FlowStatsReply((entry, last), xid=5)]


@pytest.mark.parametrize("cls", [ExperimenterMultipartRequest, ExperimenterMultipartReply])
@pytest.mark.parametrize("version", [OF10, OF13])
def test_multiparts_that_nicira_does_not_have_are_kept(
    cls: type[ExperimenterMultipartRequest | ExperimenterMultipartReply], version: Version
) -> None:
    data = b"\0\0\x77\x77data" if version == OF10 else b"data"
    message = cls(0x2320, 0 if version == OF10 else 0x7777, data)
    assert Message.decode(message.encode(version)) == message


def test_a_message_is_niciras_in_its_versions_only() -> None:
    data = nicira.FlowMonitorCancel(5).encode(OF10)
    assert isinstance(Message.decode(b"\4" + data[1:]), protocol.Experimenter)
    with pytest.raises(EncodeError, match=r"does not exist in OpenFlow 1\.3"):
        nicira.FlowMonitorCancel(5).encode(OF13)


def test_masks_of_asynchronous_messages_are_openflow_1_4s_properties() -> None:
    message = nicira.SetAsyncConfig2(packet_in_master=5, role_status_slave=0)
    data = message.encode(OF13)
    assert data[16:].hex(" ", -4) == "00010008 00000005 00060008 00000000"
    assert Message.decode(data) == message


def test_monitors_stand_one_after_the_other() -> None:
    monitors = (nicira.FlowMonitor(1, Match(reg0=5)), nicira.FlowMonitor(2))
    message = nicira.FlowMonitorRequest(monitors)
    assert Message.decode(message.encode(OF10)) == message


def test_a_monitor_that_is_longer_than_its_request_is_a_decode_error() -> None:
    data = bytearray(nicira.FlowMonitorRequest((nicira.FlowMonitor(1),)).encode(OF10))
    data[24 + 8 : 24 + 10] = b"\xff\xff"
    with pytest.raises(DecodeError, match="65552 bytes are needed"):
        Message.decode(bytes(data))
