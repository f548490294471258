"""Tags that are pushed and popped, and the times to live (OF1.3.5 5.12 "Actions")."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .fields import add_to_checksum
from .packet import Packet

_TAG = struct.Struct(">HH")
_SHIM = struct.Struct(">HI")  # an Ethernet type, and what stands behind it
_ADDRESSES = 12  # bytes
_MIN_ETHERNET = 60  # bytes, beside the four of the check sequence (IEEE 802.3 3.2.8)
_IP_IN_IP = frozenset({4, 41})


def _shorten(packet: Packet, data: bytes) -> None:
    """Have less bytes, but not less than a cable takes, if there were as many before.

    Who takes a tag off a frame fills it up (IEEE 802.1Q-2018 G.2.3 "Minimum PDU size"). A frame
    that never was on a cable may be shorter, and stays so.
    """
    if len(packet.data) >= _MIN_ETHERNET:
        data = data.ljust(_MIN_ETHERNET, b"\0")
    packet.change(data)


def push_vlan(packet: Packet, ethertype: int) -> None:
    """Put a tag before all others, with their VID and priority.

    The values of new fields: OF1.3.5 5.12.1 "Default values for fields on push".
    """
    vlan, data = packet.key.vlan, packet.data
    tci = int.from_bytes(data[vlan : vlan + 2], "big") & 0xEFFF if vlan else 0
    packet.change(data[:_ADDRESSES] + _TAG.pack(ethertype, tci) + data[_ADDRESSES:])


def pop_vlan(packet: Packet) -> None:
    """Take the outermost tag off."""
    if packet.key.vlan:
        _shorten(packet, packet.data[:_ADDRESSES] + packet.data[_ADDRESSES + 4 :])


def push_mpls(packet: Packet, ethertype: int) -> None:
    """Put a shim before the first one, or before the IP header; VLAN tags stay outside."""
    key, data = packet.key, packet.data
    if key.mpls:
        shim = int.from_bytes(data[key.mpls : key.mpls + 4], "big") & ~0x100
    else:
        ttl = ip_ttl(packet)
        shim = 0x100 | (ttl.value(packet) if ttl else 0)
    at = key.type_at
    packet.change(data[:at] + _SHIM.pack(ethertype, shim) + data[at + 2 :])


def pop_mpls(packet: Packet, ethertype: int) -> None:
    """Take the outermost shim off; what is behind it is of `ethertype`."""
    key, data = packet.key, packet.data
    if key.mpls:
        at = key.type_at
        _shorten(packet, data[:at] + ethertype.to_bytes(2, "big") + data[key.mpls + 4 :])


def push_pbb(packet: Packet, ethertype: int) -> None:
    """Put a service tag before the frame, with a copy of its addresses."""
    key, data = packet.key, packet.data
    tag = key.get("pbb_isid", 0) | key.get("vlan_pcp", 0) << 29
    packet.change(data[:_ADDRESSES] + _SHIM.pack(ethertype, tag) + data)


def pop_pbb(packet: Packet) -> None:
    """Take the outermost service tag off, and the addresses before it."""
    key, data = packet.key, packet.data
    if key.pbb:
        inner = data[key.pbb + 4 :]
        tags = data[_ADDRESSES : key.type_at]
        _shorten(packet, inner[:_ADDRESSES] + tags + inner[_ADDRESSES:])


# Times to live


class Ttl(NamedTuple):
    """Where a TTL or hop limit lies, and the checksum that covers it; 0 where none does."""

    at: int
    checksum_at: int = 0

    def value(self, packet: Packet) -> int:
        """Return what it is."""
        return packet.data[self.at]

    def write(self, packet: Packet, value: int) -> None:
        """Set it."""
        data = bytearray(packet.data)
        change = value - data[self.at] << 8
        data[self.at] = value
        if self.checksum_at:
            add_to_checksum(data, self.checksum_at, change)
        packet.change_unmatched(bytes(data))


def ip_ttl(packet: Packet) -> Ttl | None:
    """Return the TTL or hop limit of an IP packet."""
    key = packet.key
    return _ip_ttl(packet.data, key.network) if key.proto_at else None


def mpls_ttl(packet: Packet) -> Ttl | None:
    """Return the TTL of the outermost shim."""
    return Ttl(packet.key.mpls + 3) if packet.key.mpls else None


def copy_ttl_out(packet: Packet) -> None:
    """Copy from the second header that has a TTL to the first."""
    if len(ttls := _ttls(packet)) > 1:
        ttls[0].write(packet, ttls[1].value(packet))


def copy_ttl_in(packet: Packet) -> None:
    """Copy from the first header that has a TTL to the second."""
    if len(ttls := _ttls(packet)) > 1:
        ttls[1].write(packet, ttls[0].value(packet))


def _ttls(packet: Packet) -> list[Ttl]:
    """Return the two outermost TTLs: of shims, of IP, of IP within IP."""
    key, data = packet.key, packet.data
    found: list[Ttl] = []
    at, bottom = key.mpls, not key.mpls
    while not bottom and len(found) < 2 and at + 4 <= len(data):
        found.append(Ttl(at + 3))
        bottom = bool(data[at + 2] & 1)
        at += 4
    at = at or (key.network if key.proto_at else 0)
    while at and bottom and len(found) < 2 and (ttl := _ip_ttl(data, at)):
        found.append(ttl)
        at = _inner_ip(data, at)
    return found


def _ip_ttl(data: bytes, at: int) -> Ttl | None:
    version = data[at] >> 4 if at < len(data) else 0
    if version == 4 and len(data) >= at + 20:
        return Ttl(at + 8, at + 10)
    return Ttl(at + 7) if version == 6 and len(data) >= at + 40 else None


def _inner_ip(data: bytes, at: int) -> int:
    """Return where the IP header begins that stands next in the one at `at`, 0 if none."""
    if data[at] >> 4 == 4:
        return at + (data[at] & 0xF) * 4 if data[at + 9] in _IP_IN_IP else 0
    return at + 40 if data[at + 6] in _IP_IN_IP else 0
