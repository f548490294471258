"""The words that layouts are written in: shapes, and ranges of versions in place.

Everything here is a `construct.Construct`. Records, lists and TLV families, which are made
of these, stand in `record.py`; `compiler.py` turns them into straight functions.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
from collections.abc import Callable, Mapping
from enum import IntEnum, IntFlag
from operator import index
from typing import TYPE_CHECKING, Any

import construct as c

from .exceptions import DecodeError
from .version import OF10, Version

if TYPE_CHECKING:
    from .errors import ErrorCode

U8, U16, U32, U64 = c.Int8ub, c.Int16ub, c.Int32ub, c.Int64ub
S32 = c.Int32sb  #: the one signed number: the offset of a frequency
Rest = c.GreedyBytes  #: all bytes up to the end of the record
Pad = c.Padding
Bytes = c.Bytes

Shape = Any  #: a construct; construct has no types of its own
Layout = tuple[Shape, ...]


# Ranges of versions


class Versioned(c.Construct):  # type: ignore[misc]
    """A shape that must be asked what it is at a version."""

    def at(self, version: Version) -> Any:
        """Return what stands at `version`, None where nothing does."""
        return self


class ByVersion(Versioned):
    """A shape or a number that depends on the version; absent below the first one named."""

    def __init__(self, choices: Mapping[Version, Any]) -> None:
        super().__init__()
        self.choices = dict(sorted(choices.items()))

    def at(self, version: Version) -> Any:
        found = None
        for first, shape in self.choices.items():
            if first <= version:
                found = shape
        return resolve(found, version)


def by_version(choices: Mapping[Version, Any]) -> ByVersion:
    """Each shape holds from its version up to the next one named."""
    return ByVersion(choices)


def since(first: Version, shape: Any) -> ByVersion:
    """`shape` from version `first` on."""
    return ByVersion({first: shape})


def until(last: Version, shape: Any) -> ByVersion:
    """`shape` up to and including version `last`."""
    return between(OF10, last, shape)


def between(first: Version, last: Version, shape: Any) -> ByVersion:
    """`shape` from `first` to `last`, both included."""
    after = {Version(last + 1): None} if last < max(Version) else {}
    return ByVersion({first: shape, **after})


def resolve(shape: Any, version: Version) -> Any:
    """Return `shape` without any range in it, or None if the version does not have it."""
    if isinstance(shape, c.Renamed):
        inner = resolve(shape.subcon, version)
        return None if inner is None else shape.name / inner
    return shape.at(version) if isinstance(shape, Versioned | Converted) else shape


def bare(shape: Shape) -> Shape:
    """Return the shape without its name."""
    return shape.subcon if isinstance(shape, c.Renamed) else shape


# Values that differ from what lies on the wire


class Converted(c.Adapter):  # type: ignore[misc]
    """A shape whose Python value is made by `to_value` and written by `to_wire`.

    Both raise ValueError (or a DecodeError, an EncodeError) for what they cannot say. `recurs`
    tells that the same objects, which never change, are written again and again, so that the
    compiled form keeps ready what some become.
    """

    def __init__(
        self,
        shape: Shape,
        to_value: Callable[[Any], Any],
        to_wire: Callable[[Any], Any],
        *,
        recurs: bool = False,
    ) -> None:
        super().__init__(shape)
        self.to_value, self.to_wire, self.recurs = to_value, to_wire, recurs

    def at(self, version: Version) -> Converted:
        inner, recurs = resolve(self.subcon, version), self.recurs
        if inner is self.subcon:
            return self
        return Converted(inner, self.to_value, self.to_wire, recurs=recurs)

    def _decode(self, value: Any, context: Any, path: str) -> Any:
        try:
            return self.to_value(value)
        except ValueError as error:
            raise DecodeError(None, str(error), path) from error

    def _encode(self, value: Any, context: Any, path: str) -> Any:
        return self.to_wire(value)


class _Named(dict[int, Any]):
    """Names of numbers; a number without a name stands for itself."""

    def __missing__(self, number: int) -> int:
        return number


class _Combined(dict[int, int]):
    """Combinations of named bits; other bits stand for themselves, and are not kept."""

    def __init__(self, names: type[IntFlag]) -> None:
        super().__init__()
        self.names, self.unnamed = names, ~sum(flag.value for flag in names)

    def __missing__(self, bits: int) -> int:
        if bits & self.unnamed:
            return bits
        found = self[bits] = self.names(bits)
        return found


def Enum(shape: Shape, names: type[IntEnum]) -> Converted:
    """A number that may have a name."""
    return Converted(shape, _Named({name.value: name for name in names}).__getitem__, index)


def Flags(shape: Shape, names: type[IntFlag], wire: Mapping[Any, int] | None = None) -> Converted:
    """Bits that may have names.

    `wire` gives, for a version that numbers them differently, the bit of each flag it has.
    Bits without a name are kept: at their place, or 32 places up where `wire` is given.
    Only combinations of named bits become members of `names`: Python keeps each
    combination it ever made, and a peer must not fill our memory.
    """
    if wire is not None:
        return _moved_flags(shape, names, wire)
    return Converted(shape, _Combined(names).__getitem__, index)


def _moved_flags(shape: Shape, names: type[IntFlag], wire: Mapping[Any, int]) -> Converted:
    unnamed = ~sum(wire.values())
    pairs = [(int(flag), bit) for flag, bit in wire.items()]  # enum's own operators are slow
    sayable = sum(flag for flag, _ in pairs) | ~0xFFFF_FFFF

    def to_value(bits: int) -> int:
        value = sum(flag for flag, bit in pairs if bits & bit)
        foreign = bits & unnamed
        return value | foreign << 32 if foreign else names(value)

    def to_wire(value: int) -> int:
        if not value:
            return index(value)
        if value & ~sayable:
            raise ValueError(f"{names(value & ~sayable)!r} does not exist in this version")
        return sum(bit for flag, bit in pairs if value & flag) | value >> 32

    return Converted(shape, to_value, to_wire)


# Bytes of a name that are no UTF-8 become characters of a private area, so that a name is
# text that any terminal and JSON take (lone surrogates they do not), and nothing is lost.
_ESCAPED = 0xF700
_HIGH_BYTES = range(_ESCAPED + 0x80, _ESCAPED + 0x100)


def _escape_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(_ESCAPED + b) for b in error.object[error.start : error.end]), error.end


codecs.register_error("pointsman.escape", _escape_bytes)


# Names that hold such a character already: each of its bytes is escaped, too.
_ESCAPES_ITSELF = re.compile(rb"(?<=\xef)(?=[\x9e\x9f])")


def _name(raw: bytes) -> str:
    raw = raw.rstrip(b"\0")
    if b"\xef" not in raw:  # nor, then, an escape
        return raw.decode("utf-8", "pointsman.escape")
    parts = _ESCAPES_ITSELF.split(raw)
    return "".join([part.decode("utf-8", "pointsman.escape") for part in parts])


def _name_bytes(text: str) -> bytes:
    return b"".join(
        bytes([ord(char) - _ESCAPED]) if ord(char) in _HIGH_BYTES else char.encode()
        for char in text
    )


def Text(size: int) -> Converted:
    """A name in a field of `size` bytes, filled up with zeros."""

    def to_wire(text: str) -> bytes:
        raw = _name_bytes(text)
        if len(raw) > size:
            raise ValueError(f"{text!r} is longer than {size} bytes")
        return raw.ljust(size, b"\0")

    return Converted(Bytes(size), _name, to_wire)


def Numbers(code: str, count: int | None = None) -> Converted:
    """A tuple of numbers, each as `struct` writes it: `Numbers("I", 4)`.

    Without a count they go on to the end of the record.
    """
    one = struct.Struct(f">{code}")

    def to_values(raw: bytes) -> tuple[int, ...]:
        if len(raw) % one.size:
            raise ValueError(f"{len(raw)} bytes are no numbers of {one.size} bytes each")
        return struct.unpack(f">{len(raw) // one.size}{code}", raw)

    def to_wire(values: tuple[int, ...]) -> bytes:
        if count not in (None, len(values)):
            raise ValueError(f"there are {count} numbers, not {len(values)}")
        try:
            return struct.pack(f">{len(values)}{code}", *values)
        except struct.error as error:
            raise ValueError(str(error)) from error

    return Converted(Rest if count is None else Bytes(count * one.size), to_values, to_wire)


class ByNumber(Versioned):
    """One of several shapes, told apart by the 16 bits that each begins with.

    `number_of` tells which one a value is to be written in. Other numbers mean the error
    `unknown`; what is wrong with a shape, and has no error of its own, means `faulty`.
    """

    def __init__(
        self,
        shapes: Mapping[int, Shape],
        number_of: Callable[[Any], int],
        unknown: ErrorCode | None = None,
        faulty: ErrorCode | None = None,
    ) -> None:
        super().__init__()
        self.shapes, self.number_of = dict(shapes), number_of
        self.unknown, self.faulty = unknown, faulty

    def at(self, version: Version) -> ByNumber:
        shapes = {number: resolve(shape, version) for number, shape in self.shapes.items()}
        return ByNumber(shapes, self.number_of, self.unknown, self.faulty)

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Any:
        number = U16._parsereport(stream, context, path)
        stream.seek(-U16.sizeof(), io.SEEK_CUR)
        if number not in self.shapes:
            raise DecodeError(self.unknown, f"number {number} is unknown", path)
        try:
            return self.shapes[number]._parsereport(stream, context, path)
        except DecodeError as error:
            raise DecodeError(error.code or self.faulty, error.reason, error.path) from error
        except c.ConstructError as error:
            raise DecodeError(self.faulty, str(error), path) from error

    def _build(self, value: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        return self.shapes[self.number_of(value)]._build(value, stream, context, path)


# Members that say something of the record they stand in


class Tag(Versioned):
    """A number by which the record was found: written, and known before it is read."""

    def __init__(self, shape: Shape, number: Any) -> None:
        super().__init__()
        self.shape, self.number = shape, number

    def at(self, version: Version) -> Any:
        number = resolve(self.number, version)
        return None if number is None else c.Const(int(number), resolve(self.shape, version))


class Length(c.Subconstruct):  # type: ignore[misc]
    """The size in bytes of the record it stands in, padding of the record included."""


class SizeOf(c.Subconstruct):  # type: ignore[misc]
    """The size in bytes of the member called `target`, which stands later.

    Zeros that fill the member up to a multiple of `align` bytes do not count; `unit` is the
    bytes of an entry where entries are counted.
    """

    def __init__(self, target: str, shape: Shape, align: int = 1, unit: int = 1) -> None:
        super().__init__(shape)
        self.target, self.align, self.unit = target, align, unit

    def fill(self, size: int) -> int:
        """Return how many zeros stand behind a member of this size."""
        return -size % self.align


class SizedBy(c.Subconstruct):  # type: ignore[misc]
    """A member whose size in bytes `size` tells: from the bytes that follow, and from fields.

    `size` takes what is left of the record, then the values of `fields`, which stand before;
    it raises ValueError for what cannot be. A size that is too large is the record's fault.
    """

    def __init__(self, size: Callable[..., int], *fields: str, shape: Shape = Rest) -> None:
        super().__init__(shape)
        self.size, self.fields = size, fields


class Fill(c.Construct):  # type: ignore[misc]
    """Zeros up to a multiple of `align` bytes, counted from the start of the record."""

    def __init__(self, align: int) -> None:
        super().__init__()
        self.align = align

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> None:
        if len(left := stream.read()) >= self.align:
            raise DecodeError(None, f"{len(left)} bytes too many", path)

    def _build(self, value: None, stream: io.BytesIO, context: Any, path: str) -> None:
        """Write nothing: the record knows how much there is to fill."""


class Spread(Versioned):
    """Several fields in one shape, whose value is a tuple of theirs."""

    def __init__(self, shape: Shape, *fields: str) -> None:
        super().__init__()
        self.subcon, self.fields = shape, fields

    def at(self, version: Version) -> Any:
        inner = resolve(self.subcon, version)
        return None if inner is None else Spread(inner, *self.fields)

    def split(self, value: Any) -> tuple[Any, ...]:
        """Return the fields' values in order."""
        return tuple(value)

    def join(self, *values: Any) -> Any:
        """Return the value of the shape that has the fields' values."""
        return values

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Any:
        return self.subcon._parsereport(stream, context, path)

    def _build(self, value: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        return self.subcon._build(value, stream, context, path)

    def _sizeof(self, context: Any, path: str) -> int:
        return int(self.subcon._sizeof(context, path))


class Bits(Spread):
    """Several fields in one number, highest bits first: `Bits(U16, pcp=3, dei=1, vid=12)`."""

    def __init__(self, shape: Shape, **widths: int) -> None:
        super().__init__(shape, *widths)
        self.widths = widths

    def at(self, version: Version) -> Any:
        return self

    def split(self, number: int) -> tuple[int, ...]:
        """Return the fields' values in order."""
        values = []
        for width in reversed(self.widths.values()):
            values.append(number & (1 << width) - 1)
            number >>= width
        return tuple(reversed(values))

    def join(self, *values: int) -> int:
        """Return the number that has the fields' values."""
        number = 0
        for (name, width), value in zip(self.widths.items(), values, strict=True):
            if not 0 <= value < 1 << width:
                raise ValueError(f"{name} has {width} bits, {value!r} does not fit")
            number = number << width | index(value)
        return number
