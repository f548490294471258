"""Which connection a packet belongs to (ovs-fields(7) "CONNTRACK FIELDS")."""

from __future__ import annotations

from typing import NamedTuple

from protocol.packet import EthType, IpProto, internet_checksum

from ..flow_key import FlowKey

_PORTS: dict[int, tuple[str, str]] = {
    IpProto.TCP: ("tcp_src", "tcp_dst"),
    IpProto.UDP: ("udp_src", "udp_dst"),
    IpProto.SCTP: ("sctp_src", "sctp_dst"),
}
# The types of ICMP that ask, and those that answer them (RFC 792); the other way round, too.
_ANSWERS = {8: 0, 13: 14, 15: 16}
_ANSWERS6 = {128: 129}
_PAIRS: dict[int, dict[int, int]] = {IpProto.ICMP: _ANSWERS, IpProto.ICMPV6: _ANSWERS6}
_REVERSED = {
    proto: pairs | {answer: ask for ask, answer in pairs.items()} for proto, pairs in _PAIRS.items()
}
# The types that quote the packet they are about: RFC 792, RFC 4443 2.1.
_ERRORS: dict[int, frozenset[int]] = {
    IpProto.ICMP: frozenset({3, 4, 5, 11, 12}),
    IpProto.ICMPV6: frozenset({1, 2, 3, 4}),
}
_QUOTED_AT = 8  # bytes behind the beginning of the ICMP header
_IPV4_HEADER, _IPV6_HEADER = 20, 40
_QUOTED_BYTES = 8  # of the quoted packet's payload; RFC 792 wants no more
_CHECKSUM_AT: dict[int, int] = {IpProto.TCP: 16, IpProto.UDP: 6, IpProto.ICMP: 2, IpProto.ICMPV6: 2}


class FiveTuple(NamedTuple):
    """Zone, addresses, protocol and ports of packets that go one way."""

    zone: int
    eth_type: int
    ip_proto: int
    src: int
    dst: int
    src_port: int = 0  #: both are the identifier where the protocol is ICMP
    dst_port: int = 0
    icmp_type: int = 0

    def back(self) -> FiveTuple:
        """Return the tuple of packets that go the other way."""
        kinds = _REVERSED.get(self.ip_proto, {})
        return FiveTuple(
            self.zone,
            self.eth_type,
            self.ip_proto,
            self.dst,
            self.src,
            self.dst_port,
            self.src_port,
            kinds.get(self.icmp_type, self.icmp_type),
        )

    @property
    def begins(self) -> bool:
        """Whether ICMP of this type begins a connection; other protocols always may."""
        return self.ip_proto not in _PAIRS or self.icmp_type in _PAIRS[self.ip_proto]


class Seen(NamedTuple):
    """What of a packet says to which connection it belongs."""

    tuple: FiveTuple
    is_related: bool = False  #: an ICMP error; the tuple is of the way that the error goes


def five_tuple(key: FlowKey, data: bytes, zone: int) -> Seen | None:
    """Return to which connection a packet belongs, None if to none.

    That is so where a header is cut short, a later fragment has no ports, or a checksum is
    wrong (ovs-fields(7) "ct_state", inv).
    """
    eth_type, proto = key["eth_type"], key["ip_proto"]
    if not key.proto_at or proto is None or key.is_fragment or not _is_whole(key, data, proto):
        return None
    family = "ipv4" if eth_type == EthType.IPV4 else "ipv6"
    ends = zone, eth_type, proto, key[f"{family}_src"], key[f"{family}_dst"]
    if names := _PORTS.get(proto):
        ports = key[names[0]], key[names[1]]
        return None if ports[0] is None else Seen(FiveTuple(*ends, *ports))
    if proto == (IpProto.ICMP if family == "ipv4" else IpProto.ICMPV6):
        return _of_icmp(FiveTuple(*ends), data[key.transport :] if key.transport else b"")
    return Seen(FiveTuple(*ends))


def _of_icmp(ends: FiveTuple, icmp: bytes) -> Seen | None:
    if len(icmp) < _QUOTED_AT:
        return None
    kind, code = icmp[0], icmp[1]
    if kind in _REVERSED[ends.ip_proto]:
        number = int.from_bytes(icmp[4:6], "big")
        whole = ends._replace(src_port=number, dst_port=number, icmp_type=kind)
        return None if code else Seen(whole)
    if kind not in _ERRORS[ends.ip_proto]:
        return None
    quoted = quoted_tuple(ends, icmp[_QUOTED_AT:])
    # Only whoever sent the packet is told of it.
    if quoted is None or quoted.src != ends.dst:
        return None
    return Seen(quoted.back(), is_related=True)


def quoted_tuple(ends: FiveTuple, packet: bytes) -> FiveTuple | None:
    """Return the tuple of a packet that an ICMP error quotes the beginning of."""
    place = quoted_place(ends.eth_type, packet)
    if place is None:
        return None
    proto, transport = place
    if ends.eth_type == EthType.IPV4:
        found = packet[12:16], packet[16:20]
    else:
        found = packet[8:24], packet[24:40]
    addresses = (int.from_bytes(one, "big") for one in found)
    inner = FiveTuple(ends.zone, ends.eth_type, proto, *addresses)
    body = packet[transport:]
    if proto in _PORTS:
        return inner._replace(src_port=_number(body, 0), dst_port=_number(body, 2))
    if proto in _REVERSED and body[0] in _REVERSED[proto]:
        number = _number(body, 4)
        return inner._replace(src_port=number, dst_port=number, icmp_type=body[0])
    return None if proto in _REVERSED else inner


def quoted_place(eth_type: int, packet: bytes) -> tuple[int, int] | None:
    """Return protocol and place of what is behind the IP header of a quoted packet."""
    if eth_type == EthType.IPV4:
        if len(packet) < _IPV4_HEADER or packet[0] >> 4 != 4:
            return None
        proto, transport = packet[9], (packet[0] & 0xF) * 4
        if transport < _IPV4_HEADER or _number(packet, 6) & 0x1FFF:
            return None
    else:
        if len(packet) < _IPV6_HEADER or packet[0] >> 4 != 6:
            return None
        proto, transport = packet[6], _IPV6_HEADER
    return (proto, transport) if len(packet) >= transport + _QUOTED_BYTES else None


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _is_whole(key: FlowKey, data: bytes, proto: int) -> bool:
    """Whether the checksums are right: of an IPv4 header, and of what it carries."""
    network = key.network
    if "ipv4_src" in key:
        header = (data[network] & 0xF) * 4
        end = network + _number(data, network + 2)
        if internet_checksum(data[network : network + header]):
            return False
        pseudo = data[network + 12 : network + 20]
    else:
        end = network + _IPV6_HEADER + _number(data, network + 4)
        pseudo = data[network + 8 : network + 40]
    at = _CHECKSUM_AT.get(proto)
    if at is None or not key.transport:
        return True
    if end > len(data):
        return False
    payload = data[key.transport : end]
    if proto == IpProto.UDP and payload[at : at + 2] == b"\0\0" and "ipv4_src" in key:
        return True
    if proto == IpProto.ICMP:
        return not internet_checksum(payload)
    head = pseudo + len(payload).to_bytes(4, "big") + bytes([0, 0, 0, proto])
    return not internet_checksum(head + payload)
