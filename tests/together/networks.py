"""Both sides with a bundled application, for tests of what they do together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from controller import App, Controller
from controller.apps.forwarding import Forwarding
from controller.loading import NO_TABLES, Tables, load
from controller.topology import SwitchEnd, Topology
from protocol import Version
from protocol.endpoint import LOOPBACK, Endpoint
from switch_sim.agent import Agent
from switch_sim.network import End, Network, PingAll, parse_topology
from switch_sim.network import Topology as Shape
from switch_sim.network.topology import HOST_PORT
from switch_sim.settings import Settings

from ..skipping_time import run_skipping, skipping

A = TypeVar("A", bound=App)
CALM = 1.0  # seconds without a frame after which none is to come; idle ones are skipped
PATIENCE = 60.0  # seconds until what should come counts as missing


@dataclass
class Together:
    """A controller with its applications, and the network that they forward in."""

    agent: Agent
    apps: list[App]
    bound: Endpoint  #: where the controller listens

    def app(self, kind: type[A]) -> A:
        """Return the application of a class."""
        (found,) = (app for app in self.apps if isinstance(app, kind))
        return found

    @property
    def topology(self) -> Topology:
        """What the controller knows of the network."""
        return self.app(Topology)

    @property
    def forwarding(self) -> Forwarding:
        """The application that goes by it."""
        return self.app(Forwarding)

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

    async def ping_in_a_circle(self) -> list[str]:
        """Let every host ping the next one, all at once; return which pings failed, and why."""
        hosts = list(self.network.hosts)
        now = self.agent.clock()
        pings = [
            (a, b, self.network.ping(a, b, now, PATIENCE))
            for a, b in zip(hosts, hosts[1:] + hosts[:1], strict=True)
        ]
        self.agent.soon()
        await self.agent.until(lambda: all(ping.settled for *_, ping in pings))
        return [f"{a} to {b}: {ping.fault}" for a, b, ping in pings if ping.fault]

    async def calm(self) -> None:
        """Wait until no frame is under way, nor any packet-in."""
        sent = -1
        with skipping():
            while sent != (sent := self.network.counters.sent):
                await asyncio.sleep(CALM)

    def set_link(self, a: str, b: str, up: bool) -> None:
        """Pull the cable between two switches, or plug it in again."""
        self.network.set_link(self.network.find_link(a, b), up, self.agent.clock())
        self.agent.soon()

    async def pull(self, a: str, b: str) -> None:
        """Pull the cable between two switches, and wait until the controller knows."""
        known = len(self.topology.graph.links)
        self.set_link(a, b, False)
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
async def together(
    shape: str, version: Version, app: str, tables: Tables = NO_TABLES
) -> AsyncIterator[Together]:
    """Run both sides, until each switch has its first entries; `tables` are options."""
    apps = load(app, tables=tables)
    controller = Controller(apps)
    network, settings = Network(parse_topology(shape)), Settings(versions=frozenset({version}))
    agent = Agent(network, settings, clock=asyncio.get_running_loop().time)
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        for switch in agent.network.switches:
            agent.dial(switch, Endpoint("tcp", bound.host, bound.port))
        assert not await agent.ready(PATIENCE)
        yield Together(agent, apps, bound)
    finally:
        await agent.close()
        await controller.close()


@asynccontextmanager
async def forwarding(
    shape: str, version: Version, tables: Tables = NO_TABLES
) -> AsyncIterator[Together]:
    """Run both sides with the application forwarding, which knows the whole network."""
    async with together(shape, version, "forwarding", tables) as both:
        await both.discovered()
        yield both


Story = Callable[..., Awaitable[None]]


def story(test: Story) -> Callable[..., None]:
    """Let a coroutine be a test."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        run_skipping(asyncio.wait_for(test(*args, **kwargs), 5 * PATIENCE))

    return run
