"""What the switch does with each message, by chapter. To be imported is to be registered."""

from . import (
    bundles,
    configuration,
    controllers,
    flows,
    groups,
    meters,
    monitors,
    nicira,
    nicira_flows,
    packets,
    ports,
    queues,
    tables,
)

__all__ = [
    "bundles",
    "configuration",
    "controllers",
    "flows",
    "groups",
    "meters",
    "monitors",
    "nicira",
    "nicira_flows",
    "packets",
    "ports",
    "queues",
    "tables",
]
