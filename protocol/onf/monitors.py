"""ONF's flow monitors of OF1.3 (EXT-187): Nicira's, with the version's match and instructions."""

from __future__ import annotations

import struct

from .. import monitors
from ..compiler import read, write
from ..flows import ALL_TABLES
from ..instructions import InstructionsShape
from ..match import Match
from ..message import Message
from ..multipart import (
    EXPERIMENTER,
    MultipartReply,
    MultipartRequest,
    experimenter_reply,
    experimenter_request,
)
from ..nicira.match import OxmFields
from ..nicira.monitors import FlowMonitorFlags, each_monitor, flow_updates, full_update
from ..oxm import ONF
from ..ports import Port, PortNo
from ..record import Record
from ..symmetric import EXPERIMENTER_NUMBER, experimenter_message
from ..version import OF13, Version
from ..wire import (
    U8,
    U16,
    U32,
    Converted,
    Flags,
    Pad,
    Rest,
    SizeOf,
    between,
    by_version,
)

_MESSAGES = between(OF13, OF13, EXPERIMENTER_NUMBER)
_MULTIPARTS = between(OF13, OF13, EXPERIMENTER)


class _Fields(Record):
    match: Match = Match()
    layout = ("match" / OxmFields(),)


_TYPE_AND_LENGTH = struct.Struct(">HH")
_OXM = 1
_ALONE = "ONF's fields alone"


def _shape(version: Version) -> Converted:
    """A match without its padding; EXT-187 has fields alone, Open vSwitch type and length, too.

    The form that a match came in, it keeps; else it is Open vSwitch's.
    """

    def to_value(raw: bytes) -> Match:
        if raw[:4] == _TYPE_AND_LENGTH.pack(_OXM, len(raw)):
            return read(_Fields, version, raw[4:], headed=False).match
        match = read(_Fields, version, raw, headed=False).match
        match.keep_form(_ALONE, raw)
        return match

    def to_wire(match: Match) -> bytes:
        if (raw := match.form(_ALONE)) is not None:
            return bytes(raw)
        fields = write(_Fields(match), version, headed=False)
        return _TYPE_AND_LENGTH.pack(_OXM, len(fields) + _TYPE_AND_LENGTH.size) + fields

    return Converted(Rest, to_value, to_wire)


_MatchShape = by_version({OF13: _shape(OF13)})


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
        SizeOf("match", U16, align=8),
        "out_port" / PortNo,
        "table_id" / U8,
        Pad(3),
        "match" / _MatchShape,
    )


@experimenter_request(ONF, 1870, _MULTIPARTS)
class FlowMonitorRequest(MultipartRequest):
    """Sets monitors of the entries that match."""

    monitors: tuple[FlowMonitor, ...] = ()
    layout = ("monitors" / each_monitor(FlowMonitor, length_at=6),)


FlowUpdateShape = flow_updates("ONF")
_full = full_update(_MatchShape, InstructionsShape)


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
    """An entry's instructions changed."""

    layout = _full


@FlowUpdateShape.member(3)
class FlowAbbreviated(monitors.FlowAbbreviated):
    """The controller's own message with this xid changed entries."""


@experimenter_reply(ONF, 1870, _MULTIPARTS)
class FlowMonitorReply(MultipartReply):
    """What happened to entries that a monitor watches."""

    updates: tuple[Record, ...] = ()
    layout = ("updates" / FlowUpdateShape,)
    gathers = "updates"


@experimenter_message(ONF, 1870, _MESSAGES)
class FlowMonitorCancel(Message):
    """Ends a monitor."""

    id: int
    layout = ("id" / U32,)


@experimenter_message(ONF, 1871, _MESSAGES)
class FlowMonitorPaused(Message):
    """There is no room for more updates; some will be missing."""


@experimenter_message(ONF, 1872, _MESSAGES)
class FlowMonitorResumed(Message):
    """There is room again."""
