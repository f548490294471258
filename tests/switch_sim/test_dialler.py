"""Switches and their controllers: several, none, silent ones, and auxiliary channels."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from protocol import (
    OF10,
    OF13,
    OF15,
    ApplyActions,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortStatus,
    Role,
    RoleRequest,
)
from protocol.endpoint import Endpoint
from switch_sim import Switch
from switch_sim.agent import Agent
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from . import frames
from .builders import NO_MATCH, Bench, flow
from .controller_side import ControllerSide, Listener, connect, listening, story

FREE = Endpoint("ptcp", "127.0.0.1", 0)
TO_CONTROLLER = FlowMod(instructions=(ApplyActions((Output(Port.CONTROLLER),)),), priority=0)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Agent]:
    agent = Agent(Network(single(2)), Settings(**{"echo_interval": 0, **settings}))
    try:
        yield agent
    finally:
        await agent.close()


async def dialled(agent: Agent, listener: Listener) -> ControllerSide:
    """A controller that s1 dials, when the switch has heard it."""
    agent.dial("s1", listener.endpoint)
    controller = await listener.accept()
    await controller.open()
    await controller.barrier()
    return controller


def flood(agent: Agent, count: int) -> None:
    """Send frames that go to the controllers."""
    for _ in range(count):
        agent.network.inject("h1", bytes(60))
    agent.soon()


class TestSeveralControllers:
    @story
    async def test_each_gets_what_its_role_allows(self) -> None:
        """OF1.3.5 6.3.5 "Multiple Controllers": a slave gets no packet_ins, but port_status."""
        async with running() as agent, listening() as one, listening() as other:
            equal, slave = await dialled(agent, one), await dialled(agent, other)
            equal.send(TO_CONTROLLER)
            slave.send(RoleRequest(Role.SLAVE, generation_id=1))
            await equal.barrier()
            await slave.barrier()
            flood(agent, 1)
            assert await equal.expect(PacketIn)
            agent.network.set_link(agent.network.find_link("h2", "s1"), False, now=0.0)
            agent.soon()
            heard = {type(event) for event in await slave.barrier_and_before()}
            assert PortStatus in heard
            assert PacketIn not in heard

    @story
    async def test_one_that_goes_leaves_the_others(self) -> None:
        async with running() as agent, listening() as one, listening() as other:
            goes, stays = await dialled(agent, one), await dialled(agent, other)
            await goes.vanish()
            await agent.until(lambda: len(agent.sessions) == 1)
            await stays.barrier()

    @story
    async def test_a_silent_one_is_given_up_and_dialled_again(self) -> None:
        times = {"echo_interval": 0.05, "echo_timeout": 0.05}
        async with running(**times) as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            (await listener.accept()).flush()  # a hello, and no echo reply ever after
            assert await (await listener.accept()).open() == OF15

    @story
    async def test_the_longest_wait_between_attempts_can_be_chosen(self) -> None:
        async with running(max_backoff=0.01) as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            began = time.monotonic()
            for _ in range(12):  # which would take a minute with waits that double
                await (await listener.accept()).vanish()
            assert time.monotonic() - began < 10


class TestRateOfPacketIns:
    @story
    async def test_what_is_more_than_the_burst_is_dropped_and_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(packet_in_rate=0.001, packet_in_burst=5) as agent:
            client = await connect(agent.listen("s1", FREE))
            client.send(TO_CONTROLLER)
            await client.barrier()
            flood(agent, 100)
            (channel,) = agent.sessions.values()
            await agent.until(lambda: channel.dropped == 95)
            heard = await client.barrier_and_before()
            assert len([one for one in heard if isinstance(one, PacketIn)]) == 5
            told = [line for line in caplog.messages if "packet_ins are dropped" in line]
            assert told == [
                "s1 (datapath_id 0000000000000001): packet_ins are dropped, "
                "more than 0.001 a second (0 before)"
            ]

    @story
    async def test_each_controller_has_a_limit_of_its_own(self) -> None:
        async with running(packet_in_rate=0.001, packet_in_burst=5) as agent:
            endpoint = agent.listen("s1", FREE)
            clients = [await connect(endpoint), await connect(endpoint)]
            clients[0].send(TO_CONTROLLER)
            for client in clients:
                await client.barrier()
            flood(agent, 50)
            await agent.until(lambda: all(one.dropped for one in agent.sessions.values()))
            for client in clients:
                for _ in range(5):
                    await client.expect(PacketIn)


class TestFailMode:
    """OF1.3.5 6.3.2 "Connection Interruption"."""

    def test_a_switch_alone_forwards_as_a_learning_bridge(self) -> None:
        bench = Bench()
        bench.switch.alone_from = 10.0
        assert bench.out_ports(frames.TCP, now=9.9) == []  # its tables are empty
        assert bench.out_ports(frames.TCP, in_port=1, now=10.0) == [2, 3]
        back = frames.TCP[6:12] + frames.TCP[:6] + frames.TCP[12:]
        assert bench.out_ports(back, in_port=3, now=10.0) == [1]

    def test_its_flow_entries_wait_meanwhile_and_expire_in_time(self) -> None:
        bench = Bench()
        bench.say(flow(NO_MATCH, Output(3), hard_timeout=20))
        bench.switch.alone_from = 0.0
        assert bench.out_ports(frames.TCP, now=1.0) == [2, 3]
        bench.switch.alone_from = float("inf")
        assert bench.out_ports(frames.TCP, now=2.0) == [3]
        bench.switch.alone_from = 3.0
        bench.switch.handle_timer(20.0)
        assert not any(map(len, bench.switch.tables.values()))

    @story
    async def test_standalone_begins_after_a_while_and_ends_with_a_controller(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(fail_standalone=True) as agent, listening() as listener:
            await dialled(agent, listener)
            switch = agent.network.switches["s1"]
            assert not alone(agent, switch)
            for session in list(agent.sessions):
                agent.sessions[session].close("")
            assert await loses(agent, pings=2) == 0
            assert "has no controller, and forwards as a learning switch" in caplog.text
            await (await listener.accept()).open()
            await agent.until(lambda: not alone(agent, switch))
            assert "has a controller again" in caplog.text

    @story
    async def test_it_begins_when_three_signs_of_life_could_have_come(self) -> None:
        async with running(fail_standalone=True, echo_interval=15) as agent:
            now = agent.clock()
            agent.listen("s1", FREE)
            assert now + 45 <= agent.network.switches["s1"].alone_from <= agent.clock() + 45

    @story
    async def test_secure_means_that_the_flow_entries_decide(self) -> None:
        async with running() as agent:
            agent.listen("s1", FREE)
            assert await loses(agent, pings=2) == 2

    @story
    async def test_a_tool_is_no_controller_for_a_switch_that_dials_one(self) -> None:
        async with running(fail_standalone=True) as agent:
            endpoint = agent.listen("s1", FREE)
            agent.dial("s1", Endpoint("unix", path="/no/such/controller"))
            await (await connect(endpoint)).barrier()
            assert alone(agent, agent.network.switches["s1"])


def alone(agent: Agent, switch: Switch) -> bool:
    return switch.alone_from <= agent.clock()


async def loses(agent: Agent, pings: int) -> int:
    """How many of two hosts' pings are lost."""
    done = await agent.ping_all(timeout=0.3)
    assert done.sent == pings
    return len(done.lost)


class TestAuxiliaryChannels:
    """OF1.3.5 6.3.6 "Auxiliary Connections"."""

    @story
    async def test_they_tell_the_same_datapath_and_a_number_each(self) -> None:
        async with running(auxiliary=2) as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            told = []
            for _ in range(3):
                controller = await listener.accept()
                await controller.open()
                controller.send(FeaturesRequest())
                features = await controller.expect(FeaturesReply)
                told.append((features.datapath_id, features.auxiliary_id))
            assert told[0] == (1, 0)
            assert sorted(told[1:]) == [(1, 1), (1, 2)]

    @story
    async def test_they_begin_when_the_main_one_is_open_and_end_with_it(self) -> None:
        async with running(auxiliary=1) as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            main = await listener.accept()
            assert listener.came.empty()  # it has not said hello yet
            await main.open()
            helper = await listener.accept()
            await helper.open()
            await main.vanish()
            await helper.closed()

    @story
    async def test_one_that_breaks_comes_again_and_the_main_one_stays(self) -> None:
        async with running(auxiliary=1) as agent, listening() as listener:
            main = await dialled(agent, listener)
            for _ in range(2):
                helper = await listener.accept()
                await helper.open()
                await helper.vanish()
            await main.barrier()

    @story
    async def test_they_speak_the_version_of_the_main_one(self) -> None:
        async with running(auxiliary=1) as agent, listening([OF13]) as listener:
            await dialled(agent, listener)
            helper = await listener.accept()
            helper.connection.versions |= {OF15}
            assert await helper.open() == OF13

    @story
    async def test_before_of13_there_are_none(self) -> None:
        async with running(auxiliary=1) as agent, listening([OF10]) as listener:
            main = await dialled(agent, listener)
            await main.barrier()
            assert listener.came.empty()

    @story
    async def test_requests_on_them_are_answered_and_packet_ins_are_not_sent_there(self) -> None:
        async with running(auxiliary=1) as agent, listening() as listener:
            main = await dialled(agent, listener)
            helper = await listener.accept()
            await helper.open()
            helper.send(TO_CONTROLLER, PacketOut(actions=(Output(2),), data=bytes(60)))
            await helper.barrier()
            flood(agent, 3)
            for _ in range(3):
                await main.expect(PacketIn)
            heard = await helper.barrier_and_before()
            assert not [event for event in heard if isinstance(event, PacketIn)]
