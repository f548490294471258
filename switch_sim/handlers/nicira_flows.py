"""Flow entries of OF1.0 whose match is in NXM, and tables that OF1.0 names by Nicira's bits."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    BadMatchCode,
    BadRequestCode,
    FlowModCommand,
    FlowModFailedCode,
    Match,
)
from protocol import nicira as nx

from ..datapath import Datapath
from ..flow_changes import ChangeKind
from ..flow_stats import nicira_flow_stats
from ..nicira.commands import in_some_table
from ..refused import Refused
from ..request import Request, handles
from ..statistics import aggregate_stats
from .flows import do_flow_mod

_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF
_DELETES = (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)
_MODIFIES = (FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT)

_Which = TypeVar("_Which", nx.FlowMod, nx.FlowStatsRequest, nx.AggregateStatsRequest)


@handles(nx.FlowModTableId)
def _flow_mod_table_id(datapath: Datapath, request: Request[nx.FlowModTableId]) -> None:
    if request.message.set > 1:
        raise Refused(BadRequestCode.EPERM, f"set is 0 or 1, not {request.message.set}")
    request.session.main.names_tables = bool(request.message.set)


@handles(nx.FlowMod)
def _flow_mod(datapath: Datapath, request: Request[nx.FlowMod]) -> None:
    message = in_some_table(request.message)
    if not request.session.main.names_tables:
        if message.table_id:
            reason = f"table {message.table_id} is named, which was not agreed"
            raise Refused(FlowModFailedCode.BAD_COMMAND, reason)
        if message.command in _DELETES:
            message = replace(message, table_id=ALL_TABLES)
    _check_match(message.match)
    asked = _by_cookie(message)
    if asked.cookie_mask and message.command == FlowModCommand.ADD:
        raise Refused(BadMatchCode.BAD_FIELD, "an entry to add has no cookie in its match")
    changes = do_flow_mod(datapath, request, asked)
    # In NXM the cookie to look for is in the match, and the cookie to set is another one.
    for change in changes:
        if change.kind is ChangeKind.MODIFIED and message.command in _MODIFIES:
            change.entry.cookie = message.cookie


@handles(nx.FlowStatsRequest)
def _flow_stats(datapath: Datapath, request: Request[nx.FlowStatsRequest]) -> None:
    _check_match(request.message.match)
    message = _by_cookie(request.message)
    request.answer_while_read(nicira_flow_stats(datapath.tables, message, request.now))


@handles(nx.AggregateStatsRequest)
def _aggregate_stats(datapath: Datapath, request: Request[nx.AggregateStatsRequest]) -> None:
    _check_match(request.message.match)
    reply = aggregate_stats(datapath.tables, _by_cookie(request.message), request.version)
    request.answer(nx.AggregateStatsReply(reply.stats))


def _check_match(match: Match) -> None:
    """Refuse what lacks what it depends on: NXM wants it, where OF1.0's struct does not."""
    if problem := match.without("cookie").missing():
        raise Refused(BadMatchCode.BAD_PREREQ, problem)


def _by_cookie(message: _Which) -> _Which:
    """Return the message with the cookie of its match where the specification has it."""
    cookie = message.match.get("cookie")
    if cookie is None or isinstance(cookie, bytes):
        return message
    value, mask = cookie if isinstance(cookie, tuple) else (cookie, _ALL_BITS)
    match = message.match.without("cookie")
    return replace(message, match=match, cookie=value, cookie_mask=mask)
