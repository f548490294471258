"""The Link Layer Discovery Protocol (IEEE 802.1AB)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from ..addresses import MacAddress
from ..record import Record
from ..wire import U8, Bytes, Converted, Enum, Rest, SizedBy
from .header import Header, not_empty

LLDP_MULTICAST = MacAddress(0x0180_C200_000E)  #: nearest bridge; bridges do not forward it

_LONGEST = 511  # a TLV's length has nine bits


class LldpType(IntEnum):
    """Types of TLVs (IEEE 802.1AB 8.4 "Basic TLV format")."""

    END = 0
    CHASSIS_ID = 1
    PORT_ID = 2
    TTL = 3
    PORT_DESCRIPTION = 4
    SYSTEM_NAME = 5
    SYSTEM_DESCRIPTION = 6
    SYSTEM_CAPABILITIES = 7
    MANAGEMENT_ADDRESS = 8
    ORGANIZATION = 127


class ChassisIdSubtype(IntEnum):
    """What a chassis is called by (IEEE 802.1AB 8.5.2 "Chassis ID TLV")."""

    CHASSIS_COMPONENT = 1
    INTERFACE_ALIAS = 2
    PORT_COMPONENT = 3
    MAC_ADDRESS = 4
    NETWORK_ADDRESS = 5
    INTERFACE_NAME = 6
    LOCAL = 7


class PortIdSubtype(IntEnum):
    """What a port is called by (IEEE 802.1AB 8.5.3 "Port ID TLV")."""

    INTERFACE_ALIAS = 1
    PORT_COMPONENT = 2
    MAC_ADDRESS = 3
    NETWORK_ADDRESS = 4
    INTERFACE_NAME = 5
    AGENT_CIRCUIT_ID = 6
    LOCAL = 7


# One TLV: seven bits of type, nine of length


def _head(raw: bytes, at: int = 0) -> tuple[int, int]:
    """Return a TLV's type, and its size with these two bytes."""
    if at + 2 > len(raw):
        raise ValueError("a TLV is missing")
    word = raw[at] << 8 | raw[at + 1]
    return word >> 9, 2 + (word & _LONGEST)


def _tlv(number: int, body: bytes) -> bytes:
    if not 0 <= number <= LldpType.ORGANIZATION or len(body) > _LONGEST:
        raise ValueError(f"type {number} with {len(body)} bytes does not fit a TLV")
    return (number << 9 | len(body)).to_bytes(2, "big") + body


def _one(number: int, read: Callable[[bytes], Any], write: Callable[[Any], bytes]) -> SizedBy:
    """Return the shape of the TLV that must stand at this place."""

    def to_value(raw: bytes) -> Any:
        if (found := _head(raw)[0]) != number:
            raise ValueError(f"a TLV of type {found} stands where {number} must")
        return read(raw[2:])

    def to_wire(value: Any) -> bytes:
        return _tlv(number, write(value))

    return SizedBy(lambda rest: _head(rest)[1], shape=Converted(Rest, to_value, to_wire))


class ChassisId(Header):
    """Which system sends (IEEE 802.1AB 8.5.2 "Chassis ID TLV")."""

    subtype: int
    id: bytes

    layout = (
        "subtype" / Enum(U8, ChassisIdSubtype),
        "id" / Converted(Rest, not_empty, not_empty),
    )


class PortId(Header):
    """Which port of the system sends (IEEE 802.1AB 8.5.3 "Port ID TLV")."""

    subtype: int
    id: bytes

    layout = (
        "subtype" / Enum(U8, PortIdSubtype),
        "id" / Converted(Rest, not_empty, not_empty),
    )


def _read_ttl(body: bytes) -> int:
    if len(body) != 2:
        raise ValueError(f"a TTL has 2 bytes, not {len(body)}")
    return int.from_bytes(body, "big")


def _write_ttl(seconds: int) -> bytes:
    return seconds.to_bytes(2, "big")


# All further TLVs


class Tlv(Record):
    """A TLV whose body is not looked into."""

    type: int  #: an LldpType
    body: bytes = b""


class OrganizationTlv(Header):
    """What an organisation defined (IEEE 802.1AB 8.6 "Organizationally Specific TLVs")."""

    oui: bytes  #: three bytes that name the organisation
    subtype: int
    info: bytes = b""

    layout = ("oui" / Bytes(3), "subtype" / U8, "info" / Rest)


AnyTlv = Tlv | OrganizationTlv

_TYPES = {int(number): number for number in LldpType}


def _size_up_to_end(rest: bytes) -> int:
    at, number, size = 0, -1, 0
    while number != LldpType.END:
        number, size = _head(rest, at)
        at += size
    if size != 2:
        raise ValueError("the End TLV is not empty")
    return at


def _read_tlvs(raw: bytes) -> tuple[AnyTlv, ...]:
    """Read TLVs that are known to be whole; the End TLV is left out."""
    tlvs: list[AnyTlv] = []
    at, end = 0, len(raw) - 2
    while at < end:
        number, size = _head(raw, at)
        body = raw[at + 2 : at + size]
        if number == LldpType.ORGANIZATION:
            tlvs.append(OrganizationTlv.parse(body))
        else:
            tlvs.append(Tlv(_TYPES.get(number, number), body))
        at += size
    return tuple(tlvs)


def _write_any(tlv: AnyTlv) -> bytes:
    if isinstance(tlv, OrganizationTlv):
        return _tlv(LldpType.ORGANIZATION, tlv.encode())
    if tlv.type == LldpType.END:
        raise ValueError("the End TLV is written by itself")
    return _tlv(tlv.type, tlv.body)


def _write_tlvs(tlvs: Iterable[AnyTlv]) -> bytes:
    return b"".join(map(_write_any, tlvs)) + _tlv(LldpType.END, b"")


class Lldp(Header):
    """What a system tells its neighbours (IEEE 802.1AB 8.2 "LLDPDU format").

    >>> told = Lldp(
    ...     ChassisId(ChassisIdSubtype.LOCAL, b"dpid:1"),
    ...     PortId(PortIdSubtype.LOCAL, b"7"),
    ...     ttl=120,
    ... )
    >>> Lldp.parse(told.encode()) == told
    True
    """

    chassis_id: ChassisId
    port_id: PortId
    ttl: int  #: seconds; 0 takes back what was told
    tlvs: tuple[AnyTlv, ...] = ()  #: further ones, the End TLV left out
    trailer: bytes = b""  #: what stands behind the End TLV: a short frame is filled up

    layout = (
        "chassis_id" / _one(LldpType.CHASSIS_ID, ChassisId.parse, ChassisId.encode),
        "port_id"    / _one(LldpType.PORT_ID, PortId.parse, PortId.encode),
        "ttl"        / _one(LldpType.TTL, _read_ttl, _write_ttl),
        "tlvs"       / SizedBy(_size_up_to_end, shape=Converted(Rest, _read_tlvs, _write_tlvs)),
        "trailer"    / Rest,
    )  # fmt: skip
