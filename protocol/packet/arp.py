"""The Address Resolution Protocol (RFC 826), of IPv4 over Ethernet."""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address

from ..addresses import Ipv4, Mac, MacAddress
from ..wire import U8, U16, Enum, Rest
from .ethernet import EthType
from .header import Header, only


class ArpOp(IntEnum):
    """What an ARP packet wants (IANA "ARP Parameters")."""

    REQUEST = 1
    REPLY = 2


class Arp(Header):
    """Ask for, or tell, the Ethernet address of an IPv4 address (RFC 826 "Packet format").

    >>> from ipaddress import IPv4Address
    >>> question = Arp(
    ...     ArpOp.REQUEST,
    ...     sha=MacAddress(1),
    ...     spa=IPv4Address("10.0.0.1"),
    ...     tpa=IPv4Address("10.0.0.2"),
    ... )
    >>> answer = question.reply(MacAddress(2))
    >>> answer.spa, answer.sha, answer.tpa
    (IPv4Address('10.0.0.2'), MacAddress('00:00:00:00:00:02'), IPv4Address('10.0.0.1'))
    """

    op: int
    sha: MacAddress  #: sender's hardware address
    spa: IPv4Address  #: sender's protocol address
    tha: MacAddress = MacAddress(0)  #: target's hardware address
    tpa: IPv4Address = IPv4Address(0)  #: target's protocol address
    trailer: bytes = b""  #: what fills up a short frame
    hw_type: int = 1
    proto_type: int = EthType.IPV4.value
    hw_size: int = 6
    proto_size: int = 4

    layout = (
        "hw_type"    / only(U16, 1),
        "proto_type" / only(U16, EthType.IPV4.value),
        "hw_size"    / only(U8, 6),
        "proto_size" / only(U8, 4),
        "op"         / Enum(U16, ArpOp),
        "sha"        / Mac,
        "spa"        / Ipv4,
        "tha"        / Mac,
        "tpa"        / Ipv4,
        "trailer"    / Rest,
    )  # fmt: skip

    def reply(self, sha: MacAddress) -> Arp:
        """Return the answer of the station whose address is `sha`."""
        return Arp(ArpOp.REPLY, sha=sha, spa=self.tpa, tha=self.sha, tpa=self.spa)
