"""A frame as a stack of headers: taken apart, and put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self, TypeVar

from msgspec import structs

from ..exceptions import DecodeError, EncodeError
from .arp import Arp
from .bpdu import Bpdu, BpduType, ConfigurationBpdu
from .ethernet import Ethernet, EthType
from .header import Header
from .icmp import Echo, Icmp, IcmpType
from .icmpv6 import Icmpv6, Icmpv6Type, NeighborAdvertisement, NeighborSolicitation
from .internet import InternetHeader, IpProto
from .ipv4 import IPv4
from .ipv6 import IPv6
from .ipv6_extensions import Authentication, DestinationOptions, Fragment, HopByHop, Routing
from .llc import Llc, LlcSap
from .lldp import Lldp
from .mpls import Mpls
from .pbb import Pbb
from .sctp import Sctp
from .tcp import Tcp
from .udp import Udp
from .vlan import Vlan

MAX_HEADERS = 32  # each keeps its payload: a frame that is all VLAN tags must not fill memory

H = TypeVar("H", bound=Header)
Numbers = Mapping[int, type[Header]]  #: what a number announces; the usual one comes first

_ETH_TYPE: Numbers = {
    EthType.IPV4: IPv4,
    EthType.ARP: Arp,
    EthType.IPV6: IPv6,
    EthType.VLAN: Vlan,
    EthType.SERVICE_VLAN: Vlan,
    EthType.MPLS: Mpls,
    EthType.MPLS_MULTICAST: Mpls,
    EthType.LLDP: Lldp,
    EthType.PBB: Pbb,
}
_IP_PROTO: Numbers = {
    IpProto.TCP: Tcp,
    IpProto.UDP: Udp,
    IpProto.ICMP: Icmp,
    IpProto.ICMPV6: Icmpv6,
    IpProto.SCTP: Sctp,
    IpProto.HOP_BY_HOP: HopByHop,
    IpProto.ROUTING: Routing,
    IpProto.FRAGMENT: Fragment,
    IpProto.AUTHENTICATION: Authentication,
    IpProto.DESTINATION_OPTIONS: DestinationOptions,
    IpProto.IPV4: IPv4,
    IpProto.IPV6: IPv6,
    IpProto.MPLS: Mpls,
}
_ICMP_TYPE: Numbers = {IcmpType.ECHO_REQUEST: Echo, IcmpType.ECHO_REPLY: Echo}
_ICMPV6_TYPE: Numbers = {
    Icmpv6Type.ECHO_REQUEST: Echo,
    Icmpv6Type.ECHO_REPLY: Echo,
    Icmpv6Type.NEIGHBOR_SOLICITATION: NeighborSolicitation,
    Icmpv6Type.NEIGHBOR_ADVERTISEMENT: NeighborAdvertisement,
}
_DSAP: Numbers = {LlcSap.SPANNING_TREE: Bpdu}
_BPDU_TYPE: Numbers = {BpduType.CONFIGURATION: ConfigurationBpdu}

#: The field of a header that announces what follows, and the numbers it may have.
_ANNOUNCES: Mapping[type[Header], tuple[str, Numbers]] = {
    Ethernet: ("eth_type", _ETH_TYPE),
    Vlan: ("eth_type", _ETH_TYPE),
    IPv4: ("proto", _IP_PROTO),
    IPv6: ("next_header", _IP_PROTO),
    HopByHop: ("next_header", _IP_PROTO),
    Routing: ("next_header", _IP_PROTO),
    Fragment: ("next_header", _IP_PROTO),
    Authentication: ("next_header", _IP_PROTO),
    DestinationOptions: ("next_header", _IP_PROTO),
    Icmp: ("type", _ICMP_TYPE),
    Icmpv6: ("type", _ICMPV6_TYPE),
    Llc: ("dsap", _DSAP),
    Bpdu: ("type", _BPDU_TYPE),
}
_FIRST_TYPE = 0x0600  # below that the field of a type is a length (IEEE 802.3 3.2.6)


#: What an MPLS payload seems to be, by its first four bits (RFC 4928 2).
_IP_VERSION: Numbers = {4: IPv4, 6: IPv6}


def _payload(header: Header) -> bytes:
    payload: bytes = getattr(header, "payload", b"")
    return payload


def _following(header: Header) -> type[Header] | None:
    """Return the class of what follows a header, None if that is not known."""
    if (announced := _ANNOUNCES.get(type(header))) is None:
        return _guessed(header)
    match header:
        case IPv4(fragment_offset=offset) | Fragment(offset=offset) if offset:
            return None
        case Ethernet(eth_type=size) | Vlan(eth_type=size) if 0 < size < _FIRST_TYPE:
            return Llc
    field, numbers = announced
    return numbers.get(getattr(header, field))


def _guessed(header: Header) -> type[Header] | None:
    match header:
        case Mpls(bos=0):
            return Mpls
        case Mpls(payload=payload) if payload:
            return _IP_VERSION.get(payload[0] >> 4)
        case Pbb():
            return Ethernet
    return None


@dataclass(frozen=True, slots=True)
class Packet:
    """The headers of a frame, the outermost first; each has all that follows as its payload.

    >>> packet = Packet.parse(bytes.fromhex("00000000000200000000000181000005 9000") + b"loop")
    >>> packet[Vlan].vid, packet.get(IPv4), packet.payload
    (5, None, b'loop')
    >>> Vlan in packet
    True
    """

    headers: tuple[Header, ...]

    @classmethod
    def parse(cls, data: bytes, first: type[Header] = Ethernet) -> Self:
        """Read headers from `first` on, as far as they are known and whole.

        What cannot be read stays payload of the last header. Raises DecodeError only if
        the first header is broken.
        """
        headers = [first.parse(data)]
        while len(headers) < MAX_HEADERS and (kind := _following(headers[-1])):
            try:
                headers.append(kind.parse(_payload(headers[-1])))
            except DecodeError:
                break
        return cls(tuple(headers))

    def encode(self) -> bytes:
        """Return the bytes of the frame."""
        return build(*self.headers)

    @property
    def payload(self) -> bytes:
        """What follows the last header."""
        return _payload(self.headers[-1])

    def get(self, kind: type[H]) -> H | None:
        """Return the outermost header of a class, None if there is none."""
        for header in self.headers:
            if isinstance(header, kind):
                return header
        return None

    def __getitem__(self, kind: type[H]) -> H:
        """Return the outermost header of a class; KeyError if there is none."""
        if (header := self.get(kind)) is None:
            raise KeyError(kind.__name__)
        return header

    def __contains__(self, kind: type[Header]) -> bool:
        return self.get(kind) is not None

    def __iter__(self) -> Iterator[Header]:
        return iter(self.headers)


def build(*parts: Header | bytes) -> bytes:
    """Return the bytes of headers, the outermost first, and of a payload behind them.

    Numbers that announce what follows (eth_type, proto, next_header) are filled in where they
    are at their default; lengths and checksums where they are None. A header's own payload
    counts only if nothing stands behind it. Raises EncodeError for values that do not fit.

    >>> from ipaddress import IPv4Address
    >>> from protocol.addresses import MacAddress
    >>> frame = build(
    ...     Ethernet(dst=MacAddress(2), src=MacAddress(1)),
    ...     IPv4(src=IPv4Address("10.0.0.1"), dst=IPv4Address("10.0.0.2")),
    ...     Udp(src=1024, dst=53),
    ...     b"query",
    ... )
    >>> packet = Packet.parse(frame)
    >>> packet[IPv4].proto, packet[Udp].length, packet.payload
    (<IpProto.UDP: 17>, 13, b'query')
    """
    *below, last = parts or (b"",)
    body = last if isinstance(last, bytes) else last.encode(_carrier(below))
    above = last
    while below:
        header = below.pop()
        if not isinstance(header, Header):
            raise EncodeError("bytes can only stand last")
        body = _upon(header, above, body).encode(_carrier(below))
        above = header
    return body


def _upon(header: H, above: Header | bytes, body: bytes) -> H:
    """Return `header` with `body` as its payload, announcing it."""
    if not hasattr(header, "payload"):
        raise EncodeError(f"nothing can stand behind {type(header).__name__}")
    changes: dict[str, object] = {"payload": body}
    if isinstance(header, Mpls) and isinstance(above, Mpls):
        changes["bos"] = 0
    field, number = _announcement(type(header), type(above))
    if isinstance(above, Llc) and field == "eth_type":
        number = len(body)
    if number is not None and not getattr(header, field):
        changes[field] = number
    return structs.replace(header, **changes)


@cache
def _announcement(below: type[Header], above: type) -> tuple[str, int | None]:
    """Return the field and the number by which one class announces another, None if none."""
    field, numbers = _ANNOUNCES.get(below, ("", {}))
    if field == "type":  # it is for the user to say: request and reply carry the same
        return field, None
    return field, next((number for number, kind in numbers.items() if kind is above), None)


def _carrier(below: Sequence[Header | bytes]) -> Header | None:
    """Return the innermost IP header."""
    return next((part for part in reversed(below) if isinstance(part, InternetHeader)), None)
