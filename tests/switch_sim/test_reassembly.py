"""Fragments that wait for the rest (OF1.3.5 7.3.2 "Switch Configuration": OFPC_FRAG_REASM)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF13,
    Capabilities,
    ConfigFlags,
    FeaturesReply,
    FeaturesRequest,
    MacAddress,
    Match,
    Output,
    SetConfig,
    Version,
)
from protocol.packet import (
    DestinationOptions,
    Ethernet,
    EthType,
    Fragment,
    HopByHop,
    IPv4,
    IPv4Flags,
    IPv6,
    Udp,
    Vlan,
    build,
)
from switch_sim.reassembly import MAX_AGE, MAX_WAITING
from tests.switch_sim.builders import Bench, flow

UDP = 17
ETHERNET = Ethernet(MacAddress(2), MacAddress(1))
V4 = IPv4(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"), identification=7)
V6 = IPv6(IPv6Address("fd00::1"), IPv6Address("fd00::2"))
DATA = bytes(range(100))
DATAGRAM = Udp(1000, 53, DATA)

WHOLE4 = build(ETHERNET, V4, DATAGRAM)
WHOLE6 = build(ETHERNET, V6, DestinationOptions(), DATAGRAM)
PARTS = ((0, 48), (48, 72), (72, 108))  # of the datagram's 108 bytes

Part = tuple[int, int]


def fragment4(payload: bytes, part: Part, identification: int = 7) -> bytes:
    """A fragment as a sender makes it (RFC 791 2.3 "Fragmentation")."""
    start, end = part
    more = IPv4Flags.MORE_FRAGMENTS if end < len(payload) else 0
    ip = V4.replace(proto=UDP, identification=identification, flags=more)
    return build(ETHERNET, ip.replace(fragment_offset=start // 8), payload[start:end])


def fragments4(parts: Sequence[Part] = PARTS) -> list[bytes]:
    return [fragment4(WHOLE4[34:], part) for part in parts]


def fragments6(parts: Sequence[Part] = PARTS) -> list[bytes]:
    """With options for all nodes, which each fragment has, and one for the last (RFC 8200 4.5)."""
    payload = WHOLE6[54:]
    return [
        build(
            ETHERNET,
            V6,
            HopByHop(),
            Fragment(next_header=60, offset=start // 8, more=int(end < len(payload)), id=9),
            payload[start:end],
        )
        for start, end in parts
    ]


def bench(version: Version = OF13) -> Bench:
    """A switch that puts together, and lets DNS out by port 2."""
    made = Bench(version)
    made.say(SetConfig(ConfigFlags.FRAG_REASM))
    for eth_type in (EthType.IPV4, EthType.IPV6):
        made.say(flow(Match(eth_type=eth_type, ip_proto=UDP, udp_dst=53), Output(2)))
    return made


def test_that_it_can_is_told() -> None:
    [reply] = Bench().say(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    assert reply.capabilities & Capabilities.IP_REASM


@pytest.mark.parametrize("version", [OF10, OF13])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_datagram_of_ipv4_leaves_when_it_is_whole(
    version: Version, order: tuple[int, ...]
) -> None:
    switch, parts = bench(version), fragments4()
    for number in order[:-1]:
        assert switch.frames(parts[number]) == []
    assert switch.frames(parts[order[-1]]) == [(2, WHOLE4)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_datagram_of_ipv6_leaves_without_a_fragment_header(order: tuple[int, ...]) -> None:
    switch, parts = bench(), fragments6(((0, 48), (48, 72), (72, 116)))
    for number in order[:-1]:
        assert switch.frames(parts[number]) == []
    whole = build(ETHERNET, V6, HopByHop(), DestinationOptions(), DATAGRAM)
    assert switch.frames(parts[order[-1]]) == [(2, whole)]


def test_what_fills_up_a_short_frame_is_no_part_of_the_datagram() -> None:
    switch = bench()
    for part in fragments4(((48, 108), (0, 8), (8, 48))):
        sent = switch.frames(part + bytes(20))
    assert sent == [(2, WHOLE4)]


def test_a_fragment_that_comes_twice_does_no_harm() -> None:
    switch, (first, second, third) = bench(), fragments4()
    for part in (first, first, third, third):
        assert switch.frames(part) == []
    assert switch.frames(second) == [(2, WHOLE4)]


def test_fragments_that_overlap_make_nothing() -> None:
    # RFC 5722: what overlaps may mean one thing here and another at its target.
    switch = bench()
    for part in fragments4(((0, 48), (40, 72), (72, 108))):
        assert switch.frames(part) == []


def test_datagrams_are_not_mixed() -> None:
    switch, parts = bench(), fragments4()
    other = fragment4(WHOLE4[34:], PARTS[1], identification=8)
    tagged = build(ETHERNET, Vlan(5), V4)[:16] + bytes.fromhex("0800") + parts[1][14:]
    for stranger in (other, tagged):
        assert switch.frames(stranger) == []
    assert [switch.frames(part) for part in parts[::2]] == [[], []]
    assert switch.frames(parts[1], in_port=3) == []
    assert switch.frames(parts[1]) == [(2, WHOLE4)]


def test_a_fragment_waits_for_a_while_only() -> None:
    switch, (first, second, third) = bench(), fragments4()
    switch.frames(first, now=0.0)
    switch.frames(second, now=MAX_AGE)
    assert switch.frames(third, now=MAX_AGE) == []
    assert switch.frames(first, now=MAX_AGE + 1) == [(2, WHOLE4)]


def test_the_oldest_datagram_makes_room_for_a_new_one() -> None:
    switch, parts = bench(), fragments4()
    switch.frames(parts[0])
    for number in range(MAX_WAITING):
        switch.frames(fragment4(WHOLE4[34:], PARTS[1], identification=100 + number))
    assert [switch.frames(part) for part in parts[1:]] == [[], []]


def test_other_packets_pass_at_once() -> None:
    switch = bench()
    assert switch.frames(WHOLE4) == [(2, WHOLE4)]
    assert switch.frames(WHOLE4) == [(2, WHOLE4)]


def test_fragments_pass_one_by_one_when_it_is_not_asked_for_any_more() -> None:
    switch = bench()
    switch.frames(fragments4()[0])
    switch.say(SetConfig(0))
    assert [switch.out_ports(part) for part in fragments4()] == [[2], [], []]


@given(st.lists(st.tuples(st.integers(0, 110), st.binary(min_size=1, max_size=3)), max_size=4))
def test_damaged_fragments_never_raise(changes: list[tuple[int, bytes]]) -> None:
    switch = bench()
    for part in (*fragments4(), *fragments6()):
        damaged = part
        for at, data in changes:
            damaged = damaged[:at] + data + damaged[at + len(data) :]
        switch.frames(damaged)
        switch.frames(damaged[: 110 - sum(at for at, _ in changes) % 100])
