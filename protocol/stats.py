"""What is counted of a flow entry, in all versions; OF1.5 writes it as OXS fields."""

from __future__ import annotations

import io
import struct
from operator import index
from typing import Any, NamedTuple

import construct as c

from .errors import BadRequestCode
from .exceptions import DecodeError, EncodeError
from .record import Record, parse_shape
from .version import OF15, Version
from .wire import U32, U64, Bytes, Converted, Versioned
from .writer import Form, Malformed


class Stats(Record):
    """Counters and times of flow entries; None for what was not told.

    Up to OF1.4 which ones there are is fixed, in OF1.5 each may be left away
    (OF1.5.1 7.2.4.2 "Flow Stats Fields").
    """

    duration_sec: int | None = None  #: how long the entry is there
    duration_nsec: int | None = None  #: beyond duration_sec
    idle_sec: int | None = None  #: how long no packet matched
    idle_nsec: int | None = None
    flow_count: int | None = None  #: entries, in an aggregate
    packet_count: int | None = None
    byte_count: int | None = None


def _or_zero(value: int | None) -> int:
    return value or 0


Count32 = Converted(U32, index, _or_zero)  #: a member of Stats in a fixed place
Count64 = Converted(U64, index, _or_zero)

_OXS_BASIC = 0x8002


class _OxsField(NamedTuple):
    number: int
    format: str
    members: tuple[str, ...]

    @property
    def header(self) -> int:
        return _OXS_BASIC << 16 | self.number << 9 | struct.calcsize(self.format)


OXS = (
    _OxsField(0, ">II", ("duration_sec", "duration_nsec")),
    _OxsField(1, ">II", ("idle_sec", "idle_nsec")),
    _OxsField(3, ">I", ("flow_count",)),
    _OxsField(4, ">Q", ("packet_count",)),
    _OxsField(5, ">Q", ("byte_count",)),
)
_BY_HEADER = {oxs.header: oxs for oxs in OXS}
_HEAD = struct.Struct(">HH")  # reserved, length without the padding
_FIELD_HEAD = struct.Struct(">I")


class OxsStats(Versioned):
    """Stats as a list of OXS fields, with its length and padding.

    Fields that are unknown are passed over, as their length allows (OF1.5.1 7.2.4.1).
    """

    def at(self, version: Version) -> OxsStatsShape | None:
        return OxsStatsShape() if version >= OF15 else None


class OxsStatsShape(c.Construct):  # type: ignore[misc]
    """OxsStats of OF1.5."""

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Stats:
        _reserved, length = _HEAD.unpack(parse_shape(Bytes(4), stream, context, path))
        if length < _HEAD.size:
            raise DecodeError(BadRequestCode.BAD_LEN, f"length {length} cannot be", path)
        size = length - _HEAD.size
        body = parse_shape(Bytes(size + -length % 8), stream, context, path)
        fields, values = io.BytesIO(body[:size]), dict[str, int]()
        while fields.tell() < size:
            header = parse_shape(U32, fields, context, path)
            body = parse_shape(Bytes(header & 0xFF), fields, context, path)
            if oxs := _BY_HEADER.get(header):
                values.update(zip(oxs.members, struct.unpack(oxs.format, body), strict=True))
        return Stats(**values)

    def _build(self, stats: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        if not isinstance(stats, Stats):
            raise EncodeError(f"{path}: {stats!r} is no Stats")
        try:
            stream.write(_encode(stats))
        except struct.error as error:
            raise EncodeError(f"{path}: {stats!r} does not fit: {error}") from error
        return stats

    def compiled(self) -> Form:
        return Form(_decode, _encode)


def _decode(buffer: bytes, at: int, end: int) -> tuple[Stats, int]:
    if at + _HEAD.size > end:
        raise Malformed
    _, length = _HEAD.unpack_from(buffer, at)
    stop = at + length + (-length & 7)
    if length < _HEAD.size or stop > end:
        raise Malformed
    values: dict[str, int] = {}
    here, last = at + _HEAD.size, at + length
    while here < last:
        if here + _FIELD_HEAD.size > last:
            raise Malformed
        (header,) = _FIELD_HEAD.unpack_from(buffer, here)
        here += _FIELD_HEAD.size
        if here + (header & 0xFF) > last:
            raise Malformed
        if oxs := _BY_HEADER.get(header):
            values.update(
                zip(oxs.members, struct.unpack_from(oxs.format, buffer, here), strict=True)
            )
        here += header & 0xFF
    return Stats(**values), stop


def _encode(stats: Stats) -> bytes:
    parts = []
    for oxs in OXS:
        values = [getattr(stats, member) for member in oxs.members]
        if any(value is not None for value in values):
            numbers = [value or 0 for value in values]
            parts.append(_FIELD_HEAD.pack(oxs.header) + struct.pack(oxs.format, *numbers))
    body = b"".join(parts)
    length = len(body) + _HEAD.size
    return _HEAD.pack(0, length) + body + bytes(-length & 7)
