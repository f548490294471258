"""The actions of connection tracking (ovs-actions(7) "The ct action", "The nat action")."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from ..actions import Action, ActionShape
from ..wire import U8, U16, Converted, Enum, Fill, Flags, Pad, Rest, Spread
from .fields import NICIRA
from .nesting import CT, NestedActions
from .subfields import Source, Subfield

NO_RECIRCULATION = 0xFF  #: the recirc_table of a packet that does not come again


class CtFlags(IntFlag):
    """What happens to the connection. FORCE with COMMIT only."""

    COMMIT = 1 << 0
    FORCE = 1 << 1


class CtAlg(IntEnum):
    """Protocols whose connections announce others, by their port."""

    NONE = 0
    FTP = 21
    TFTP = 69


@ActionShape.experimenter(NICIRA, CT)
class Ct(Action):
    """Track the packet's connection; `recirc_table` sees what is known of it."""

    flags: CtFlags | int = 0
    zone: int | Subfield = 0  #: a number, or 16 bits of a field
    recirc_table: int = NO_RECIRCULATION
    alg: CtAlg | int = CtAlg.NONE
    actions: tuple[Action, ...] = ()  #: on the connection: Nat, and what sets its mark and label
    layout = (
        "flags" / Flags(U16, CtFlags),
        "zone" / Source(2),
        "recirc_table" / U8,
        Pad(3),
        "alg" / Enum(U16, CtAlg),
        "actions" / NestedActions(),
    )


@ActionShape.experimenter(NICIRA, 43)
class CtClear(Action):
    """Forget what is known of the packet's connection."""

    layout = (Pad(6),)


class NatFlags(IntFlag):
    """What is translated, and how a port is chosen."""

    SRC = 1 << 0
    DST = 1 << 1
    PERSISTENT = 1 << 2
    PROTO_HASH = 1 << 3
    PROTO_RANDOM = 1 << 4


# What may stand behind, with its bytes; bits from the lowest on say what does.
_RANGES = (4, 4, 16, 16, 2, 2)
_Ranges = tuple[int | None, ...]


def _ranges(raw: bytes) -> _Ranges:
    present, at = int.from_bytes(raw[:2], "big"), 2
    if len(raw) < 2 or present >> len(_RANGES):
        raise ValueError(f"the ranges {present:#x} are unknown")
    found: list[int | None] = []
    for bit, size in enumerate(_RANGES):
        if present >> bit & 1:
            found.append(int.from_bytes(raw[at : at + size], "big"))
            at += size
        else:
            found.append(None)
    if not 0 <= len(raw) - at < 8:
        raise ValueError(f"the ranges have {at} bytes, there are {len(raw)}")
    return tuple(found)


def _ranges_bytes(found: _Ranges) -> bytes:
    present = sum(1 << bit for bit, one in enumerate(found) if one is not None)
    pairs = zip(found, _RANGES, strict=True)
    parts = [one.to_bytes(size, "big") for one, size in pairs if one is not None]
    return present.to_bytes(2, "big") + b"".join(parts)


@ActionShape.experimenter(NICIRA, 36)
class Nat(Action):
    """Translate addresses of the connection; without flags as was decided for it before."""

    flags: NatFlags | int = 0
    ipv4_min: int | None = None
    ipv4_max: int | None = None
    ipv6_min: int | None = None
    ipv6_max: int | None = None
    proto_min: int | None = None  #: ports
    proto_max: int | None = None
    layout = (
        Pad(2),
        "flags" / Flags(U16, NatFlags),
        Spread(
            Converted(Rest, _ranges, _ranges_bytes),
            "ipv4_min",
            "ipv4_max",
            "ipv6_min",
            "ipv6_max",
            "proto_min",
            "proto_max",
        ),
        Fill(8),
    )
