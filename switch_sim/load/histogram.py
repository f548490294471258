"""Latencies counted in buckets that grow with them: percentiles to 1 % of any time.

A bucket is the upper half of a float of 32 bits: its exponent and the first seven bits of its
fraction. So each power of two has 128 of them, and many times find theirs at once.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

_SIGN = 0x8000  # of a time below 0
_UPPER = 1 if sys.byteorder == "little" else 0  # which of two halves
_MANY = 64  # times that wait for their buckets: some 10 µs for all of them


class Histogram:
    """How often which time was seen, in seconds.

    >>> seen = Histogram()
    >>> for milliseconds in range(1, 101):
    ...     seen.add(milliseconds / 1000)
    >>> seen.count, round(seen.percentile(50), 3), round(seen.percentile(99), 3)
    (100, 0.05, 0.099)
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()  # bucket -> how often
        self._count = 0
        self._total = 0.0
        self._fresh: list[float] = []  # which are not in their buckets yet

    def add(self, seconds: float) -> None:
        """Count a time; less than nothing, as a clock may have it, counts as nothing."""
        self.add_all((seconds,))

    def add_all(self, seconds: Iterable[float]) -> None:
        """Count some times."""
        self._fresh += seconds
        if len(self._fresh) >= _MANY:
            self._sort()

    def _sort(self) -> None:
        fresh, self._fresh = self._fresh, []
        halves = memoryview(array("f", fresh)).cast("B").cast("H")[_UPPER::2]
        self._counts.update(halves.tolist())
        self._count += len(fresh)
        self._total += sum(fresh)

    @property
    def count(self) -> int:
        """How many times were seen."""
        return self._count + len(self._fresh)

    @property
    def total(self) -> float:
        """The seconds of all together."""
        return self._total + sum(self._fresh)

    def merge(self, other: Histogram) -> None:
        """Count what another one has seen as well."""
        self._counts.update(other._counts)
        self._count += other._count
        self._total += other._total
        self.add_all(other._fresh)

    @property
    def mean(self) -> float:
        """The mean, in seconds; 0 where there is nothing."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Return the seconds that so many percent of all do not exceed; 0 where there is none."""
        wanted = math.ceil(round(percent * self.count / 100, 6))  # 99.9 % of 1,000 are 999
        for seconds, times in self._buckets():
            wanted -= times
            if wanted <= 0:
                return seconds
        return 0.0

    def curve(self) -> Iterator[tuple[float, float]]:
        """Yield times, the shortest first, each with the share of all that do not exceed it."""
        seen = 0
        for seconds, times in self._buckets():
            seen += times
            yield seconds, seen / self.count

    def _buckets(self) -> Iterator[tuple[float, int]]:
        """Yield times, the shortest first, each with how often it was seen."""
        self._sort()
        for bucket, times in sorted(self._counts.items(), key=lambda one: _middle(one[0])):
            yield _middle(bucket), times


def _middle(bucket: int) -> float:
    if bucket & _SIGN:
        return 0.0
    (seconds,) = struct.unpack(">f", struct.pack(">HH", bucket, _SIGN if bucket else 0))
    return float(seconds)
