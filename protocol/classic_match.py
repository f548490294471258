"""The matches of fixed size: 40 bytes in OF1.0 (5.2.3), 88 bytes in OF1.1 (A.2.3).

They are the same Match. `nw_proto` is ip_proto, or arp_op under ARP; `tp_src` is tcp_src,
udp_src … or icmpv4_type, as the match says. What a struct holds beside that meaning (bits
under a wildcard) is kept with the Match, so that decode then encode loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import Any

from .classic_plans import MatchStruct
from .errors import BadMatchCode
from .match import Match, OxmMatch, OxmMatchShape
from .oxm import FieldValue, VlanId
from .packet.ethernet import EthType
from .packet.internet import IpProto
from .ports import RESERVED10, PortNo
from .record import Record, RecordOf
from .version import OF10, OF11, OF12
from .wire import U8, U16, U32, U64, ByNumber, Bytes, Converted, Pad, Tag, by_version

U48 = Converted(
    Bytes(6), lambda raw: int.from_bytes(raw, "big"), lambda value: value.to_bytes(6, "big")
)
_ALL48, _ALL32, _ALL64 = (1 << 48) - 1, (1 << 32) - 1, (1 << 64) - 1
_Ports = dict[int, tuple[str, str]]
_PORTS: _Ports = {
    IpProto.TCP: ("tcp_src", "tcp_dst"),
    IpProto.UDP: ("udp_src", "udp_dst"),
    IpProto.SCTP: ("sctp_src", "sctp_dst"),
}
_PROTO: dict[int | None, str] = {EthType.IPV4: "ip_proto", EthType.ARP: "arp_op"}
_TRANSPORT: dict[int | None, _Ports] = {
    EthType.IPV4: _PORTS | {IpProto.ICMP: ("icmpv4_type", "icmpv4_code")}
}
# OF1.0.0 says "all IP packets" (3.4, table 3), and switches take that for both kinds of them; OF1.1
# says IPv4 (A.2.3). Addresses have 32 bits in either.
_PROTO10 = _PROTO | {EthType.IPV6: "ip_proto"}
_TRANSPORT10 = _TRANSPORT | {
    EthType.IPV6: _PORTS | {IpProto.ICMPV6: ("icmpv6_type", "icmpv6_code")}
}
_ADDRESSES: dict[int | None, tuple[str, str]] = {
    EthType.IPV4: ("ipv4_src", "ipv4_dst"),
    EthType.ARP: ("arp_spa", "arp_tpa"),
}
_MPLS = (EthType.MPLS, EthType.MPLS_MULTICAST)
_ANY_TAG: FieldValue = (int(VlanId.PRESENT), int(VlanId.PRESENT))


class Wildcards10(IntFlag):
    """OF1.0's ofp_flow_wildcards; the prefixes of addresses stand at bits 8 and 14."""

    IN_PORT = 1 << 0
    DL_VLAN = 1 << 1
    DL_SRC = 1 << 2
    DL_DST = 1 << 3
    DL_TYPE = 1 << 4
    NW_PROTO = 1 << 5
    TP_SRC = 1 << 6
    TP_DST = 1 << 7
    DL_VLAN_PCP = 1 << 20
    NW_TOS = 1 << 21


_NW_SRC_SHIFT, _NW_DST_SHIFT = 8, 14


class Match10(Record):
    """ofp_match of OF1.0."""

    wildcards: int = 0
    in_port: int = 0
    dl_src: int = 0
    dl_dst: int = 0
    dl_vlan: int = 0
    dl_vlan_pcp: int = 0
    dl_type: int = 0
    nw_tos: int = 0
    nw_proto: int = 0
    nw_src: int = 0
    nw_dst: int = 0
    tp_src: int = 0
    tp_dst: int = 0
    layout = (
        "wildcards" / U32,
        "in_port" / PortNo,
        "dl_src" / U48,
        "dl_dst" / U48,
        "dl_vlan" / U16,
        "dl_vlan_pcp" / U8,
        Pad(1),
        "dl_type" / U16,
        "nw_tos" / U8,
        "nw_proto" / U8,
        Pad(2),
        "nw_src" / U32,
        "nw_dst" / U32,
        "tp_src" / U16,
        "tp_dst" / U16,
    )


class Wildcards11(IntFlag):
    """OF1.1's ofp_flow_wildcards; addresses and metadata have masks instead."""

    IN_PORT = 1 << 0
    DL_VLAN = 1 << 1
    DL_VLAN_PCP = 1 << 2
    DL_TYPE = 1 << 3
    NW_TOS = 1 << 4
    NW_PROTO = 1 << 5
    TP_SRC = 1 << 6
    TP_DST = 1 << 7
    MPLS_LABEL = 1 << 8
    MPLS_TC = 1 << 9


class Match11(Record):
    """ofp_match of OF1.1. A one in a mask means that the bit does not matter."""

    in_port: int = 0
    wildcards: int = 0
    dl_src: int = 0
    dl_src_mask: int = _ALL48
    dl_dst: int = 0
    dl_dst_mask: int = _ALL48
    dl_vlan: int = 0
    dl_vlan_pcp: int = 0
    dl_type: int = 0
    nw_tos: int = 0
    nw_proto: int = 0
    nw_src: int = 0
    nw_src_mask: int = _ALL32
    nw_dst: int = 0
    nw_dst_mask: int = _ALL32
    tp_src: int = 0
    tp_dst: int = 0
    mpls_label: int = 0
    mpls_tc: int = 0
    metadata: int = 0
    metadata_mask: int = _ALL64
    layout = (
        Tag(U16, 0),
        Tag(U16, 88),
        "in_port" / U32,
        "wildcards" / U32,
        "dl_src" / U48,
        "dl_src_mask" / U48,
        "dl_dst" / U48,
        "dl_dst_mask" / U48,
        "dl_vlan" / U16,
        "dl_vlan_pcp" / U8,
        Pad(1),
        "dl_type" / U16,
        "nw_tos" / U8,
        "nw_proto" / U8,
        "nw_src" / U32,
        "nw_src_mask" / U32,
        "nw_dst" / U32,
        "nw_dst_mask" / U32,
        "tp_src" / U16,
        "tp_dst" / U16,
        "mpls_label" / U32,
        "mpls_tc" / U8,
        Pad(3),
        "metadata" / U64,
        "metadata_mask" / U64,
    )


_VLAN_NONE10 = 0xFFFF
_VLAN_ANY11, _VLAN_NONE11 = 0xFFFE, 0xFFFF


def _prefix_mask(wildcards: int, shift: int) -> int:
    ignored = min(wildcards >> shift & 0x3F, 32)
    return _ALL32 >> ignored << ignored


def _masked(value: int, mask: int, full: int) -> FieldValue | None:
    if mask == 0:
        return None
    return value & full if mask == full else (value & mask, mask)


def _present(fields: Iterator[tuple[str, FieldValue | None]]) -> dict[str, FieldValue]:
    return {name: value for name, value in fields if value is not None}


def _match_of_10(raw: Match10) -> Match:
    match = Match.unchecked(_present(_fields_of_10(raw)))
    match.keep_form(OF10, raw)
    return match


def _fields_of_10(raw: Match10) -> Iterator[tuple[str, FieldValue | None]]:
    wild, bit = raw.wildcards, Wildcards10
    if not wild & bit.IN_PORT:
        yield "in_port", raw.in_port
    if not wild & bit.DL_SRC:
        yield "eth_src", raw.dl_src
    if not wild & bit.DL_DST:
        yield "eth_dst", raw.dl_dst
    yield from _vlan_of_10(raw)
    if wild & bit.DL_TYPE:
        return
    yield "eth_type", raw.dl_type
    if raw.dl_type in _TRANSPORT10 and not wild & bit.NW_TOS:
        yield "ip_dscp", raw.nw_tos >> 2
    proto = None if wild & bit.NW_PROTO else raw.nw_proto
    if name := _PROTO10.get(raw.dl_type):
        yield name, proto
    yield from _network(raw, _prefix_mask(wild, _NW_SRC_SHIFT), _prefix_mask(wild, _NW_DST_SHIFT))
    ports = _TRANSPORT10.get(raw.dl_type, {}).get(proto or 0)
    yield from _transport(raw, ports, not wild & bit.TP_SRC, not wild & bit.TP_DST)


def _vlan_of_10(raw: Match10) -> Iterator[tuple[str, FieldValue | None]]:
    vid = not raw.wildcards & Wildcards10.DL_VLAN
    pcp = not raw.wildcards & Wildcards10.DL_VLAN_PCP
    if vid and raw.dl_vlan == _VLAN_NONE10:
        yield "vlan_vid", int(VlanId.NONE)
        return
    if vid:
        yield "vlan_vid", VlanId.PRESENT | raw.dl_vlan & 0xFFF
    elif pcp:
        yield "vlan_vid", _ANY_TAG
    if pcp:
        yield "vlan_pcp", raw.dl_vlan_pcp & 7


def _network(
    raw: Match10 | Match11, source: int, target: int
) -> Iterator[tuple[str, FieldValue | None]]:
    if names := _ADDRESSES.get(raw.dl_type):
        yield names[0], _masked(raw.nw_src, source, _ALL32)
        yield names[1], _masked(raw.nw_dst, target, _ALL32)


def _transport(
    raw: Match10 | Match11, names: tuple[str, str] | None, source: bool, target: bool
) -> Iterator[tuple[str, FieldValue | None]]:
    if names and source:
        yield names[0], raw.tp_src
    if names and target:
        yield names[1], raw.tp_dst


def _match_of_11(raw: Match11) -> Match:
    match = Match.unchecked(_present(_fields_of_11(raw)))
    match.keep_form(OF11, raw)
    return match


def _fields_of_11(raw: Match11) -> Iterator[tuple[str, FieldValue | None]]:
    wild, bit = raw.wildcards, Wildcards11
    if not wild & bit.IN_PORT:
        yield "in_port", raw.in_port
    yield "metadata", _masked(raw.metadata, raw.metadata_mask ^ _ALL64, _ALL64)
    yield "eth_src", _masked(raw.dl_src, raw.dl_src_mask ^ _ALL48, _ALL48)
    yield "eth_dst", _masked(raw.dl_dst, raw.dl_dst_mask ^ _ALL48, _ALL48)
    yield from _vlan_of_11(raw)
    if wild & bit.DL_TYPE:
        return
    yield "eth_type", raw.dl_type
    if raw.dl_type in _TRANSPORT and not wild & bit.NW_TOS:
        yield "ip_dscp", raw.nw_tos >> 2
    proto = None if wild & bit.NW_PROTO else raw.nw_proto
    if name := _PROTO.get(raw.dl_type):
        yield name, proto
    yield from _network(raw, raw.nw_src_mask ^ _ALL32, raw.nw_dst_mask ^ _ALL32)
    ports = _TRANSPORT.get(raw.dl_type, {}).get(proto or 0)
    yield from _transport(raw, ports, not wild & bit.TP_SRC, not wild & bit.TP_DST)
    if raw.dl_type in _MPLS:
        yield "mpls_label", None if wild & bit.MPLS_LABEL else raw.mpls_label & 0xFFFFF
        yield "mpls_tc", None if wild & bit.MPLS_TC else raw.mpls_tc & 7


def _vlan_of_11(raw: Match11) -> Iterator[tuple[str, FieldValue | None]]:
    if raw.wildcards & Wildcards11.DL_VLAN:
        return
    if raw.dl_vlan == _VLAN_NONE11:
        yield "vlan_vid", int(VlanId.NONE)
        return
    tagged = raw.dl_vlan == _VLAN_ANY11
    yield "vlan_vid", _ANY_TAG if tagged else VlanId.PRESENT | raw.dl_vlan & 0xFFF
    if not raw.wildcards & Wildcards11.DL_VLAN_PCP:
        yield "vlan_pcp", raw.dl_vlan_pcp & 7


class _Fields:
    """The fields of a match, taken out one by one; what is left cannot be said."""

    def __init__(self, match: Match, version: str) -> None:
        if not isinstance(match, Match):
            raise ValueError(f"{match!r} is no Match")
        self.left, self.version = dict(match.items()), version

    def number(self, name: str, limit: int = _ALL64) -> int | None:
        value = self.left.pop(name, None)
        if value is not None and not isinstance(value, int):
            raise ValueError(f"{name} takes no mask in OpenFlow {self.version}")
        if value is not None and not 0 <= value <= limit:
            raise ValueError(f"{name} is at most {limit:#x} in OpenFlow {self.version}")
        return value

    def masked(self, name: str, full: int) -> tuple[int, int]:
        """Return value and mask, (0, 0) where the match does not have the field."""
        value = self.left.pop(name, None)
        if value is None:
            return 0, 0
        if isinstance(value, bytes):
            raise ValueError(f"{name} cannot be {value!r}")
        return value if isinstance(value, tuple) else (value, full)

    def prefix(self, name: str) -> tuple[int, int]:
        """Return value and number of ignored bits, for masks that are prefixes."""
        value, mask = self.masked(name, _ALL32)
        ignored = 32 - mask.bit_count()
        if mask != _ALL32 >> ignored << ignored:
            raise ValueError(f"{name} takes prefixes only in OpenFlow {self.version}")
        return value, ignored

    def finish(self) -> None:
        for name in self.left:
            raise ValueError(f"{name} does not exist in OpenFlow {self.version}")


def _take(values: dict[str, Any], name: str, value: int | None) -> bool:
    """Put a field in if there is one, and say whether it is a wildcard."""
    values[name] = value or 0
    return value is None


def _shared(
    fields: _Fields,
    values: dict[str, Any],
    bit: Any,
    protos: dict[int | None, str],
    transports: dict[int | None, _Ports],
) -> int:
    """Put in what both structs spell alike; return the wildcards."""
    wild = bit.IN_PORT * _take(values, "in_port", fields.number("in_port"))
    dl_type = fields.number("eth_type")
    wild |= bit.DL_TYPE * _take(values, "dl_type", dl_type)
    dscp = fields.number("ip_dscp", 0x3F) if dl_type in transports else None
    wild |= bit.NW_TOS * _take(values, "nw_tos", None if dscp is None else dscp << 2)
    name = protos.get(dl_type)
    proto = fields.number(name, 0xFF) if name else None
    wild |= bit.NW_PROTO * _take(values, "nw_proto", proto)
    ports = transports.get(dl_type, {}).get(proto or 0)
    wild |= bit.TP_SRC * _take(values, "tp_src", fields.number(ports[0]) if ports else None)
    wild |= bit.TP_DST * _take(values, "tp_dst", fields.number(ports[1]) if ports else None)
    return int(wild)


def _addresses(values: dict[str, Any]) -> tuple[str, str]:
    return _ADDRESSES.get(values["dl_type"], ("ipv4_src", "ipv4_dst"))


def _put_vlan(fields: _Fields, values: dict[str, Any], bit: Any, none: int) -> tuple[int, bool]:
    """Put in the tag; return the wildcards, and whether any tag will do."""
    vid = fields.left.pop("vlan_vid", None)
    pcp = fields.number("vlan_pcp", 7)
    wild = int(bit.DL_VLAN_PCP * _take(values, "dl_vlan_pcp", pcp))
    if vid is None or vid == _ANY_TAG:
        return wild | int(bit.DL_VLAN), vid is not None
    if not isinstance(vid, int):
        raise ValueError(f"vlan_vid takes no mask in OpenFlow {fields.version}")
    values["dl_vlan"] = none if vid == VlanId.NONE else vid & 0xFFF
    return wild, False


def _raw_10(match: Match) -> Match10:
    if raw := match.form(OF10):
        return raw  # type: ignore[no-any-return]
    raw = _raw_10_of(match)
    match.keep_form(OF10, raw)
    return raw


def _raw_10_of(match: Match) -> Match10:
    fields, values, bit = _Fields(match, "1.0"), dict[str, Any](), Wildcards10
    wild = _shared(fields, values, bit, _PROTO10, _TRANSPORT10)
    wild |= int(bit.DL_SRC * _take(values, "dl_src", fields.number("eth_src")))
    wild |= int(bit.DL_DST * _take(values, "dl_dst", fields.number("eth_dst")))
    tags, any_tag = _put_vlan(fields, values, bit, _VLAN_NONE10)
    if any_tag and tags & bit.DL_VLAN_PCP:
        raise ValueError("OpenFlow 1.0 cannot match on any tag; name a VID or a vlan_pcp")
    source, target = _addresses(values)
    values["nw_src"], source_ignored = fields.prefix(source)
    values["nw_dst"], target_ignored = fields.prefix(target)
    wild |= tags | source_ignored << _NW_SRC_SHIFT | target_ignored << _NW_DST_SHIFT
    fields.finish()
    return Match10(wildcards=wild, **values)


def _raw_11(match: Match) -> Match11:
    if raw := match.form(OF11):
        return raw  # type: ignore[no-any-return]
    raw = _raw_11_of(match)
    match.keep_form(OF11, raw)
    return raw


def _raw_11_of(match: Match) -> Match11:
    fields, values, bit = _Fields(match, "1.1"), dict[str, Any](), Wildcards11
    wild = _shared(fields, values, bit, _PROTO, _TRANSPORT)
    tags, any_tag = _put_vlan(fields, values, bit, _VLAN_NONE11)
    if any_tag:
        tags ^= bit.DL_VLAN
        values["dl_vlan"] = _VLAN_ANY11
    wild |= tags
    for name, wildcard in (("mpls_label", bit.MPLS_LABEL), ("mpls_tc", bit.MPLS_TC)):
        found = fields.number(name) if values["dl_type"] in _MPLS else None
        wild |= int(wildcard * _take(values, name, found))
    source, target = _addresses(values)
    for name, field, full in (
        ("dl_src", "eth_src", _ALL48),
        ("dl_dst", "eth_dst", _ALL48),
        ("nw_src", source, _ALL32),
        ("nw_dst", target, _ALL32),
        ("metadata", "metadata", _ALL64),
    ):
        values[name], mask = fields.masked(field, full)
        values[f"{name}_mask"] = mask ^ full
    fields.finish()
    return Match11(wildcards=wild, **values)


# Open vSwitch writes the match of OF1.1's flow statistics as Nicira's OXM: the type,
# which the struct has as well, tells. What came so goes back so.
_STANDARD, _OXM = 0, 1


def _as_oxm(match: Match) -> Match:
    match.keep_form(_as_oxm, True)
    return match


def _number_11(match: Match) -> int:
    return _OXM if isinstance(match, Match) and match.form(_as_oxm) else _STANDARD


#: A match as each version writes it.
MatchShape = by_version(
    {
        OF10: MatchStruct(RecordOf(Match10), _match_of_10, _raw_10, {"in_port": RESERVED10}),
        OF11: ByNumber(
            {
                _STANDARD: MatchStruct(RecordOf(Match11), _match_of_11, _raw_11),
                _OXM: Converted(OxmMatchShape(OF11), _as_oxm, lambda match: match),
            },
            _number_11,
            unknown=BadMatchCode.BAD_TYPE,
            faulty=BadMatchCode.BAD_LEN,
        ),
        OF12: OxmMatch(),
    }
)
