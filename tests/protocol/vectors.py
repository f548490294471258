"""The reader of `vectors/*.txt`: bytes with their meaning, by chapter.

    # what the message means
    OF10  FlowMod(priority=100)
          01 0e 0048 00000000
          …

A `~` before the expression says that the bytes are another spelling of the same meaning
than ours, as OF1.0's match allows: then only what they mean is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import protocol
from protocol import Message, Version

DIRECTORY = Path(__file__).parent / "vectors"
_NAMES = {name: getattr(protocol, name) for name in protocol.__all__}


class Vector(NamedTuple):
    """A message in its words and in its bytes."""

    place: str  #: file and line
    meaning: str
    version: Version
    expression: str
    data: bytes
    our_spelling: bool

    def message(self) -> Message:
        """Return a fresh value of what the expression says."""
        value = eval(self.expression, dict(_NAMES))  # our own file, nobody's input
        assert isinstance(value, Message)
        return value


def read_vectors() -> Iterator[Vector]:
    """Return the vectors of all chapters."""
    for path in sorted(DIRECTORY.glob("*.txt")):
        yield from _read(path)


def _read(path: Path) -> Iterator[Vector]:
    meaning = ""
    lines = list(enumerate(path.read_text().splitlines(), 1))
    while lines:
        number, line = lines.pop(0)
        if line.startswith("#"):
            meaning = line.removeprefix("#").strip()
        elif line.strip():
            version, expression = line.split(maxsplit=1)
            rows = []
            while lines and lines[0][1].startswith(" "):
                rows.append(lines.pop(0)[1])
            yield Vector(
                f"{path.name}:{number}",
                meaning,
                Version.parse(version),
                expression.removeprefix("~").strip(),
                bytes.fromhex(" ".join(rows)),
                not expression.startswith("~"),
            )
