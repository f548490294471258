"""Frames of all kinds that have all of their headers, and right checksums."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from protocol import MacAddress
from protocol.packet import (
    DestinationOptions,
    Echo,
    Ethernet,
    Header,
    HopByHop,
    Icmp,
    Icmpv6,
    IPv4,
    IPv6,
    Mpls,
    NdOption,
    NeighborSolicitation,
    Pbb,
    Routing,
    Sctp,
    Tcp,
    Udp,
    Vlan,
    build,
)

ports, octets = st.integers(0, 0xFFFF), st.integers(0, 255)
payloads = st.binary(max_size=9)
v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(IPv6Address)
vlans = st.builds(Vlan, vid=st.integers(0, 0xFFF), pcp=st.integers(0, 7))
labels = st.builds(Mpls, label=st.integers(16, 0xFFFFF), ttl=octets)
either = st.one_of(
    st.builds(Tcp, ports, ports, flags=st.integers(0, 0xFFF), payload=payloads),
    st.builds(Udp, ports, ports, payload=payloads),
    st.builds(Sctp, ports, ports, payload=payloads),
)
echoes = st.builds(
    lambda kind, code, data: [Icmp(kind, code), Echo(1, 2, data)], octets, octets, payloads
)
solicitations = st.builds(
    lambda target, mac: [Icmpv6(135), NeighborSolicitation(target, (NdOption(1, mac),))],
    v6,
    st.binary(min_size=6, max_size=6),
)
transports4 = st.one_of(either.map(lambda one: [one]), echoes)
transports6 = st.one_of(either.map(lambda one: [one]), solicitations)
headers4 = st.builds(
    IPv4, v4, v4, ttl=octets, dscp=st.integers(0, 63), ecn=st.integers(0, 3),
    options=st.sampled_from([b"", bytes([1] * 4)]),
)  # fmt: skip
headers6 = st.builds(IPv6, v6, v6, hop_limit=octets)
extensions = st.lists(st.sampled_from([HopByHop(), DestinationOptions()]), max_size=2)


def routed(header: IPv6, last: IPv6Address, *parts: Header | bytes) -> bytes:
    """A packet that is on its way to another node than its last one, which is summed."""
    route = Routing(data=bytes([0, 1]) + bytes(4) + last.packed)
    frame = build(header.replace(dst=last), route, *parts)
    return frame[:24] + header.dst.packed + frame[40:]


@st.composite
def packets(draw: st.DrawFn) -> tuple[int, bytes]:
    """What Ethernet carries, and its type."""
    if draw(st.booleans()):
        inner = build(draw(headers4), *draw(transports4))
    elif draw(st.integers(0, 3)):
        inner = build(draw(headers6), *draw(extensions), *draw(transports6))
    else:
        inner = routed(draw(headers6), draw(v6), *draw(transports6))
    if draw(st.integers(0, 5)) == 0:
        inner = build(draw(headers4).replace(proto=4 if inner[0] >> 4 == 4 else 41), inner)
    return (0x0800 if inner[0] >> 4 == 4 else 0x86DD), inner


@st.composite
def any_frame(draw: st.DrawFn) -> bytes:
    """A frame with tags, shims, a service tag, IP in IP, extensions, options: or without."""
    eth_type, inner = draw(packets())
    parts: list[Header] = []
    if draw(st.integers(0, 5)) == 0:
        parts += [Ethernet(MacAddress(4), MacAddress(3)), Pbb(isid=7)]
    parts += [Ethernet(MacAddress(2), MacAddress(1)), *draw(st.lists(vlans, max_size=2))]
    shims = draw(st.lists(labels, max_size=2))
    if not shims and isinstance(last := parts[-1], Ethernet | Vlan):
        parts[-1] = last.replace(eth_type=eth_type)
    return build(*parts, *shims, inner) + bytes(draw(st.integers(0, 8)))
