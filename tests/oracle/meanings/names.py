"""Which names of numbers and flags a version has."""

from __future__ import annotations

from typing import Any

from protocol import (
    Version,
)
from protocol.version import OF10, OF11, OF12, OF13, OF14, OF15

#: Names of numbers and flags that not all versions have, with the first and the last one.
ONLY_IN: dict[str, tuple[Version, Version]] = {
    **dict.fromkeys(
        ("PortConfig.NO_STP", "PortConfig.NO_RECV_STP", "PortConfig.NO_FLOOD"), (OF10, OF10)
    ),
    **dict.fromkeys(("PortState.STP_LEARN", "PortState.STP_FORWARD"), (OF10, OF10)),
    **dict.fromkeys(("PortState.BLOCKED", "PortState.LIVE"), (OF11, OF15)),
    **dict.fromkeys(
        tuple(
            f"PortFeatures.{n}" for n in ("RATE_40GB_FD", "RATE_100GB_FD", "RATE_1TB_FD", "OTHER")
        ),
        (OF11, OF15),
    ),
    "FlowModFlags.RESET_COUNTS": (OF12, OF15),
    "FlowModFlags.NO_PKT_COUNTS": (OF13, OF15),
    "FlowModFlags.NO_BYT_COUNTS": (OF13, OF15),
    "FlowModFlags.EMERG": (OF10, OF10),
    "FlowRemovedReason.GROUP_DELETE": (OF11, OF15),
    "FlowRemovedReason.METER_DELETE": (OF14, OF15),
    "FlowRemovedReason.EVICTION": (OF14, OF15),
    "PacketInReason.INVALID_TTL": (OF12, OF15),
    "PacketInReason.ACTION_SET": (OF14, OF15),
    "PacketInReason.GROUP": (OF14, OF15),
    "PacketInReason.PACKET_OUT": (OF14, OF15),
    "Capabilities.GROUP_STATS": (OF11, OF15),
    "Capabilities.ARP_MATCH_IP": (OF10, OF11),
    "Capabilities.PORT_BLOCKED": (OF12, OF15),
    "Capabilities.BUNDLES": (OF14, OF15),
    "Capabilities.FLOW_MONITORING": (OF14, OF15),
    "Capabilities.STP": (OF10, OF10),
    "ConfigFlags.INVALID_TTL_TO_CONTROLLER": (OF11, OF12),
    "TableConfig.TABLE_MISS_CONTINUE": (OF11, OF12),
    "TableConfig.TABLE_MISS_DROP": (OF11, OF12),
    "TableConfig.EVICTION": (OF14, OF15),
    "TableConfig.VACANCY_EVENTS": (OF14, OF15),
    "GroupModCommand.INSERT_BUCKET": (OF15, OF15),
    "GroupModCommand.REMOVE_BUCKET": (OF15, OF15),
    "BundleFlags.TIME": (OF15, OF15),
}


def exists(name: Any, version: Version) -> bool:
    """Whether a version has this name of a number, or this flag."""
    first, last = ONLY_IN.get(f"{type(name).__name__}.{name.name}", (OF10, OF15))
    return first <= version <= last


def is_foreign(cls: type) -> bool:
    """Whether a member of a family is an experimenter's."""
    return cls.__name__.startswith("Experimenter")
