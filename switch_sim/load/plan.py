"""What a run is to do: its mode, how much of everything, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from protocol import ALL_VERSIONS, Version

from .traffic import MAX_SWITCHES, MIN_FRAME, Kind, Traffic

CONNECT_TIMEOUT = 30.0  #: seconds in which all switches must have finished their handshake
TIMEOUT = 5.0  #: seconds after which a packet_in counts as lost
SETTLE = 0.3  #: seconds of silence after which a controller counts as done with the handshake


class Mode(Enum):
    """What is measured."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    RATE = "rate"
    STORM = "storm"
    FLOW_MODS = "flow-mods"
    STATS = "stats"
    FLAPS = "flaps"
    LEARNING = "learning"
    UNLEARNING = "unlearning"


_KINDS = {
    Mode.THROUGHPUT: Kind.PACKET_IN,
    Mode.LATENCY: Kind.PACKET_IN,
    Mode.RATE: Kind.PACKET_IN,
    Mode.FLAPS: Kind.FLAP,
    Mode.LEARNING: Kind.NEW_HOST,
    Mode.UNLEARNING: Kind.MOVED_HOST,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A run; the switches have the datapath_ids from `first` on."""

    mode: Mode = Mode.THROUGHPUT
    versions: frozenset[Version] = ALL_VERSIONS
    switches: int = 16
    first: int = 1
    hosts: int = 1_000  #: of each switch
    ports: int = 4  #: of each switch
    buffered: bool = True
    frame_size: int = MIN_FRAME
    window: int = 64  #: packet_ins on their way, of each switch
    rate: float = 0.0  #: packet_ins a second of all switches together; 0 obeys the window
    flows: int = 0  #: flow entries that each switch tells of when it is asked
    learn: bool = True  #: whether hosts tell where they are before it begins
    warm_up: float = 1.0  #: seconds that are not counted
    duration: float = 5.0  #: seconds that are
    timeout: float = TIMEOUT  #: seconds after which an answer is lost
    settle: float = SETTLE
    busy: bool = False  #: whether to look for answers without a pause
    connect_timeout: float = CONNECT_TIMEOUT

    def __post_init__(self) -> None:
        if not 0 < self.switches <= MAX_SWITCHES:
            raise ValueError(f"{self.switches} switches: there can be 1 to {MAX_SWITCHES}")
        self.traffic(max(self.versions))
        if self.window > self.hosts:
            raise ValueError(
                f"a window of {self.window} with {self.hosts} hosts at each switch: each packet "
                f"on its way needs a host of its own"
            )
        if not self.duration:
            raise ValueError("--duration 0 measures nothing: give it some seconds")
        if self.mode is Mode.RATE and not self.rate:
            raise ValueError("the mode rate needs --rate: how many packet-ins a second")

    @property
    def kind(self) -> Kind | None:
        """What the switches send, None where the controller begins to speak."""
        return _KINDS.get(self.mode)

    def traffic(self, version: Version) -> Traffic:
        """Return what all packets have in common; ValueError where that cannot be."""
        return Traffic(version, self.hosts, self.ports, self.buffered, self.frame_size)
