"""Packets for the controller in Nicira's forms, and how they go on."""

from __future__ import annotations

from .. import packets
from ..match import Match
from ..message import Message
from ..packets import NO_BUFFER, PacketInReason
from ..record import Record
from ..symmetric import experimenter_message
from ..wire import U8, U16, U32, U64, Enum, Pad, Rest, SizeOf
from .fields import NICIRA
from .match import NxmFields, OxmFields
from .properties import Properties, number, raw, wrapped


@experimenter_message(NICIRA, 17)
class PacketIn(packets.PacketIn):
    """A packet for the controller, with its pipeline fields in NXM."""

    layout = (
        "buffer_id" / U32,
        "total_len" / U16,
        "reason" / Enum(U8, PacketInReason),
        "table_id" / U8,
        "cookie" / U64,
        SizeOf("match", U16, align=8),
        Pad(6),
        "match" / NxmFields(),
        Pad(2),
        "data" / Rest,
    )


class Metadata(Record):
    """The pipeline fields of a packet, in the version's OXM."""

    match: Match = Match()
    layout = ("match" / OxmFields(),)


_TOLD = {
    "data": raw(0, absent=b""),
    "total_len": number(1, 4, absent=0),
    "buffer_id": number(2, 4, absent=NO_BUFFER),
    "table_id": number(3, 1),
    "cookie": number(4, 8, absent=0xFFFF_FFFF_FFFF_FFFF),
    "reason": number(5, 1, PacketInReason),
    "match": wrapped(6, Metadata, absent=Match()),
    "continuation": raw(8),
    "userdata": raw(7),
}
# What a switch tells always; the defaults are those that the standard's PacketIn has.
_ALWAYS = {
    "table_id": _TOLD["table_id"].always(0),
    "reason": _TOLD["reason"].always(PacketInReason.NO_MATCH),
    "match": _TOLD["match"].always(Match()),
}


@experimenter_message(NICIRA, 30)
class PacketIn2(packets.PacketIn):
    """A packet for the controller, in properties. `total_len` is 0 where `data` is all of it."""

    userdata: bytes | None = None  #: of the action Controller2
    continuation: bytes | None = None  #: what the switch goes on with; a Resume gives it back
    properties: tuple[Record, ...] = ()  #: those that are no field
    layout = (Properties("packet_in2", **_TOLD | _ALWAYS),)


@experimenter_message(NICIRA, 28)
class Resume(Message):
    """Lets a packet go on that an action Controller2 held back; it may have changed."""

    data: bytes = b""
    continuation: bytes | None = None
    match: Match = Match()
    total_len: int = 0  #: 0 where `data` is all of it
    buffer_id: int = NO_BUFFER
    table_id: int | None = None
    cookie: int = 0xFFFF_FFFF_FFFF_FFFF  #: all ones where there is none
    reason: PacketInReason | int | None = None
    userdata: bytes | None = None
    properties: tuple[Record, ...] = ()
    layout = (Properties("resume", **_TOLD),)

    @classmethod
    def of(cls, held: PacketIn2) -> Resume:
        """Return what lets a packet go on as it was."""
        return cls(
            data=held.data,
            continuation=held.continuation,
            match=held.match,
            total_len=held.total_len,
            buffer_id=held.buffer_id,
            table_id=held.table_id,
            cookie=held.cookie,
            reason=held.reason,
            properties=held.properties,
        )
