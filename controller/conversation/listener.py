"""Hears what the recorder keeps, then what it notes from now on, without holding up the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Self

from ..recorder import Joiner, Note, Recorder, Said

MAX_WAITING = 4096  #: notes that a listener has not taken; above that some are left out
_AT_ONCE = 64  # messages between two turns of the loop: old messages must not delay new ones


class Listener:
    """Takes the notes of a recorder; what comes while it tells the old ones waits."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._old: list[Note] = []
        self._waiting: deque[tuple[int, Note]] = deque()  # with how many were left out before
        self._missed = 0
        self._came = asyncio.Event()

    def __enter__(self) -> Self:
        self._old = self._recorder.notes()
        self._end = self._recorder.follow(self._take)
        return self

    def __exit__(self, *fault: object) -> None:
        self._end()

    def _take(self, note: Note) -> None:
        if len(self._waiting) >= MAX_WAITING:  # the channels do not wait for a slow reader
            self._missed += 1
            return
        self._waiting.append((self._missed, note))
        self._missed = 0
        self._came.set()

    async def heard(self, follow: bool) -> AsyncGenerator[tuple[Said, int], None]:
        """Yield messages, each with how many notes were left out before it."""
        joiner, missed, counted = Joiner(), 0, 0
        async for gap, note in self._notes(follow):
            if gap:
                joiner, missed = Joiner(), missed + gap  # pieces from before it fit nothing now
            for said in joiner.add(note):
                yield said, missed
                missed = 0
                if (counted := counted + 1) % _AT_ONCE == 0:
                    await asyncio.sleep(0)

    async def _notes(self, follow: bool) -> AsyncGenerator[tuple[int, Note], None]:
        old, self._old = self._old, []
        for note in old:
            yield 0, note
        while follow:
            while self._waiting:
                yield self._waiting.popleft()
            self._came.clear()
            await self._came.wait()
