"""What each byte of a message is, read off the declarations.

`explain(data)` tells each field with its place, its value and the specification's name for
it. Of a broken message it tells all up to the byte where it broke, and the error to answer
with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .exceptions import DecodeError
from .message import Message
from .spec_names import value_name
from .version import Version
from .walk import VERSIONS, Broken, Part, Walker


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the bytes of a message are; `message` or `error` is None."""

    data: bytes
    version: Version | None
    parts: tuple[Part, ...]
    message: Message | None
    error: DecodeError | None
    broken_at: int | None  #: the byte from which on nothing is understood

    def leaves(self) -> Iterator[Part]:
        """Return the parts that have bytes of their own, in order."""
        return (part for part in self.parts if not part.whole)


def explain(data: bytes) -> Explanation:
    """Return what each byte of a message is, as far as it can be understood.

    >>> [part.name for part in explain(bytes.fromhex("04 02 000b 00000007 616263")).leaves()]
    ['version', 'type', 'length', 'xid', 'data']
    """
    walker = Walker(data)
    message, error = _decoded(data)
    broken_at: int | None = None
    try:
        end = walker.message(0, len(data), 0)
        if end < len(data):
            broken_at = end
    except Broken as broken:
        broken_at = broken.at
    if error is not None and broken_at is None:
        broken_at = _place_of(error, walker.parts, len(data))
    parts = _with_rest(walker.parts, data, broken_at)
    version = VERSIONS.get(data[0]) if data else None
    return Explanation(data, version, parts, message, error, broken_at)


def _decoded(data: bytes) -> tuple[Message | None, DecodeError | None]:
    try:
        return Message.decode(data), None
    except DecodeError as error:
        return None, error


def _place_of(error: DecodeError, parts: list[Part], end: int) -> int:
    """Return where the field is that an error names."""
    found = [part.start for part in parts if part.path == error.path]
    return found[-1] if found else end


def _with_rest(parts: list[Part], data: bytes, broken_at: int | None) -> tuple[Part, ...]:
    """Leave out what stands behind the break, and show the bytes there as they are."""
    if broken_at is None:
        return tuple(parts)
    kept = [part for part in parts if part.start < broken_at]
    at = max((part.end for part in kept if not part.whole), default=0)
    if at < len(data):
        kept.append(Part(at, len(data), 0, "", "?", "bytes", "not read"))
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a dump."""

    offset: str
    hex: str
    name: str
    value: str
    meaning: str


BYTES_IN_ROW = 8


def rows(explanation: Explanation) -> Iterator[Row]:
    """Return the lines of a dump: each byte once, and a line for each record."""
    for part in explanation.parts:
        indent = "  " * part.depth
        if part.whole:
            yield Row("", "", f"{indent}{part.name}", "", part.meaning or part.kind)
            continue
        raw = explanation.data[part.start : part.end]
        name, value, meaning = part.name or part.kind, part.value, part.meaning
        for at in range(0, max(len(raw), 1), BYTES_IN_ROW):
            chunk = raw[at : at + BYTES_IN_ROW].hex(" ")
            yield Row(f"{part.start + at:04x}", chunk, f"{indent}{name}", value, meaning)
            name = value = meaning = ""


def dump(explanation: Explanation) -> str:
    """Return the explanation as text, a line for each field.

    >>> print(dump(explain(bytes.fromhex("01 00 0008 00000001"))))
    OFPT_HELLO (xid=0x1):
    <BLANKLINE>
                                   Hello                           OFPT_HELLO
    0000  01                         version                       1  OpenFlow 1.0
    0001  00                         type                          0  OFPT_HELLO
    0002  00 08                      length                        8
    0004  00 00 00 01                xid                           1
    """
    lines = [headline(explanation), ""]
    lines += [_line(row) for row in rows(explanation)]
    if explanation.error is not None:
        lines += ["", verdict(explanation)]
    return "\n".join(lines)


def _line(row: Row) -> str:
    width = 3 * BYTES_IN_ROW
    said = "  ".join(part for part in (row.value, row.meaning) if part)
    return f"{row.offset:4}  {row.hex:{width}} {row.name:30}  {said}".rstrip()


def headline(explanation: Explanation) -> str:
    """Return the message as one line, or that it is broken."""
    if explanation.message is not None:
        return str(explanation.message)
    version = f"OpenFlow {explanation.version}" if explanation.version else "no OpenFlow"
    return f"a broken message of {version}, {len(explanation.data)} bytes"


def verdict(explanation: Explanation) -> str:
    """Return what is wrong with a broken message, where, and what to answer."""
    error = explanation.error
    if error is None:
        return ""
    where = f" at byte {explanation.broken_at}" if explanation.broken_at is not None else ""
    path = f" ({error.path})" if error.path else ""
    answer = f"; answer with {value_name(error.code)}" if error.code is not None else ""
    return f"broken{where}{path}: {error.reason}{answer}"
