"""Which asynchronous messages there are, and which a controller gets unless it says otherwise.

A mask has a bit for each reason of a message (OF1.3.5 7.3.10 "Set Asynchronous
Configuration Message").
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    FlowRemovedReason,
    PacketInReason,
    PortReason,
    Version,
)
from protocol.async_config import ASYNC_PROPERTIES
from protocol.flows import FlowStatsReason
from protocol.roles import ControllerStatusReason, RoleReason
from protocol.tables import TableReason

GROUP_MOD, METER_MOD = 0, 1  #: the reasons of a requestforward

_REASONS: dict[str, Iterable[int]] = {
    "packet_in": PacketInReason,
    "port_status": PortReason,
    "flow_removed": FlowRemovedReason,
    "role_status": RoleReason,
    "table_status": TableReason,
    "requestforward": (GROUP_MOD, METER_MOD),
    "flow_stats": FlowStatsReason,
    "controller_status": ControllerStatusReason,
}
_FIRST = dict.fromkeys(_REASONS, OF14) | {
    "packet_in": OF10,
    "port_status": OF10,
    "flow_removed": OF10,
    "flow_stats": OF15,
    "controller_status": OF15,
}
_BITS = 32
# Reasons from which on a version knows none.
_LAST = {
    ("packet_in", OF10): PacketInReason.INVALID_TTL,
    ("packet_in", OF11): PacketInReason.ACTION_SET,
    ("packet_in", OF12): PacketInReason.ACTION_SET,
    ("packet_in", OF13): PacketInReason.ACTION_SET,
    ("flow_removed", OF10): FlowRemovedReason.GROUP_DELETE,
    ("flow_removed", OF11): FlowRemovedReason.METER_DELETE,
    ("flow_removed", OF12): FlowRemovedReason.METER_DELETE,
    ("flow_removed", OF13): FlowRemovedReason.METER_DELETE,
}


@cache
def known_mask(kind: str, version: Version) -> int:
    """Return the mask of all reasons that a version has for a message."""
    if version < _FIRST[kind]:
        return 0
    last = _LAST.get((kind, version), _BITS)
    return sum(1 << reason for reason in _REASONS[kind] if reason < last)


@cache
def default_masks(version: Version) -> dict[str, int]:
    """Return what a controller gets at first: never to be changed in place.

    All of it; a slave, changes of ports and of itself only (OF1.3.5 6.3.5 "Multiple
    Controllers"). Packets with an invalid TTL want to be asked for: in OF1.1 and OF1.2 by a
    flag of the switch, afterwards by a mask.
    """
    masks = {}
    for name in ASYNC_PROPERTIES:
        kind, _, role = name.rpartition("_")
        wanted = role == "master" or kind in ("port_status", "role_status", "controller_status")
        masks[name] = known_mask(kind, version) if wanted else 0
    if version not in (OF11, OF12):
        masks["packet_in_master"] &= ~(1 << PacketInReason.INVALID_TTL)
    return masks


def reason_in(kind: str, reason: int, version: Version) -> int:
    """Return the reason of a message in a version's words.

    Until OF1.4 told more, all that an action sent was ACTION; of an entry that went for a
    reason without a name, DELETE is said.
    """
    if known_mask(kind, version) >> reason & 1:
        return reason
    if kind == "flow_removed":
        return FlowRemovedReason.DELETE
    if kind == "packet_in" and reason > PacketInReason.INVALID_TTL:
        return PacketInReason.ACTION
    return reason
