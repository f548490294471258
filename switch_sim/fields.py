"""Where each match field lies in a frame, and what it takes to set one: checksums."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from protocol import VlanId
from protocol.packet import crc32c

from .flow_key import FlowKey
from .packet import Packet


class Place(NamedTuple):
    """Bits in a frame: `bits` of them, `shift` from the right of `size` bytes."""

    header: str  #: the attribute of FlowKey that says where the header begins
    offset: int
    size: int
    bits: int
    shift: int = 0


_FRAME, _TYPE, _TAG, _SHIM, _SERVICE = "frame", "type_at", "vlan", "mpls", "pbb"
_NETWORK, _PROTO, _TRANSPORT, _ND = "network", "proto_at", "transport", "nd_address"

_PLACES = {
    "eth_dst": Place(_FRAME, 0, 6, 48),
    "eth_src": Place(_FRAME, 6, 6, 48),
    "eth_type": Place(_TYPE, 0, 2, 16),
    "vlan_vid": Place(_TAG, 0, 2, 12),
    "vlan_pcp": Place(_TAG, 0, 2, 3, 13),
    "ip_dscp": Place(_NETWORK, 1, 1, 6, 2),
    "ip_ecn": Place(_NETWORK, 1, 1, 2),
    "ip_proto": Place(_PROTO, 0, 1, 8),
    "ipv4_src": Place(_NETWORK, 12, 4, 32),
    "ipv4_dst": Place(_NETWORK, 16, 4, 32),
    "tcp_src": Place(_TRANSPORT, 0, 2, 16),
    "tcp_dst": Place(_TRANSPORT, 2, 2, 16),
    "tcp_flags": Place(_TRANSPORT, 12, 2, 12),
    "udp_src": Place(_TRANSPORT, 0, 2, 16),
    "udp_dst": Place(_TRANSPORT, 2, 2, 16),
    "sctp_src": Place(_TRANSPORT, 0, 2, 16),
    "sctp_dst": Place(_TRANSPORT, 2, 2, 16),
    "icmpv4_type": Place(_TRANSPORT, 0, 1, 8),
    "icmpv4_code": Place(_TRANSPORT, 1, 1, 8),
    "arp_op": Place(_NETWORK, 6, 2, 16),
    "arp_sha": Place(_NETWORK, 8, 6, 48),
    "arp_spa": Place(_NETWORK, 14, 4, 32),
    "arp_tha": Place(_NETWORK, 18, 6, 48),
    "arp_tpa": Place(_NETWORK, 24, 4, 32),
    "ipv6_src": Place(_NETWORK, 8, 16, 128),
    "ipv6_dst": Place(_NETWORK, 24, 16, 128),
    "ipv6_flabel": Place(_NETWORK, 0, 4, 20),
    "icmpv6_type": Place(_TRANSPORT, 0, 1, 8),
    "icmpv6_code": Place(_TRANSPORT, 1, 1, 8),
    "ipv6_nd_target": Place(_TRANSPORT, 8, 16, 128),
    "ipv6_nd_sll": Place(_ND, 0, 6, 48),
    "ipv6_nd_tll": Place(_ND, 0, 6, 48),
    "mpls_label": Place(_SHIM, 0, 4, 20, 12),
    "mpls_tc": Place(_SHIM, 0, 4, 3, 9),
    "mpls_bos": Place(_SHIM, 0, 4, 1, 8),
    "pbb_isid": Place(_SERVICE, 0, 4, 24),
    "pbb_uca": Place(_SERVICE, 0, 4, 1, 27),
}
_PLACES_IPV6 = {"ip_dscp": Place(_NETWORK, 0, 2, 6, 6), "ip_ecn": Place(_NETWORK, 0, 2, 2, 4)}

#: In which header each field lies: the attribute of FlowKey, or "frame".
HEADERS = {name: place.header for name, place in _PLACES.items()}

#: The fields that set_field and copy_field may change: all of a header, and these two.
REGISTERS = frozenset({"metadata", "tunnel_id"})
SETTABLE = frozenset(_PLACES) | REGISTERS

# Where the other fields lie, or which there are, depends on these.
_DECISIVE = frozenset({"eth_type", "ip_proto", "icmpv6_type", "icmpv6_code", "mpls_bos"})
_ADDRESSES = frozenset({"ipv4_src", "ipv4_dst", "ipv6_src", "ipv6_dst"})


#: How the fields are set that are no bits of a header. Extensions add theirs.
SETTERS: dict[str, Callable[[Packet, int], None]] = {}


def locate(key: FlowKey, name: str) -> tuple[int, Place] | None:
    """Return the first byte of the word with a field, and the field's place in it.

    None where the frame lacks it; KeyError for a field that lies in no header.
    """
    place = _PLACES[name]
    if "ipv6_src" in key:
        place = _PLACES_IPV6.get(name, place)
    start = 0 if place.header == _FRAME else getattr(key, place.header)
    if name not in key or (not start and place.header != _FRAME):
        return None
    return start + place.offset, place


def set_field(packet: Packet, name: str, value: int) -> None:
    """Set a field and keep the checksums right. A packet without the field stays as it is.

    A checksum that was wrong stays wrong, as the change is added to it (RFC 1624).
    """
    if setter := SETTERS.get(name):
        setter(packet, value)
    elif name == "metadata":
        packet.set_metadata(value)
    elif name == "tunnel_id":
        packet.set_tunnel_id(value)
    elif name == "vlan_vid":
        _set_header_field(packet, name, value | VlanId.PRESENT)
    else:
        _set_header_field(packet, name, value)


def _set_header_field(packet: Packet, name: str, value: int) -> None:
    key = packet.key
    found = locate(key, name)
    if found is None:
        return
    at, place = found
    data = bytearray(packet.data)
    word = int.from_bytes(data[at : at + place.size], "big")
    mask = (1 << place.bits) - 1 << place.shift
    word = word & ~mask | value << place.shift & mask
    replace_bytes(data, key, at, word.to_bytes(place.size, "big"), name in _ADDRESSES)
    if name in _DECISIVE:
        packet.change(bytes(data))
    else:
        packet.change_field(bytes(data), name, value)


# Checksums

_CHECKSUM_AT = {6: 16, 17: 6, 1: 2, 58: 2}  # behind the beginning of the transport header
_WITH_ADDRESSES = frozenset({6, 17, 58})
_UDP, _SCTP, _ICMPV6 = 17, 132, 58
_ROUTING = 1 << 5  # of ipv6_exthdr


def replace_bytes(
    data: bytearray, key: FlowKey, at: int, new: bytes, is_address: bool = False
) -> None:
    """Put `new` at `at`, and add the change to the checksums that cover it.

    An IP address is covered by the transport's checksum as well, as is the protocol number.
    """
    end = at + len(new)
    if not key.network or end <= key.network or "arp_op" in key:
        data[at:end] = new
        return
    in_transport = key.transport and at >= key.transport
    base = key.transport if in_transport else key.network
    before = _words(data, at, end, base)
    old, data[at:end] = bytes(data[at:end]), new
    change = _words(data, at, end, base) - before
    proto = key.get("ip_proto", -1)
    if "ipv4_src" in key and not in_transport:
        add_to_checksum(data, key.network + 10, change)
    if in_transport and proto == _SCTP:
        _fix_sctp(data, key, at, old)
    elif in_transport:
        _fix_transport(data, key, proto, change)
    elif proto in _WITH_ADDRESSES and _is_covered(key, at, is_address):
        if at == key.proto_at:
            change = new[0] - proto
        _fix_transport(data, key, proto, change)


def _is_covered(key: FlowKey, at: int, is_address: bool) -> bool:
    if at == key.proto_at:
        return True
    # Behind a routing header the checksum has the last address, not the one in the header.
    routed = at == key.network + 24 and key.get("ipv6_exthdr", 0) & _ROUTING
    return is_address and not routed


def _fix_transport(data: bytearray, key: FlowKey, proto: int, change: int) -> None:
    if not key.transport:
        return
    at = key.transport + _CHECKSUM_AT[proto]
    if proto == _UDP:
        if data[at : at + 2] == b"\0\0":  # the sender made none (RFC 768)
            return
        add_to_checksum(data, at, change)
        if data[at : at + 2] == b"\0\0":
            data[at : at + 2] = b"\xff\xff"
    elif at + 2 <= len(data):
        add_to_checksum(data, at, change)


def _words(data: bytearray, start: int, end: int, base: int) -> int:
    """Return the 16-bit words around some bytes as one number.

    Its remainder modulo 0xFFFF is the words' sum, since 2**16 is 1 there.
    """
    start -= (start - base) & 1
    end += (end - base) & 1
    return int.from_bytes(data[start:end], "big")


def add_to_checksum(data: bytearray, at: int, change: int) -> None:
    """Add a change of the words that the checksum at `at` covers."""
    if change % 0xFFFF:
        checksum = data[at] << 8 | data[at + 1]
        total = ((checksum ^ 0xFFFF) + change) % 0xFFFF or 0xFFFF
        data[at : at + 2] = (total ^ 0xFFFF).to_bytes(2, "big")


def _fix_sctp(data: bytearray, key: FlowKey, at: int, old: bytes) -> None:
    """Add a change of the packet to SCTP's checksum (RFC 9260 6.8 "CRC32c Checksum Calculation").

    Two packets of a length differ in their CRC by what their difference is, whether that was right
    or not. Of a fragment we do not know the length, so its checksum stays.
    """
    network = key.network
    if "ipv4_src" in key:
        end = network + int.from_bytes(data[network + 2 : network + 4], "big")
    else:
        end = network + 40 + int.from_bytes(data[network + 4 : network + 6], "big")
    if key.is_fragment or end > len(data):
        return
    place = key.transport + 8
    (checksum,) = struct.unpack_from("<I", data, place)
    new, now = bytes(data[at:end]), bytes(data[at : at + len(old)])
    change = crc32c(old + new[len(now) :]) ^ crc32c(new)
    struct.pack_into("<I", data, place, checksum ^ change)
