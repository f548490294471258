"""Bridges that are cabled, in virtual time: what one says the other hears at once."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from math import inf

from controller.spanning_tree import Bridge, Forget, PortChanged, PortState, Send
from controller.spanning_tree.bridge import Event
from protocol import MacAddress
from protocol.packet import BRIDGE_GROUP, Bpdu, BridgeId, Ethernet, Llc, Packet, build

GIGABIT = 4
End = tuple[int, int]  #: bridge, port
SETTLED = 60.0  #: seconds after which any change is over with the standard's times


def name(number: int) -> BridgeId:
    """Return the name of the bridge with a number."""
    return BridgeId(0x8000, MacAddress(number))


class Lans:
    """Bridges 1 to n, and cables between them; port p of bridge b leads to bridge p."""

    def __init__(self, links: Iterable[tuple[int, int]]) -> None:
        self.now = 0.0
        self.links = [tuple(sorted(link)) for link in links]
        numbers = sorted({one for link in self.links for one in link})
        self.bridges = {one: Bridge(name(one)) for one in numbers}
        self.said: list[tuple[float, End, Packet]] = []
        self.forgot: list[tuple[float, int]] = []
        for a, b in self.links:
            self.plug(a, b)

    def plug(self, a: int, b: int, cost: int = GIGABIT) -> None:
        """Let a cable come up."""
        for here, there in ((a, b), (b, a)):
            self.do(here, self.bridges[here].add_port(there, cost, self.now))

    def pull(self, a: int, b: int) -> None:
        """Pull a cable: both ends notice."""
        self.links.remove((min(a, b), max(a, b)))
        for here, there in ((a, b), (b, a)):
            self.do(here, self.bridges[here].remove_port(there, self.now))

    def cut(self, a: int, b: int) -> None:
        """Lose a cable without either end noticing, as behind a hub."""
        self.links.remove((min(a, b), max(a, b)))

    def do(self, number: int, events: Sequence[Event]) -> None:
        """Carry what a bridge says to the other end."""
        for event in events:
            if isinstance(event, Forget):
                self.forgot.append((self.now, number))
            elif isinstance(event, Send):
                source = Ethernet(BRIDGE_GROUP, MacAddress(number))
                frame = Packet.parse(build(source, Llc(), *event.headers))
                assert Bpdu in frame
                self.said.append((self.now, (number, event.port_no), frame))
                there = event.port_no
                if (min(number, there), max(number, there)) in self.links:
                    heard = self.bridges[there].receive(number, frame, self.now)
                    self.do(there, heard)
            else:
                assert isinstance(event, PortChanged)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            waiting = [(b.deadline() or inf, n) for n, b in self.bridges.items()]
            due, number = min(waiting)
            if due > end:
                break
            self.now = max(self.now, due)
            self.do(number, self.bridges[number].handle_timer(self.now))
        self.now = end

    def state(self, number: int, port_no: int) -> PortState:
        """Return what a port does."""
        return self.bridges[number].state(port_no)

    @property
    def carrying(self) -> set[tuple[int, int]]:
        """The cables over which frames go, in both directions."""
        forwards = PortState.FORWARDING
        return {
            (a, b)
            for a, b in self.links
            if self.state(a, b) is forwards and self.state(b, a) is forwards
        }

    def circle(self) -> bool:
        """Return whether a frame could go round just now."""
        above: dict[int, int] = {}

        def top(one: int) -> int:
            while one in above:
                one = above[one]
            return one

        for a, b in self.carrying:
            if top(a) == top(b):
                return True
            above[top(a)] = top(b)
        return False


def ring(size: int) -> list[tuple[int, int]]:
    """Return the cables of a ring."""
    return [(one, one % size + 1) for one in range(1, size + 1)]


def scattered(size: int, seed: int) -> list[tuple[int, int]]:
    """Return the cables of a random network that is connected."""
    dice = random.Random(seed)
    links = {(dice.randrange(1, one), one) for one in range(2, size + 1)}
    while len(links) < size * 3 // 2:
        a, b = sorted(dice.sample(range(1, size + 1), 2))
        links.add((a, b))
    return sorted(links)
