"""Where packets leave the switch: ports, the reserved ones, and the controllers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from protocol import (
    NO_BUFFER,
    OF12,
    OF13,
    OF15,
    ControllerMaxLen,
    Enqueue,
    MacAddress,
    Match,
    Output,
    PacketIn,
    PacketInReason,
    Port,
    Version,
)

from .asynchronous import reason_in
from .buffers import BufferedPacket, PacketBuffers
from .mac_table import MacTable
from .nicira.packet_ins import NOTHING, Told, formed, pipeline_fields
from .packet import Dropped, Packet
from .ports import Ports, SwitchPort, can_say
from .queues import PortQueue, QueueKey, Queues
from .session import Session
from .sessions import Sessions

_NO_COOKIE = 0xFFFF_FFFF_FFFF_FFFF
_BRIDGE_RESERVED = 0x0180_C200_0000  # a bridge does not forward these 16 (IEEE 802.1D 7.12.6)
_MAX_DATA = 0xFFFF - 128  # bytes of a packet beside which a packet_in's header has room
_MATCHES = 4096  # of packet-ins, kept with their encodings


class Forwarding:
    """The ways out of the switch (OF1.3.5 4.5 "Reserved Ports")."""

    def __init__(
        self, ports: Ports, buffers: PacketBuffers, sessions: Sessions, queues: Queues
    ) -> None:
        self.ports, self.buffers, self.sessions = ports, buffers, sessions
        self.queues = queues
        self.macs = MacTable()
        #: what takes packets to ports, where egress tables come before them
        self.egress: Callable[[SwitchPort, Packet], None] | None = None
        #: what packets for controllers go through, such as a meter; it raises Dropped
        self.limits: list[Callable[[Packet], Packet]] = []
        #: what each reserved port does
        self.reserved: dict[int, Callable[[Packet, Output], None]] = {
            Port.IN_PORT: self._to_in_port,
            Port.NORMAL: self._normally,
            Port.FLOOD: lambda packet, action: self._flood(packet),
            Port.ALL: lambda packet, action: self._to_all(packet, self.ports.values()),
            Port.CONTROLLER: self._to_controller,
        }

    def output(self, packet: Packet, action: Output) -> None:
        """Send a packet where an action says. To its in_port only IN_PORT leads."""
        port_no = action.port
        port = self.ports.get(port_no)
        if port is not None:
            if port_no != packet.in_port or _is_on_its_way_out(packet):
                self._send(port, packet)
            elif packet.witness is not None:
                why_not = "not sent: it is the in_port, where only the output IN_PORT leads"
                packet.witness.output(f"port {port_no}", packet.data, why_not)
        elif reserved := self.reserved.get(port_no):
            reserved(packet, action)
        elif packet.witness is not None:
            packet.witness.output(f"port {port_no}", packet.data, "not sent: there is no such port")

    def enqueue(self, packet: Packet, action: Enqueue) -> None:
        """Send a packet through a queue of a port; outputs to come have no queue by that."""
        before, packet.queue_id = packet.queue_id, action.queue_id
        self.output(packet, Output(action.port))
        packet.queue_id = before

    def _send(self, port: SwitchPort, packet: Packet) -> None:
        if self.egress is not None and not packet.is_egress:
            self.egress(port, packet)
        else:
            self._leave(port, packet)

    def _leave(self, port: SwitchPort, packet: Packet) -> None:
        if packet.witness is not None:
            why_not = port.why_not_sent() or self._why_not_queued(port, packet)
            packet.witness.output(f"port {port.port_no}", packet.data, why_not)
        elif packet.queue_id is not None and port.can_send and not self._queue(port, packet):
            port.counters.tx_dropped += 1
        elif port.send(packet.data):
            packet.effects.frames.append((port.port_no, packet.data))

    def _queue(self, port: SwitchPort, packet: Packet) -> bool:
        """Whether the packet's queue lets it pass; ports without the queue have no such limit."""
        queue = self._queue_of(port, packet)
        return queue is None or queue.pass_on(port, len(packet.data), packet.now)

    def _why_not_queued(self, port: SwitchPort, packet: Packet) -> str:
        queue = self._queue_of(port, packet)
        if queue is None or queue.has_room(port, len(packet.data), packet.now):
            return ""
        return f"not sent: queue {packet.queue_id} is above its max_rate"

    def _queue_of(self, port: SwitchPort, packet: Packet) -> PortQueue | None:
        if packet.queue_id is None:
            return None
        return self.queues.get(QueueKey(port.port_no, packet.queue_id))

    def _to_in_port(self, packet: Packet, action: Output) -> None:
        if port := self.ports.get(packet.in_port):
            self._send(port, packet)

    def _to_all(self, packet: Packet, ports: Iterable[SwitchPort]) -> None:
        for port in ports:
            if port.port_no == packet.in_port:
                continue
            if port.can_send:
                self._send(port, packet)
            elif packet.witness is not None:
                self._leave(port, packet)  # which says why it does not

    def _flood(self, packet: Packet) -> None:
        self._to_all(packet, (port for port in self.ports.values() if port.in_flood))

    def _normally(self, packet: Packet, action: Output) -> None:
        """Forward as a learning bridge does, each VLAN for itself."""
        key = packet.key
        vlan_vid, source, target = key["vlan_vid"], key["eth_src"], key["eth_dst"]
        if target & ~0xF == _BRIDGE_RESERVED:
            return
        heard = packet.in_port in self.ports and not MacAddress(source).is_multicast
        if heard and packet.witness is None:
            self.macs.learn(vlan_vid, source, packet.in_port, packet.now)
        known = None
        if not MacAddress(target).is_multicast:
            known = self.macs.find(vlan_vid, target, packet.now)
        if known is None:
            self._flood(packet)
        elif known != packet.in_port and known in self.ports:
            self._send(self.ports[known], packet)

    # Controllers

    def _to_controller(self, packet: Packet, action: Output) -> None:
        entry = packet.entry
        reason = packet.reason
        if entry is not None and entry.is_miss and entry.version >= OF13:
            reason = PacketInReason.NO_MATCH
        sessions = [one for one in self.sessions if one.controller_id == 0]
        self.packet_in(packet, reason, sessions, action.max_len)

    def packet_in(
        self,
        packet: Packet,
        reason: PacketInReason,
        sessions: Sequence[Session],
        max_len: int | None = None,
        told: Told = NOTHING,
    ) -> None:
        """Tell controllers of a packet (OF1.3.5 7.4.1 "Packet-In Message").

        `max_len` is that of the action; without one, each gets as much as it has set as its
        miss_send_len. `told` is for those who have asked for Nicira's packet_in2.
        """
        sessions = [one for one in sessions if one.wants_packet_in(reason)]
        if not sessions or (reason == PacketInReason.NO_MATCH and self._is_silent(packet)):
            if packet.witness is not None:
                packet.witness.output("controller", packet.data, self._why_not_told(reason))
            return
        try:
            for limit in self.limits:
                packet = limit(packet)
        except Dropped as drop:
            if packet.witness is not None:
                packet.witness.output("controller", packet.data, f"gets no packet_in: {drop}")
            return
        if packet.witness is not None:
            packet.witness.remark("controller", f"gets a packet_in, reason {reason.name}")
            packet.witness.output("controller", packet.data, "")
            return
        lengths = [max_len if max_len is not None else one.miss_send_len for one in sessions]
        buffer_id = NO_BUFFER
        if any(length != ControllerMaxLen.NO_BUFFER for length in lengths):
            buffer_id = self.buffers.keep(
                BufferedPacket(packet.data, packet.in_port, packet.tunnel_id)
            )
        packet.effects.messages += [
            (
                session,
                formed(
                    session,
                    packet,
                    _packet_in(packet, reason, session.version, length, buffer_id),
                    told,
                ),
            )
            for session, length in zip(sessions, lengths, strict=True)
            if can_say(packet.in_port, session.version)
        ]

    def _why_not_told(self, reason: PacketInReason) -> str:
        if not self.sessions:
            return "gets no packet_in: none is connected"
        if not any(one.wants_packet_in(reason) for one in self.sessions):
            return f"gets no packet_in: none has asked for the reason {reason.name}"
        return "gets no packet_in: the in_port's config has NO_PACKET_IN"

    def _is_silent(self, packet: Packet) -> bool:
        port = self.ports.get(packet.in_port)
        return port is not None and port.is_silent


def _is_on_its_way_out(packet: Packet) -> bool:
    """Whether what is done is an egress action set, whose port was chosen before."""
    return packet.is_egress and packet.reason is PacketInReason.ACTION_SET


def _packet_in(
    packet: Packet, reason: PacketInReason, version: Version, length: int, buffer_id: int
) -> PacketIn:
    if length == ControllerMaxLen.NO_BUFFER:
        buffer_id = NO_BUFFER
    data = packet.data
    return PacketIn(
        buffer_id=buffer_id,
        total_len=min(len(data), 0xFFFF),
        reason=reason_in("packet_in", reason, version),
        table_id=packet.table_id,
        cookie=packet.entry.cookie if packet.entry else _NO_COOKIE,
        match=_pipeline_fields(packet, version),
        data=data[: _MAX_DATA if buffer_id == NO_BUFFER else min(length, _MAX_DATA)],
    )


def _pipeline_fields(packet: Packet, version: Version) -> Match:
    """Return the fields that are not in the packet itself."""
    if packet.registers and version >= OF12:
        return pipeline_fields(packet, version)
    if version < OF12 or not (packet.metadata or packet.tunnel_id or packet.action_set):
        return _match_of(packet.in_port)
    tunnel_id = packet.tunnel_id if version >= OF13 else 0
    output = packet.key["actset_output"] if version >= OF15 else Port.UNSET
    return _match_of(packet.in_port, packet.metadata, tunnel_id, output)


@lru_cache(_MATCHES)
def _match_of(
    in_port: int, metadata: int = 0, tunnel_id: int = 0, output: int = Port.UNSET
) -> Match:
    fields = {"in_port": in_port}
    if metadata:
        fields["metadata"] = metadata
    if tunnel_id:
        fields["tunnel_id"] = tunnel_id
    if output != Port.UNSET:
        fields["actset_output"] = output
    return Match.unchecked(fields)
