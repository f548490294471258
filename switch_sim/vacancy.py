"""When a table tells how much room it has (OF1.4.1 7.3.4.1 "Modify Flow Table Message")."""

from __future__ import annotations

from protocol.tables import TableReason


class Vacancy:
    """Two thresholds in percent; passing one makes the other the next to be told.

    So a table that is filled and emptied around one threshold tells of it once.
    """

    def __init__(self, vacancy_down: int, vacancy_up: int, free: int, size: int) -> None:
        self.vacancy_down, self.vacancy_up = vacancy_down, vacancy_up
        #: Which of the two is told next.
        self.is_up_next = free * 100 < vacancy_up * size

    def passed(self, free: int, size: int) -> TableReason | None:
        """Return what is to be told where `free` of `size` entries can be added, if anything."""
        if self.is_up_next and free * 100 > self.vacancy_up * size:
            self.is_up_next = False
            return TableReason.VACANCY_UP
        if not self.is_up_next and free * 100 < self.vacancy_down * size:
            self.is_up_next = True
            return TableReason.VACANCY_DOWN
        return None


def percent(free: int, size: int) -> int:
    """Return the room as tables describe it."""
    return free * 100 // size if size else 0
