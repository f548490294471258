"""What the switch does with each message, by chapter. To be imported is to be registered."""

from . import configuration, flows, packets, ports, tables

__all__ = ["configuration", "flows", "packets", "ports", "tables"]
