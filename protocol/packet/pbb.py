"""The service tag of provider backbone bridges (IEEE 802.1ah)."""

from __future__ import annotations

from ..wire import U32, Bits, Rest
from .header import Header


class Pbb(Header):
    """An I-TAG behind the EtherType that announces it (IEEE 802.1Q 9.7); a frame follows."""

    isid: int  #: service instance identifier
    pcp: int = 0
    dei: int = 0
    uca: int = 0  #: use customer addresses
    reserved: int = 0
    payload: bytes = b""

    layout = (
        Bits(U32, pcp=3, dei=1, uca=1, reserved=3, isid=24),
        "payload" / Rest,
    )  # fmt: skip
