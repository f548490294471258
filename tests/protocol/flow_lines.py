"""The flows of `flows.txt`, one a line."""

from __future__ import annotations

from pathlib import Path

LINES = [
    line
    for line in (Path(__file__).parent / "flows.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
