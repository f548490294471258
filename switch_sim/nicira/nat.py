"""Network address translation of connections (ovs-actions(7) "The ct action", nat).

Which address and port a connection gets is decided by a hash of its tuple: the same every
time, and spread over the range.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from protocol.nicira import CtState, Nat, NatFlags
from protocol.packet import EthType, IpProto, internet_checksum

from ..fields import add_to_checksum, set_field
from ..packet import Packet
from .connections import Connection
from .conntrack import Conntrack
from .five_tuple import FiveTuple, quoted_place

_BOTH = CtState.SRC_NAT | CtState.DST_NAT
MAX_TRIES = 128  #: of ports, until a connection goes without
_WITH_PORTS = frozenset({IpProto.TCP, IpProto.UDP, IpProto.SCTP})
_WITH_NUMBERS = _WITH_PORTS | {IpProto.ICMP, IpProto.ICMPV6}
# The ports beside the sender's own, by how great that is: what is privileged stays so.
_CLASSES = ((512, 1, 511), (1024, 600, 1023), (65536, 1024, 65535))


class Ports(NamedTuple):
    """A range of ports, and the one to try first."""

    first: int
    low: int
    high: int

    def tries(self) -> Iterator[int]:
        """Yield the ports to try, MAX_TRIES at most."""
        yield self.first
        size = self.high - self.low + 1
        start = self.first + 1 if self.low <= self.first < self.high else self.low
        for step in range(min(size, MAX_TRIES) - 1):
            yield self.low + (start - self.low + step) % size


class Translation:
    """Decides the addresses of new connections as one action says."""

    def __init__(self, action: Nat) -> None:
        self.kind = CtState.SRC_NAT if action.flags & NatFlags.SRC else CtState.DST_NAT
        self.is_persistent = bool(action.flags & NatFlags.PERSISTENT)
        self.action = action

    def __call__(self, connection: Connection, known: Conntrack) -> bool:
        """Set what a connection's answers look like; False where all is taken."""
        if not self.action.flags & (NatFlags.SRC | NatFlags.DST):
            return True
        for back in self._tries(connection.way):
            if not known.is_taken(back):
                connection.back, connection.nat = back, self.kind
                return True
        return False

    def _tries(self, way: FiveTuple) -> Iterator[FiveTuple]:
        back = way.back()
        address = self._address(way)
        is_source = self.kind == CtState.SRC_NAT
        back = back._replace(dst=address) if is_source else back._replace(src=address)
        if way.ip_proto not in _WITH_NUMBERS:
            yield back
            return
        if self.action.proto_min is None or way.ip_proto not in _WITH_PORTS:
            first = back
        else:
            for port in self._range(way).tries():
                yield back._replace(dst_port=port) if is_source else back._replace(src_port=port)
            if is_source:
                return
            first = back._replace(src_port=self._range(way).first)
        for port in _own(way.src_port).tries():
            if way.ip_proto in _WITH_PORTS:
                yield first._replace(dst_port=port)
            else:
                yield first._replace(dst_port=port, src_port=port)

    def _address(self, way: FiveTuple) -> int:
        action = self.action
        if way.eth_type == EthType.IPV4:
            low, high = action.ipv4_min, action.ipv4_max
        else:
            low, high = action.ipv6_min, action.ipv6_max
        if low is None:
            return way.src if self.kind == CtState.SRC_NAT else way.dst
        size = max(1, (high if high is not None else low) - low + 1)
        # One that is persistent gives a host the same address for all connections.
        seed = way.src if self.is_persistent else way
        return low + crc32(repr(seed).encode()) % size

    def _range(self, way: FiveTuple) -> Ports:
        low = self.action.proto_min or 0
        high = max(low, self.action.proto_max if self.action.proto_max is not None else low)
        return Ports(low + crc32(repr(way).encode()) % (high - low + 1), low, high)


def _own(port: int) -> Ports:
    low, high = next((low, high) for end, low, high in _CLASSES if port < end)
    return Ports(port, low, high)


# What becomes of packets


def translate(packet: Packet, connection: Connection, is_reply: bool, is_related: bool) -> CtState:
    """Translate a packet's addresses; return what it was, SRC_NAT or DST_NAT.

    An ICMP error is translated outside, and the packet that it quotes inside, whose source is
    the other one's destination.
    """
    kind = connection.nat
    if is_reply:
        kind = _BOTH ^ kind
    target = (connection.way if is_reply else connection.back).back()
    if is_related:
        _translate_quoted(packet, target.back(), kind)
        _set_address(packet, target, kind)
    else:
        _set_address(packet, target, kind)
        _set_numbers(packet, target)
    return kind


def _set_address(packet: Packet, target: FiveTuple, kind: CtState) -> None:
    family = "ipv4" if target.eth_type == EthType.IPV4 else "ipv6"
    if kind & CtState.SRC_NAT:
        set_field(packet, f"{family}_src", target.src)
    else:
        set_field(packet, f"{family}_dst", target.dst)


def _set_numbers(packet: Packet, target: FiveTuple) -> None:
    proto = target.ip_proto
    if proto in _WITH_PORTS:
        name = IpProto(proto).name.lower()
        set_field(packet, f"{name}_src", target.src_port)
        set_field(packet, f"{name}_dst", target.dst_port)
    elif proto in _WITH_NUMBERS:
        data, icmp = bytearray(packet.data), packet.key.transport
        before = data[icmp + 4] << 8 | data[icmp + 5]
        data[icmp + 4 : icmp + 6] = target.src_port.to_bytes(2, "big")
        add_to_checksum(data, icmp + 2, target.src_port - before)
        packet.change(bytes(data))


def _translate_quoted(packet: Packet, target: FiveTuple, kind: CtState) -> None:
    """Undo the translation of the packet that an ICMP error quotes."""
    data, icmp = bytearray(packet.data), packet.key.transport
    at = icmp + 8
    place = quoted_place(target.eth_type, bytes(data[at:]))
    assert place is not None, "a related packet has one"
    proto, transport = place[0], at + place[1]
    before = int.from_bytes(_even(data[icmp:]), "big")
    changes = [_put_address(data, at, target, not kind & CtState.SRC_NAT)]
    if proto in _WITH_PORTS:
        changes.append(_put(data, transport, target.src_port, 2))
        changes.append(_put(data, transport + 2, target.dst_port, 2))
    elif proto in _WITH_NUMBERS:
        change = _put(data, transport + 4, target.src_port, 2)
        add_to_checksum(data, transport + 2, change)
    if proto == IpProto.UDP and any(data[transport + 6 : transport + 8]):
        add_to_checksum(data, transport + 6, sum(changes))
    elif proto == IpProto.TCP and len(data) >= transport + 18:
        add_to_checksum(data, transport + 16, sum(changes))
    add_to_checksum(data, icmp + 2, int.from_bytes(_even(data[icmp:]), "big") - before)
    packet.change(bytes(data))


def _put_address(data: bytearray, at: int, target: FiveTuple, is_source: bool) -> int:
    address = target.src if is_source else target.dst
    if target.eth_type == EthType.IPV4:
        change = _put(data, at + (12 if is_source else 16), address, 4)
        header = (data[at] & 0xF) * 4
        data[at + 10 : at + 12] = b"\0\0"
        checksum = internet_checksum(bytes(data[at : at + header]))
        data[at + 10 : at + 12] = checksum.to_bytes(2, "big")
        return change
    return _put(data, at + (8 if is_source else 24), address, 16)


def _put(data: bytearray, at: int, value: int, size: int) -> int:
    """Put a number; return how much the words changed."""
    before = int.from_bytes(data[at : at + size], "big")
    data[at : at + size] = value.to_bytes(size, "big")
    return value - before


def _even(data: bytearray) -> bytes:
    return bytes(data) + bytes(len(data) % 2)
