"""The agent over real sockets on loopback: dialling, listening, and peers that misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF13,
    OF14,
    OF15,
    ApplyActions,
    BadRequestCode,
    BarrierReply,
    DescReply,
    DescRequest,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortState,
    PortStatus,
    Version,
)
from protocol.endpoint import Endpoint
from protocol.message import HEADER
from protocol.transport.terminal import raise_file_limit
from switch_sim.agent import MAX_CLIENTS, Agent
from switch_sim.channel import UNSENT_PAUSE
from switch_sim.network import Network, Topology, linear, ring, single, tree
from switch_sim.settings import Settings
from tests.switch_sim.controller_side import connect, listening, story

FREE = Endpoint("ptcp", "127.0.0.1", 0)
TO_CONTROLLER = FlowMod(instructions=(ApplyActions((Output(Port.CONTROLLER),)),), priority=0)
FLOOD = FlowMod(instructions=(ApplyActions((Output(Port.FLOOD),)),), priority=0)


@asynccontextmanager
async def running(
    topology: Topology | None = None,
    versions: Iterable[Version] = ALL_VERSIONS,
    echo_interval: float = 0.0,
) -> AsyncIterator[Agent]:
    settings = Settings(frozenset(versions), echo_interval)
    agent = Agent(Network(topology or single(2)), settings)
    try:
        yield agent
    finally:
        await agent.close()


class TestDialling:
    @story
    async def test_a_switch_tells_the_controller_who_it_is(self) -> None:
        async with running(linear(2)) as agent, listening() as listener:
            agent.dial("s2", listener.endpoint)
            controller = await listener.accept()
            assert await controller.open() == OF15
            controller.send(FeaturesRequest())
            assert (await controller.expect(FeaturesReply)).datapath_id == 2
            assert agent.connected == {"s2"}

    @story
    @pytest.mark.parametrize("version", Version)
    async def test_the_versions_offered_are_limited(self, version: Version) -> None:
        async with running(versions=[version]) as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            assert await (await listener.accept()).open() == version

    @story
    async def test_a_version_that_the_switch_does_not_offer_ends_the_channel(self) -> None:
        async with running(versions=[OF13]) as agent, listening([OF10]) as listener:
            agent.dial("s1", listener.endpoint)
            controller = await listener.accept()
            controller.flush()
            assert "no version in common" in await controller.closed()
            assert agent.connected == set()

    @story
    async def test_a_lost_controller_is_dialled_again(self) -> None:
        async with running() as agent, listening() as listener:
            agent.dial("s1", listener.endpoint)
            for _ in range(3):
                controller = await listener.accept()
                await controller.open()
                await controller.vanish()

    @story
    async def test_a_controller_that_comes_late_is_found(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            with socket.socket() as taken:  # a port at which nobody listens
                taken.bind(("127.0.0.1", 0))
                port = taken.getsockname()[1]
                agent.dial("s1", Endpoint("tcp", "127.0.0.1", port))
                while not caplog.records:
                    await asyncio.sleep(0)
            async with listening(port=port) as listener:
                assert await (await listener.accept()).open() == OF15
        faults = [record.getMessage() for record in caplog.records if record.name == "switch_sim"]
        assert len(faults) == 1
        assert "s1 (datapath_id 0000000000000001): cannot reach tcp:127.0.0.1" in faults[0]
        assert "refused" in faults[0]

    @story
    async def test_a_switch_can_have_several_controllers(self) -> None:
        async with running() as agent, listening() as one, listening() as other:
            agent.dial("s1", one.endpoint)
            agent.dial("s1", other.endpoint)
            controllers = [await one.accept(), await other.accept()]
            for controller in controllers:
                await controller.open()
                await controller.barrier()
            agent.network.set_link(agent.network.find_link("h1", "s1"), False, now=0.0)
            agent.soon()
            for controller in controllers:
                status = await controller.expect(PortStatus)
                assert status.desc.state & PortState.LINK_DOWN

    @story
    async def test_a_thousand_switches_are_one_process(self) -> None:
        raise_file_limit()
        async with running(linear(1000)) as agent, listening([OF13]) as listener:
            for name in agent.network.switches:
                agent.dial(name, listener.endpoint)
            for _ in agent.network.switches:
                (await listener.accept()).flush()
            await agent.until(lambda: len(agent.connected) == 1000)


class TestListening:
    @story
    async def test_two_clients_at_once_get_their_own_answers(self) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", FREE)
            one, other = await connect(endpoint, [OF10]), await connect(endpoint, [OF14])
            one.send(FeaturesRequest(xid=7))
            other.send(FeaturesRequest(xid=8))
            assert (await one.expect(FeaturesReply)).ports
            reply = await other.expect(FeaturesReply)
            assert (reply.xid, reply.ports) == (8, ())
            assert len(agent.sessions) == 2

    @story
    async def test_each_switch_listens_at_a_port_of_its_own(self) -> None:
        async with running(linear(2)) as agent:
            endpoints = [agent.listen(name, FREE) for name in agent.network.switches]
            for datapath_id, endpoint in enumerate(endpoints, 1):
                client = await connect(endpoint)
                client.send(FeaturesRequest())
                assert (await client.expect(FeaturesReply)).datapath_id == datapath_id

    @story
    async def test_a_port_that_is_taken_is_an_error(self) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", FREE)
            with pytest.raises(OSError, match="in use"):
                agent.listen("s1", endpoint)

    @story
    async def test_clients_beyond_the_limit_are_turned_away(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", FREE)
            clients = [await connect(endpoint) for _ in range(MAX_CLIENTS)]
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            assert await reader.read() == b""
            writer.close()
            assert "no more are taken" in caplog.text
            await clients[0].vanish()
            await agent.until(lambda: len(agent.sessions) < MAX_CLIENTS)
            await connect(endpoint)

    @story
    async def test_what_belonged_to_a_client_that_vanishes_is_released(self) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", FREE)
            client, stays = await connect(endpoint), await connect(endpoint)
            await stays.barrier()
            await client.vanish()
            await agent.until(lambda: len(agent.sessions) == 1)
            await stays.barrier()

    @story
    async def test_closing_the_agent_closes_channels_and_ends_tasks(self) -> None:
        async with running() as agent, listening() as listener:
            before = asyncio.all_tasks()
            client = await connect(agent.listen("s1", FREE))
            agent.dial("s1", listener.endpoint)
            controller = await listener.accept()
            await controller.open()
            await agent.close()
            await client.closed()
            await controller.closed()
            assert asyncio.all_tasks() == before
            assert agent.sessions == {}


class TestWhatIsSaid:
    @story
    async def test_packets_go_to_the_controller_and_back(self) -> None:
        async with running() as agent:
            controller = await connect(agent.listen("s1", FREE))
            controller.send(TO_CONTROLLER)
            await controller.barrier()
            ping = agent.network.ping("h1", "h2", agent.clock())
            agent.soon()
            while not ping.settled:
                packet_in = await controller.expect(PacketIn)
                flood = PacketOut(
                    actions=(Output(Port.FLOOD),), data=packet_in.data, match=packet_in.match
                )
                controller.send(flood)
                await controller.barrier()
            assert ping.rtt is not None

    @story
    async def test_every_host_pings_every_other(self) -> None:
        async with running(tree(2, 2)) as agent:
            for name in agent.network.switches:
                client = await connect(agent.listen(name, FREE))
                client.send(FLOOD)
                await client.barrier()
            pings = await agent.ping_all()
            assert (pings.sent, pings.lost) == (12, {})

    @story
    async def test_a_lost_ping_is_lost_in_time(self) -> None:
        async with running() as agent:
            pings = await agent.ping_all(timeout=0.05)
            assert set(pings.lost) == {("h1", "h2"), ("h2", "h1")}

    @story
    async def test_a_storm_is_told_and_does_not_stop_the_process(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(ring(3)) as agent:
            clients = []
            for name in agent.network.switches:
                clients.append(await connect(agent.listen(name, FREE)))
                clients[-1].send(FLOOD)
                await clients[-1].barrier()
            agent.network.ping("h1", "h2", agent.clock())
            agent.soon()
            await agent.until(lambda: "going round s1 - s2 - s3 - s1" in caplog.text)
            for client in clients:
                await client.barrier()

    @story
    async def test_a_refused_request_is_answered_with_its_xid(self) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            client.send(BarrierReply(xid=77))
            error = await client.expect(ErrorMsg)
            assert (error.code, error.xid) == (BadRequestCode.BAD_TYPE, 77)

    @story
    @pytest.mark.parametrize("size", [0, 1, 65_527])
    @pytest.mark.parametrize("version", [OF10, OF15])
    async def test_an_echo_comes_back_unchanged(self, size: int, version: Version) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [version])
            payload = bytes(range(256)) * 256
            client.send(EchoRequest(payload[:size], xid=9))
            reply = await client.expect(EchoReply)
            assert (reply.data, reply.xid) == (payload[:size], 9)

    @story
    @pytest.mark.parametrize("size", [0, 65_527])
    async def test_an_echo_of_the_switch_comes_back_unchanged(self, size: int) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE))
            await client.barrier()
            (channel,) = agent.sessions.values()
            channel.send(EchoRequest(bytes(size), xid=9))
            request = await client.reader.readexactly(HEADER.size + size)
            assert request == HEADER.pack(OF15, 2, HEADER.size + size, 9) + bytes(size)
            client.writer.write(HEADER.pack(OF15, 3, HEADER.size + size, 9) + bytes(size))
            await client.barrier()

    @story
    async def test_a_silent_controller_is_asked_for_a_sign_of_life(self) -> None:
        async with running(echo_interval=0.05) as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            version, number, *_ = HEADER.unpack(await client.reader.readexactly(HEADER.size))
            assert (version, number) == (OF13, 2)


class TestPeersThatMisbehave:
    @story
    async def test_bytes_may_come_one_at_a_time(self) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE))
            client.connection.send(FeaturesRequest(), 5)
            for byte in client.connection.data_to_send():
                client.writer.write(bytes([byte]))
                await client.writer.drain()
                await asyncio.sleep(0)
            assert (await client.expect(FeaturesReply)).xid == 5

    @story
    async def test_http_is_told_apart(self, caplog: pytest.LogCaptureFixture) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", FREE)
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.read()
            writer.close()
            assert "s1 (datapath_id 0000000000000001): the peer speaks HTTP" in caplog.text
            await connect(endpoint)

    @story
    async def test_a_message_of_an_impossible_length_ends_the_channel(self) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            client.writer.write(HEADER.pack(OF13, 5, 7, 1))
            error = await client.expect(ErrorMsg)
            assert error.code == BadRequestCode.BAD_LEN
            await client.closed()
            assert agent.sessions == {}

    @story
    async def test_a_message_that_cannot_be_read_costs_that_message(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            client.writer.write(HEADER.pack(OF13, 14, 12, 3) + bytes(4))
            assert (await client.expect(ErrorMsg)).xid == 3
            await client.barrier()
            assert "a message was not understood" in caplog.text

    @story
    async def test_who_does_not_read_is_not_read_from(self) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            await client.barrier()
            (channel,) = agent.sessions.values()
            requests = 40_000  # of 16 bytes; their answers are 1,072 bytes each
            for xid in range(1, requests + 1):
                client.connection.send(DescRequest(), xid)
            client.flush()
            await agent.until(lambda: channel.paused)
            most = 0
            for xid in range(1, requests + 1):
                most = max(most, channel.unsent)
                assert (await client.expect(DescReply)).xid == xid
            assert most < 2 * UNSENT_PAUSE

    @story
    async def test_who_never_reads_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("switch_sim.channel.STALL_TIMEOUT", 0.1)
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            for xid in range(1, 40_001):
                client.connection.send(DescRequest(), xid)
            client.flush()
            await agent.until(lambda: "the controller reads nothing since 0.1 s" in caplog.text)
            assert agent.sessions == {}

    @story
    async def test_packets_for_who_does_not_read_are_dropped(self) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE), [OF13])
            client.send(TO_CONTROLLER)
            await client.barrier()
            (channel,) = agent.sessions.values()
            while not channel.dropped:
                for _ in range(100):
                    agent.network.inject("h1", bytes(1500))
                agent.soon()
                await asyncio.sleep(0)
            assert channel.unsent < 2 * UNSENT_PAUSE
            await client.expect(PacketIn)

    @story
    async def test_a_switch_that_fails_at_a_message_lives_on(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            client = await connect(agent.listen("s1", FREE))
            with monkeypatch.context() as broken:
                broken.setattr(agent.network, "handle", lambda *_: 1 / 0)
                client.send(FeaturesRequest())
                while "ZeroDivisionError" not in caplog.text:
                    await asyncio.sleep(0)
            assert "s1 (datapath_id 0000000000000001): failed at FeaturesRequest" in caplog.text
            await client.barrier()
