"""What controllers ask of ports."""

from __future__ import annotations

from protocol import (
    OF15,
    Port,
    PortDescReply,
    PortDescRequest,
    PortMod,
    PortModFailedCode,
    PortReason,
)
from protocol.ports import PortStatsRequest

from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles
from ..statistics import port_stats


@handles(PortDescRequest)
def _port_desc(datapath: Datapath, request: Request[PortDescRequest]) -> None:
    version, port_no = request.version, request.message.port_no
    ports = datapath.ports.described(version)
    if version >= OF15 and port_no != Port.ANY:
        desc = datapath.ports.named(port_no).desc_in(version)
        ports = (desc,) if desc else ()
    request.answer(PortDescReply(ports))


@handles(PortMod)
def _port_mod(datapath: Datapath, request: Request[PortMod]) -> None:
    message = request.message
    port = datapath.ports.get(message.port_no)
    if port is None:
        reason = f"there is no port {message.port_no}"
        raise Refused(PortModFailedCode.BAD_PORT, reason)
    before = port.desc
    datapath.undo.note(port.memory())
    port.modify(message, request.version)
    if port.desc != before:
        datapath.tell_port(port, PortReason.MODIFY, request.effects)


@handles(PortStatsRequest)
def _port_stats(datapath: Datapath, request: Request[PortStatsRequest]) -> None:
    parts = port_stats(datapath.ports, request.message, request.version, request.now)
    request.answer_in_parts(parts)
