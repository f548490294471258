"""The table of match fields (OF1.5.1 7.2.3.7 "Flow Match Fields"), and their values.

A fact about a field stands in its row: number, width, whether it takes a mask, the first
version, what else a match must say for it to mean anything, and how people write it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
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
from typing import NamedTuple, Self

from .addresses import MacAddress
from .packet.ethernet import EthType
from .packet.internet import IpProto
from .version import OF12, OF13, OF14, OF15, Version

NXM_OF, NXM_NX = 0x0000, 0x0001  #: Nicira's classes, from before there was OXM
OPENFLOW_BASIC = 0x8000  #: the class of the fields below
PACKET_REGS = 0x8001  #: the class of the packet registers
EXPERIMENTER_CLASS = 0xFFFF  #: fields of experimenters, whose number stands behind the header
ONF = 0x4F4E_4600  #: the experimenter that lent later fields to OF1.3
OXM_HEADER = struct.Struct(">I")  #: class 16 bits, field 7, has-mask 1, length 8
_EXPERIMENTER_HEADER = struct.Struct(">II")  # the length counts the experimenter

Masked = tuple[int, int]  #: value and mask
#: What users write for a field: a number, text with an optional /mask, an address, a network.
FieldInput = (
    int | str | tuple[int | str, int | str]
    | IPv4Address | IPv6Address | IPv4Network | IPv6Network | IPv4Interface | IPv6Interface
)  # fmt: skip
#: What a Match holds: a number, a number and its mask, or the bytes of a field we do not know.
FieldValue = int | Masked | bytes


class OptionValue(int):
    """The value of a field of any width, as options of tunnels are: a number and its bytes.

    Without a size it has as few words of 4 bytes as hold it. No bytes at all, with a mask of
    none, mean that the option is there.

    >>> OptionValue(0x0A, size=8).size, OptionValue(0x0A).size
    (8, 4)
    """

    size: int

    def __new__(cls, number: int, size: int | None = None) -> Self:
        made = super().__new__(cls, number)
        made.size = max(1, -(-made.bit_length() // 32)) * 4 if size is None else size
        return made


def option_size(number: int) -> int:
    """Return how many bytes an option's value has, or would have."""
    return (number if isinstance(number, OptionValue) else OptionValue(number)).size


class OxmNumber(NamedTuple):
    """What an OXM header calls a field."""

    oxm_class: int
    number: int
    experimenter: int = 0  #: where the class is EXPERIMENTER_CLASS


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
HEX = Kind(lambda text: int(text, 0), lambda value: hex(value) if value else "0")
MAC = Kind(MacAddress.parse, lambda value: str(MacAddress(value)))
IPV4 = Kind(lambda text: int(IPv4Address(text)), lambda value: str(IPv4Address(value)))
IPV6 = Kind(lambda text: int(IPv6Address(text)), lambda value: str(IPv6Address(value)))

#: A field and the values of which it must have one; none: it must be there at all.
Requirement = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class OxmField:
    """A row of the table.

    `nxm` is Nicira's class and number where these are others; `onf` says that ONF lent the
    field to the versions from OF1.3 up to `first`, `by_nicira` that Open vSwitch takes a mask
    where the specification has none. `width` is in bytes, where `bits` does not tell.
    """

    name: str
    number: int
    bits: int
    maskable: bool = False
    first: Version = OF12
    requires: tuple[Requirement, ...] = ()
    kind: Kind = DECIMAL
    oxm_class: int = OPENFLOW_BASIC
    experimenter: int = 0
    nxm: tuple[int, int] | None = None
    onf: bool = False
    by_nicira: bool = False
    width: int = 0
    variable: bool = False  #: whether the width is what the peer says, up to `bits`

    @cached_property
    def size(self) -> int:
        """Bytes on the wire, without a mask; labels of 20 bits take 4."""
        return self.width or (4 if self.bits == 20 else (self.bits + 7) // 8)

    @cached_property
    def all_ones(self) -> int:
        """The mask that leaves nothing out."""
        return (1 << self.bits) - 1

    @cached_property
    def takes_mask(self) -> bool:
        """Whether somebody takes a mask; `maskable` tells of the specification."""
        return self.maskable or self.by_nicira

    def header(self, masked: bool) -> int:
        """Return the OXM header, 32 bits."""
        return self.header_of(OxmNumber(self.oxm_class, self.number, self.experimenter), masked)

    def header_of(self, known: OxmNumber, masked: bool, size: int | None = None) -> int:
        """Return the header of 32 bits under this number; `size` is for fields of any width."""
        length = (self.size if size is None else size) * (2 if masked else 1)
        length += 4 if known.oxm_class == EXPERIMENTER_CLASS else 0
        return known.oxm_class << 16 | known.number << 9 | masked << 8 | length

    def packed(self, known: OxmNumber, masked: bool, size: int | None = None) -> bytes:
        """Return the header as it is on the wire, an experimenter's with the experimenter."""
        header = self.header_of(known, masked, size)
        if known.oxm_class == EXPERIMENTER_CLASS:
            return _EXPERIMENTER_HEADER.pack(header, known.experimenter)
        return OXM_HEADER.pack(header)

    def number_at(self, version: Version) -> OxmNumber | None:
        """Return what an OXM of `version` calls the field, None if it does not have it.

        Below OF1.2 there is no OXM, but Nicira's messages have it there.
        """
        own = OxmNumber(self.oxm_class, self.number, self.experimenter)
        if version >= self.first:
            return own
        if self.onf and (version >= OF13 or self.nxm is None):
            return OxmNumber(EXPERIMENTER_CLASS, self.number, ONF)
        if self.nxm is not None:
            return OxmNumber(*self.nxm)
        return own if version < OF12 else None

    def number_in_nxm(self) -> OxmNumber:
        """Return what Nicira's messages and actions call the field: the oldest name it has."""
        if self.nxm is not None:
            return OxmNumber(*self.nxm)
        if self.onf:
            return OxmNumber(EXPERIMENTER_CLASS, self.number, ONF)
        return OxmNumber(self.oxm_class, self.number, self.experimenter)

    def exists_in(self, version: Version) -> bool:
        """Whether an OXM of `version` can name this field."""
        return self.number_at(version) is not None

    def read(self, given: FieldInput) -> int | Masked:
        """Return what a user wrote as a number, or as number and mask.

        ValueError for what the field does not take. Bits that the mask leaves out are
        cleared, and a mask of all ones is left away.
        """
        value, mask = self._split(given)
        for number in (value, mask):
            if number is not None and not 0 <= number <= self.all_ones:
                raise ValueError(f"{self.name} has {self.bits} bits, {number:#x} does not fit")
        if self.variable:
            return self._sized(value, mask)
        if mask is None or mask == self.all_ones:
            return self._tagged(value)
        if not self.takes_mask:
            raise ValueError(f"{self.name} takes no mask")
        return value & mask, mask

    def _sized(self, value: int, mask: int | None) -> int | Masked:
        """Return an option's value, and its mask, with the size of the longer one."""
        sizes = [option_size(n) for n in (value, mask) if n is not None]
        if mask is None:
            return OptionValue(value, sizes[0])
        return OptionValue(value & mask, max(sizes)), OptionValue(mask, max(sizes))

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
        if isinstance(given, OptionValue):
            return given
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
    OxmField("eth_dst", 3, 48, True, kind=MAC, nxm=(NXM_OF, 1)),
    OxmField("eth_src", 4, 48, True, kind=MAC, nxm=(NXM_OF, 2)),
    OxmField("eth_type", 5, 16, kind=HEX, nxm=(NXM_OF, 3)),
    OxmField("vlan_vid", 6, 13, True),
    OxmField("vlan_pcp", 7, 3, requires=_VLAN),
    OxmField("ip_dscp", 8, 6, requires=_IP),
    OxmField("ip_ecn", 9, 2, requires=_IP, nxm=(NXM_NX, 28)),
    OxmField("ip_proto", 10, 8, requires=_IP, nxm=(NXM_OF, 6)),
    OxmField("ipv4_src", 11, 32, True, requires=_IP4, kind=IPV4, nxm=(NXM_OF, 7)),
    OxmField("ipv4_dst", 12, 32, True, requires=_IP4, kind=IPV4, nxm=(NXM_OF, 8)),
    OxmField("tcp_src", 13, 16, requires=_TCP, nxm=(NXM_OF, 9), by_nicira=True),
    OxmField("tcp_dst", 14, 16, requires=_TCP, nxm=(NXM_OF, 10), by_nicira=True),
    OxmField("udp_src", 15, 16, requires=_UDP, nxm=(NXM_OF, 11), by_nicira=True),
    OxmField("udp_dst", 16, 16, requires=_UDP, nxm=(NXM_OF, 12), by_nicira=True),
    OxmField("sctp_src", 17, 16, requires=_SCTP, by_nicira=True),
    OxmField("sctp_dst", 18, 16, requires=_SCTP, by_nicira=True),
    OxmField("icmpv4_type", 19, 8, requires=_ICMP4, nxm=(NXM_OF, 13)),
    OxmField("icmpv4_code", 20, 8, requires=_ICMP4, nxm=(NXM_OF, 14)),
    OxmField("arp_op", 21, 16, requires=_ARP, nxm=(NXM_OF, 15)),
    OxmField("arp_spa", 22, 32, True, requires=_ARP, kind=IPV4, nxm=(NXM_OF, 16)),
    OxmField("arp_tpa", 23, 32, True, requires=_ARP, kind=IPV4, nxm=(NXM_OF, 17)),
    OxmField("arp_sha", 24, 48, True, requires=_ARP, kind=MAC, nxm=(NXM_NX, 17)),
    OxmField("arp_tha", 25, 48, True, requires=_ARP, kind=MAC, nxm=(NXM_NX, 18)),
    OxmField("ipv6_src", 26, 128, True, requires=_IP6, kind=IPV6, nxm=(NXM_NX, 19)),
    OxmField("ipv6_dst", 27, 128, True, requires=_IP6, kind=IPV6, nxm=(NXM_NX, 20)),
    OxmField("ipv6_flabel", 28, 20, True, requires=_IP6, kind=HEX, nxm=(NXM_NX, 27)),
    OxmField("icmpv6_type", 29, 8, requires=_ICMP6, nxm=(NXM_NX, 21)),
    OxmField("icmpv6_code", 30, 8, requires=_ICMP6, nxm=(NXM_NX, 22)),
    OxmField(
        "ipv6_nd_target", 31, 128, requires=_ANY_ND, kind=IPV6, nxm=(NXM_NX, 23), by_nicira=True
    ),
    OxmField("ipv6_nd_sll", 32, 48, requires=_SOLICIT, kind=MAC, nxm=(NXM_NX, 24), by_nicira=True),
    OxmField("ipv6_nd_tll", 33, 48, requires=_ADVERT, kind=MAC, nxm=(NXM_NX, 25), by_nicira=True),
    OxmField("mpls_label", 34, 20, requires=_MPLS),
    OxmField("mpls_tc", 35, 3, requires=_MPLS),
    OxmField("mpls_bos", 36, 1, first=OF13, requires=_MPLS),
    OxmField("pbb_isid", 37, 24, True, OF13, _PBB),
    OxmField("tunnel_id", 38, 64, True, OF13, kind=HEX, nxm=(NXM_NX, 16)),
    OxmField("ipv6_exthdr", 39, 9, True, OF13, _IP6, kind=HEX),
    OxmField("pbb_uca", 41, 1, first=OF14, requires=_PBB),
    OxmField("tcp_flags", 42, 12, True, OF15, _TCP, kind=HEX, nxm=(NXM_NX, 34), onf=True),
    OxmField("actset_output", 43, 32, first=OF15, onf=True),
    # Open vSwitch has it in all versions, with the number that OF1.5 gave it.
    OxmField("packet_type", 44, 32, first=OF15, kind=HEX, nxm=(OPENFLOW_BASIC, 44)),
    *(
        # OF1.5's, which Open vSwitch has since OF1.3 (OF1.5.1 7.2.3.10 "Packet Register Fields")
        OxmField(f"xreg{n}", n, 64, True, OF13, kind=HEX, oxm_class=PACKET_REGS)
        for n in range(16)
    ),
)

#: All fields by name; those of experimenters are added by their chapters.
OXM: dict[str, OxmField] = {}
#: The largest number of each field that takes numbers as they are, and what a field depends
#: on: for the path of each flow_mod that an app makes.
PLAIN_MAX: dict[str, int] = {}
REQUIRES: dict[str, tuple[Requirement, ...]] = {}
FREE: set[str] = set()  #: the fields that may stand anywhere, and depend on no other
FIRST = "packet_type"  #: stands before all that it is the type of


def add_fields(rows: Iterable[OxmField]) -> None:
    """Add fields to the table."""
    for row in rows:
        OXM[row.name] = row
        if not row.variable and row.name != "vlan_vid":
            PLAIN_MAX[row.name] = row.all_ones
        if row.requires:
            REQUIRES[row.name] = row.requires
        elif row.name != FIRST:
            FREE.add(row.name)


add_fields(_ROWS)
#: The fields that the specification has.
STANDARD: frozenset[str] = frozenset(OXM)


def oxm_name(header: int) -> str:
    """Return the name of a field that is not in the table; behind its header may stand who's."""
    return f"oxm_{header:08x}" if header <= 0xFFFF_FFFF else f"oxm_{header:016x}"


def oxm_header(name: str) -> int | None:
    """Return the header in a name that `oxm_name` made, None for other names."""
    if len(name) not in (12, 20) or not name.startswith("oxm_"):
        return None
    try:
        return int(name[4:], 16)
    except ValueError:
        return None
