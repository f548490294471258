"""Bits of a match field, as Nicira's actions name them: `NXM_NX_REG0[0..15]`."""

from __future__ import annotations

from functools import cache

import msgspec

from ..field_names import FieldNameShape
from ..match import match_field
from ..oxm import OXM
from ..oxm_table import OxmTable
from ..record import Record
from ..version import Version
from ..wire import U16, Bytes, Converted, Spread, Versioned

_SIZE_BITS = 6  # of the 16 that name a range; the offset has the others


class Subfield(Record):
    """Bits of a field; without `n_bits` all from `offset` on.

    >>> Subfield("reg0"), Subfield("reg0", 16)
    (Subfield(field='reg0', n_bits=32), Subfield(field='reg0', offset=16, n_bits=16))
    """

    field: str
    offset: int = 0  #: of the lowest bit
    n_bits: int = 0

    def __post_init__(self) -> None:
        if self.n_bits:
            return
        if (left := match_field(self.field).bits - self.offset) <= 0:
            raise ValueError(f"{self.field} has no bit {self.offset}")
        msgspec.structs.force_setattr(self, "n_bits", left)


@cache
def nxm_names() -> FieldNameShape:
    """Return the names of the fields with the numbers that Nicira's actions use.

    A match in NXM says a tag in a number of its own; bits of vlan_vid are OXM's here, too.
    """
    return FieldNameShape(OxmTable("NXM", [(row, row.number_in_nxm()) for row in OXM.values()]))


class NxmName(Versioned):
    """The name of a field in 4 bytes, or 8 where it is an experimenter's."""

    def at(self, version: Version) -> FieldNameShape:
        return nxm_names()


class NxmName32(Versioned):
    """The name of a field in 4 bytes."""

    def at(self, version: Version) -> Converted:
        return nxm_names().in_32_bits()


# Where the bits are


def _range(number: int) -> tuple[int, int]:
    return number >> _SIZE_BITS, (number & (1 << _SIZE_BITS) - 1) + 1


def _packed(found: tuple[int, int]) -> int:
    offset, n_bits = found
    if not (0 <= offset < 1 << 16 - _SIZE_BITS and 0 < n_bits <= 1 << _SIZE_BITS):
        raise ValueError(f"there is no range of {n_bits} bits from {offset} on")
    return offset << _SIZE_BITS | n_bits - 1


def Range(name: str) -> Spread:
    """Offset and size of a subfield in 16 bits."""
    return Spread(Converted(U16, _range, _packed), f"{name}.offset", f"{name}.n_bits")


def _twice(number: int) -> tuple[int, int]:
    return _some(number), number


def _equal(found: tuple[int, int]) -> int:
    if found[0] != found[1]:
        raise ValueError(f"{found[0]} bits cannot be moved to {found[1]}")
    return found[0]


def SameSize(one: str, other: str) -> Spread:
    """The size that two subfields have."""
    return Spread(Converted(U16, _twice, _equal), f"{one}.n_bits", f"{other}.n_bits")


def _some(number: int) -> int:
    if not number:
        raise ValueError("a field of no bits")
    return number


Size = Converted(U16, _some, _some)  #: how many bits a subfield has


# A number, or bits that have it


def _source(raw: bytes) -> int | Subfield:
    name, place = raw[:4], int.from_bytes(raw[4:6], "big")
    if not any(name):
        return int.from_bytes(raw[4:], "big")
    if any(raw[6:]):
        raise ValueError("there is something behind the range")
    return Subfield(nxm_names().named(name), *_range(place))


def Source(size: int) -> Converted:
    """A number of `size` bytes, or the subfield that has it."""

    def to_wire(value: int | Subfield) -> bytes:
        if isinstance(value, Subfield):
            if len(name := nxm_names().header(value.field)) != 4:
                raise ValueError(f"{value.field} has no number of 32 bits")
            place = _packed((value.offset, value.n_bits))
            return name + place.to_bytes(2, "big") + bytes(size - 2)
        return bytes(4) + value.to_bytes(size, "big")

    return Converted(Bytes(4 + size), _source, to_wire)
