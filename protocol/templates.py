"""Bytes that differ in a few numbers only: what puts these in, as fast as Python can."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .oxm_readers import CODES
from .ready import TEMPLATE

Filled = Callable[..., bytes]  #: numbers -> the bytes with them; struct.error or TypeError


class Slot(NamedTuple):
    """Where one of the numbers goes."""

    start: int
    size: int  #: in bytes, as CODES has them
    which: int  #: of the numbers, the first is 0
    factor: int = 1  #: by which it is multiplied
    limit: int | None = None  #: which it must be below


def template(empty: bytes, count: int, slots: Sequence[Slot]) -> Filled:
    """Return what takes `count` numbers and puts some of them into `empty`.

    The slots stand in the order of their places. What it returns raises TypeError or
    struct.error for what is no number, or one that has no room.
    """
    made: Filled
    if TEMPLATE is not None and all(slot.size <= 8 for slot in slots):
        made = TEMPLATE(empty, count, slots)
        return made
    codes, values, at = [">"], list[str](), 0
    for slot in slots:
        parts, shares, _ = CODES[slot.size]
        codes.append(f"{slot.start - at}s{parts}")
        name = f"v{slot.which}"
        number = name if slot.limit is None else f"({name} if {name} < {slot.limit} else None)"
        product = f"{number} * {slot.factor}" if slot.factor > 1 else number
        values += [repr(empty[at : slot.start]), *(share.format(product) for share in shares)]
        at = slot.start + slot.size
    pack = struct.Struct(f"{''.join(codes)}{len(empty) - at}s").pack
    variables, packed = ", ".join(f"v{n}" for n in range(count)), ", ".join([*values, "rest"])
    source = f"lambda {variables}: pack({packed})"
    made = eval(source, {"pack": pack, "rest": empty[at:]})  # our own tables, nobody's input
    return made
