"""One meaning in all versions: the actions that a version has for what a rule says.

People write `mod_dl_dst` or `set_field`; OF1.0 and OF1.1 have SetDlDst and its like, later
versions SetField. What has no other spelling stays as it is, and encoding it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import structs

from .. import actions as a
from .. import nicira
from ..instructions import (
    ApplyActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)
from ..match import Match
from ..oxm import OXM, FieldValue, VlanId
from ..packet.internet import IpProto
from ..record import Record
from ..version import OF10, OF11, OF12, OF15, Version
from .actions import NICIRAS

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
    becomes set_queue and output; the queue then holds for later outputs as well. Where
    only Nicira has what a rule says, its action is taken.

    >>> spelled((ApplyActions((a.SetNwTos(32),)),), Version.OF13)
    (ApplyActions(actions=(SetField(field=Match(ip_dscp=8)),)),)
    """
    given = match if match is not None else Match()
    changed = [_spelled_instruction(one, version, given) for one in instructions]
    if version == OF10:
        return _as_actions(changed)
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


def _as_actions(found: list[Instruction]) -> tuple[Instruction, ...]:
    """Say in actions what OF1.0 has no instructions for, as far as Nicira has such."""
    if not any(isinstance(one, GotoTable | WriteMetadata) for one in found):
        return tuple(found)
    said: list[a.Action] = []
    for one in found:
        match one:
            case ApplyActions(actions=applied):
                said += applied
            case GotoTable(table_id=table_id):
                said.append(nicira.ResubmitTable(table_id=table_id))
            case WriteMetadata(metadata=value, metadata_mask=mask):
                said.append(nicira.WriteMetadata(value, mask))
            case _:
                return tuple(found)
    return (ApplyActions(tuple(said)),)


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
        if isinstance(action, nicira.Clone | nicira.Ct):
            tagged = self.tagged
            inner = tuple(said for one in action.actions for said in self.spell(one))
            self.tagged = tagged  # what a clone changes is forgotten behind it
            yield structs.replace(action, actions=inner)
            return
        yield from self._said(action)
        if isinstance(action, a.SetVlanVid | a.SetVlanPcp):
            self.tagged = True

    def _said(self, action: a.Action) -> Iterator[a.Action]:
        """Return what `version` has for an action that stands alone."""
        version = self.version
        if type(action) in _FIELDS and version >= OF12:
            name, value = _FIELDS[type(action)](action, self.match)
            action = a.SetField(Match.unchecked({name: value}))
        elif isinstance(action, nicira.SetTunnel | nicira.SetTunnel64) and version >= OF12:
            action = a.SetField(Match.unchecked({"tunnel_id": action.tun_id}))
        elif isinstance(action, a.SetNwTtl | a.SetNwEcn) and version == OF10:
            action = a.SetField(Match.unchecked(_FIELD_ALONE[type(action)](action)))
        if isinstance(action, nicira.RegLoad):
            yield _loaded(action, version)
        elif isinstance(action, a.SetField):
            yield from _set(action, version)
        elif type(action) is a.CopyField and version < OF15:
            src = nicira.Subfield(action.src, action.src_offset, action.n_bits)
            yield nicira.RegMove(src, nicira.Subfield(action.dst, action.dst_offset, action.n_bits))
        elif version == OF10 and (cls := NICIRAS.get(type(action))):
            yield cls(*(getattr(action, name) for name in cls.__struct_fields__))
        else:
            yield action


#: Actions of OF1.1 that OF1.0 has as a field alone.
_FIELD_ALONE: dict[type[Record], Callable[[Any], dict[str, FieldValue]]] = {
    a.SetNwTtl: lambda one: {"nw_ttl": one.nw_ttl},
    a.SetNwEcn: lambda one: {"ip_ecn": one.nw_ecn},
}
_LOADED = 64  # bits that a RegLoad sets at most


def _set(action: a.SetField, version: Version) -> Iterator[a.Action]:
    """Set a field as `version` does: below OF1.2 the old way, below OF1.5 without a mask."""
    ((name, value),) = action.field.items()
    if version >= OF15 or (version >= OF12 and not isinstance(value, tuple)):
        yield action
    elif (old := _old_action(name, value, version)) is not None:
        yield old
    elif isinstance(value, bytes) or name not in OXM:
        yield action
    elif OXM[name].variable or OXM[name].number_in_nxm().experimenter:
        yield nicira.RegLoad2(action.field)
    else:
        yield from _loads(name, value)


def _loads(name: str, given: int | tuple[int, int]) -> Iterator[a.Action]:
    """Set the bits under a mask, each run of them by itself, the lowest first."""
    value, mask = given if isinstance(given, tuple) else (given, OXM[name].all_ones)
    at = 0
    while mask >> at:
        if not mask >> at & 1:
            at += 1
            continue
        run = ~(mask >> at)
        n_bits = min((run & -run).bit_length() - 1, _LOADED)
        dst = nicira.Subfield(name, at, n_bits)
        yield nicira.RegLoad(dst, value >> at & (1 << n_bits) - 1)
        at += n_bits


def _loaded(action: nicira.RegLoad, version: Version) -> a.Action:
    """Load bits of a field as `version` does, and as its name allows."""
    dst = action.dst
    row = OXM.get(dst.field)
    if row is None or (version < OF15 and not row.number_in_nxm().experimenter):
        return action
    mask = ((1 << dst.n_bits) - 1) << dst.offset
    value = action.value << dst.offset
    field = Match.unchecked({row.name: value if mask == row.all_ones else (value, mask)})
    return a.SetField(field) if version >= OF15 else nicira.RegLoad2(field)


def _old_action(name: str, value: FieldValue, version: Version) -> a.Action | None:
    """Return the action by which OF1.0 and OF1.1 set a field, None if there is none."""
    make = _OLD.get(name)
    if version >= OF12 or make is None or not isinstance(value, int):
        return None
    old = make(value)
    new_in_11 = isinstance(old, a.SetNwEcn | a.SetMplsLabel | a.SetMplsTc)
    return None if new_in_11 and version == OF10 else old
