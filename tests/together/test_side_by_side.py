"""Applications side by side on one switch: each deletes its own entries, and hears of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller import Controller, Datapath
from protocol import FlowModFlags, FlowStatsReply, FlowStatsRequest, Match, Version
from protocol.endpoint import LOOPBACK, Endpoint
from switch_sim.agent import Agent
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from ..controller.fakes import Recorder

EACH = pytest.mark.parametrize("version", Version, ids=str)
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)


class One(Recorder): ...


class Other(Recorder): ...


@asynccontextmanager
async def connected(version: Version) -> AsyncIterator[tuple[One, Other]]:
    """Run two applications, which both know one switch."""
    one, other = One(), Other()
    agent = Agent(Network(single(2)), Settings(versions=frozenset({version})))
    controller = Controller([one, other])
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        agent.dial("s1", Endpoint("tcp", bound.host, bound.port))
        for app in (one, other):
            await app.until("switch_ready")
        yield one, other
    finally:
        await agent.close()
        await controller.close()


def switch_of(app: Recorder) -> Datapath:
    """Return the switch as an application was told of it."""
    return app.told[0][1]


async def priorities(app: Recorder) -> list[int]:
    """Return the priorities of the entries that the switch has."""
    reply = await switch_of(app).request(FlowStatsRequest(), FlowStatsReply)
    return sorted(entry.priority for entry in reply.flows)


@EACH
async def test_deleting_all_leaves_what_the_other_one_put_in(version: Version) -> None:
    async with connected(version) as (one, other):
        switch_of(one).add_flow(WEB, priority=1)
        switch_of(one).add_flow(Match(), priority=2)
        switch_of(other).add_flow(WEB, priority=3)
        await switch_of(other).barrier()
        switch_of(one).delete_flows()
        assert await priorities(one) == [3]
        switch_of(other).delete_flows()
        assert await priorities(one) == []


@EACH
async def test_a_bundle_deletes_of_ones_own_too(version: Version) -> None:
    async with connected(version) as (one, other):
        switch_of(one).add_flow(WEB, priority=1)
        switch_of(other).add_flow(WEB, priority=3)
        await switch_of(other).barrier()
        async with switch_of(one).bundle() as bundle:
            bundle.add_flow(WEB, priority=4)
            bundle.delete_flows(WEB)
        assert await priorities(one) == [3]


@EACH
async def test_the_end_of_an_entry_is_told_to_whose_it_was(version: Version) -> None:
    async with connected(version) as (one, other):
        for app in (one, other):
            priority = 1 if app is one else 2
            flags = FlowModFlags.SEND_FLOW_REM
            switch_of(app).add_flow(WEB, priority=priority, cookie=priority, flags=flags)
        for app in (one, other):
            switch_of(app).delete_flows()
            await switch_of(app).barrier()
        (told,) = await one.until("flow_removed")
        (told_other,) = await other.until("flow_removed")
        assert (told.priority, told_other.priority) == (1, 2)
        assert switch_of(one).is_own(told.cookie)
