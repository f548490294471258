"""A frame from a description of its fields, as in `tcp,nw_dst=10.0.0.1,tp_dst=80`."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

from protocol import MacAddress, Match, VlanId
from protocol.packet import (
    Arp,
    ArpOp,
    Ethernet,
    EthType,
    Header,
    Icmp,
    IcmpType,
    Icmpv6,
    IpProto,
    IPv4,
    IPv6,
    Mpls,
    Sctp,
    Tcp,
    Udp,
    Vlan,
    build,
)

_SRC, _DST = 1, 2  # the last bytes of addresses that nobody names
_SHORTEST = 60  # bytes of a frame, its checksum left out (IEEE 802.3 3.2.8)
_PORT = 1024
_SUPPORTED = frozenset(
    {
        *("in_port", "eth_dst", "eth_src", "eth_type", "vlan_vid", "vlan_pcp"),
        *("mpls_label", "mpls_tc", "mpls_bos", "mpls_ttl"),
        *("arp_op", "arp_sha", "arp_spa", "arp_tha", "arp_tpa"),
        *("ip_proto", "ip_dscp", "ip_ecn", "nw_ttl"),
        *("ipv4_src", "ipv4_dst", "ipv6_src", "ipv6_dst", "ipv6_flabel"),
        *("tcp_src", "tcp_dst", "tcp_flags", "udp_src", "udp_dst", "sctp_src", "sctp_dst"),
        *("icmpv4_type", "icmpv4_code", "icmpv6_type", "icmpv6_code"),
    }
)

Fields = Mapping[str, int]


def frame_of(match: Match) -> bytes:
    """Return a frame with the fields of a match; the others have sensible values.

    ValueError, with a sentence that says why, for what no one frame is.

    >>> from protocol import Match
    >>> frame_of(Match.parse("arp,arp_tpa=10.0.0.2")).hex()[:28]
    '0000000000020000000000010806'
    """
    fields = _numbers(match)
    outer: list[Header] = [
        Ethernet(
            dst=MacAddress(fields.get("eth_dst", _DST)),
            src=MacAddress(fields.get("eth_src", _SRC)),
            eth_type=0 if _is_tagged(fields) else _eth_type(fields),
        )
    ]
    if _is_tagged(fields):
        vid = fields.get("vlan_vid", 0) & 0xFFF
        outer.append(Vlan(vid, fields.get("vlan_pcp", 0), eth_type=_eth_type(fields)))
    frame = build(*outer, *_network(fields))
    return frame + bytes(max(0, _SHORTEST - len(frame)))


def _numbers(match: Match) -> dict[str, int]:
    fields: dict[str, int] = {}
    for name, value in match.items():
        if name not in _SUPPORTED:
            raise ValueError(f"no frame can be made with {name}; give the frame in hex")
        if not isinstance(value, int):
            raise ValueError(f"{name} has a mask, and a frame has one value")
        fields[name] = value
    return fields


def _is_tagged(fields: Fields) -> bool:
    return bool(fields.get("vlan_vid", 0) & VlanId.PRESENT) or "vlan_pcp" in fields


def _eth_type(fields: Fields) -> int:
    return fields.get("eth_type", EthType.IPV4)


def _network(fields: Fields) -> list[Header]:
    match _eth_type(fields):
        case EthType.ARP:
            return [_arp(fields)]
        case EthType.IPV4:
            return _ipv4(fields)
        case EthType.IPV6:
            return _ipv6(fields)
        case EthType.MPLS | EthType.MPLS_MULTICAST:
            shim = Mpls(
                fields.get("mpls_label", 16),
                fields.get("mpls_tc", 0),
                fields.get("mpls_bos", 1),
                fields.get("mpls_ttl", 64),
            )
            return [shim, *_ipv4(fields)]
    return []


def _arp(fields: Fields) -> Arp:
    return Arp(
        fields.get("arp_op", ArpOp.REQUEST),
        sha=MacAddress(fields.get("arp_sha", fields.get("eth_src", _SRC))),
        spa=IPv4Address(fields.get("arp_spa", 0x0A00_0001)),
        tha=MacAddress(fields.get("arp_tha", 0)),
        tpa=IPv4Address(fields.get("arp_tpa", 0x0A00_0002)),
    )


def _ipv4(fields: Fields) -> list[Header]:
    header = IPv4(
        src=IPv4Address(fields.get("ipv4_src", 0x0A00_0001)),
        dst=IPv4Address(fields.get("ipv4_dst", 0x0A00_0002)),
        proto=fields.get("ip_proto", 0),
        ttl=fields.get("nw_ttl", 64),
        dscp=fields.get("ip_dscp", 0),
        ecn=fields.get("ip_ecn", 0),
    )
    return [header, *_transport(fields)]


def _ipv6(fields: Fields) -> list[Header]:
    header = IPv6(
        src=IPv6Address(fields.get("ipv6_src", 0xFD << 120 | 1)),
        dst=IPv6Address(fields.get("ipv6_dst", 0xFD << 120 | 2)),
        next_header=fields.get("ip_proto", IpProto.NO_NEXT_HEADER),
        hop_limit=fields.get("nw_ttl", 64),
        dscp=fields.get("ip_dscp", 0),
        ecn=fields.get("ip_ecn", 0),
        flow_label=fields.get("ipv6_flabel", 0),
    )
    return [header, *_transport(fields)]


def _transport(fields: Fields) -> list[Header]:
    match fields.get("ip_proto"):
        case IpProto.TCP:
            flags = fields.get("tcp_flags", 0)
            return [Tcp(fields.get("tcp_src", _PORT), fields.get("tcp_dst", _PORT), flags=flags)]
        case IpProto.UDP:
            return [Udp(fields.get("udp_src", _PORT), fields.get("udp_dst", _PORT))]
        case IpProto.SCTP:
            return [Sctp(fields.get("sctp_src", _PORT), fields.get("sctp_dst", _PORT))]
        case IpProto.ICMP:
            kind = fields.get("icmpv4_type", IcmpType.ECHO_REQUEST)
            return [Icmp(kind, fields.get("icmpv4_code", 0))]
        case IpProto.ICMPV6:
            return [Icmpv6(fields.get("icmpv6_type", 128), fields.get("icmpv6_code", 0))]
    return []
