"""Frames as stacks of headers. The bytes come from os-ken 4.2.2; tshark finds no fault in them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from protocol.addresses import MacAddress
from protocol.exceptions import DecodeError, EncodeError
from protocol.packet import (
    MAX_HEADERS,
    Arp,
    ArpOp,
    Echo,
    Ethernet,
    EthType,
    Header,
    Icmp,
    IcmpType,
    IPv4,
    IPv6,
    Mpls,
    Packet,
    Tcp,
    Udp,
    Vlan,
    build,
)

FRAMES = [
    (  # who has 10.0.0.2? tell 10.0.0.1; filled up to 60 bytes
        "Ethernet Arp",
        "ffffffffffff000000000001080600010800060400010000000000010a000001"
        "0000000000000a000002000000000000000000000000000000000000",
    ),
    (  # UDP 1024 to 53, DSCP 46, ECN 1
        "Ethernet IPv4 Udp",
        "000000000002000000000001080045b9002112344000401113dd0a0000010a00"
        "000204000035000d97b4717565727900000000000000000000000000",
    ),
    (  # UDP with an even number of bytes
        "Ethernet IPv4 Udp",
        "00000000000200000000000108004500002012344000401114970a0000010a00"
        "000204000035000c1cba6576656e0000000000000000000000000000",
    ),
    (  # TCP SYN with maximum segment size and window scale
        "Ethernet IPv4 Tcp",
        "00000000000200000000000108004500003012344000400614920a0000010a00"
        "0002c0000050000003e8000007d0700272102c040000020405b403030700",
    ),
    (  # TCP PSH and ACK with the beginning of an HTTP request
        "Ethernet IPv4 Tcp",
        "00000000000200000000000108004500003a12344000400614880a0000010a00"
        "0002c0000050000003e8000007d0501801f6ef190000474554202f2048545450"
        "2f312e300d0a0d0a",
    ),
    (  # ping with a router alert option
        "Ethernet IPv4 Icmp Echo",
        "0000000000020000000000010800460000281234400040017f9a0a0000010a00"
        "00029404000008006662000700016162636465666768000000000000",
    ),
    (  # ping
        "Ethernet IPv4 Icmp Echo",
        "00000000000200000000000108004500002412344000400114a30a0000010a00"
        "00020800666200070001616263646566676800000000000000000000",
    ),
    (  # ICMP host unreachable
        "Ethernet IPv4 Icmp",
        "00000000000200000000000108004500002412344000400114a30a0000010a00"
        "00020301594a000000006f726967696e616c00000000000000000000",
    ),
    (  # an ARP reply behind service tag 100 and customer tag 200
        "Ethernet Vlan Vlan Arp",
        "00000000000200000000000188a8b064810060c8080600010800060400020000"
        "000000010a0000010000000000020a00000200000000000000000000",
    ),
    (  # labels 100 and 16, UDP behind them
        "Ethernet Mpls Mpls IPv4 Udp",
        "000000000002000000000001884700064a3f000101404500001d123440004011"
        "149a0a0000010a00000200010002000973d678000000000000000000",
    ),
    (  # a loopback frame inside a backbone frame
        "Ethernet Pbb Ethernet",
        "00000000000200000000000188e7681234560000000000040000000000039000"
        "6c6f6f7000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000",
    ),
    (  # UDP over IPv6 with traffic class and flow label
        "Ethernet IPv6 Udp",
        "00000000000200000000000186dd6b9abcde000d114020010db8000000000000"
        "00000000000120010db800000000000000000000000204000035000d50427175"
        "657279",
    ),
    (  # TCP ACK over IPv6
        "Ethernet IPv6 Tcp",
        "00000000000200000000000186dd600000000016064020010db8000000000000"
        "00000000000120010db8000000000000000000000002c0000050000003e80000"
        "07d0501001f61df600006869",
    ),
    (  # ping over IPv6
        "Ethernet IPv6 Icmpv6 Echo",
        "00000000000200000000000186dd6000000000103a4020010db8000000000000"
        "00000000000120010db8000000000000000000000002800092a2000700016162"
        "636465666768",
    ),
    (  # who has 2001:db8::2?
        "Ethernet IPv6 Icmpv6 NeighborSolicitation",
        "3333ff00000200000000000186dd6000000000203aff20010db8000000000000"
        "000000000001ff0200000000000000000001ff00000287001e27000000002001"
        "0db80000000000000000000000020101000000000001",
    ),
    (  # 2001:db8::2 is at 00:00:00:00:00:02
        "Ethernet IPv6 Icmpv6 NeighborAdvertisement",
        "00000000000200000000000186dd6000000000203aff20010db8000000000000"
        "00000000000220010db800000000000000000000000188008c71600000002001"
        "0db80000000000000000000000020201000000000002",
    ),
    (  # UDP behind hop-by-hop options, destination options and a fragment header
        "Ethernet IPv6 HopByHop DestinationOptions Fragment Udp",
        "00000000000200000000000186dd60000000002d004020010db8000000000000"
        "00000000000120010db80000000000000000000000023c000502000001002c01"
        "010c00000000000000000000000011000000deadbeef04000035000d50427175"
        "657279",
    ),
    (  # UDP behind an authentication header
        "Ethernet IPv6 Authentication Udp",
        "00000000000200000000000186dd600000000025334020010db8000000000000"
        "00000000000120010db800000000000000000000000211040000000001000000"
        "0007a0e7f8abf9691a8bf39f7cae04000035000d50427175657279",
    ),
    (  # LLDP of chassis 00:00:00:00:00:01, port eth3
        "Ethernet Lldp",
        "0180c200000e00000000000188cc020704000000000001040505657468330602"
        "00780a027331fe0a0026e100647069643a3100000000000000000000",
    ),
    (  # SCTP COOKIE ACK
        "Ethernet IPv4 Sctp",
        "00000000000200000000000108004500002412344000408414200a0000010a00"
        "0002138817701122334496e3f8820b00000400000000000000000000",
    ),
]
EACH_FRAME = pytest.mark.parametrize(
    "data", [bytes.fromhex(text) for _, text in FRAMES], ids=[names for names, _ in FRAMES]
)

ETHERNET = Ethernet(dst=MacAddress(2), src=MacAddress(1))
IP = IPv4(src=IPv4Address("10.0.0.1"), dst=IPv4Address("10.0.0.2"))


def names(headers: Packet) -> str:
    return " ".join(type(header).__name__ for header in headers)


@pytest.mark.parametrize(("expected", "text"), FRAMES, ids=[names for names, _ in FRAMES])
def test_a_frame_is_taken_apart_header_by_header(expected: str, text: str) -> None:
    assert names(Packet.parse(bytes.fromhex(text))) == expected


@EACH_FRAME
def test_a_frame_parsed_and_encoded_is_the_same_bytes(data: bytes) -> None:
    assert Packet.parse(data).encode() == data


@EACH_FRAME
def test_lengths_and_checksums_computed_anew_are_those_that_came(data: bytes) -> None:
    assert build(*(header.replace() for header in Packet.parse(data))) == data


@EACH_FRAME
def test_a_frame_cut_short_gives_back_its_bytes(data: bytes) -> None:
    for size in range(14, len(data)):
        assert Packet.parse(data[:size]).encode() == data[:size]


@pytest.mark.parametrize("size", range(14))
def test_fewer_bytes_than_an_ethernet_header_are_refused(size: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Packet.parse(bytes(size))
    assert caught.value.path.startswith("Ethernet.")


def test_announced_numbers_are_filled_in() -> None:
    headers = (ETHERNET, Vlan(vid=5), Mpls(label=16), Mpls(label=17), IP, Tcp(src=1, dst=2))

    packet = Packet.parse(build(*headers, b"data"))

    assert names(packet) == "Ethernet Vlan Mpls Mpls IPv4 Tcp"
    assert packet[Ethernet].eth_type == EthType.VLAN
    assert [h.bos for h in packet if isinstance(h, Mpls)] == [0, 1]
    assert packet.payload == b"data"


def test_a_number_that_is_given_stays() -> None:
    frame = build(ETHERNET.replace(eth_type=EthType.SERVICE_VLAN), Vlan(vid=5), b"")
    assert Ethernet.parse(frame).eth_type == EthType.SERVICE_VLAN


def test_an_echo_reply_stays_a_reply() -> None:
    frame = build(ETHERNET, IP, Icmp(IcmpType.ECHO_REPLY), Echo(id=1, seq=2, payload=b"ping"))
    packet = Packet.parse(frame)
    assert packet[Icmp].type is IcmpType.ECHO_REPLY
    assert packet[Echo] == Echo(id=1, seq=2, payload=b"ping")


def test_a_wrong_checksum_is_kept() -> None:
    frame = build(ETHERNET, IP.replace(checksum=0xBAD), Udp(src=1, dst=2, checksum=0xBEEF), b"x")
    packet = Packet.parse(frame)
    assert (packet[IPv4].checksum, packet[Udp].checksum) == (0xBAD, 0xBEEF)
    assert packet.encode() == frame


def test_the_last_header_keeps_its_own_payload() -> None:
    udp = Udp(src=1, dst=2, payload=b"own")
    assert build(ETHERNET, IP, udp) == build(ETHERNET, IP, udp, b"own")


def test_ethernet_padding_is_no_payload() -> None:
    frame = build(ETHERNET, IP, Tcp(src=1, dst=2), b"x").ljust(60, b"\0")
    packet = Packet.parse(frame)
    assert packet.payload == b"x"
    assert packet[IPv4].trailer == bytes(5)


def test_a_fragment_that_is_not_the_first_has_no_udp_header() -> None:
    frame = build(ETHERNET, IP.replace(fragment_offset=1, proto=17), b"rest of a datagram")
    assert names(Packet.parse(frame)) == "Ethernet IPv4"


def test_broken_upper_headers_stay_payload() -> None:
    frame = build(ETHERNET.replace(eth_type=EthType.IPV4), b"\x35 no datagram")
    packet = Packet.parse(frame)
    assert names(packet) == "Ethernet"
    assert packet.payload == b"\x35 no datagram"


def test_labels_with_an_unknown_payload_end_the_stack() -> None:
    frame = build(ETHERNET, Mpls(label=16), b"\0\0\0\0pseudowire")
    assert names(Packet.parse(frame)) == "Ethernet Mpls"


@pytest.mark.parametrize("tag", ["00058100", "00010000"])  # VLAN tags; labels without a bottom
def test_a_frame_of_nothing_but_tags_is_given_up(tag: str) -> None:
    eth_type = "8100" if tag.endswith("8100") else "8847"
    frame = bytes(12) + bytes.fromhex(eth_type + tag * 16000)
    packet = Packet.parse(frame)
    assert len(packet.headers) == MAX_HEADERS
    assert packet.encode() == frame


def test_headers_are_found_by_class() -> None:
    packet = Packet.parse(build(ETHERNET, IP, Udp(src=1, dst=2)))
    assert Udp in packet
    assert packet.get(Tcp) is None
    with pytest.raises(KeyError, match="Tcp"):
        packet[Tcp]


def test_headers_match_patterns() -> None:
    arp = Arp(ArpOp.REQUEST, sha=MacAddress(1), spa=IP.src, tpa=IP.dst)
    match Packet.parse(build(ETHERNET, arp)).headers:
        case (Ethernet(src=src), Arp(op=ArpOp.REQUEST, tpa=asked)):
            assert (src, asked) == (MacAddress(1), IP.dst)
        case other:
            pytest.fail(f"{other}")


def test_parsing_can_begin_at_another_header() -> None:
    data = build(IP, Udp(src=1, dst=2), b"x")
    assert names(Packet.parse(data, IPv4)) == "IPv4 Udp"


def test_ipv6_in_ipv4_sums_over_the_nearer_addresses() -> None:
    inner = IPv6(src=IPv6Address(1), dst=IPv6Address(2))
    frame = build(ETHERNET, IP, inner, Udp(src=1, dst=2), b"x")
    assert frame.endswith(build(inner, Udp(src=1, dst=2), b"x"))


@pytest.mark.parametrize(
    "parts",
    [
        (b"payload", ETHERNET),
        (Arp(ArpOp.REQUEST, sha=MacAddress(1), spa=IP.src), b"payload"),
        (ETHERNET, Udp(src=1, dst=2)),  # no addresses for the checksum
        (ETHERNET, IP, bytes(0x10000)),  # longer than total_length can say
        (ETHERNET, Vlan(vid=4096)),
        (ETHERNET, IP.replace(src="10.0.0.1"), Udp(src=1, dst=2)),
        (ETHERNET, IP, Tcp(src=1, dst=2, options=bytes(44))),
    ],
)
def test_what_no_frame_can_say_is_refused(parts: tuple[Header | bytes, ...]) -> None:
    with pytest.raises(EncodeError):
        build(*parts)
