"""What IPv4 and IPv6 share: protocol numbers, and the pseudo header of the checksums above."""

from __future__ import annotations

from enum import IntEnum

from ..exceptions import EncodeError
from .checksum import internet_checksum
from .header import Header


class IpProto(IntEnum):
    """What an IP header carries (IANA "Assigned Internet Protocol Numbers")."""

    HOP_BY_HOP = 0
    ICMP = 1
    IGMP = 2
    IPV4 = 4
    TCP = 6
    UDP = 17
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    ESP = 50
    AUTHENTICATION = 51
    ICMPV6 = 58
    NO_NEXT_HEADER = 59
    DESTINATION_OPTIONS = 60
    OSPF = 89
    SCTP = 132
    MPLS = 137


class InternetHeader(Header):
    """A header whose addresses the checksum of what it carries covers: IPv4's or IPv6's.

    No ABC, which a struct of msgspec cannot be.
    """

    def pseudo_header(self, proto: int, length: int) -> bytes:
        """Return what the checksum of `length` bytes of `proto` begins with."""
        raise NotImplementedError


def transport_checksum(header: Header, proto: IpProto, below: Header | None) -> int:
    """Return the checksum of a header (its own field is 0) and its payload, carried by `below`."""
    if not isinstance(below, InternetHeader):
        name = type(header).__name__
        raise EncodeError(
            f"{name}.checksum covers the IP addresses: encode with build(IPv4(…), {name}(…)), "
            f"or give a checksum"
        )
    raw = header.encode_as_is()
    return internet_checksum(below.pseudo_header(proto, len(raw)) + raw)
