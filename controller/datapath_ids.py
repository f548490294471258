"""Numbers of switches as users write them."""

from __future__ import annotations


def parse_datapath_id(text: str) -> int:
    """Read a switch's number: hex as in 0x1f or with 16 digits, decimal, or s3 as Mininet has it.

    ValueError, with the cure, for what is none.

    >>> parse_datapath_id("s3"), parse_datapath_id("0x1f"), parse_datapath_id("000000000000001f")
    (3, 31, 31)
    """
    word = text.strip().lower()
    try:
        if word.startswith("s"):
            return int(word[1:])
        return int(word, 16 if len(word) == 16 else 0)
    except ValueError:
        cure = "write it as 3, 0x1f or s3"
        raise ValueError(f"{text!r} is no datapath_id: {cure}") from None
