"""Bytes that differ in a few numbers only: what puts these in, as fast as Python can."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .oxm_readers import CODES
from .ready import TEMPLATE

#: Takes numbers by their names, and returns the bytes with them; struct.error or TypeError
Filled = Callable[[Mapping[str, Any]], bytes]


class Slot(NamedTuple):
    """Where one of the numbers goes."""

    start: int
    size: int  #: in bytes, as CODES has them
    name: str  #: of the number
    factor: int = 1  #: by which it is multiplied
    limit: int | None = None  #: which it must be below

    def shares(self, variable: str) -> Iterator[str]:
        """Yield the expressions of what is packed, of numbers `f`; they use a variable."""
        shares, number = CODES[self.size].shares, f"f[{self.name!r}]"
        if self.limit is not None:
            number = f"({variable} if ({variable} := {number}) < {self.limit} else None)"
        elif len(shares) > 1:
            number = f"({variable} := {number})"
        for share in shares:
            yield share.format(f"{number} * {self.factor}" if self.factor > 1 else number)
            number = variable


def template(empty: bytes, slots: Sequence[Slot]) -> Filled:
    """Return what takes numbers and puts some of them into `empty`.

    The slots stand in the order of their places. What it returns raises TypeError or
    struct.error for what is no number, or one that has no room.
    """
    made: Filled
    if TEMPLATE is not None and all(slot.size <= 8 for slot in slots):
        made = TEMPLATE(empty, slots).fill  # a method is called in less time than an object
        return made
    codes, values, at = [">"], list[str](), 0
    for number, slot in enumerate(slots):
        codes.append(f"{slot.start - at}s{CODES[slot.size].parts}")
        values += [repr(empty[at : slot.start]), *slot.shares(f"v{number}")]
        at = slot.start + slot.size
    pack = struct.Struct(f"{''.join(codes)}{len(empty) - at}s").pack
    source = f"lambda f: pack({', '.join([*values, 'rest'])})"
    made = eval(source, {"pack": pack, "rest": empty[at:]})  # our own tables, nobody's input
    return made
