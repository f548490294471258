"""The one switch that `--port` and `--datapath-id` describe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .interfaces import TAP
from .network import Topology, TopologyBuilder

NAME = "s1"
MAX_PORT_NO = 0xFEFF  #: all versions have a word for it; OF1.0's reserved ports begin behind
DEFAULT_DATAPATH_ID = 1


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


def one_switch(datapath_id: int) -> Topology:
    """Return the topology of a switch whose ports all lead outside; ValueError for the number 0."""
    if not datapath_id:
        raise ValueError("a switch cannot have the datapath_id 0: write 1 or any other number")
    builder = TopologyBuilder()
    builder.switch(NAME, datapath_id)
    return builder.build()
