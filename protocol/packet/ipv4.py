"""The Internet Protocol, version 4 (RFC 791)."""

from __future__ import annotations

import struct
from enum import IntFlag
from ipaddress import IPv4Address
from typing import Self

from msgspec import structs

from ..addresses import Ipv4
from ..wire import U8, U16, Bits, Enum, Rest, SizedBy
from .checksum import internet_checksum
from .header import Header, padded
from .internet import InternetHeader, IpProto

_FIXED = 20  # bytes before the options


class IPv4Flags(IntFlag):
    """Control flags (RFC 791 3.1 "Internet Header Format")."""

    MORE_FRAGMENTS = 1
    DONT_FRAGMENT = 2


def _options_size(rest: bytes, ihl: int) -> int:
    if ihl < _FIXED // 4:
        raise ValueError(f"ihl {ihl} is below {_FIXED // 4}")
    return ihl * 4 - _FIXED


def _payload_size(rest: bytes, version: int, ihl: int, total_length: int) -> int:
    if version != 4:
        raise ValueError(f"version {version} is not 4")
    if total_length < ihl * 4:
        raise ValueError(f"total_length {total_length} is shorter than the header")
    # A packet_in may hold the beginning of a datagram only.
    return min(total_length - ihl * 4, len(rest))


class IPv4(InternetHeader):
    """A datagram's header (RFC 791 3.1 "Internet Header Format").

    Options are raw; encode fills them up to a multiple of four bytes.
    """

    src: IPv4Address
    dst: IPv4Address
    proto: int = 0
    ttl: int = 64
    dscp: int = 0  #: differentiated services code point (RFC 2474)
    ecn: int = 0  #: explicit congestion notification (RFC 3168)
    identification: int = 0
    flags: int = 0  #: bits of IPv4Flags
    fragment_offset: int = 0  #: in units of eight bytes
    options: bytes = b""
    payload: bytes = b""
    trailer: bytes = b""  #: what stands behind total_length: a short frame is filled up
    ihl: int | None = None  #: header's length in units of four bytes
    total_length: int | None = None  #: of header and payload, in bytes
    checksum: int | None = None  #: of the header
    version: int = 4

    layout = (
        Bits(U8, version=4, ihl=4),
        Bits(U8, dscp=6, ecn=2),
        "total_length"   / U16,
        "identification" / U16,
        Bits(U16, flags=3, fragment_offset=13),
        "ttl"            / U8,
        "proto"          / Enum(U8, IpProto),
        "checksum"       / U16,
        "src"            / Ipv4,
        "dst"            / Ipv4,
        "options"        / SizedBy(_options_size, "ihl"),
        "payload"        / SizedBy(_payload_size, "version", "ihl", "total_length"),
        "trailer"        / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with ihl, total_length and checksum filled in."""
        options, ihl, total_length = self.options, self.ihl, self.total_length
        if ihl is None:
            options = padded(options, 4)
            ihl = (_FIXED + len(options)) // 4
        if total_length is None:
            total_length = _FIXED + len(options) + len(self.payload)
        checksum = self.checksum or 0
        header = structs.replace(
            self, options=options, ihl=ihl, total_length=total_length, checksum=checksum
        )
        if self.checksum is not None:
            return header
        alone = structs.replace(header, payload=b"", trailer=b"").encode_as_is()
        return structs.replace(header, checksum=internet_checksum(alone))

    def pseudo_header(self, proto: int, length: int) -> bytes:
        """Return what the checksum of `length` bytes of `proto` begins with (RFC 9293 3.1)."""
        return struct.pack(">IIHH", int(self.src), int(self.dst), proto, length)
