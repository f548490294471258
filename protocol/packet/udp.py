"""The User Datagram Protocol (RFC 768)."""

from __future__ import annotations

from typing import Self

from msgspec import structs

from ..wire import U16, Rest, SizedBy
from .header import Header
from .internet import IpProto, transport_checksum

_FIXED = 8  # bytes of the header


def _payload_size(rest: bytes, length: int) -> int:
    if length < _FIXED:
        raise ValueError(f"length {length} is shorter than the header")
    # A fragment, or a packet_in, may hold the beginning of a datagram only.
    return min(length - _FIXED, len(rest))


class Udp(Header):
    """A datagram's header (RFC 768 "Format")."""

    src: int
    dst: int
    payload: bytes = b""
    trailer: bytes = b""  #: what stands behind length
    length: int | None = None  #: of header and payload, in bytes
    checksum: int | None = None  #: of addresses, header and payload; 0 none, in IPv4

    layout = (
        "src"      / U16,
        "dst"      / U16,
        "length"   / U16,
        "checksum" / U16,
        "payload"  / SizedBy(_payload_size, "length"),
        "trailer"  / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with length and checksum filled in."""
        length = _FIXED + len(self.payload) if self.length is None else self.length
        header = structs.replace(self, length=length, checksum=self.checksum or 0)
        if self.checksum is not None:
            return header
        datagram = structs.replace(header, trailer=b"")
        # A sum of 0 is sent as the other zero: 0 would mean that there is no checksum.
        checksum = transport_checksum(datagram, IpProto.UDP, below) or 0xFFFF
        return structs.replace(header, checksum=checksum)
