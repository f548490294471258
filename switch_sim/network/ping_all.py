"""Every host pings every other: who reached whom, and how fast."""

from __future__ import annotations

from collections.abc import Iterator

from .host import Ping
from .network import Network

PING_ALL_TIMEOUT = 5.0  #: seconds; a controller at its first packet_in may need some
MAX_UNDER_WAY = 8  # pings at a time: with more each would wait for the others


class PingAll:
    """A run of pings between all pairs of hosts; call `step` after each change."""

    def __init__(self, network: Network, timeout: float = PING_ALL_TIMEOUT) -> None:
        self.timeout = timeout
        self.sent = 0
        self.lost: dict[tuple[str, str], str] = {}  #: (from, to) -> why
        self.rtts: dict[tuple[str, str], float] = {}  #: (from, to) -> seconds
        self._network = network
        self._left: Iterator[tuple[str, str]] = (
            (src, dst) for src in network.hosts for dst in network.hosts if src != dst
        )
        self._exhausted = False
        self._under_way: list[tuple[str, str, Ping]] = []

    @property
    def done(self) -> bool:
        """Whether all pings were sent and it is known what became of them."""
        return self._exhausted and not self._under_way

    def step(self, now: float) -> bool:
        """Note what is settled, send as many pings as may be under way; return `done`."""
        for src, dst, ping in self._under_way:
            if ping.rtt is not None:
                self.rtts[src, dst] = ping.rtt
            elif ping.fault:
                self.lost[src, dst] = ping.fault
        self._under_way = [one for one in self._under_way if not one[2].settled]
        while len(self._under_way) < MAX_UNDER_WAY and not self._exhausted:
            self._start_next(now)
        return self.done

    def _start_next(self, now: float) -> None:
        if (pair := next(self._left, None)) is None:
            self._exhausted = True
            return
        self.sent += 1
        self._under_way.append((*pair, self._network.ping(*pair, now, self.timeout)))
