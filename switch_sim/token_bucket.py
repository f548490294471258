"""A rate that is kept, with bursts. Time is an argument."""

from __future__ import annotations

FRAME = 12.144  #: kbit of the largest Ethernet frame
_BURST = 0.1  # seconds' worth that pass at once where nothing else is said
_BYTES = 1000 / 8  # in a kbit
_ROUNDING = 1e-6  # of a token: sums of small times are never quite what they should be


def kilobits(size: int) -> float:
    """Return how many kbit so many bytes are."""
    return size / _BYTES


def usual_burst(rate: float, least: float) -> float:
    """Return the burst of a rate that has none of its own."""
    return max(rate * _BURST, least)


class TokenBucket:
    """A bucket that fills with `rate` tokens a second, up to `burst`, and is full at first.

    In t seconds not more than rate * t + burst are taken. What is larger than `burst` counts
    as a burst of its own: it waits for a full bucket, and the debt is paid before the next.

    >>> bucket = TokenBucket(rate=10, burst=2, now=0.0)
    >>> [bucket.take(1, now=0.0) for _ in range(3)], bucket.take(1, now=0.1)
    ([True, True, False], True)
    """

    __slots__ = ("_tokens", "_when", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, burst
        self._tokens, self._when = burst, now

    def has(self, size: float, now: float) -> bool:
        """Whether `size` tokens could be taken now."""
        return self._at(now) + _ROUNDING >= min(size, self.burst)

    def take(self, size: float, now: float) -> bool:
        """Take tokens if there are enough; return whether there were."""
        self._tokens, self._when = self._at(now), max(now, self._when)
        if self._tokens + _ROUNDING < min(size, self.burst):
            return False
        self._tokens -= size
        return True

    def _at(self, now: float) -> float:
        return min(self.burst, self._tokens + max(0.0, now - self._when) * self.rate)
