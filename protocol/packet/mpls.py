"""Labels of Multiprotocol Label Switching (RFC 3032)."""

from __future__ import annotations

from ..wire import U32, Bits, Rest
from .header import Header


class Mpls(Header):
    """One entry of the label stack (RFC 3032 2.1 "Encoding the Label Stack")."""

    label: int
    tc: int = 0  #: traffic class (RFC 5462)
    bos: int = 1  #: bottom of stack; `build` clears it below another label
    ttl: int = 64
    payload: bytes = b""

    layout = (
        Bits(U32, label=20, tc=3, bos=1, ttl=8),
        "payload" / Rest,
    )  # fmt: skip
