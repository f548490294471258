"""Finds links by probes: which ports are sent one, and what follows from those that come in.

It holds no socket and no clock: `now` is in seconds, on any clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import floor, inf
from zlib import crc32

from protocol import Port, PortDesc

from . import probes
from .graph import Graph, Link, SwitchEnd
from .probes import NONCE, ForgedProbe

INTERVAL = 5.0  #: seconds between two probes of a port
LOST_PROBES = 3  #: that end a link when none of them arrived
SETTLE_TIME = 0.5  #: seconds without a probe coming back after which hosts may be at a port
FRESH = 8  # probes of a port that may still be under way: a slow switch brings some late
FRESH_INTERVALS = 2  # and how many intervals one may be under way
HEARD = 0.9  # intervals for which a link that was heard of needs no other probe
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


Outgoing = tuple[SwitchEnd, bytes]  #: a frame, and the port by which it is to leave


@dataclass(slots=True, eq=False)
class _Port:
    """What discovery knows of a port that is up."""

    end: SwitchEnd
    hw_addr: int
    added: float
    quiet_since: float  # when it came up, or lost its link
    head: bytes  # of its probes
    name: bytes  # as their seals cover it
    sent_at: float = -inf  # the last of them
    waiting: bytes | None = None  # the last of them, until it arrives
    earlier: list[tuple[float, bytes]] = field(default_factory=list)  # that may still arrive
    called_at: float = inf  # when it is to be probed out of turn
    far: SwitchEnd | None = None  # where its link leads
    seen: float = 0.0  # when a probe of it arrived last
    lost: int = 0  # those that were sent since then
    latency: float = 0.0  # seconds that they take

    def took(self, frame: bytes) -> float:
        """Return when a probe that arrived was sent; it does not wait any more."""
        if frame == self.waiting:
            self.waiting = None
            return self.sent_at
        found = next(one for one in self.earlier if one[1] == frame)
        self.earlier.remove(found)
        return found[0]


_GroupKey = tuple[int, int]  # switch, and which of its groups


@dataclass(slots=True, eq=False)
class _Group:
    """Ports of a switch that are probed together, which is one write and one read of it."""

    phase: float  # seconds after the beginning of each interval
    due: float
    ports: dict[int, _Port] = field(default_factory=dict)


class Discovery:
    """Keeps a graph true to the cables.

    `key` seals the probes, `random` gives so many bytes which nobody can foresee. A port is
    probed when it comes up and then each `interval`.
    """

    def __init__(
        self, key: bytes, random: Callable[[int], bytes], *, interval: float = INTERVAL
    ) -> None:
        self.graph = Graph()
        self.interval = interval
        self._seal, self._random = probes.sealing(key), random
        self._ports: dict[int, dict[int, _Port]] = {}  # those that are up, by switch
        self._groups: dict[_GroupKey, _Group] = {}
        self._rounds: list[tuple[float, _GroupKey]] = []  # when which group is due
        self._calls: list[tuple[float, SwitchEnd]] = []  # and which ports out of turn
        self._under_way: dict[bytes, _Port] = {}  # frames that did not arrive anywhere yet
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
            self._forget(port)
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
            self._begin(end, desc.hw_addr, now)
        elif port.hw_addr != desc.hw_addr:
            port.hw_addr, port.head = desc.hw_addr, probes.head(end, desc.hw_addr)
        return []

    def _begin(self, end: SwitchEnd, hw_addr: int, now: float) -> None:
        """Let a port be probed at once, and from then on with its group."""
        head, name = probes.head(end, hw_addr), probes.name(end)
        port = _Port(end, hw_addr, now, now, head, name)
        self._ports.setdefault(end.datapath_id, {})[end.port_no] = port
        key = _group_of(end)
        group = self._groups.get(key)
        if group is None:
            phase = self.interval * (crc32(b"%x-%x" % key) / (1 << 32))
            group = self._groups[key] = _Group(phase, now)
            heappush(self._rounds, (now, key))
        group.ports[end.port_no] = port
        if group.due > now:
            self._call_at(port, now)

    def _forget(self, port: _Port) -> None:
        """Let nothing be left of a port but its links."""
        for frame in (port.waiting, *(frame for _, frame in port.earlier)):
            if frame is not None:
                del self._under_way[frame]
        key = _group_of(port.end)
        ports = self._groups[key].ports
        del ports[port.end.port_no]
        if not ports:
            del self._groups[key]

    def _port(self, end: SwitchEnd) -> _Port | None:
        return self._ports.get(end.datapath_id, {}).get(end.port_no)

    def remove_port(self, datapath_id: int, port_no: int) -> list[Event]:
        """Forget a port that is down or gone, and its link, in both directions."""
        end = SwitchEnd(datapath_id, port_no)
        port = self._ports.get(datapath_id, {}).pop(port_no, None)
        if port is None:
            return []
        self._forget(port)
        self._edges.pop(datapath_id, None)
        link = self.graph.links.get(end)
        gone = ([link] if link else []) + self.graph.into(end)
        for one in gone:
            self.graph.remove(one)
        return self._went(gone, "the port is down")

    def _went(self, links: Iterable[Link], reason: str) -> list[Event]:
        for link in links:
            if port := self._port(link.src):
                port.far = None
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
        if port is None or port.sent_at == -inf or now - port.quiet_since < SETTLE_TIME:
            return False
        return not self.is_internal(end)

    def latency(self, link: Link) -> float | None:
        """Return the seconds from sending a probe over a link to hearing of it, on the average."""
        port = self._port(link.src)
        return port.latency if port is not None and port.far == link.dst else None

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
        due = min(heap[0][0] if heap else inf for heap in (self._rounds, self._calls))
        return None if due == inf else due

    def handle_timer(self, now: float) -> tuple[list[Outgoing], list[Event]]:
        """Return the probes that are due, and the links that nothing was heard of."""
        sent: list[Outgoing] = []
        events: list[Event] = []
        while self._rounds and self._rounds[0][0] <= now:
            due, key = heappop(self._rounds)
            group = self._groups.get(key)
            if group is None or group.due != due:
                continue  # its ports went, or came back meanwhile
            group.due = self._next(group.phase, now)
            heappush(self._rounds, (group.due, key))
            events += self._expire(group.ports.values(), now)
            sent += self._probe([one for one in group.ports.values() if self._wants(one, now)], now)
        while self._calls and self._calls[0][0] <= now:
            at, end = heappop(self._calls)
            port = self._port(end)
            if port is not None and port.called_at == at:
                sent += self._probe([port], now)
        return sent, events

    def _next(self, phase: float, now: float) -> float:
        """Return when a group is due next, in half an interval at the earliest.

        Groups are spread over the interval.
        """
        return phase + self.interval * (floor((now - phase) / self.interval + 0.5) + 1)

    def _wants(self, port: _Port, now: float) -> bool:
        """Return whether a port is to be probed in its turn: not when it just was with success."""
        is_known = port.far is not None and port.waiting is None
        return not (is_known and now - port.sent_at < HEARD * self.interval)

    def _probe(self, ports: Collection[_Port], now: float) -> list[Outgoing]:
        """Return a probe of each port."""
        sent, seal, under_way = [], self._seal, self._under_way
        nonces = self._random(NONCE * len(ports))
        for number, port in enumerate(ports):
            if port.sent_at == -inf:  # until now no host could be there
                self._edges.pop(port.end.datapath_id, None)
            if port.earlier or port.waiting is not None:
                self._set_aside(port, now)
            nonce = nonces[NONCE * number : NONCE * (number + 1)]
            frame = probes.sealed(seal, port.head, port.name, nonce)
            port.waiting, port.sent_at, port.called_at = frame, now, inf
            port.lost += 1
            under_way[frame] = port
            sent.append((port.end, frame))
        return sent

    def _set_aside(self, port: _Port, now: float) -> None:
        """Let the last probe wait beside the next one; those that are old or too many go.

        It may be as old as it likes: then it is we who did not come to read it.
        """
        earlier, oldest_that_counts = port.earlier, now - FRESH_INTERVALS * self.interval
        while earlier and (len(earlier) > FRESH - 2 or earlier[0][0] < oldest_that_counts):
            del self._under_way[earlier.pop(0)[1]]
        if port.waiting is not None:
            earlier.append((port.sent_at, port.waiting))

    def _call(self, end: SwitchEnd, far: SwitchEnd, now: float) -> None:
        """Ask the other direction of a new link, so that a cable is known in one round trip.

        Where it spoke since the far end is there, its probe may arrive without being asked.
        """
        port, other = self._port(end), self._port(far)
        if port is not None and other is not None:
            self._call_at(port, now if port.sent_at < other.added else now + ON_ITS_WAY)

    def _call_at(self, port: _Port, at: float) -> None:
        """Probe a port out of turn, if that does not happen sooner."""
        if at < port.called_at:
            port.called_at = at
            heappush(self._calls, (at, port.end))

    def _expire(self, ports: Iterable[_Port], now: float) -> list[Event]:
        """Take out the links of which no probe arrived for long, though some were sent."""
        events: list[Event] = []
        silence = (LOST_PROBES + 0.5) * self.interval
        for port in ports:
            if port.lost >= LOST_PROBES and port.far and now - port.seen >= silence:
                link = Link(port.end, port.far)
                self.graph.remove(link)
                port.quiet_since = now
                events += self._went([link], f"no probe arrived for {silence:g} s")
        return events

    def awaits(self, frame: bytes) -> bool:
        """Return whether a frame is one that was sent, and arrived nowhere yet."""
        return frame.startswith(probes.TO) and frame in self._under_way

    def receive(self, datapath_id: int, in_port: int, frame: bytes, now: float) -> list[Event]:
        """Take in an LLDP frame that a switch brought; of others' nothing follows."""
        port = self._under_way.pop(frame, None)  # to be just that frame is more than to bear a seal
        if port is None:
            return self._doubt(SwitchEnd(datapath_id, in_port), frame, now)
        took = now - port.took(frame)
        if port.far == (datapath_id, in_port):
            port.seen, port.lost, port.called_at = now, 0, inf
            port.latency += _SMOOTHING * (took - port.latency)
            return []
        here = SwitchEnd(datapath_id, in_port)
        if here == port.end or self._port(here) is None:
            return []  # it is looped to itself, or went down meanwhile
        return self._lead(port, here, took, now)

    def _doubt(self, here: SwitchEnd, frame: bytes, now: float) -> list[Event]:
        """Take in a frame that is not under way, at least not as it came."""
        try:
            probe = probes.parse(self._seal, frame)
        except ForgedProbe as error:
            return [Suspicion(here, f"a forged probe: {error}")]
        if probe is None:
            return []
        if port := self._port(probe.end):
            sent = probes.sealed(self._seal, port.head, port.name, probe.nonce)
            if sent in self._under_way:  # something was put behind it on the way
                return self.receive(*here, sent, now)
        why = f"that of port {probe.end} came before, or was sent long ago"
        return [Suspicion(here, f"a replayed probe: {why}")]

    def _lead(self, port: _Port, here: SwitchEnd, took: float, now: float) -> list[Event]:
        """Take in that a port leads here, and did not before."""
        events: list[Event] = []
        if port.far is not None:
            before = Link(port.end, port.far)
            events += self._went([before], f"port {port.end} leads to {here} now")
        port.far, port.latency = here, took
        port.seen, port.lost, port.called_at = now, 0, inf
        link = Link(port.end, here)
        self.graph.add(link)
        self._look_again(link)
        if not self.graph.both_ways(link):
            self._call(here, port.end, now)
        return [*events, LinkUp(link)]

    def progress(self) -> tuple[int, int]:
        """Return how many cables are confirmed in both directions, and how many are known."""
        confirmed = self.graph.cables
        return confirmed, len(self.graph.links) - confirmed


def _group_of(end: SwitchEnd) -> _GroupKey:
    return end.datapath_id, end.port_no // TOGETHER
