"""Match fields as bytes: the table of a version, and how one field is read and written."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from functools import cache
from operator import index
from typing import Any

from .errors import BadMatchCode, ErrorCode
from .exceptions import DecodeError
from .oxm import (
    EXPERIMENTER_CLASS,
    OXM,
    OXM_HEADER,
    FieldValue,
    OptionValue,
    OxmField,
    OxmNumber,
    option_size,
    oxm_header,
    oxm_name,
)
from .oxm_readers import OxmReaders
from .record import parse_shape
from .templates import Filled, Slot, template
from .version import Version
from .wire import U32, Bytes
from .writer import Malformed


class OxmError(ValueError):
    """A field is wrong; `reason` says why, `code` is the error in a match."""

    def __init__(self, code: ErrorCode, name: str, reason: str) -> None:
        super().__init__(code, name, reason)
        self.code, self.name, self.reason = code, name, reason


class OxmTable:
    """Fields with their numbers: bytes to values and back. `where` is who speaks so."""

    def __init__(self, where: str, rows: Iterable[tuple[OxmField, OxmNumber]]) -> None:
        self.where = where
        self.by_header: dict[int, OxmField] = {}
        self.by_number: dict[OxmNumber, OxmField] = {}
        self.numbers: dict[str, OxmNumber] = {}
        for row, number in rows:
            self.numbers[row.name] = number
            self.by_number.setdefault(number, row)
            if not row.variable and number.oxm_class != EXPERIMENTER_CLASS:
                for masked in (False, True):
                    self.by_header[row.header_of(number, masked)] = row
        self._readers = OxmReaders(self.by_header)
        #: header -> name, size and largest number of fields as most are: no mask, any version
        self.quick = {
            header: (row.name, row.size, row.all_ones)
            for header, row in self.by_header.items()
            if not header & 0x100
        }
        self.plain = {
            name: (OXM[name].packed(number, False), OXM[name].size)
            for name, number in self.numbers.items()
            if not OXM[name].variable
        }

    def field(self, header: int, body: bytes) -> tuple[str, FieldValue]:
        """Return name and value of the field with this header and body; OxmError if wrong."""
        row = self.by_header.get(header)
        if row is None:
            return self._other(header, body)
        if header & 0x100:
            return row.name, self._masked(row, body, row.size)
        value = int.from_bytes(body, "big")
        if value > row.all_ones:
            raise OxmError(BadMatchCode.BAD_VALUE, row.name, f"{value:#x} has too many bits")
        return row.name, value

    def _masked(self, row: OxmField, body: bytes, size: int) -> tuple[int, int]:
        value = int.from_bytes(body[:size], "big")
        mask = int.from_bytes(body[size:], "big")
        if not row.takes_mask or mask > row.all_ones:
            raise OxmError(BadMatchCode.BAD_MASK, row.name, f"the mask {mask:#x} cannot be")
        if value & ~mask:
            reason = f"{value:#x} has bits outside of the mask {mask:#x}"
            raise OxmError(BadMatchCode.BAD_WILDCARDS, row.name, reason)
        return value, mask

    def _other(self, header: int, body: bytes) -> tuple[str, FieldValue]:
        """Read a field of an experimenter, of any width, or one that is unknown."""
        experimenter, value = 0, body
        if header >> 16 == EXPERIMENTER_CLASS:
            experimenter, value = int.from_bytes(body[:4], "big"), body[4:]
        row = self.by_number.get(OxmNumber(header >> 16, header >> 9 & 0x7F, experimenter))
        if row is None or len(body) - len(value) not in (0, 4):
            return oxm_name(header), body
        masked = header & 0x100
        size = len(value) // 2 if masked else len(value)
        if row.variable and size <= row.size and len(value) == size * (2 if masked else 1):
            return row.name, self._sized(row, value, size, bool(masked))
        if size != row.size or len(value) != row.size * (2 if masked else 1):
            raise OxmError(BadMatchCode.BAD_LEN, row.name, f"{len(body)} bytes cannot be")
        if masked:
            return row.name, self._masked(row, value, size)
        number = int.from_bytes(value, "big")
        if number > row.all_ones:
            raise OxmError(BadMatchCode.BAD_VALUE, row.name, f"{number:#x} has too many bits")
        return row.name, number

    def _sized(self, row: OxmField, body: bytes, size: int, masked: bool) -> FieldValue:
        if not masked:
            return OptionValue(int.from_bytes(body, "big"), size)
        value, mask = self._masked(row, body, size)
        return OptionValue(value, size), OptionValue(mask, size)

    def read(self, data: bytes, at: int, end: int) -> tuple[str, FieldValue, int]:
        """Return name and value of the field at `at`, and where it ends."""
        if at + 4 > end:
            raise Malformed
        (header,) = OXM_HEADER.unpack_from(data, at)
        stop = at + 4 + (header & 0xFF)
        if stop > end:
            raise Malformed
        name, value = self.field(header, data[at + 4 : stop])
        return name, value, stop

    def read_all(self, data: bytes) -> dict[str, FieldValue]:
        """Return the fields that `data` consists of."""
        for read in self._readers.by_length.get(len(data), ()):
            if found := read(data):
                return found
        fields = self._read_each(data)
        if fields:
            self._readers.note(data)
        return fields

    def _read_each(self, data: bytes) -> dict[str, FieldValue]:
        fields: dict[str, FieldValue] = {}
        quick, unpack = self.quick, OXM_HEADER.unpack_from
        at, end = 0, len(data)
        while at < end:
            value: FieldValue
            if known := quick.get(unpack(data, at)[0]):
                name, size, largest = known
                stop = at + 4 + size
                value = int.from_bytes(data[at + 4 : stop], "big")
                if value > largest or stop > end:
                    raise Malformed
                at = stop
            else:
                name, value, at = self.read(data, at, end)
            if name in fields:
                raise Malformed
            fields[name] = value
        return fields

    def write(self, name: str, value: FieldValue) -> bytes:
        """Return the field's bytes; ValueError if this version cannot say it."""
        if name not in self.plain:
            return self._write_other(name, value)
        header, size = self.plain[name]
        try:
            if isinstance(value, tuple):
                header = OXM[name].packed(self.numbers[name], True)
                return header + b"".join([number.to_bytes(size, "big") for number in value])
            return header + index(value).to_bytes(size, "big")  # type: ignore[arg-type]
        except (OverflowError, TypeError, AttributeError):
            raise ValueError(f"{name} has {size} bytes, {value!r} does not fit") from None

    def packer(self, names: Iterable[str], kind: int) -> Filled:
        """Return the function that writes a match of type `kind` with plain numbers.

        They stand in the order of the names. LookupError where a field is not plain; the
        function raises TypeError or struct.error for what is none or too large.
        """
        slots, empty = list[Slot](), struct.pack(">HH", kind, 0)
        for name in names:
            header, size = self.plain[name]
            empty += header
            slots.append(Slot(len(empty), size, name))
            empty += bytes(size)
        length = len(empty)
        empty = struct.pack(">HH", kind, length) + empty[4:] + bytes(-length & 7)
        return template(empty, slots)

    def _write_other(self, name: str, value: FieldValue) -> bytes:
        if number := self.numbers.get(name):
            return _option_bytes(OXM[name], number, value)
        if name in OXM:
            raise ValueError(f"{name} does not exist in {self.where}")
        header = oxm_header(name)
        if header is None or not isinstance(value, bytes) or len(value) != header & 0xFF:
            raise ValueError(f"there is no match field {name}")
        return header.to_bytes(4, "big") + value


def _option_bytes(row: OxmField, number: OxmNumber, value: FieldValue) -> bytes:
    if isinstance(value, bytes):
        raise ValueError(f"{row.name} is a number, not {value!r}")
    parts = value if isinstance(value, tuple) else (value,)
    size = max(map(option_size, parts))
    try:
        body = b"".join(part.to_bytes(size, "big") for part in parts)
    except (OverflowError, AttributeError):
        raise ValueError(f"{row.name} has {size} bytes, {value!r} does not fit") from None
    if size > row.size:
        raise ValueError(f"{row.name} has at most {row.size} bytes, not {size}")
    return row.packed(number, len(parts) == 2, size) + body


@cache
def oxm_table(version: Version) -> OxmTable:
    """Return the fields of `version`."""
    found = ((row, row.number_at(version)) for row in OXM.values())
    rows = [(row, number) for row, number in found if number is not None]
    return OxmTable(f"OpenFlow {version}", rows)


def parse_field(
    table: OxmTable,
    stream: io.BytesIO,
    context: Any,
    path: str,
    codes: Mapping[ErrorCode, ErrorCode],
) -> tuple[str, FieldValue]:
    """Read one field as the reference form does; `codes` are the errors in place of a match's."""
    bad_length = codes.get(BadMatchCode.BAD_LEN, BadMatchCode.BAD_LEN)
    try:
        header = parse_shape(U32, stream, context, path)
        body = parse_shape(Bytes(header & 0xFF), stream, context, path)
        return table.field(header, body)
    except DecodeError as error:
        raise DecodeError(bad_length, error.reason, path) from error
    except OxmError as error:
        code = codes.get(error.code, error.code)
        raise DecodeError(code, error.reason, f"{path}.{error.name}") from error
