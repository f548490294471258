"""The table of match fields (OF1.5.1 7.2.3.7 "Flow Match Fields"), and their values.

A fact about a field stands in its row: number, width, whether it takes a mask, the first
version, what else a match must say for it to mean anything, and how people write it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

from .addresses import MacAddress
from .packet.ethernet import EthType
from .packet.internet import IpProto
from .version import OF12, OF13, OF14, OF15, Version

OPENFLOW_BASIC = 0x8000  #: the class of the fields below
OXM_HEADER = struct.Struct(">I")  #: class 16 bits, field 7, has-mask 1, length 8

Masked = tuple[int, int]  #: value and mask
#: What users write for a field: a number, text with an optional /mask, an address, a network.
FieldInput = (
    int | str | tuple[int | str, int | str]
    | IPv4Address | IPv6Address | IPv4Network | IPv6Network | IPv4Interface | IPv6Interface
)  # fmt: skip
#: What a Match holds: a number, a number and its mask, or the bytes of a field we do not know.
FieldValue = int | Masked | bytes


class VlanId(IntEnum):
    """Values of vlan_vid beside VIDs (OF1.5.1 7.2.3.7)."""

    NONE = 0x0000  #: no tag
    PRESENT = 0x1000  #: set whenever there is a tag; as value and mask: any tag


# How people write the values of a kind of field: text -> number, number -> text.
@dataclass(frozen=True, slots=True)
class Kind:
    """A way to read and write the values of a field."""

    parse: Callable[[str], int]
    show: Callable[[int], str]


DECIMAL = Kind(lambda text: int(text, 0), str)
HEX = Kind(lambda text: int(text, 0), hex)
MAC = Kind(MacAddress.parse, lambda value: str(MacAddress(value)))
IPV4 = Kind(lambda text: int(IPv4Address(text)), lambda value: str(IPv4Address(value)))
IPV6 = Kind(lambda text: int(IPv6Address(text)), lambda value: str(IPv6Address(value)))

#: A field and the values of which it must have one; none: it must be there at all.
Requirement = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class OxmField:
    """A row of the table."""

    name: str
    number: int
    bits: int
    maskable: bool = False
    first: Version = OF12
    requires: tuple[Requirement, ...] = ()
    kind: Kind = DECIMAL
    oxm_class: int = OPENFLOW_BASIC

    @cached_property
    def size(self) -> int:
        """Bytes on the wire, without a mask; labels of 20 bits take 4."""
        return 4 if self.bits == 20 else (self.bits + 7) // 8

    @cached_property
    def all_ones(self) -> int:
        """The mask that leaves nothing out."""
        return (1 << self.bits) - 1

    def header(self, masked: bool) -> int:
        """Return the OXM header, 32 bits."""
        length = self.size * 2 if masked else self.size
        return self.oxm_class << 16 | self.number << 9 | masked << 8 | length

    def exists_in(self, version: Version) -> bool:
        """Whether an OXM of `version` can name this field."""
        return version >= self.first

    def read(self, given: FieldInput) -> int | Masked:
        """Return what a user wrote as a number, or as number and mask.

        ValueError for what the field does not take. Bits that the mask leaves out are
        cleared, and a mask of all ones is left away.
        """
        value, mask = self._split(given)
        for number in (value, mask):
            if number is not None and not 0 <= number <= self.all_ones:
                raise ValueError(f"{self.name} has {self.bits} bits, {number:#x} does not fit")
        if mask is None or mask == self.all_ones:
            return self._tagged(value)
        if not self.maskable:
            raise ValueError(f"{self.name} takes no mask")
        return value & mask, mask

    def _split(self, given: FieldInput) -> tuple[int, int | None]:
        if isinstance(given, str) and "/" in given:
            value, mask = given.split("/", 1)
            return self._number(value), self._mask(mask)
        if isinstance(given, tuple):
            return self._number(given[0]), self._number(given[1])
        if isinstance(given, IPv4Network | IPv6Network):
            return int(given.network_address), int(given.netmask)
        if isinstance(given, IPv4Interface | IPv6Interface):
            return int(given.ip), int(given.netmask)
        return self._number(given), None

    def _mask(self, text: str) -> int:
        if self.kind in (IPV4, IPV6) and text.isdigit():
            if int(text) > self.bits:
                raise ValueError(f"{self.name}: there is no prefix of {text} bits")
            return self.all_ones ^ self.all_ones >> int(text)
        return self._number(text)

    def _number(self, given: int | str | IPv4Address | IPv6Address) -> int:
        if isinstance(given, str):
            try:
                return self.kind.parse(given)
            except ValueError:
                return int(given, 0) if given[:2] == "0x" else self._bad(given)
        if isinstance(given, int | IPv4Address | IPv6Address):
            return int(given)
        return self._bad(given)

    def _bad(self, given: object) -> int:
        raise ValueError(f"{self.name} cannot be {given!r}")

    def _tagged(self, value: int) -> int:
        # A bare VID is what people mean by a tag with this VID; the specification wants the
        # bit that says so, and without it the entry would match nothing at all.
        return value | VlanId.PRESENT if self.name == "vlan_vid" and value else value

    def show(self, value: FieldValue) -> str:
        """Return the value as people write it."""
        if isinstance(value, tuple):
            return f"{self.kind.show(value[0])}/{self.kind.show(value[1])}"
        return value.hex() if isinstance(value, bytes) else self.kind.show(value)


_ARP = (("eth_type", (EthType.ARP,)),)
_IP = (("eth_type", (EthType.IPV4, EthType.IPV6)),)
_IP4 = (("eth_type", (EthType.IPV4,)),)
_IP6 = (("eth_type", (EthType.IPV6,)),)
_MPLS = (("eth_type", (EthType.MPLS, EthType.MPLS_MULTICAST)),)
_PBB = (("eth_type", (EthType.PBB,)),)
_TCP, _UDP, _SCTP = (
    (*_IP, ("ip_proto", (proto,))) for proto in (IpProto.TCP, IpProto.UDP, IpProto.SCTP)
)
_ICMP4 = (*_IP4, ("ip_proto", (IpProto.ICMP,)))
_ICMP6 = (*_IP6, ("ip_proto", (IpProto.ICMPV6,)))
_VLAN: tuple[Requirement, ...] = (("vlan_vid", ()),)
_ANY_ND = (*_ICMP6, ("icmpv6_type", (135, 136)))
_SOLICIT, _ADVERT = ((*_ICMP6, ("icmpv6_type", (kind,))) for kind in (135, 136))

_ROWS = (
    OxmField("in_port", 0, 32),
    OxmField("in_phy_port", 1, 32, requires=(("in_port", ()),)),
    OxmField("metadata", 2, 64, True, kind=HEX),
    OxmField("eth_dst", 3, 48, True, kind=MAC),
    OxmField("eth_src", 4, 48, True, kind=MAC),
    OxmField("eth_type", 5, 16, kind=HEX),
    OxmField("vlan_vid", 6, 13, True),
    OxmField("vlan_pcp", 7, 3, requires=_VLAN),
    OxmField("ip_dscp", 8, 6, requires=_IP),
    OxmField("ip_ecn", 9, 2, requires=_IP),
    OxmField("ip_proto", 10, 8, requires=_IP),
    OxmField("ipv4_src", 11, 32, True, requires=_IP4, kind=IPV4),
    OxmField("ipv4_dst", 12, 32, True, requires=_IP4, kind=IPV4),
    OxmField("tcp_src", 13, 16, requires=_TCP),
    OxmField("tcp_dst", 14, 16, requires=_TCP),
    OxmField("udp_src", 15, 16, requires=_UDP),
    OxmField("udp_dst", 16, 16, requires=_UDP),
    OxmField("sctp_src", 17, 16, requires=_SCTP),
    OxmField("sctp_dst", 18, 16, requires=_SCTP),
    OxmField("icmpv4_type", 19, 8, requires=_ICMP4),
    OxmField("icmpv4_code", 20, 8, requires=_ICMP4),
    OxmField("arp_op", 21, 16, requires=_ARP),
    OxmField("arp_spa", 22, 32, True, requires=_ARP, kind=IPV4),
    OxmField("arp_tpa", 23, 32, True, requires=_ARP, kind=IPV4),
    OxmField("arp_sha", 24, 48, True, requires=_ARP, kind=MAC),
    OxmField("arp_tha", 25, 48, True, requires=_ARP, kind=MAC),
    OxmField("ipv6_src", 26, 128, True, requires=_IP6, kind=IPV6),
    OxmField("ipv6_dst", 27, 128, True, requires=_IP6, kind=IPV6),
    OxmField("ipv6_flabel", 28, 20, True, requires=_IP6, kind=HEX),
    OxmField("icmpv6_type", 29, 8, requires=_ICMP6),
    OxmField("icmpv6_code", 30, 8, requires=_ICMP6),
    OxmField("ipv6_nd_target", 31, 128, requires=_ANY_ND, kind=IPV6),
    OxmField("ipv6_nd_sll", 32, 48, requires=_SOLICIT, kind=MAC),
    OxmField("ipv6_nd_tll", 33, 48, requires=_ADVERT, kind=MAC),
    OxmField("mpls_label", 34, 20, requires=_MPLS),
    OxmField("mpls_tc", 35, 3, requires=_MPLS),
    OxmField("mpls_bos", 36, 1, first=OF13, requires=_MPLS),
    OxmField("pbb_isid", 37, 24, True, OF13, _PBB),
    OxmField("tunnel_id", 38, 64, True, OF13, kind=HEX),
    OxmField("ipv6_exthdr", 39, 9, True, OF13, _IP6, kind=HEX),
    OxmField("pbb_uca", 41, 1, first=OF14, requires=_PBB),
    OxmField("tcp_flags", 42, 12, True, OF15, _TCP, kind=HEX),
    OxmField("actset_output", 43, 32, first=OF15),
    OxmField("packet_type", 44, 32, first=OF15, kind=HEX),
)

#: All fields by name.
OXM: dict[str, OxmField] = {row.name: row for row in _ROWS}


def oxm_name(header: int) -> str:
    """Return the name under which a Match keeps a field that is not in the table."""
    return f"oxm_{header:08x}"


def oxm_header(name: str) -> int | None:
    """Return the header in a name that `oxm_name` made, None for other names."""
    if len(name) != 12 or not name.startswith("oxm_"):
        return None
    try:
        return int(name[4:], 16)
    except ValueError:
        return None
