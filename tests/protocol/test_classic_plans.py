"""Matches that go into the structs by a plan go where each field by itself goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import OF10, OF11, EncodeError, FlowMod, Match, Version
from protocol.message import encode
from protocol.oxm import OXM
from protocol.record import build_shape

_HEADERS = ["in_port", "eth_src", "eth_dst", "metadata", "ip_dscp", "ipv4_src", "ipv4_dst"]
_PORTS = ["tcp_src", "tcp_dst", "udp_src", "udp_dst", "icmpv4_type", "icmpv4_code"]
_OTHERS = ["vlan_vid", "vlan_pcp", "arp_op", "arp_spa", "mpls_label", "mpls_tc", "ipv6_src"]

each_struct = pytest.mark.parametrize("version", [OF10, OF11], ids=str)


def by_plan(match: Match, version: Version) -> bytes:
    return encode(FlowMod(match), version, 7)


def field_by_field(match: Match, version: Version) -> bytes:
    """Return what construct makes of it."""
    return build_shape(FlowMod.at(version), FlowMod(match, xid=7), {}, "FlowMod")


def numbers(name: str) -> st.SearchStrategy[Any]:
    number = st.integers(0, min(OXM[name].all_ones, 0xFFFF_FFFF))
    return number | st.tuples(number, number) if OXM[name].takes_mask else number


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(_HEADERS + _PORTS + _OTHERS), unique=True, max_size=6))
    found = {name: draw(numbers(name)) for name in names}
    if draw(st.booleans()):
        found["eth_type"] = draw(st.sampled_from([0x0800, 0x0806, 0x86DD, 0x8847]))
    if draw(st.booleans()):
        found["ip_proto"] = draw(st.sampled_from([1, 6, 17, 47]))
    return found


def outcome(make: Callable[[Match, Version], bytes], match: Match, version: Version) -> Any:
    try:
        return make(match, version)
    except EncodeError as error:
        return str(error)


@each_struct
@settings(max_examples=400)
@given(fields())
def test_a_match_by_its_plan_is_the_match_field_by_field(
    version: Version, found: dict[str, Any]
) -> None:
    by_itself, another = Match.unchecked(found), Match.unchecked(found)
    wanted = outcome(field_by_field, another, version)
    assert outcome(by_plan, by_itself, version) == wanted


@each_struct
def test_the_numbers_of_one_match_are_not_those_of_the_next(version: Version) -> None:
    for number in range(1, 5):
        match = Match(in_port=number, eth_src=number << 40, eth_dst=0xFFFF_FFFF_FFFF - number)
        assert by_plan(match, version) == field_by_field(match, version)


@each_struct
@pytest.mark.parametrize("in_port", [0xFEFF, 0xFF00, 0xFFFF, 0xFFFF_FF00, 0xFFFF_FFFE])
def test_ports_at_the_edge_of_what_is_reserved(version: Version, in_port: int) -> None:
    outcome(by_plan, Match(in_port=1), version)  # so that there is a plan
    match, another = Match(in_port=in_port), Match(in_port=in_port)
    assert outcome(by_plan, match, version) == outcome(field_by_field, another, version)


def test_what_is_too_large_for_the_struct_is_told_by_name() -> None:
    for arp_op in (1, 300):
        match = Match(eth_type=0x0806, arp_op=arp_op)
        if arp_op == 1:
            FlowMod(match).encode(OF10)
            continue
        with pytest.raises(EncodeError, match="arp_op is at most 0xff"):
            FlowMod(match).encode(OF10)
