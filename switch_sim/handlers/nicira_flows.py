"""Flow entries in Nicira's messages, as Open vSwitch's tools use them with OF1.0."""

from __future__ import annotations

from typing import TypeVar

from msgspec import structs

from protocol import FlowMod
from protocol import nicira as nx

from ..datapath import Datapath
from ..flow_stats import nicira_flow_stats
from ..request import Request, handles
from ..statistics import aggregate_stats
from .flows import flow_mod

_ALL64 = (1 << 64) - 1

M = TypeVar("M", nx.FlowMod, nx.FlowStatsRequest, nx.AggregateStatsRequest)


@handles(nx.FlowMod)
def _flow_mod(datapath: Datapath, request: Request[nx.FlowMod]) -> None:
    message: FlowMod = _plain(request.message)
    plain = Request(request.session, message, request.now, request.effects, request.later)
    flow_mod(datapath, plain)


@handles(nx.FlowStatsRequest)
def _flow_stats(datapath: Datapath, request: Request[nx.FlowStatsRequest]) -> None:
    message = _plain(request.message)
    request.answer_in_parts(nicira_flow_stats(datapath.tables, message, request.now))


@handles(nx.AggregateStatsRequest)
def _aggregate_stats(datapath: Datapath, request: Request[nx.AggregateStatsRequest]) -> None:
    reply = aggregate_stats(datapath.tables, _plain(request.message), request.version)
    request.answer(nx.AggregateStatsReply(reply.stats))


def _plain(message: M) -> M:
    """Return the message with the cookie of its match where later versions have it."""
    cookie = message.match.get("cookie")
    if cookie is None:
        return message
    value, mask = cookie if isinstance(cookie, tuple) else (message.match.number("cookie"), _ALL64)
    match = message.match.without("cookie")
    return structs.replace(message, match=match, cookie=value, cookie_mask=mask)
