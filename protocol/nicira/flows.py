"""Flow entries whose match is in NXM, for OF1.0: flow_mod, flow_removed and statistics."""

from __future__ import annotations

from .. import flows
from ..flows import FlagsShape, FlowModCommand, FlowRemovedReason
from ..instructions import AppliedActions
from ..multipart import EXPERIMENTER, experimenter_reply, experimenter_request
from ..ports import Port16
from ..record import ListOf
from ..stats import Count32, Count64
from ..symmetric import experimenter_message
from ..version import OF10
from ..wire import U8, U16, U32, U64, Converted, Enum, Length, Pad, SizeOf, until
from .fields import NICIRA
from .match import NxmFields

_OF10 = until(OF10, EXPERIMENTER)
_ALIGN = Pad(4)  # behind the exp_type, in OF1.0


@experimenter_message(NICIRA, 13)
class FlowMod(flows.FlowMod):
    """Adds, changes or deletes flow entries, with a match in NXM.

    The match may have a `cookie`, which entries to change or to delete must have then.
    `table_id` counts after a FlowModTableId. There are no cookie_mask and out_group.
    """

    layout = (
        "cookie" / U64,
        "table_id" / U8,
        "command" / Enum(U8, FlowModCommand),
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        "priority" / U16,
        "buffer_id" / U32,
        "out_port" / Port16,
        "flags" / FlagsShape,
        SizeOf("match", U16, align=8),
        Pad(6),
        "match" / NxmFields(),
        "instructions" / AppliedActions,
    )


def _before(number: int) -> int:
    return number - 1 & 0xFF


def _after(table_id: int) -> int:
    return table_id + 1 & 0xFF


@experimenter_message(NICIRA, 14)
class FlowRemoved(flows.FlowRemoved):
    """An entry went. A table_id of 0xff says that the switch did not tell it."""

    layout = (
        "cookie" / U64,
        "priority" / U16,
        "reason" / Enum(U8, FlowRemovedReason),
        "table_id" / Converted(U8, _before, _after),
        "stats.duration_sec" / Count32,
        "stats.duration_nsec" / Count32,
        "idle_timeout" / U16,
        SizeOf("match", U16, align=8),
        "stats.packet_count" / Count64,
        "stats.byte_count" / Count64,
        "match" / NxmFields(),
    )


_which = (
    _ALIGN,
    "out_port" / Port16,
    SizeOf("match", U16, align=8),
    "table_id" / U8,
    Pad(3),
    "match" / NxmFields(),
)


@experimenter_request(NICIRA, 0, _OF10)
class FlowStatsRequest(flows.FlowStatsRequest):
    """Asks for entries that match; the match may have a `cookie`."""

    layout = _which


def _age(number: int) -> int | None:
    return number - 1 if number else None


def _number(age: int | None) -> int:
    return 0 if age is None else min(age + 1, 0xFFFF)


_Age = Converted(U16, _age, _number)  # one more than the seconds; 0 where nobody knows


class FlowStats(flows.FlowStats):
    """An entry and its counters, how long it was idle among them."""

    hard_age: int | None = None  #: seconds since it was changed; None where it is not told
    layout = (
        Length(U16),
        "table_id" / U8,
        Pad(1),
        "stats.duration_sec" / Count32,
        "stats.duration_nsec" / Count32,
        "priority" / U16,
        "idle_timeout" / U16,
        "hard_timeout" / U16,
        SizeOf("match", U16, align=8),
        "stats.idle_sec" / _Age,
        "hard_age" / _Age,
        "cookie" / U64,
        "stats.packet_count" / Count64,
        "stats.byte_count" / Count64,
        "match" / NxmFields(),
        "instructions" / AppliedActions,
    )


@experimenter_reply(NICIRA, 0, _OF10)
class FlowStatsReply(flows.FlowStatsReply):
    """The entries asked for."""

    layout = (_ALIGN, "flows" / ListOf(FlowStats))


@experimenter_request(NICIRA, 1, _OF10)
class AggregateStatsRequest(flows.AggregateStatsRequest):
    """Asks what all entries that match counted together."""

    layout = _which


@experimenter_reply(NICIRA, 1, _OF10)
class AggregateStatsReply(flows.AggregateStatsReply):
    """What the entries counted together: flow_count, packet_count and byte_count."""

    layout = (_ALIGN, *flows.AggregateStatsReply.layout)
