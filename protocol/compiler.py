"""A layout at one version, turned into two straight functions.

    decode(buffer, position, end) -> the record      all of the window, or an exception
    encode(record) -> bytes

Neighbouring members of fixed size become one `struct` call, padding becomes `x`, numbers
with names a dictionary look-up; shapes with a form of their own (lists, families, Match) are
called. What a shape does not tell, construct does: slower, still right. The functions do
not look for words when something is wrong: they raise one of `FAULTS`, and whoever called
them asks the reference form, which knows the field and the error to answer with.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any

from .record import (
    FamilyList,
    R,
    Record,
    RecordList,
    RecordShape,
    Unknown,
    build_shape,
    parse_shape,
)
from .version import Version
from .wire import (
    ByNumber,
    Converted,
    Rest,
    Shape,
)
from .writer import (
    FAULTS,
    Codec,
    Decode,
    Encode,
    Form,
    Malformed,
    Writer,
    construct_form,
    fixed_form,
)


@cache
def codec(record: type[Record], version: Version, headed: bool = True) -> Codec:
    """Return the compiled form of `record` at `version`, made when first asked for."""
    return Writer(record.at(version, headed), form_of).finish()


def read(record: type[R], version: Version, data: bytes, headed: bool = True) -> R:
    """Return the record that `data` is; DecodeError, with the path of the field, if none."""
    try:
        found: R = codec(record, version, headed).decode(data, 0, len(data))
    except FAULTS:
        shape = record.at(version, headed)
        found = parse_shape(shape, io.BytesIO(data), {}, record.__name__)
    return found


def write(value: Record, version: Version, headed: bool = True) -> bytes:
    """Return the bytes of a record; EncodeError, with the path of the field, if none."""
    record = type(value)
    try:
        return codec(record, version, headed).encode(value)
    except FAULTS:
        return build_shape(record.at(version, headed), value, {}, record.__name__)


def form_of(shape: Shape) -> Form | None:
    """Return the straight form of a shape that has one of its own."""
    if compiled := getattr(shape, "compiled", None):
        found: Form = compiled()
        return found
    if isinstance(shape, FamilyList):
        return _kept_form(_family_form(shape)) if shape.family.recurs else _family_form(shape)
    if isinstance(shape, RecordList):
        return _list_form(shape)
    if isinstance(shape, RecordShape):
        return _record_form(shape)
    if isinstance(shape, ByNumber):
        return _by_number_form(shape)
    if shape is Rest:
        # b"".__add__ takes what is bytes only; bytes itself makes zeros of a number.
        return Form(lambda buffer, at, end: (buffer[at:end], end), b"".__add__)
    if isinstance(shape, Converted) and (inner := form_of(shape.subcon)):
        converted = _converted_form(inner, shape.to_value, shape.to_wire)
        return converted if inner.kept is None else _kept_form(converted)
    return fixed_form(shape)


def _converted_form(
    inner: Form, to_value: Callable[[Any], Any], to_wire: Callable[[Any], Any]
) -> Form:
    decode_inner, encode_inner, _ = inner

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        value, at = decode_inner(buffer, at, end)
        return to_value(value), at

    def encode(value: Any) -> bytes:
        return encode_inner(to_wire(value))

    return Form(decode, encode)


def _by_number_form(shape: ByNumber) -> Form:
    unpack, number_of = struct.Struct(">H").unpack_from, shape.number_of
    forms = {number: form_of(one) or construct_form(one) for number, one in shape.shapes.items()}

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        if at + 2 > end:
            raise Malformed
        return forms[unpack(buffer, at)[0]].decode(buffer, at, end)

    def encode(value: Any) -> bytes:
        return forms[number_of(value)].encode(value)

    return Form(decode, encode)


# Records within records


def _stop_of(shape: RecordShape) -> Callable[[bytes, int, int], int]:
    """Return the function that finds where a record that begins at a position stops."""
    if shape.length_offset is not None:
        offset, length = shape.length_offset
        unpack = struct.Struct(length.fmtstr).unpack_from
        smallest = offset + length.sizeof()

        def by_length(buffer: bytes, at: int, end: int) -> int:
            if at + smallest > end:
                raise Malformed
            stop: int = at + unpack(buffer, at + offset)[0]
            if not at + smallest <= stop <= end:
                raise Malformed
            return stop

        return by_length
    if (size := shape.size) is not None:

        def by_size(buffer: bytes, at: int, end: int) -> int:
            if not at < at + size <= end:
                raise Malformed
            return at + size

        return by_size
    return lambda buffer, at, end: end


def _record_form(shape: RecordShape) -> Form:
    stop_of, record = _stop_of(shape), codec(shape.record, shape.version, shape.headed)
    decode_record = _kept_decode(record.decode) if shape.record.recurs else record.decode

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        stop = stop_of(buffer, at, end)
        return decode_record(buffer, at, stop), stop

    return Form(decode, record.encode)


def _list_form(shape: RecordList) -> Form:
    item = shape.item
    stop_of, record = _stop_of(item), codec(item.record, item.version, item.headed)
    decode_item, encode_item = record.decode, record.encode

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        items = []
        while at < end:
            stop = stop_of(buffer, at, end)
            items.append(decode_item(buffer, at, stop))
            at = stop
        return tuple(items), at

    def encode(items: Any) -> bytes:
        return b"".join([encode_item(one) for one in items])

    if item.size and item.length_offset is None:
        return Form(_decode_even(decode_item, item.size), encode)
    return Form(decode, encode)


def _decode_even(decode_item: Decode, size: int) -> Callable[[bytes, int, int], tuple[Any, int]]:
    """Return what reads a list whose items all have the same size."""

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        if at > end or (end - at) % size:
            raise Malformed
        return tuple([decode_item(buffer, one, one + size) for one in range(at, end, size)]), end

    return decode


class _Elements:
    """What the elements of a family are read and written by, found when first needed."""

    def __init__(self, shape: FamilyList) -> None:
        self.shape, self.family = shape, shape.family
        first = self.first = self.family.length_first
        codes = [self.family.number.fmtstr[1:], self.family.length.fmtstr[1:]]
        self.head = struct.Struct(">" + "".join(codes[::-1] if first else codes))
        self.decoders: dict[int, Decode] = {}
        self.encoders: dict[type[Record], Encode] = {}

    def decoder(self, number: int) -> Decode:
        """Return what reads elements with this number."""
        shape, head_size = self.shape, self.head.size
        if number in shape.shared_numbers:
            return self.decoders.setdefault(number, self._by_experimenter(number))
        if number in shape.class_of:
            found = codec(shape.class_of[number], shape.version).decode
            return self.decoders.setdefault(number, found)
        if self.family.unknown is not None:
            raise Malformed
        return lambda buffer, at, stop: Unknown(number, buffer[at + head_size : stop])

    def _by_experimenter(self, number: int) -> Decode:
        shape = self.shape

        def decode_found(buffer: bytes, at: int, stop: int) -> Any:
            cls = shape.find(number, buffer[at:stop])
            if cls is None:
                raise Malformed
            return codec(cls, shape.version).decode(buffer, at, stop)

        return decode_found

    def encoder(self, cls: type[Record]) -> Encode:
        """Return what writes elements of this class."""
        if cls is Unknown and self.family.unknown is None:
            return self._pack_unknown
        if cls not in self.family.members and cls not in self.family.experimenters:
            raise Malformed
        return self.encoders.setdefault(cls, codec(cls, self.shape.version).encode)

    def _pack_unknown(self, item: Unknown) -> bytes:
        numbers = (item.number, self.head.size + len(item.body))
        return self.head.pack(*(numbers[::-1] if self.first else numbers)) + item.body


_KEPT_MAX = 4096  # values of a shape kept ready, each way: a network does few different things
_KEPT_BYTES = 128  # and none that is longer: what a peer sends must not fill our memory


def _kept_decode(decode: Decode) -> Decode:
    """Return what reads values, and remembers those that came before by their bytes."""
    values: dict[bytes, Any] = {}

    def decode_kept(buffer: bytes, at: int, end: int) -> Any:
        raw = buffer[at:end]
        found = values.get(raw)
        if found is None:
            found = decode(buffer, at, end)
            if len(raw) <= _KEPT_BYTES:
                _keep(values, raw, found)
        return found

    return decode_kept


def _kept_form(form: Form) -> Form:
    """Return a form that remembers the lists that came before, by their bytes and values."""
    encodings: dict[Any, bytes] = {}
    # By id, the first of each value: to look at all that a list consists of costs more. It is
    # kept, so that the id stays its own.
    latest: dict[int, tuple[Any, bytes]] = {}
    decode_list, encode_list, _ = form
    decode_kept = _kept_decode(lambda buffer, at, end: decode_list(buffer, at, end)[0])

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        return decode_kept(buffer, at, end), end

    def encode(items: Any) -> bytes:
        try:
            raw = encodings.get(items)
        except TypeError:  # a list in the place of a tuple has no hash
            return encode_list(items)
        if raw is None:
            raw = encode_list(items)
            if len(raw) <= _KEPT_BYTES and is_told_by_value(items):
                _keep(encodings, items, raw)
                _keep(latest, id(items), (items, raw))
        return raw

    return Form(decode, encode, latest)


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[key] = value


def is_told_by_value(value: Any) -> bool:
    """Whether all that is equal to this has the same bytes.

    A Match does not say in which order its fields are, nor a number how wide it is.
    """
    if isinstance(value, tuple):
        return all(map(is_told_by_value, value))
    if isinstance(value, Record):
        return all(is_told_by_value(getattr(value, name)) for name in value.__struct_fields__)
    return type(value) in (int, bytes, str) or isinstance(value, IntEnum | IntFlag)


def _family_form(shape: FamilyList) -> Form:
    elements, align = _Elements(shape), shape.family.align
    unpack, head_size, first = elements.head.unpack_from, elements.head.size, elements.first
    decoders, encoders = elements.decoders, elements.encoders
    odd = align - 1 if shape.family.length_counts_padding else 0

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        items = []
        while at < end:
            number, length = unpack(buffer, at)
            if first:
                number, length = length, number
            stop = at + length
            if length < head_size or stop > end or length & odd:
                raise Malformed
            decode_item = decoders.get(number) or elements.decoder(number)
            items.append(decode_item(buffer, at, stop))
            at = stop + -length % align
        if at > end:
            raise Malformed
        return tuple(items), at

    def encode(items: Any) -> bytes:
        parts = []
        for item in items:
            cls = type(item)
            part = (encoders.get(cls) or elements.encoder(cls))(item)
            parts.append(part + bytes(-len(part) % align) if len(part) % align else part)
        return b"".join(parts)

    return Form(decode, encode)
