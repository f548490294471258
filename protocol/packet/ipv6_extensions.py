"""IPv6 extension headers (RFC 8200 4), and the Authentication Header (RFC 4302)."""

from __future__ import annotations

from typing import Self

from msgspec import structs

from ..wire import U8, U16, U32, Bits, Enum, Rest, SizedBy
from .header import Header
from .internet import IpProto


class _Options(Header):
    """A header that counts its length in units of eight bytes, the first unit not included."""

    next_header: int = 0
    data: bytes = bytes(6)  #: six bytes, or eight more, or sixteen …
    length: int | None = None
    payload: bytes = b""

    layout = (
        "next_header" / Enum(U8, IpProto),
        "length"      / U8,
        "data"        / SizedBy(lambda rest, length: length * 8 + 6, "length"),
        "payload"     / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its length filled in."""
        if self.length is not None:
            return self
        if len(self.data) % 8 != 6:
            raise ValueError(f"data has {len(self.data)} bytes, not 6, 14, 22 …")
        return structs.replace(self, length=len(self.data) // 8)


class HopByHop(_Options):
    """Options that each node examines (RFC 8200 4.3 "Hop-by-Hop Options Header")."""


class DestinationOptions(_Options):
    """Options for the destination (RFC 8200 4.6 "Destination Options Header")."""


class Routing(_Options):
    """Nodes to be visited on the way (RFC 8200 4.4 "Routing Header")."""


class Fragment(Header):
    """A part of a datagram (RFC 8200 4.5 "Fragment Header")."""

    next_header: int = 0
    offset: int = 0  #: in units of eight bytes
    more: int = 0  #: 1 if further fragments follow
    id: int = 0
    payload: bytes = b""
    reserved: int = 0
    reserved_bits: int = 0

    layout = (
        "next_header" / Enum(U8, IpProto),
        "reserved"    / U8,
        Bits(U16, offset=13, reserved_bits=2, more=1),
        "id"          / U32,
        "payload"     / Rest,
    )  # fmt: skip


class Authentication(Header):
    """Proof of who sent the packet, unchecked (RFC 4302 2 "Authentication Header Format")."""

    next_header: int = 0
    data: bytes = bytes(10)  #: reserved, SPI, sequence number and check value
    length: int | None = None  #: in units of four bytes, two of them not counted
    payload: bytes = b""

    layout = (
        "next_header" / Enum(U8, IpProto),
        "length"      / U8,
        "data"        / SizedBy(lambda rest, length: length * 4 + 6, "length"),
        "payload"     / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its length filled in."""
        if self.length is not None:
            return self
        if len(self.data) < 6 or len(self.data) % 4 != 2:
            raise ValueError(f"data has {len(self.data)} bytes, not 10, 14, 18 …")
        return structs.replace(self, length=len(self.data) // 4 - 1)
