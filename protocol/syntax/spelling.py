"""One meaning in all versions: the actions that a version has for what a rule says.

People write `mod_dl_dst` or `set_field`; OF1.0 and OF1.1 have SetDlDst and its like, later
versions SetField. What has no other spelling stays as it is, and encoding it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .. import actions as a
from ..instructions import ApplyActions, Instruction, Meter, WriteActions
from ..match import Match
from ..oxm import FieldValue, VlanId
from ..packet.internet import IpProto
from ..record import Record
from ..version import OF10, OF11, OF12, OF15, Version

_TRANSPORT: dict[FieldValue | None, str] = {
    IpProto.TCP: "tcp",
    IpProto.UDP: "udp",
    IpProto.SCTP: "sctp",
}


def _port_field(end: str) -> Callable[[Any, Match], tuple[str, int]]:
    def field(action: Any, match: Match) -> tuple[str, int]:
        transport = _TRANSPORT.get(match.get("ip_proto"))
        if transport is None:
            raise ValueError(
                f"mod_tp_{end} needs a match with tcp, udp or sctp; "
                f"or write set_field:{action.tp_port}->tcp_{end}"
            )
        return f"{transport}_{end}", action.tp_port

    return field


#: Old action -> the field it sets, and to what.
_FIELDS: dict[type[Record], Callable[[Any, Match], tuple[str, int]]] = {
    a.SetVlanVid: lambda one, match: ("vlan_vid", VlanId.PRESENT | one.vlan_vid),
    a.SetVlanPcp: lambda one, match: ("vlan_pcp", one.vlan_pcp),
    a.SetDlSrc: lambda one, match: ("eth_src", int(one.dl_addr)),
    a.SetDlDst: lambda one, match: ("eth_dst", int(one.dl_addr)),
    a.SetNwSrc: lambda one, match: ("ipv4_src", one.nw_addr),
    a.SetNwDst: lambda one, match: ("ipv4_dst", one.nw_addr),
    a.SetNwTos: lambda one, match: ("ip_dscp", one.nw_tos >> 2),
    a.SetNwEcn: lambda one, match: ("ip_ecn", one.nw_ecn),
    a.SetTpSrc: _port_field("src"),
    a.SetTpDst: _port_field("dst"),
    a.SetMplsLabel: lambda one, match: ("mpls_label", one.mpls_label),
    a.SetMplsTc: lambda one, match: ("mpls_tc", one.mpls_tc),
}
#: Field -> the old action that sets it.
_OLD: dict[str, Callable[[int], a.Action]] = {
    "vlan_vid": lambda value: a.SetVlanVid(value & 0xFFF),
    "vlan_pcp": a.SetVlanPcp,
    "eth_src": a.SetDlSrc,
    "eth_dst": a.SetDlDst,
    "ipv4_src": a.SetNwSrc,
    "ipv4_dst": a.SetNwDst,
    "ip_dscp": lambda value: a.SetNwTos(value << 2),
    "ip_ecn": a.SetNwEcn,
    "mpls_label": a.SetMplsLabel,
    "mpls_tc": a.SetMplsTc,
    **{f"{transport}_src": a.SetTpSrc for transport in _TRANSPORT.values()},
    **{f"{transport}_dst": a.SetTpDst for transport in _TRANSPORT.values()},
}


def spelled(
    instructions: Iterable[Instruction], version: Version, match: Match | None = None
) -> tuple[Instruction, ...]:
    """Return instructions that say the same in `version`; `match` is that of their entry.

    The match tells which header a port is set in, and whether the packets have a tag:
    mod_vlan_vid adds one where there is none, which only OF1.0 does by itself. An enqueue
    becomes set_queue and output; the queue then holds for later outputs as well.

    >>> spelled((ApplyActions((a.SetNwTos(32),)),), Version.OF13)
    (ApplyActions(actions=(SetField(field=Match(ip_dscp=8)),)),)
    """
    given = match if match is not None else Match()
    changed = [_spelled_instruction(one, version, given) for one in instructions]
    return _meter_as_action(changed) if version >= OF15 else tuple(changed)


def spelled_actions(
    actions: Iterable[a.Action], version: Version, match: Match | None = None
) -> tuple[a.Action, ...]:
    """Return actions that say the same in `version`."""
    speller = _Speller(version, match if match is not None else Match())
    return tuple(said for action in actions for said in speller.spell(action))


def _spelled_instruction(one: Instruction, version: Version, match: Match) -> Instruction:
    if isinstance(one, ApplyActions | WriteActions):
        return type(one)(spelled_actions(one.actions, version, match))
    return one


def _meter_as_action(found: list[Instruction]) -> tuple[Instruction, ...]:
    """Say the Meter as OF1.5 does: the first of the actions to apply."""
    meters = tuple(a.MeterAction(one.meter_id) for one in found if isinstance(one, Meter))
    if not meters:
        return tuple(found)
    others = [one for one in found if not isinstance(one, Meter)]
    for at, one in enumerate(others):
        if isinstance(one, ApplyActions):
            others[at] = ApplyActions((*meters, *one.actions))
            return tuple(others)
    return (ApplyActions(meters), *others)


class _Speller:
    """Says actions one after another; knows whether the packet has a tag by then."""

    def __init__(self, version: Version, match: Match) -> None:
        self.version, self.match = version, match
        self.tagged = bool(match.get("vlan_vid"))

    def spell(self, action: a.Action) -> Iterator[a.Action]:
        """Return what `version` has for an action."""
        version = self.version
        if isinstance(action, a.Enqueue) and version >= OF11:
            yield a.SetQueue(action.queue_id)
            yield a.Output(action.port)
            return
        if isinstance(action, a.SetVlanVid | a.SetVlanPcp) and version >= OF11 and not self.tagged:
            yield a.PushVlan()
            self.tagged = True
        if isinstance(action, a.PushVlan | a.PopVlan):
            self.tagged = isinstance(action, a.PushVlan)
        yield self._one(action)
        if isinstance(action, a.SetVlanVid | a.SetVlanPcp):
            self.tagged = True

    def _one(self, action: a.Action) -> a.Action:
        if isinstance(action, a.SetField) and self.version < OF12:
            return _old_action(action, self.version)
        if type(action) in _FIELDS and self.version >= OF12:
            name, value = _FIELDS[type(action)](action, self.match)
            return a.SetField(Match.unchecked({name: value}))
        return action


def _old_action(action: a.SetField, version: Version) -> a.Action:
    ((name, value),) = action.field.items()
    make = _OLD.get(name)
    if make is None or not isinstance(value, int):
        return action
    old = make(value)
    new_in_11 = isinstance(old, a.SetNwEcn | a.SetMplsLabel | a.SetMplsTc)
    return action if new_in_11 and version == OF10 else old
