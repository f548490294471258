"""The application that keeps the topology, for others to ask."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from msgspec import Meta

from protocol import (
    DecodeError,
    Ethernet,
    Match,
    Output,
    PacketIn,
    Port,
    PortReason,
    PortStatus,
)
from protocol.packet import Arp, EthType, Packet

from ..app import App
from ..datapath import Datapath
from ..options import Options
from . import discovery
from .discovery import INTERVAL, Discovery, LinkDown, LinkUp, Suspicion
from .graph import Graph, Link, SwitchEnd
from .hosts import Host, HostEvent, HostMoved, HostTable

logger = logging.getLogger("controller")

LLDP_PRIORITY = 0xFFFF  #: of the entry that brings probes here, so that nothing else floods them
LINKS_TOLD = 20  #: links that the log tells of one by one, of those that change in a period
LINKS_PERIOD = 1.0  #: seconds, after which it sums up the others
TOLD_AGAIN = 60.0  # seconds until the same port's suspicious frames are told again
_TICK = 0.01  # seconds between two looks for probes that are due: a thousand switches have many
_EXPIRE_EVERY = 10.0  # seconds between two looks for hosts that are silent

Event = LinkUp | LinkDown | Suspicion | HostEvent
Listener = Callable[[Event], None]


class TopologyOptions(Options):
    """`[apps.topology]`."""

    interval: Annotated[float, Meta(gt=0, description="seconds between two probes of a link")] = (
        INTERVAL
    )


class Topology(App):
    """Finds links and hosts, and tells whoever subscribed.

    Other applications take it as an argument of that type:

        class Mine(App):
            def __init__(self, topology: Topology) -> None:
                topology.subscribe(self.changed)
    """

    sees_all = True

    def __init__(self, options: TopologyOptions = TopologyOptions()) -> None:  # noqa: B008
        self.options = options
        self.hosts = HostTable()
        self.datapaths: dict[int, Datapath] = {}
        self._discovery = Discovery(
            secrets.token_bytes(32), secrets.token_bytes, interval=options.interval
        )
        self._listeners: list[Listener] = []
        self._wake = asyncio.Event()
        self._awaited = 0.0  # when the background looks again
        self._told: dict[SwitchEnd, float] = {}
        self._link_events: Counter[type[Event]] = Counter()  # of this period

    # What others ask

    @property
    def graph(self) -> Graph:
        """The switches and the links between them."""
        return self._discovery.graph

    def latency(self, link: Link) -> float | None:
        """Return the seconds from sending a probe over a link to hearing of it, on the average."""
        return self._discovery.latency(link)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each event from now on."""
        self._listeners.append(listener)

    def is_edge(self, end: SwitchEnd) -> bool:
        """Return whether hosts may be at a port, as no link is."""
        return self._discovery.is_edge(end, _now())

    def edges(self, datapath: Datapath) -> list[int]:
        """Return the ports of a switch where hosts may be."""
        return self._discovery.edges(datapath.datapath_id, _now())

    def progress(self) -> str:
        """Return how far discovery is, as in "links 5 of 6 confirmed"."""
        confirmed, known = self._discovery.progress()
        return f"links {confirmed} of {known} confirmed"

    def hear(self, datapath: Datapath, message: PacketIn, frame: Ethernet) -> Host | None:
        """Learn of the host that sent a frame; None where no host can be.

        An application that acts on a packet calls it first: its own handler may run before
        this one's.
        """
        end = SwitchEnd(datapath.datapath_id, message.in_port)
        if frame.src.is_multicast or not self.is_edge(end):
            return None
        for event in self.hosts.learn(frame.src, end, _now(), _spoken_for(frame, message)):
            self._tell(event)
        return self.hosts.get(frame.src)

    # What switches tell

    async def switch_ready(self, datapath: Datapath) -> None:
        self.datapaths[datapath.datapath_id] = datapath
        datapath.add_flow(
            Match(eth_type=EthType.LLDP),
            [Output(Port.CONTROLLER)],
            priority=LLDP_PRIORITY,
        )
        self._discovery.add_switch(datapath.datapath_id, datapath.ports.values(), _now())
        self._hurry()

    async def switch_gone(self, datapath: Datapath) -> None:
        if self.datapaths.get(datapath.datapath_id) is not datapath:
            return  # another channel of the same switch took its place
        del self.datapaths[datapath.datapath_id]
        self._tell_all(self._discovery.remove_switch(datapath.datapath_id))
        self._tell_all(self.hosts.forget_switch(datapath.datapath_id))

    async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
        number, desc = datapath.datapath_id, message.desc
        if message.reason == PortReason.DELETE:
            self._tell_all(self._discovery.remove_port(number, desc.port_no))
        else:
            self._tell_all(self._discovery.set_port(number, desc, _now()))
            self._hurry()

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        if not self._discovery.awaits(message.data):  # else no look into the frame is needed
            frame = Ethernet.parse(message.data)
            if frame.eth_type != EthType.LLDP:
                self.hear(datapath, message, frame)
                return
        number = datapath.datapath_id
        if found := self._discovery.receive(number, message.in_port, message.data, _now()):
            self._tell_all(found)
            self._hurry()

    def _hurry(self) -> None:
        """Wake the background if something is due before it looks again."""
        due = self._discovery.deadline()
        if due is not None and due < self._awaited:
            self._wake.set()

    async def background(self) -> None:
        """Send the probes that are due, and forget who is silent."""
        while True:
            now = _now()
            probes, events = self._discovery.handle_timer(now)
            self._tell_all(events)
            self._tell_all(self.hosts.expire(now))
            for end, frame in probes:
                if datapath := self.datapaths.get(end.datapath_id):
                    datapath.packet_out(frame, [Output(end.port_no)])
            due = self._discovery.deadline()
            wait = _EXPIRE_EVERY if due is None else min(_EXPIRE_EVERY, max(_TICK, due - now))
            self._awaited = now + wait
            self._wake.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _tell_all(self, events: list[Event] | list[discovery.Event] | list[HostEvent]) -> None:
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if isinstance(event, LinkUp):
            for end in event.link:
                self._tell_all(self.hosts.forget_end(end))
        if isinstance(event, LinkUp | LinkDown):
            self._log_link(event)
        elif isinstance(event, Suspicion):
            self._warn(event)
        elif isinstance(event, HostMoved):
            logger.info("topology: host %s moved: %s", event.host.mac, event.host.end)
        for listener in self._listeners:
            listener(event)

    def _log_link(self, event: LinkUp | LinkDown) -> None:
        """Log what became of a link; of many that change at once a line each would cost most."""
        if not self._link_events:
            asyncio.get_running_loop().call_later(LINKS_PERIOD, self._sum_up)
        self._link_events[type(event)] += 1
        if self._link_events.total() > LINKS_TOLD:
            return
        if isinstance(event, LinkUp):
            logger.info("topology: link %s is up, %s", event.link, self.progress())
        else:
            logger.info("topology: link %s is down: %s", event.link, event.reason)

    def _sum_up(self) -> None:
        """Log how many links changed in a period, if not all were told of."""
        if self._link_events.total() > LINKS_TOLD:
            up, down = self._link_events[LinkUp], self._link_events[LinkDown]
            logger.info(
                "topology: within %g s %d links came up and %d went down, %s",
                LINKS_PERIOD, up, down, self.progress(),
            )  # fmt: skip
        self._link_events.clear()

    def _warn(self, event: Suspicion) -> None:
        now = _now()
        if now - self._told.get(event.end, -TOLD_AGAIN) >= TOLD_AGAIN:
            self._told[event.end] = now
            logger.warning("topology: port %s: %s; nothing is learned", event.end, event.reason)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _spoken_for(frame: Ethernet, message: PacketIn) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host says is its own, in ARP."""
    if frame.eth_type != EthType.ARP:
        return None
    try:
        arp = Packet.parse(message.data)[Arp]
    except (DecodeError, KeyError):
        return None
    return arp.spa if int(arp.spa) else None
