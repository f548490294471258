"""Logical Link Control: what frames carry whose type field holds a length (IEEE 802.2)."""

from __future__ import annotations

from enum import IntEnum

from ..wire import U8, Enum, Rest
from .header import Header


class LlcSap(IntEnum):
    """Who is spoken to, and who speaks (IEEE "LLC Address" numbers)."""

    NULL = 0x00
    SPANNING_TREE = 0x42
    SNAP = 0xAA


class Llc(Header):
    """The header of an unnumbered frame; others have a longer control field (IEEE 802.2 3.2)."""

    dsap: int = LlcSap.SPANNING_TREE
    ssap: int = LlcSap.SPANNING_TREE
    control: int = 0x03  #: unnumbered information
    payload: bytes = b""  #: a short frame is filled up with zeros

    layout = (
        "dsap"    / Enum(U8, LlcSap),
        "ssap"    / Enum(U8, LlcSap),
        "control" / U8,
        "payload" / Rest,
    )  # fmt: skip
