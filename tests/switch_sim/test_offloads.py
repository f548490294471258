"""Checksums and segments that Linux leaves to the interface."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest

from protocol import MacAddress
from protocol.packet import (
    Ethernet,
    EthType,
    IPv4,
    IPv6,
    Packet,
    Tcp,
    TcpFlags,
    Udp,
    build,
    internet_checksum,
)
from switch_sim.offloads import Offload, undo
from tests.switch_sim.frames import TCP

PAYLOAD = bytes(range(256)) * 10
LAST = TcpFlags.ACK | TcpFlags.PSH | TcpFlags.FIN
ALL = LAST | TcpFlags.CWR


def large(ip: IPv4 | IPv6, transport: Tcp | Udp) -> bytes:
    """A frame that is longer than a cable takes."""
    kind = EthType.IPV4 if isinstance(ip, IPv4) else EthType.IPV6
    return build(Ethernet(MacAddress(2), MacAddress(1), kind), ip, transport, PAYLOAD)


V4 = IPv4(src=IPv4Address(0x0A000001), dst=IPv4Address(0x0A000002), identification=0xFFFF)
V6 = IPv6(src=IPv6Address("2001::1"), dst=IPv6Address("2001::2"))
TCP_HEADER = Tcp(src=1, dst=2, seq=0xFFFF_FF00, flags=ALL)
UDP_HEADER = Udp(src=1, dst=2)


def anew(frame: bytes) -> bytes:
    """The frame with lengths and checksums that another code counted."""
    ethernet, ip, transport = Packet.parse(frame)
    if isinstance(ip, IPv4):
        ip = ip.replace(total_length=None, checksum=None, payload=b"")
    else:
        ip = ip.replace(payload_length=None, payload=b"")
    if isinstance(transport, Udp):
        transport = transport.replace(length=None)
    return build(ethernet.replace(payload=b""), ip, transport.replace(checksum=None))


def test_a_header_of_zeros_wants_nothing() -> None:
    assert Offload.parse(memoryview(bytes(10))) is None


def test_a_header_says_where_the_checksum_counts_and_stands() -> None:
    header = struct.pack("=BBHHHH", 1, 1, 54, 1448, 34, 16)
    assert Offload.parse(memoryview(header)) == Offload(34, 16, 1448)


def test_a_checksum_is_completed_from_the_sum_of_the_pseudo_header() -> None:
    # In TCP's place for the checksum, Linux leaves the sum of what RFC 9293 3.1 calls the
    # pseudo header: addresses, protocol, length.
    unfinished = bytearray(TCP)
    pseudo = TCP[26:34] + struct.pack(">HH", 6, len(TCP) - 34)
    unfinished[50:52] = (internet_checksum(pseudo) ^ 0xFFFF).to_bytes(2, "big")
    assert undo(bytes(unfinished), Offload(34, 16, 0)) == [TCP]


@pytest.mark.parametrize("ip", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("transport", [TCP_HEADER, UDP_HEADER], ids=["TCP", "UDP"])
def test_segments_have_right_headers_and_sums_and_all_of_the_payload(
    ip: IPv4 | IPv6, transport: Tcp | Udp
) -> None:
    frame = large(ip, transport)
    start = 14 + (20 if isinstance(ip, IPv4) else 40)
    offset = 16 if isinstance(transport, Tcp) else 6
    segments = undo(frame, Offload(start, offset, 1000))
    assert [len(one) for one in segments] == [len(frame) - 2560 + n for n in (1000, 1000, 560)]
    assert b"".join(Packet.parse(one).payload for one in segments) == PAYLOAD
    for one in segments:
        assert anew(one) == one


def test_segments_of_tcp_are_numbered_and_only_the_last_one_ends() -> None:
    segments = undo(large(V4, TCP_HEADER), Offload(34, 16, 1000))
    headers = [Packet.parse(one)[Tcp] for one in segments]
    assert [one.seq for one in headers] == [0xFFFF_FF00, 0x2E8, 0x6D0]
    middle = TcpFlags.ACK
    assert [one.flags for one in headers] == [middle | TcpFlags.CWR, middle, LAST]
    assert [Packet.parse(one)[IPv4].identification for one in segments] == [0xFFFF, 0, 1]


def test_what_cannot_be_cut_stays_whole() -> None:
    frame = bytes(range(200))
    assert [len(one) for one in undo(frame, Offload(34, 16, 50))] == [200]
    assert undo(frame[:40], Offload(34, 16, 50)) == [frame[:40]]
