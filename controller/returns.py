"""Switches that come back again and again: whoever does waits before its handshake goes on.

Each time costs all that a new switch costs, the applications as well, so that a switch in a
loop would take from the others. It is known by its datapath_id, as many may share an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

FREE = 10  #: times that a datapath may come at once
RATE = 1.0  #: times a second that it may come for long
LONGEST_PAUSE = 4.0  #: seconds that it waits
KNOWN_MAX = 10_000  # datapaths; above that the one that came longest ago is forgotten


class Pause(NamedTuple):
    """What a datapath that comes has to wait."""

    seconds: float  #: 0 for most
    is_first: bool  #: whether it did not have to wait lately


_NONE = Pause(0.0, False)


@dataclass(slots=True)
class _Known:
    left: float  # times that it may come without waiting; it is overdrawn by who waits
    at: float
    waits: bool = False


class Returns:
    """How often datapaths came lately; `now` is in seconds on a clock that does not go back."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}  # those that came last at the end

    def __len__(self) -> int:
        return len(self._known)

    def note(self, datapath_id: int, now: float) -> Pause:
        """Note that a datapath came; return what it has to wait."""
        known = self._known.pop(datapath_id, None)
        if known is None:
            return self._note_first(datapath_id, now)
        known.left += (now - known.at) * RATE
        known.at = now
        if known.left >= FREE:  # it was calm
            known.left, known.waits = FREE, False
        known.left = max(known.left - 1, -LONGEST_PAUSE * RATE)
        self._known[datapath_id] = known
        if known.left >= 0:
            return _NONE
        is_first, known.waits = not known.waits, True
        return Pause(-known.left / RATE, is_first)

    def _note_first(self, datapath_id: int, now: float) -> Pause:
        self._known[datapath_id] = _Known(FREE - 1, now)
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
        return _NONE
