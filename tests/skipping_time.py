"""An event loop for tests that skips the time in which nothing happens.

What waits for a timer of a minute waits a millisecond, as soon as no socket has anything to
read: that much real time is left to bytes on their way within this machine.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

GRACE = 0.001  # seconds of real time before any are skipped


class _Selector(selectors.DefaultSelector):
    """Waits for sockets as long as it must, and for timers no longer than `GRACE`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_skipping = False
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if not self.is_skipping or timeout is None or timeout <= GRACE:
            return super().select(timeout)
        found = super().select(GRACE)
        if not found:
            self.skipped += timeout - GRACE
        return found


class SkippingLoop(asyncio.SelectorEventLoop):
    """The loop; its clock runs as usual until `skipping`."""

    def __init__(self) -> None:
        self._waiting = _Selector()
        super().__init__(self._waiting)

    def time(self) -> float:
        """Return the seconds that passed, with those that were skipped."""
        return super().time() + self._waiting.skipped

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Skip idle time within the block."""
        self._waiting.is_skipping = True
        try:
            yield
        finally:
            self._waiting.is_skipping = False


def run_skipping(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on such a loop."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(main)


def skipping() -> Any:
    """Skip idle time of the running loop within the block."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    return loop.skipping()
