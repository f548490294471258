"""ICMP for IPv6 (RFC 4443), and the discovery of neighbours (RFC 4861)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Self

from msgspec import structs

from ..addresses import Ipv6, MacAddress
from ..wire import U8, U16, U32, Bits, Converted, Enum, Rest, SizedBy
from .header import Header
from .internet import IpProto, transport_checksum


class Icmpv6Type(IntEnum):
    """Types of messages (IANA "ICMPv6 Parameters")."""

    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    PARAMETER_PROBLEM = 4
    ECHO_REQUEST = 128
    ECHO_REPLY = 129
    ROUTER_SOLICITATION = 133
    ROUTER_ADVERTISEMENT = 134
    NEIGHBOR_SOLICITATION = 135
    NEIGHBOR_ADVERTISEMENT = 136
    REDIRECT = 137


class Icmpv6(Header):
    """The part that all messages have (RFC 4443 2.1 "Message General Format")."""

    type: int
    code: int = 0
    checksum: int | None = None  #: of addresses, header and payload
    payload: bytes = b""

    layout = (
        "type"     / Enum(U8, Icmpv6Type),
        "code"     / U8,
        "checksum" / U16,
        "payload"  / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its checksum filled in."""
        if self.checksum is not None:
            return self
        empty = structs.replace(self, checksum=0)
        checksum = transport_checksum(empty, IpProto.ICMPV6, below)
        return structs.replace(self, checksum=checksum)


# Options of neighbour discovery


class NdOptionType(IntEnum):
    """Types of options (RFC 4861 4.6 "Option Formats")."""

    SOURCE_LINK_ADDRESS = 1
    TARGET_LINK_ADDRESS = 2
    PREFIX_INFORMATION = 3
    REDIRECTED_HEADER = 4
    MTU = 5


def _data_size(rest: bytes, length: int) -> int:
    if not length:
        raise ValueError("length 0 cannot be")
    return length * 8 - 2


class NdOption(Header):
    """One option (RFC 4861 4.6 "Option Formats").

    >>> NdOption.link_address(NdOptionType.SOURCE_LINK_ADDRESS, MacAddress(1)).encode().hex()
    '0101000000000001'
    """

    type: int
    data: bytes  #: six bytes, or eight more, or sixteen …
    length: int | None = None  #: of the whole option, in units of eight bytes

    layout = (
        "type"   / Enum(U8, NdOptionType),
        "length" / U8,
        "data"   / SizedBy(_data_size, "length"),
    )  # fmt: skip

    @classmethod
    def link_address(cls, type: NdOptionType, address: MacAddress) -> Self:
        """Return the option that tells the Ethernet address of a node."""
        return cls(type, address.to_bytes(6, "big"))

    def completed(self, below: Header | None = None) -> Self:
        """Return the option with its length filled in."""
        if self.length is not None:
            return self
        if len(self.data) % 8 != 6:
            raise ValueError(f"data has {len(self.data)} bytes, not 6, 14, 22 …")
        return structs.replace(self, length=len(self.data) // 8 + 1)


def _read_options(raw: bytes) -> tuple[NdOption, ...]:
    options, at = [], 0
    while at < len(raw):
        # An option is at least eight bytes, so that a length of 0 does not stop us here.
        stop = at + 8 * max([1, *raw[at + 1 : at + 2]])
        options.append(NdOption.parse(raw[at:stop]))
        at = stop
    return tuple(options)


def _write_options(options: Iterable[NdOption]) -> bytes:
    return b"".join(option.encode() for option in options)


NdOptions = Converted(Rest, _read_options, _write_options)


def _link_address(options: Iterable[NdOption], type: NdOptionType) -> MacAddress | None:
    for option in options:
        if option.type == type:
            return MacAddress.from_bytes(option.data[:6], "big")
    return None


# Messages that stand behind the Icmpv6 header


class NeighborSolicitation(Header):
    """Ask for the Ethernet address of a node (RFC 4861 4.3)."""

    target: IPv6Address
    options: tuple[NdOption, ...] = ()
    reserved: int = 0

    layout = (
        "reserved" / U32,
        "target"   / Ipv6,
        "options"  / NdOptions,
    )  # fmt: skip

    @property
    def sll(self) -> MacAddress | None:
        """The Ethernet address of the node that asks, if it told."""
        return _link_address(self.options, NdOptionType.SOURCE_LINK_ADDRESS)


class NeighborAdvertisement(Header):
    """Tell the Ethernet address of a node (RFC 4861 4.4)."""

    target: IPv6Address
    options: tuple[NdOption, ...] = ()
    router: int = 0
    solicited: int = 0
    override: int = 0
    reserved: int = 0

    layout = (
        Bits(U32, router=1, solicited=1, override=1, reserved=29),
        "target"  / Ipv6,
        "options" / NdOptions,
    )  # fmt: skip

    @property
    def tll(self) -> MacAddress | None:
        """The Ethernet address of the target, if it is told."""
        return _link_address(self.options, NdOptionType.TARGET_LINK_ADDRESS)
