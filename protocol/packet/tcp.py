"""The Transmission Control Protocol (RFC 9293)."""

from __future__ import annotations

from enum import IntFlag
from typing import Self

from msgspec import structs

from ..wire import U16, U32, Bits, Rest, SizedBy
from .header import Header, padded
from .internet import IpProto, transport_checksum

_FIXED = 20  # bytes before the options


class TcpFlags(IntFlag):
    """Control bits (RFC 9293 3.1 "Header Format")."""

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100  #: accurate ECN; NS in RFC 3540


def _options_size(rest: bytes, data_offset: int) -> int:
    if data_offset < _FIXED // 4:
        raise ValueError(f"data_offset {data_offset} is below {_FIXED // 4}")
    return data_offset * 4 - _FIXED


class Tcp(Header):
    """A segment's header (RFC 9293 3.1 "Header Format").

    Options are raw; encode fills them up to a multiple of four bytes.
    """

    src: int
    dst: int
    seq: int = 0
    ack: int = 0
    flags: int = 0  #: bits of TcpFlags, reserved ones included
    window: int = 0xFFFF
    urgent: int = 0
    options: bytes = b""
    payload: bytes = b""
    data_offset: int | None = None  #: header's length in units of four bytes
    checksum: int | None = None  #: of addresses, header and payload

    layout = (
        "src"      / U16,
        "dst"      / U16,
        "seq"      / U32,
        "ack"      / U32,
        Bits(U16, data_offset=4, flags=12),
        "window"   / U16,
        "checksum" / U16,
        "urgent"   / U16,
        "options"  / SizedBy(_options_size, "data_offset"),
        "payload"  / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with data_offset and checksum filled in."""
        options, data_offset = self.options, self.data_offset
        if data_offset is None:
            options = padded(options, 4)
            data_offset = (_FIXED + len(options)) // 4
        checksum = self.checksum or 0
        header = structs.replace(self, options=options, data_offset=data_offset, checksum=checksum)
        if self.checksum is not None:
            return header
        return structs.replace(header, checksum=transport_checksum(header, IpProto.TCP, below))
