"""Flow stats of many entries: made as they are read, while others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import pytest

from protocol import (
    OF13,
    BarrierReply,
    BarrierRequest,
    FlowMod,
    FlowModCommand,
    FlowStatsReply,
    FlowStatsRequest,
    Match,
    Message,
    MultipartFlags,
    Output,
)
from protocol.endpoint import Endpoint
from switch_sim.agent import Agent
from switch_sim.channel import UNSENT_PAUSE, Channel
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from .builders import Bench, flow
from .controller_side import ControllerSide, connect, story

FREE = Endpoint("ptcp", "127.0.0.1", 0)
ENTRIES = 3_000
#: 1,024 bytes in flow stats, so that few entries are more than sockets hold.
FAT = [Output(2)] * 58


@cache
def crowded() -> Network:
    """A network whose one switch has many entries; the tests below do not change them."""
    network = Network(single(2))
    switch = network.switches["s1"]
    session = switch.connect(OF13)
    for number in range(ENTRIES):
        switch.handle(session, flow(Match(eth_dst=number), *FAT), 0.0)
    switch.disconnect(session)
    return network


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Agent, Endpoint]]:
    """An agent, and where its switch listens."""
    agent = Agent(crowded(), Settings(echo_interval=0))
    try:
        yield agent, agent.listen("s1", FREE)
    finally:
        await agent.close()


async def only_channel(agent: Agent) -> Channel:
    await agent.until(lambda: bool(agent.sessions))
    (channel,) = agent.sessions.values()
    return channel


async def flows_told(client: ControllerSide) -> int:
    """How many entries the next whole answer tells."""
    return len((await client.expect(FlowStatsReply)).flows)


class TestTheCore:
    def test_the_first_part_is_made_at_once_and_others_when_asked_for(self) -> None:
        bench = Bench(OF13)
        for number in range(100):
            bench.say(flow(Match(eth_dst=number), *FAT))
        effects = bench.switch.handle(bench.session, FlowStatsRequest(xid=7), 0.0)
        [(session, first)] = effects.messages
        assert session is bench.session
        assert isinstance(first, FlowStatsReply)
        assert first.flags & MultipartFlags.MORE
        [(_, rest)] = effects.answers
        parts: list[Message] = [first, *rest]
        assert {part.xid for part in parts} == {7}
        flags = [part.flags for part in parts if isinstance(part, FlowStatsReply)]
        assert flags == [MultipartFlags.MORE] * (len(parts) - 1) + [MultipartFlags(0)]

    def test_entries_that_go_in_between_are_told_and_new_ones_are_not(self) -> None:
        bench = Bench(OF13)
        for number in range(100):
            bench.say(flow(Match(eth_dst=number), *FAT))
        effects = bench.switch.handle(bench.session, FlowStatsRequest(), 0.0)
        bench.say(FlowMod(command=FlowModCommand.DELETE))
        bench.say(flow(Match(in_port=1), *FAT))
        [(_, rest)] = effects.answers
        parts = [effects.messages[0][1], *rest]
        told = [
            one.match for part in parts if isinstance(part, FlowStatsReply) for one in part.flows
        ]
        assert told == [Match(eth_dst=number) for number in range(100)]


class TestTheChannel:
    @story
    async def test_an_answer_comes_whole_and_before_what_was_asked_later(self) -> None:
        async with running() as (_, endpoint):
            client = await connect(endpoint, [OF13])
            client.send(FlowStatsRequest(), BarrierRequest())
            assert await flows_told(client) == ENTRIES
            await client.expect(BarrierReply)

    @story
    async def test_others_are_answered_in_between(self) -> None:
        async with running() as (agent, endpoint):
            client = await connect(endpoint, [OF13])
            channel = await only_channel(agent)
            other = await connect(endpoint, [OF13])
            client.send(FlowStatsRequest())
            reader = asyncio.create_task(flows_told(client))
            await agent.until(lambda: bool(channel.answers))
            await other.barrier()
            assert channel.answers
            assert await reader == ENTRIES

    @story
    async def test_two_long_answers_go_side_by_side(self) -> None:
        async with running() as (agent, endpoint):
            clients = [await connect(endpoint, [OF13]) for _ in range(2)]
            for client in clients:
                client.send(FlowStatsRequest())
            assert await asyncio.gather(*map(flows_told, clients)) == [ENTRIES] * 2
            for client in clients:
                await client.barrier()
            assert not any(channel.answers for channel in agent.sessions.values())

    @story
    async def test_no_more_is_made_than_the_controller_reads(self) -> None:
        async with running() as (agent, endpoint):
            client = await connect(endpoint, [OF13])
            channel = await only_channel(agent)
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]
            client.send(*[FlowStatsRequest() for _ in range(4)])
            await agent.until(lambda: channel.paused)
            assert channel.answers
            assert channel.unsent < 2 * UNSENT_PAUSE
            client.reader._transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(4):
                assert await flows_told(client) == ENTRIES

    @story
    async def test_a_controller_that_goes_in_the_middle_costs_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as (agent, endpoint):
            client = await connect(endpoint, [OF13])
            client.send(FlowStatsRequest())
            channel = await only_channel(agent)
            await agent.until(lambda: bool(channel.answers))
            await client.vanish()
            await agent.until(lambda: not agent.sessions)
            await (await connect(endpoint, [OF13])).barrier()
            assert "Traceback" not in caplog.text
