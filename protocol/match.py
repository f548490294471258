"""Match: which packets an entry means. Its OXM form; OF1.0's and OF1.1's are next door."""

from __future__ import annotations

import io
import struct
from collections.abc import ItemsView, Iterator, KeysView, Mapping
from difflib import get_close_matches
from operator import index
from typing import Any, Self

import construct as c

from .compiler import Form, Malformed
from .errors import BadActionCode, BadMatchCode, ErrorCode
from .exceptions import DecodeError, EncodeError
from .oxm import OXM, OXM_HEADER, FieldInput, FieldValue, OxmField, oxm_header, oxm_name
from .record import parse_shape
from .version import Version
from .wire import U16, U32, Bytes, Versioned


class Match:
    """The fields a packet must have, each a number or a number and its mask.

    The same in all versions, immutable. Values may be numbers, text (`"10.0.0.0/8"`),
    addresses, networks, or pairs of value and mask. A field that means nothing without
    another is refused, and the sentence says what to add.

    >>> Match(eth_type=0x0800, ipv4_dst="10.0.0.0/8")
    Match(eth_type=0x800, ipv4_dst='10.0.0.0/255.0.0.0')
    >>> Match(tcp_dst=80)
    Traceback (most recent call last):
    ValueError: tcp_dst needs eth_type=0x800 or 0x86dd and ip_proto=6
    """

    __slots__ = ("_fields", "_forms", "_hash")

    def __init__(self, **fields: FieldInput) -> None:
        self._set({name: _read(name, given) for name, given in fields.items()})
        if problem := self.missing():
            raise ValueError(problem)

    def _set(self, fields: dict[str, FieldValue]) -> None:
        self._fields = fields
        self._forms: dict[object, Any] | None = None
        self._hash: int | None = None

    @classmethod
    def unchecked(cls, fields: Mapping[str, FieldValue]) -> Self:
        """Make a match of values as they are on the wire, whatever they are."""
        match = cls.__new__(cls)
        match._set(dict(fields))
        return match

    def form(self, kind: object) -> Any:
        """Return what `keep_form` was given for this kind of encoding, None at first."""
        return self._forms.get(kind) if self._forms else None

    def keep_form(self, kind: object, form: Any) -> None:
        """Remember an encoding: the one it came in, or one made before."""
        if self._forms is None:
            self._forms = {}
        self._forms[kind] = form

    def missing(self) -> str:
        """Return the sentence that says which field lacks what it depends on, or nothing."""
        for name in self._fields:
            requires = _REQUIRES.get(name)
            if requires and not all(self._meets(*requirement) for requirement in requires):
                wanted = " and ".join(_wanted(*requirement) for requirement in requires)
                return f"{name} needs {wanted}"
        return ""

    def _meets(self, name: str, values: tuple[int, ...]) -> bool:
        found = self._fields.get(name)
        if name == "vlan_vid" and found == 0:
            return False
        return found in values if values else found is not None

    def replace(self, **fields: FieldInput) -> Match:
        """Return a match with these fields changed or added."""
        read = {name: _read(name, given) for name, given in fields.items()}
        changed = Match.unchecked(self._fields | read)
        if problem := changed.missing():
            raise ValueError(problem)
        return changed

    def without(self, *names: str) -> Match:
        """Return a match that lacks these fields."""
        return Match.unchecked({n: v for n, v in self._fields.items() if n not in names})

    def __getitem__(self, name: str) -> FieldValue:
        return self._fields[name]

    def get(self, name: str) -> FieldValue | None:
        """Return the field's number, or number and mask; None where any value will do."""
        return self._fields.get(name)

    def number(self, name: str) -> int | None:
        """Return the field's number if it is matched without a mask."""
        value = self._fields.get(name)
        return value if isinstance(value, int) else None

    def keys(self) -> KeysView[str]:
        return self._fields.keys()

    def items(self) -> ItemsView[str, FieldValue]:
        return self._fields.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Match) else NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._fields.items()))
        return self._hash

    def __repr__(self) -> str:
        shown = []
        for name, value in self._fields.items():
            text = OXM[name].show(value) if name in OXM else repr(value)
            number = isinstance(value, int) and (text.isdigit() or text.startswith("0x"))
            shown.append(f"{name}={text if number else repr(text)}")
        return f"Match({', '.join(shown)})"


# Most fields are given as plain numbers, in the path of each flow_mod that an app makes.
_PLAIN_MAX = {row.name: row.all_ones for row in OXM.values() if row.name != "vlan_vid"}
_REQUIRES = {row.name: row.requires for row in OXM.values() if row.requires}


def _read(name: str, given: FieldInput) -> FieldValue:
    if isinstance(given, int) and 0 <= given <= _PLAIN_MAX.get(name, -1):
        return given
    return match_field(name).read(given)


def match_field(name: str) -> OxmField:
    """Return the row of a field; ValueError, with the nearest name, where there is none."""
    try:
        return OXM[name]
    except KeyError:
        close = get_close_matches(name, OXM, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"there is no match field {name}{hint}") from None


def _wanted(name: str, values: tuple[int, ...]) -> str:
    if not values:
        return name
    return f"{name}={' or '.join(OXM[name].kind.show(value) for value in values)}"


# OXM (OF1.5.1 7.2.3.2 "Flow Match Field Structures")

_MATCH_HEAD = struct.Struct(">HH")  # type, length without the padding
_OXM_MATCH = 1
_MEMO_MAX = 4096  # matches kept ready per version; packet-ins repeat few of them
_MEMO_BYTES = 128  # and none that is longer: what a peer sends must not fill our memory


class OxmError(ValueError):
    """A field is wrong; `reason` says why, `code` is the error in a match."""

    def __init__(self, code: ErrorCode, name: str, reason: str) -> None:
        super().__init__(code, name, reason)
        self.code, self.name, self.reason = code, name, reason


class OxmTable:
    """The fields of one version: bytes to values and back."""

    def __init__(self, version: Version) -> None:
        self.version = version
        rows = [row for row in OXM.values() if row.exists_in(version)]
        self.by_header = {row.header(masked): row for row in rows for masked in (False, True)}
        self.by_number = {(row.oxm_class, row.number): row for row in rows}
        self.plain = {row.name: (OXM_HEADER.pack(row.header(False)), row.size) for row in rows}

    def field(self, header: int, body: bytes) -> tuple[str, FieldValue]:
        """Return name and value of the field with this header and body; OxmError if wrong."""
        row = self.by_header.get(header)
        if row is None:
            return self._unknown(header, body), body
        if header & 0x100:
            return row.name, self._masked(row, body)
        value = int.from_bytes(body, "big")
        if value > row.all_ones:
            raise OxmError(BadMatchCode.BAD_VALUE, row.name, f"{value:#x} has too many bits")
        return row.name, value

    def _masked(self, row: OxmField, body: bytes) -> tuple[int, int]:
        value = int.from_bytes(body[: row.size], "big")
        mask = int.from_bytes(body[row.size :], "big")
        if not row.maskable or mask > row.all_ones:
            raise OxmError(BadMatchCode.BAD_MASK, row.name, f"the mask {mask:#x} cannot be")
        if value & ~mask:
            reason = f"{value:#x} has bits outside of the mask {mask:#x}"
            raise OxmError(BadMatchCode.BAD_WILDCARDS, row.name, reason)
        return value, mask

    def _unknown(self, header: int, body: bytes) -> str:
        if row := self.by_number.get((header >> 16, header >> 9 & 0x7F)):
            reason = f"{len(body)} bytes cannot be"
            raise OxmError(BadMatchCode.BAD_LEN, row.name, reason)
        return oxm_name(header)

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
        fields: dict[str, FieldValue] = {}
        at, end = 0, len(data)
        while at < end:
            name, value, at = self.read(data, at, end)
            if name in fields:
                raise Malformed
            fields[name] = value
        return fields

    def write(self, name: str, value: FieldValue) -> bytes:
        """Return the field's bytes; ValueError if this version cannot say it."""
        if name not in self.plain:
            return self._write_unknown(name, value)
        header, size = self.plain[name]
        try:
            if isinstance(value, tuple):
                header = OXM_HEADER.pack(OXM[name].header(True))
                return header + b"".join([number.to_bytes(size, "big") for number in value])
            return header + index(value).to_bytes(size, "big")  # type: ignore[arg-type]
        except (OverflowError, TypeError, AttributeError):
            raise ValueError(f"{name} has {size} bytes, {value!r} does not fit") from None

    def _write_unknown(self, name: str, value: FieldValue) -> bytes:
        if name in OXM:
            raise ValueError(f"{name} does not exist in OpenFlow {self.version}")
        header = oxm_header(name)
        if header is None or not isinstance(value, bytes) or len(value) != header & 0xFF:
            raise ValueError(f"there is no match field {name}")
        return OXM_HEADER.pack(header) + value


_tables: dict[Version, OxmTable] = {}


def oxm_table(version: Version) -> OxmTable:
    """Return the fields of `version`."""
    if version not in _tables:
        _tables[version] = OxmTable(version)
    return _tables[version]


def _parse_field(
    table: OxmTable,
    stream: io.BytesIO,
    context: Any,
    path: str,
    codes: Mapping[ErrorCode, ErrorCode],
) -> tuple[str, FieldValue]:
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


class OxmMatch(Versioned):
    """A match as a list of OXM fields, with its type, its length and its padding."""

    def at(self, version: Version) -> OxmMatchShape:
        return OxmMatchShape(version)


class OxmMatchShape(c.Construct):  # type: ignore[misc]
    """OxmMatch at one version."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.table = oxm_table(version)

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Match:
        kind = parse_shape(U16, stream, context, path)
        length = parse_shape(U16, stream, context, path)
        if kind != _OXM_MATCH:
            raise DecodeError(BadMatchCode.BAD_TYPE, f"match type {kind} is unknown", path)
        if length < _MATCH_HEAD.size:
            raise DecodeError(BadMatchCode.BAD_LEN, f"length {length} cannot be", path)
        size = length - _MATCH_HEAD.size
        body = stream.read(size + -length % 8)
        if len(body) < size + -length % 8:
            raise DecodeError(BadMatchCode.BAD_LEN, f"length {length} is too long", path)
        fields: dict[str, FieldValue] = {}
        oxms = io.BytesIO(body[:size])
        while oxms.tell() < size:
            name, value = _parse_field(self.table, oxms, context, path, {})
            if name in fields:
                raise DecodeError(BadMatchCode.DUP_FIELD, "stands twice", f"{path}.{name}")
            fields[name] = value
        return Match.unchecked(fields)

    def _build(self, match: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        if not isinstance(match, Match):
            raise EncodeError(f"{path}: {match!r} is no Match")
        body = b"".join(self.table.write(name, value) for name, value in match.items())
        length = len(body) + _MATCH_HEAD.size
        stream.write(U16.build(_OXM_MATCH) + U16.build(length) + body + bytes(-length % 8))
        return match

    def compiled(self) -> Form:
        """Return the straight form; matches that came before are not read again."""
        memo: dict[bytes, Match] = {}
        read_all, write, unpack = self.table.read_all, self.table.write, _MATCH_HEAD.unpack_from
        version = self.table.version

        def decode(buffer: bytes, at: int, end: int) -> tuple[Match, int]:
            kind, length = unpack(buffer, at)
            stop = at + length + (-length & 7)
            if kind != _OXM_MATCH or length < 4 or stop > end:
                raise Malformed
            raw = buffer[at + 4 : at + length]
            match = memo.get(raw)
            if match is None:
                match = Match.unchecked(read_all(raw))
                if len(raw) <= _MEMO_BYTES:
                    if len(memo) >= _MEMO_MAX:
                        memo.clear()
                    memo[raw] = match
            return match, stop

        def encode(match: Match) -> bytes:
            made: bytes | None = match.form(version)
            if made is None:
                body = b"".join([write(name, value) for name, value in match._fields.items()])
                length = len(body) + 4
                made = _MATCH_HEAD.pack(_OXM_MATCH, length) + body + bytes(-length & 7)
                match.keep_form(version, made)
            return made

        return Form(decode, encode)


# One field alone, as set_field has it


class OneOxm(Versioned):
    """A Match of one field, without type, length or padding."""

    def at(self, version: Version) -> OneOxmShape:
        return OneOxmShape(version)


# In an action the same faults have other codes (OF1.5.1 7.5.4.3 "Bad Action Error Codes").
_IN_ACTION: dict[ErrorCode, ErrorCode] = {
    BadMatchCode.BAD_LEN: BadActionCode.BAD_SET_LEN,
    BadMatchCode.BAD_VALUE: BadActionCode.BAD_SET_ARGUMENT,
    BadMatchCode.BAD_WILDCARDS: BadActionCode.BAD_SET_ARGUMENT,
    BadMatchCode.BAD_MASK: BadActionCode.BAD_SET_MASK,
}


class OneOxmShape(c.Construct):  # type: ignore[misc]
    """OneOxm at one version."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.table = oxm_table(version)

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Match:
        name, value = _parse_field(self.table, stream, context, path, _IN_ACTION)
        return Match.unchecked({name: value})

    def _build(self, match: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        if not isinstance(match, Match) or len(match) != 1:
            raise EncodeError(f"{path}: {match!r} is no Match of one field")
        stream.write(self.table.write(*next(iter(match.items()))))
        return match

    def compiled(self) -> Form:
        read, write = self.table.read, self.table.write

        def decode(buffer: bytes, at: int, end: int) -> tuple[Match, int]:
            name, value, stop = read(buffer, at, end)
            return Match.unchecked({name: value}), stop

        def encode(match: Match) -> bytes:
            ((name, value),) = match._fields.items()
            return write(name, value)

        return Form(decode, encode)
