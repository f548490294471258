"""What a bridge knows of one of its ports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from protocol import PortDesc
from protocol.packet import BridgeId
from protocol.ports import PortFeatures

MAX_PORT_NO = 0xFFF  #: a port's name has 12 bits for its number (802.1D-2004 9.2.7)

_PRIORITY = 0x8000  # of all ports: the default (802.1D-2004 17.14)

# What a link of a speed costs (802.1D-1998 8.10.2), the fastest first; all bits of a speed.
_COSTS = [
    (PortFeatures.RATE_1TB_FD | PortFeatures.RATE_100GB_FD | PortFeatures.RATE_40GB_FD, 1),
    (PortFeatures.RATE_10GB_FD, 2),
    (PortFeatures.RATE_1GB_FD | PortFeatures.RATE_1GB_HD, 4),
    (PortFeatures.RATE_100MB_FD | PortFeatures.RATE_100MB_HD, 19),
    (PortFeatures.RATE_10MB_FD | PortFeatures.RATE_10MB_HD, 100),
]
_COST_UNKNOWN = 19


def port_id(port_no: int) -> int:
    """Return the name of a port among those of its bridge, the lowest is the best."""
    return _PRIORITY | port_no


def path_cost(desc: PortDesc) -> int:
    """Return what it costs to go over the link of a port, by its speed."""
    speeds = desc.ethernet.curr
    return next((cost for speed, cost in _COSTS if speeds & speed), _COST_UNKNOWN)


class PortState(IntEnum):
    """What a port does with frames (802.1D-1998 8.4), numbered as in RFC 4188."""

    DISABLED = 1
    BLOCKING = 2  #: takes BPDUs only
    LISTENING = 3  #: is to forward, once all bridges had the time to object
    LEARNING = 4  #: learns who is where, and forwards nothing yet
    FORWARDING = 5


class Vector(NamedTuple):
    """What is said on a link: the lowest is the best, and stands."""

    root: BridgeId
    root_path_cost: int
    bridge: BridgeId
    port_id: int


@dataclass(slots=True)
class Port:
    """A port that takes part."""

    port_no: int
    path_cost: int
    told: Vector  #: the best that was said on its link, maybe by us
    said_at: float = 0.0  #: when the root said it, as far as we know
    state: PortState = PortState.BLOCKING
    acknowledge: bool = False  #: the next that we say takes note of a topology change
    pending: bool = False  #: what we would have said, had we not just spoken

    @property
    def port_id(self) -> int:
        """The port's name among those of its bridge."""
        return port_id(self.port_no)
