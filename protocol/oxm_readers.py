"""Whole matches read at once: a function for each sequence of fields that comes often.

A peer sends many matches of few shapes. Field by field each costs a round of a loop; a
function made for the shape unpacks all fields together, and compares their headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from .oxm import OXM_HEADER, FieldValue, OxmField

Reader = Callable[[bytes], dict[str, FieldValue] | None]

OFTEN = 16  # times that a shape must have come to get its function
_SHAPES = 256  # that have one, or are on their way to it; a peer may make up any number
_TRIED = 4  # functions for matches of the same length
_HAS_MASK = 0x100  # in a header


class Code(NamedTuple):
    """How `struct` writes a number: in which parts, and how these make up the number."""

    parts: str
    shares: tuple[str, ...] = ("{}",)
    whole: str = "{0}"


#: By bytes of the number.
CODES = {
    1: Code("B"),
    2: Code("H"),
    3: Code("BH", ("{} >> 16", "{} & 0xFFFF"), "({0} << 16 | {1})"),
    4: Code("I"),
    6: Code("HI", ("{} >> 32", "{} & 0xFFFF_FFFF"), "({0} << 32 | {1})"),
    8: Code("Q"),
    16: Code("QQ", ("{} >> 64", "{} & 0xFFFF_FFFF_FFFF_FFFF"), "({0} << 64 | {1})"),
}


class OxmReaders:
    """The functions for one table of fields, which has fields of fixed size by header."""

    def __init__(self, by_header: dict[int, OxmField]) -> None:
        self.by_length: dict[int, tuple[Reader, ...]] = {}  #: the latest first
        self._by_header = by_header
        self._made: dict[tuple[int, ...], Reader | None] = {}
        self._seen: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        """How many shapes are remembered."""
        return len(self._made) + len(self._seen)

    def note(self, data: bytes) -> None:
        """Learn from a match that is right, and that no function has read."""
        headers = _headers(data)
        if headers in self._made:
            reader = self._made[headers]
        elif self._seen.get(headers, 0) < OFTEN:
            self._count(headers)
            return
        else:
            reader = self._make(headers)
        if reader is not None:
            others = [one for one in self.by_length.get(len(data), ()) if one is not reader]
            self.by_length[len(data)] = (reader, *others[: _TRIED - 1])

    def _count(self, headers: tuple[int, ...]) -> None:
        if len(self._seen) >= _SHAPES:
            self._seen.clear()
        self._seen[headers] = self._seen.get(headers, 0) + 1

    def _make(self, headers: tuple[int, ...]) -> Reader | None:
        if len(self._made) >= _SHAPES:
            self._made.clear()
            self.by_length.clear()
        rows = [
            row for header in headers if (row := self._by_header.get(header)) and _fits(row, header)
        ]
        is_known = len({row.name for row in rows}) == len(headers)
        self._made[headers] = made = _reader(headers, rows) if is_known else None
        return made


def _fits(row: OxmField, header: int) -> bool:
    return row.size in CODES and (row.takes_mask or not header & _HAS_MASK)


def _headers(data: bytes) -> tuple[int, ...]:
    headers, at = [], 0
    while at < len(data):
        headers.append(OXM_HEADER.unpack_from(data, at)[0])
        at += 4 + (headers[-1] & 0xFF)
    return tuple(headers)


class _Number(NamedTuple):
    """A number in a match: how it is unpacked, and the expression that it is."""

    code: str
    variables: list[str]
    text: str


def _number(name: str, size: int) -> _Number:
    parts, _, whole = CODES[size]
    variables = [f"{name}{part}" for part in range(len(parts))]
    return _Number(parts, variables, whole.format(*variables))


def _reader(headers: tuple[int, ...], rows: list[OxmField]) -> Reader:
    """Return the function that reads fields with these headers, or None if they are others.

    It reads nothing that OxmTable.field would refuse: a number with too many bits, or with
    bits outside of its mask.
    """
    codes, pairs = [">"], list[str]()
    variables: list[str] = []
    others: list[str] = []
    for place, (header, row) in enumerate(zip(headers, rows, strict=True)):
        value = _number(f"v{place}_", row.size)
        largest = (1 << 8 * row.size) - 1
        codes += "I", value.code
        variables += f"h{place}", *value.variables
        others.append(f"h{place} != {header}")
        if not header & _HAS_MASK:
            if row.all_ones < largest:
                others.append(f"{value.text} > {row.all_ones}")
            pairs.append(f"{row.name!r}: {value.text}")
            continue
        mask = _number(f"m{place}_", row.size)
        codes.append(mask.code)
        variables += mask.variables
        others.append(f"{value.text} & ~{mask.text}")
        if row.all_ones < largest:
            others.append(f"{mask.text} > {row.all_ones}")
        pairs.append(f"{row.name!r}: ({value.text}, {mask.text})")
    source = (
        "def read(data):\n"
        f"    {', '.join(variables)}, = unpack(data)\n"
        f"    if {' or '.join(others)}:\n"
        "        return None\n"
        f"    return {{{', '.join(pairs)}}}\n"
    )
    names: dict[str, Reader] = {}
    exec(source, {"unpack": struct.Struct("".join(codes)).unpack}, names)  # our table's words
    return names["read"]
