"""VLAN tags (IEEE 802.1Q), customer and service ones."""

from __future__ import annotations

from ..wire import U16, Bits, Enum, Rest
from .ethernet import EthType
from .header import Header


class Vlan(Header):
    """A tag behind the EtherType that announces it (IEEE 802.1Q 9.6).

    The EtherType below says which tag it is: VLAN, or SERVICE_VLAN for the outer one of two.
    """

    vid: int
    pcp: int = 0  #: priority code point
    dei: int = 0  #: drop eligible indicator
    eth_type: int = 0  #: of what follows
    payload: bytes = b""

    layout = (
        Bits(U16, pcp=3, dei=1, vid=12),
        "eth_type" / Enum(U16, EthType),
        "payload"  / Rest,
    )  # fmt: skip
