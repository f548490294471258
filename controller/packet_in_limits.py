"""How many packet_ins a datapath may bring while others want to be heard as well.

A limit is kept only where it is of use to somebody: against a datapath that is above the rate
while another, that is below it, brought packet_ins lately. One switch alone, or many that
all bring as much as they can, are served as fast as goes.
"""

from __future__ import annotations

from collections.abc import Callable

PACKET_IN_RATE = 2000.0  #: packet_ins a second and datapath, above which others go first
BURST = 0.25  # seconds' worth of them that may come at once
LATELY = 1.0  # seconds for which a datapath that brought something counts as one that wants to


class PacketInLimits:
    """Which datapaths keep to the rate, and when they brought packet_ins last."""

    def __init__(self, rate: float = PACKET_IN_RATE) -> None:
        self.rate = rate
        # The last one that kept to it, and the last but one: of these one is another.
        self._last: tuple[PacketInLimit | None, float] = (None, 0.0)
        self._before: tuple[PacketInLimit | None, float] = (None, 0.0)

    def note(self, limit: PacketInLimit, now: float) -> None:
        """Note that a datapath which keeps to the rate brought packet_ins."""
        if self._last[0] is not limit:
            self._before = self._last
        self._last = limit, now

    def others_want(self, limit: PacketInLimit, now: float) -> bool:
        """Whether another datapath that keeps to the rate brought packet_ins lately."""
        who, when = self._before if self._last[0] is limit else self._last
        return who is not None and now - when < LATELY

    def forget(self, limit: PacketInLimit) -> None:
        """Let a datapath that is gone want nothing any more."""
        if self._before[0] is limit:
            self._before = (None, 0.0)
        if self._last[0] is limit:
            self._last, self._before = self._before, (None, 0.0)


class PacketInLimit:
    """What one datapath may bring: a bucket that may be overdrawn once, as what came is read.

    `now` is in seconds on any clock that does not go back. `exceeded` is called when it is
    kept for the first time.
    """

    def __init__(
        self, limits: PacketInLimits, now: float, exceeded: Callable[[], None] = lambda: None
    ) -> None:
        self._limits, self._when, self._exceeded = limits, now, exceeded
        self._tokens = limits.rate * BURST
        self._is_told = False

    def admits(self, count: int, now: float) -> bool:
        """Take `count` packet_ins into account; return whether more may come now."""
        rate = self._limits.rate
        filled = self._tokens + max(0.0, now - self._when) * rate
        self._tokens, self._when = min(filled, rate * BURST) - count, now
        if self._tokens > 0:
            if count:
                self._limits.note(self, now)
            return True
        # The debt is paid with what comes later, but no more than a burst of it.
        self._tokens = max(self._tokens, -rate * BURST)
        is_kept = self._limits.others_want(self, now)
        if is_kept and not self._is_told:
            self._is_told = True
            self._exceeded()
        return not is_kept

    def close(self) -> None:
        """The datapath is gone."""
        self._limits.forget(self)
