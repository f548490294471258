"""Answers that are taken part by part, so that a long one is never in memory as a whole."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from protocol import MultipartFlags, MultipartReply, OpenFlowError, RequestTimeout

ENTRIES_PAUSE = 4096  #: entries that wait for who asked; above that the switch is slowed down
ENTRIES_MAX = 1 << 16  #: and above that the answer is cut
_RAW = 16  # bytes of an experimenter's answer that count as an entry


class Parts:
    """What came of one answer, and was not taken yet.

    `changed` is called when it may be time to read on.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._parts: deque[MultipartReply] = deque()
        self._entries = 0  # in these
        self._end: OpenFlowError | None = None  # why no more come than these
        self._is_whole = False
        self._wake: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether no more should come for now."""
        return self._entries > ENTRIES_PAUSE

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the next part, and none is there."""
        return self._wake is not None

    def put(self, part: MultipartReply) -> bool:
        """Take in what came; return whether it was the last of the answer."""
        self._parts.append(part)
        self._entries += _entries_of(part)
        self._is_whole = not part.flags & MultipartFlags.MORE
        if self._entries > ENTRIES_MAX and not self._is_whole:
            self._end = OpenFlowError(
                f"the answer was cut: {self._entries} entries of it wait to be taken, "
                f"which is more than {ENTRIES_MAX}"
            )
        self._wake_up()
        return self._is_whole or self._end is not None

    def fail(self, error: OpenFlowError) -> None:
        """Raise `error` where the next part is awaited that did not come."""
        self._end = error
        self._wake_up()

    async def take(self, timeout: float) -> MultipartReply | None:
        """Return the next part, None after the last; RequestTimeout where none comes in time."""
        if not self._parts and not self._is_whole and self._end is None:
            await self._next(timeout)
        if self._parts:
            was_full, part = self.full, self._parts.popleft()
            self._entries -= _entries_of(part)
            if was_full and not self.full:
                self._changed()
            return part
        if self._end is not None:
            raise self._end
        return None

    async def _next(self, timeout: float) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        self._changed()
        try:
            async with asyncio.timeout(timeout):
                await self._wake
        except TimeoutError:
            raise RequestTimeout(f"no further part of the answer within {timeout:g} s") from None
        finally:
            self._wake = None

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _entries_of(part: MultipartReply) -> int:
    """Return how much room a part takes, counted in entries; an empty one takes some as well."""
    value = getattr(part, part.gathers) if part.gathers else ()
    return 1 + (len(value) // _RAW if isinstance(value, bytes) else len(value))
