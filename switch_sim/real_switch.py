"""The one switch that `--port` and `--datapath-id` describe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .interfaces import TAP
from .network import Topology, TopologyBuilder
from .network.topology import MAX_DATAPATH_ID

NAME = "s1"
MAX_PORT_NO = 0xFEFF  #: all versions have a word for it; OF1.0's reserved ports begin behind
DEFAULT_DATAPATH_ID = 1

_HEX_ID = re.compile(r"[0-9a-f]{16}|[0-9a-f]{2}(:[0-9a-f]{2}){7}", re.IGNORECASE)


class RealPort(NamedTuple):
    """A port, and the interface that it shall be."""

    port_no: int
    interface: str  #: a name, or `tap:NAME`


def parse_ports(texts: Iterable[str]) -> tuple[RealPort, ...]:
    """Read `NUMBER=INTERFACE` of each port; ValueError, with the cure, for what cannot be.

    >>> parse_ports(["2=tap:t2", "1=veth1"])
    (RealPort(port_no=1, interface='veth1'), RealPort(port_no=2, interface='tap:t2'))
    """
    ports = sorted(map(_parse_port, texts))
    _differ("number", [str(port.port_no) for port in ports])
    _differ("interface", [port.interface.removeprefix(TAP) for port in ports])
    return tuple(ports)


def _differ(what: str, values: Sequence[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"two ports have the {what} {value}: give each its own")


def _parse_port(text: str) -> RealPort:
    number, _, interface = text.partition("=")
    if not (number.isascii() and number.isdigit() and interface):
        raise ValueError(f"{text!r} is no port: write --port 1=eth1, or --port 1=tap:NAME")
    if len(number) > 6 or not 0 < int(number) <= MAX_PORT_NO:
        raise ValueError(
            f"{text!r} has a port number outside of 1 to {MAX_PORT_NO}: choose another"
        )
    return RealPort(int(number), interface)


def parse_datapath_id(text: str) -> int:
    """Read 64 bits as decimal digits, as 0x…, or as 16 hex digits, with colons or without.

    >>> parse_datapath_id("10"), parse_datapath_id("0000000000000010")
    (10, 16)
    >>> parse_datapath_id("00:00:00:00:00:00:00:2a") == parse_datapath_id("0x2a") == 42
    True
    """
    try:
        if _HEX_ID.fullmatch(text):
            value = int(text.replace(":", ""), 16)
        else:
            value = int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        value = -1
    if not 0 < value <= MAX_DATAPATH_ID:
        raise ValueError(f"{text!r} is no datapath_id: write 1, 0x1 or 0000000000000001")
    return value


def one_switch(datapath_id: int) -> Topology:
    """Return the topology of a switch whose ports all lead outside."""
    builder = TopologyBuilder()
    builder.switch(NAME, datapath_id)
    return builder.build()
