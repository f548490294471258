"""A bridge of the Spanning Tree Protocol, without a socket or a clock (IEEE 802.1D-1998 8).

    bridge = Bridge(BridgeId(0x8000, MacAddress(1)))
    events = bridge.add_port(1, path_cost=4, now=0.0)
    events = bridge.receive(1, Packet.parse(frame), now)
    events = bridge.handle_timer(now)               # at bridge.deadline()

Time is an argument, in seconds on any clock that does not go back. Each bridge says on each
link which root it knows at what cost; who says best speaks there, and hears on all others.
The port that hears best leads to the root. Ports that neither speak nor lead there block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from protocol.packet import Bpdu, BpduFlags, BpduType, BridgeId, ConfigurationBpdu, Packet
from protocol.packet.header import Header

from .port import MAX_PORT_NO, Port, PortState, Vector, port_id

_OLDER = 1 / 256  # seconds by which a BPDU ages on its way: the least that can be said


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take, in seconds. All bridges go by the times of the root.

    As the standard has them (802.1D-1998 8.10.2) a change takes up to 50 s. Who shortens them
    should keep to its rules: 2 * (forward_delay - 1) >= max_age >= 2 * (hello_time + 1).
    """

    hello_time: float = 2.0  #: between two words of the root
    max_age: float = 20.0  #: after which what was said is forgotten
    forward_delay: float = 15.0  #: of a port in listening, and again in learning

    @property
    def hold_time(self) -> float:
        """At least between two BPDUs of a port."""
        return min(1.0, self.hello_time / 2)


@dataclass(frozen=True, slots=True)
class Send:
    """A BPDU is to leave by a port."""

    port_no: int
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class PortChanged:
    """A port does something else with frames from now on."""

    port_no: int
    state: PortState


@dataclass(frozen=True, slots=True)
class Forget:
    """The tree changed: stations may be elsewhere than they were heard."""


Event = Send | PortChanged | Forget


class _Timer(Enum):
    HELLO = auto()
    NOTIFICATION = auto()  # of a topology change, until the root knows
    TOPOLOGY_CHANGE = auto()  # how long the root tells of it
    AGEING = auto()  # of what was learned of stations, while it does
    MESSAGE_AGE = auto()  # and those below one a port
    FORWARD_DELAY = auto()
    HOLD = auto()


_NO_PORT = 0


class Bridge:
    """One bridge; its methods return what is to be done."""

    def __init__(self, bridge_id: BridgeId, times: Times = Times()) -> None:
        self.bridge_id, self.times = bridge_id, times
        self.ports: dict[int, Port] = {}
        self.root, self.root_path_cost = bridge_id, 0
        self.root_port: int | None = None
        self.topology_change = False  #: the root says that the tree changed lately
        self._current = times  # those of the root
        self._detected = False  # a change here, of which the root does not know yet
        self._timers: dict[tuple[_Timer, int], float] = {}
        self._events: list[Event] = []
        self._due: dict[_Timer, Callable[[int, float], None]] = {
            _Timer.HELLO: self._hello,
            _Timer.NOTIFICATION: self._notify,
            _Timer.TOPOLOGY_CHANGE: self._change_is_over,
            _Timer.AGEING: self._age,
            _Timer.MESSAGE_AGE: self._message_is_old,
            _Timer.FORWARD_DELAY: self._forward_delay_is_over,
            _Timer.HOLD: self._hold_is_over,
        }

    @property
    def is_root(self) -> bool:
        """Whether this bridge knows no better one."""
        return self.root == self.bridge_id

    def state(self, port_no: int) -> PortState:
        """Return what a port does with frames."""
        port = self.ports.get(port_no)
        return port.state if port else PortState.DISABLED

    # What comes from outside

    def add_port(self, port_no: int, path_cost: int, now: float) -> list[Event]:
        """Let a port take part, that is up; ValueError if its number is too large."""
        if not 0 < port_no <= MAX_PORT_NO:
            raise ValueError(f"port {port_no} cannot take part: ports 1 to {MAX_PORT_NO} can")
        if port_no in self.ports:
            return []
        port = self.ports[port_no] = Port(port_no, path_cost, self._ours(port_no))
        self._select(now)
        if self.is_root and (_Timer.HELLO, _NO_PORT) not in self._timers:
            self._start(_Timer.HELLO, now + self.times.hello_time)
        self._configure(port, now)
        return self._take_events()

    def remove_port(self, port_no: int, now: float) -> list[Event]:
        """Take a port out that is down or gone."""
        if self.ports.pop(port_no, None) is None:
            return []
        for kind in _Timer:
            self._stop(kind, port_no)
        self._events.append(PortChanged(port_no, PortState.DISABLED))
        self._reconsider(now)
        return self._take_events()

    def receive(self, port_no: int, packet: Packet, now: float) -> list[Event]:
        """Take in a frame that came to the bridges' address; others than BPDUs say nothing."""
        port, bpdu = self.ports.get(port_no), packet.get(Bpdu)
        if port is None or bpdu is None:
            return []
        said = packet.get(ConfigurationBpdu)
        if said is not None and self._is_valid(port, said):
            self._hear(port, said, now)
        elif bpdu.type == BpduType.TOPOLOGY_CHANGE and self._is_designated(port):
            self._detect(now)
            port.acknowledge = True
            self._configure(port, now)
        return self._take_events()

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due; None as long as nothing is awaited."""
        return min(self._timers.values(), default=None)

    def handle_timer(self, now: float) -> list[Event]:
        """Do what is due."""
        for (kind, port_no), at in sorted(self._timers.items(), key=lambda one: one[1]):
            if at <= now and self._timers.get((kind, port_no)) == at:
                del self._timers[kind, port_no]
                self._due[kind](port_no, now)
        return self._take_events()

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    # Who is the root, and who speaks where (8.6.8 to 8.6.11)

    def _ours(self, port_no: int) -> Vector:
        """Return what we would say on a port's link."""
        return Vector(self.root, self.root_path_cost, self.bridge_id, port_id(port_no))

    def _is_designated(self, port: Port) -> bool:
        """Return whether it is we who speak on a port's link."""
        return (port.told.bridge, port.told.port_id) == (self.bridge_id, port.port_id)

    def _select(self, now: float) -> None:
        """Choose the root and the port that leads there, who speaks where, and what blocks."""
        found = [
            (
                (told.root, told.root_path_cost + port.path_cost, told.bridge, told.port_id),
                port.port_no,
            )
            for port in self.ports.values()
            if not self._is_designated(port) and (told := port.told).root < self.bridge_id
        ]
        if found:
            (self.root, self.root_path_cost, *_), self.root_port = min(found)
        else:
            self.root, self.root_path_cost, self.root_port = self.bridge_id, 0, None
        for port in self.ports.values():
            if self._is_designated(port) or self._ours(port.port_no) < port.told:
                port.told = self._ours(port.port_no)
                self._stop(_Timer.MESSAGE_AGE, port.port_no)
                self._unblock(port, now)
            elif port.port_no == self.root_port:
                port.pending = port.acknowledge = False
                self._unblock(port, now)
            else:
                port.pending = port.acknowledge = False
                self._block(port, now)

    def _unblock(self, port: Port, now: float) -> None:
        if port.state == PortState.BLOCKING:
            self._become(port, PortState.LISTENING)
            self._start(_Timer.FORWARD_DELAY, now + self._current.forward_delay, port)

    def _block(self, port: Port, now: float) -> None:
        if port.state != PortState.BLOCKING:
            carried = port.state >= PortState.LEARNING
            self._become(port, PortState.BLOCKING)
            self._stop(_Timer.FORWARD_DELAY, port.port_no)
            if carried:
                self._detect(now)

    def _become(self, port: Port, state: PortState) -> None:
        port.state = state
        self._events.append(PortChanged(port.port_no, state))

    def _reconsider(self, now: float) -> None:
        """Select anew after something was lost; the bridge may become root by that."""
        was_root = self.is_root
        self._select(now)
        if self.is_root and not was_root:
            self._current = self.times
            self._detect(now)
            self._stop(_Timer.NOTIFICATION)
            self._hello(_NO_PORT, now)

    def _forward_delay_is_over(self, port_no: int, now: float) -> None:
        port = self.ports[port_no]
        if port.state == PortState.LISTENING:
            self._become(port, PortState.LEARNING)
            self._start(_Timer.FORWARD_DELAY, now + self._current.forward_delay, port)
        elif port.state == PortState.LEARNING:
            self._become(port, PortState.FORWARDING)
            if any(map(self._is_designated, self.ports.values())):
                self._detect(now)

    # What is heard (8.7.1)

    def _is_valid(self, port: Port, said: ConfigurationBpdu) -> bool:
        """Return whether a bridge must heed what is said (802.1D-2004 9.3.4)."""
        is_echo = (said.bridge, said.port_id) == (self.bridge_id, port.port_id)
        return said.message_age < said.max_age and not is_echo

    def _hear(self, port: Port, said: ConfigurationBpdu, now: float) -> None:
        vector = Vector(said.root, said.root_path_cost, said.bridge, said.port_id)
        if self._supersedes(vector, port.told):
            self._record(port, vector, said, now)
        elif self._is_designated(port):
            self._configure(port, now)  # who says it knows less than we do

    def _supersedes(self, vector: Vector, told: Vector) -> bool:
        """Return whether something stands from now on: it is better, or is said again."""
        if vector[:3] == told[:3]:
            return vector.bridge != self.bridge_id or vector.port_id <= told.port_id
        return vector < told

    def _record(self, port: Port, vector: Vector, said: ConfigurationBpdu, now: float) -> None:
        was_root = self.is_root
        port.told, port.said_at = vector, now - said.message_age
        self._start(_Timer.MESSAGE_AGE, port.said_at + said.max_age, port)
        self._select(now)
        if was_root and not self.is_root:
            self._stop(_Timer.HELLO)
            if self._detected:
                self._stop(_Timer.TOPOLOGY_CHANGE)
                self._notify(_NO_PORT, now)
        if port.port_no != self.root_port:
            return
        self._current = Times(said.hello_time, said.max_age, said.forward_delay)
        self._set_change(bool(said.flags & BpduFlags.TOPOLOGY_CHANGE), now)
        self._configure_all(now)
        if said.flags & BpduFlags.TOPOLOGY_CHANGE_ACK:
            self._detected = False
            self._stop(_Timer.NOTIFICATION)

    def _message_is_old(self, port_no: int, now: float) -> None:
        port = self.ports[port_no]
        port.told = self._ours(port.port_no)
        self._reconsider(now)

    # What is said (8.6.1 to 8.6.4)

    def _hello(self, _: int, now: float) -> None:
        self._configure_all(now)
        self._start(_Timer.HELLO, now + self.times.hello_time)

    def _configure_all(self, now: float) -> None:
        for port in self.ports.values():
            if self._is_designated(port):
                self._configure(port, now)

    def _configure(self, port: Port, now: float) -> None:
        """Say what we know on a port's link, or soon, if we just spoke there."""
        if (_Timer.HOLD, port.port_no) in self._timers:
            port.pending = True
            return
        age = 0.0
        if self.root_port is not None:
            age = now - self.ports[self.root_port].said_at + _OLDER
        if age >= self._current.max_age:
            return
        self._events.append(Send(port.port_no, (Bpdu(), self._said(port, age))))
        port.pending = port.acknowledge = False
        self._start(_Timer.HOLD, now + self.times.hold_time, port)

    def _said(self, port: Port, age: float) -> ConfigurationBpdu:
        flags = BpduFlags.TOPOLOGY_CHANGE if self.topology_change else BpduFlags(0)
        if port.acknowledge:
            flags |= BpduFlags.TOPOLOGY_CHANGE_ACK
        ours, times = self._ours(port.port_no), self._current
        return ConfigurationBpdu(
            *ours, age, times.max_age, times.hello_time, times.forward_delay, flags
        )

    def _hold_is_over(self, port_no: int, now: float) -> None:
        port = self.ports[port_no]
        if port.pending:
            self._configure(port, now)

    # Changes of the topology (8.6.14, 8.6.15)

    def _detect(self, now: float) -> None:
        """Take note that the tree changed here, and let the root know."""
        if self.is_root:
            lasts = self.times.max_age + self.times.forward_delay
            self._start(_Timer.TOPOLOGY_CHANGE, now + lasts)
            self._set_change(True, now)
        elif not self._detected:
            self._notify(_NO_PORT, now)
        self._detected = True

    def _notify(self, _: int, now: float) -> None:
        if self.root_port is not None:
            change = Bpdu(type=BpduType.TOPOLOGY_CHANGE)
            self._events.append(Send(self.root_port, (change,)))
            self._start(_Timer.NOTIFICATION, now + self.times.hello_time)

    def _change_is_over(self, _: int, now: float) -> None:
        self._detected = False
        self._set_change(False, now)

    def _set_change(self, is_changing: bool, now: float) -> None:
        if is_changing and not self.topology_change:
            self._age(_NO_PORT, now)
        elif not is_changing:
            self._stop(_Timer.AGEING)
        self.topology_change = is_changing

    def _age(self, _: int, now: float) -> None:
        """Forget the stations: while the tree changes, none is known for longer than this.

        The standard lets each age by itself (8.3.5); to forget all at once is never later.
        """
        self._events.append(Forget())
        # The root may be anybody, and say any time: that must not keep us busy.
        lasts = max(self._current.forward_delay, self.times.hold_time)
        self._start(_Timer.AGEING, now + lasts)

    # Timers

    def _start(self, kind: _Timer, at: float, port: Port | None = None) -> None:
        self._timers[kind, port.port_no if port else _NO_PORT] = at

    def _stop(self, kind: _Timer, port_no: int = _NO_PORT) -> None:
        self._timers.pop((kind, port_no), None)
