"""Each header alone: bytes from elsewhere (os-ken 4.2.2), and what they mean."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from protocol.addresses import MacAddress
from protocol.exceptions import DecodeError, EncodeError
from protocol.packet import (
    Arp,
    ArpOp,
    Authentication,
    DestinationOptions,
    Echo,
    Ethernet,
    EthType,
    Fragment,
    Header,
    HopByHop,
    Icmp,
    IcmpType,
    Icmpv6,
    Icmpv6Type,
    IpProto,
    IPv4,
    IPv4Flags,
    IPv6,
    Mpls,
    NdOption,
    NdOptionType,
    NeighborAdvertisement,
    NeighborSolicitation,
    Pbb,
    Routing,
    Sctp,
    Tcp,
    TcpFlags,
    Udp,
    Vlan,
)

IP1, IP2 = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
V6_1, V6_2 = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")

VECTORS: list[tuple[str, Header]] = [
    (
        "0000000000020000000000019000 6c6f6f70",
        Ethernet(dst=MacAddress(2), src=MacAddress(1), eth_type=0x9000, payload=b"loop"),
    ),
    (  # a BPDU: the type field holds the length of what follows
        "0180c200000000000000000100264242 03",
        Ethernet(
            dst=MacAddress(0x0180_C200_0000),
            src=MacAddress(1),
            eth_type=0x26,
            payload=b"\x42\x42\x03",
        ),
    ),
    ("b0640806", Vlan(vid=100, pcp=5, dei=1, eth_type=EthType.ARP)),
    ("00064a3f", Mpls(label=100, tc=5, bos=0, ttl=63)),
    ("68123456", Pbb(isid=0x123456, pcp=3, uca=1)),
    (
        "0001080006040002 000000000001 0a000001 000000000002 0a000002",
        Arp(ArpOp.REPLY, sha=MacAddress(1), spa=IP1, tha=MacAddress(2), tpa=IP2),
    ),
    (  # more fragments follow; DSCP 46, ECN 1; a router alert option; two bytes of padding
        "46b9001c123420b94001dedf 0a000001 0a000002 94040000 01020304 0000",
        IPv4(
            src=IP1,
            dst=IP2,
            proto=IpProto.ICMP,
            dscp=46,
            ecn=1,
            identification=0x1234,
            flags=IPv4Flags.MORE_FRAGMENTS,
            fragment_offset=0xB9,
            options=bytes.fromhex("94040000"),
            payload=b"\1\2\3\4",
            trailer=bytes(2),
            ihl=6,
            total_length=28,
            checksum=0xDEDF,
        ),
    ),
    (
        "6b9abcde 0003 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
        "010203 00",
        IPv6(
            src=V6_1,
            dst=V6_2,
            next_header=IpProto.UDP,
            dscp=46,
            ecn=1,
            flow_label=0xABCDE,
            payload=b"\1\2\3",
            trailer=bytes(1),
            payload_length=3,
        ),
    ),
    (
        "3c00050200000100",
        HopByHop(IpProto.DESTINATION_OPTIONS, data=bytes.fromhex("050200000100"), length=0),
    ),
    (
        "2c01010c000000000000000000000000",
        DestinationOptions(
            IpProto.FRAGMENT, data=bytes.fromhex("010c000000000000000000000000"), length=1
        ),
    ),
    (
        "0602020100000000 20010db8000000000000000000000002",
        Routing(IpProto.TCP, data=bytes.fromhex("020100000000") + V6_2.packed, length=2),
    ),
    (
        "11000009deadbeef 7061727400",
        Fragment(IpProto.UDP, offset=1, more=1, id=0xDEADBEEF, payload=b"part\0"),
    ),
    (
        "110400000000010000000007a0e7f8abf9691a8bf39f7cae 00",
        Authentication(
            IpProto.UDP,
            data=bytes.fromhex("00000000010000000007a0e7f8abf9691a8bf39f7cae"),
            length=4,
            payload=bytes(1),
        ),
    ),
    ("0301594a00", Icmp(IcmpType.DESTINATION_UNREACHABLE, 1, checksum=0x594A, payload=bytes(1))),
    ("00070001 6162", Echo(id=7, seq=1, payload=b"ab")),
    ("800092a2", Icmpv6(Icmpv6Type.ECHO_REQUEST, checksum=0x92A2)),
    (
        "00000000 20010db8000000000000000000000002 0101000000000001",
        NeighborSolicitation(
            V6_2, (NdOption(NdOptionType.SOURCE_LINK_ADDRESS, bytes([0, 0, 0, 0, 0, 1]), 1),)
        ),
    ),
    (
        "60000000 20010db8000000000000000000000002 0201000000000002",
        NeighborAdvertisement(
            V6_2,
            (NdOption(NdOptionType.TARGET_LINK_ADDRESS, bytes([0, 0, 0, 0, 0, 2]), 1),),
            solicited=1,
            override=1,
        ),
    ),
    (
        "c0000050000003e8000007d0700272102c040000 020405b403030700 6869",
        Tcp(
            src=49152,
            dst=80,
            seq=1000,
            ack=2000,
            flags=TcpFlags.SYN,
            window=29200,
            options=bytes.fromhex("020405b403030700"),
            payload=b"hi",
            data_offset=7,
            checksum=0x2C04,
        ),
    ),
    (
        "04000035000d97b4 7175657279 000000",
        Udp(
            src=1024, dst=53, payload=b"query", trailer=bytes(3), length=13, checksum=0x97B4
        ),
    ),
    (
        "138817701122334496e3f882 0b000004",
        Sctp(
            src=5000,
            dst=6000,
            verification_tag=0x11223344,
            payload=bytes.fromhex("0b000004"),
            checksum=0x96E3F882,
        ),
    ),
]  # fmt: skip
EACH_HEADER = pytest.mark.parametrize(
    ("text", "header"), VECTORS, ids=[type(header).__name__ for _, header in VECTORS]
)


@EACH_HEADER
def test_bytes_are_read_as_what_they_mean(text: str, header: Header) -> None:
    assert type(header).parse(bytes.fromhex(text)) == header


@EACH_HEADER
def test_a_header_is_written_as_the_same_bytes(text: str, header: Header) -> None:
    assert header.encode() == bytes.fromhex(text)


def test_known_numbers_are_read_with_their_names() -> None:
    ip = IPv4.parse(bytes.fromhex("450000140000000040110000 0a000001 0a000002"))
    assert ip.proto is IpProto.UDP
    assert Arp.parse(bytes.fromhex("0001080006040002" + "00" * 20)).op is ArpOp.REPLY
    assert Ethernet.parse(bytes(12) + b"\x08\x06").eth_type is EthType.ARP


@pytest.mark.parametrize(
    ("kind", "text", "path", "reason"),
    [
        (Ethernet, "00", "Ethernet.dst", "expected 6, found 1"),
        (IPv4, "44" + "00" * 19, "IPv4.options", "ihl 4 is below 5"),
        (IPv4, "46000018" + "00" * 16, "IPv4.options", "4 bytes are needed, 0 are left"),
        (IPv4, "65000014" + "00" * 16, "IPv4.payload", "version 6 is not 4"),
        (IPv4, "45000013" + "00" * 16, "IPv4.payload", "total_length 19 is shorter"),
        (IPv6, "45" + "00" * 39, "IPv6.payload", "version 4 is not 6"),
        (HopByHop, "3b01000000000000", "HopByHop.data", "14 bytes are needed, 6 are left"),
        (Arp, "0006" + "00" * 26, "Arp.hw_type", "6 is not 1"),
        (Tcp, "00" * 12 + "4000" + "00" * 6, "Tcp.options", "data_offset 4 is below 5"),
        (Tcp, "00" * 12 + "6000" + "00" * 6, "Tcp.options", "4 bytes are needed, 0 are left"),
        (Udp, "0001000200070000", "Udp.payload", "length 7 is shorter"),
        (NdOption, "0100000000000000", "NdOption.data", "length 0 cannot be"),
        (NeighborSolicitation, "00" * 20 + "01", "NdOption.length", "expected 1, found 0"),
        (NeighborSolicitation, "00" * 20 + "0102" + "00" * 6, "NdOption.data", "14 bytes"),
    ],
)
def test_broken_bytes_are_refused_with_the_place(
    kind: type[Header], text: str, path: str, reason: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        kind.parse(bytes.fromhex(text))
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert caught.value.code is None


def test_the_beginning_of_a_datagram_is_read() -> None:
    whole = IPv4(src=IP1, dst=IP2, payload=bytes(1000)).encode()
    ip = IPv4.parse(whole[:128])
    assert (ip.total_length, len(ip.payload)) == (1020, 108)
    assert ip.encode() == whole[:128]


def test_ipv4_options_are_filled_up() -> None:
    ip = IPv4.parse(IPv4(src=IP1, dst=IP2, options=b"\x01", payload=b"x").encode())
    assert (ip.ihl, ip.options, ip.payload) == (6, b"\x01\0\0\0", b"x")


def test_tcp_options_are_filled_up() -> None:
    tcp = Tcp.parse(Tcp(src=1, dst=2, options=b"\x01", payload=b"x", checksum=0).encode())
    assert (tcp.data_offset, tcp.options, tcp.payload) == (6, b"\x01\0\0\0", b"x")


def test_a_changed_header_has_its_checksum_computed_anew() -> None:
    ip = IPv4.parse(bytes.fromhex("45000014123440004011ffff0a0000010a000002"))
    again = IPv4.parse(ip.replace(ttl=63).encode())
    assert (again.ttl, again.checksum) == (63, 0x15A3)


def test_a_udp_checksum_of_nothing_is_sent_as_ones() -> None:
    below = IPv4(src=IP1, dst=IP2)
    without = Udp.parse(Udp(src=0, dst=0, payload=bytes(2)).encode(below)).checksum
    assert without is not None
    payload = without.to_bytes(2, "big")  # makes the sum of all words 0xffff
    assert Udp.parse(Udp(src=0, dst=0, payload=payload).encode(below)).checksum == 0xFFFF


@pytest.mark.parametrize("header", [Tcp(src=1, dst=2), Udp(src=1, dst=2), Icmpv6(128)])
def test_a_checksum_over_addresses_wants_to_know_them(header: Header) -> None:
    with pytest.raises(EncodeError, match=r"encode with build"):
        header.encode()


@pytest.mark.parametrize(
    "header",
    [
        HopByHop(data=bytes(7)),
        Authentication(data=bytes(8)),
        NdOption(1, bytes(7)),
        Vlan(vid=4096),
        Mpls(label=1 << 20),
        Icmp(256),
        Arp(ArpOp.REPLY, sha=MacAddress(1 << 48), spa=IP1),
    ],
)
def test_values_that_do_not_fit_are_refused(header: Header) -> None:
    with pytest.raises(EncodeError):
        header.encode()


def test_neighbours_tell_their_ethernet_addresses() -> None:
    mac = MacAddress(0x0000_5E00_5301)
    source = NdOption.link_address(NdOptionType.SOURCE_LINK_ADDRESS, mac)
    target = NdOption.link_address(NdOptionType.TARGET_LINK_ADDRESS, mac)
    assert NeighborSolicitation(V6_1, (source,)).sll == mac
    assert NeighborSolicitation(V6_1, (target,)).sll is None
    assert NeighborAdvertisement(V6_1, (source, target)).tll == mac
