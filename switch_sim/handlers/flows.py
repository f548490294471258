"""What controllers do to flow entries, and ask of them."""

from __future__ import annotations

from typing import Any

from protocol import NO_BUFFER, OF10, FlowMod, FlowModCommand, FlowStatsRequest
from protocol.flows import AggregateStatsRequest, FlowCountersRequest

from ..datapath import Datapath, author_of
from ..flow_changes import FlowChanges
from ..flow_stats import flow_counters, flow_stats
from ..nicira.commands import with_table
from ..request import Request, handles
from ..statistics import aggregate_stats

_WITH_BUFFER = (FlowModCommand.ADD, FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT)


@handles(FlowMod)
def _flow_mod(datapath: Datapath, request: Request[FlowMod]) -> None:
    message = request.message
    names_table = request.version == OF10 and request.session.main.names_tables
    do_flow_mod(datapath, request, with_table(message) if names_table else message)


def do_flow_mod(datapath: Datapath, request: Request[Any], message: FlowMod) -> FlowChanges:
    """Do a flow_mod, and let the packet that it names begin; return what it changed."""
    session, now = request.session, request.now
    buffered = message.buffer_id != NO_BUFFER and message.command in _WITH_BUFFER
    if buffered:
        datapath.buffers.check(message.buffer_id)
    changes = datapath.flow_mods.apply(message, session.version, now)
    author = author_of(request) if datapath.monitors else None
    datapath.tell_changes(changes, now, request.effects, author)
    if buffered:
        request.do(lambda: _process_buffered(datapath, request, message.buffer_id))
    return changes


def _process_buffered(datapath: Datapath, request: Request[Any], buffer_id: int) -> None:
    packet = datapath.buffered(buffer_id, request.session, request.now, request.effects)
    datapath.pipeline.process(packet)


@handles(FlowStatsRequest)
def _flow_stats(datapath: Datapath, request: Request[FlowStatsRequest]) -> None:
    parts = flow_stats(datapath.tables, request.message, request.version, request.now)
    request.answer_while_read(parts)


@handles(FlowCountersRequest)
def _flow_counters(datapath: Datapath, request: Request[FlowCountersRequest]) -> None:
    parts = flow_counters(datapath.tables, request.message, request.version, request.now)
    request.answer_while_read(parts)


@handles(AggregateStatsRequest)
def _aggregate_stats(datapath: Datapath, request: Request[AggregateStatsRequest]) -> None:
    request.answer(aggregate_stats(datapath.tables, request.message, request.version))
