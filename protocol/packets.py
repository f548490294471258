"""Packets on their way: packet_in to the controller, packet_out from it."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import ClassVar

from .actions import Action, ActionShape
from .match import Match, OxmMatch
from .message import Message, message
from .ports import Port, PortNo
from .version import OF10, OF11, OF12, OF13, OF14, OF15
from .wire import (
    U8,
    U16,
    U32,
    U64,
    Converted,
    Enum,
    Layout,
    Pad,
    Rest,
    SizeOf,
    between,
    by_version,
    since,
    until,
)

NO_BUFFER = 0xFFFF_FFFF  #: the buffer_id of a packet that the switch does not keep

_MATCHES_MAX = 4096  # of one port each, kept ready


class _MatchesOfPorts(dict[int, Match]):
    """By its number the match of a port alone, made when first needed."""

    def __missing__(self, in_port: int) -> Match:
        if len(self) >= _MATCHES_MAX:
            self.clear()
        match = self[in_port] = Match.unchecked({"in_port": in_port})
        return match


match_of_port: Callable[[int], Match] = _MatchesOfPorts().__getitem__


def _port_of_match(match: Match) -> int:
    fields = match._fields
    if len(fields) != 1 or "in_port" not in fields:
        raise ValueError("the match must be of in_port alone in this version")
    return fields["in_port"]  # type: ignore[return-value]  # other values are no port's number


_PortMatch = Converted(PortNo, match_of_port, _port_of_match, recurs=True)


def match_of_ports(ports: int) -> Match:
    in_port, in_phy_port = ports >> 32, ports & 0xFFFF_FFFF
    if in_phy_port == in_port:
        return match_of_port(in_port)
    return Match.unchecked({"in_port": in_port, "in_phy_port": in_phy_port})


def _ports_of_match(match: Match) -> int:
    in_port = match.number("in_port")
    if in_port is None or match.keys() - {"in_port", "in_phy_port"}:
        raise ValueError("the match must be of in_port and in_phy_port in OpenFlow 1.1")
    in_phy_port = match.number("in_phy_port")
    return in_port << 32 | (in_port if in_phy_port is None else in_phy_port)


class PacketInReason(IntEnum):
    """Why the controller gets a packet. From ACTION_SET on since OF1.4."""

    NO_MATCH = 0  #: since OF1.4 TABLE_MISS
    ACTION = 1  #: since OF1.4 APPLY_ACTION
    INVALID_TTL = 2
    ACTION_SET = 3
    GROUP = 4
    PACKET_OUT = 5


@message(10)
class PacketIn(Message):
    """A packet for the controller (OF1.5.1 7.4.1 "Packet-In Message").

    `match` has the pipeline fields of the packet; in OF1.0 and OF1.1 these are the ports
    that the struct has.
    """

    buffer_id: int = NO_BUFFER
    total_len: int = 0  #: bytes of the packet, of which `data` may be the beginning only
    reason: PacketInReason | int = PacketInReason.NO_MATCH
    table_id: int = 0
    cookie: int = 0xFFFF_FFFF_FFFF_FFFF  #: of the entry; all ones where there is none
    match: Match = Match()
    data: bytes = b""
    report = True
    layout: ClassVar[Layout] = (
        "buffer_id" / U32,
        "match" / between(OF11, OF11, Converted(U64, match_of_ports, _ports_of_match)),
        "total_len" / U16,
        "match" / until(OF10, _PortMatch),
        "reason" / Enum(U8, PacketInReason),
        "table_id" / since(OF11, U8),
        until(OF10, Pad(1)),
        "cookie" / since(OF13, U64),
        "match" / since(OF12, OxmMatch()),
        since(OF12, Pad(2)),
        "data" / Rest,
    )

    @property
    def in_port(self) -> int:
        """The port that the packet came in by; Port.ANY where it is not told."""
        try:
            return self.match._port  # each packet is asked for it, more than once
        except AttributeError:
            in_port = self.match.number("in_port")
            self.match._port = Port.ANY if in_port is None else in_port
            return self.match._port


@message(13)
class PacketOut(Message):
    """Sends a packet on its way (OF1.5.1 7.3.6 "Packet-Out Message").

    `match` has the in_port; since OF1.5 it may have other pipeline fields. The packet is
    the one that `buffer_id` names, else `data`.
    """

    actions: tuple[Action, ...] = ()
    data: bytes = b""
    buffer_id: int = NO_BUFFER
    match: Match = Match(in_port=Port.CONTROLLER)
    layout = (
        "buffer_id" / U32,
        "match" / until(OF14, _PortMatch),
        SizeOf("actions", U16),
        by_version({OF10: None, OF11: Pad(6), OF15: Pad(2)}),
        "match" / since(OF15, OxmMatch()),
        "actions" / ActionShape,
        "data" / Rest,
    )

    @property
    def in_port(self) -> int:
        """The port that the packet counts as having come in by."""
        in_port = self.match.get("in_port")
        return in_port if isinstance(in_port, int) else Port.ANY
