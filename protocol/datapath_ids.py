"""Numbers of switches as users write them."""

from __future__ import annotations

import re

MAX_DATAPATH_ID = 0xFFFF_FFFF_FFFF_FFFF

_HEX = re.compile(r"0x([0-9a-f]{1,16})|([0-9a-f]{16})|([0-9a-f]{2}(?::[0-9a-f]{2}){7})")
_DECIMAL = re.compile(r"s?([0-9]{1,20})")


def parse_datapath_id(text: str) -> int:
    """Read a datapath_id: decimal, as 0x1f, with 16 hex digits, colons or none, or as Mininet's s3.

    ValueError, with the cure, for what is none.

    >>> parse_datapath_id("31"), parse_datapath_id("0x1f"), parse_datapath_id("s3")
    (31, 31, 3)
    >>> parse_datapath_id("0000000000000010") == parse_datapath_id("00:00:00:00:00:00:00:10") == 16
    True
    """
    word, value = text.strip().lower(), MAX_DATAPATH_ID + 1
    if found := _HEX.fullmatch(word):
        value = int("".join(filter(None, found.groups())).replace(":", ""), 16)
    elif found := _DECIMAL.fullmatch(word):
        value = int(found[1])
    if value > MAX_DATAPATH_ID:
        raise ValueError(f"{text!r} is no datapath_id: write it as 3, 0x1f or s3")
    return value
