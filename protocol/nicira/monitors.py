"""Flow monitors of OF1.0 to OF1.2; ONF's of OF1.3 are built like these."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag

from .. import monitors
from ..compiler import read, write
from ..errors import BadRequestCode
from ..flows import ALL_TABLES, FlowRemovedReason
from ..instructions import AppliedActions
from ..match import Match
from ..message import Message
from ..multipart import (
    EXPERIMENTER,
    MultipartReply,
    MultipartRequest,
    experimenter_reply,
    experimenter_request,
)
from ..ports import Port, Port16
from ..record import Family, Record
from ..symmetric import EXPERIMENTER_NUMBER, experimenter_message
from ..version import OF10, OF12, Version
from ..wire import (
    U8,
    U16,
    U32,
    U64,
    Converted,
    Enum,
    Flags,
    Layout,
    Pad,
    Rest,
    Shape,
    SizeOf,
    by_version,
    until,
)
from .fields import NICIRA
from .match import NxmFields

_MESSAGES = until(OF12, EXPERIMENTER_NUMBER)
_MULTIPARTS = until(OF12, EXPERIMENTER)
_ALIGN = until(OF10, Pad(4))


class FlowMonitorFlags(IntFlag):
    """What a monitor tells of."""

    INITIAL = 1 << 0
    ADD = 1 << 1
    DELETE = 1 << 2
    MODIFY = 1 << 3
    ACTIONS = 1 << 4
    OWN = 1 << 5


def _each(cls: type[Record], size_of: Callable[[bytes], int]) -> Shape:
    """Return the shape of records up to the end, each as long as `size_of` its bytes says."""

    def at(version: Version) -> Converted:
        def to_value(raw: bytes) -> tuple[Record, ...]:
            found = []
            while raw:
                size = size_of(raw)
                if not 0 < size <= len(raw):
                    raise ValueError(f"{size} bytes are needed, {len(raw)} are left")
                found.append(read(cls, version, raw[:size], headed=False))
                raw = raw[size:]
            return tuple(found)

        def to_wire(records: tuple[Record, ...]) -> bytes:
            return b"".join(write(one, version, headed=False) for one in records)

        return Converted(Rest, to_value, to_wire)

    return by_version({version: at(version) for version in Version})


class FlowMonitor(Record):
    """What one monitor is to tell of."""

    id: int
    match: Match = Match()
    flags: FlowMonitorFlags | int = 0
    table_id: int = ALL_TABLES
    out_port: int = Port.ANY
    layout = (
        "id" / U32,
        "flags" / Flags(U16, FlowMonitorFlags),
        "out_port" / Port16,
        SizeOf("match", U16, align=8),
        "table_id" / U8,
        Pad(5),
        "match" / NxmFields(),
    )


_HEAD = 16  # bytes before the match


def each_monitor(cls: type[Record], length_at: int) -> Shape:
    """Return the shape of monitors up to the end; their match's length is at `length_at`."""

    def size_of(raw: bytes) -> int:
        match_len = int.from_bytes(raw[length_at : length_at + 2], "big")
        return _HEAD + match_len + -match_len % 8

    return _each(cls, size_of)


@experimenter_request(NICIRA, 2, _MULTIPARTS)
class FlowMonitorRequest(MultipartRequest):
    """Sets monitors of the entries that match."""

    monitors: tuple[FlowMonitor, ...] = ()
    layout = (_ALIGN, "monitors" / each_monitor(FlowMonitor, length_at=8))


def flow_updates(of: str) -> Family:
    """Return a new family of updates."""
    return Family(
        f"{of} flow update",
        length_first=True,
        length_counts_padding=True,
        unknown=BadRequestCode.BAD_TYPE,
        short=BadRequestCode.BAD_LEN,
    )


def full_update(match: Shape, instructions: Shape) -> Layout:
    """Return the layout of an update that tells all of an entry."""
    return (
        "reason" / Enum(U16, FlowRemovedReason),
        "priority" / U16,
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        SizeOf("match", U16, align=8),
        "table_id" / U8,
        Pad(1),
        "cookie" / U64,
        "match" / match,
        "instructions" / instructions,
    )


FlowUpdateShape = flow_updates("Nicira")
_full = full_update(NxmFields(), AppliedActions)


@FlowUpdateShape.member(0)
class FlowAdded(monitors.FlowAdded):
    """An entry was added, or was there when the monitor began."""

    layout = _full


@FlowUpdateShape.member(1)
class FlowDeleted(monitors.FlowDeleted):
    """An entry was removed."""

    layout = _full


@FlowUpdateShape.member(2)
class FlowModified(monitors.FlowModified):
    """An entry's actions changed."""

    layout = _full


@FlowUpdateShape.member(3)
class FlowAbbreviated(monitors.FlowAbbreviated):
    """The controller's own message with this xid changed entries."""


@experimenter_reply(NICIRA, 2, _MULTIPARTS)
class FlowMonitorReply(MultipartReply):
    """What happened to entries that a monitor watches."""

    updates: tuple[Record, ...] = ()
    layout = (_ALIGN, "updates" / FlowUpdateShape)
    gathers = "updates"


@experimenter_message(NICIRA, 21, _MESSAGES)
class FlowMonitorCancel(Message):
    """Ends a monitor."""

    id: int
    layout = ("id" / U32,)


@experimenter_message(NICIRA, 22, _MESSAGES)
class FlowMonitorPaused(Message):
    """There is no room for more updates; some will be missing."""


@experimenter_message(NICIRA, 23, _MESSAGES)
class FlowMonitorResumed(Message):
    """There is room again."""
