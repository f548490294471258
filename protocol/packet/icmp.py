"""The Internet Control Message Protocol (RFC 792)."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from msgspec import structs

from ..wire import U8, U16, Enum, Rest
from .checksum import internet_checksum
from .header import Header


class IcmpType(IntEnum):
    """Types of messages (IANA "ICMP Parameters")."""

    ECHO_REPLY = 0
    DESTINATION_UNREACHABLE = 3
    REDIRECT = 5
    ECHO_REQUEST = 8
    ROUTER_ADVERTISEMENT = 9
    ROUTER_SOLICITATION = 10
    TIME_EXCEEDED = 11
    PARAMETER_PROBLEM = 12
    TIMESTAMP = 13
    TIMESTAMP_REPLY = 14


class Icmp(Header):
    """The part that all messages have (RFC 792 "Message Formats"); an Echo may follow."""

    type: int
    code: int = 0
    checksum: int | None = None  #: of header and payload
    payload: bytes = b""

    layout = (
        "type"     / Enum(U8, IcmpType),
        "code"     / U8,
        "checksum" / U16,
        "payload"  / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its checksum filled in."""
        if self.checksum is not None:
            return self
        raw = structs.replace(self, checksum=0).encode_as_is()
        return structs.replace(self, checksum=internet_checksum(raw))


class Echo(Header):
    """What an echo request says and its reply repeats, in ICMP and ICMPv6 (RFC 792, RFC 4443 4)."""

    id: int
    seq: int
    payload: bytes = b""

    layout = (
        "id"      / U16,
        "seq"     / U16,
        "payload" / Rest,
    )  # fmt: skip
