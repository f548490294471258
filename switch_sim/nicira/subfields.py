"""Bits of match fields, read from packets and written to them (ovs-fields(7))."""

from __future__ import annotations

from protocol.nicira import Subfield

from ..fields import set_field
from ..packet import Packet


def read(packet: Packet, subfield: Subfield) -> int:
    """Return the bits; those of a field that the packet lacks are 0."""
    whole = packet.key[subfield.field] or 0
    return whole >> subfield.offset & (1 << subfield.n_bits) - 1


def write(packet: Packet, subfield: Subfield, value: int) -> None:
    """Set the bits to the lowest ones of a value; a packet without the field stays as it is."""
    whole = packet.key[subfield.field]
    if whole is None:
        return
    ones = (1 << subfield.n_bits) - 1
    kept = whole & ~(ones << subfield.offset)
    set_field(packet, subfield.field, kept | (value & ones) << subfield.offset)
