"""Actions that choose by a hash of the packet, and conjunctive matches (ovs-actions(7))."""

from __future__ import annotations

from enum import IntEnum

from ..actions import Action, ActionShape
from ..ports import port_in_16, port_of_16
from ..wire import U8, U16, U32, Converted, Enum, Fill, Pad, Rest, SizeOf
from .fields import NICIRA
from .subfields import NxmName32, Range, Subfield


class HashFields(IntEnum):
    """What of a packet is hashed. SYMMETRIC is the same both ways of a connection."""

    ETH_SRC = 0
    SYMMETRIC_L4 = 1
    SYMMETRIC_L3L4 = 2
    SYMMETRIC_L3L4_UDP = 3
    NW_SRC = 4
    NW_DST = 5
    SYMMETRIC_L3 = 6


class MultipathAlgorithm(IntEnum):
    """How a hash becomes a link."""

    MODULO_N = 0
    HASH_THRESHOLD = 1
    HRW = 2  #: highest random weight
    ITER_HASH = 3


class BundleAlgorithm(IntEnum):
    """How one of several ports is chosen."""

    ACTIVE_BACKUP = 0
    HRW = 1  #: highest random weight


@ActionShape.experimenter(NICIRA, 10)
class Multipath(Action):
    """Set bits of a field to a link, 0 to `max_link`, that the packet's hash chooses."""

    dst: Subfield
    fields: HashFields | int = HashFields.ETH_SRC
    basis: int = 0
    algorithm: MultipathAlgorithm | int = MultipathAlgorithm.MODULO_N
    max_link: int = 0
    arg: int = 0
    layout = (
        "fields" / Enum(U16, HashFields),
        "basis" / U16,
        Pad(2),
        "algorithm" / Enum(U16, MultipathAlgorithm),
        "max_link" / U16,
        "arg" / U32,
        Pad(2),
        Range("dst"),
        "dst.field" / NxmName32(),
    )


def _ports(raw: bytes) -> tuple[int, ...]:
    pairs = (raw[at : at + 2] for at in range(0, len(raw), 2))
    return tuple(port_of_16(int.from_bytes(pair, "big")) for pair in pairs)


def _port_bytes(ports: tuple[int, ...]) -> bytes:
    return b"".join(port_in_16(port).to_bytes(2, "big") for port in ports)


_which = (
    "algorithm" / Enum(U16, BundleAlgorithm),
    "fields" / Enum(U16, HashFields),
    "basis" / U16,
    "member_type" / NxmName32(),
    SizeOf("members", U16, unit=2),
)
_members = ("members" / Converted(Rest, _ports, _port_bytes), Fill(8))


@ActionShape.experimenter(NICIRA, 12)
class Bundle(Action):
    """Send the packet out of one of the ports `members`."""

    members: tuple[int, ...] = ()
    algorithm: BundleAlgorithm | int = BundleAlgorithm.ACTIVE_BACKUP
    fields: HashFields | int = HashFields.ETH_SRC
    basis: int = 0
    member_type: str = "in_port_nxm"
    layout = (*_which, Pad(10), *_members)


@ActionShape.experimenter(NICIRA, 13)
class BundleLoad(Action):
    """Set bits of a field to one of the ports `members`."""

    dst: Subfield
    members: tuple[int, ...] = ()
    algorithm: BundleAlgorithm | int = BundleAlgorithm.ACTIVE_BACKUP
    fields: HashFields | int = HashFields.ETH_SRC
    basis: int = 0
    member_type: str = "in_port_nxm"
    layout = (*_which, Range("dst"), "dst.field" / NxmName32(), Pad(4), *_members)


@ActionShape.experimenter(NICIRA, 34)
class Conjunction(Action):
    """The entry is clause `clause`, from 0 on, of `n_clauses` that are one match of conj_id."""

    id: int
    clause: int
    n_clauses: int
    layout = ("clause" / U8, "n_clauses" / U8, "id" / U32)
