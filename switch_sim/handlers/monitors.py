"""What controllers ask of flow monitors."""

from __future__ import annotations

from typing import Any

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    nicira,
    onf,
)
from protocol import FlowMonitorFailedCode as Code
from protocol.groups import GroupId
from protocol.monitors import (
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorReply,
    FlowMonitorRequest,
)

from ..check import check_match
from ..datapath import Datapath
from ..flow_table import Selection
from ..monitor_forms import NICIRA, ONF, STANDARD
from ..monitors import Monitor, check_out
from ..refused import Refused
from ..request import Request, handles

_FLAGS = sum(FlowMonitorFlags)
# Bit by bit the same: what the standard calls NO_ABBREV is OWN there.
_FLAGS_BEFORE = sum(nicira.FlowMonitorFlags)


@handles(FlowMonitorRequest)
def _monitor(datapath: Datapath, request: Request[FlowMonitorRequest]) -> None:
    """Set, change or end a monitor (OF1.4.1 7.3.5 "Flow Monitoring")."""
    message = request.message
    if message.command not in set(FlowMonitorCommand):
        raise Refused(Code.BAD_COMMAND, f"nothing is done to a monitor by {message.command}")
    _check_flags(message.monitor_flags, _FLAGS)
    check_out(message.out_port, message.out_group, GroupId.MAX)
    monitor = Monitor(
        message.monitor_id,
        message.match,
        message.monitor_flags,
        message.table_id,
        Selection(message.out_port, message.out_group),
        STANDARD,
        message.xid,
    )
    _check(datapath, request, monitor)
    datapath.monitors.set(request.session.main, monitor, message.command)
    if message.command == FlowMonitorCommand.DELETE:
        request.answer(FlowMonitorReply())
    else:
        request.answer_in_parts(datapath.monitors.initial([monitor], request.version))


@handles(nicira.FlowMonitorRequest, onf.FlowMonitorRequest)
def _monitors(datapath: Datapath, request: Request[Any]) -> None:
    """Set monitors, all or none (EXT-187)."""
    message, session = request.message, request.session.main
    form = NICIRA if isinstance(message, nicira.FlowMonitorRequest) else ONF
    monitors = [
        Monitor(one.id, one.match, one.flags, one.table_id, Selection(one.out_port), form, 0)
        for one in message.monitors
    ]
    for monitor in monitors:
        _check_flags(monitor.flags, _FLAGS_BEFORE)
        check_out(monitor.selection.out_port, ANY_GROUP, GroupId.MAX)
        _check(datapath, request, monitor)
    datapath.monitors.check_new(session, [monitor.monitor_id for monitor in monitors])
    for monitor in monitors:
        datapath.monitors.set(session, monitor, FlowMonitorCommand.ADD)
    if monitors:
        request.answer_in_parts(datapath.monitors.initial(monitors, request.version))


@handles(nicira.FlowMonitorCancel, onf.FlowMonitorCancel)
def _cancel(datapath: Datapath, request: Request[Any]) -> None:
    datapath.monitors.end(request.session.main, request.message.id)


def _check_flags(flags: int, known: int) -> None:
    if flags & ~known:
        raise Refused(Code.BAD_FLAGS, f"flags {flags:#x} are unknown")


def _check(datapath: Datapath, request: Request[Any], monitor: Monitor) -> None:
    table_id = monitor.table_id
    if table_id != ALL_TABLES and table_id >= datapath.tables.n_tables:
        raise Refused(Code.BAD_TABLE_ID, f"there is no table {table_id}")
    check_match(monitor.match, request.version)
