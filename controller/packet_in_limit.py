"""A limit of the packet_ins that one datapath may bring: what is above it is dropped.

There is none unless somebody says so: a packet_in that is lost is a packet that is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from .turns import Allowance


class PacketInLimit:
    """So many a second, and a quarter of that at once; `exceeded` is called the first time."""

    def __init__(self, rate: float, now: float, exceeded: Callable[[], None]) -> None:
        self._allowance, self._exceeded = Allowance(rate, now), exceeded
        self._is_told = False

    def drops(self, count: int, now: float) -> bool:
        """Take `count` packet_ins into account; return whether those to come are dropped."""
        if self._allowance.take(count, now):
            return False
        if not self._is_told:
            self._is_told = True
            self._exceeded()
        return True
