"""From a frame to the values of its match fields, and where its headers begin.

Written by hand: every frame comes by here. Bytes that make no sense leave their fields out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from protocol import Port
from protocol.oxm import VlanId
from protocol.packet import EthType

MIN_FRAME = 14  #: bytes of an Ethernet header
TAG_TYPES = frozenset({0x8100, 0x88A8})

_ETHERNET = struct.Struct(">QIH")  # both addresses, the type
_TAG = struct.Struct(">HH")
_SHIM = struct.Struct(">I")
_ARP = struct.Struct(">HHBBHQHQH")  # the addresses as 48 + 16, 16, 48 + 16, 16 bits
_IPV4 = struct.Struct(">BBHHHBBHII")
_IPV6 = struct.Struct(">IHBBQQQQ")
_PORTS = struct.Struct(">HH")
_TCP = struct.Struct(">HH8xH")
_ICMP = struct.Struct(">BB")
_ETHERNET_IPV4 = (1, 0x0800, 6, 4)  # of ARP: hardware, protocol, and the sizes of addresses

_FIRST_TYPE = 0x0600  # below it the number is a length (IEEE 802.3 3.2.6)
_NO_TYPE = 0x05FF  # the type of frames that have none (OF1.0 3.4, OFP_DL_TYPE_NOT_ETH_TYPE)
_SNAP = bytes.fromhex("aaaa03000000")


class FlowKey(dict[str, int]):
    """The match fields of a frame by name; those that it lacks are None.

    The attributes say where headers begin, in bytes; 0 where there is none. Fields that few
    look at are read when they are asked for: `DERIVED` has those.
    """

    data = b""  #: the frame
    type_at = 12  #: the Ethernet type behind the tags
    vlan = 0  #: the outermost tag's 16 bits of priority and VID
    mpls = 0  #: the outermost shim
    pbb = 0  #: the 32 bits of the service tag
    network = 0  #: ARP, IPv4 or IPv6
    proto_at = 0  #: the number that says what the IP header carries
    transport = 0
    nd_address = 0  #: the link-layer address in the option of neighbour discovery
    is_fragment = False

    def __missing__(self, name: str) -> int | None:
        read = DERIVED.get(name)
        return None if read is None else read(self)


#: The fields that are not kept, and how each is read. Extensions add theirs.
DERIVED: dict[str, Callable[[FlowKey], int | None]] = {}

#: The fields that lie in no frame: what they are does not depend on its bytes. Extensions
#: add theirs.
PIPELINE_FIELDS = {
    "in_port", "in_phy_port", "metadata", "tunnel_id", "packet_type", "actset_output",
}  # fmt: skip


def flow_key(data: bytes, in_port: int, metadata: int = 0, tunnel_id: int = 0) -> FlowKey:
    """Return what a frame can be matched by (OF1.3.5 7.2.3.7 "Flow Match Fields")."""
    key = FlowKey(
        in_port=in_port,
        in_phy_port=in_port,
        metadata=metadata,
        tunnel_id=tunnel_id,
        packet_type=0,
        actset_output=Port.UNSET,
    )
    key.data = data
    if len(data) < MIN_FRAME:
        return key
    high, low, eth_type = _ETHERNET.unpack_from(data)
    key["eth_dst"] = high >> 16
    key["eth_src"] = (high & 0xFFFF) << 32 | low
    at = 12
    if eth_type in TAG_TYPES:
        eth_type, at = _tags(key, data, eth_type)
    else:
        key["vlan_vid"] = 0
    if eth_type < _FIRST_TYPE:
        eth_type, at = _type_of_length(data, at)
    key["eth_type"] = eth_type
    key.type_at = at
    if parse := _BY_ETH_TYPE.get(eth_type):
        parse(key, data, at + 2)
    return key


def _tags(key: FlowKey, data: bytes, eth_type: int) -> tuple[int, int]:
    """Take in the outermost tag; return the type behind all tags, and where it stands."""
    at = 12
    key["vlan_vid"] = 0
    while eth_type in TAG_TYPES and len(data) >= at + 6:
        tci, eth_type = _TAG.unpack_from(data, at + 2)
        if not key.vlan:
            key.vlan = at + 2
            key["vlan_vid"] = VlanId.PRESENT.value | tci & 0xFFF
            key["vlan_pcp"] = tci >> 13
        at += 4
    return eth_type, at


def _type_of_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the type that a frame of IEEE 802.3 counts as (OF1.0 3.4 "Matching")."""
    if data[at + 2 : at + 8] == _SNAP and len(data) >= at + 10:
        eth_type = int.from_bytes(data[at + 8 : at + 10], "big")
        if eth_type >= _FIRST_TYPE:
            return eth_type, at + 8
    return _NO_TYPE, at


def _arp(key: FlowKey, data: bytes, at: int) -> None:
    if len(data) < at + _ARP.size:
        return
    *kind, op, sha, spa, tha, tpa = _ARP.unpack_from(data, at)
    if tuple(kind) != _ETHERNET_IPV4:
        return
    key.network = at
    key["arp_op"] = op
    key["arp_sha"] = sha >> 16
    key["arp_spa"] = (sha & 0xFFFF) << 16 | spa
    key["arp_tha"] = tha >> 16
    key["arp_tpa"] = (tha & 0xFFFF) << 16 | tpa


def _mpls(key: FlowKey, data: bytes, at: int) -> None:
    if len(data) < at + _SHIM.size:
        return
    (shim,) = _SHIM.unpack_from(data, at)
    key.mpls = at
    key["mpls_label"] = shim >> 12
    key["mpls_tc"] = shim >> 9 & 7
    key["mpls_bos"] = shim >> 8 & 1


def _pbb(key: FlowKey, data: bytes, at: int) -> None:
    if len(data) < at + 4 + MIN_FRAME:
        return
    (tag,) = _SHIM.unpack_from(data, at)
    key.pbb = at
    key["pbb_isid"] = tag & 0xFF_FFFF
    key["pbb_uca"] = tag >> 27 & 1


def _ipv4(key: FlowKey, data: bytes, at: int) -> None:
    if len(data) < at + _IPV4.size:
        return
    version, tos, length, _, fragment, _, proto, _, source, target = _IPV4.unpack_from(data, at)
    header = (version & 0xF) * 4
    end = min(at + length, len(data))
    if version >> 4 != 4 or header < _IPV4.size or end < at + header:
        return
    key.network, key.proto_at = at, at + 9
    key["ip_dscp"] = tos >> 2
    key["ip_ecn"] = tos & 3
    key["ip_proto"] = proto
    key["ipv4_src"] = source
    key["ipv4_dst"] = target
    if fragment & 0x3FFF:
        key.is_fragment = True
        if fragment & 0x1FFF:
            return
    if parse := _BY_PROTO4.get(proto):
        parse(key, data, at + header, end)


def _ipv6(key: FlowKey, data: bytes, at: int) -> None:
    if len(data) < at + _IPV6.size:
        return
    first, length, proto, _, *halves = _IPV6.unpack_from(data, at)
    if first >> 28 != 6:
        return
    key.network, key.proto_at = at, at + 6
    key["ip_dscp"] = first >> 22 & 0x3F
    key["ip_ecn"] = first >> 20 & 3
    key["ipv6_flabel"] = first & 0xF_FFFF
    key["ipv6_src"] = halves[0] << 64 | halves[1]
    key["ipv6_dst"] = halves[2] << 64 | halves[3]
    end = min(at + 40 + length, len(data))
    if proto in _EXTENSIONS:
        _extensions(key, data, at + 40, end, proto)
        return
    key["ipv6_exthdr"] = 0
    key["ip_proto"] = proto
    if parse := _BY_PROTO6.get(proto):
        parse(key, data, at + 40, end)


# The bits of ipv6_exthdr (OF1.3.5 7.2.3.7, ofp_ipv6exthdr_flags), and the order of RFC 8200 4.1.
_NO_NEXT, _FRAGMENT, _AUTHENTICATION, _ESP, _DESTINATION = 59, 44, 51, 50, 60
_EXTENSIONS = {
    _NO_NEXT: 1 << 0,
    _ESP: 1 << 1,
    _AUTHENTICATION: 1 << 2,
    _DESTINATION: 1 << 3,
    _FRAGMENT: 1 << 4,
    43: 1 << 5,
    0: 1 << 6,
}
_REPEATED, _OUT_OF_ORDER = 1 << 7, 1 << 8
_ORDER = {0: 0, _DESTINATION: 1, 43: 2, _FRAGMENT: 3, _AUTHENTICATION: 4, _ESP: 5, _NO_NEXT: 7}
_LAST_DESTINATION = 6


def _extensions(key: FlowKey, data: bytes, at: int, end: int, proto: int) -> None:
    """Take in the extension headers, and what stands behind them."""
    seen: list[int] = []
    later = False
    while proto in _EXTENSIONS:
        seen.append(proto)
        if proto in (_NO_NEXT, _ESP) or end < at + 8:
            break
        key.proto_at = at
        if proto == _FRAGMENT:
            offset = int.from_bytes(data[at + 2 : at + 4], "big")
            key.is_fragment = key.is_fragment or offset & 0xFFF9 != 0
            later = later or offset & 0xFFF8 != 0
        size = _extension_size(proto, data[at + 1])
        proto, at = data[at], at + size
        if later or at > end:
            break
    key["ipv6_exthdr"] = _summary(seen)
    if at > end or (proto in _EXTENSIONS and proto not in (_NO_NEXT, _ESP) and not later):
        return  # cut short
    key["ip_proto"] = proto
    if not later and (parse := _BY_PROTO6.get(proto)):
        parse(key, data, at, end)


def _extension_size(proto: int, length: int) -> int:
    if proto == _FRAGMENT:
        return 8
    return (length + 2) * 4 if proto == _AUTHENTICATION else (length + 1) * 8


def _summary(seen: list[int]) -> int:
    bits, last, counts = 0, -1, dict[int, int]()
    for proto in seen:
        bits |= _EXTENSIONS[proto]
        counts[proto] = counts.get(proto, 0) + 1
        if counts[proto] > (2 if proto == _DESTINATION else 1):
            bits |= _REPEATED
        place = _ORDER[proto]
        if proto == _DESTINATION and last >= _ORDER[_DESTINATION]:
            place = _LAST_DESTINATION
        if place < last:
            bits |= _OUT_OF_ORDER
        last = max(last, place)
    return bits


def _tcp(key: FlowKey, data: bytes, at: int, end: int) -> None:
    if end >= at + 20:
        key.transport = at
        key["tcp_src"], key["tcp_dst"], flags = _TCP.unpack_from(data, at)
        key["tcp_flags"] = flags & 0xFFF


def _udp(key: FlowKey, data: bytes, at: int, end: int) -> None:
    if end >= at + 8:
        key.transport = at
        key["udp_src"], key["udp_dst"] = _PORTS.unpack_from(data, at)


def _sctp(key: FlowKey, data: bytes, at: int, end: int) -> None:
    if end >= at + 12:
        key.transport = at
        key["sctp_src"], key["sctp_dst"] = _PORTS.unpack_from(data, at)


def _icmpv4(key: FlowKey, data: bytes, at: int, end: int) -> None:
    if end >= at + 4:
        key.transport = at
        key["icmpv4_type"], key["icmpv4_code"] = _ICMP.unpack_from(data, at)


_SOLICITATION, _ADVERTISEMENT = 135, 136
_ND_OPTIONS = {_SOLICITATION: (1, "ipv6_nd_sll"), _ADVERTISEMENT: (2, "ipv6_nd_tll")}


def _icmpv6(key: FlowKey, data: bytes, at: int, end: int) -> None:
    if end < at + 4:
        return
    key.transport = at
    kind, code = _ICMP.unpack_from(data, at)
    key["icmpv6_type"], key["icmpv6_code"] = kind, code
    if kind in _ND_OPTIONS and code == 0 and end >= at + 24:
        key["ipv6_nd_target"] = int.from_bytes(data[at + 8 : at + 24], "big")
        _nd_options(key, data, at + 24, end, *_ND_OPTIONS[kind])


def _nd_options(key: FlowKey, data: bytes, at: int, end: int, wanted: int, name: str) -> None:
    """Look for the option with the link-layer address (RFC 4861 4.6.1)."""
    while at + 8 <= end and data[at + 1]:
        if data[at] == wanted and data[at + 1] == 1:
            key.nd_address = at + 2
            key[name] = int.from_bytes(data[at + 2 : at + 8], "big")
            return
        at += data[at + 1] * 8


_BY_PROTO4 = {6: _tcp, 17: _udp, 132: _sctp, 1: _icmpv4}
_BY_PROTO6 = {6: _tcp, 17: _udp, 132: _sctp, 58: _icmpv6}
_BY_ETH_TYPE = {
    EthType.IPV4.value: _ipv4,
    EthType.IPV6.value: _ipv6,
    EthType.ARP.value: _arp,
    EthType.MPLS.value: _mpls,
    EthType.MPLS_MULTICAST.value: _mpls,
    EthType.PBB.value: _pbb,
}
