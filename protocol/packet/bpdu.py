"""What bridges tell one another: the Spanning Tree Protocol (IEEE 802.1D-2004 9.3)."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple, Self

from ..addresses import MacAddress
from ..wire import U8, U16, U32, U64, Converted, Enum, Flags, Rest
from .header import Header, only

BRIDGE_GROUP = MacAddress(0x0180_C200_0000)  #: all bridges; none forwards it (802.1D 7.12.3)

_UNITS = 256  # of a time on the wire are a second
_ADDRESS_BITS = 48


class BpduType(IntEnum):
    """Types of bridge protocol data units (802.1D-2004 9.3)."""

    CONFIGURATION = 0x00
    RAPID = 0x02
    TOPOLOGY_CHANGE = 0x80


class BpduFlags(IntFlag):
    """Flags of a Configuration BPDU (802.1D-2004 9.3.1)."""

    TOPOLOGY_CHANGE = 1 << 0
    TOPOLOGY_CHANGE_ACK = 1 << 7


class BridgeId(NamedTuple):
    """The name of a bridge; the lowest becomes the root (802.1D-2004 9.2.5).

    >>> BridgeId(0x8000, MacAddress(9)) < BridgeId(0x8000, MacAddress(10)) < BridgeId(0x9000, 1)
    True
    """

    priority: int  #: 16 bits; of them the lower 12 are the system ID extension
    address: MacAddress | int

    @classmethod
    def of(cls, number: int) -> Self:
        """Return the bridge that 64 bits name."""
        low = number & (1 << _ADDRESS_BITS) - 1
        return cls(number >> _ADDRESS_BITS, MacAddress(low))

    def number(self) -> int:
        """Return the 64 bits; ValueError for parts that do not fit."""
        if not 0 <= self.priority < 1 << 16 or not 0 <= self.address < 1 << _ADDRESS_BITS:
            raise ValueError(f"{self!r} does not fit into 16 and 48 bits")
        return self.priority << _ADDRESS_BITS | self.address

    def __str__(self) -> str:
        return f"{self.priority:04x}.{MacAddress(self.address)}"


_BridgeId = Converted(U64, BridgeId.of, lambda bridge: BridgeId(*bridge).number())
_Time = Converted(U16, lambda units: units / _UNITS, lambda seconds: round(seconds * _UNITS))


class Bpdu(Header):
    """The part that all have (802.1D-2004 9.3); that of a topology change is no longer.

    A ConfigurationBpdu follows where that is the type.
    """

    version: int = 0  #: 2 of the Rapid Spanning Tree Protocol
    type: int = BpduType.CONFIGURATION
    payload: bytes = b""
    protocol: int = 0  #: can only be this

    layout = (
        "protocol" / only(U16, 0),
        "version"  / U8,
        "type"     / Enum(U8, BpduType),
        "payload"  / Rest,
    )  # fmt: skip


class ConfigurationBpdu(Header):
    """Which bridge is the root, and how far it is (802.1D-2004 9.3.1)."""

    root: BridgeId
    root_path_cost: int
    bridge: BridgeId  #: that sends it
    port_id: int  #: by which it sends: priority in the upper four bits, number in the others
    message_age: float = 0.0  #: seconds since the root said so; all times up to 255.99
    max_age: float = 20.0
    hello_time: float = 2.0
    forward_delay: float = 15.0
    flags: BpduFlags | int = 0
    trailer: bytes = b""  #: a short frame is filled up

    layout = (
        "flags"          / Flags(U8, BpduFlags),
        "root"           / _BridgeId,
        "root_path_cost" / U32,
        "bridge"         / _BridgeId,
        "port_id"        / U16,
        "message_age"    / _Time,
        "max_age"        / _Time,
        "hello_time"     / _Time,
        "forward_delay"  / _Time,
        "trailer"        / Rest,
    )  # fmt: skip
