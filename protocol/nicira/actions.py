"""Nicira's actions on the packet and on its way (ovs-actions(7)).

Those that OF1.1 took over have Nicira's numbers in OF1.0 only. Learning, connection
tracking and the choice of ports stand in files of their own.
"""

from __future__ import annotations

from ..actions import Action, ActionShape
from ..features import ControllerMaxLen
from ..match import Match
from ..packets import PacketInReason
from ..ports import Port, Port16
from ..record import Record
from ..version import OF10, OF14
from ..wire import U8, U16, U32, U64, Converted, Enum, Fill, Pad, Rest, SizeOf, until
from .fields import NICIRA
from .match import OneNxm
from .nesting import CLONE, NestedActions
from .properties import Properties, flag, number, raw
from .subfields import NxmName, NxmName32, Range, SameSize, Size, Subfield

_ALL = 0xFFFF  # the number that all actions of experimenters have
_OF10 = until(OF10, _ALL)
_BEFORE_OF15 = until(OF14, _ALL)  # OF1.5 has set_field under a mask, and copy_field


# Resubmitting


@ActionShape.experimenter(NICIRA, 1)
class Resubmit(Action):
    """Look the packet up again, as if it had come in by another port."""

    in_port: int = Port.IN_PORT
    layout = ("in_port" / Port16, Pad(4))


class _ResubmitTable(Action):
    in_port: int = Port.IN_PORT
    table_id: int = 0xFF  #: 0xff is the one that the entry is in
    layout = ("in_port" / Port16, "table_id" / U8, Pad(3))


@ActionShape.experimenter(NICIRA, 14)
class ResubmitTable(_ResubmitTable):
    """Look the packet up in another table, as if it had come in by another port."""


@ActionShape.experimenter(NICIRA, 44)
class ResubmitTableCt(_ResubmitTable):
    """Look the packet up with the addresses and ports that its connection began with."""


@ActionShape.experimenter(NICIRA, CLONE)
class Clone(Action):
    """Do actions on a copy: what they change is forgotten behind them."""

    actions: tuple[Action, ...] = ()
    layout = (Pad(6), "actions" / NestedActions())


@ActionShape.experimenter(NICIRA, 17)
class Exit(Action):
    """Do no more actions, those of tables that are resubmitted from included."""

    layout = (Pad(6),)


# Fields


@ActionShape.experimenter(NICIRA, 6, _BEFORE_OF15)
class RegMove(Action):
    """Copy bits from one field to another."""

    src: Subfield
    dst: Subfield
    layout = (
        SameSize("src", "dst"),
        "src.offset" / U16,
        "dst.offset" / U16,
        "src.field" / NxmName(),
        "dst.field" / NxmName(),
        Fill(8),
    )


@ActionShape.experimenter(NICIRA, 7, _BEFORE_OF15)
class RegLoad(Action):
    """Set bits of a field, 64 at most."""

    dst: Subfield
    value: int
    layout = (Range("dst"), "dst.field" / NxmName32(), "value" / U64)


@ActionShape.experimenter(NICIRA, 33, _BEFORE_OF15)
class RegLoad2(Action):
    """Set a field, or bits of it: the one in `field`."""

    field: Match
    layout = ("field" / OneNxm(), Fill(8))


class _Stack(Action):
    subfield: Subfield
    layout = (
        "subfield.offset" / U16,
        "subfield.field" / NxmName(),
        "subfield.n_bits" / Size,
        Fill(24),
    )


@ActionShape.experimenter(NICIRA, 27)
class StackPush(_Stack):
    """Put bits of a field on the packet's stack."""


@ActionShape.experimenter(NICIRA, 28)
class StackPop(_Stack):
    """Take the top off the packet's stack into bits of a field."""


@ActionShape.experimenter(NICIRA, 49)
class CheckPktLarger(Action):
    """Set a bit of a field to whether the packet has more bytes than `pkt_len`."""

    pkt_len: int
    dst: str  #: a match field's name
    offset: int = 0
    layout = ("pkt_len" / U16, "offset" / U16, "dst" / NxmName(), Fill(24))


@ActionShape.experimenter(NICIRA, 50)
class DeleteField(Action):
    """Take an option of a tunnel off the packet."""

    field: str  #: a match field's name
    layout = ("field" / NxmName(), Fill(24))


@ActionShape.experimenter(NICIRA, 22)
class WriteMetadata(Action):
    """Set bits of the metadata, as OF1.1's instruction does."""

    metadata: int
    metadata_mask: int = 0xFFFF_FFFF_FFFF_FFFF
    layout = (Pad(6), "metadata" / U64, "metadata_mask" / U64)


@ActionShape.experimenter(NICIRA, 2)
class SetTunnel(Action):
    """Set the tunnel's key in 32 bits."""

    tun_id: int
    layout = (Pad(2), "tun_id" / U32)


@ActionShape.experimenter(NICIRA, 9)
class SetTunnel64(Action):
    """Set the tunnel's key."""

    tun_id: int
    layout = (Pad(6), "tun_id" / U64)


# What OF1.1 has in its own numbers


@ActionShape.experimenter(NICIRA, 4, _OF10)
class SetQueue(Action):
    """Choose the queue that a later Output uses."""

    queue_id: int
    layout = (Pad(2), "queue_id" / U32)


@ActionShape.experimenter(NICIRA, 5)
class PopQueue(Action):
    """Take the queue that the packet had before the first SetQueue."""

    layout = (Pad(6),)


@ActionShape.experimenter(NICIRA, 40, _OF10)
class Group(Action):
    """Let a group decide."""

    group_id: int
    layout = (Pad(2), "group_id" / U32)


@ActionShape.experimenter(NICIRA, 18, _OF10)
class DecTtl(Action):
    """Take one from the TTL or hop limit."""

    layout = (Pad(6),)


@ActionShape.experimenter(NICIRA, 23, _OF10)
class PushMpls(Action):
    """Put a new MPLS header before the packet's first one."""

    ethertype: int = 0x8847
    layout = ("ethertype" / U16, Pad(4))


@ActionShape.experimenter(NICIRA, 24, _OF10)
class PopMpls(Action):
    """Take the outermost MPLS header off; what follows is of `ethertype`."""

    ethertype: int
    layout = ("ethertype" / U16, Pad(4))


@ActionShape.experimenter(NICIRA, 25, _OF10)
class SetMplsTtl(Action):
    """Set the TTL of the outermost MPLS header."""

    mpls_ttl: int
    layout = ("mpls_ttl" / U8, Pad(5))


@ActionShape.experimenter(NICIRA, 26, _OF10)
class DecMplsTtl(Action):
    """Take one from the TTL of the outermost MPLS header."""

    layout = (Pad(6),)


@ActionShape.experimenter(NICIRA, 30, _OF10)
class SetMplsLabel(Action):
    """Set the label of the outermost MPLS header."""

    mpls_label: int
    layout = (Pad(2), "mpls_label" / U32)


@ActionShape.experimenter(NICIRA, 31, _OF10)
class SetMplsTc(Action):
    """Set the traffic class of the outermost MPLS header."""

    mpls_tc: int
    layout = ("mpls_tc" / U8, Pad(5))


# Sending


def _numbers(raw_numbers: bytes) -> tuple[int, ...]:
    pairs = (raw_numbers[at : at + 2] for at in range(0, len(raw_numbers), 2))
    return tuple(int.from_bytes(pair, "big") for pair in pairs)


def _bytes_of(numbers: tuple[int, ...]) -> bytes:
    return b"".join(one.to_bytes(2, "big") for one in numbers)


@ActionShape.experimenter(NICIRA, 21)
class DecTtlCntIds(Action):
    """Take one from the TTL; where it is over, tell the controllers with these numbers."""

    controller_ids: tuple[int, ...]
    layout = (
        SizeOf("controller_ids", U16, unit=2),
        Pad(4),
        "controller_ids" / Converted(Rest, _numbers, _bytes_of),
        Fill(8),
    )


@ActionShape.experimenter(NICIRA, 15)
class OutputReg(Action):
    """Send the packet out of the port that bits of a field name."""

    src: Subfield
    max_len: int = ControllerMaxLen.NO_BUFFER  #: bytes of it that the controller gets
    layout = (Range("src"), "src.field" / NxmName32(), "max_len" / U16, Pad(6))


@ActionShape.experimenter(NICIRA, 32)
class OutputReg2(Action):
    """Send the packet out of the port that bits of a field name, an experimenter's too."""

    src: Subfield
    max_len: int = ControllerMaxLen.NO_BUFFER
    layout = (Range("src"), "max_len" / U16, "src.field" / NxmName(), Fill(24))


@ActionShape.experimenter(NICIRA, 39)
class OutputTrunc(Action):
    """Send the first bytes of the packet out of a port."""

    port: int
    max_len: int
    layout = ("port" / Port16, "max_len" / U32)


@ActionShape.experimenter(NICIRA, 20)
class Controller(Action):
    """Send the packet to the controllers that have this number."""

    max_len: int = ControllerMaxLen.NO_BUFFER
    controller_id: int = 0
    reason: PacketInReason | int = PacketInReason.ACTION
    layout = (
        "max_len" / U16,
        "controller_id" / U16,
        "reason" / Enum(U8, PacketInReason),
        Pad(1),
    )


@ActionShape.experimenter(NICIRA, 37)
class Controller2(Action):
    """Send the packet to controllers, with data for them; None leaves it to the switch."""

    max_len: int | None = None
    controller_id: int | None = None
    reason: PacketInReason | int | None = None
    userdata: bytes | None = None
    pause: bool = False  #: wait for a Resume
    meter_id: int | None = None
    properties: tuple[Record, ...] = ()  #: those that are no field
    layout = (
        Pad(6),
        Properties(
            "controller2",
            max_len=number(0, 2),
            controller_id=number(1, 2),
            reason=number(2, 1, PacketInReason),
            userdata=raw(3),
            pause=flag(4),
            meter_id=number(5, 4),
        ),
    )


# Others


@ActionShape.experimenter(NICIRA, 8)
class Note(Action):
    """Do nothing; the bytes are for whoever reads the entry."""

    note: bytes  #: as it comes, zeros fill it up to 6, 14, 22 … bytes
    layout = ("note" / Rest, Fill(8))


@ActionShape.experimenter(NICIRA, 19)
class FinTimeout(Action):
    """Shorten the entry's timeouts when a TCP connection ends."""

    fin_idle_timeout: int = 0  #: seconds; 0 leaves it
    fin_hard_timeout: int = 0
    layout = ("fin_idle_timeout" / U16, "fin_hard_timeout" / U16, Pad(2))
