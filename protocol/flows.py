"""Flow entries: flow_mod, flow_removed, and what is asked of them (OF1.5.1 7.3.4.2)."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from .classic_match import MatchShape
from .instructions import Instruction, InstructionsShape
from .match import Match
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .packets import NO_BUFFER
from .ports import Port, PortNo
from .record import ListOf, Record
from .stats import Count32, Count64, OxsStats, Stats
from .version import OF10, OF11, OF12, OF13, OF14, OF15
from .wire import (
    U8,
    U16,
    U32,
    U64,
    Enum,
    Flags,
    Layout,
    Length,
    Pad,
    between,
    by_version,
    since,
    until,
)

DEFAULT_PRIORITY = 0x8000
ALL_TABLES = 0xFF  #: a table_id that means each table, where something is deleted or asked
ANY_GROUP = 0xFFFF_FFFF


class FlowModCommand(IntEnum):
    """What a flow_mod does."""

    ADD = 0
    MODIFY = 1
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class FlowModFlags(IntFlag):
    """How an entry behaves. EMERG exists in OF1.0 only."""

    SEND_FLOW_REM = 1 << 0
    CHECK_OVERLAP = 1 << 1
    RESET_COUNTS = 1 << 2
    NO_PKT_COUNTS = 1 << 3
    NO_BYT_COUNTS = 1 << 4
    EMERG = 1 << 16


# OF1.0 has EMERG where the others have RESET_COUNTS.
_FLAGS10 = {
    FlowModFlags.SEND_FLOW_REM: 1 << 0,
    FlowModFlags.CHECK_OVERLAP: 1 << 1,
    FlowModFlags.EMERG: 1 << 2,
}
FlagsShape = by_version({OF10: Flags(U16, FlowModFlags, _FLAGS10), OF11: Flags(U16, FlowModFlags)})


@message(14)
class FlowMod(Message):
    """Adds, changes or deletes flow entries (OF1.5.1 7.3.4.2 "Modify Flow Entry Message")."""

    match: Match = Match()
    instructions: tuple[Instruction, ...] = ()  #: OF1.0 can say one ApplyActions only
    command: FlowModCommand | int = FlowModCommand.ADD
    priority: int = DEFAULT_PRIORITY
    idle_timeout: int = 0  #: seconds without a packet; 0 never
    hard_timeout: int = 0  #: seconds; 0 never
    table_id: int = 0
    cookie: int = 0
    cookie_mask: int = 0  #: the bits that the cookies of entries to change must share
    buffer_id: int = NO_BUFFER
    out_port: int = Port.ANY  #: deletes only what sends to this port
    out_group: int = ANY_GROUP
    flags: FlowModFlags | int = 0
    importance: int = 0  #: low goes first when a full table evicts
    layout: ClassVar[Layout] = (
        "match" / until(OF10, MatchShape),
        "cookie" / U64,
        "cookie_mask" / since(OF11, U64),
        "table_id" / since(OF11, U8),
        "command" / by_version({OF10: Enum(U16, FlowModCommand), OF11: Enum(U8, FlowModCommand)}),
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        "priority" / U16,
        "buffer_id" / U32,
        "out_port" / PortNo,
        "out_group" / since(OF11, U32),
        "flags" / FlagsShape,
        between(OF11, OF13, Pad(2)),
        "importance" / since(OF14, U16),
        "match" / since(OF11, MatchShape),
        "instructions" / InstructionsShape,
    )


class FlowRemovedReason(IntEnum):
    """Why an entry went. METER_DELETE and EVICTION since OF1.4."""

    IDLE_TIMEOUT = 0
    HARD_TIMEOUT = 1
    DELETE = 2
    GROUP_DELETE = 3
    METER_DELETE = 4
    EVICTION = 5


@message(11)
class FlowRemoved(Message):
    """An entry went (OF1.5.1 7.4.2 "Flow Removed Message")."""

    match: Match = Match()
    cookie: int = 0
    priority: int = 0
    reason: FlowRemovedReason | int = FlowRemovedReason.IDLE_TIMEOUT
    table_id: int = 0
    idle_timeout: int = 0
    hard_timeout: int = 0
    stats: Stats = Stats()
    report = True
    layout: ClassVar[Layout] = (
        "match" / until(OF10, MatchShape),
        "table_id" / since(OF15, U8),
        "reason" / since(OF15, Enum(U8, FlowRemovedReason)),
        "priority" / since(OF15, U16),
        "idle_timeout" / since(OF15, U16),
        "hard_timeout" / since(OF15, U16),
        "cookie" / U64,
        "priority" / until(OF14, U16),
        "reason" / until(OF14, Enum(U8, FlowRemovedReason)),
        "table_id" / between(OF11, OF14, U8),
        until(OF10, Pad(1)),
        "stats.duration_sec" / until(OF14, Count32),
        "stats.duration_nsec" / until(OF14, Count32),
        "idle_timeout" / until(OF14, U16),
        until(OF10, Pad(2)),
        "hard_timeout" / between(OF12, OF14, U16),
        between(OF11, OF11, Pad(2)),
        "stats.packet_count" / until(OF14, Count64),
        "stats.byte_count" / until(OF14, Count64),
        "match" / since(OF11, MatchShape),
        "stats" / since(OF15, OxsStats()),
    )


class _WhichFlows(MultipartRequest):
    match: Match = Match()
    table_id: int = ALL_TABLES
    out_port: int = Port.ANY
    out_group: int = ANY_GROUP
    cookie: int = 0
    cookie_mask: int = 0
    layout: ClassVar[Layout] = (
        "match" / until(OF10, MatchShape),
        "table_id" / U8,
        by_version({OF10: Pad(1), OF11: Pad(3)}),
        "out_port" / PortNo,
        "out_group" / since(OF11, U32),
        since(OF11, Pad(4)),
        "cookie" / since(OF11, U64),
        "cookie_mask" / since(OF11, U64),
        "match" / since(OF11, MatchShape),
    )


@multipart_request(1)
class FlowStatsRequest(_WhichFlows):
    """Asks for entries that match (OF1.5.1 7.3.5 "Individual Flow Descriptions")."""


class FlowStats(Record):
    """An entry and its counters; OF1.5 calls it a flow description."""

    match: Match = Match()
    instructions: tuple[Instruction, ...] = ()
    priority: int = DEFAULT_PRIORITY
    idle_timeout: int = 0
    hard_timeout: int = 0
    table_id: int = 0
    cookie: int = 0
    flags: FlowModFlags | int = 0
    importance: int = 0
    stats: Stats = Stats()
    report = True
    layout: ClassVar[Layout] = (
        Length(U16),
        since(OF15, Pad(2)),
        "table_id" / U8,
        Pad(1),
        "match" / until(OF10, MatchShape),
        "stats.duration_sec" / until(OF14, Count32),
        "stats.duration_nsec" / until(OF14, Count32),
        "priority" / U16,
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        until(OF10, Pad(6)),
        between(OF11, OF12, Pad(6)),
        "flags" / since(OF13, FlagsShape),
        between(OF13, OF13, Pad(4)),
        "importance" / since(OF14, U16),
        between(OF14, OF14, Pad(2)),
        "cookie" / U64,
        "stats.packet_count" / until(OF14, Count64),
        "stats.byte_count" / until(OF14, Count64),
        "match" / since(OF11, MatchShape),
        "stats" / since(OF15, OxsStats()),
        "instructions" / InstructionsShape,
    )


@multipart_reply(1)
class FlowStatsReply(MultipartReply):
    """The entries asked for."""

    flows: tuple[FlowStats, ...] = ()
    layout: ClassVar[Layout] = ("flows" / ListOf(FlowStats),)
    gathers = "flows"


@multipart_request(2)
class AggregateStatsRequest(_WhichFlows):
    """Asks what entries that match counted (OF1.5.1 7.3.5 "Aggregate Flow Statistics")."""


@multipart_reply(2)
class AggregateStatsReply(MultipartReply):
    """What the entries counted together: flow_count, packet_count and byte_count."""

    stats: Stats = Stats()
    layout: ClassVar[Layout] = (
        "stats.packet_count" / until(OF14, Count64),
        "stats.byte_count" / until(OF14, Count64),
        "stats.flow_count" / until(OF14, Count32),
        until(OF14, Pad(4)),
        "stats" / since(OF15, OxsStats()),
    )


class FlowStatsReason(IntEnum):
    """Why the statistics of an entry are told."""

    STATS_REQUEST = 0
    STAT_TRIGGER = 1


class FlowCounters(Record):
    """An entry's statistics without its description (OF1.5)."""

    match: Match = Match()
    priority: int = DEFAULT_PRIORITY
    table_id: int = 0
    reason: FlowStatsReason | int = FlowStatsReason.STATS_REQUEST
    stats: Stats = Stats()
    layout = (
        Length(U16),
        Pad(2),
        "table_id" / U8,
        "reason" / Enum(U8, FlowStatsReason),
        "priority" / U16,
        "match" / MatchShape,
        "stats" / OxsStats(),
    )


@multipart_request(since(OF15, 17))
class FlowCountersRequest(_WhichFlows):
    """Asks for statistics of entries that match (OF1.5.1 7.3.5 "Individual Flow Statistics")."""


@multipart_reply(since(OF15, 17))
class FlowCountersReply(MultipartReply):
    """The statistics asked for, or, without a request, those that a StatTrigger tells."""

    flows: tuple[FlowCounters, ...] = ()
    layout = ("flows" / ListOf(FlowCounters),)
    gathers = "flows"
