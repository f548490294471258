"""The actions that add entries: learn (ovs-actions(7) "The learn action")."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag

from ..actions import Action, ActionShape
from ..errors import BadActionCode
from ..exceptions import DecodeError
from ..flows import DEFAULT_PRIORITY
from ..oxm import EXPERIMENTER_CLASS
from ..record import Record
from ..wire import U8, U16, U32, U64, Converted, Fill, Flags, Layout, Pad, Rest, SizedBy
from .fields import NICIRA
from .subfields import Subfield, nxm_names


class LearnFlags(IntFlag):
    """How entries are learnt. WRITE_RESULT with Learn2 only."""

    SEND_FLOW_REM = 1 << 0
    DELETE_LEARNED = 1 << 1  #: they go when the entry with this action goes
    WRITE_RESULT = 1 << 2


class FlowModSpec(Record):
    """The base of what makes up a learnt entry."""


class MatchSpec(FlowModSpec):
    """The entry matches where `dst` is as `src` is now, or a number."""

    src: Subfield | int
    dst: Subfield


class LoadSpec(FlowModSpec):
    """The entry sets `dst` to what `src` is now, or to a number."""

    src: Subfield | int
    dst: Subfield


class OutputSpec(FlowModSpec):
    """The entry sends packets out of the port that `src` names now."""

    src: Subfield


# The header of a spec: bit 13 says that src is a number, bits 11 and 12 what becomes of it.
_IMMEDIATE = 1 << 13
_MATCH, _LOAD, _OUTPUT = 0 << 11, 1 << 11, 2 << 11
_DST_BITS, _SIZE_BITS = 3 << 11, 0x3FF
_NAMED = 6  # bytes of a field and an offset


def _specs(raw: bytes) -> tuple[FlowModSpec, ...]:
    return tuple(_each_spec(raw))


def _each_spec(raw: bytes) -> Iterator[FlowModSpec]:
    at = 0
    while at + 2 <= len(raw):
        header = int.from_bytes(raw[at : at + 2], "big")
        if not header:
            break
        spec, at = _spec(raw, at + 2, header)
        yield spec
    if any(raw[at:]) or len(raw) - at >= 8:
        raise ValueError(f"{len(raw) - at} bytes too many")


def _spec(raw: bytes, at: int, header: int) -> tuple[FlowModSpec, int]:
    """Return the spec whose fields begin at `at`, and where it ends."""
    n_bits, dst = header & _SIZE_BITS, header & _DST_BITS
    known = n_bits and not header & ~(_IMMEDIATE | _DST_BITS | _SIZE_BITS)
    if not known or dst > _OUTPUT or (dst == _OUTPUT and header & _IMMEDIATE):
        raise DecodeError(BadActionCode.BAD_ARGUMENT, f"the spec {header:#06x} is unknown")
    if dst == _OUTPUT:
        return OutputSpec(_subfield(raw, at, n_bits)), at + _NAMED
    src: Subfield | int
    if header & _IMMEDIATE:
        size = -(-n_bits // 16) * 2
        src = int.from_bytes(_part(raw, at, size), "big")
        at += size
    else:
        src, at = _subfield(raw, at, n_bits), at + _NAMED
    cls = MatchSpec if dst == _MATCH else LoadSpec
    return cls(src, _subfield(raw, at, n_bits)), at + _NAMED


def _part(raw: bytes, at: int, size: int) -> bytes:
    if at + size > len(raw):
        raise ValueError(f"{size} bytes are needed, {len(raw) - at} are left")
    return raw[at : at + size]


def _subfield(raw: bytes, at: int, n_bits: int) -> Subfield:
    part = _part(raw, at, _NAMED)
    return Subfield(nxm_names().named(part[:4]), int.from_bytes(part[4:], "big"), n_bits)


def _specs_bytes(specs: tuple[FlowModSpec, ...]) -> bytes:
    return b"".join(map(_spec_bytes, specs))


def _spec_bytes(spec: FlowModSpec) -> bytes:
    match spec:
        case MatchSpec(src=src, dst=dst):
            return _copied(_MATCH, src, dst)
        case LoadSpec(src=src, dst=dst):
            return _copied(_LOAD, src, dst)
        case OutputSpec(src=src):
            return _header(_OUTPUT, src.n_bits) + _subfield_bytes(src)
    raise ValueError(f"{spec!r} is no spec")


def _copied(kind: int, src: Subfield | int, dst: Subfield) -> bytes:
    if isinstance(src, int):
        number = src.to_bytes(-(-dst.n_bits // 16) * 2, "big")
        return _header(kind | _IMMEDIATE, dst.n_bits) + number + _subfield_bytes(dst)
    if src.n_bits != dst.n_bits:
        raise ValueError(f"{src.n_bits} bits cannot be copied to {dst.n_bits}")
    return _header(kind, dst.n_bits) + _subfield_bytes(src) + _subfield_bytes(dst)


def _header(kind: int, n_bits: int) -> bytes:
    if not 0 < n_bits <= _SIZE_BITS:
        raise ValueError(f"a spec cannot be of {n_bits} bits")
    return (kind | n_bits).to_bytes(2, "big")


def _subfield_bytes(found: Subfield) -> bytes:
    if len(name := nxm_names().header(found.field)) != 4:
        raise ValueError(f"{found.field} has no number of 32 bits")
    return name + found.offset.to_bytes(2, "big")


LearnSpecs = Converted(Rest, _specs, _specs_bytes)


_learnt: Layout = (
    "idle_timeout" / U16,
    "hard_timeout" / U16,
    "priority" / U16,
    "cookie" / U64,
    "flags" / Flags(U16, LearnFlags),
    "table_id" / U8,
    Pad(1),
    "fin_idle_timeout" / U16,
    "fin_hard_timeout" / U16,
)


@ActionShape.experimenter(NICIRA, 16)
class Learn(Action):
    """Add an entry, or change the one that it would be."""

    specs: tuple[FlowModSpec, ...] = ()
    table_id: int = 1
    priority: int = DEFAULT_PRIORITY
    idle_timeout: int = 0  #: seconds without a packet; 0 never
    hard_timeout: int = 0  #: seconds; 0 never
    cookie: int = 0
    flags: LearnFlags | int = 0
    fin_idle_timeout: int = 0  #: what FinTimeout in the entry says; 0 for none
    fin_hard_timeout: int = 0
    layout = (*_learnt, "specs" / LearnSpecs, Fill(8))


def _result_size(left: bytes, flags: int) -> int:
    if not flags & LearnFlags.WRITE_RESULT:
        return 0
    return 8 if left[:2] == EXPERIMENTER_CLASS.to_bytes(2, "big") else 4


def _result(raw: bytes) -> str:
    return nxm_names().named(raw) if raw else ""


def _result_bytes(name: str) -> bytes:
    return nxm_names().header(name) if name else b""


@ActionShape.experimenter(NICIRA, 45)
class Learn2(Learn):
    """Add an entry if there are not too many already, and tell whether it is there."""

    limit: int = 0  #: of entries with the cookie in the table; 0 for none
    result_dst: str = ""  #: the field that gets a bit, with WRITE_RESULT
    result_offset: int = 0
    layout = (
        *_learnt,
        "limit" / U32,
        "result_offset" / U16,
        Pad(2),
        "result_dst"
        / SizedBy(_result_size, "flags", shape=Converted(Rest, _result, _result_bytes)),
        "specs" / LearnSpecs,
        Fill(8),
    )

    def __post_init__(self) -> None:
        if bool(self.flags & LearnFlags.WRITE_RESULT) != bool(self.result_dst):
            raise ValueError("result_dst and the flag WRITE_RESULT belong together")
