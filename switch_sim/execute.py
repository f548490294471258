"""What each action does to a packet (OF1.3.5 5.12 "Actions").

Outputs, and whatever else leaves the packet, are the pipeline's concern.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from protocol import (
    OF10,
    Action,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    PopMpls,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetDlDst,
    SetDlSrc,
    SetField,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
    SetNwDst,
    SetNwEcn,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetTpDst,
    SetTpSrc,
    SetVlanPcp,
    SetVlanVid,
)

from . import tags
from .fields import set_field
from .packet import Dropped, Packet

_CUSTOMER_TAG = 0x8100
_PORTS = ("tcp", "udp", "sctp")


class InvalidTtl(Dropped):
    """A TTL cannot be decremented; the packet goes no further.

    The controllers with these numbers get it, where they want such packets.
    """

    def __init__(self, reason: str, controller_ids: Collection[int] = (0,)) -> None:
        super().__init__(reason)
        self.controller_ids = controller_ids


def _sets(name: str, attribute: str) -> Callable[[Packet, Any], None]:
    """Return the effect of an action whose attribute is a field's new value."""
    return lambda packet, action: set_field(packet, name, getattr(action, attribute))


def _set_vlan(name: str, attribute: str) -> Callable[[Packet, Any], None]:
    def effect(packet: Packet, action: Any) -> None:
        # OF1.0 adds a tag where there is none, OF1.1 leaves the packet (OF1.0 5.2.4
        # "Flow Action Structures").
        if packet.version == OF10 and not packet.key.vlan:
            tags.push_vlan(packet, _CUSTOMER_TAG)
        set_field(packet, name, getattr(action, attribute))

    return effect


def _set_port(side: str) -> Callable[[Packet, Any], None]:
    def effect(packet: Packet, action: Any) -> None:
        for transport in _PORTS:
            set_field(packet, f"{transport}_{side}", action.tp_port)

    return effect


def _set_field(packet: Packet, action: SetField) -> None:
    for name, value in action.field.items():
        if isinstance(value, tuple):
            number, mask = value
            value = (packet.key[name] or 0) & ~mask | number
        assert isinstance(value, int), "unknown fields were refused"
        set_field(packet, name, value)


def _copy_field(packet: Packet, action: CopyField) -> None:
    source, target = packet.key[action.src], packet.key[action.dst]
    if source is None or target is None:
        return
    ones = (1 << action.n_bits) - 1
    bits = source >> action.src_offset & ones
    rest = target & ~(ones << action.dst_offset)
    set_field(packet, action.dst, rest | bits << action.dst_offset)


def _set_nw_tos(packet: Packet, action: SetNwTos) -> None:
    set_field(packet, "ip_dscp", action.nw_tos >> 2)


def _set_mpls_ttl(packet: Packet, action: SetMplsTtl) -> None:
    if ttl := tags.mpls_ttl(packet):
        ttl.write(packet, action.mpls_ttl)


def _set_nw_ttl(packet: Packet, action: SetNwTtl) -> None:
    if ttl := tags.ip_ttl(packet):
        ttl.write(packet, action.nw_ttl)


def decrement(packet: Packet, ttl: tags.Ttl | None, controller_ids: Collection[int] = (0,)) -> None:
    """Take one from a TTL; InvalidTtl if nothing were left (OF1.3.5 7.4.1 "Packet-In")."""
    if ttl is None:
        return
    value = ttl.value(packet)
    if value <= 1:
        raise InvalidTtl(f"the TTL is {value}", controller_ids)
    ttl.write(packet, value - 1)


def _set_queue(packet: Packet, action: SetQueue) -> None:
    packet.queue_id = action.queue_id


#: The effect of each action that changes the packet.
EFFECTS: dict[type[Action], Callable[[Packet, Any], None]] = {
    SetVlanVid: _set_vlan("vlan_vid", "vlan_vid"),
    SetVlanPcp: _set_vlan("vlan_pcp", "vlan_pcp"),
    SetDlSrc: _sets("eth_src", "dl_addr"),
    SetDlDst: _sets("eth_dst", "dl_addr"),
    SetNwSrc: _sets("ipv4_src", "nw_addr"),
    SetNwDst: _sets("ipv4_dst", "nw_addr"),
    SetNwTos: _set_nw_tos,
    SetNwEcn: _sets("ip_ecn", "nw_ecn"),
    SetTpSrc: _set_port("src"),
    SetTpDst: _set_port("dst"),
    CopyTtlOut: lambda packet, action: tags.copy_ttl_out(packet),
    CopyTtlIn: lambda packet, action: tags.copy_ttl_in(packet),
    SetMplsLabel: _sets("mpls_label", "mpls_label"),
    SetMplsTc: _sets("mpls_tc", "mpls_tc"),
    SetMplsTtl: _set_mpls_ttl,
    DecMplsTtl: lambda packet, action: decrement(packet, tags.mpls_ttl(packet)),
    PushVlan: lambda packet, action: tags.push_vlan(packet, action.ethertype),
    PopVlan: lambda packet, action: tags.pop_vlan(packet),
    PushMpls: lambda packet, action: tags.push_mpls(packet, action.ethertype),
    PopMpls: lambda packet, action: tags.pop_mpls(packet, action.ethertype),
    SetQueue: _set_queue,
    SetNwTtl: _set_nw_ttl,
    DecNwTtl: lambda packet, action: decrement(packet, tags.ip_ttl(packet)),
    SetField: _set_field,
    PushPbb: lambda packet, action: tags.push_pbb(packet, action.ethertype),
    PopPbb: lambda packet, action: tags.pop_pbb(packet),
    CopyField: _copy_field,
}
