"""How often the log tells what happens over and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

TOLD_FIRST = 10  #: times that something is told
TOLD_EVERY = 1000  #: and after these each time that has this many more
_KINDS_MAX = 256  # of things that are counted apart; all others count as one


class Ration:
    """Counts what happens, and says when it is to be told."""

    def __init__(self) -> None:
        self._times: Counter[Hashable] = Counter()

    def told(self, what: Hashable) -> str | None:
        """Count that something happens; return what to add when it is told, else None."""
        if what not in self._times and len(self._times) >= _KINDS_MAX:
            what = None
        self._times[what] += 1
        times = self._times[what]
        if times < TOLD_FIRST:
            return ""
        if times == TOLD_FIRST:
            return f", for the {times}th time; of the next {TOLD_EVERY} only the last is told"
        return f", {times} times by now" if (times - TOLD_FIRST) % TOLD_EVERY == 0 else None
