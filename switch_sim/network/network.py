"""Switches, hosts and the links between them, in one process and without a clock.

    network = Network(tree(2, 3))
    network.handle("s1", session, message, now)     # a controller's message to a switch
    network.ping("h1", "h9", now)                   # a host begins to talk
    network.deliver(now)                            # frames run until none is left
    network.messages_to_send()                      # what the switches tell their controllers

Time is an argument, and a link takes none: a frame arrives when `deliver` comes to it, in the
order of sending. A loop cannot hang the process: see storm.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from protocol import MacAddress, Message, PortDesc, PortEthernet, PortFeatures, Version

from ..session import Effects, Session
from ..switch import Switch
from .host import PING_TIMEOUT, Host, Ping
from .neighbors import IpAddress
from .storm import Journey, Storm, budget, find_cycle
from .topology import HOST_PORT, End, Link, Topology, did_you_mean

MAX_FRAMES_PER_RUN = 1_000  # a run of deliver takes some 30 ms, then others get their turn
MAX_QUEUED = 1_000_000  # frames; some 200 MB
MAX_STORMS = 16  # kept for who asks
MAX_PORT_NAME = 15  # characters, and a zero

_SPEED = PortEthernet(curr=PortFeatures.RATE_10GB_FD | PortFeatures.COPPER, curr_speed=10_000_000)


class Outgoing(NamedTuple):
    """What a switch has to say to one of its controllers."""

    switch: str
    session: Session
    message: Message


@dataclass(slots=True)
class Counters:
    """Frames that were put on links, reached their ends, or got lost."""

    sent: int = 0
    delivered: int = 0
    dropped: int = 0


class Network:
    """A network that runs as far as it is told to.

    `switch` makes each switch of its datapath_id, its ports and its `name`.
    """

    def __init__(self, topology: Topology, switch: Callable[..., Switch] = Switch) -> None:
        self.topology = topology
        ports = topology.ports()
        self.switches = {
            node.name: switch(
                node.datapath_id,
                [_port_desc(node.name, node.datapath_id, number) for number in ports[node.name]],
                name=node.name,
                **({"queues": node.queues} if node.queues else {}),
            )
            for node in topology.switches
        }
        self.hosts = {node.name: Host(node) for node in topology.hosts}
        self.counters = Counters()
        self.storms: deque[Storm] = deque(maxlen=MAX_STORMS)
        self.storm_count = 0
        self._links = {link.a: (link, link.b) for link in topology.links}
        self._links |= {link.b: (link, link.a) for link in topology.links}
        self._down: set[Link] = set()
        self._budget = budget(len(topology.links))
        self._queue: deque[tuple[End, bytes, Journey]] = deque()  # -> where it arrives
        self._outside: set[End] = set()  # ports whose links lead out of this process
        self._leaving: list[tuple[End, bytes]] = []
        self._messages: list[Outgoing] = []
        self._answers: list[tuple[Session, Iterator[Message]]] = []
        self._timers: list[tuple[float, str]] = []  # a heap of when nodes are due
        self._due: dict[str, float] = {}  # node -> its first entry in the heap

    # What comes in

    def configure(self, switch: str, uri: str) -> None:
        """Tell a switch of a controller that it is to have."""
        self._absorb(switch, self.switches[switch].configure(uri), None)

    def connect(
        self,
        switch: str,
        version: Version,
        uri: str = "",
        *,
        main: Session | None = None,
        auxiliary_id: int = 0,
    ) -> Session:
        """Let a controller join a switch, with a main channel or an auxiliary one."""
        session = self.switches[switch].connect(version, uri, main=main, auxiliary_id=auxiliary_id)
        self._absorb(switch, self.switches[switch].greet(session), None)
        return session

    def disconnect(self, switch: str, session: Session) -> None:
        """Let a controller leave a switch."""
        self._absorb(switch, self.switches[switch].disconnect(session), None)

    def relieve(self, switch: str, session: Session) -> None:
        """Tell a switch that a controller has read what waited for it."""
        self._absorb(switch, self.switches[switch].relieve(session), None)

    def handle(self, switch: str, session: Session, message: Message, now: float) -> None:
        """Let a switch handle a controller's message."""
        self._absorb(switch, self.switches[switch].handle(session, message, now), None)

    def ping(
        self, src: str, dst: str | IpAddress, now: float, timeout: float = PING_TIMEOUT
    ) -> Ping:
        """Let a host ping another, by name or address; the Ping tells what became of it."""
        host = self._host(src)
        ip = self._host(dst).ip if isinstance(dst, str) else dst
        ping, frames = host.ping(ip, now, timeout)
        self._send_from_host(src, frames, None)
        return ping

    def send_udp(
        self, src: str, dst: str | IpAddress, dst_port: int, payload: bytes, now: float
    ) -> None:
        """Let a host send a datagram to another, by name or address."""
        ip = self._host(dst).ip if isinstance(dst, str) else dst
        self._send_from_host(src, self._host(src).send_udp(ip, dst_port, payload, now), None)

    def inject(self, src: str, data: bytes) -> None:
        """Send a frame as if a host had sent it."""
        self._host(src)
        self._send_from_host(src, [data], None)

    def set_link(self, link: Link, up: bool, now: float) -> None:
        """Plug a cable in, or pull it out; switches at its ends tell their controllers."""
        if up == (link not in self._down):
            return
        (self._down.discard if up else self._down.add)(link)
        for end in (link.a, link.b):
            if end.port != HOST_PORT:
                effects = self.switches[end.node].set_link(end.port, up, now)
                self._absorb(end.node, effects, None)

    def plug(self, switch: str, desc: PortDesc, now: float) -> End:
        """Give a switch a port whose link leads out of the process; return that end.

        What arrives there is told with `receive`, what leaves is fetched with `frames_to_send`.
        ValueError where the switch has that port.
        """
        self._absorb(switch, self.switches[switch].add_port(desc, now), None)
        end = End(switch, desc.port_no)
        self._outside.add(end)
        return end

    def receive(self, end: End, data: bytes) -> None:
        """Take in a frame from outside; it is lost where too many wait."""
        if len(self._queue) < MAX_QUEUED:
            self._queue.append((end, data, Journey(self._budget)))
        else:
            self.counters.dropped += 1

    def set_port_link(self, end: End, up: bool, now: float) -> None:
        """Tell a port whether the link out of the process is up."""
        self._absorb(end.node, self.switches[end.node].set_link(end.port, up, now), None)

    def is_up(self, link: Link) -> bool:
        """Return whether a link carries frames."""
        return link not in self._down

    def find_link(self, a: str, b: str) -> Link:
        """Return the first link between two nodes, or the one of a port as `s1:3`."""
        for link in self.topology.links:
            one, other = {link.a.node, str(link.a)}, {link.b.node, str(link.b)}
            if (a in one and b in other) or (a in other and b in one):
                return link
        known = [str(link) for link in self.topology.links]
        raise ValueError(f"no link joins {a} and {b}: {did_you_mean(f'{a} - {b}', known)}")

    def flow_count(self, switch: str) -> int:
        """Return how many flow entries a switch has."""
        return sum(map(len, self.switches[switch].tables.values()))

    # What goes on inside

    def deliver(self, now: float, limit: int = MAX_FRAMES_PER_RUN) -> bool:
        """Bring up to `limit` frames to where they go; return whether none is left."""
        queue = self._queue
        while queue and limit > 0:
            limit -= 1
            end, data, journey = queue.popleft()
            self.counters.delivered += 1
            self._arrive(end, data, journey, now)
        return not queue

    def _arrive(self, end: End, data: bytes, journey: Journey, now: float) -> None:
        if end.port == HOST_PORT:
            frames = self.hosts[end.node].receive_frame(data, now)
            self._send_from_host(end.node, frames, journey)
        else:
            effects = self.switches[end.node].receive_frame(end.port, data, now)
            self._absorb(end.node, effects, journey)

    def messages_to_send(self) -> list[Outgoing]:
        """Return what the switches say to their controllers, and forget it."""
        messages, self._messages = self._messages, []
        return messages

    def answers_to_send(self) -> list[tuple[Session, Iterator[Message]]]:
        """Return what follows the messages in long answers, and forget it."""
        answers, self._answers = self._answers, []
        return answers

    def frames_to_send(self) -> list[tuple[End, bytes]]:
        """Return the frames that leave the process, and forget them."""
        frames, self._leaving = self._leaving, []
        return frames

    def _absorb(self, switch: str, effects: Effects, journey: Journey | None) -> None:
        """Take what a switch did: its frames go on, its messages wait to be fetched."""
        for session, message in effects.messages:
            self._messages.append(Outgoing(switch, session, message))
        self._answers += effects.answers
        self._send(switch, effects.frames, journey)

    def _send_from_host(self, host: str, frames: list[bytes], journey: Journey | None) -> None:
        self._send(host, [(HOST_PORT, data) for data in frames], journey)

    def _send(self, node: str, frames: list[tuple[int, bytes]], journey: Journey | None) -> None:
        """Put the frames of a node on its links; without a journey they begin a new one."""
        if frames:
            journey = journey or Journey(self._budget)
            for port, data in frames:
                self._send_one(node, port, data, journey)
        self._schedule(node)

    def _send_one(self, node: str, port: int, data: bytes, journey: Journey) -> None:
        self.counters.sent += 1
        end = End(node, port)
        if end in self._outside:
            self._leaving.append((end, data))
            return
        link, far = self._links.get(end, (None, None))
        full = len(self._queue) >= MAX_QUEUED
        if link is None or far is None or link in self._down or full:
            self.counters.dropped += 1
        elif self._may_go_on(journey, link):
            self._queue.append((far, data, journey))
        else:
            self.counters.dropped += 1

    def _may_go_on(self, journey: Journey, link: Link) -> bool:
        """Count a frame; a journey that goes on for ever is noted once, and ends."""
        journey.left -= 1
        if journey.left > self._budget // 2:
            return True
        if journey.left > 0:
            journey.watched.add(link)
            return True
        if journey.left == 0:
            self.storms.append(Storm(self._budget, find_cycle(journey.watched)))
            self.storm_count += 1
        return False

    # Time

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due; None as long as nothing is awaited."""
        return self._timers[0][0] if self._timers else None

    def handle_timer(self, now: float) -> None:
        """Let the nodes that are due do what time asks of them."""
        due = []
        while self._timers and self._timers[0][0] <= now:
            at, name = heappop(self._timers)
            if self._due.get(name) == at:  # else a sooner entry of the node did it
                del self._due[name]
                due.append(name)
        for name in due:
            if host := self.hosts.get(name):
                self._send_from_host(name, host.handle_timer(now), None)
            else:
                self._absorb(name, self.switches[name].handle_timer(now), None)

    def _schedule(self, name: str) -> None:
        """Note when a node is due, if that is sooner than what is noted."""
        node = self.hosts.get(name) or self.switches[name]
        at = node.deadline()
        if at is not None and at < self._due.get(name, inf):
            self._due[name] = at
            heappush(self._timers, (at, name))

    def _host(self, name: str) -> Host:
        if name not in self.hosts:
            raise ValueError(f"no host is called {name!r}: {did_you_mean(name, self.hosts)}")
        return self.hosts[name]


def _port_desc(switch: str, datapath_id: int, number: int) -> PortDesc:
    name = f"{switch}-eth{number}"
    address = 0x02 << 40 | (datapath_id & 0xFF_FFFF) << 16 | number
    return PortDesc(
        number,
        MacAddress(address),
        name if len(name) <= MAX_PORT_NAME else f"eth{number}",
        properties=(_SPEED,),
    )
