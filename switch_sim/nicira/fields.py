"""The match fields that Nicira added: what they are of a packet, and how they are set.

Registers are kept in 32 bits each; the wider ones are views of these (ovs-fields(7) "REGISTER
FIELDS"). What connection tracking tells, tunnels and marks are kept as they are. Importing
this file makes them known to flow keys and to set_field.
"""

from __future__ import annotations

from collections.abc import Callable

from protocol.nicira.fields import N_OPTIONS, N_REGISTERS
from protocol.oxm import VlanId
from protocol.ports import port_of_16

from .. import tags
from ..fields import SETTERS, set_field
from ..flow_key import DERIVED, PIPELINE_FIELDS, FlowKey
from ..packet import Packet

Reader = Callable[[FlowKey], int | None]
Setter = Callable[[Packet, int], None]

_WORD = 32  # bits of a register
_WORDS = tuple(f"reg{n}" for n in range(N_REGISTERS))
_CUSTOMER_TAG = 0x8100
_VIEWS = {
    **{f"xreg{n}": _WORDS[2 * n : 2 * n + 2] for n in range(N_REGISTERS // 2)},
    **{f"xxreg{n}": _WORDS[4 * n : 4 * n + 4] for n in range(N_REGISTERS // 4)},
}
_TUNNEL = (
    *(f"tun_{family}_{end}" for family in ("ipv4", "ipv6") for end in ("src", "dst")),
    *("tun_gbp_id", "tun_gbp_flags", "tun_flags", "tun_erspan_idx", "tun_erspan_ver"),
    *("tun_erspan_dir", "tun_erspan_hwid", "tun_gtpu_flags", "tun_gtpu_msgtype"),
)
OPTIONS = tuple(f"tun_metadata{n}" for n in range(N_OPTIONS))
#: What connection tracking tells of a packet, which it has in the tables behind `ct` only.
CT_FIELDS = (
    *("ct_state", "ct_zone", "ct_mark", "ct_label", "ct_nw_proto", "ct_nw_src", "ct_nw_dst"),
    *("ct_ipv6_src", "ct_ipv6_dst", "ct_tp_src", "ct_tp_dst"),
)
_KEPT = (*_WORDS, *_TUNNEL, *OPTIONS, "pkt_mark")


def _view(words: tuple[str, ...]) -> Reader:
    def read(key: FlowKey) -> int:
        number = 0
        for word in words:
            number = number << _WORD | (key[word] or 0)
        return number

    return read


def _set_view(words: tuple[str, ...]) -> Setter:
    def write(packet: Packet, value: int) -> None:
        for word in reversed(words):
            packet.set_register(word, value & (1 << _WORD) - 1)
            value >>= _WORD

    return write


def _keep(name: str) -> Setter:
    return lambda packet, value: packet.set_register(name, value)


# In headers


def _nw_ttl(key: FlowKey) -> int | None:
    if not key.proto_at:
        return None
    return key.data[key.network + (8 if "ipv4_src" in key else 7)]


def _set_nw_ttl(packet: Packet, value: int) -> None:
    if ttl := tags.ip_ttl(packet):
        ttl.write(packet, value)


def _mpls_ttl(key: FlowKey) -> int | None:
    return key.data[key.mpls + 3] if key.mpls else None


def _set_mpls_ttl(packet: Packet, value: int) -> None:
    if ttl := tags.mpls_ttl(packet):
        ttl.write(packet, value)


def _nw_frag(key: FlowKey) -> int | None:
    """Return the bits of IpFrag: a fragment, and one that is not the first."""
    if not key.proto_at:
        return None
    if not key.is_fragment:
        return 0
    if "ipv4_src" in key:
        offset = int.from_bytes(key.data[key.network + 6 : key.network + 8], "big") & 0x1FFF
    else:
        offset = int.from_bytes(key.data[key.proto_at + 2 : key.proto_at + 4], "big") & 0xFFF8
    return 3 if offset else 1


def _vlan_tci(key: FlowKey) -> int:
    """Return the outermost tag with the bit that says there is one, 0 if there is none."""
    vid = key["vlan_vid"]
    return (key["vlan_pcp"] or 0) << 13 | vid if vid else 0


def _set_vlan_tci(packet: Packet, value: int) -> None:
    if not value & VlanId.PRESENT:
        tags.pop_vlan(packet)
        return
    if not packet.key.vlan:
        tags.push_vlan(packet, _CUSTOMER_TAG)
    set_field(packet, "vlan_vid", value & (VlanId.PRESENT | 0xFFF))
    set_field(packet, "vlan_pcp", value >> 13)


def _nw_tos(key: FlowKey) -> int | None:
    dscp = key["ip_dscp"]
    return None if dscp is None else dscp << 2


def _set_nw_tos(packet: Packet, value: int) -> None:
    set_field(packet, "ip_dscp", value >> 2)


def _in_port_nxm(key: FlowKey) -> int:
    return (key["in_port"] or 0) & 0xFFFF


def _set_in_port(packet: Packet, value: int) -> None:
    packet.set_in_port(value)


def _set_in_port_nxm(packet: Packet, value: int) -> None:
    packet.set_in_port(port_of_16(value))


_HEADERS: dict[str, tuple[Reader, Setter]] = {
    "nw_ttl": (_nw_ttl, _set_nw_ttl),
    "mpls_ttl": (_mpls_ttl, _set_mpls_ttl),
    "vlan_tci": (_vlan_tci, _set_vlan_tci),
    "nw_tos": (_nw_tos, _set_nw_tos),
    "in_port_nxm": (_in_port_nxm, _set_in_port_nxm),
}

DERIVED.update({name: lambda key: 0 for name in (*_KEPT, *CT_FIELDS, "conj_id")})
DERIVED.update({name: _view(words) for name, words in _VIEWS.items()})
DERIVED.update({name: read for name, (read, _) in _HEADERS.items()})
DERIVED["nw_frag"] = _nw_frag

PIPELINE_FIELDS.update((*_KEPT, *CT_FIELDS, *_VIEWS, "conj_id", "in_port_nxm"))

SETTERS.update({name: _keep(name) for name in _KEPT})
SETTERS.update({name: _set_view(words) for name, words in _VIEWS.items()})
SETTERS.update({name: write for name, (_, write) in _HEADERS.items()})
SETTERS["in_port"] = _set_in_port

#: What tables can match beside the fields of the specification, and what actions can set.
MATCHABLE = frozenset({*_KEPT, *CT_FIELDS, *_VIEWS, *_HEADERS, "conj_id", "nw_frag"})
SETTABLE = frozenset({*_KEPT, *_VIEWS, *_HEADERS})
