"""What the headers of a frame have in common: they are parsed, changed and encoded.

Frames are the same in all versions of OpenFlow, so a header has one compiled form.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, Self

from msgspec import structs

from ..compiler import codec, read, write
from ..exceptions import EncodeError
from ..record import Record
from ..version import Version
from ..wire import Converted, Shape
from ..writer import FAULTS, Decode

_VERSION = max(Version)
_DECODERS: dict[type[Record], Decode] = {}  # of those that were parsed before


class Header(Record):
    """A part of a frame that has a layout.

    Lengths and checksums are None by default, which means that `encode` computes them. What
    was parsed has them as they came, wrong or not, so that encoding it gives the same bytes.
    """

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the header; what follows becomes its payload.

        Raises DecodeError for bytes that are cut short or say what cannot be.
        """
        try:
            found: Self = _DECODERS[cls](data, 0, len(data))
        except FAULTS:
            _DECODERS[cls] = codec(cls, _VERSION).decode  # it is missing the first time
            found = read(cls, _VERSION, data)
        return found

    def encode(self, below: Header | None = None) -> bytes:
        """Return the bytes of the header and its payload.

        `below` is the IPv4 or IPv6 header that will carry it: the checksums of TCP, UDP and
        ICMPv6 cover its addresses. Raises EncodeError for values that do not fit.
        """
        try:
            header = self.completed(below)
        except EncodeError:
            raise
        except (TypeError, ValueError, AttributeError, struct.error) as error:
            raise EncodeError(f"{type(self).__name__}: {error}") from error
        return header.encode_as_is()

    def encode_as_is(self) -> bytes:
        """Return the bytes of a header that leaves nothing to compute."""
        return write(self, _VERSION)

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its lengths and checksums filled in."""
        return self

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values; lengths and checksums will be computed anew.

        >>> from protocol.packet import Echo
        >>> Echo(id=7, seq=1).replace(seq=2)
        Echo(id=7, seq=2)
        """
        return structs.replace(self, **_computed(type(self)) | changes)


@cache
def _computed(cls: type[Header]) -> dict[str, None]:
    """Return the fields of a class that encode computes."""
    return {name: None for name, value in cls.defaults().items() if value is None}


def only(shape: Shape, allowed: int) -> Converted:
    """Return the shape of a number that can have one value."""

    def checked(value: int) -> int:
        if value != allowed:
            raise ValueError(f"{value} is not {allowed}")
        return allowed

    return Converted(shape, checked, checked)


def padded(data: bytes, align: int) -> bytes:
    """Return `data` with zeros up to a multiple of `align` bytes."""
    return data + bytes(-len(data) % align)


def not_empty(data: bytes) -> bytes:
    """Return `data`; ValueError if there is none."""
    if not data:
        raise ValueError("at least one byte must stand here")
    return data
