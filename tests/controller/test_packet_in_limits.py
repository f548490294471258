"""A switch that floods packet_ins costs itself, and others only where they want something."""

from __future__ import annotations

import logging

import pytest

from controller import Datapath, packet_in_limits
from controller.packet_in_limits import LATELY, PacketInLimit, PacketInLimits
from protocol import OF13, EchoReply, EchoRequest, PacketIn, PortDesc, PortReason, PortStatus

from .fakes import FakeSwitch, Recorder, lines, serving

RATE = 100.0
MANY = 20_000
FLOOD = 2  # buffer_id of its packets


class Counting(Recorder):
    """Counts the packets of a flood, and remembers all others."""

    def __init__(self) -> None:
        super().__init__()
        self.of_flood = 0

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        if message.buffer_id == FLOOD:
            self.of_flood += 1
        else:
            await super().packet_in(datapath, message)


def two() -> tuple[PacketInLimit, PacketInLimit]:
    """Return the limits of two datapaths, which may bring 100 packet_ins a second."""
    limits = PacketInLimits(RATE)
    return PacketInLimit(limits, 0.0), PacketInLimit(limits, 0.0)


def test_who_is_alone_may_bring_as_many_as_it_likes() -> None:
    flood, _ = two()
    assert all(flood.admits(1000, now / 10) for now in range(100))


def test_who_is_above_the_rate_waits_where_another_is_below_it() -> None:
    flood, modest = two()
    assert modest.admits(1, 0.0)
    assert not flood.admits(30, 0.0)
    assert not flood.admits(0, 0.04)
    assert flood.admits(0, 0.06)  # what was too much is paid with what came later


def test_who_wanted_nothing_lately_keeps_nobody_waiting() -> None:
    flood, modest = two()
    modest.admits(1, 0.0)
    assert not flood.admits(1000, 0.5)
    assert flood.admits(1000, LATELY)


def test_of_many_that_are_all_above_the_rate_none_waits() -> None:
    limits = PacketInLimits(RATE)
    floods = [PacketInLimit(limits, 0.0) for _ in range(16)]
    for now in range(1, 100):
        admitted = [flood.admits(100, now / 10) for flood in floods]
        assert all(admitted)


def test_a_debt_is_never_more_than_a_burst() -> None:
    flood, modest = two()
    flood.admits(1_000_000, 0.0)
    modest.admits(1, 0.2)
    assert not flood.admits(0, 0.2)
    assert flood.admits(0, 0.26)


def test_who_is_gone_wants_nothing() -> None:
    flood, modest = two()
    modest.admits(1, 0.0)
    modest.close()
    assert flood.admits(1000, 0.0)


async def test_a_flood_is_cut_while_another_waits_and_all_else_of_it_is_read(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "controller")
    monkeypatch.setattr(packet_in_limits, "LATELY", 60.0)  # however slow the machine is
    app = Counting()
    async with serving(app, packet_in_rate=RATE) as (_, at):
        flood = await FakeSwitch.dial(at, datapath_id=1)
        modest = await FakeSwitch.dial(at, datapath_id=2)
        await app.until("switch_ready", 2)
        modest.send(PacketIn())
        await app.until("packet_in")
        burst = PacketIn(buffer_id=FLOOD).encode(OF13) * MANY
        flood.say(burst + PortStatus(PortReason.ADD, PortDesc(9)).encode(OF13))
        await app.until("port_status")
        flood.send(EchoRequest(b"still there?"))
        assert (await flood.expect(EchoReply)).data == b"still there?"
        modest.send(PacketIn())
        await app.until("packet_in", 2)
        assert 0 < app.of_flood < MANY
        flood.leave()
        await app.until("switch_gone")
        told = lines(caplog, "datapath 0x0000000000000001")[1:]
        assert [line for line in told if line.startswith("it brings more than 100 packets")]
        assert f"{MANY - app.of_flood} packets were dropped that came too fast" in told
        assert len(told) == 3  # and that it closed
        modest.leave()


async def test_without_a_limit_nothing_is_dropped() -> None:
    app = Counting()
    async with serving(app, packet_in_rate=0) as (_, at):
        flood = await FakeSwitch.dial(at, datapath_id=1)
        modest = await FakeSwitch.dial(at, datapath_id=2)
        modest.send(PacketIn())
        await app.until("packet_in")
        flood.say(PacketIn(buffer_id=FLOOD).encode(OF13) * MANY)
        flood.send(PortStatus(PortReason.ADD, PortDesc(9)))
        await app.until("port_status")
        assert app.of_flood == MANY
        flood.leave()
        modest.leave()
