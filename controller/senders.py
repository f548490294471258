"""Which application sent what, so that an error finds the one that caused it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TypeVar

M = TypeVar("M")

TURNS = 1024  #: times that another application spoke, which are remembered for each datapath


class Senders:
    """Who sent the latest messages to a datapath.

    Only the turns are kept, not each xid: who speaks much costs no more than who speaks
    once. `who` is the base of the application's cookie space.
    """

    def __init__(self) -> None:
        self._firsts: list[int] = []  # the xids with which turns began; they rise
        self._turns: list[tuple[int, int]] = []  # of each: the last xid so far, and who
        self._last = 0  # xid that was noted
        self._who = -1

    def noting(self, who: int, send: Callable[[M], int]) -> Callable[[M], int]:
        """Return what sends, and notes that it was this application."""

        def send_and_note(message: M) -> int:
            xid = send(message)
            if self._who != who:
                self._begin(xid, who)
            self._last = xid
            return xid

        return send_and_note

    def of(self, xid: int) -> int | None:
        """Return who sent a message, None where that is not known, or any more."""
        at = bisect_right(self._firsts, xid) - 1
        if at < 0:
            return None
        last, who = self._turns[at] if at < len(self._turns) - 1 else (self._last, self._who)
        return who if xid <= last else None

    def _begin(self, xid: int, who: int) -> None:
        if self._turns:
            self._turns[-1] = self._last, self._who
        if self._firsts and xid <= self._firsts[-1]:  # after 2**32 messages they begin anew
            self._firsts.clear()
            self._turns.clear()
        self._firsts.append(xid)
        self._turns.append((xid, who))
        self._who = who
        if len(self._firsts) > 2 * TURNS:  # half of them at once, as each time moves the rest
            del self._firsts[:TURNS], self._turns[:TURNS]
