"""The application that keeps the topology: what it tells of in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from controller.testing import recording
from controller.topology import Topology
from controller.topology.app import LINKS_PERIOD, LINKS_TOLD
from protocol import Match, Output, PacketIn, PacketOut, PortDesc, PortReason, PortState, PortStatus

from ...skipping_time import skipping
from ...together.networks import story


@asynccontextmanager
async def cabled(cables: int) -> AsyncIterator[Topology]:
    """Yield the application when it knows cables between two switches, port to equal port."""
    topology = Topology()
    numbers = range(1, cables + 1)
    switches = {number: recording(datapath_id=number, ports=numbers) for number in (1, 2)}
    background = asyncio.create_task(topology.background())
    try:
        for datapath, _ in switches.values():
            await topology.switch_ready(datapath)
        with skipping():
            while len(topology.graph.links) < 2 * cables:
                await asyncio.sleep(0.01)
                for number, (_, sent) in switches.items():
                    far, _ = switches[3 - number]
                    for message in [one for one in sent if isinstance(one, PacketOut)]:
                        (action,) = message.actions
                        assert isinstance(action, Output)
                        match = Match(in_port=action.port)
                        await topology.packet_in(far, PacketIn(match=match, data=message.data))
                    sent.clear()
            await asyncio.sleep(2 * LINKS_PERIOD)
        yield topology
    finally:
        background.cancel()
        with suppress(asyncio.CancelledError):
            await background


@story
async def test_each_of_a_few_links_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")
    async with cabled(2):
        assert caplog.text.count(" is up, ") == 4
        assert "links 2 of 2 confirmed" in caplog.text
        assert "came up" not in caplog.text


@story
async def test_many_links_that_come_at_once_are_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")
    async with cabled(LINKS_TOLD):
        assert caplog.text.count(" is up, ") == LINKS_TOLD
        assert f"{2 * LINKS_TOLD} links came up and 0 went down" in caplog.text
        assert f"links {LINKS_TOLD} of {LINKS_TOLD} confirmed" in caplog.text


@story
async def test_links_that_go_with_a_switch_are_summed_up_and_the_next_is_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "controller")
    async with cabled(LINKS_TOLD) as topology:
        datapath = topology.datapaths[1]
        down = PortDesc(1, state=PortState.LINK_DOWN)
        await topology.port_status(datapath, PortStatus(PortReason.MODIFY, down))
        assert caplog.text.count(" is down: the port is down") == 2
        await topology.switch_gone(datapath)
        with skipping():
            await asyncio.sleep(2 * LINKS_PERIOD)
        assert caplog.text.count(" is down: ") == LINKS_TOLD
        assert f"0 links came up and {2 * LINKS_TOLD} went down" in caplog.text
