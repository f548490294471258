"""Packets for controllers in Nicira's forms, and packets that wait for a word of theirs.

ovs-actions(7) "The controller action".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from msgspec.structs import asdict

from protocol import OF12, OF15, Match, PacketIn, Port, Version
from protocol import nicira as nx
from protocol.message import Message
from protocol.oxm import OXM, FieldValue
from protocol.ports import port_in_16

from ..packet import Held, Packet
from ..session import Session
from .fields import OPTIONS

MAX_WAITING = 1024  #: packets of a switch that wait; the oldest makes room for the newest


@dataclass(frozen=True, slots=True)
class Told:
    """What a packet_in2 tells beside the packet."""

    userdata: bytes | None = None
    continuation: bytes | None = None


NOTHING = Told()


def formed(session: Session, packet: Packet, message: PacketIn, told: Told = NOTHING) -> Message:
    """Return a packet_in in the form that the controller has asked for."""
    if session.packet_in_format == nx.PacketInFormat.STANDARD:
        return message
    fields = asdict(message)
    fields["match"] = pipeline_fields(packet, session.version)
    if session.packet_in_format == nx.PacketInFormat.NXT_PACKET_IN:
        return nx.PacketIn(**fields)
    if len(message.data) == message.total_len:
        fields["total_len"] = 0
    return nx.PacketIn2(**fields, userdata=told.userdata, continuation=told.continuation)


def pipeline_fields(packet: Packet, version: Version) -> Match:
    """Return the fields that are not in the packet itself, those of extensions too."""
    fields: dict[str, FieldValue] = {"in_port": packet.in_port}
    if version < OF12:
        fields = {"in_port_nxm": port_in_16(packet.in_port)}
    found = {"metadata": packet.metadata, "tunnel_id": packet.tunnel_id}
    found |= packet.registers or {}
    fields |= {
        name: value
        for name, value in found.items()
        if value and name not in OPTIONS and OXM[name].exists_in(version)
    }
    output = packet.key["actset_output"]
    if version >= OF15 and output not in (None, Port.UNSET):
        fields["actset_output"] = output
    return Match.unchecked(fields)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet, and what is left to do with it."""

    packet: Packet
    held: Held


class WaitingPackets:
    """The packets that wait, by what their controller gives back."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Waiting] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, waiting: Waiting) -> bytes:
        """Keep a packet; return the continuation that stands for it."""
        if len(self._waiting) >= MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        continuation = next(self._numbers).to_bytes(8, "big")
        self._waiting[continuation] = waiting
        return continuation

    def take(self, continuation: bytes | None) -> Waiting | None:
        """Return a packet and forget it, None where nobody waits."""
        return self._waiting.pop(continuation or b"", None)


def resumed(waiting: Waiting, message: nx.Resume) -> Packet:
    """Return the packet as its controller gives it back."""
    packet = waiting.packet
    if message.data:
        packet.change(message.data)
    packet.registers = None
    packet.change(packet.data)  # the match fields have to be found anew
    for name, value in message.match.items():
        if isinstance(value, int):
            _give_back(packet, name, value)
    return packet


def _give_back(packet: Packet, name: str, value: int) -> None:
    match name:
        case "in_port":
            packet.set_in_port(value)
        case "metadata":
            packet.set_metadata(value)
        case "tunnel_id":
            packet.set_tunnel_id(value)
        case _ if name in OXM:
            packet.set_register(name, value)
