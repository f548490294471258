"""BPDUs: whole frames from bridges of Linux 6 (captured by tshark), and what they mean."""

from __future__ import annotations

import pytest

from protocol.addresses import MacAddress
from protocol.exceptions import EncodeError
from protocol.packet import (
    BRIDGE_GROUP,
    Bpdu,
    BpduFlags,
    BpduType,
    BridgeId,
    ConfigurationBpdu,
    Ethernet,
    Llc,
    LlcSap,
    Packet,
    build,
)

ROOT = BridgeId(0x1000, MacAddress(0x0200_0000_0001))
SAID = ConfigurationBpdu(
    root=ROOT,
    root_path_cost=0,
    bridge=ROOT,
    port_id=0x8001,
    max_age=6.0,
    hello_time=1.0,
    forward_delay=4.0,
)

# ip link add br0 address 02:00:00:00:00:01 type bridge stp_state 1 priority 4096
#     forward_delay 400 hello_time 100 max_age 600
CONFIGURATION = bytes.fromhex(
    "0180c2000000 36090c6bb9c2 0026 424203"
    "0000 00 00 00 1000 020000000001 00000000 1000 020000000001 8001 0000 0600 0100 0400"
)
# the same with forward_delay 200, as an answer to the one below
ACKNOWLEDGED = bytes.fromhex(
    "0180c2000000 6a9177aa9da0 0026 424203"
    "0000 00 00 81 1000 020000000001 00000000 1000 020000000001 8001 0000 0600 0100 0200"
)
# another bridge, whose second port came up
TOPOLOGY_CHANGE = bytes.fromhex("0180c2000000 0288ccd8eaaa 0007 424203 0000 00 80")

VECTORS = [
    (CONFIGURATION, 0x36090C6BB9C2, Bpdu(), SAID),
    (
        ACKNOWLEDGED,
        0x6A9177AA9DA0,
        Bpdu(),
        SAID.replace(
            flags=BpduFlags.TOPOLOGY_CHANGE | BpduFlags.TOPOLOGY_CHANGE_ACK, forward_delay=2.0
        ),
    ),
    (TOPOLOGY_CHANGE, 0x0288CCD8EAAA, Bpdu(type=BpduType.TOPOLOGY_CHANGE), b""),
]


@pytest.mark.parametrize(("frame", "source", "bpdu", "said"), VECTORS)
def test_a_frame_is_read_as_what_it_means(
    frame: bytes, source: int, bpdu: Bpdu, said: ConfigurationBpdu | bytes
) -> None:
    packet = Packet.parse(frame)
    assert (packet[Ethernet].dst, packet[Ethernet].src) == (BRIDGE_GROUP, MacAddress(source))
    assert packet[Bpdu].replace(payload=b"") == bpdu
    assert (packet.get(ConfigurationBpdu) or b"") == said


@pytest.mark.parametrize(("frame", "source", "bpdu", "said"), VECTORS)
def test_a_meaning_is_written_as_the_same_bytes(
    frame: bytes, source: int, bpdu: Bpdu, said: ConfigurationBpdu | bytes
) -> None:
    assert build(Ethernet(BRIDGE_GROUP, MacAddress(source)), Llc(), bpdu, said) == frame


def test_what_fills_up_a_short_frame_is_kept() -> None:
    packet = Packet.parse(CONFIGURATION + bytes(8))
    assert packet[ConfigurationBpdu].trailer == bytes(8)
    assert packet.encode() == CONFIGURATION + bytes(8)


@pytest.mark.parametrize("size", range(len(CONFIGURATION)))
def test_a_frame_cut_short_says_nothing_of_a_root(size: int) -> None:
    if size >= 14:
        assert ConfigurationBpdu not in Packet.parse(CONFIGURATION[:size])


def test_another_protocol_is_no_bpdu() -> None:
    other = CONFIGURATION[:17] + b"\0\1" + CONFIGURATION[19:]
    assert Bpdu not in Packet.parse(other)


def test_the_rapid_protocol_is_not_taken_for_this_one() -> None:
    rapid = CONFIGURATION[:19] + b"\2\2" + CONFIGURATION[21:]
    packet = Packet.parse(rapid)
    assert packet[Bpdu].type is BpduType.RAPID
    assert ConfigurationBpdu not in packet


def test_snap_is_another_station() -> None:
    packet = Packet.parse(CONFIGURATION[:12] + bytes.fromhex("0008 aaaa03 00000c 0102"))
    assert packet[Llc].dsap is LlcSap.SNAP
    assert packet.payload == bytes.fromhex("00000c 0102")


def test_a_bridge_is_ordered_by_its_priority_first() -> None:
    low, high = BridgeId(0x1000, MacAddress(9)), BridgeId(0x1001, MacAddress(1))
    assert low < high < BridgeId(0x1001, MacAddress(2))
    assert BridgeId.of(high.number()) == high
    assert str(low) == "1000.00:00:00:00:00:09"


@pytest.mark.parametrize(
    "said",
    [
        SAID.replace(max_age=256.0),
        SAID.replace(message_age=-1.0),
        SAID.replace(root=BridgeId(1 << 16, 1)),
        SAID.replace(bridge=BridgeId(0, 1 << 48)),
        SAID.replace(root_path_cost=1 << 32),
    ],
)
def test_values_that_do_not_fit_are_refused(said: ConfigurationBpdu) -> None:
    with pytest.raises(EncodeError):
        said.encode()
