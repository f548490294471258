"""Bits of fields as ovs-ofctl writes them: `NXM_NX_REG0[0..15]`, `reg0[3]`, `eth_src[]`."""

from __future__ import annotations

import re
from functools import cache

from ..match import match_field
from ..nicira.fields import ERICSSON, NICIRA, NSH
from ..nicira.subfields import Subfield
from ..oxm import (
    EXPERIMENTER_CLASS,
    NXM_NX,
    NXM_OF,
    ONF,
    OPENFLOW_BASIC,
    OXM,
    PACKET_REGS,
    STANDARD,
    OxmField,
)
from .match import ALIASES, field_named
from .words import unknown

_BITS = re.compile(r"(\w+)\[(?:(\d+)(?:\.\.(\d+))?)?\]")

#: What Nicira calls fields, without the prefix, where it is not our name in capitals.
_NICIRAS = {
    "in_port_nxm": "IN_PORT",
    "ipv4_src": "IP_SRC",
    "ipv4_dst": "IP_DST",
    "nw_tos": "IP_TOS",
    "nw_ttl": "IP_TTL",
    "nw_frag": "IP_FRAG",
    "icmpv4_type": "ICMP_TYPE",
    "icmpv4_code": "ICMP_CODE",
    "tunnel_id": "TUN_ID",
    "ipv6_flabel": "IPV6_LABEL",
    "ipv6_nd_target": "ND_TARGET",
    "ipv6_nd_sll": "ND_SLL",
    "ipv6_nd_tll": "ND_TLL",
    "nd_reserved": "ICMPV6_ND_RESERVED",
    "nd_options_type": "ICMPV6_ND_OPTIONS_TYPE",
    **{f"xreg{n}": f"PKT_REG{n}" for n in range(16)},
}
_PREFIXES = {
    NXM_OF: "NXM_OF_",
    NXM_NX: "NXM_NX_",
    OPENFLOW_BASIC: "OXM_OF_",
    PACKET_REGS: "OXM_OF_",
    ERICSSON: "ERICOXM_OF_",
}
#: Prefixes of experimenters' fields, and the beginning of our names that they stand for.
_EXPERIMENTERS = {
    NSH: ("NXOXM_", ""),
    NICIRA: ("NXOXM_ET_", "tun_"),
    ONF: ("ONFOXM_ET_", ""),
}
#: The names that fields have where an action, not a match, is about them.
SHOWN_NAMES = {
    name: old for old, name in ALIASES.items() if not old.startswith("dl_")
} | {"icmpv4_type": "icmp_type", "icmpv4_code": "icmp_code", "ip_proto": "nw_proto"}  # fmt: skip
_READ_NAMES = {
    "icmp_type": "icmpv4_type",
    "icmp_code": "icmpv4_code",
    "nw_src": "ipv4_src",
    "nw_dst": "ipv4_dst",
    "nw_proto": "ip_proto",
    "in_port_oxm": "in_port",
}


def nicira_name(name: str) -> str:
    """Return what Nicira calls a field; the name itself where nobody knows the field.

    >>> nicira_name("ipv4_src"), nicira_name("vlan_vid"), nicira_name("nsh_c1")
    ('NXM_OF_IP_SRC', 'OXM_OF_VLAN_VID', 'NXOXM_NSH_C1')
    """
    return _names().get(name, name)


@cache
def _names() -> dict[str, str]:
    return {name: _name_of(row) for name, row in OXM.items()}


def _name_of(row: OxmField) -> str:
    number = row.number_in_nxm()
    name = _NICIRAS.get(row.name, row.name.upper())
    if number.oxm_class != EXPERIMENTER_CLASS:
        return _PREFIXES[number.oxm_class] + name
    prefix, ours = _EXPERIMENTERS[number.experimenter]
    return prefix + name.removeprefix(ours.upper())


@cache
def _fields() -> dict[str, str]:
    """Return our name of each field for the names in capitals."""
    standard = {f"OXM_OF_{name.upper()}": name for name in STANDARD}
    return standard | {shown: name for name, shown in _names().items()}


def action_field(name: str) -> OxmField:
    """Return the field that an action calls so; ValueError where there is none."""
    if field := _fields().get(name.upper()):
        return match_field(field)
    lower = name.lower()
    try:
        return field_named(_READ_NAMES.get(lower, lower))
    except ValueError:
        known = [*(shown.lower() for shown in _fields()), *OXM, *ALIASES]
        raise unknown("match field", name, known) from None


def subfield(text: str, word: str) -> Subfield:
    """Read bits of a field; `in_port` has 16 here, as Nicira's has.

    >>> subfield("NXM_NX_REG0[0..15]", "push"), subfield("in_port[]", "pop")
    (Subfield(field='reg0', n_bits=16), Subfield(field='in_port_nxm', n_bits=16))
    """
    found = _BITS.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{word}: {text!r} names no bits; write FIELD[FIRST..LAST] or FIELD[]")
    name = "in_port_nxm" if found[1].lower() == "in_port" else found[1]
    row = action_field(name)
    first = int(found[2] or 0)
    last = int(found[3] or found[2] or row.bits - 1)
    if not first <= last < row.bits:
        raise ValueError(f"{word}: {text} is not in {row.name}, which has bits 0 to {row.bits - 1}")
    return Subfield(row.name, first, last - first + 1)


def one_bit(text: str, word: str) -> Subfield:
    """Read one bit of a field."""
    found = subfield(text, word)
    if found.n_bits != 1:
        raise ValueError(f"{word}: {text} has {found.n_bits} bits; name one, as in reg0[0]")
    return found


def subfield_text(found: Subfield) -> str:
    """Return bits of a field as `subfield` reads them."""
    return bits_text(found.field, found.offset, found.n_bits)


def bits_text(name: str, first: int, n_bits: int) -> str:
    """Return `n_bits` bits of a field from `first` on."""
    shown = nicira_name(name)
    if name in OXM and (first, n_bits) == (0, OXM[name].bits):
        return f"{shown}[]"
    return f"{shown}[{first}]" if n_bits == 1 else f"{shown}[{first}..{first + n_bits - 1}]"
