"""Auxiliary channels: whose they are, and which way a packet goes back.

A switch may open further channels beside its main one, so that packet_ins need not wait
behind statistics (OF1.3.5 6.3.6 "Auxiliary Connections"). What comes over them is the
datapath's; what is said goes over the main one, but packets go back the way they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from protocol import FeaturesReply, Message, OpenFlowError, PacketIn

if TYPE_CHECKING:
    from .peer import Peer

ORIGINS = 1024  #: packets of a datapath that are known to have come over auxiliary channels

Send = Callable[[Message], int]


class Origins:
    """Over which auxiliary channels the latest packets of a datapath came."""

    def __init__(self) -> None:
        # By identity: two packets may be equal. What is kept keeps its number to itself.
        self._sends: dict[int, tuple[PacketIn, Send]] = {}
        self.are_noted = False  #: whether any ever came over one

    def __len__(self) -> int:
        return len(self._sends)

    def note(self, packet: PacketIn, send: Send) -> None:
        """Remember what sends over the channel that a packet came over."""
        self.are_noted = True
        self._sends[id(packet)] = packet, send
        if len(self._sends) > ORIGINS:
            del self._sends[next(iter(self._sends))]

    def of(self, packet: PacketIn) -> Send | None:
        """Return what sends over the channel that a packet came over; None: the main one."""
        _, send = self._sends.get(id(packet), (None, None))
        return send

    def forget(self, send: Send) -> None:
        """Let packets go over the main channel that came over one that ended."""
        self._sends = {key: one for key, one in self._sends.items() if one[1] != send}


def main_of(peer: Peer, features: FeaturesReply, mains: Mapping[int, Peer]) -> Peer:
    """Return the main channel that an auxiliary one belongs to; OpenFlowError where it cannot."""
    name = f"auxiliary channel {features.auxiliary_id} of {features.datapath_id:#018x}"
    main = mains.get(features.datapath_id)
    if main is None or main.channel.closed:
        raise OpenFlowError(f"it is {name}, whose main channel is not open: open that one first")
    ours, theirs = peer.channel.connection.version, main.channel.connection.version
    if ours != theirs:
        raise OpenFlowError(f"it is {name} in OpenFlow {ours}: its main channel has {theirs}")
    if _host(peer) != _host(main):
        raise OpenFlowError(f"it is {name}, whose main channel comes from {main.channel.peer}")
    return main


def _host(peer: Peer) -> str:
    """Return where a channel comes from: all of a switch must have one source address."""
    return peer.channel.peer.rpartition(":")[0]
