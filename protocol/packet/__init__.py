"""What frames look like: headers to take them apart and put them together.

    >>> from ipaddress import IPv4Address
    >>> from protocol.addresses import MacAddress
    >>> question = build(
    ...     Ethernet(dst=BROADCAST, src=MacAddress(1)),
    ...     Arp(ArpOp.REQUEST, sha=MacAddress(1), spa=IPv4Address(1), tpa=IPv4Address(2)),
    ... )
    >>> arp = Packet.parse(question)[Arp]
    >>> answer = build(Ethernet(dst=arp.sha, src=MacAddress(2)), arp.reply(MacAddress(2)))
    >>> Packet.parse(answer)[Arp].op
    <ArpOp.REPLY: 2>

Each header is a value with `parse`, `encode` and `replace`, and can be used alone.
"""

from .arp import Arp, ArpOp
from .bpdu import BRIDGE_GROUP, Bpdu, BpduFlags, BpduType, BridgeId, ConfigurationBpdu
from .checksum import crc32c, internet_checksum
from .ethernet import BROADCAST, Ethernet, EthType
from .header import Header
from .icmp import Echo, Icmp, IcmpType
from .icmpv6 import (
    Icmpv6,
    Icmpv6Type,
    NdOption,
    NdOptionType,
    NeighborAdvertisement,
    NeighborSolicitation,
)
from .internet import InternetHeader, IpProto
from .ipv4 import IPv4, IPv4Flags
from .ipv6 import IPv6
from .ipv6_extensions import Authentication, DestinationOptions, Fragment, HopByHop, Routing
from .llc import Llc, LlcSap
from .lldp import (
    LLDP_MULTICAST,
    ChassisId,
    ChassisIdSubtype,
    Lldp,
    LldpType,
    OrganizationTlv,
    PortId,
    PortIdSubtype,
    Tlv,
)
from .mpls import Mpls
from .pbb import Pbb
from .sctp import Sctp
from .stack import MAX_HEADERS, Packet, build
from .tcp import Tcp, TcpFlags
from .udp import Udp
from .vlan import Vlan

__all__ = [
    "Packet", "build", "Header", "MAX_HEADERS",
    "Ethernet", "EthType", "BROADCAST", "Vlan", "Mpls", "Pbb",
    "Arp", "ArpOp",
    "Lldp", "LldpType", "LLDP_MULTICAST", "ChassisId", "ChassisIdSubtype",
    "PortId", "PortIdSubtype", "OrganizationTlv", "Tlv",
    "Llc", "LlcSap", "Bpdu", "BpduType", "BpduFlags", "BridgeId", "ConfigurationBpdu",
    "BRIDGE_GROUP",
    "IPv4", "IPv4Flags", "IPv6", "InternetHeader", "IpProto",
    "HopByHop", "Routing", "Fragment", "DestinationOptions", "Authentication",
    "Icmp", "IcmpType", "Icmpv6", "Icmpv6Type", "Echo",
    "NeighborSolicitation", "NeighborAdvertisement", "NdOption", "NdOptionType",
    "Tcp", "TcpFlags", "Udp", "Sctp",
    "internet_checksum", "crc32c",
]  # fmt: skip
