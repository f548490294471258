"""Matches as ovs-ofctl's users write them (ovs-fields(7)).

The old names stand for several fields: `nw_src` is ipv4_src, or arp_spa under ARP; `tp_dst`
is tcp_dst, udp_dst … as the match says. So they are read when all else is known. Names of
the specification (`ipv4_src`) are read wherever the old ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain

from ..match import Match, in_order, match_field
from ..oxm import (
    DECIMAL,
    IPV4,
    IPV6,
    OXM,
    FieldValue,
    OptionValue,
    OxmField,
    VlanId,
    option_size,
    oxm_header,
)
from ..packet.ethernet import EthType
from ..packet.internet import IpProto
from .field_words import read_words, words_for
from .words import Word, masked_number, number, port, port_text, unknown, words

_RARP = 0x8035

#: Words that say eth_type, and maybe ip_proto.
SHORTHANDS: dict[str, tuple[int, int | None]] = {
    "ip": (EthType.IPV4, None),
    "icmp": (EthType.IPV4, IpProto.ICMP),
    "tcp": (EthType.IPV4, IpProto.TCP),
    "udp": (EthType.IPV4, IpProto.UDP),
    "sctp": (EthType.IPV4, IpProto.SCTP),
    "ipv6": (EthType.IPV6, None),
    "icmp6": (EthType.IPV6, IpProto.ICMPV6),
    "tcp6": (EthType.IPV6, IpProto.TCP),
    "udp6": (EthType.IPV6, IpProto.UDP),
    "sctp6": (EthType.IPV6, IpProto.SCTP),
    "arp": (EthType.ARP, None),
    "rarp": (_RARP, None),
    "mpls": (EthType.MPLS, None),
    "mplsm": (EthType.MPLS_MULTICAST, None),
}
_SHORTHAND_OF = {meaning: word for word, meaning in SHORTHANDS.items()}

#: The name of the specification for each other name of a field.
ALIASES = {
    "dl_src": "eth_src",
    "dl_dst": "eth_dst",
    "dl_type": "eth_type",
    "ip_src": "ipv4_src",
    "ip_dst": "ipv4_dst",
    "nw_ecn": "ip_ecn",
    "tun_id": "tunnel_id",
    "tun_src": "tun_ipv4_src",
    "tun_dst": "tun_ipv4_dst",
    "ipv6_label": "ipv6_flabel",
    "nd_target": "ipv6_nd_target",
    "nd_sll": "ipv6_nd_sll",
    "nd_tll": "ipv6_nd_tll",
}
_OLD_NAME = {name: old for old, name in ALIASES.items()} | {"ip_proto": "nw_proto"}

_Meanings = dict[int, str]
#: Names whose meaning eth_type tells.
_BY_ETH_TYPE: dict[str, _Meanings] = {
    "nw_src": {EthType.IPV4: "ipv4_src", EthType.ARP: "arp_spa"},
    "nw_dst": {EthType.IPV4: "ipv4_dst", EthType.ARP: "arp_tpa"},
    "nw_proto": {EthType.IPV4: "ip_proto", EthType.IPV6: "ip_proto", EthType.ARP: "arp_op"},
    "nw_tos": {EthType.IPV4: "ip_dscp", EthType.IPV6: "ip_dscp"},
}
#: Names whose meaning ip_proto tells.
_BY_IP_PROTO: dict[str, _Meanings] = {
    "tp_src": {IpProto.TCP: "tcp_src", IpProto.UDP: "udp_src", IpProto.SCTP: "sctp_src",
               IpProto.ICMP: "icmpv4_type"},
    "tp_dst": {IpProto.TCP: "tcp_dst", IpProto.UDP: "udp_dst", IpProto.SCTP: "sctp_dst",
               IpProto.ICMP: "icmpv4_code"},
    "icmp_type": {IpProto.ICMP: "icmpv4_type", IpProto.ICMPV6: "icmpv6_type"},
    "icmp_code": {IpProto.ICMP: "icmpv4_code", IpProto.ICMPV6: "icmpv6_code"},
}  # fmt: skip
_CURES = {
    **dict.fromkeys(_BY_ETH_TYPE, "ip or arp"),
    "nw_tos": "ip or ipv6",
    **dict.fromkeys(_BY_IP_PROTO, "tcp, udp or sctp"),
    "icmp_type": "icmp or icmp6",
    "icmp_code": "icmp or icmp6",
}
_PORTS = ("in_port", "in_phy_port", "actset_output")
_THERE = (OptionValue(0, 0), OptionValue(0, 0))  # an option of a tunnel, whatever its value
_ANY_TAG = (int(VlanId.PRESENT), int(VlanId.PRESENT))
_VID_MASK, _TAG_MASK, _NO_TAG = 0x0FFF, 0x1FFF, 0xFFFF


def parse_match(text: str) -> Match:
    """Read a match; ValueError, with a sentence that says the cure, for what is none.

    >>> parse_match("in_port=1,tcp,tp_dst=80")
    Match(in_port=1, eth_type=0x800, ip_proto=6, tcp_dst=80)
    """
    return read_match(words(text))


def read_match(found: Iterable[Word]) -> Match:
    """Make a match of words."""
    reader = _Reader()
    for word in found:
        reader.read(word)
    return reader.finish()


class _Reader:
    """Gathers the fields; words whose meaning others tell wait until all are there."""

    def __init__(self) -> None:
        self.fields: dict[str, FieldValue] = {}
        self.said: dict[str, str] = {}  # field -> the word it came by
        self.waiting: dict[str, Word] = {}

    def read(self, word: Word) -> None:
        name = word.name.lower()
        if name in SHORTHANDS and not word.value:
            self._shorthand(name)
        elif name in _BY_ETH_TYPE or name in _BY_IP_PROTO:
            if self.waiting.setdefault(name, word) != word:
                raise ValueError(f"{name} stands twice; leave one of them out")
        elif name in _SPECIAL:
            for field, value in _SPECIAL[name](word.value):
                self._put(field, value, word)
        elif name != "any" or word.value:
            self._field(name, word)

    def _put(self, name: str, value: FieldValue, word: Word) -> None:
        if self.fields.setdefault(name, value) != value:
            other = self.said[name]
            raise ValueError(f"{word.text} contradicts {other}; leave one of them out")
        self.said.setdefault(name, word.text)

    def _shorthand(self, name: str) -> None:
        eth_type, ip_proto = SHORTHANDS[name]
        word = Word(name, "", name)
        self._put("eth_type", int(eth_type), word)
        if ip_proto is not None:
            self._put("ip_proto", int(ip_proto), word)

    def _field(self, name: str, word: Word) -> None:
        if oxm_header(name) is not None:
            self._put(name, _raw(word), word)
            return
        row = field_named(name)
        if not word.value:
            if row.variable:
                self._put(row.name, _THERE, word)
                return
            raise ValueError(f"{name} lacks its value; write {name}=…")
        self._put(row.name, read_value(row, word.value), word)

    def finish(self) -> Match:
        self._settle(_BY_ETH_TYPE, "eth_type")
        self._settle(_BY_IP_PROTO, "ip_proto")
        if "vlan_pcp" in self.fields:  # there is no priority without a tag
            self.fields.setdefault("vlan_vid", _ANY_TAG)
        match = Match.unchecked(in_order(self.fields))
        if problem := match.missing():
            raise ValueError(problem)
        return match

    def _settle(self, names: dict[str, _Meanings], by: str) -> None:
        """Read the words that wait for the field `by`."""
        known = self.fields.get(by)
        for name in names.keys() & self.waiting:
            word = self.waiting[name]
            field = names[name].get(known) if isinstance(known, int) else None
            if field is None:
                raise ValueError(f"{word.text} says nothing without {_CURES[name]}; add it")
            value = (
                _read_tos(word.value) if name == "nw_tos" else read_value(OXM[field], word.value)
            )
            self._put(field, value, word)


def _raw(word: Word) -> bytes:
    try:
        return bytes.fromhex(word.value)
    except ValueError:
        raise ValueError(f"{word.name} cannot be {word.value!r}; it is bytes in hex") from None


def field_named(name: str) -> OxmField:
    """Return the row of a field by any of its names; ValueError where there is none."""
    found = name.lower().removeprefix("oxm_of_").removeprefix("nxm_of_")
    found = ALIASES.get(found, found)
    if found in OXM:
        return match_field(found)
    known = chain(OXM, ALIASES, SHORTHANDS, _BY_ETH_TYPE, _BY_IP_PROTO, _SPECIAL)
    raise unknown("match field", name, known)


def read_value(row: OxmField, text: str) -> FieldValue:
    """Read the value of a field, and its mask behind a slash."""
    if row.name in _PORTS:
        return int(port(row.name, text))
    if (said := read_words(row.name, text)) is not None:
        return said
    if row.kind is DECIMAL and text.isdecimal():
        text = str(int(text))  # 010 is ten, as people mean it
    try:
        return row.read(text)
    except ValueError as error:
        reason = str(error) if row.name in str(error) else f"{row.name}: {error}"
        raise ValueError(reason) from None


def _read_old(name: str, field: str, text: str) -> FieldValue:
    return _read_tos(text) if name == "nw_tos" else read_value(OXM[field], text)


def _read_tos(text: str) -> int:
    tos = number("nw_tos", text, 8)
    if tos & 3:
        raise ValueError(
            f"nw_tos={text} has bits of the ECN; write nw_tos={tos & ~3} and nw_ecn={tos & 3}"
        )
    return tos >> 2


_Fields = Iterator[tuple[str, FieldValue]]


def _read_dl_vlan(text: str) -> _Fields:
    vid = number("dl_vlan", text, 16)
    if vid == _NO_TAG:
        yield "vlan_vid", int(VlanId.NONE)
    elif vid <= _VID_MASK:
        yield "vlan_vid", VlanId.PRESENT | vid
    else:
        raise ValueError(f"dl_vlan cannot be {text}; VIDs end with 4095, 0xffff means no tag")


def _read_dl_vlan_pcp(text: str) -> _Fields:
    yield "vlan_pcp", number("dl_vlan_pcp", text, 3)


def _read_vlan_tci(text: str) -> _Fields:
    """Read the 16 bits of a tag, bit 12 being whether there is one."""
    value, given = masked_number("vlan_tci", text, 16)
    mask = 0xFFFF if given is None else given
    value &= mask
    if mask >> 13 not in (0, 7):
        raise ValueError(f"vlan_tci={text} asks for a part of the priority; OpenFlow has no mask")
    vid, vid_mask = value & _TAG_MASK, mask & _TAG_MASK
    if vid_mask:
        yield "vlan_vid", vid if vid_mask == _TAG_MASK else (vid, vid_mask)
    if mask >> 13 and (value or mask != 0xFFFF):  # 0 alone: no tag, so no priority
        yield "vlan_pcp", value >> 13


_SPECIAL: dict[str, Callable[[str], _Fields]] = {
    "dl_vlan": _read_dl_vlan,
    "dl_vlan_pcp": _read_dl_vlan_pcp,
    "vlan_tci": _read_vlan_tci,
}


# And back


def match_text(match: Match) -> str:
    """Return the match as `parse_match` reads it; `any` for the one that says nothing.

    >>> match_text(Match(eth_type=0x0800, ip_proto=6, ipv4_src="10.0.0.0/8"))
    'tcp,nw_src=10.0.0.0/8'
    """
    return ",".join(match_words(match)) or "any"


def match_words(match: Match) -> Iterator[str]:
    """Return the words of a match."""
    eth_type, ip_proto = match.number("eth_type"), match.number("ip_proto")
    left = dict(match.items())
    if eth_type is not None:
        yield from _protocol_words(eth_type, ip_proto, left)
    names = _old_names(eth_type, ip_proto)
    for name, value in left.items():
        if show := _SHOWN.get(name):
            yield show(value, names)
        elif isinstance(value, tuple) and name in OXM and _is_presence(name, value):
            yield name
        else:
            yield f"{names.get(name, name)}={value_text(name, value)}"


def _is_presence(name: str, value: tuple[int, int]) -> bool:
    return OXM[name].variable and not option_size(value[1])


def _protocol_words(
    eth_type: int, ip_proto: int | None, left: dict[str, FieldValue]
) -> Iterator[str]:
    """Say the protocols as short as can be, and take what is said out of `left`."""
    both, alone = _SHORTHAND_OF.get((eth_type, ip_proto)), _SHORTHAND_OF.get((eth_type, None))
    if word := both or alone:
        del left["eth_type"]
        if both and ip_proto is not None:
            del left["ip_proto"]
        yield word


@lru_cache(64)  # of what a peer says, too, so not of all there can be
def _old_names(eth_type: int | None, ip_proto: int | None) -> dict[str, str]:
    """Return the names that ovs-ofctl has for fields, where they say the same."""
    names = {name: old for name, old in _OLD_NAME.items() if name not in ("ipv4_src", "ipv4_dst")}
    if eth_type == EthType.IPV4:
        names |= {"ipv4_src": "nw_src", "ipv4_dst": "nw_dst"}
    if eth_type not in (EthType.IPV4, EthType.IPV6):
        return {**names, "ip_proto": "ip_proto", "ip_dscp": "ip_dscp"}
    for old in ("tp_src", "tp_dst", "icmp_type", "icmp_code"):
        field = _BY_IP_PROTO[old].get(ip_proto or 0)
        if field and not (old.startswith("tp") and field.startswith("icmp")):
            names[field] = old
    return {**names, "ip_dscp": "nw_tos"}


def value_text(name: str, value: FieldValue) -> str:
    """Return the value of a field as people write it; networks by their prefix."""
    if isinstance(value, bytes):
        return value.hex()
    row = OXM.get(name)
    if row is None:
        return repr(value)
    if name in _PORTS and isinstance(value, int):
        return port_text(value)
    if (said := words_for(name, value)) is not None:
        return said
    if isinstance(value, tuple) and row.kind in (IPV4, IPV6):
        prefix = value[1].bit_count()
        if value[1] == row.all_ones ^ row.all_ones >> prefix:
            return f"{row.kind.show(value[0])}/{prefix}"
    if isinstance(value, tuple) and row.kind is DECIMAL:
        shown = hex(value[0]) if row.bits == 16 else str(value[0])  # ports are bits under a mask
        return f"{shown}/{value[1]:#x}"
    return row.show(value)


def _vlan_vid_text(value: FieldValue, names: dict[str, str]) -> str:
    if isinstance(value, int) and value >> 12 == 1:
        return f"dl_vlan={value & _VID_MASK}"
    if isinstance(value, int):
        return f"vlan_tci={value:#06x}/{_TAG_MASK:#x}"
    if isinstance(value, tuple) and value[1]:
        return f"vlan_tci={value[0]:#06x}/{value[1]:#06x}"
    return f"vlan_vid={value_text('vlan_vid', value)}"


def _vlan_pcp_text(value: FieldValue, names: dict[str, str]) -> str:
    return f"dl_vlan_pcp={value_text('vlan_pcp', value)}"


def _ip_dscp_text(value: FieldValue, names: dict[str, str]) -> str:
    if names["ip_dscp"] == "nw_tos" and isinstance(value, int):
        return f"nw_tos={value << 2}"
    return f"ip_dscp={value_text('ip_dscp', value)}"


def _vlan_tci_text(value: FieldValue, names: dict[str, str]) -> str:
    if isinstance(value, tuple):
        return f"vlan_tci={value[0]:#06x}/{value[1]:#06x}"
    return f"vlan_tci={value:#06x}" if isinstance(value, int) else f"vlan_tci={value!r}"


def _eth_type_text(value: FieldValue, names: dict[str, str]) -> str:
    return f"dl_type={value:#06x}" if isinstance(value, int) else f"dl_type={value!r}"


def _ipv6_flabel_text(value: FieldValue, names: dict[str, str]) -> str:
    shown = f"{value:#07x}" if isinstance(value, int) else value_text("ipv6_flabel", value)
    return f"ipv6_label={shown}"


_SHOWN: dict[str, Callable[[FieldValue, dict[str, str]], str]] = {
    "eth_type": _eth_type_text,
    "vlan_tci": _vlan_tci_text,
    "ipv6_flabel": _ipv6_flabel_text,
    "vlan_vid": _vlan_vid_text,
    "vlan_pcp": _vlan_pcp_text,
    "ip_dscp": _ip_dscp_text,
}
