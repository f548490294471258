"""What the controller takes of a processor while it is measured."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .course import Phase
from .processes import Progress

_UTIME, _STIME = 11, 12  # of /proc/PID/stat, counted behind the name (proc_pid_stat(5))


def processor_seconds(pid: int) -> float | None:
    """Return what a process used of processors so far; None where that is not told."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks at a process when it begins to be measured, and when that ends."""

    def __init__(self, show: Callable[[list[Progress]], None], pid: int | None) -> None:
        self.spent: float | None = None
        self._show, self._pid = show, pid
        self._began: float | None = None

    def show(self, found: list[Progress]) -> None:
        """Look at how far all processes are, and pass it on."""
        self._show(found)
        if self._pid is None or not found:
            return
        measuring = found[0].phase is Phase.MEASURING
        if measuring and self._began is None:
            self._began = processor_seconds(self._pid)
        elif not measuring and self._began is not None and self.spent is None:
            ended = processor_seconds(self._pid)
            self.spent = None if ended is None else ended - self._began
