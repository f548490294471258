"""Matches whose fields depend on fields they have, and actions that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocol import (
    EncodeError,
    FlowMod,
    Match,
    Port,
    Version,
    VlanId,
)
from protocol import actions as a
from protocol.actions import Action, ActionShape
from protocol.oxm import OPENFLOW_BASIC, OXM, PACKET_REGS, FieldValue, OxmField
from protocol.version import OF10, OF12, OF15

from .numbers import Rule, below, one_of, port, port_or

if TYPE_CHECKING:
    from ..meaningful import Maker


def match(m: Maker) -> Match:
    """A match whose fields depend on fields that it has."""
    fields: dict[str, FieldValue] = {}
    rows = [OXM["eth_type"]] if m.random.random() < 0.4 else []
    for row in (*rows, *m.random.sample(fields_at(m.version), m.random.randrange(6))):
        added = dict(fields)
        if put(m, added, row):
            fields = added
    return Match(**fields)


def fields_at(version: Version) -> list[OxmField]:
    """The fields that the specification has in a version; up to OF1.1 in a struct."""
    if version >= OF12:
        rows = [row for row in OXM.values() if row.oxm_class == OPENFLOW_BASIC]
        rows += [row for row in OXM.values() if row.oxm_class == PACKET_REGS and version == OF15]
        return [row for row in rows if row.first <= version]
    return [row for row in OXM.values() if row.first == OF12 and _is_in_struct(row, version)]


def _is_in_struct(row: OxmField, version: Version) -> bool:
    fields: dict[str, Any] = {}
    for name, values in (*row.requires, (row.name, ())):
        fields[name] = values[0] if values else 1
    try:
        FlowMod(Match(**fields)).encode(version)
    except (EncodeError, ValueError):
        return False
    return True


def put(m: Maker, fields: dict[str, FieldValue], row: OxmField) -> bool:
    """Add a field, and what it depends on; return whether that fits with the others."""
    if row.name in fields:
        return False
    for name, values in row.requires:
        if name not in fields:
            if values:
                fields[name] = m.choice(values)
            else:
                fields[name] = field_value(m, OXM[name], masked=False) or VlanId.PRESENT | 5
        elif not _meets(fields[name], values):
            return False
    fields[row.name] = field_value(m, row, masked=_takes_mask(m, row))
    return sayable(fields, m.version)


def _meets(value: FieldValue, values: tuple[int, ...]) -> bool:
    return value in values if values else isinstance(value, int) and value != 0


def _takes_mask(m: Maker, row: OxmField) -> bool:
    return row.maskable and m.random.random() < 0.4


def sayable(fields: dict[str, FieldValue], version: Version) -> bool:
    """Whether a version can say a match; always, since OF1.2."""
    try:
        made = Match(**fields)
        FlowMod(made).encode(version)
    except (EncodeError, ValueError):
        return False
    return True


_VALUES: dict[str, Rule] = {
    "in_port": port_or(Port.LOCAL),
    "in_phy_port": port,
    "actset_output": port,
    "eth_type": one_of(0x0800, 0x86DD, 0x0806, 0x8847, 0x88CC, 0x88E7, 0x1234),
    "ip_proto": one_of(1, 6, 17, 58, 132, 47, 89),
    "arp_op": below(256),
    "packet_type": one_of(0),  # with others a match on Ethernet contradicts itself
}


def field_value(m: Maker, row: OxmField, masked: bool) -> FieldValue:
    """A value of a match field."""
    if row.name == "vlan_vid":
        if masked:
            return VlanId.PRESENT, VlanId.PRESENT
        return m.choice((0, VlanId.PRESENT | m.number(12), VlanId.PRESENT | m.number(12)))
    if rule := _VALUES.get(row.name):
        return rule(m)  # type: ignore[no-any-return]
    value = m.number(row.bits)
    if not masked:
        return value
    if m.version == OF10 or m.rarely():
        mask = row.all_ones ^ row.all_ones >> m.random.randrange(1, row.bits)
    else:
        mask = m.random.randrange(1, row.all_ones)
    return value & mask, mask


# Actions


def needs(m: Maker) -> dict[type[Action], bool]:
    """Whether the match in the making has the header that an action changes."""
    if m.match is None:  # who knows what packets will come
        return {}
    found = m.match
    eth_type, proto = found.number("eth_type"), found.number("ip_proto")
    vlan = found.get("vlan_vid")
    is_ip = eth_type in (0x0800, 0x86DD)
    is_mpls = eth_type in (0x8847, 0x8848)
    has_vlan = vlan is not None and vlan != 0
    ports = is_ip and proto in (6, 17, 132)
    tells_vlan = m.version == OF10 or has_vlan
    return {
        a.SetVlanVid: tells_vlan,
        a.SetVlanPcp: tells_vlan,
        a.PopVlan: tells_vlan,
        a.SetNwSrc: eth_type == 0x0800,
        a.SetNwDst: eth_type == 0x0800,
        a.SetNwTos: is_ip,
        a.SetNwEcn: is_ip,
        a.SetTpSrc: ports,
        a.SetTpDst: ports,
        a.SetNwTtl: is_ip,
        a.DecNwTtl: is_ip,
        a.SetMplsLabel: is_mpls,
        a.SetMplsTc: is_mpls,
        a.SetMplsTtl: is_mpls,
        a.DecMplsTtl: is_mpls,
        a.PopMpls: is_mpls,
        a.CopyTtlIn: is_mpls,
        a.CopyTtlOut: is_mpls,
        a.PopPbb: eth_type == 0x88E7,
    }


#: After these the packet has other headers than the match says: nothing but outputs follows.
_RESHAPES = {a.PushVlan, a.PopVlan, a.PushMpls, a.PopMpls, a.PushPbb, a.PopPbb, a.CopyTtlIn}
_ALWAYS = {a.Output, a.Group, a.SetQueue, a.Enqueue, a.MeterAction}


def actions(m: Maker) -> tuple[Action, ...]:
    """Actions that fit the match, in an order in which each finds its header."""
    wanted = needs(m)
    known = [cls for cls in ActionShape.at(m.version).number_of if wanted.get(cls, True)]
    if not settable(m):
        known = [cls for cls in known if cls not in (a.SetField, a.CopyField)]
    chosen = m.random.sample(known, min(len(known), m.random.randrange(5)))
    reshaping = [cls for cls in chosen if cls in _RESHAPES][:1]
    plain = [cls for cls in chosen if cls not in _RESHAPES and cls not in _ALWAYS]
    last = [cls for cls in chosen if cls in _ALWAYS]
    if a.ExperimenterAction in plain and not m.rarely():
        plain.remove(a.ExperimenterAction)
    return tuple(m.record(cls.at(m.version), 8) for cls in (*plain, *reshaping, *last))


#: Fields that a set_field may not name, or that no packet has.
_NOT_SET = {
    *("in_port", "in_phy_port", "eth_type", "ip_proto", "actset_output", "packet_type"),
    *("mpls_bos", "ipv6_exthdr", "tcp_flags"),
}


def settable(m: Maker) -> list[OxmField]:
    """The fields that can be set in packets that match, or in any where there is no match."""
    found = []
    if m.match is None:
        return [row for row in fields_at(m.version) if row.name not in _NOT_SET]
    for row in fields_at(m.version):
        if row.name in _NOT_SET:
            continue
        if all(_has(m.match, name, values) for name, values in row.requires):
            found.append(row)
    return [row for row in found if row.name != "vlan_vid" or _has(m.match, "vlan_vid", ())]


def _has(found: Match, name: str, values: tuple[int, ...]) -> bool:
    value = found.get(name)
    return value in values if values else value not in (None, 0)


def a_set_field(m: Maker) -> Match:
    row = m.choice(settable(m))
    masked = m.version >= OF15 and _takes_mask(m, row)
    value = field_value(m, row, masked)
    if row.name == "vlan_vid":
        value = VlanId.PRESENT | m.number(12)
    return Match.unchecked({row.name: value})


def copied(m: Maker) -> str:
    return m.choice(settable(m)).name
