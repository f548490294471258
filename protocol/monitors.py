"""Flow monitors: being told of changes that others make (OF1.5.1 7.3.5.18 "Flow Monitoring")."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .classic_match import MatchShape
from .errors import BadRequestCode
from .flows import ALL_TABLES, ANY_GROUP, FlowRemovedReason
from .instructions import Instruction, InstructionsShape
from .match import Match
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .ports import Port, PortNo
from .record import Family, Record
from .version import OF14
from .wire import U8, U16, U32, U64, Enum, Flags, Layout, Pad, since


class FlowMonitorCommand(IntEnum):
    """What is done with a monitor."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class FlowMonitorFlags(IntFlag):
    """What a monitor tells of."""

    INITIAL = 1 << 0
    ADD = 1 << 1
    REMOVED = 1 << 2
    MODIFY = 1 << 3
    INSTRUCTIONS = 1 << 4
    NO_ABBREV = 1 << 5
    ONLY_OWN = 1 << 6


@multipart_request(since(OF14, 16))
class FlowMonitorRequest(MultipartRequest):
    """Sets, changes or ends a monitor of the entries that match."""

    monitor_id: int
    match: Match = Match()
    command: FlowMonitorCommand | int = FlowMonitorCommand.ADD
    monitor_flags: FlowMonitorFlags | int = 0
    table_id: int = ALL_TABLES
    out_port: int = Port.ANY
    out_group: int = ANY_GROUP
    layout = (
        "monitor_id" / U32,
        "out_port" / PortNo,
        "out_group" / U32,
        "monitor_flags" / Flags(U16, FlowMonitorFlags),
        "table_id" / U8,
        "command" / Enum(U8, FlowMonitorCommand),
        "match" / MatchShape,
    )


FlowUpdateShape = Family(
    "flow update",
    length_first=True,
    length_counts_padding=True,
    unknown=BadRequestCode.BAD_TYPE,
    short=BadRequestCode.BAD_LEN,
)


class _FullUpdate(Record):
    match: Match = Match()
    instructions: tuple[Instruction, ...] = ()  #: where the monitor asked for them
    table_id: int = 0
    reason: FlowRemovedReason | int = 0  #: why it was removed
    idle_timeout: int = 0
    hard_timeout: int = 0
    priority: int = 0
    cookie: int = 0
    layout: ClassVar[Layout] = (
        "table_id" / U8,
        "reason" / Enum(U8, FlowRemovedReason),
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        "priority" / U16,
        Pad(4),
        "cookie" / U64,
        "match" / MatchShape,
        "instructions" / InstructionsShape,
    )


@FlowUpdateShape.member(since(OF14, 0))
class FlowInitial(_FullUpdate):
    """An entry that was there when the monitor began."""


@FlowUpdateShape.member(since(OF14, 1))
class FlowAdded(_FullUpdate):
    """An entry was added."""


@FlowUpdateShape.member(since(OF14, 2))
class FlowDeleted(_FullUpdate):
    """An entry was removed."""


@FlowUpdateShape.member(since(OF14, 3))
class FlowModified(_FullUpdate):
    """An entry's instructions changed."""


@FlowUpdateShape.member(since(OF14, 4))
class FlowAbbreviated(Record):
    """The controller's own message with this xid changed entries."""

    xid: int
    layout = ("xid" / U32,)


@FlowUpdateShape.member(since(OF14, 5))
class MonitorPaused(Record):
    """There is no room for more updates; some will be missing."""

    layout = (Pad(4),)


@FlowUpdateShape.member(since(OF14, 6))
class MonitorResumed(Record):
    """There is room again."""

    layout = (Pad(4),)


@multipart_reply(since(OF14, 16))
class FlowMonitorReply(MultipartReply):
    """What happened to entries that a monitor watches; its xid is that of the request."""

    updates: tuple[Record, ...] = ()
    layout = ("updates" / FlowUpdateShape,)
    gathers = "updates"
