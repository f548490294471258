"""Match: which packets an entry means. Its OXM form; OF1.0's and OF1.1's are next door."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from difflib import get_close_matches
from typing import Any, Self

import construct as c

from .addresses import mac_number
from .errors import BadActionCode, BadMatchCode, ErrorCode
from .exceptions import DecodeError, EncodeError
from .oxm import (
    FIRST,
    FREE,
    MAC,
    OXM,
    PLAIN_MAX,
    REQUIRES,
    STANDARD,
    FieldInput,
    FieldValue,
    OxmField,
)
from .oxm_table import OxmTable, oxm_table, parse_field
from .ready import LIMITS
from .record import later, parse_shape
from .templates import Filled
from .version import Version
from .wire import U16, Versioned
from .writer import Form, Malformed

_CHECKS_MAX = 256  # shapes of matches; an application uses a few


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

    __slots__ = ("_fields", "_forms", "_hash", "_port", "_shape")

    def __init__(self, /, **given: FieldInput) -> None:
        self._fields: dict[str, FieldValue] = given  # type: ignore[assignment]
        self._forms: dict[object, Any] | None = None
        self._hash: int | None = None
        self._port: int  # of a PacketIn, which sets it when it is asked for it
        #: The same for all matches of plain numbers that have these fields in this order; None
        #: where that was not looked at.
        self._shape: object
        names = tuple(given)
        check = self._shape = _known_check(names) or CHECKS[names]
        try:  # plain numbers in order, as most are, need no reading
            if not check(given):
                return
        except TypeError:
            pass
        self._shape = None
        self._fields = {name: _read(name, value) for name, value in given.items()}
        if FREE.issuperset(given) or _is_right(check, self._fields):
            return
        self._fields = in_order(self._fields)
        if problem := self.missing():
            raise ValueError(problem)

    def _set(self, fields: dict[str, FieldValue]) -> None:
        self._fields = fields
        self._forms = None
        self._hash = None
        self._shape = None

    @classmethod
    def unchecked(cls, fields: Mapping[str, FieldValue]) -> Self:
        """Make a match of values as they are on the wire, whatever they are."""
        match = cls.__new__(cls)
        match._set(dict(fields))
        return match

    def alike(self, fields: dict[str, FieldValue]) -> Match:
        """Return a match of the same fields in the same order, with other numbers, as they are.

        >>> pair = Match(eth_src=0xA, eth_dst=0xB)
        >>> pair.alike({"eth_src": 0xB, "eth_dst": 0xA})
        Match(eth_src='00:00:00:00:00:0b', eth_dst='00:00:00:00:00:0a')
        """
        match = Match.__new__(Match)
        match._fields = fields
        match._forms = None
        match._hash = None
        match._shape = self._shape
        return match

    @classmethod
    def parse(cls, text: str) -> Match:
        """Read a match as ovs-ofctl's users write it; ValueError, with the cure, for others.

        >>> Match.parse("in_port=1,tcp,tp_dst=80")
        Match(in_port=1, eth_type=0x800, ip_proto=6, tcp_dst=80)
        """
        match: Match = later("syntax").parse_match(text)
        return match

    def __reduce__(self) -> tuple[Any, ...]:
        return Match.unchecked, (self._fields,)  # all else is found when it is needed

    def form(self, kind: object) -> Any:
        """Return what `keep_form` was given for this kind of encoding, None at first."""
        return self._forms.get(kind) if self._forms else None

    def keep_form(self, kind: object, form: Any) -> None:
        """Remember an encoding: the one it came in, or one made before."""
        if not self._forms:
            self._forms = {}
        self._forms[kind] = form

    def missing(self) -> str:
        """Return the sentence that says which field lacks what it depends on, or nothing."""
        for name in self._fields:
            requires = REQUIRES.get(name)
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
        changed = Match.unchecked(in_order(self._fields | read))
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

    def get_all(self, names: Iterable[str]) -> tuple[FieldValue | None, ...]:
        """Return what `get` returns for each of some names."""
        return tuple(map(self._fields.get, names))

    def number(self, name: str) -> int | None:
        """Return the field's number if it is matched without a mask."""
        value = self._fields.get(name)
        return value if isinstance(value, int) else None

    def keys(self) -> KeysView[str]:
        return self._fields.keys()

    def values(self) -> ValuesView[FieldValue]:
        return self._fields.values()

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

    def __str__(self) -> str:
        return str(later("syntax").match_text(self))

    def __repr__(self) -> str:
        shown = []
        for name, value in self._fields.items():
            # Other types are no field's value, but what is wrong with them must be told.
            known = name in OXM and isinstance(value, int | tuple | bytes)
            text = OXM[name].show(value) if known else repr(value)
            number = isinstance(value, int) and (text.isdigit() or text.startswith("0x"))
            shown.append(f"{name}={text if number else repr(text)}")
        return f"Match({', '.join(shown)})"


Check = Callable[[Mapping[str, Any]], object]  # of numbers by name: 0 if they make a match


class _Checks(dict[tuple[str, ...], Check]):
    """The checks of matches by the names of their fields.

    They raise TypeError for what is no number.
    """

    def __missing__(self, names: tuple[str, ...]) -> Check:
        try:
            made = self._made(names)
        except LookupError:
            made = _never_right
        if len(self) >= _CHECKS_MAX:
            self.clear()
        self[names] = made
        return made

    def _made(self, names: tuple[str, ...]) -> Check:
        """Return the check; LookupError for fields that need a closer look."""
        if FIRST in names[1:]:
            raise LookupError(FIRST)
        seen, values = set[str](), dict[str, None]()
        by_bits = dict[int, list[str]]()
        for name in names:
            by_bits.setdefault(PLAIN_MAX[name].bit_length(), []).append(f"f[{name!r}]")
            for needed, allowed in REQUIRES.get(name, ()):
                if needed not in seen:
                    raise LookupError(name)
                if allowed:
                    values[f"f[{needed!r}] not in {tuple(map(int, allowed))}"] = None
            seen.add(name)
        made: Check
        if LIMITS is not None and not values and max(by_bits, default=0) <= 64:
            made = LIMITS({name: PLAIN_MAX[name] for name in names}).excess
        else:
            # No number of more bits, nor one below zero, comes to zero by this shift.
            wrong = " | ".join([f"({' | '.join(of)}) >> {bits}" for bits, of in by_bits.items()])
            tests = " or ".join([wrong or "0", *values])
            made = eval(f"lambda f: {tests}")  # of our own table, nobody's input
        return made


def _never_right(fields: object) -> bool:
    """Be the check of fields that need a closer look."""
    return True


def _is_right(check: Check, fields: Mapping[str, FieldValue]) -> bool:
    """Whether a check finds that fields, as they were read, make a match; it may not say so."""
    return tuple not in map(type, fields.values()) and not check(fields)


CHECKS = _Checks()
_known_check = CHECKS.get  # which costs less than a look that might make one


def _read(name: str, given: FieldInput) -> FieldValue:
    if isinstance(given, int) and 0 <= given <= PLAIN_MAX.get(name, -1):
        return given
    row = match_field(name)
    if row.kind is MAC and isinstance(given, str) and (number := mac_number(given)) is not None:
        return number
    return row.read(given)


def in_order(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    """Return fields such that each stands behind what it depends on.

    A switch refuses others (OF1.5.1 7.2.3.6 "Flow Match Field Prerequisite"). Fields that are
    in order stay as they were given. All headers depend on packet_type where it is told.
    """
    if FIRST in fields:
        fields = {FIRST: fields[FIRST], **fields}
    seen = set()
    for name in fields:
        for needed, _ in REQUIRES.get(name, ()):
            if needed not in seen:
                return dict(sorted(fields.items(), key=_rank))
        seen.add(name)
    return fields


def _rank(field: tuple[str, FieldValue]) -> tuple[bool, bool, int]:
    """Order fields by number: what others depend on has smaller ones."""
    row = OXM.get(field[0])
    return (field[0] != FIRST, field[0] not in STANDARD, row.number if row else 0)


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
_WRITTEN: dict[object, Any] = {}  # the forms of a match that was written once: none is kept
_OXM_MATCH = 1
_MEMO_MAX = 4096  # matches kept ready per version; packet-ins repeat few of them
_MEMO_BYTES = 128  # and none that is longer: what a peer sends must not fill our memory


class OxmMatch(Versioned):
    """A match as a list of OXM fields, with its type, its length and its padding."""

    def at(self, version: Version) -> OxmMatchShape:
        return OxmMatchShape(version)


class OxmMatchShape(c.Construct):  # type: ignore[misc]
    """OxmMatch at one version."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.table, self.version = oxm_table(version), version

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
            name, value = parse_field(self.table, oxms, context, path, {})
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
        short: dict[bytes, Match] = {}  # those of 16 bytes in all, with their head: an in_port
        packers: dict[object, Filled] = {}
        read_all, write, unpack = self.table.read_all, self.table.write, _MATCH_HEAD.unpack_from
        version, new = self.version, Match.__new__

        def packer(match: Match) -> Filled:
            shape = match._shape or tuple(match._fields)
            if (made := packers.get(shape)) is None:
                if len(packers) >= _MEMO_MAX:
                    packers.clear()
                packers[shape] = made = self.table.packer(match._fields, _OXM_MATCH)
            return made

        def decode(buffer: bytes, at: int, end: int) -> tuple[Match, int]:
            stop = at + 16
            if stop <= end and (match := short.get(buffer[at:stop])) is not None:
                return match, stop
            kind, length = unpack(buffer, at)
            stop = at + length + (-length & 7)
            if kind != _OXM_MATCH or length < 4 or stop > end:
                raise Malformed
            raw = buffer[at + 4 : at + length]
            match = memo.get(raw)
            if match is None:
                match = new(Match)
                match._set(read_all(raw))
                if len(raw) <= _MEMO_BYTES:
                    if len(memo) >= _MEMO_MAX:
                        memo.clear()
                    memo[raw] = match
            if stop - at == 16:
                if len(short) >= _MEMO_MAX:
                    short.clear()
                short[buffer[at:stop]] = match
            return match, stop

        def encode(match: Match) -> bytes:
            forms, fields = match._forms, match._fields
            made: bytes | None = forms.get(version) if forms else None
            if made is None:
                try:  # plain numbers, as most are; write() takes all others
                    made = (packers.get(match._shape) or packer(match))(fields)
                except (LookupError, TypeError, struct.error):
                    body = b"".join([write(name, value) for name, value in fields.items()])
                    length = len(body) + 4
                    made = _MATCH_HEAD.pack(_OXM_MATCH, length) + body + bytes(-length & 7)
                # Most are written once; only of the others it is worth to keep the bytes.
                if forms is None:
                    match._forms = _WRITTEN
                else:
                    match.keep_form(version, made)
            return made

        return Form(decode, encode)


# One field alone, as set_field has it


class OneOxm(Versioned):
    """A Match of one field, without type, length or padding."""

    def at(self, version: Version) -> OneOxmShape:
        return OneOxmShape(oxm_table(version))


# In an action the same faults have other codes (OF1.5.1 7.5.4.3 "Bad Action Error Codes").
_IN_ACTION: dict[ErrorCode, ErrorCode] = {
    BadMatchCode.BAD_LEN: BadActionCode.BAD_SET_LEN,
    BadMatchCode.BAD_VALUE: BadActionCode.BAD_SET_ARGUMENT,
    BadMatchCode.BAD_WILDCARDS: BadActionCode.BAD_SET_ARGUMENT,
    BadMatchCode.BAD_MASK: BadActionCode.BAD_SET_MASK,
}


class OneOxmShape(c.Construct):  # type: ignore[misc]
    """OneOxm as one table has it."""

    def __init__(self, table: OxmTable) -> None:
        super().__init__()
        self.table = table

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Match:
        name, value = parse_field(self.table, stream, context, path, _IN_ACTION)
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
