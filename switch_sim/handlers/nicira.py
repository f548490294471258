"""Nicira's messages: roles and formats by its numbers, and connections that are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address

from protocol import BadRequestCode, Role, RoleRequestFailedCode
from protocol import nicira as nx
from protocol.nicira import CtTuple, NiciraCode
from protocol.nicira.fields import N_OPTIONS

from ..datapath import Datapath
from ..nicira.connections import Connection
from ..nicira.five_tuple import FiveTuple
from ..nicira.options import MAX_OPTION_SPACE
from ..nicira.packet_ins import resumed
from ..refused import Refused
from ..request import Request, handles

_ROLES = {
    nx.Role.OTHER: Role.EQUAL,
    nx.Role.PRIMARY: Role.MASTER,
    nx.Role.SECONDARY: Role.SLAVE,
}
_ALL_MARKS = 0xFFFF_FFFF
_ALL_LABELS = (1 << 128) - 1
_ICMP = (1, 58)


@handles(nx.RoleRequest)
def _role(datapath: Datapath, request: Request[nx.RoleRequest]) -> None:
    """Change a role. There are no elections here: the last one who asks has it."""
    role = _ROLES.get(request.message.role)  # type: ignore[call-overload]
    if role is None:
        reason = f"there is no role {request.message.role}"
        raise Refused(RoleRequestFailedCode.BAD_ROLE, reason)
    datapath.sessions.change_role(request.session.main, role, request.effects)
    request.answer(nx.RoleReply(request.message.role))


@handles(nx.SetControllerId)
def _set_controller_id(datapath: Datapath, request: Request[nx.SetControllerId]) -> None:
    request.session.main.controller_id = request.message.controller_id


@handles(nx.FlowAge)
def _flow_age(datapath: Datapath, request: Request[nx.FlowAge]) -> None:
    """Do nothing: how long entries are idle is told always."""


@handles(nx.SetFlowFormat)
def _set_flow_format(datapath: Datapath, request: Request[nx.SetFlowFormat]) -> None:
    if request.message.format not in set(nx.FlowFormat):
        reason = f"there is no flow format {request.message.format}"
        raise Refused(BadRequestCode.EPERM, reason)
    request.session.main.wants_nxm = request.message.format == nx.FlowFormat.NXM


# Packets


@handles(nx.SetPacketInFormat)
def _set_packet_in_format(datapath: Datapath, request: Request[nx.SetPacketInFormat]) -> None:
    wanted = request.message.format
    if wanted not in set(nx.PacketInFormat):
        raise Refused(BadRequestCode.EPERM, f"there is no format {wanted} of packet_in")
    request.session.main.packet_in_format = nx.PacketInFormat(wanted)


@handles(nx.Resume)
def _resume(datapath: Datapath, request: Request[nx.Resume]) -> None:
    """Let a packet go on (ovs-actions(7) "The controller action", pause)."""
    waiting = datapath.nicira.waiting.take(request.message.continuation)
    if waiting is None:
        raise Refused(NiciraCode.RESUME_STALE, "no packet waits with this continuation")
    packet = resumed(waiting, request.message)
    packet.now, packet.effects = request.now, request.effects
    datapath.pipeline.go_on(packet, waiting.held)


# Options of tunnels


@handles(nx.TlvTableMod)
def _tlv_table_mod(datapath: Datapath, request: Request[nx.TlvTableMod]) -> None:
    message, options = request.message, datapath.nicira.options
    match message.command:
        case nx.TlvTableCommand.ADD:
            options.add(message.maps)
        case nx.TlvTableCommand.DELETE:
            options.delete(message.maps)
        case nx.TlvTableCommand.CLEAR:
            options.clear()
        case _:
            reason = f"there is no command {message.command}"
            raise Refused(NiciraCode.TLV_BAD_COMMAND, reason)


@handles(nx.TlvTableRequest)
def _tlv_table(datapath: Datapath, request: Request[nx.TlvTableRequest]) -> None:
    maps = datapath.nicira.options.maps
    request.answer(nx.TlvTableReply(MAX_OPTION_SPACE, N_OPTIONS, maps))


# Connections (ovs-ofctl(8) "ct-flush", "ct-flush-zone")


@handles(nx.CtFlushZone)
def _ct_flush_zone(datapath: Datapath, request: Request[nx.CtFlushZone]) -> None:
    zone = request.message.zone_id
    datapath.nicira.conntrack.flush(lambda one: one.way.zone == zone)


@handles(nx.CtFlush)
def _ct_flush(datapath: Datapath, request: Request[nx.CtFlush]) -> None:
    datapath.nicira.conntrack.flush(_flushed_by(request.message))


def _flushed_by(message: nx.CtFlush) -> Callable[[Connection], bool]:
    mark_mask = _ALL_MARKS if message.mark_mask is None else message.mark_mask
    labels_mask = _ALL_LABELS if message.labels_mask is None else message.labels_mask

    def wanted(one: Connection) -> bool:
        return (
            message.zone_id in (None, one.way.zone)
            and message.ip_proto in (0, one.way.ip_proto)
            and (message.mark is None or (one.mark ^ message.mark) & mark_mask == 0)
            and (message.labels is None or (one.label ^ message.labels) & labels_mask == 0)
            and _is_such(one.way, message.orig)
            and _is_such(one.back, message.reply)
        )

    return wanted


def _is_such(way: FiveTuple, wanted: CtTuple | None) -> bool:
    """Whether a tuple is what a message describes; None is anything."""
    if wanted is None:
        return True
    pairs: list[tuple[int | None, int]] = [
        (_address(wanted.src), way.src),
        (_address(wanted.dst), way.dst),
    ]
    if way.ip_proto in _ICMP:
        pairs += [(wanted.icmp_id, way.src_port), (wanted.icmp_type, way.icmp_type)]
    else:
        pairs += [(wanted.src_port, way.src_port), (wanted.dst_port, way.dst_port)]
    return all(want is None or want == found for want, found in pairs)


def _address(number: int | None) -> int | None:
    if number is None:
        return None
    mapped = IPv6Address(number).ipv4_mapped
    return number if mapped is None else int(mapped)
