"""Both sides with the forwarding application, for tests of what they do together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps

from controller import Controller
from controller.apps.forwarding import Forwarding
from controller.loading import load
from controller.topology import SwitchEnd, Topology
from protocol import Version
from protocol.endpoint import LOOPBACK, Endpoint
from switch_sim.agent import Agent
from switch_sim.network import End, Network, PingAll, parse_topology
from switch_sim.network import Topology as Shape
from switch_sim.network.topology import HOST_PORT
from switch_sim.settings import Settings

PATIENCE = 60.0  # seconds until what should come counts as missing


@dataclass
class Together:
    """A controller with the application, and the network that it forwards in."""

    agent: Agent
    topology: Topology
    forwarding: Forwarding
    bound: Endpoint  #: where the controller listens

    @property
    def network(self) -> Network:
        """The simulated network."""
        return self.agent.network

    async def discovered(self) -> None:
        """Wait until all cables between switches are known, and hosts may speak."""
        shape = self.network.topology
        cables = [one for one in shape.links if HOST_PORT not in (one.a.port, one.b.port)]
        edges = {SwitchEnd(self.number(end.node), end.port) for end in _edges(shape)}
        async with asyncio.timeout(PATIENCE):
            while not (
                len(self.topology.graph.links) == 2 * len(cables)
                and all(map(self.topology.is_edge, edges))
            ):
                await asyncio.sleep(0)

    async def ping_all(self) -> PingAll:
        """Let every host ping every other."""
        return await self.agent.ping_all(PATIENCE)

    async def pull(self, a: str, b: str) -> None:
        """Pull the cable between two switches, and wait until the controller knows."""
        ends = self.network.find_link(a, b)
        known = len(self.topology.graph.links)
        self.network.set_link(ends, False, self.agent.clock())
        self.agent.soon()
        async with asyncio.timeout(PATIENCE):
            while len(self.topology.graph.links) != known - 2:
                await asyncio.sleep(0)
        for datapath in self.topology.datapaths.values():
            await datapath.barrier()

    def number(self, switch: str) -> int:
        """Return a switch's datapath_id."""
        return self.network.switches[switch].datapath_id


def _edges(shape: Shape) -> list[End]:
    """Return the ports of switches where hosts are."""
    both = [pair for link in shape.links for pair in ((link.a, link.b), (link.b, link.a))]
    return [end for end, far in both if far.port == HOST_PORT]


@asynccontextmanager
async def together(shape: str, version: Version) -> AsyncIterator[Together]:
    """Run both sides."""
    topology, forwarding = load("forwarding")
    assert isinstance(topology, Topology)
    assert isinstance(forwarding, Forwarding)
    controller = Controller([topology, forwarding])
    agent = Agent(Network(parse_topology(shape)), Settings(versions=frozenset({version})))
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        for switch in agent.network.switches:
            agent.dial(switch, Endpoint("tcp", bound.host, bound.port))
        assert not await agent.ready(PATIENCE)
        both = Together(agent, topology, forwarding, bound)
        await both.discovered()
        yield both
    finally:
        await agent.close()
        await controller.close()


Story = Callable[..., Awaitable[None]]


def story(test: Story) -> Callable[..., None]:
    """Let a coroutine be a test."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 3 * PATIENCE))

    return run
