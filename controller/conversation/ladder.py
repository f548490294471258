"""A conversation as a ladder: a column a party, an arrow a message, the time between them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from protocol import Message
from protocol.text import brief_text

CONTROLLER = "controller"
MAX_COLUMNS = 12  #: switches side by side; of more, the one silent longest gives its column
LEAST_LABEL = 30  #: columns that are left for words
_TIME = 11  # columns for the time between
_LEAST_COLUMN = 7
_GAP = 2

# What tells little beside an arrow: tables and ports that are the usual ones, cookies, lengths.
_LITTLE = re.compile(
    r",cookie=[^, ]+|\bcookie=\S+ |\btable=0[, ]"
    r"|\bin_port=CONTROLLER |\btotal_len=\d+ |\(via \w+\) "
)

Answer = dict[str, Any]


class Ladder:
    """Draws messages one by one, as `pointsman record --json` prints them.

    Lines have `width` characters at most, or are as long as they are where it is None.
    """

    def __init__(self, width: int | None = None) -> None:
        self.width = width
        self._names: list[str] = []  # of the columns
        self._silent: list[str] = []  # the same, the one that was silent longest first
        self._last: float | None = None

    def draw(self, one: Answer) -> Iterator[str]:
        """Yield the lines of a message: names of the columns where they change, an arrow, words."""
        if self._make_room(one):
            yield ""
            yield self._heading(one["at"])
        at = self._names.index(_party(one))
        since = 0.0 if self._last is None else one["at"] - self._last
        self._last = one["at"]
        if one.get("missed"):
            yield self._line("", self._rails(), f"… {one['missed']} readings are left out here")
        rails = _arrow(self._rails(), self._place(at), one["from_switch"], bool(one["answers"]))
        yield self._line(f"+{duration(since)}", rails, label(one))
        if one["error"] and one["answers"]:
            yield self._line("", self._rails(), f"  └ about {_short(one['answers'])}")

    def _make_room(self, one: Answer) -> bool:
        """See to it that the party has a column; return whether names changed."""
        before, name, peer = list(self._names), _party(one), one["peer"]
        if name != peer and peer in self._names:  # now we know which switch that is
            self._rename(peer, name)
        elif name not in self._names:
            if self._names and len(self._names) >= self._most():
                self._rename(self._silent[0], name)
            else:
                self._names.append(name)
        if name in self._silent:
            self._silent.remove(name)
        self._silent.append(name)
        while len(self._names) > self._most():  # a long name makes all columns wider
            self._names.remove(self._silent.pop(0))
        return self._names != before

    def _rename(self, before: str, name: str) -> None:
        """Give a column to another party, or up where that has one already."""
        self._silent.remove(before)
        if name in self._names:
            self._names.remove(before)
        else:
            self._names[self._names.index(before)] = name

    def _most(self) -> int:
        if self.width is None:
            return MAX_COLUMNS
        room = self.width - _TIME - len(CONTROLLER) - _GAP - LEAST_LABEL
        return max(1, min(MAX_COLUMNS, room // self._column()))

    def _column(self) -> int:
        return max([_LEAST_COLUMN, *(len(name) + _GAP for name in self._names)])

    def _place(self, at: int) -> int:
        """Return where the rail of a column is."""
        return len(CONTROLLER) // 2 + (at + 1) * self._column()

    def _rails(self) -> list[str]:
        rails = [" "] * (self._place(len(self._names) - 1) + 1)
        for at in range(-1, len(self._names)):
            rails[self._place(at)] = "│"
        return rails

    def _heading(self, at: float) -> str:
        shown = time.strftime("%H:%M:%S", time.localtime(at))
        line = f"{shown:{_TIME}}{CONTROLLER}"
        for number, name in enumerate(self._names):
            begins = _TIME + self._place(number) - len(name) // 2
            line = f"{line:{begins}}{name}"
        return line

    def _line(self, since: str, rails: list[str], words: str) -> str:
        line = f"{since:>{_TIME - 1}} {''.join(rails)}{' ' * _GAP}{words}"
        if self.width is None or len(line) <= self.width:
            return line
        return line[: self.width - 1] + "…"


def _party(one: Answer) -> str:
    return str(one["datapath_id"] or one["peer"])


def _arrow(rails: list[str], to: int, from_switch: bool, answers: bool) -> list[str]:
    """Draw an arrow between the controller's rail and another one; that of an answer is dashed."""
    stroke, first = "╌" if answers else "─", len(CONTROLLER) // 2
    for at in range(first + 1, to):
        rails[at] = "┼" if rails[at] == "│" else stroke
    if from_switch:
        rails[first + 1] = "◀"
    else:
        rails[to - 1] = "▶"
    return rails


def label(one: Answer) -> str:
    """Return the words beside an arrow: name, xid, how long an answer took, what matters."""
    name = (one["type"] or "UNREADABLE").removeprefix("OFPT_").removeprefix("OFPMP_")
    took = "" if one["after"] is None else f" after {duration(one['after'])}"
    head = f"{name} xid={one['xid']:#x}{took}"
    if one["error"]:
        return f"{head}: {_error(one)}"
    brief = brief_text(Message.decode(bytes.fromhex(one["hex"])))
    return f"{head} {_LITTLE.sub('', brief)}".rstrip()


def _error(one: Answer) -> str:
    """Return an error in the specification's word and in ours."""
    if one["type"] is None:
        return str(one["error"])
    code = one["text"].partition("): ")[2].partition(" ")[0]
    return f"{one['error']} ({code})" if code.startswith("OFP") else str(one["error"])


def _short(text: str) -> str:
    shown = text.removeprefix("OFPT_").replace(" (xid=", " xid=", 1).replace("):", "", 1)
    return _LITTLE.sub("", shown)


def duration(seconds: float) -> str:
    """Return a time between two messages in the unit that fits.

    >>> duration(0.000041), duration(0.0123), duration(3.5), duration(7200)
    ('41 µs', '12.3 ms', '3.50 s', '2.0 h')
    """
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 3600 else f"{seconds / 3600:.1f} h"
