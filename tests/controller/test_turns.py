"""A switch that brings much lets others go first, and loses nothing unless it has a limit."""

from __future__ import annotations

import logging

import pytest

from controller import Datapath, channel
from controller.packet_in_limit import PacketInLimit
from controller.turns import CALM, FAIR_RATE, LATELY, Turn, Turns
from protocol import OF13, EchoReply, EchoRequest, PacketIn, PortDesc, PortReason, PortStatus

from .fakes import FakeSwitch, Recorder, lines, serving

MUCH = int(FAIR_RATE)
MANY = 5000
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


def two() -> tuple[Turn, Turn]:
    """Return what two datapaths brought lately: nothing yet."""
    turns = Turns()
    return Turn(turns, 0.0), Turn(turns, 0.0)


def test_who_is_alone_never_waits() -> None:
    flood, _ = two()
    assert not any(flood.waits(MUCH, now / 10) for now in range(100))


def test_who_brings_much_waits_while_another_brings_little() -> None:
    flood, modest = two()
    assert not modest.waits(1, 0.0)
    assert flood.waits(MUCH, 0.0)
    assert not modest.waits(1, 0.1)
    assert flood.waits(MUCH, 0.2)
    assert not flood.waits(0, 0.5)  # what was too much is paid with what did not come


def test_for_who_wanted_nothing_lately_nobody_waits() -> None:
    flood, modest = two()
    modest.waits(1, 0.0)
    assert flood.waits(MUCH, LATELY / 2)
    assert not flood.waits(MUCH, LATELY)


def test_of_many_that_all_bring_much_none_waits_for_long() -> None:
    turns = Turns()
    floods = [Turn(turns, 0.0) for _ in range(16)]
    for tick in range(100):  # in the first second they have brought little as yet
        waiting = [one for one in floods if one.waits(MUCH // 10, tick / 20)]
        assert not waiting or tick / 20 < 2 * LATELY


def test_who_brings_little_only_since_it_waits_keeps_nobody_waiting() -> None:
    flood, other = two()
    other.waits(1, 0.0)
    assert flood.waits(MUCH, 0.1)
    flood.waits(1, 0.6)
    assert not other.waits(MUCH, 0.7)
    flood.waits(1, 0.1 + CALM)
    assert other.waits(MUCH, 0.2 + CALM)


def test_a_flood_is_forgotten_soon() -> None:
    flood, modest = two()
    flood.waits(1_000_000, 0.0)
    modest.waits(1, 0.3)
    assert not flood.waits(1, 0.3)


def test_who_brought_much_is_read_from_in_small_pieces_until_it_was_calm_or_nobody_waits() -> None:
    flood, modest = two()
    flood.waits(MUCH, 0.0)
    modest.waits(1, 0.9)
    assert not flood.waits(1, 0.9)  # its allowance is filled again
    assert flood.is_slowed(0.9)
    assert not flood.is_slowed(CALM)
    assert not modest.is_slowed(0.9)


def test_who_is_alone_is_read_from_in_large_pieces() -> None:
    flood, _ = two()
    flood.waits(MUCH, 0.0)
    assert not flood.is_slowed(0.1)


def test_who_is_gone_wants_nothing() -> None:
    flood, modest = two()
    modest.waits(1, 0.0)
    modest.close()
    assert not flood.waits(MUCH, 0.0)


def test_a_limit_drops_what_is_above_it_whoever_else_is_there() -> None:
    told: list[str] = []
    limit = PacketInLimit(100, 0.0, lambda: told.append("exceeded"))
    assert not limit.drops(10, 0.0)
    assert limit.drops(25, 0.0)
    assert limit.drops(0, 0.05)
    assert not limit.drops(0, 0.15)
    assert limit.drops(1000, 0.2)
    assert told == ["exceeded"]


async def flooded(app: Counting, flood: FakeSwitch, modest: FakeSwitch) -> None:
    """Let one switch bring a packet, the other one a flood, and wait until all is taken."""
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


async def test_a_flood_is_read_slowly_and_nothing_of_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, rests = Counting(), 0
    rest = channel.Channel._rest

    def noted(one: channel.Channel) -> None:
        nonlocal rests
        rest(one)
        rests += 1

    monkeypatch.setattr(channel.Channel, "_rest", noted)
    async with serving(app) as (_, at):
        flood = await FakeSwitch.dial(at, datapath_id=1)
        modest = await FakeSwitch.dial(at, datapath_id=2)
        await flooded(app, flood, modest)
        assert app.of_flood == MANY
        assert rests > 1
        flood.leave()
        modest.leave()


async def test_of_packets_above_a_limit_it_is_told_once_and_at_the_end_how_many_were_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "controller")
    app = Counting()
    async with serving(app, packet_in_rate=100) as (_, at):
        flood = await FakeSwitch.dial(at, datapath_id=1)
        modest = await FakeSwitch.dial(at, datapath_id=2)
        await flooded(app, flood, modest)
        assert 0 < app.of_flood < MANY
        flood.leave()
        await app.until("switch_gone")
        told = lines(caplog, "datapath 0x0000000000000001")[1:]
        assert "it brings more than 100 packets a second, those above are dropped" in told
        assert f"{MANY - app.of_flood} packets were dropped that came too fast" in told
        assert len(told) == 3  # and that it closed
        modest.leave()
