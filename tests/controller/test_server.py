"""The controller on real sockets: switches that come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from controller import Datapath, peer
from controller.server import Duplicates
from protocol import (
    OF13,
    BarrierRequest,
    ChannelClosed,
    Closed,
    EchoReply,
    EchoRequest,
    Experimenter,
    FeaturesReply,
    FeaturesRequest,
    Opened,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortReason,
    PortStatus,
    Version,
)
from protocol.endpoint import Endpoint
from protocol.message import HEADER

from .fakes import SHORT, Asking, FakeSwitch, Recorder, eventually, lines, serving


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")


# Switches that behave


@pytest.mark.parametrize("version", Version)
async def test_a_switch_of_any_version_becomes_a_datapath_with_its_ports(version: Version) -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at, version, datapath_id=0x42, ports=(1, 7))
        await app.until("switch_ready")
        datapath = controller.datapaths[0x42]
        assert (datapath.version, sorted(datapath.ports)) == (version, [1, 7])
        switch.leave()
        await app.until("switch_gone")
        assert not controller.datapaths
    assert app.names == ["switch_ready", "switch_gone"]


async def test_a_handshake_one_byte_at_a_time_is_a_handshake() -> None:
    app = Recorder()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.connect(at)
        data = switch.connection.data_to_send()
        for byte in data:
            switch.say(bytes([byte]))
            await asyncio.sleep(0)  # so that it goes by itself
        await switch.expect(Opened)
        request = await switch.expect(FeaturesRequest)
        for byte in FeaturesReply(1, xid=request.xid).encode(OF13):
            switch.say(bytes([byte]))
            await asyncio.sleep(0)
        ports = await switch.expect(PortDescRequest)
        switch.send(PortDescReply(), xid=ports.xid)
        await app.until("switch_ready")
        switch.leave()


async def test_a_port_that_changes_right_behind_the_handshake_is_not_missed() -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.connect(at)
        await switch.greet()
        request = await switch.expect(FeaturesRequest)
        switch.send(FeaturesReply(1), xid=request.xid)
        ports = await switch.expect(PortDescRequest)
        both = PortDescReply((PortDesc(1),), xid=ports.xid), PortStatus(PortReason.ADD, PortDesc(2))
        switch.say(b"".join(message.encode(OF13) for message in both))
        await app.until("port_status")
        assert sorted(controller.datapaths[1].ports) == [1, 2]
        assert app.names == ["switch_ready", "port_status"]
        switch.leave()


async def test_messages_of_a_switch_come_in_order() -> None:
    app = Recorder()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.send(*(PacketIn(buffer_id=number) for number in range(500)))
        packets = await app.until("packet_in", 500)
        assert [packet.buffer_id for packet in packets] == list(range(500))
        switch.leave()


async def test_requests_of_many_handlers_at_once_each_get_their_own_answer() -> None:
    async with serving(Recorder()) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await eventually(lambda: 1 in controller.datapaths)
        datapath = controller.datapaths[1]
        asked = [asyncio.create_task(datapath.request(EchoRequest(bytes([n])))) for n in range(100)]
        answering = asyncio.create_task(switch.expect(Closed))
        for number, task in enumerate(asked):
            reply = await task
            assert isinstance(reply, EchoReply)
            assert reply.data == bytes([number])
        answering.cancel()
        switch.leave()


async def test_an_answer_of_the_wrong_class_is_no_answer() -> None:
    async with serving(Recorder()) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await eventually(lambda: 1 in controller.datapaths)
        asked = asyncio.create_task(controller.datapaths[1].barrier())
        request = await switch.expect(BarrierRequest)
        switch.send(Experimenter(1), xid=request.xid)
        with pytest.raises(OpenFlowError, match="answered BarrierRequest with Experimenter"):
            await asked
        switch.leave()


# Ways to leave


def _leave(switch: FakeSwitch) -> None:
    switch.leave()


def _vanish(switch: FakeSwitch) -> None:
    switch.vanish()


def _shut_down(switch: FakeSwitch) -> None:
    switch.shut_down()


def _leave_in_a_message(switch: FakeSwitch) -> None:
    switch.say(PacketIn(data=bytes(100)).encode(OF13)[:50])
    switch.leave()


def _claim_a_long_message_and_vanish(switch: FakeSwitch) -> None:
    switch.say(HEADER.pack(OF13, 10, 0xFFFF, 0) + bytes(100))
    switch.vanish()


WAYS = [_leave, _vanish, _shut_down, _leave_in_a_message, _claim_a_long_message_and_vanish]


@pytest.mark.parametrize("go", WAYS)
async def test_however_a_switch_goes_it_is_told_once_and_nothing_is_left(
    go: Callable[[FakeSwitch], None], caplog: pytest.LogCaptureFixture
) -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        go(switch)
        await app.until("switch_gone")
        await eventually(lambda: not controller._peers)
        assert not controller.datapaths
        assert app.names == ["switch_ready", "switch_gone"]
        (line,) = lines(caplog, "datapath 0x0000000000000001")[1:]
        assert line.startswith("closed: the ")
        switch.leave()


@pytest.mark.parametrize("go", WAYS)
async def test_a_switch_that_goes_while_a_handler_waits_for_it_wakes_the_handler(
    go: Callable[[FakeSwitch], None], caplog: pytest.LogCaptureFixture
) -> None:
    app = Asking()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await switch.expect(BarrierRequest)
        go(switch)
        await app.until("switch_gone")
        (result,) = app.results
        assert isinstance(result, ChannelClosed)
        assert len(lines(caplog, "datapath 0x0000000000000001")) == 2  # ready, closed
        switch.leave()


async def test_a_switch_that_falls_silent_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    app = Recorder()
    async with serving(app, echo_interval=SHORT, echo_timeout=SHORT) as (_, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_gone")
        assert "closed: the peer is silent since" in caplog.text
        switch.leave()


async def test_a_switch_that_answers_our_echoes_stays() -> None:
    app = Recorder()
    async with serving(app, echo_interval=SHORT, echo_timeout=10) as (controller, at):
        switch = await FakeSwitch.dial(at)
        listening = asyncio.create_task(switch.expect(Closed))
        (peer,) = controller._peers
        third = 3 + 3  # hello, features and ports had the first xids
        await eventually(lambda: peer.channel.connection._asked_xid == third)
        assert app.names == ["switch_ready"]
        listening.cancel()
        switch.leave()


# Two of one kind


async def test_of_two_switches_with_one_datapath_id_the_newer_stays_and_the_log_tells(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        older = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        first = controller.datapaths[1]
        newer = await FakeSwitch.dial(at)
        await app.until("switch_ready", 2)
        await older.hang()
        second = controller.datapaths[1]
        assert [(name, one.peer) for name, one, _ in app.told] == [
            ("switch_ready", first.peer),
            ("switch_gone", first.peer),
            ("switch_ready", second.peer),
        ]
        assert app.told[0][1] is app.told[1][1] is not app.told[2][1]
        assert f"from 127.0.0.1:{older.port}, and now from 127.0.0.1:{newer.port}" in caplog.text
        older.leave()
        newer.send(PacketIn())
        await app.until("packet_in")
        assert controller.datapaths[1] is second
        newer.leave()
        await app.until("switch_gone", 2)
        assert not controller.datapaths


async def test_where_the_oldest_stays_a_second_one_is_refused_until_it_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Recorder()
    async with serving(app, duplicates=Duplicates.OLDEST) as (controller, at):
        older = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        first = controller.datapaths[1]
        newer = await FakeSwitch.dial(at)
        await newer.hang()
        assert f"now from 127.0.0.1:{newer.port}, which is refused" in caplog.text
        (line,) = lines(caplog, newer.name)
        assert line == (
            "closed: the handshake failed: datapath 0x0000000000000001 is connected already, "
            f"from 127.0.0.1:{older.port}"
        )
        older.send(PacketIn())
        await app.until("packet_in")
        assert controller.datapaths[1] is first
        older.leave()
        await app.until("switch_gone")
        again = await FakeSwitch.dial(at)
        await app.until("switch_ready", 2)
        for one in (newer, again):
            one.leave()


async def test_a_switch_that_comes_back_is_ready_only_after_its_old_channel_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(Recorder):
        async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
            await super().packet_in(datapath, message)
            await asyncio.Event().wait()

    monkeypatch.setattr(peer, "GONE_TIMEOUT", SHORT)
    app = Slow()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await app.until("packet_in")
        switch.leave()
        await eventually(lambda: not controller.datapaths)
        again = await FakeSwitch.dial(at)
        await app.until("switch_ready", 2)
        assert app.names == ["switch_ready", "packet_in", "switch_gone", "switch_ready"]
        assert list(controller.datapaths) == [1]
        again.leave()


async def test_the_end_of_the_controller_is_told_to_switches_and_applications() -> None:
    app = Recorder()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        waiting = await FakeSwitch.connect(at)
        await app.until("switch_ready")
    assert app.names == ["switch_ready", "switch_gone"]
    await switch.hang()
    await waiting.hang()
    with pytest.raises(ConnectionRefusedError):
        await FakeSwitch.connect(at)


async def test_a_controller_can_listen_at_several_endpoints() -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        also = await controller.listen(Endpoint("ptcp", "127.0.0.1", 0))
        assert also.port != at.port
        for number, one in enumerate((at, also), 1):
            switch = await FakeSwitch.dial(one, datapath_id=number)
            await app.until("switch_ready", number)
            switch.leave()
        assert [one.datapath_id for name, one, _ in app.told if name == "switch_ready"] == [1, 2]


async def test_an_endpoint_that_dials_is_refused() -> None:
    async with serving() as (controller, _):
        with pytest.raises(ValueError, match="dials"):
            await controller.listen(Endpoint("tcp", "127.0.0.1", 6653))
