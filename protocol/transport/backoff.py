"""When to dial again."""

from __future__ import annotations

from collections.abc import Iterator

FIRST_DELAY = 0.1  #: seconds between the first two attempts to dial


def backoff(longest: float) -> Iterator[float]:
    """Yield the seconds to wait before each attempt to dial again.

    >>> from itertools import islice
    >>> list(islice(backoff(8.0), 9))
    [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0]
    """
    delay = FIRST_DELAY
    while True:
        yield min(delay, longest)
        delay = min(delay * 2, longest)
