"""Spanning tree, as stories: a switch with three ports, Ann behind the second, Bob the third."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from controller.apps.spanning_tree import (
    MAX_STATIONS,
    SpanningTree,
    SpanningTreeOptions,
    bridge_id,
)
from controller.spanning_tree import PortState
from controller.testing import Sent, recording
from protocol import (
    OF13,
    FlowMod,
    FlowModCommand,
    MacAddress,
    Match,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortDesc,
    PortReason,
    PortStatus,
    Version,
)
from protocol import PortState as LinkState
from protocol.packet import (
    BRIDGE_GROUP,
    BROADCAST,
    Bpdu,
    BridgeId,
    ConfigurationBpdu,
    Ethernet,
    Llc,
    Packet,
    build,
)

from ..skipping_time import run_skipping, skipping

ANN, BOB = MacAddress(0x0200_0000_000A), MacAddress(0x0200_0000_000B)
EACH = pytest.mark.parametrize("version", Version, ids=str)
FORWARD_DELAY = 15.0


def frame(source: MacAddress, target: MacAddress, in_port: int) -> PacketIn:
    """Return the packet_in of a frame that the switch does not keep."""
    data = Ethernet(target, source, 0x88B5, b"hello").encode()
    return PacketIn(match=Match(in_port=in_port), data=data)


def bpdu(in_port: int, root: int) -> PacketIn:
    """Return the packet_in of a BPDU from a bridge that is root."""
    bridge = BridgeId(0x1000, MacAddress(root))
    said = ConfigurationBpdu(bridge, 0, bridge, 0x8001)
    data = build(Ethernet(BRIDGE_GROUP, MacAddress(root)), Llc(), Bpdu(), said)
    return PacketIn(match=Match(in_port=in_port), data=data)


class Bench:
    """The application, and one switch that it knows."""

    def __init__(self, version: Version) -> None:
        self.app = SpanningTree()
        self.datapath, self.sent = recording(version, ports=(1, 2, 3))

    async def heard(self, *packets: PacketIn) -> Sent:
        """Return what the application says when it gets some packets."""
        self.sent.clear()
        for packet in packets:
            await self.app.packet_in(self.datapath, packet)
        return self.sent

    def state(self, port_no: int) -> PortState:
        """Return what a port does."""
        return self.app.bridges[1].state(port_no)


@asynccontextmanager
async def bench(version: Version = OF13, seconds: float = 0.0) -> AsyncIterator[Bench]:
    """Yield a bench after a while."""
    one = Bench(version)
    await one.app.switch_ready(one.datapath)
    running = asyncio.create_task(one.app.background())
    try:
        with skipping():
            await asyncio.sleep(seconds)
            yield one
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def outputs(sent: Sent) -> list[list[int]]:
    """Return the ports by which frames of stations are sent out."""
    return [
        [action.port for action in one.actions if isinstance(action, Output)]
        for one in sent
        if isinstance(one, PacketOut) and Bpdu not in Packet.parse(one.data)
    ]


def said(sent: Sent) -> dict[int, Packet]:
    """Return the BPDUs that are sent out, by port."""
    found = {}
    for one in sent:
        if isinstance(one, PacketOut) and Bpdu in (packet := Packet.parse(one.data)):
            (action,) = one.actions
            assert isinstance(action, Output)
            found[action.port] = packet
    return found


def entries(sent: Sent) -> list[FlowMod]:
    """Return the entries that are added."""
    return [one for one in sent if isinstance(one, FlowMod) and one.command == FlowModCommand.ADD]


@EACH
def test_a_new_switch_brings_bpdus_and_drops_all_else_that_comes_in(version: Version) -> None:
    async def story() -> None:
        async with bench(version) as one:
            *ports, miss = entries(one.sent)
            to_us = FlowMod(Match(eth_dst=BRIDGE_GROUP)).match
            assert ports[0].match == to_us
            assert [mod.match for mod in ports[1:]] == [Match(in_port=n) for n in (1, 2, 3)]
            assert not any(mod.instructions for mod in ports[1:])
            assert miss.match == Match()
            assert ports[0].priority > ports[1].priority > miss.priority
            assert set(said(one.sent)) == {1, 2, 3}

    run_skipping(story())


@EACH
def test_after_both_delays_frames_pass_and_stations_are_learned(version: Version) -> None:
    async def story() -> None:
        async with bench(version, 2 * FORWARD_DELAY + 1) as one:
            assert [one.state(port) for port in (1, 2, 3)] == [PortState.FORWARDING] * 3
            assert outputs(await one.heard(frame(ANN, BROADCAST, 2))) == [[1, 3]]
            assert outputs(await one.heard(frame(BOB, ANN, 3))) == [[2]]
            (entry,) = entries(one.sent)
            assert entry.match == Match(in_port=3, eth_src=BOB, eth_dst=ANN)
            assert all(message.encode(version) for message in one.sent)

    run_skipping(story())


def test_what_comes_while_a_port_listens_is_neither_sent_on_nor_learned() -> None:
    async def story() -> None:
        async with bench(OF13, FORWARD_DELAY - 1) as one:
            assert outputs(await one.heard(frame(ANN, BROADCAST, 2))) == []
            assert one.app.stations[1] == {}

    run_skipping(story())


def test_what_comes_while_a_port_learns_is_learned_and_not_sent_on() -> None:
    async def story() -> None:
        async with bench(OF13, FORWARD_DELAY + 1) as one:
            assert outputs(await one.heard(frame(ANN, BROADCAST, 2))) == []
            assert one.app.stations[1] == {ANN: 2}

    run_skipping(story())


def test_a_port_that_leads_to_the_root_a_second_time_is_blocked() -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            await one.heard(frame(ANN, BROADCAST, 2))
            sent = await one.heard(bpdu(1, root=9), bpdu(2, root=9))
            assert [one.state(port) for port in (1, 2, 3)] == [
                PortState.FORWARDING,
                PortState.BLOCKING,
                PortState.FORWARDING,
            ]
            (entry,) = entries(sent)
            assert (entry.match, entry.instructions) == (Match(in_port=2), ())
            gone = [m.out_port for m in sent if isinstance(m, FlowMod) and m is not entry]
            assert gone == [1, 2, 3]
            assert one.app.stations[1] == {}
            assert outputs(await one.heard(frame(BOB, ANN, 3))) == [[1]]
            assert outputs(await one.heard(frame(BOB, ANN, 2))) == []

    run_skipping(story())


def test_a_station_that_moves_takes_the_entries_with_it() -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            await one.heard(frame(ANN, BROADCAST, 2), frame(BOB, ANN, 3))
            sent = await one.heard(frame(ANN, BROADCAST, 1))
            assert FlowMod(Match(eth_dst=ANN), command=FlowModCommand.DELETE, table_id=0xFF) in sent
            assert outputs(await one.heard(frame(BOB, ANN, 3))) == [[1]]

    run_skipping(story())


def test_a_frame_between_stations_of_one_port_goes_nowhere() -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            await one.heard(frame(ANN, BROADCAST, 2))
            assert outputs(await one.heard(frame(BOB, ANN, 2))) == [[]]

    run_skipping(story())


@pytest.mark.parametrize("last", [0x01, 0x0E, 0x0F])
def test_what_no_bridge_forwards_is_not_forwarded(last: int) -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            reserved = MacAddress(BRIDGE_GROUP + last)
            assert await one.heard(frame(ANN, reserved, 2)) == []

    run_skipping(story())


def test_no_more_stations_are_kept_than_there_is_room_for() -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            for number in range(MAX_STATIONS + 5):
                one.app.learn(one.datapath, MacAddress(0x0200_0001_0000 + number), 1)
            assert len(one.app.stations[1]) == MAX_STATIONS

    run_skipping(story())


@pytest.mark.parametrize("reason", [PortReason.DELETE, PortReason.MODIFY])
def test_a_port_that_goes_down_takes_no_part(reason: PortReason) -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            down = PortStatus(reason, PortDesc(3, state=LinkState.LINK_DOWN))
            await one.app.port_status(one.datapath, down)
            assert one.state(3) is PortState.DISABLED
            assert outputs(await one.heard(frame(ANN, BROADCAST, 2))) == [[1]]
            await one.app.port_status(one.datapath, PortStatus(PortReason.ADD, PortDesc(3)))
            assert one.state(3) is PortState.LISTENING

    run_skipping(story())


def test_entries_to_a_port_that_is_gone_are_deleted() -> None:
    async def story() -> None:
        async with bench(OF13, 2 * FORWARD_DELAY + 1) as one:
            one.sent.clear()
            gone = PortStatus(PortReason.DELETE, PortDesc(3))
            one.datapath.learn_port(gone)
            await one.app.port_status(one.datapath, gone)
            deleted = [
                mod.out_port
                for mod in one.sent
                if isinstance(mod, FlowMod) and mod.command == FlowModCommand.DELETE
            ]
            assert sorted(deleted) == [1, 2, 3]

    run_skipping(story())


def test_bridges_speak_when_they_are_due_and_those_that_are_gone_do_not() -> None:
    async def story() -> None:
        async with bench(OF13) as one:
            other, sent = recording(OF13, datapath_id=2)
            await one.app.switch_ready(other)
            await asyncio.sleep(5.0)
            await one.app.switch_gone(one.datapath)
            one.sent.clear()
            sent.clear()
            await asyncio.sleep(10.0)
            assert not one.sent
            spoken = [m for m in sent if isinstance(m, PacketOut)]
            assert len(spoken) == 2 * 5  # by two ports each two seconds
            assert not one.app.due.keys() - {2}
            assert len(one.app.timers) < 10

    run_skipping(story())


def test_reserved_ports_take_no_part_and_too_large_ones_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        app, (datapath, sent) = SpanningTree(), recording(OF13, ports=(1, 5000, Port.LOCAL))
        await app.switch_ready(datapath)
        assert list(app.bridges[1].ports) == [1]
        assert Match(in_port=5000) in [mod.match for mod in entries(sent)]
        assert "port 5000 is left out" in caplog.text

    run_skipping(story())


def test_a_switch_that_is_gone_is_forgotten() -> None:
    async def story() -> None:
        async with bench() as one:
            await one.app.switch_gone(one.datapath)
            assert not one.app.bridges

    run_skipping(story())


def test_switches_of_which_only_the_upper_four_bits_differ_have_different_names() -> None:
    """All bridges of a network must (IEEE 802.1D-2004 9.2.5)."""

    async def story() -> None:
        app, numbers = SpanningTree(), [1, 1 | 1 << 60, 1 | 1 << 48]
        switches = {number: recording(datapath_id=number)[0] for number in numbers}
        for one in switches.values():
            await app.switch_ready(one)
        names = {number: app.bridges[number].bridge_id for number in numbers}
        assert len(set(names.values())) == len(numbers)
        assert names[1] == bridge_id(1, 0x8000)
        await app.switch_ready(switches[1 | 1 << 60])  # over a new channel: it keeps its name
        assert app.bridges[1 | 1 << 60].bridge_id == names[1 | 1 << 60]
        await app.switch_gone(switches[1])
        other, _ = recording(datapath_id=1 | 1 << 61)
        await app.switch_ready(other)  # and the name of one that went is free
        assert app.bridges[1 | 1 << 61].bridge_id == names[1]

    run_skipping(story())


def test_switches_that_differ_anywhere_in_60_bits_are_different_bridges() -> None:
    names = [bridge_id(number, 0x8000) for number in (1, 2, 1 << 47, 1 << 48, 1 << 59)]
    assert len(set(names)) == len(names)
    assert names[0] == BridgeId(0x8000, MacAddress(1))
    assert all(name.priority >= 0x8000 for name in names)


def test_a_switch_may_be_told_to_be_the_root() -> None:
    async def story() -> None:
        app, (datapath, sent) = SpanningTree(SpanningTreeOptions(priority=0x1000)), recording()
        await app.switch_ready(datapath)
        packet = said(sent)[1]
        assert packet[ConfigurationBpdu].root == BridgeId(0x1000, MacAddress(1))

    run_skipping(story())


def test_times_that_forget_who_speaks_are_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match="at least twice the hello_time"):
        SpanningTreeOptions(hello_time=5.0, max_age=6.0)
