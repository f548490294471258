"""The reader of `nicira/vectors/*.txt` and `onf/vectors/*.txt`.

They are written as the vectors of the specification are; an expression may be a message,
or a tuple of actions. A comment that begins with `ovs-ofctl` is the command that says the
message; a test asks it again.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import protocol
from protocol import Message, Version, nicira, onf
from protocol.actions import Action, ActionShape
from protocol.compiler import codec
from protocol.oxm import OptionValue
from protocol.record import Record, build_shape, parse_shape

PLACES = [Path(__file__).parent / name / "vectors" for name in ("nicira", "onf")]


def _names() -> dict[str, Any]:
    """Return the names of all chapters of the specification, and the extensions by chapter."""
    chapters = [
        module
        for name, module in sys.modules.items()
        if name.startswith("protocol.") and name.count(".") == 1
    ]
    names: dict[str, Any] = {}
    for module in chapters:
        names |= {n: v for n, v in vars(module).items() if isinstance(v, type)}
    names |= {name: getattr(protocol, name) for name in protocol.__all__}
    return names | {"nicira": nicira, "onf": onf, "OptionValue": OptionValue}


class Actions(Record):
    """Actions alone."""

    actions: tuple[Action, ...] = ()
    layout = ("actions" / ActionShape,)


class Vector(NamedTuple):
    """A message, or actions, in words and in bytes."""

    place: str
    meaning: str
    version: Version
    expression: str
    data: bytes

    def value(self) -> Record:
        """Return a fresh value of what the expression says."""
        value = eval(self.expression, _names())  # our own file, nobody's input
        if isinstance(value, tuple):
            return Actions(value)
        assert isinstance(value, Message)
        return value

    def decoded(self, data: bytes | None = None) -> Record:
        """Read the bytes as a peer's are read."""
        data = self.data if data is None else data
        if self.is_message:
            return Message.decode(data)
        return protocol.compiler.read(Actions, self.version, data, headed=False)

    @property
    def is_message(self) -> bool:
        """Whether these are not actions alone."""
        return not self.expression.startswith("(")


def encoded(value: Record, version: Version) -> bytes:
    """Return the bytes that the compiled form writes."""
    given = [value.xid] if isinstance(value, Message) else []
    return codec(type(value), version, _headed(value)).encode(value, *given)


def compiled(cls: type[Record], version: Version, data: bytes) -> Any:
    """Return what the compiled form reads."""
    return codec(cls, version, cls is not Actions).decode(data, 0, len(data))


def interpreted(cls: type[Record], version: Version, data: bytes) -> Any:
    """Return what the reference form reads."""
    return parse_shape(cls.at(version, cls is not Actions), io.BytesIO(data), {}, "")


def built(value: Record, version: Version) -> bytes:
    """Return the bytes that the reference form writes."""
    return build_shape(type(value).at(version, _headed(value)), value, {}, "")


def _headed(value: Record) -> bool:
    return not isinstance(value, Actions)


def read_vectors(*places: Path) -> Iterator[Vector]:
    """Return the vectors of these directories, of all where none is named."""
    for place in places or PLACES:
        for path in sorted(place.glob("*.txt")):
            yield from _read(path)


def _read(path: Path) -> Iterator[Vector]:
    meaning, lines = "", list(enumerate(path.read_text().splitlines(), 1))
    while lines:
        number, line = lines.pop(0)
        if line.startswith("#"):
            meaning = line.removeprefix("#").strip()
        elif line.strip():
            version, expression = line.split(maxsplit=1)
            rows = []
            while lines and lines[0][1].startswith(" "):
                rows.append(lines.pop(0)[1])
            data = bytes.fromhex(" ".join(rows))
            place = f"{path.parent.parent.name}/{path.name}:{number}"
            yield Vector(place, meaning, Version.parse(version), expression, data)
