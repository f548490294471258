"""Cookie spaces: the high 16 bits of an entry's cookie say which application it is of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

LOCAL_BITS = 48  #: of a cookie, which mean what its application likes
PREFIX_MASK = 0xFFFF << LOCAL_BITS
ALL_BITS = (1 << 64) - 1
_PREFIXES = 0xFFFE  # 0 is nobody's; 0xffff is in the cookie of a packet_in that has none


class CookieSpace(NamedTuple):
    """The cookies of one application."""

    app: str  #: as `[apps.NAME]` and the log call it
    base: int  #: the cookie whose low 48 bits are 0

    def __contains__(self, cookie: object) -> bool:
        return isinstance(cookie, int) and cookie & PREFIX_MASK == self.base

    def __str__(self) -> str:
        return f"{self.base:#018x}"


class CookieSpaces:
    """The cookie spaces of the applications that run side by side.

    A prefix comes of the application's name. So it is the same in the next run, in which
    the application finds, and may delete, what it left behind. Where two names come to one
    prefix the later one takes the next that is free.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_base: dict[int, CookieSpace] = {}
        self.by_name: dict[str, CookieSpace] = {}
        self._overlapping: set[frozenset[CookieSpace]] = set()
        self.exchange(names)

    def __len__(self) -> int:
        return len(self._by_base)

    def exchange(self, names: Iterable[str]) -> None:
        """Let others run from now on; those that stay keep their spaces."""
        wanted = dict.fromkeys(names)
        for name in self.by_name.keys() - wanted:
            del self._by_base[self.by_name.pop(name).base]
        for name in wanted:
            if name not in self.by_name:
                self.by_name[name] = self._assign(name)

    def whose(self, cookie: int) -> CookieSpace | None:
        """Return the space that a cookie lies in; None where it is nobody's who runs here."""
        return self._by_base.get(cookie & PREFIX_MASK)

    def first_overlap(self, one: CookieSpace, other: CookieSpace) -> bool:
        """Return whether an overlap of these two is the first, which the log should tell."""
        pair = frozenset((one, other))
        if pair in self._overlapping:
            return False
        self._overlapping.add(pair)
        return True

    def _assign(self, name: str) -> CookieSpace:
        number = crc32(name.encode()) % _PREFIXES
        while (base := (number + 1) << LOCAL_BITS) in self._by_base:
            number = (number + 1) % _PREFIXES
        space = self._by_base[base] = CookieSpace(name, base)
        return space
