"""When the first of many things is due, kept: it is asked for far more often than it changes."""

from __future__ import annotations

from collections.abc import Iterable


class Soonest:
    """The minimum of what things tell when they are asked; they say when it may have changed."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._is_known = True

    def hear(self, at: float) -> None:
        """Take note that something is due at `at`."""
        if self._is_known and (self._at is None or at < self._at):
            self._at = at

    def forget(self) -> None:
        """Take note that something will not be due when it was to be, or later."""
        self._is_known = False

    def among(self, times: Iterable[float | None]) -> float | None:
        """Return the minimum, for which `times` are only gone through where it is not known."""
        if not self._is_known:
            self._at = min((at for at in times if at is not None), default=None)
            self._is_known = True
        return self._at
