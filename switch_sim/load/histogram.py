"""Latencies counted in buckets that grow with them: percentiles to 1 % of any time."""

from __future__ import annotations

import math
from collections.abc import Iterator

BITS = 7  # each power of two has 128 buckets, so that a value is known to less than 1 %
UNIT = 1e-9  #: seconds; what is shorter counts as nothing


class Histogram:
    """How often which time was seen, in seconds.

    >>> seen = Histogram()
    >>> for milliseconds in range(1, 101):
    ...     seen.add(milliseconds / 1000)
    >>> seen.count, round(seen.percentile(50), 3), round(seen.percentile(99), 3)
    (100, 0.05, 0.099)
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}  # bucket -> how often
        self.count = 0
        self.total = 0.0  #: seconds, of all together

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a time; less than nothing, as a clock may have it, counts as nothing."""
        value = int(seconds / UNIT) if seconds > 0 else 0
        shift = max(value.bit_length() - BITS - 1, 0)
        bucket = (shift << BITS) + (value >> shift)
        self._counts[bucket] = self._counts.get(bucket, 0) + times
        self.count += times
        self.total += seconds * times

    def merge(self, other: Histogram) -> None:
        """Count what another one has seen as well."""
        for bucket, times in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + times
        self.count += other.count
        self.total += other.total

    @property
    def mean(self) -> float:
        """The mean, in seconds; 0 where there is nothing."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Return the seconds that so many percent of all do not exceed; 0 where there is none."""
        wanted = math.ceil(round(percent * self.count / 100, 6))  # 99.9 % of 1,000 are 999
        for bucket, times in sorted(self._counts.items()):
            wanted -= times
            if wanted <= 0:
                return _middle(bucket) * UNIT
        return 0.0

    def curve(self) -> Iterator[tuple[float, float]]:
        """Yield times, the shortest first, each with the share of all that do not exceed it."""
        seen = 0
        for bucket, times in sorted(self._counts.items()):
            seen += times
            yield _middle(bucket) * UNIT, seen / self.count


def _middle(bucket: int) -> float:
    shift = max((bucket >> BITS) - 1, 0)
    least = (bucket - (shift << BITS)) << shift
    return least + ((1 << shift) - 1) / 2
