"""What commands write to the terminal."""

from __future__ import annotations

import logging

from protocol.transport.terminal import Lines

USUAL = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


def told(created: float, fault: BaseException | None = None) -> logging.LogRecord:
    """Return what a log is told at a time."""
    exc_info = (type(fault), fault, fault.__traceback__) if fault else None
    record = logging.LogRecord("controller", logging.INFO, "", 0, "%d ports", (5,), exc_info)
    record.created, record.msecs = created, created % 1 * 1000
    return record


def test_lines_of_the_log_begin_with_the_time_as_everywhere() -> None:
    lines = Lines()
    for created in (1e9 + 0.9999, 1e9 + 1, 1e9 + 1.25, 1e9 + 1.5, 1e9):
        assert lines.format(told(created)) == USUAL.format(told(created))


def test_behind_a_line_of_the_log_stands_what_was_raised() -> None:
    try:
        raise ValueError("too many ports")
    except ValueError as error:
        line = Lines().format(told(1e9, error))
    assert line.splitlines()[-1] == "ValueError: too many ports"
    assert "Traceback" in line.splitlines()[1]
