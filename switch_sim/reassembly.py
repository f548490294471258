"""IP fragments that wait for the rest of their datagram (OF1.3.5 7.3.2 "Switch Configuration").

    whole = reassembler.add(packet.data, packet.key, packet.in_port, now)

What waits is bounded in number, size and time. Fragments that overlap make their datagram
worthless: it could mean different things to us and to its target (RFC 5722).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from protocol.packet import internet_checksum

from .flow_key import FlowKey

MAX_WAITING = 256  #: datagrams; the oldest goes for a new one
MAX_FRAGMENTS = 128  #: of a datagram: the largest one, over links of 576 bytes
MAX_AGE = 30.0  #: seconds from the first fragment on (RFC 791 3.2: 15 and more; RFC 8200 4.5: 60)

_MAX_PAYLOAD = 0xFFFF
_ADDRESSES = 12  # bytes
_FRAGMENT, _OPTIONS = 44, frozenset({0, 43, 60})  # what stands before a fragment header


class Fragment(NamedTuple):
    """A part of a datagram, and what tells which one."""

    datagram: Hashable
    head: bytes  #: the frame up to the payload, without a fragment header
    at: int  #: bytes of the payload before it
    payload: bytes
    is_last: bool


class _Datagram:
    """What has come of a datagram."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.head = b""
        self.size: int | None = None  # of the payload, as the last fragment tells
        self.pieces: dict[int, bytes] = {}

    def add(self, part: Fragment) -> bool:
        """Take in a fragment; return whether the datagram can still become whole."""
        end = part.at + len(part.payload)
        if self.pieces.get(part.at) == part.payload:
            return True  # it came twice
        for at, piece in self.pieces.items():
            if at < end and part.at < at + len(piece):
                return False
        self.pieces[part.at] = part.payload
        if part.is_last:
            if self.size is not None:
                return False
            self.size = end
        if part.at == 0:
            self.head = part.head
        highest = max(at + len(piece) for at, piece in self.pieces.items())
        return len(self.pieces) <= MAX_FRAGMENTS and highest <= (self.size or _MAX_PAYLOAD)

    def payload(self) -> bytes | None:
        """Return the payload; None while something is missing."""
        # They do not overlap, so what has the size has no gap.
        if self.size is None or sum(map(len, self.pieces.values())) < self.size:
            return None
        return b"".join(piece for _, piece in sorted(self.pieces.items()))


class Reassembler:
    """Makes datagrams of fragments."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, _Datagram] = {}  # the oldest first

    def add(self, data: bytes, key: FlowKey, in_port: int, now: float) -> bytes | None:
        """Take in a fragment; return the whole frame if nothing is missing now."""
        self._forget_old(now)
        part = _part(data, key, in_port)
        if part is None:
            return None
        found = self._waiting.get(part.datagram)
        if found is None:
            found = self._waiting[part.datagram] = _Datagram(now + MAX_AGE)
            if len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        if not found.add(part):
            del self._waiting[part.datagram]
            return None
        payload = found.payload()
        if payload is None:
            return None
        del self._waiting[part.datagram]
        return _whole(found.head, payload, key.network)

    def _forget_old(self, now: float) -> None:
        while self._waiting and (first := next(iter(self._waiting.items())))[1].deadline <= now:
            del self._waiting[first[0]]


def _part(data: bytes, key: FlowKey, in_port: int) -> Fragment | None:
    """Read a fragment; None if it is none that makes sense."""
    part = _part6(data, key, in_port) if "ipv6_src" in key else _part4(data, key, in_port)
    if part is None or not part.payload or part.at + len(part.payload) > _MAX_PAYLOAD:
        return None
    return part if part.is_last or len(part.payload) % 8 == 0 else None


def _part4(data: bytes, key: FlowKey, in_port: int) -> Fragment | None:
    at = key.network
    start = at + (data[at] & 0xF) * 4
    end = at + int.from_bytes(data[at + 2 : at + 4], "big")
    if end > len(data):
        return None
    place = int.from_bytes(data[at + 6 : at + 8], "big")
    identity = (data[at + 4 : at + 6], key["ip_proto"], key["ipv4_src"], key["ipv4_dst"])
    return Fragment(
        (in_port, data[_ADDRESSES:at], identity),
        data[:start],
        (place & 0x1FFF) * 8,
        data[start:end],
        not place & 0x2000,
    )


def _part6(data: bytes, key: FlowKey, in_port: int) -> Fragment | None:
    at = key.network
    end = at + 40 + int.from_bytes(data[at + 4 : at + 6], "big")
    told, start = at + 6, at + 40  # where the next header's number stands, and it begins
    while data[told] in _OPTIONS and start + 8 <= min(end, len(data)):
        told, start = start, start + (data[start + 1] + 1) * 8
    if end > len(data) or data[told] != _FRAGMENT or start + 8 > end:
        return None
    place = int.from_bytes(data[start + 2 : start + 4], "big")
    identity = (data[start + 4 : start + 8], key["ipv6_src"], key["ipv6_dst"])
    head = data[:told] + data[start : start + 1] + data[told + 1 : start]
    payload = data[start + 8 : end]
    return Fragment(
        (in_port, data[_ADDRESSES:at], identity), head, place & 0xFFF8, payload, not place & 1
    )


def _whole(head: bytes, payload: bytes, at: int) -> bytes | None:
    """Return a datagram that is none of fragments; None if it is longer than one can be."""
    data = bytearray(head + payload)
    if data[at] >> 4 == 6:
        length = len(data) - at - 40
        data[at + 4 : at + 6] = min(length, _MAX_PAYLOAD).to_bytes(2, "big")
        return bytes(data) if length <= _MAX_PAYLOAD else None
    length = len(data) - at
    if length > _MAX_PAYLOAD:
        return None
    data[at + 2 : at + 4] = length.to_bytes(2, "big")
    data[at + 6 : at + 8] = b"\0\0"
    data[at + 10 : at + 12] = b"\0\0"
    header = bytes(data[at : at + (data[at] & 0xF) * 4])
    data[at + 10 : at + 12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(data)
