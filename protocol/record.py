"""Records, lists of them and TLV families: values with a layout, and their reference form.

A record says first what it means (fields with type and default), then where it lies (the
layout). `Record.at(version)` is the layout as construct reads it: the reference which the
compiled form is compared with, and which finds the words for what was wrong.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

import construct as c
import msgspec

from .exceptions import DecodeError, EncodeError
from .version import Version
from .wire import (
    U16,
    U32,
    Fill,
    Layout,
    Length,
    Shape,
    SizedBy,
    SizeOf,
    Spread,
    Tag,
    Versioned,
    bare,
    resolve,
)


@cache
def later(name: str) -> Any:
    """Return a module that stands above all chapters: what only people need is loaded late."""
    return import_module(f".{name}", __package__)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, repr_omit_defaults=True, gc=False):
    """A frozen value that has a place on the wire."""

    #: What stands before the layout of a message or a member of a family; registration fills
    #: it in. A record inside another (`RecordOf`, `ListOf`) is written without it.
    head: ClassVar[Layout] = ()
    layout: ClassVar[Layout] = ()
    #: Whether it tells what is: then what a version has no place for is left out. Where it
    #: says what shall be, that would be another thing than was meant, and is refused.
    report: ClassVar[bool] = False
    #: Whether few different ones come, again and again: then those within others are read once.
    recurs: ClassVar[bool] = False

    def __str__(self) -> str:
        return str(later("text").record_text(self))

    @classmethod
    def at(cls, version: Version, headed: bool = True) -> RecordShape:
        """Return the layout at `version` as a construct; EncodeError where there is none."""
        return _record_shape(cls, version, headed)

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the default of each field that has one."""
        values = cls.__struct_defaults__
        names = cls.__struct_fields__[len(cls.__struct_fields__) - len(values) :]
        return {
            name: value
            for name, value in zip(names, values, strict=True)
            if value is not msgspec.NODEFAULT
        }


R = TypeVar("R", bound=Record)


@cache
def _record_shape(cls: type[Record], version: Version, headed: bool) -> RecordShape:
    head = cls.head if headed else ()
    for member in head:
        if isinstance(member, Tag) and member.at(version) is None:
            raise EncodeError(f"{cls.__name__} does not exist in OpenFlow {version}")
    members = (resolve(member, version) for member in (*head, *cls.layout))
    return RecordShape(cls, version, headed, [one for one in members if one is not None])


# One record


class RecordShape(c.Construct):  # type: ignore[misc]
    """A record at one version, as construct reads and writes it.

    It fills a window: as many bytes as its Length says, else its fixed size, else all.
    """

    def __init__(
        self, record: type[Record], version: Version, headed: bool, members: Sequence[Shape]
    ) -> None:
        super().__init__()
        self.record, self.version, self.headed = record, version, headed
        self.members = tuple(members)
        self.names = tuple(_field_names(self.members))
        self.size = _total_size(self.members)
        self.length_offset = _length_offset(self.members)
        present = {name.partition(".")[0] for name in self.names}
        defaults = {} if record.report else record.defaults()
        self.absent = {name: value for name, value in defaults.items() if name not in present}

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Any:
        window = io.BytesIO(self._window(stream, path))
        values: dict[str, Any] = {}
        sizes: dict[str, int] = {}
        fills: dict[str, int] = {}
        for member in self.members:
            shape, name = bare(member), member.name
            where = f"{path}.{name}" if name else path
            if isinstance(shape, SizedBy):
                sizes[name] = _told_size(shape, values, window, where)
            source = io.BytesIO(_read(window, sizes[name], where)) if name in sizes else window
            value = parse_shape(shape, source, context, where)
            if source is not window:
                _expect_end(source, where)
                _read(window, fills.get(name, 0), where)
            if isinstance(shape, SizeOf):
                sizes[shape.target] = value * shape.unit
                fills[shape.target] = shape.fill(value * shape.unit)
            elif isinstance(shape, Spread):
                values.update(zip(shape.fields, shape.split(value), strict=True))
            elif name:
                values[name] = value
        _expect_end(window, path)
        return self.record(**nested(self.record, values))

    def _window(self, stream: io.BytesIO, path: str) -> bytes:
        if self.length_offset is None:
            return stream.read() if self.size is None else _read(stream, self.size, path)
        offset, shape = self.length_offset
        start = stream.tell()
        _read(stream, offset, path)
        length = parse_shape(shape, stream, None, path)
        stream.seek(start)
        return _read(stream, length, path)

    def _build(self, record: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        for name, default in self.absent.items():
            if getattr(record, name) != default:
                raise EncodeError(f"{path}.{name} does not exist in OpenFlow {self.version}")
        parts = [self._build_member(member, record, context, path) for member in self.members]
        stream.write(b"".join(self._with_sizes(parts)))
        return record

    def _build_member(self, member: Shape, record: Any, context: Any, path: str) -> bytes:
        shape, name = bare(member), member.name
        if isinstance(shape, Length | SizeOf):
            return bytes(shape.sizeof())
        if isinstance(shape, Spread):
            try:
                value: Any = shape.join(*(attrgetter(field)(record) for field in shape.fields))
            except (ValueError, TypeError) as error:
                raise EncodeError(f"{path}: {error}") from error
        else:
            value = attrgetter(name)(record) if name else None
        return build_shape(shape, value, context, f"{path}.{name}" if name else path)

    def _with_sizes(self, parts: list[bytes]) -> list[bytes]:
        names = [member.name for member in self.members]
        shapes = [bare(member) for member in self.members]
        sizes = {name: len(part) for name, part in zip(names, parts, strict=True) if name}
        for index, shape in enumerate(shapes):
            if isinstance(shape, SizeOf):
                size = sizes[shape.target]
                number = size // shape.unit
                parts[index] = build_shape(shape.subcon, number, None, shape.target)
                parts[names.index(shape.target)] += bytes(shape.fill(size))
        for index, shape in enumerate(shapes):
            if isinstance(shape, Fill):
                parts[index] = bytes(-sum(map(len, parts)) % shape.align)
        for index, shape in enumerate(shapes):
            if isinstance(shape, Length):
                parts[index] = build_shape(shape, sum(map(len, parts)), None, "length")
        return parts

    def _sizeof(self, context: Any, path: str) -> int:
        if self.size is None:
            raise c.SizeofError(path=path)
        return self.size


def parse_shape(shape: Shape, stream: io.BytesIO, context: Any, path: str) -> Any:
    """Read `shape` as construct does; what construct raises becomes a DecodeError."""
    try:
        return shape._parsereport(stream, context, path)
    except c.ConstructError as error:
        reason = str(error).partition("\n")[2] or str(error)
        raise DecodeError(None, reason.strip() or "cannot be read", path) from error


def build_shape(shape: Shape, value: Any, context: Any, path: str) -> bytes:
    """Write `value` as construct does; values that do not fit raise EncodeError."""
    stream = io.BytesIO()
    try:
        shape._build(value, stream, context, path)
    except EncodeError:
        raise
    except (c.ConstructError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise EncodeError(f"{path}: {value!r} does not fit: {_first_line(error)}") from error
    return stream.getvalue()


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[-1] if lines else type(error).__name__


def _read(stream: io.BytesIO, size: int, path: str) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise DecodeError(None, f"{size} bytes are needed, {len(data)} are left", path)
    return data


def _told_size(shape: SizedBy, values: Mapping[str, Any], window: io.BytesIO, path: str) -> int:
    try:
        return shape.size(window.getvalue()[window.tell() :], *map(values.get, shape.fields))
    except ValueError as error:
        raise DecodeError(None, str(error), path) from error


def _expect_end(stream: io.BytesIO, path: str) -> None:
    if left := len(stream.read()):
        raise DecodeError(None, f"{left} bytes too many", path)


def _field_names(members: Sequence[Shape]) -> Iterator[str]:
    for member in members:
        if isinstance(shape := bare(member), Spread):
            yield from shape.fields
        elif member.name:
            yield member.name


def fixed_size(shape: Shape) -> int | None:
    """Return the size of `shape` in bytes, None where it depends on what is in it."""
    try:
        return int(shape.sizeof())
    except c.SizeofError:
        return None


def _total_size(members: Sequence[Shape]) -> int | None:
    total = 0
    for member in members:
        if (size := fixed_size(member)) is None:
            return None
        total += size
    return total


def _length_offset(members: Sequence[Shape]) -> tuple[int, Shape] | None:
    offset = 0
    for member in members:
        if isinstance(shape := bare(member), Length):
            return offset, shape.subcon
        if (size := fixed_size(member)) is None:
            return None
        offset += size
    return None


def nested(record: type[Record], values: Mapping[str, Any]) -> dict[str, Any]:
    """Gather dotted names: `stats.packet_count` becomes a field of the record `stats`."""
    found: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        outer, dot, rest = name.partition(".")
        if dot:
            inner.setdefault(outer, {})[rest] = value
        else:
            found[name] = value
    for name, fields in inner.items():
        found[name] = _types(record)[name](**fields)
    return found


_types = cache(get_type_hints)


# Records within records


class RecordOf(Versioned):
    """One record inside another."""

    def __init__(self, record: type[Record]) -> None:
        super().__init__()
        self.record = record

    def at(self, version: Version) -> RecordShape:
        return self.record.at(version, headed=False)


class ListOf(Versioned):
    """Records up to the end."""

    def __init__(self, record: type[Record]) -> None:
        super().__init__()
        self.record = record

    def at(self, version: Version) -> RecordList:
        return RecordList(self.record.at(version, headed=False))


class RecordList(c.Construct):  # type: ignore[misc]
    """Records of one class at one version."""

    def __init__(self, item: RecordShape) -> None:
        super().__init__()
        self.item = item

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> tuple[Any, ...]:
        items: list[Any] = []
        end = len(stream.getvalue())
        while (start := stream.tell()) < end:
            items.append(parse_shape(self.item, stream, context, f"{path}[{len(items)}]"))
            if stream.tell() == start:
                raise DecodeError(None, "an entry without any bytes", path)
        return tuple(items)

    def _build(self, items: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        for index, item in enumerate(items):
            if type(item) is not self.item.record:
                raise EncodeError(f"{path}[{index}]: {item!r} is no {self.item.record.__name__}")
            stream.write(build_shape(self.item, item, context, f"{path}[{index}]"))
        return items


class Unknown(Record):
    """A member of a family whose number we do not know, kept as it came."""

    number: int
    body: bytes = b""


class Family(Versioned):
    """Records told apart by a number and sized by a length, one after another to the end.

    `number` and `length` are the shapes of the head; elements start at multiples of
    `align`. Where `length_counts_padding`, each length is such a multiple. `unknown` is
    the error that a number without a member means (None keeps it as `Unknown`), `short`
    the one for a length that cannot be. Both are ErrorCodes. `length_first` is for the one
    family whose length stands before the number. `recurs` tells that the same lists come
    again and again, so that the compiled form keeps some ready.

    Members of experimenters share a number and are told apart by what stands next: the
    experimenter, 32 bits, and its own number for the member, of shape `subtype`. The member
    that has the shared number by itself takes those that are unknown.
    """

    def __init__(
        self,
        name: str,
        *,
        number: Shape = U16,
        length: Shape = U16,
        align: int = 8,
        length_counts_padding: bool,
        unknown: Any,
        short: Any,
        length_first: bool = False,
        subtype: Shape = U32,
        recurs: bool = False,
    ) -> None:
        super().__init__()
        self.recurs = recurs
        self.length_first, self.subtype = length_first, subtype
        self.family, self.number, self.length, self.align = name, number, length, align
        self.length_counts_padding, self.unknown, self.short = length_counts_padding, unknown, short
        self.members: dict[type[Record], Any] = {}
        self.experimenters: dict[type[Record], tuple[Any, int, int]] = {}
        self._lists: dict[Version, FamilyList] = {}

    def member(self, number: Any) -> Callable[[type[R]], type[R]]:
        """Register a record under a number, which may be a range of versions."""

        def register(cls: type[R]) -> type[R]:
            head = (Tag(self.number, number), Length(self.length))
            cls.head = head[::-1] if self.length_first else head
            self.members[cls] = number
            return cls

        return register

    def experimenter(
        self, experimenter: int, subtype: int, number: Any = 0xFFFF
    ) -> Callable[[type[R]], type[R]]:
        """Register a record of an experimenter; `number` is the one that all of them share."""

        def register(cls: type[R]) -> type[R]:
            known = (Tag(U32, experimenter), Tag(self.subtype, subtype))
            cls.head = (Tag(self.number, number), Length(self.length), *known)
            self.experimenters[cls] = (number, experimenter, subtype)
            return cls

        return register

    def at(self, version: Version) -> FamilyList:
        if version not in self._lists:
            self._lists[version] = FamilyList(self, version)
        return self._lists[version]


class FamilyList(c.Construct):  # type: ignore[misc]
    """The elements of a family at one version."""

    def __init__(self, family: Family, version: Version) -> None:
        super().__init__()
        self.family, self.version = family, version
        self.number_of = {
            cls: number
            for cls, shape in family.members.items()
            if (number := resolve(shape, version)) is not None
        }
        self.class_of = {number: cls for cls, number in self.number_of.items()}
        self.experimenter_of = {
            (number, experimenter, subtype): cls
            for cls, (shape, experimenter, subtype) in family.experimenters.items()
            if (number := resolve(shape, version)) is not None
        }
        self.shared_numbers = {number for number, _, _ in self.experimenter_of}
        self.head_size: int = family.number.sizeof() + family.length.sizeof()
        self.told_by = struct.Struct(f">{self.head_size}xI{family.subtype.fmtstr[1:]}")

    def find(self, number: int, element: bytes) -> type[Record] | None:
        """Return the class of an element, None where no member has its number."""
        if number in self.shared_numbers and len(element) >= self.told_by.size:
            key = (number, *self.told_by.unpack_from(element))
            if cls := self.experimenter_of.get(key):
                return cls
        return self.class_of.get(number)

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> tuple[Any, ...]:
        items: list[Any] = []
        end = len(stream.getvalue())
        while stream.tell() < end:
            where = f"{path}[{len(items)}]"
            try:
                items.append(self._parse_item(stream, end, context, where))
            except DecodeError as error:
                if error.code is not None:
                    raise
                raise DecodeError(self.family.short, error.reason, error.path) from error
        return tuple(items)

    def _parse_item(self, stream: io.BytesIO, end: int, context: Any, path: str) -> Any:
        family, start = self.family, stream.tell()
        shapes = (family.number, family.length)
        if family.length_first:
            length, number = (parse_shape(one, stream, context, path) for one in shapes[::-1])
        else:
            number, length = (parse_shape(one, stream, context, path) for one in shapes)
        if length < self.head_size or (family.length_counts_padding and length % family.align):
            raise DecodeError(None, f"length {length} cannot be", path)
        stream.seek(start)
        window = io.BytesIO(_read(stream, length, path))
        _read(stream, -length % family.align, path)
        if cls := self.find(number, window.getvalue()):
            return parse_shape(cls.at(self.version), window, context, f"{path}.{cls.__name__}")
        if family.unknown is not None:
            raise DecodeError(family.unknown, f"{family.family} {number} is unknown", path)
        window.seek(self.head_size)
        return Unknown(number, window.read())

    def _build(self, items: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        for index, item in enumerate(items):
            body = self._build_item(item, context, f"{path}[{index}]")
            stream.write(body + bytes(-len(body) % self.family.align))
        return items

    def _build_item(self, item: Any, context: Any, path: str) -> bytes:
        family, cls = self.family, type(item)
        if cls is Unknown and family.unknown is None:
            number = build_shape(family.number, item.number, context, path)
            length = build_shape(family.length, self.head_size + len(item.body), context, path)
            head = length + number if family.length_first else number + length
            return head + bytes(item.body)
        if cls not in family.members and cls not in family.experimenters:
            raise EncodeError(f"{path}: {item!r} is no {family.family}")
        return build_shape(cls.at(self.version), item, context, f"{path}.{cls.__name__}")
