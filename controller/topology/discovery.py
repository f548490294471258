"""Finds links by probes: which ports are sent one, and what follows from those that come in.

It holds no socket and no clock: `now` is in seconds, on any clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import floor, inf
from typing import NamedTuple
from zlib import crc32

from protocol import Port, PortDesc

from . import probes
from .graph import Graph, Link, SwitchEnd
from .probes import ForgedProbe, Probe

INTERVAL = 5.0  #: seconds between two probes of a port
LOST_PROBES = 3  #: that end a link when none of them arrived
SETTLE_TIME = 0.5  #: seconds without a probe coming back after which hosts may be at a port
FRESH = 8  # nonces of a port that may still be under way: a slow switch brings some late
FRESH_INTERVALS = 2  # and how many intervals one may be under way
TOGETHER = 16  # ports of a switch that are probed at once
ON_ITS_WAY = 0.1  # seconds that the other direction of a new link is given to come by itself
_SMOOTHING = 0.25  # of the newest latency in the average


@dataclass(frozen=True, slots=True)
class LinkUp:
    """A link was found, in this direction."""

    link: Link


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A link is gone, in this direction."""

    link: Link
    reason: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A frame came in by a port that claims to be a probe, and is none; nothing was learned."""

    end: SwitchEnd
    reason: str


Event = LinkUp | LinkDown | Suspicion


class Outgoing(NamedTuple):
    """A frame that is to leave by a port."""

    end: SwitchEnd
    frame: bytes


class _Sent(NamedTuple):
    """A probe that was sent."""

    at: float
    frame: bytes


@dataclass(slots=True)
class _Port:
    """What discovery knows of a port that is up."""

    hw_addr: int
    added: float
    quiet_since: float  # when it was probed first, or lost its link
    due: float
    regular: float  # when it is due if nothing calls for it sooner
    head: bytes  # of its probes
    sent_at: float = 0.0  # the last of them
    nonces: dict[int, _Sent] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)  # nonces that arrived somewhere
    seen: float = 0.0  # when a probe of it arrived last


class Discovery:
    """Keeps a graph true to the cables.

    `key` seals the probes, `nonce` gives a new number of 64 bits each time, which nobody can
    foresee. A port is probed when it comes up and then each `interval`.
    """

    def __init__(self, key: bytes, nonce: Callable[[], int], *, interval: float = INTERVAL) -> None:
        self.graph = Graph()
        self.interval = interval
        self.latency: dict[Link, float] = {}  #: seconds from sending a probe to hearing of it
        self._key, self._nonce = key, nonce
        self._ports: dict[int, dict[int, _Port]] = {}  # those that are up, by switch
        self._timers: list[tuple[float, SwitchEnd]] = []
        self._under_way: dict[bytes, Probe] = {}  # frames that did not arrive anywhere yet
        self._edges: dict[int, tuple[float, list[int]]] = {}  # switch -> until when, which ports

    # Switches and ports

    def add_switch(self, datapath_id: int, ports: Iterable[PortDesc], now: float) -> None:
        """Begin to probe a switch's ports."""
        self.graph.add_switch(datapath_id)
        for desc in ports:
            self.set_port(datapath_id, desc, now)

    def remove_switch(self, datapath_id: int) -> list[Event]:
        """Forget a switch, its ports and its links."""
        for port in self._ports.pop(datapath_id, {}).values():
            self._forget_probes(port)
        self._edges.pop(datapath_id, None)
        return self._went(self.graph.remove_switch(datapath_id), "the switch is gone")

    def set_port(self, datapath_id: int, desc: PortDesc, now: float) -> list[Event]:
        """Take in what a port has become: up, down, or with another address."""
        end = SwitchEnd(datapath_id, desc.port_no)
        if not 0 < desc.port_no <= Port.MAX:
            return []
        if not desc.is_up:
            return self.remove_port(datapath_id, desc.port_no)
        port = self._port(end)
        if port is None:
            head = probes.head(end, desc.hw_addr)
            ports = self._ports.setdefault(datapath_id, {})
            ports[desc.port_no] = _Port(desc.hw_addr, now, now, now, now, head)
            heappush(self._timers, (now, end))
        elif port.hw_addr != desc.hw_addr:
            port.hw_addr, port.head = desc.hw_addr, probes.head(end, desc.hw_addr)
        return []

    def _port(self, end: SwitchEnd) -> _Port | None:
        return self._ports.get(end.datapath_id, {}).get(end.port_no)

    def remove_port(self, datapath_id: int, port_no: int) -> list[Event]:
        """Forget a port that is down or gone, and its link, in both directions."""
        end = SwitchEnd(datapath_id, port_no)
        port = self._ports.get(datapath_id, {}).pop(port_no, None)
        if port is None:
            return []
        self._forget_probes(port)
        self._edges.pop(datapath_id, None)
        link = self.graph.links.get(end)
        gone = ([link] if link else []) + self.graph.into(end)
        for one in gone:
            self.graph.remove(one)
        return self._went(gone, "the port is down")

    def _went(self, links: Iterable[Link], reason: str) -> list[Event]:
        for link in links:
            self.latency.pop(link, None)
            self._look_again(link)
        return [LinkDown(link, reason) for link in links]

    def _look_again(self, link: Link) -> None:
        """Forget at which ports hosts may be of the switches at both ends."""
        for end in link:
            self._edges.pop(end.datapath_id, None)

    # What is known of ports

    def is_internal(self, end: SwitchEnd) -> bool:
        """Return whether a link begins or ends at a port: no host is there."""
        return end in self.graph.links or bool(self.graph.into(end))

    def is_edge(self, end: SwitchEnd, now: float) -> bool:
        """Return whether hosts may be at a port: it is up, and no probe came back in time."""
        port = self._port(end)
        settled = port is not None and port.nonces and now - port.quiet_since >= SETTLE_TIME
        return bool(settled) and not self.is_internal(end)

    def edges(self, datapath_id: int, now: float) -> list[int]:
        """Return the ports of a switch where hosts may be.

        Each frame that all are to get asks for those of all switches: they are kept.
        """
        until, found = self._edges.get(datapath_id, (-inf, []))
        if now >= until:
            ports = self._ports.get(datapath_id, {})
            found = [one for one in ports if self.is_edge(SwitchEnd(datapath_id, one), now)]
            settling = (port.quiet_since + SETTLE_TIME for port in ports.values())
            until = min((at for at in settling if at > now), default=inf)
            self._edges[datapath_id] = until, found
        return list(found)

    # Probes

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due, None as long as there are no ports."""
        return self._timers[0][0] if self._timers else None

    def handle_timer(self, now: float) -> tuple[list[Outgoing], list[Event]]:
        """Return the probes that are due, and the links that nothing was heard of."""
        sent: list[Outgoing] = []
        events: list[Event] = []
        while self._timers and self._timers[0][0] <= now:
            due, end = heappop(self._timers)
            port = self._port(end)
            if port is None or port.due != due:
                continue  # it went, or was probed meanwhile
            events += self._expire(end, port, now)
            sent.append(self._probe(end, port, now))
        return sent, events

    def _probe(self, end: SwitchEnd, port: _Port, now: float) -> Outgoing:
        probe = Probe(end, self._nonce())
        if not port.nonces:  # until now no host could be there
            self._edges.pop(end.datapath_id, None)
        self._drop_old(port, now)
        frame = probes.sealed(self._key, probe, port.head)
        port.nonces[probe.nonce] = _Sent(now, frame)
        port.sent_at = now
        self._under_way[frame] = probe
        port.regular = self._next(end, now)
        self._set_due(end, port, port.regular)
        return Outgoing(end, frame)

    def _next(self, end: SwitchEnd, now: float) -> float:
        """Return when a port is probed next, in half an interval at the earliest.

        Some ports of a switch are probed together, which is one write and one read for both
        sides; these groups are spread over the interval.
        """
        group = b"%x-%x" % (end.datapath_id, end.port_no // TOGETHER)
        phase = self.interval * (crc32(group) / (1 << 32))
        return phase + self.interval * (floor((now - phase) / self.interval + 0.5) + 1)

    def _set_due(self, end: SwitchEnd, port: _Port, at: float) -> None:
        port.due = at
        heappush(self._timers, (at, end))

    def _drop_old(self, port: _Port, now: float) -> None:
        """Forget nonces that are too old to count, or too many."""
        oldest_that_counts = now - FRESH_INTERVALS * self.interval
        while port.nonces:
            nonce, sent = next(iter(port.nonces.items()))
            if len(port.nonces) < FRESH and sent.at >= oldest_that_counts:
                break
            del port.nonces[nonce]
            port.answered.discard(nonce)
            self._under_way.pop(sent.frame, None)

    def _forget_probes(self, port: _Port) -> None:
        for sent in port.nonces.values():
            self._under_way.pop(sent.frame, None)

    def _expire(self, end: SwitchEnd, port: _Port, now: float) -> list[Event]:
        link = self.graph.links.get(end)
        silence = (LOST_PROBES + 0.5) * self.interval
        if link is None or now - port.seen < silence:
            return []
        self.graph.remove(link)
        port.quiet_since = now
        return self._went([link], f"no probe arrived for {silence:g} s")

    def receive(self, datapath_id: int, in_port: int, frame: bytes, now: float) -> list[Event]:
        """Take in an LLDP frame that a switch brought; of others' nothing follows."""
        here = SwitchEnd(datapath_id, in_port)
        probe = self._under_way.get(frame)  # to be just that frame is more than to bear a seal
        if probe is None:
            try:
                probe = probes.parse(self._key, frame)
            except ForgedProbe as error:
                return [Suspicion(here, f"a forged probe: {error}")]
        if probe is None:
            return []
        port = self._port(probe.end)
        sent = port.nonces.get(probe.nonce) if port else None
        if port is None or sent is None or now - sent.at > FRESH_INTERVALS * self.interval:
            return [Suspicion(here, f"a replayed probe: port {probe.end} sent it long ago")]
        if probe.nonce in port.answered:
            return [Suspicion(here, f"a replayed probe: that of port {probe.end} came before")]
        if self._port(here) is None or here == probe.end:
            return []  # it went down meanwhile, or is looped to itself
        port.answered.add(probe.nonce)
        self._under_way.pop(sent.frame, None)
        return self._arrived(Link(probe.end, here), port, now - sent.at, now)

    def _arrived(self, link: Link, port: _Port, took: float, now: float) -> list[Event]:
        port.seen = now
        average = self.latency.get(link, took)
        self.latency[link] = average + _SMOOTHING * (took - average)
        events: list[Event] = []
        before = self.graph.links.get(link.src)
        if before is not None and before != link:
            events += self._went([before], f"port {link.src} leads to {link.dst} now")
        if port.due < port.regular:  # this is what it was called for
            self._set_due(link.src, port, port.regular)
        if not self.graph.add(link):
            return events
        self._look_again(link)
        if not self.graph.both_ways(link):
            self._call(link.dst, link.src, now)
        return [*events, LinkUp(link)]

    def _call(self, end: SwitchEnd, far: SwitchEnd, now: float) -> None:
        """Ask the other direction of a new link, so that a cable is known in one round trip.

        Where it spoke since the far end is there, its probe may arrive without being asked.
        """
        port, other = self._port(end), self._port(far)
        if port is not None and other is not None:
            at = now if port.sent_at < other.added else now + ON_ITS_WAY
            if at < port.due:
                self._set_due(end, port, at)

    def progress(self) -> tuple[int, int]:
        """Return how many cables are confirmed in both directions, and how many are known."""
        confirmed = self.graph.cables
        return confirmed, len(self.graph.links) - confirmed
