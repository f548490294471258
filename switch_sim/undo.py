"""How to take back what was done, where several changes are made together or not at all."""

from __future__ import annotations

from collections.abc import Callable


class UndoLog:
    """The way back; it is written only while something may have to be taken back.

    Whoever changes what outlives a message notes the opposite:

        table.add(entry)
        undo.note(lambda: table.remove(entry))
    """

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a way back is asked for."""
        return self._steps is not None

    def note(self, step: Callable[[], object]) -> None:
        """Remember how to take a change back, if that may be asked for."""
        if self._steps is not None:
            self._steps.append(step)

    def begin(self) -> None:
        """Remember from now on."""
        self._steps = []

    def keep(self) -> None:
        """Let the changes stay."""
        self._steps = None

    def roll_back(self) -> None:
        """Take the changes back, the last one first."""
        steps, self._steps = self._steps or [], None
        for step in reversed(steps):
            step()
