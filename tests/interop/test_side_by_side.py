"""Applications side by side on a real Open vSwitch: each changes its own entries alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from controller import Controller, Datapath
from protocol import OF10, OF11, OF13, OF15, FlowMod, FlowModCommand, Match, Output, Version
from protocol.endpoint import LOOPBACK, Endpoint
from protocol.nicira.flows import FlowMod as NxmFlowMod

from ..controller.fakes import PATIENCE, Recorder
from . import ovs
from .ovs import OpenVSwitch

pytestmark = pytest.mark.interop

VERSIONS = pytest.mark.parametrize("version", [OF10, OF11, OF13, OF15], ids=str)
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)


@pytest.fixture(scope="module")
def switch() -> Iterator[OpenVSwitch]:
    """Run an Open vSwitch whose ports are dummies."""
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    with OpenVSwitch(dummy=True) as running:
        yield running


class One(Recorder): ...


class Other(Recorder): ...


class Pair:
    """Two applications, and what Open vSwitch has of each."""

    def __init__(self, switch: OpenVSwitch, controller: Controller, apps: list[Recorder]) -> None:
        self.switch, self.controller, self.apps = switch, controller, apps

    @property
    def views(self) -> list[Datapath]:
        """The switch as each application sees it."""
        return [app.told[0][1] for app in self.apps]

    async def entries(self) -> list[tuple[int, int]]:
        """Return which application has entries of which priority, as Open vSwitch tells it."""
        await self.controller.datapaths[1].barrier()  # for all, as they share the channel
        told = self.switch.ofctl("15", "dump-flows", "brs")
        bases = [view.cookie_base for view in self.views]
        found = re.findall(r"cookie=(0x\w+),.*priority=(\d+)", told)
        return sorted((bases.index(int(one, 16) >> 48 << 48), int(to)) for one, to in found)


@asynccontextmanager
async def paired(switch: OpenVSwitch, version: Version) -> AsyncIterator[Pair]:
    """Run two applications, which have two entries each."""
    apps: list[Recorder] = [One(), Other()]
    controller = Controller(apps, versions={version})
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        switch.add_bridge("brs", ports={1: "s1"}, controller=f"tcp:{LOOPBACK}:{bound.port}")
        pair = Pair(switch, controller, apps)
        for number, app in enumerate(apps):
            await app.until("switch_ready")
            pair.views[number].add_flow(WEB, [Output(1)], priority=10 + number)
            pair.views[number].add_flow(Match(), [Output(1)], priority=20 + number)
        assert await pair.entries() == [(0, 10), (0, 20), (1, 11), (1, 21)]
        yield pair
    finally:
        await controller.close()
        switch.vsctl("del-br", "brs")


@VERSIONS
async def test_deleting_reaches_ones_own(switch: OpenVSwitch, version: Version) -> None:
    async with paired(switch, version) as pair:
        pair.views[0].delete_flows(WEB)
        assert await pair.entries() == [(0, 20), (1, 11), (1, 21)]
        strict = FlowModCommand.DELETE_STRICT
        pair.views[0].send(FlowMod(WEB, command=strict, priority=11))
        assert await pair.entries() == [(0, 20), (1, 11), (1, 21)]
        pair.views[1].delete_flows()
        assert await pair.entries() == [(0, 20)]


async def test_a_flow_mod_in_nxm_reaches_ones_own(switch: OpenVSwitch) -> None:
    async with paired(switch, OF10) as pair:
        pair.views[0].send(NxmFlowMod(Match(), command=FlowModCommand.DELETE))
        assert await pair.entries() == [(1, 11), (1, 21)]


@VERSIONS
async def test_an_application_that_leaves_takes_its_entries_along(
    switch: OpenVSwitch, version: Version
) -> None:
    async with paired(switch, version) as pair:
        await pair.controller.exchange([pair.apps[1]])
        await pair.apps[0].until("switch_gone")
        async with asyncio.timeout(PATIENCE):
            while await pair.entries() != [(1, 11), (1, 21)]:
                await asyncio.sleep(0)
