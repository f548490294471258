"""The layout of a message walked as the reference form does, each field noted with its place.

Records, lists, matches and properties within it are walked likewise, and so are messages in
messages and the headers of frames.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import construct as c

from .exceptions import DecodeError
from .match import OneOxmShape, OxmMatchShape
from .message import HEADER, Message, class_of
from .oxm import EXPERIMENTER_CLASS, OPENFLOW_BASIC, FieldValue
from .oxm_table import OxmTable
from .packet import Header, Packet
from .record import FamilyList, RecordList, RecordShape, Unknown
from .shape_names import (
    carries_message,
    const_meaning,
    const_text,
    is_leaf,
    kind_of,
    leaf_size,
    member_name_in,
    number_in,
    said,
)
from .spec_names import member_name, message_name
from .stats import OXS, OxsStatsShape
from .symmetric import ErrorMsg
from .syntax.match import value_text as oxm_text
from .text import bytes_text, value_text
from .version import Version
from .wire import Bits, ByNumber, Converted, Fill, Shape, SizedBy, SizeOf, Spread, bare

MAX_DEPTH = 64  # messages in bundles, frames in tunnels: what a peer nests must end somewhere

VERSIONS = {version.value: version for version in Version}


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a message, and what they are. A record has its parts behind it, deeper."""

    start: int
    end: int
    depth: int
    path: str  #: FlowMod.match.ipv4_src
    name: str  #: the last of the path
    kind: str  #: u16, padding, FlowMod …
    value: str = ""  #: "" for a record: its parts have values
    meaning: str = ""  #: the specification's name for the value, or for the record
    whole: bool = False  #: whether it is a record, whose bytes its parts tell


class Broken(Exception):
    """The bytes from `at` on are not what the layout says."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a shape is met: up to which byte, under which name, how deep."""

    end: int
    path: str
    depth: int

    def below(self, name: str, end: int | None = None, deeper: int = 0) -> _Place:
        path = f"{self.path}{name}" if name[:1] == "[" else f"{self.path}.{name}"
        return _Place(self.end if end is None else end, path, self.depth + deeper)

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


class Walker:
    """Walks the shapes as they are laid out, and notes the parts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.parts: list[Part] = []
        self.cut = False  # whether the message goes on behind the data
        self.headers: list[type[Header]] = []  # of the frame we are in, the next one first

    def message(self, at: int, end: int, depth: int) -> int:
        """Walk a message, and return where it ends."""
        data = self.data[at:end]
        if len(data) < HEADER.size or depth > MAX_DEPTH:
            raise Broken(at)
        version = VERSIONS.get(data[0])
        length = HEADER.unpack_from(data)[2]
        if version is None or length < HEADER.size:
            raise Broken(at if version is None else at + 2)
        self.cut = self.cut or length > len(data)
        stop = min(at + length, end)
        try:
            cls = class_of(version, self.data, at, stop)
        except DecodeError:
            raise Broken(at + 1) from None
        return self.record(cls.at(version), at, _Place(stop, cls.__name__, depth))

    def note(
        self, start: int, end: int, place: _Place, kind: str, value: str = "", meaning: str = ""
    ) -> None:
        """Note bytes that are one field."""
        self.parts.append(
            Part(start, end, place.depth, place.path, place.name, kind, value, meaning)
        )

    def whole(self, start: int, end: int, place: _Place, kind: str, meaning: str = "") -> None:
        """Note that a record stands here, whose parts follow."""
        self.parts.append(
            Part(start, end, place.depth, place.path, place.name, kind, "", meaning, True)
        )

    def take(self, at: int, size: int, place: _Place) -> bytes:
        """Return so many bytes; they must be there."""
        if at + size > place.end:
            raise Broken(at)
        return self.data[at : at + size]

    # Records

    def record(self, shape: RecordShape, at: int, place: _Place) -> int:
        """Walk the members of a record."""
        stop = self.stop_of(shape, at, place)
        name = message_name(shape.record) if issubclass(shape.record, Message) else ""
        self.whole(at, stop, place, shape.record.__name__, name or member_name(shape.record))
        values: dict[str, Any] = {}
        sizes: dict[str, tuple[int, int]] = {}  # of members: bytes, and what they are filled up to
        consts = 0
        for member in shape.members:
            inner, name = bare(member), member_name_in(shape, member, consts)
            consts += isinstance(inner, c.Const)
            if isinstance(inner, SizedBy):
                sizes[name] = self.told_size(inner, at, stop, values), 1
            size, align = sizes.get(name, (stop - at, 1))
            end = self.within(at + size, at, _Place(stop, "", 0))
            at = self.member(shape, inner, at, place.below(name, end, 1), values)
            at = self.padding(min(-size % align, stop - at), at, place.below("", stop, 1))
            if isinstance(inner, SizeOf):
                sizes[inner.target] = values[name] * inner.unit, inner.align
        if at != stop:
            raise Broken(at)
        return stop

    def member(
        self, shape: RecordShape, inner: Shape, at: int, place: _Place, values: dict[str, Any]
    ) -> int:
        """Walk one member, and keep its value where others may need it."""
        name = place.name
        if isinstance(inner, c.Const):
            return self.const(shape, inner, at, place)
        if isinstance(inner, Bits):
            return self.bits(inner, at, place, values)
        if name == "payload" and issubclass(shape.record, Header) and self.headers:
            return self.header(at, place)
        if name == "data" and shape.record is ErrorMsg:
            return self.offender(at, place)
        if name == "data" and shape.record.__name__ in ("PacketIn", "PacketOut"):
            return self.frame(at, place)
        if carries_message(shape, inner):
            return self.carried(at, place)
        start = at
        at = self.walk(inner, at, place)
        if (number := number_in(inner, self.data[start:at])) is not None:
            values[name] = number
        return at

    def stop_of(self, shape: RecordShape, at: int, place: _Place) -> int:
        if shape.length_offset is not None:
            offset, length = shape.length_offset
            raw = self.take(at + offset, length.sizeof(), place)
            size = int.from_bytes(raw, "big")
            if size < offset + len(raw):
                raise Broken(at + offset)
            return self.within(at + size, at + offset, place)
        if shape.size is not None:
            return self.within(at + shape.size, at, place)
        return place.end

    def within(self, stop: int, at: int, place: _Place) -> int:
        """Return `stop`, or the end of what was cut off before it."""
        if stop > place.end and not self.cut:
            raise Broken(at)
        return min(stop, place.end)

    def told_size(self, shape: SizedBy, at: int, stop: int, values: dict[str, Any]) -> int:
        try:
            size: int = shape.size(self.data[at:stop], *map(values.get, shape.fields))
        except ValueError:
            raise Broken(at) from None
        return size

    def const(self, shape: RecordShape, inner: c.Const, at: int, place: _Place) -> int:
        raw = self.take(at, inner.sizeof(), place)
        if int.from_bytes(raw, "big") != inner.value:
            raise Broken(at)
        meaning = const_meaning(shape, place.name)
        self.note(at, at + len(raw), place, kind_of(inner), const_text(place.name, raw), meaning)
        return at + len(raw)

    def bits(self, shape: Bits, at: int, place: _Place, values: dict[str, Any]) -> int:
        raw = self.take(at, shape.sizeof(), place)
        number = int.from_bytes(raw, "big")
        found = dict(zip(shape.fields, shape.split(number), strict=True))
        values |= found
        shown = " ".join(f"{name}={value}" for name, value in found.items())
        self.note(at, at + len(raw), place.below("+".join(found)), kind_of(shape), shown)
        return at + len(raw)

    # Shapes

    def walk(self, shape: Shape, at: int, place: _Place) -> int:
        """Walk one shape, and return where it ends."""
        match shape:
            case c.Padded():
                return self.padding(shape.sizeof(), at, place)
            case Fill():
                return self.padding(place.end - at, at, place)
            case RecordShape():
                return self.record(shape, at, place)
            case RecordList():
                return self.records(shape, at, place)
            case FamilyList():
                return self.family(shape, at, place)
            case OxmMatchShape():
                return self.match(shape.table, at, place)
            case OneOxmShape():
                return self.oxm(shape.table, at, place)
            case OxsStatsShape():
                return self.stats(at, place)
            case ByNumber():
                return self.by_number(shape, at, place)
            case Converted() | Spread() | SizedBy() if not is_leaf(shape):
                return self.walk(shape.subcon, at, place)
        # Extensions have shapes of their own, whose insides are those of the chapters.
        if isinstance(table := getattr(shape, "table", None), OxmTable):
            return self.oxms(table, at, place)
        if isinstance(actions := getattr(shape, "actions", None), FamilyList):
            return self.family(actions, at, place)
        return self.leaf(shape, at, place)

    def by_number(self, shape: ByNumber, at: int, place: _Place) -> int:
        number = int.from_bytes(self.take(at, 2, place), "big")
        if number not in shape.shapes:
            raise Broken(at)
        return self.walk(shape.shapes[number], at, place)

    def leaf(self, shape: Shape, at: int, place: _Place) -> int:
        """Note a field; how long a shape that we do not know is, construct tells."""
        size = leaf_size(shape)
        if size is None:
            return self.foreign(shape, at, place)
        raw = self.take(at, place.end - at if size < 0 else size, place)
        try:
            value = shape.parse(raw)
        except (c.ConstructError, DecodeError, ValueError):
            raise Broken(at) from None
        if raw:
            self.note(at, at + len(raw), place, kind_of(shape), *said(place.name, value))
        return at + len(raw)

    def foreign(self, shape: Shape, at: int, place: _Place) -> int:
        stream = io.BytesIO(self.data[at : place.end])
        try:
            value = shape.parse_stream(stream)
        except (c.ConstructError, DecodeError, ValueError):
            raise Broken(at) from None
        self.note(at, at + stream.tell(), place, "bytes", value_text(place.name, value))
        return at + stream.tell()

    def padding(self, size: int, at: int, place: _Place) -> int:
        raw = self.take(at, size, place)
        if size:
            shown = "" if not any(raw) else f"not zero: {bytes_text(raw)}"
            self.note(at, at + size, _Place(place.end, "", place.depth), "padding", shown)
        return at + size

    def records(self, shape: RecordList, at: int, place: _Place) -> int:
        index = 0
        while at < place.end:
            start = at
            at = self.record(shape.item, at, place.below(f"[{index}]"))
            if at == start:
                raise Broken(at)
            index += 1
        return at

    def family(self, shape: FamilyList, at: int, place: _Place) -> int:
        index, family = 0, shape.family
        while at < place.end:
            head = self.take(at, shape.head_size, place)
            number_size = family.number.sizeof()
            first, second = head[:number_size], head[number_size:]
            if family.length_first:
                first, second = second, first
            number, length = int.from_bytes(first, "big"), int.from_bytes(second, "big")
            odd = family.length_counts_padding and length % family.align
            told_at = at + (0 if family.length_first else number_size)
            if length < shape.head_size or odd:
                raise Broken(told_at)
            stop = self.within(at + length, told_at, place)
            self.element(shape, number, at, place.below(f"[{index}]", stop))
            at = self.padding(-length % family.align, stop, place)
            index += 1
        return at

    def element(self, shape: FamilyList, number: int, at: int, place: _Place) -> None:
        if cls := shape.find(number, self.data[at : place.end]):
            self.record(cls.at(shape.version), at, place)
        elif shape.family.unknown is not None:
            raise Broken(at)
        else:
            size = shape.head_size // 2
            self.whole(at, place.end, place, Unknown.__name__, shape.family.family)
            inner = place.below("type", deeper=1)
            self.note(at, at + size, inner, f"u{size * 8}", str(number), "unknown")
            inner = place.below("length", deeper=1)
            self.note(at + size, at + 2 * size, inner, f"u{size * 8}", str(place.end - at))
            self.rest(at + 2 * size, place.below("body", deeper=1))

    def rest(self, at: int, place: _Place) -> None:
        if at < place.end:
            raw = self.data[at : place.end]
            self.note(at, place.end, place, "bytes", bytes_text(raw))

    # Matches and statistics

    def match(self, table: OxmTable, at: int, place: _Place) -> int:
        raw = self.take(at, 4, place)
        kind, length = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:], "big")
        if kind != 1 or length < 4:
            raise Broken(at if kind != 1 else at + 2)
        stop = self.within(at + length, at + 2, place)
        self.whole(at, stop, place, "Match", "ofp_match")
        inner = place.below("type", stop, 1)
        self.note(at, at + 2, inner, "u16", "1", "OFPMT_OXM")
        self.note(at + 2, at + 4, place.below("length", stop, 1), "u16", str(length))
        at = self.oxms(table, at + 4, _Place(stop, place.path, place.depth + 1))
        return self.padding(-length % 8, at, place.below("", deeper=1))

    def oxms(self, table: OxmTable, at: int, place: _Place) -> int:
        """Walk fields up to the end."""
        while at < place.end:
            at = self.oxm(table, at, place)
        return at

    def oxm(self, table: OxmTable, at: int, place: _Place) -> int:
        """Walk one field: its header, its value, and its mask."""
        header = int.from_bytes(self.take(at, 4, place), "big")
        stop = at + 4 + (header & 0xFF)
        if stop > place.end:
            self.note(at, at + 4, place.below("header"), "u32", f"{header:#010x}")
        body = self.take(at + 4, header & 0xFF, place)
        try:
            name, value = table.field(header, body)
        except ValueError:
            raise Broken(at) from None
        basic = header >> 16 == OPENFLOW_BASIC and name in table.numbers
        self.whole(at, stop, place.below(name), "OXM", f"OXM_OF_{name.upper()}" if basic else "")
        inner = place.below(name, stop, 1)
        shown = f"class {header >> 16:#06x} field {header >> 9 & 0x7F} length {header & 0xFF}"
        shown += " masked" if header & 0x100 else ""
        self.note(at, at + 4, inner.below("header"), "u32", shown)
        at += 4
        if header >> 16 == EXPERIMENTER_CLASS and not isinstance(value, bytes):
            experimenter = hex(int.from_bytes(body[:4], "big"))
            self.note(at, at + 4, inner.below("experimenter"), "u32", experimenter)
            at += 4
        self.oxm_value(name, value, at, inner)
        return stop

    def oxm_value(self, name: str, value: FieldValue, at: int, place: _Place) -> None:
        numbers = value if isinstance(value, tuple) else (value,)
        size = (place.end - at) // len(numbers)
        for label, number in zip(("value", "mask"), numbers, strict=False):
            if size:
                self.note(at, at + size, place.below(label), "bytes", oxm_text(name, number))
            at += size

    def stats(self, at: int, place: _Place) -> int:
        length = int.from_bytes(self.take(at, 4, place)[2:], "big")
        if length < 4:
            raise Broken(at + 2)
        stop = self.within(at + length, at + 2, place)
        self.whole(at, stop, place, "Stats", "ofp_stats")
        self.padding(2, at, place.below("", stop, 1))
        self.note(at + 2, at + 4, place.below("length", stop, 1), "u16", str(length))
        at += 4
        known = {oxs.header: oxs for oxs in OXS}
        while at < stop:
            where = _Place(stop, place.path, place.depth + 1)
            header = int.from_bytes(self.take(at, 4, where), "big")
            body = self.take(at + 4, header & 0xFF, where)
            oxs = known.get(header)
            name = "+".join(oxs.members) if oxs else f"oxs_{header:08x}"
            self.note(at, at + 4, where.below("header"), "u32", f"{header:#010x}", name)
            if body:
                self.note(at + 4, at + 4 + len(body), where.below(name), "bytes", bytes_text(body))
            at += 4 + len(body)
        return self.padding(-length % 8, at, place.below("", deeper=1))

    # Messages and frames within messages

    def carried(self, at: int, place: _Place) -> int:
        """Walk a message that fills the end of another; properties may follow."""
        start = at
        at = self.message(at, place.end, place.depth)
        if at < place.end:
            at = self.padding(min(-(at - start) % 8, place.end - at), at, place)
            self.rest(at, place)
        return place.end

    def offender(self, at: int, place: _Place) -> int:
        """Walk the beginning of the message that an error is about, as far as it goes."""
        before = len(self.parts)
        inner = Walker(self.data)
        stop = at
        try:
            stop = inner.message(at, place.end, place.depth)
        except Broken as broken:
            stop = broken.at
        self.parts += [part for part in inner.parts if part.whole or part.end <= stop]
        stop = max((part.end for part in self.parts[before:] if not part.whole), default=at)
        self.rest(stop, place)
        return place.end

    def frame(self, at: int, place: _Place) -> int:
        """Walk the headers of a frame."""
        try:
            packet = Packet.parse(self.data[at : place.end])
        except DecodeError:
            self.rest(at, place)
            return place.end
        self.headers = [type(header) for header in packet.headers]
        return self.header(at, place)

    def header(self, at: int, place: _Place) -> int:
        cls = self.headers.pop(0)
        return self.record(cls.at(max(Version)), at, place)
