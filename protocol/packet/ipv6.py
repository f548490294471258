"""The Internet Protocol, version 6 (RFC 8200); its extension headers have their own file."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import Self

from msgspec import structs

from ..addresses import Ipv6
from ..wire import U8, U16, U32, Bits, Enum, Rest, SizedBy
from .header import Header
from .internet import InternetHeader, IpProto


def _payload_size(rest: bytes, version: int, payload_length: int) -> int:
    if version != 6:
        raise ValueError(f"version {version} is not 6")
    # A packet_in may hold the beginning of a datagram only.
    return min(payload_length, len(rest))


class IPv6(InternetHeader):
    """A datagram's header (RFC 8200 3 "IPv6 Header Format")."""

    src: IPv6Address
    dst: IPv6Address
    next_header: int = 0  #: an IpProto; extension headers are headers of their own
    hop_limit: int = 64
    dscp: int = 0  #: differentiated services code point (RFC 2474)
    ecn: int = 0  #: explicit congestion notification (RFC 3168)
    flow_label: int = 0
    payload: bytes = b""
    trailer: bytes = b""  #: what stands behind payload_length: a short frame is filled up
    payload_length: int | None = None  #: in bytes, extension headers included
    version: int = 6

    layout = (
        Bits(U32, version=4, dscp=6, ecn=2, flow_label=20),
        "payload_length" / U16,
        "next_header"    / Enum(U8, IpProto),
        "hop_limit"      / U8,
        "src"            / Ipv6,
        "dst"            / Ipv6,
        "payload"        / SizedBy(_payload_size, "version", "payload_length"),
        "trailer"        / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its payload_length filled in."""
        if self.payload_length is not None:
            return self
        return structs.replace(self, payload_length=len(self.payload))

    def pseudo_header(self, proto: int, length: int) -> bytes:
        """Return what the checksum of `length` bytes of `proto` begins with (RFC 8200 8.1)."""
        return self.src.packed + self.dst.packed + struct.pack(">II", length, proto)
