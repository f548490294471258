"""A token bucket: so many packets a second, and a burst of so many at once."""

from __future__ import annotations

_ONE = 1 - 1e-9  # of fractions that were added up


class RateLimit:
    """Admits `rate` packets a second on average, and `burst` of them without a pause.

    `now` is in seconds on a clock that does not go back.
    """

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a rate of {rate:g}/s with a burst of {burst:g} admits nothing")
        self.rate, self.burst = rate, burst
        self._tokens, self._at = burst, now

    def admit(self, now: float) -> bool:
        """Whether there is room for one more packet now, which is taken."""
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < _ONE:
            return False
        self._tokens -= 1
        return True
