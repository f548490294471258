"""The actions that put headers on and take them off (ovs-actions(7) "The encap action")."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from ..actions import Action, ActionShape
from ..record import Record
from ..version import OF13
from ..wire import U16, U32, Converted, Enum, Fill, Pad, Rest, since
from .fields import NICIRA

_SINCE_OF13 = since(OF13, 0xFFFF)


class PacketType(IntEnum):
    """What a packet begins with: a name space in 16 bits, and a number in it."""

    ETHERNET = 0x0000_0000
    USE_NEXT_PROTO = 0x0000_FFFE  #: as the header that is taken off says
    MPLS = 0x0001_8847
    MPLS_MC = 0x0001_8848
    NSH = 0x0001_894F


class EncapClass(IntEnum):
    """Whose properties there are."""

    BASIC = 0
    MPLS = 1
    GRE = 2
    GTP = 3
    NSH = 4


class EncapProperty(Record):
    """What a new header has in it."""

    prop_class: EncapClass | int
    type: int
    data: bytes = b""

    @classmethod
    def nsh_md_type(cls, md_type: int) -> EncapProperty:
        """Return the property that an NSH header is of this type."""
        return cls(EncapClass.NSH, 1, bytes([md_type]))

    @classmethod
    def nsh_tlv(cls, tlv_class: int, tlv_type: int, value: bytes) -> EncapProperty:
        """Return the property that an NSH header has this TLV."""
        head = tlv_class.to_bytes(2, "big") + bytes([tlv_type, len(value)])
        return cls(EncapClass.NSH, 2, head + value + bytes(-len(value) % 8))


_HEAD = 4
_CLASSES = {int(name): name for name in EncapClass}


def _properties(raw: bytes) -> tuple[EncapProperty, ...]:
    return tuple(_each(raw))


def _each(raw: bytes) -> Iterator[EncapProperty]:
    at = 0
    while at < len(raw):
        if at + _HEAD > len(raw):
            raise ValueError(f"{_HEAD} bytes are needed, {len(raw) - at} are left")
        number, kind, size = int.from_bytes(raw[at : at + 2], "big"), *raw[at + 2 : at + _HEAD]
        stop = at + size + -size % 8
        if size < _HEAD or stop > len(raw):
            raise ValueError(f"length {size} cannot be")
        yield EncapProperty(_CLASSES.get(number, number), kind, raw[at + _HEAD : at + size])
        at = stop


def _bytes_of(found: tuple[EncapProperty, ...]) -> bytes:
    parts = []
    for one in found:
        size = _HEAD + len(one.data)
        head = one.prop_class.to_bytes(2, "big") + bytes([one.type, size])
        parts.append(head + one.data + bytes(-size % 8))
    return b"".join(parts)


@ActionShape.experimenter(NICIRA, 46, _SINCE_OF13)
class Encap(Action):
    """Put a header before the packet, which is of `new_pkt_type` then."""

    new_pkt_type: PacketType | int
    properties: tuple[EncapProperty, ...] = ()
    hdr_size: int = 0  #: bytes; 0 where it is not told
    layout = (
        "hdr_size" / U16,
        "new_pkt_type" / Enum(U32, PacketType),
        "properties" / Converted(Rest, _properties, _bytes_of),
    )


@ActionShape.experimenter(NICIRA, 47, _SINCE_OF13)
class Decap(Action):
    """Take the outermost header off; what follows is of `new_pkt_type`."""

    new_pkt_type: PacketType | int = PacketType.USE_NEXT_PROTO
    layout = (Pad(2), "new_pkt_type" / Enum(U32, PacketType), Fill(8))


@ActionShape.experimenter(NICIRA, 48, _SINCE_OF13)
class DecNshTtl(Action):
    """Take one from the TTL of the NSH header."""

    layout = (Pad(6),)
