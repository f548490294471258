"""Auxiliary channels: part of their datapath while its main channel is open."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller import Controller, auxiliary
from controller.auxiliary import Origins
from protocol import (
    OF13,
    OF14,
    BadActionCode,
    BadRequestCode,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortReason,
    PortStatus,
    Version,
)
from protocol.endpoint import Endpoint

from .fakes import FakeSwitch, Recorder, eventually, lines, serving

PORTS = PortDescReply((PortDesc(1),))
NAME = "datapath 0x0000000000000001"
PACKET = PacketIn(match=Match(in_port=1), data=b"frame")


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")


async def opened(
    at: Endpoint,
    auxiliary_id: int = 1,
    version: Version = OF13,
    local_host: str = "127.0.0.1",
    ports: Message = PORTS,
) -> FakeSwitch:
    """Open an auxiliary channel of datapath 1, say that it is one, and answer for its ports."""
    switch = await FakeSwitch.connect(at, version, local_host)
    await switch.greet()
    request = await switch.expect(FeaturesRequest)
    switch.send(FeaturesReply(1, auxiliary_id=auxiliary_id), xid=request.xid)
    asked = await switch.expect(PortDescRequest)
    switch.send(ports, xid=asked.xid)
    return switch


async def settled(switch: FakeSwitch) -> None:
    """Wait until the controller has seen what was said over a channel."""
    switch.send(EchoRequest(b"there?"))
    while (await switch.expect(EchoReply)).data != b"there?":
        pass


@asynccontextmanager
async def both() -> AsyncIterator[tuple[Controller, Endpoint, Recorder, FakeSwitch, FakeSwitch]]:
    """Yield a controller with a main and an auxiliary channel of datapath 1."""
    app = Recorder()
    async with serving(app) as (controller, at):
        main = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        aside = await opened(at)
        await settled(aside)
        yield controller, at, app, main, aside
        aside.leave()
        main.leave()


async def test_what_comes_over_an_auxiliary_channel_is_the_datapaths() -> None:
    async with both() as (_, _, app, main, aside):
        aside.send(PACKET)
        await app.until("packet_in")
        main.send(PacketIn(), PortStatus(PortReason.ADD, PortDesc(9)))
        await app.until("port_status")
        assert app.names == ["switch_ready", "packet_in", "packet_in", "port_status"]
        assert len({one for _, one, _ in app.told}) == 1


async def test_a_packet_goes_back_the_way_it_came_and_all_else_over_the_main_channel() -> None:
    async with both() as (controller, _, app, main, aside):
        datapath = controller.datapaths[1]
        aside.send(PACKET)
        main.send(PACKET)
        from_aside, from_main = await app.until("packet_in", 2)
        datapath.packet_out(from_aside, [Output(2)])
        assert (await aside.expect(PacketOut)).actions == (Output(2),)
        datapath.packet_out(from_main, [Output(3)])
        assert (await main.expect(PacketOut)).actions == (Output(3),)
        datapath.packet_out(b"ours", [Output(4)])
        assert (await main.expect(PacketOut)).actions == (Output(4),)
        datapath.send(BarrierRequest())
        await main.expect(BarrierRequest)
        await settled(aside)
        assert not [one for one in aside.heard if not isinstance(one, EchoReply)]


@pytest.mark.parametrize(
    "answer", [PortDescReply((PortDesc(9),)), ErrorMsg(BadRequestCode.BAD_MULTIPART)]
)
async def test_what_an_auxiliary_channel_tells_of_ports_is_nothing_to_anybody(
    answer: Message,
) -> None:
    async with both() as (controller, at, app, _, _):
        other = await opened(at, auxiliary_id=2, ports=answer)
        await settled(other)
        assert list(controller.datapaths[1].ports) == [1]
        assert app.names == ["switch_ready"]
        other.leave()


async def test_an_error_over_an_auxiliary_channel_finds_what_was_sent_over_it() -> None:
    async with both() as (controller, _, app, _, aside):
        datapath = controller.datapaths[1]
        aside.send(PACKET)
        (packet,) = await app.until("packet_in")
        xids = {datapath.send(BarrierRequest()), datapath.packet_out(packet, [Output(99)])}
        refused = await aside.expect(PacketOut)
        assert len(xids) == 2
        assert refused.xid in xids
        aside.send(ErrorMsg(BadActionCode.BAD_OUT_PORT), xid=refused.xid)
        (error,) = await app.until("error")
        assert datapath.sent(error.xid) == refused


async def test_with_the_main_channel_the_others_end(caplog: pytest.LogCaptureFixture) -> None:
    async with both() as (controller, _, app, main, aside):
        main.leave()
        await aside.hang()
        await app.until("switch_gone")
        assert not controller.datapaths
        name = f"{NAME}, auxiliary channel from 127.0.0.1:{aside.port}"
        assert lines(caplog, name) == ["number 1 is ready", "closed: its main channel ended"]


async def test_the_end_of_an_auxiliary_channel_is_no_end_of_the_switch() -> None:
    async with both() as (controller, at, app, main, aside):
        aside.send(PACKET)
        (packet,) = await app.until("packet_in")
        aside.leave()
        await eventually(lambda: len(controller._peers) == 1)
        controller.datapaths[1].packet_out(packet, [Output(2)])
        await main.expect(PacketOut)
        again = await opened(at)
        again.send(PACKET)
        await app.until("packet_in", 2)
        assert app.names == ["switch_ready", "packet_in", "packet_in"]
        again.leave()


async def test_of_two_auxiliary_channels_with_one_number_the_newer_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with both() as (_, at, app, _, aside):
        newer = await opened(at)
        await aside.hang()
        other = await opened(at, auxiliary_id=2)
        newer.send(PACKET)
        other.send(PACKET)
        await app.until("packet_in", 2)
        assert "closed: another auxiliary channel 1 took its place" in caplog.text
        newer.leave()
        other.leave()


REFUSED = {
    "no main channel": ((), "whose main channel is not open: open that one first"),
    "another version": (
        (OF13,),
        "it is auxiliary channel 1 of 0x0000000000000001 in OpenFlow 1.4: its main channel has 1.3",
    ),
    "another host": ((OF14,), "whose main channel comes from 127.0.0.1:"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_an_auxiliary_channel_that_fits_no_main_one_is_refused_with_a_sentence(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    mains, sentence = REFUSED[what]
    app = Recorder()
    async with serving(app) as (controller, at):
        switches = [await FakeSwitch.dial(at, version) for version in mains]
        await app.until("switch_ready", len(switches))
        host = "127.0.0.2" if what == "another host" else "127.0.0.1"
        aside = await opened(at, version=OF14, local_host=host)
        aside.send(PACKET)
        await aside.hang()
        assert len(controller.datapaths) == len(switches)
        assert "packet_in" not in app.names
        (line,) = lines(caplog, f"peer {host}:{aside.port}")
        assert line.startswith("closed: the handshake failed: it is auxiliary channel 1 of")
        assert sentence in line
        for switch in (*switches, aside):
            switch.leave()


def test_of_packets_from_auxiliary_channels_a_bounded_number_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auxiliary, "ORIGINS", 10)
    origins, packets = Origins(), [PacketIn(buffer_id=number) for number in range(50)]
    for packet in packets:
        origins.note(packet, lambda message: 1)
    assert len(origins) == 10
    assert origins.of(packets[0]) is None
    assert origins.of(packets[49]) is not None
    assert origins.of(PacketIn(buffer_id=49)) is None  # equal, but another
