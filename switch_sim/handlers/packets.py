"""Packets that controllers send."""

from __future__ import annotations

from protocol import NO_BUFFER, BadRequestCode, PacketOut

from ..check import check_in_port
from ..datapath import Datapath
from ..flow_key import MIN_FRAME
from ..packet import Packet
from ..refused import Refused
from ..request import Request, handles

_PIPELINE_FIELDS = frozenset({"in_port", "in_phy_port", "metadata", "tunnel_id", "packet_type"})


@handles(PacketOut)
def _packet_out(datapath: Datapath, request: Request[PacketOut]) -> None:
    message, version = request.message, request.version
    check_in_port(message.in_port)
    datapath.checker.check_actions(message.actions, version, in_packet_out=True)
    if message.match.keys() - _PIPELINE_FIELDS:
        reason = "a packet_out takes pipeline fields only"
        raise Refused(BadRequestCode.PIPELINE_FIELDS_ONLY, reason)
    if message.buffer_id != NO_BUFFER:
        datapath.buffers.check(message.buffer_id)
    elif len(message.data) < MIN_FRAME:
        reason = f"{len(message.data)} bytes are no frame"
        raise Refused(BadRequestCode.BAD_PACKET, reason)
    request.do(lambda: _send(datapath, request))


def _send(datapath: Datapath, request: Request[PacketOut]) -> None:
    message = request.message
    packet = _packet_of(datapath, request)
    packet.in_port = message.in_port
    if metadata := message.match.number("metadata"):
        packet.set_metadata(metadata)
    if tunnel_id := message.match.number("tunnel_id"):
        packet.set_tunnel_id(tunnel_id)
    datapath.pipeline.perform(packet, message.actions)


def _packet_of(datapath: Datapath, request: Request[PacketOut]) -> Packet:
    message, session = request.message, request.session
    if message.buffer_id != NO_BUFFER:
        return datapath.buffered(message.buffer_id, session, request.now, request.effects)
    return Packet(message.data, message.in_port, session.version, request.now, request.effects)
