"""The forwarding application, switch by switch: what it sends, and what it does not send twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from controller.apps.forwarding import PAIRS_AT_ONCE, TAKES_EFFECT, Forwarding
from controller.testing import recording
from controller.topology import Topology
from controller.topology.discovery import SETTLE_TIME
from controller.topology.routes import Pair
from protocol import OF10, Ethernet, FlowMod, MacAddress, Match, PacketIn, PacketOut
from protocol.packet import BROADCAST

from ..skipping_time import skipping
from ..together.networks import story

A, B = MacAddress(0x0200_0000_000A), MacAddress(0x0200_0000_000B)


class OneSwitch:
    """Both applications, and a switch that has host A at port 1 and host B at port 2."""

    def __init__(self) -> None:
        self.topology = Topology()
        self.forwarding = Forwarding(self.topology)
        self.datapath, self.sent = recording(OF10)

    async def speak(self, source: MacAddress, target: MacAddress) -> None:
        """Let a frame of a host come to the controller."""
        data = Ethernet(target, source, 0x88B5, b"hi").encode()
        port = 1 if source == A else 2  # where all others are as well
        message = PacketIn(match=Match(in_port=port), data=data, total_len=len(data))
        await self.forwarding.packet_in(self.datapath, message)

    def entries(self) -> list[tuple[int | None, int | None]]:
        """Return from whom to whom the entries lead that were sent."""
        said = [one.match for one in self.sent if isinstance(one, FlowMod)]
        return [(one.number("eth_src"), one.number("eth_dst")) for one in said if len(one) > 1]


@asynccontextmanager
async def one_switch() -> AsyncIterator[OneSwitch]:
    """Yield the switch when hosts may speak; they spoke to all."""
    made = OneSwitch()
    background = asyncio.create_task(made.topology.background())
    try:
        await made.topology.switch_ready(made.datapath)
        await made.forwarding.switch_ready(made.datapath)
        with skipping():
            await asyncio.sleep(2 * SETTLE_TIME)
        await made.speak(A, BROADCAST)
        await made.speak(B, BROADCAST)
        made.sent.clear()
        yield made
    finally:
        background.cancel()
        with suppress(asyncio.CancelledError):
            await background


@story
async def test_frames_that_came_before_an_entry_took_effect_do_not_send_it_again() -> None:
    async with one_switch() as switch:
        for _ in range(3):
            await switch.speak(A, B)
        assert switch.entries() == [(A, B)]
        assert sum(isinstance(one, PacketOut) for one in switch.sent) == 3  # they are handed on


@story
async def test_a_frame_that_comes_later_sends_the_entry_again_as_the_switch_lost_it() -> None:
    async with one_switch() as switch:
        await switch.speak(A, B)
        with skipping():
            await asyncio.sleep(2 * TAKES_EFFECT)
        await switch.speak(A, B)
        assert switch.entries() == [(A, B), (A, B)]


@story
async def test_a_switch_that_connects_anew_gets_its_entries_at_once() -> None:
    async with one_switch() as switch:
        await switch.speak(A, B)
        switch.sent.clear()
        await switch.forwarding.switch_ready(switch.datapath)
        assert switch.entries() == [(A, B)]


@story
async def test_many_pairs_get_their_entries_again_in_several_turns_of_the_loop() -> None:
    async with one_switch() as switch:
        others = [MacAddress(B + 1 + number) for number in range(2 * PAIRS_AT_ONCE)]
        for one in others:
            await switch.speak(one, BROADCAST)
            await switch.speak(A, one)
        switch.sent.clear()
        await switch.forwarding.switch_ready(switch.datapath)
        assert len(switch.entries()) == PAIRS_AT_ONCE
        switch.forwarding.forget(Pair(A, others[-1]))  # while it waits
        while switch.forwarding.waiting:
            await asyncio.sleep(0)
        added = [one.match for one in switch.sent if isinstance(one, FlowMod) and one.instructions]
        found = {one.number("eth_dst") for one in added if len(one) > 1}
        assert found == set(map(int, others[:-1]))
