"""What an application can ask of a switch that answers: bundles, roles, confirmations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller import App, Controller, Datapath
from protocol import (
    OF12,
    OF14,
    Action,
    FlowMod,
    FlowStatsReply,
    FlowStatsRequest,
    Group,
    Match,
    Output,
    RequestError,
    Role,
    Version,
)
from protocol.endpoint import LOOPBACK, Endpoint
from protocol.errors import BadActionCode, BadRequestCode, RoleRequestFailedCode
from switch_sim.agent import Agent
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from ..controller.fakes import eventually

EACH = pytest.mark.parametrize("version", Version, ids=str)
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
NO_SUCH_GROUP: list[Action] = [Group(7)]


@asynccontextmanager
async def connected(version: Version, controllers: int = 1) -> AsyncIterator[list[Datapath]]:
    """Yield one switch as each of some controllers sees it."""
    agent = Agent(Network(single(2)), Settings(versions=frozenset({version})))
    running = [Controller([App()]) for _ in range(controllers)]
    try:
        for controller in running:
            bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
            agent.dial("s1", Endpoint("tcp", bound.host, bound.port))
        await eventually(lambda: all(one.datapaths for one in running))
        yield [next(iter(one.datapaths.values())) for one in running]
    finally:
        await agent.close()
        for controller in running:
            await controller.close()


async def flows(datapath: Datapath) -> list[int]:
    """Return the priorities of the entries that a switch has."""
    reply = await datapath.request(FlowStatsRequest(), FlowStatsReply)
    return sorted(entry.priority for entry in reply.flows)


async def both(datapath: Datapath, one: list[Action], other: list[Action] | None) -> None:
    """Add two entries in a bundle; instead of the second one raise where it is None."""
    async with datapath.bundle() as bundle:
        bundle.add_flow(WEB, one, priority=5)
        if other is None:
            raise ValueError("no more")
        bundle.add_flow(WEB, other, priority=6)


@EACH
async def test_what_is_said_in_a_bundle_is_done_when_it_ends(version: Version) -> None:
    async with connected(version) as (datapath,):
        async with datapath.bundle() as bundle:
            bundle.add_flow(WEB, [Output(1)], priority=5)
            bundle.add_flow(WEB, [Output(2)], priority=6)
            assert await flows(datapath) == []
        assert await flows(datapath) == [5, 6]


@pytest.mark.parametrize("version", [one for one in Version if one > Version.OF10], ids=str)
async def test_a_bundle_with_what_the_switch_refuses_raises(version: Version) -> None:
    async with connected(version) as (datapath,):
        with pytest.raises(RequestError) as raised:
            await both(datapath, [Output(1)], NO_SUCH_GROUP)
        assert raised.value.error.code == BadActionCode.BAD_OUT_GROUP
        # Since OF1.4 the switch does nothing of it, before it does what it can.
        assert await flows(datapath) == ([] if version >= OF14 else [5])


@EACH
async def test_a_block_that_raises_sends_nothing(version: Version) -> None:
    async with connected(version) as (datapath,):
        with pytest.raises(ValueError, match="no more"):
            await both(datapath, [Output(1)], None)
        assert await flows(datapath) == []


@pytest.mark.parametrize("version", [Version.OF13, Version.OF14], ids=str)
async def test_a_message_is_confirmed_or_refused(version: Version) -> None:
    async with connected(version) as (datapath,):
        await datapath.confirm(FlowMod(WEB, priority=5))
        assert await flows(datapath) == [5]
        with pytest.raises(RequestError):
            await datapath.confirm(FlowMod(WEB, table_id=254), FlowMod(WEB, priority=6))
        assert await flows(datapath) == [5, 6]


@EACH
async def test_of_two_controllers_one_is_master(version: Version) -> None:
    async with connected(version, controllers=2) as (one, other):
        assert await one.set_role(Role.MASTER, 1) is Role.MASTER
        assert await other.set_role(Role.MASTER, 2) is Role.MASTER
        with pytest.raises(RequestError) as raised:
            await one.confirm(FlowMod(WEB))
        assert raised.value.error.code in (BadRequestCode.IS_SLAVE, BadRequestCode.EPERM)
        await other.confirm(FlowMod(WEB))


@pytest.mark.parametrize("version", [one for one in Version if one >= OF12], ids=str)
async def test_a_master_of_an_older_election_is_refused(version: Version) -> None:
    async with connected(version, controllers=2) as (one, other):
        await one.set_role(Role.MASTER, 7)
        with pytest.raises(RequestError) as raised:
            await other.set_role(Role.MASTER, 6)
        assert raised.value.error.code == RoleRequestFailedCode.STALE
        assert await one.set_role(Role.NOCHANGE) is Role.MASTER
