"""The compiled form of each header does what the reference does: same value, or both refuse."""

from __future__ import annotations

import io
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from protocol.addresses import MacAddress
from protocol.compiler import codec
from protocol.exceptions import DecodeError
from protocol.packet import (
    Arp,
    Authentication,
    Bpdu,
    BridgeId,
    ChassisId,
    ConfigurationBpdu,
    DestinationOptions,
    Echo,
    Ethernet,
    Fragment,
    Header,
    HopByHop,
    Icmp,
    Icmpv6,
    IPv4,
    IPv6,
    Llc,
    Lldp,
    Mpls,
    NdOption,
    NeighborAdvertisement,
    NeighborSolicitation,
    OrganizationTlv,
    Packet,
    Pbb,
    PortId,
    Routing,
    Sctp,
    Tcp,
    Tlv,
    Udp,
    Vlan,
    build,
)
from protocol.record import build_shape, parse_shape
from protocol.version import Version
from protocol.writer import FAULTS

VERSION = max(Version)


def u(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


def maybe(bits: int) -> st.SearchStrategy[int | None]:
    """A field that is computed, or given."""
    return st.none() | u(bits)


MAC = u(48).map(MacAddress)
V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)
DATA = st.binary(max_size=40)
WORDS = st.integers(0, 10).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
UNITS = st.integers(0, 3).flatmap(lambda n: st.binary(min_size=8 * n + 6, max_size=8 * n + 6))
EXTENSION = {"next_header": u(8), "data": UNITS, "payload": DATA}

ND_OPTION = st.builds(NdOption, type=u(8), data=UNITS, length=st.none())
CHASSIS_ID = st.builds(ChassisId, subtype=u(8), id=st.binary(min_size=1, max_size=20))
PORT_ID = st.builds(PortId, subtype=u(8), id=st.binary(min_size=1, max_size=20))
ORGANIZATION = st.builds(
    OrganizationTlv, oui=st.binary(min_size=3, max_size=3), subtype=u(8), info=DATA
)
TLV = st.builds(Tlv, type=st.integers(1, 126), body=DATA) | ORGANIZATION
BRIDGE = st.builds(BridgeId, u(16), MAC)
SECONDS = u(16).map(lambda units: units / 256)

HEADERS: dict[type[Header], st.SearchStrategy[Any]] = {
    Ethernet: st.builds(Ethernet, dst=MAC, src=MAC, eth_type=u(16), payload=DATA),
    Vlan: st.builds(Vlan, vid=u(12), pcp=u(3), dei=u(1), eth_type=u(16), payload=DATA),
    Mpls: st.builds(Mpls, label=u(20), tc=u(3), bos=u(1), ttl=u(8), payload=DATA),
    Pbb: st.builds(Pbb, isid=u(24), pcp=u(3), dei=u(1), uca=u(1), reserved=u(3), payload=DATA),
    Arp: st.builds(Arp, op=u(16), sha=MAC, spa=V4, tha=MAC, tpa=V4, trailer=DATA),
    IPv4: st.builds(
        IPv4,
        src=V4,
        dst=V4,
        proto=u(8),
        ttl=u(8),
        dscp=u(6),
        ecn=u(2),
        identification=u(16),
        flags=u(3),
        fragment_offset=u(13),
        options=WORDS,
        payload=DATA,
        trailer=DATA,
        checksum=maybe(16),
    ),
    IPv6: st.builds(
        IPv6,
        src=V6,
        dst=V6,
        next_header=u(8),
        hop_limit=u(8),
        dscp=u(6),
        ecn=u(2),
        flow_label=u(20),
        payload=DATA,
        trailer=DATA,
    ),
    HopByHop: st.builds(HopByHop, **EXTENSION),
    DestinationOptions: st.builds(DestinationOptions, **EXTENSION),
    Routing: st.builds(Routing, **EXTENSION),
    Fragment: st.builds(
        Fragment,
        next_header=u(8),
        offset=u(13),
        more=u(1),
        id=u(32),
        payload=DATA,
        reserved=u(8),
        reserved_bits=u(2),
    ),
    Authentication: st.builds(
        Authentication, next_header=u(8), data=WORDS.map(lambda d: bytes(6) + d), payload=DATA
    ),
    Icmp: st.builds(Icmp, type=u(8), code=u(8), checksum=maybe(16), payload=DATA),
    Icmpv6: st.builds(Icmpv6, type=u(8), code=u(8), checksum=maybe(16), payload=DATA),
    Echo: st.builds(Echo, id=u(16), seq=u(16), payload=DATA),
    NdOption: ND_OPTION,
    NeighborSolicitation: st.builds(
        NeighborSolicitation,
        target=V6,
        options=st.lists(ND_OPTION, max_size=3).map(tuple),
        reserved=u(32),
    ),
    NeighborAdvertisement: st.builds(
        NeighborAdvertisement,
        target=V6,
        options=st.lists(ND_OPTION, max_size=3).map(tuple),
        router=u(1),
        solicited=u(1),
        override=u(1),
        reserved=u(29),
    ),
    Tcp: st.builds(
        Tcp,
        src=u(16),
        dst=u(16),
        seq=u(32),
        ack=u(32),
        flags=u(12),
        window=u(16),
        urgent=u(16),
        options=WORDS,
        payload=DATA,
        checksum=maybe(16),
    ),
    Udp: st.builds(
        Udp, src=u(16), dst=u(16), payload=DATA, trailer=DATA, checksum=maybe(16)
    ),
    Sctp: st.builds(
        Sctp, src=u(16), dst=u(16), verification_tag=u(32), payload=DATA, checksum=maybe(32)
    ),
    ChassisId: CHASSIS_ID,
    PortId: PORT_ID,
    OrganizationTlv: ORGANIZATION,
    Lldp: st.builds(
        Lldp,
        chassis_id=CHASSIS_ID,
        port_id=PORT_ID,
        ttl=u(16),
        tlvs=st.lists(TLV, max_size=4).map(tuple),
        trailer=DATA,
    ),
    Llc: st.builds(Llc, dsap=u(8), ssap=u(8), control=u(8), payload=DATA),
    Bpdu: st.builds(Bpdu, version=u(8), type=u(8), payload=DATA),
    ConfigurationBpdu: st.builds(
        ConfigurationBpdu,
        root=BRIDGE,
        root_path_cost=u(32),
        bridge=BRIDGE,
        port_id=u(16),
        message_age=SECONDS,
        max_age=SECONDS,
        hello_time=SECONDS,
        forward_delay=SECONDS,
        flags=u(8),
        trailer=DATA,
    ),
}  # fmt: skip
EACH_CLASS = pytest.mark.parametrize("kind", HEADERS, ids=lambda kind: kind.__name__)

CARRIER = IPv4(src=IPv4Address("10.0.0.1"), dst=IPv4Address("10.0.0.2"))


def compiled(kind: type[Header], data: bytes) -> Any:
    try:
        return codec(kind, VERSION).decode(data, 0, len(data))
    except FAULTS:
        return None


def reference(kind: type[Header], data: bytes) -> Any:
    try:
        return parse_shape(kind.at(VERSION), io.BytesIO(data), None, kind.__name__)
    except DecodeError:
        return None


UNUSUAL: dict[type, list[Any]] = {
    int: [-1, 0, 1, 1 << 16, 1 << 130, None],
    bytes: [b"", b"seven b", bytes(600), None],
    MacAddress: [-1, 0, 1 << 48, None],
}


def refer(header: Header) -> bytes:
    return build_shape(type(header).at(VERSION), header, None, "")


def written(encode: Callable[[Header], bytes], header: Header) -> bytes | None:
    try:
        return encode(header)
    except FAULTS:
        return None


@EACH_CLASS
@given(data=st.data())
def test_a_header_is_written_the_same_and_read_again(kind: type[Header], data: Any) -> None:
    header = data.draw(HEADERS[kind]).completed(CARRIER)
    raw = codec(kind, VERSION).encode(header)
    assert refer(header) == raw
    assert header.encode(CARRIER) == raw
    assert kind.parse(raw).encode() == raw
    assert compiled(kind, raw) == reference(kind, raw)
    assert compiled(kind, raw) is not None


@EACH_CLASS
@given(data=st.data())
def test_a_header_cut_short_is_read_the_same(kind: type[Header], data: Any) -> None:
    raw = data.draw(HEADERS[kind]).encode(CARRIER)
    for size in range(len(raw)):
        found = compiled(kind, raw[:size])
        assert found == reference(kind, raw[:size])
        assert found is None or found.encode() == raw[:size]


@EACH_CLASS
@given(data=st.data())
def test_a_header_with_wrong_bytes_is_read_the_same(kind: type[Header], data: Any) -> None:
    raw = bytearray(data.draw(HEADERS[kind]).encode(CARRIER))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(raw) - 1), u(8)), max_size=4)):
        raw[at] = byte
    found = compiled(kind, bytes(raw))
    assert found == reference(kind, bytes(raw))
    assert found is None or found.encode() == raw


@EACH_CLASS
@given(data=st.binary(max_size=100))
def test_random_bytes_are_read_the_same(kind: type[Header], data: bytes) -> None:
    found = compiled(kind, data)
    assert found == reference(kind, data)
    assert found is None or found.encode() == data


@EACH_CLASS
@given(data=st.data())
def test_a_value_that_may_not_fit_is_written_the_same(kind: type[Header], data: Any) -> None:
    header = data.draw(HEADERS[kind]).completed(CARRIER)
    field = data.draw(st.sampled_from(header.__struct_fields__))
    value = data.draw(st.sampled_from(UNUSUAL.get(type(getattr(header, field)), [None])))
    changed = structs.replace(header, **{field: value})
    assert written(codec(kind, VERSION).encode, changed) == written(refer, changed)


@given(st.binary(min_size=14, max_size=200))
def test_random_frames_are_taken_apart_without_loss(data: bytes) -> None:
    assert Packet.parse(data).encode() == data


@given(st.data())
def test_headers_in_any_order_are_put_together_and_taken_apart(data: Any) -> None:
    kinds = data.draw(st.lists(st.sampled_from([Vlan, Mpls, IPv4, IPv6, HopByHop, Udp, Tcp])))
    headers = [data.draw(HEADERS[kind]) for kind in (Ethernet, IPv4, *kinds)]
    frame = build(*headers, b"payload")
    assert Packet.parse(frame).encode() == frame


@EACH_CLASS
def test_no_header_leaves_members_to_construct(kind: type[Header]) -> None:
    assert codec(kind, VERSION).fallbacks == ()
