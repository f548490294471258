"""How long a handler may take until others do not wait for it, and until it is named."""

from __future__ import annotations

YIELD_TIME = 1.0  #: seconds after which a handler that does not end holds up no others
HANG_TIME = 15.0  #: and after which it is named: longer than a request may take


class Patience:
    """The patience with the handlers of one worker."""

    __slots__ = ("_named", "_since", "dropped", "is_over", "running")

    def __init__(self) -> None:
        self.running = ""  #: the handler that has not ended yet
        self.dropped = 0  #: events for which there was no room since others do not wait
        self.is_over = False  #: whether others do not wait for it any more
        self._since = 0.0
        self._named = False

    def begin(self, handler: str, now: float) -> None:
        """A handler begins."""
        self.running, self._since = handler, now

    def end(self) -> None:
        """It ended."""
        self.running, self.dropped, self.is_over, self._named = "", 0, False, False

    def is_just_over(self, now: float) -> bool:
        """Return whether others need not wait any more, once for each handler that runs."""
        if not self.running or self.is_over or now - self._since < YIELD_TIME:
            return False
        self.is_over = True
        return True

    def hangs(self, now: float) -> bool:
        """Return whether the handler is to be named, once for each that runs."""
        if not self.running or self._named or now - self._since < HANG_TIME:
            return False
        self._named = True
        return True
