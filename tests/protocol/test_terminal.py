"""What commands write to the terminal."""

from __future__ import annotations

import logging

from protocol.transport.terminal import Lines

FORM = "%(asctime)s %(levelname)s %(message)s"


def test_lines_of_the_log_begin_with_the_time_as_everywhere() -> None:
    lines, usual = Lines(FORM), logging.Formatter(FORM)
    for created in (1e9 + 0.9999, 1e9 + 1, 1e9 + 1.25, 1e9 + 1.5, 1e9):
        record = logging.LogRecord("controller", logging.INFO, "", 0, "%d ports", (5,), None)
        record.created, record.msecs = created, created % 1 * 1000
        assert lines.format(record) == usual.format(record)
