"""Tags pushed and popped: what of the old headers the new ones take over.

OF1.3.5 5.12 "Actions", and 5.12.1 "Default values for fields on push".
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from protocol import (
    Action,
    CopyTtlIn,
    CopyTtlOut,
    MacAddress,
    Match,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetField,
    set_field,
)
from protocol.packet import Arp, ArpOp, Ethernet, Header, IPv4, IPv6, Mpls, Pbb, Udp, Vlan, build
from switch_sim.execute import EFFECTS
from tests.switch_sim.builders import packet

ETHERNET = Ethernet(MacAddress(2), MacAddress(1))
SERVICE = 0x88A8
V4 = IPv4(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"), ttl=33)
V6 = IPv6(IPv6Address("fd00::1"), IPv6Address("fd00::2"), hop_limit=44)
UDP = Udp(1, 2)
ARP = Arp(ArpOp.REQUEST, MacAddress(1), IPv4Address(1), MacAddress(0), IPv4Address(2))
DATA = bytes(range(40))  # so that no frame is filled up


def frame(*headers: Header) -> bytes:
    return build(ETHERNET, *headers, UDP, DATA)


def typed(eth_type: int) -> Ethernet:
    return ETHERNET.replace(eth_type=eth_type)


def done(data: bytes, *actions: Action) -> bytes:
    one = packet(data)
    for action in actions:
        EFFECTS[type(action)](one, action)
    return one.data


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        # VLAN ID ← VLAN ID, VLAN priority ← VLAN priority; else zero.
        (frame(V4), PushVlan(), frame(Vlan(0), V4)),
        (frame(Vlan(5, 3), V4), PushVlan(), frame(Vlan(5, 3), Vlan(5, 3), V4)),
        (
            frame(Vlan(5, 3), V4),
            PushVlan(SERVICE),
            build(typed(SERVICE), Vlan(5, 3, eth_type=0x8100), Vlan(5, 3), V4, UDP, DATA),
        ),
        # The bit that tells who may be dropped is no field; it is not taken over.
        (frame(Vlan(5, 3, dei=1), V4), PushVlan(), frame(Vlan(5, 3), Vlan(5, 3, dei=1), V4)),
        # MPLS label, traffic class ← those of the outermost shim, else zero; TTL ← that of
        # the shim or of IP.
        (frame(V4), PushMpls(), frame(Mpls(0, ttl=33), V4)),
        (frame(V6), PushMpls(), frame(Mpls(0, ttl=44), V6)),
        (
            frame(Mpls(16, 5, ttl=55), V4),
            PushMpls(),
            frame(Mpls(16, 5, ttl=55), Mpls(16, 5, ttl=55), V4),
        ),
        (
            frame(V4),
            PushMpls(0x8848),
            build(typed(0x8848), Mpls(0, ttl=33), V4, UDP, DATA),
        ),
        # A packet without any TTL: zero.
        (build(ETHERNET, ARP), PushMpls(), build(ETHERNET, Mpls(0, ttl=0), ARP)),
        # A tag belongs before a shim, whichever came first.
        (frame(Vlan(5), V4), PushMpls(), frame(Vlan(5), Mpls(0, ttl=33), V4)),
        (frame(Mpls(16), V4), PushVlan(), frame(Vlan(0), Mpls(16), V4)),
        # PBB I-SID ← PBB I-SID, I-PCP ← VLAN PCP, the customer's addresses ← Ethernet's.
        (frame(V4), PushPbb(), build(ETHERNET, Pbb(0), ETHERNET, V4, UDP, DATA)),
        (
            frame(Vlan(5, 3), V4),
            PushPbb(),
            build(ETHERNET, Pbb(0, pcp=3), ETHERNET, Vlan(5, 3), V4, UDP, DATA),
        ),
        (
            build(ETHERNET, Pbb(7), ETHERNET, V4, UDP, DATA),
            PushPbb(),
            build(ETHERNET, Pbb(7), ETHERNET, Pbb(7), ETHERNET, V4, UDP, DATA),
        ),
    ],
)
def test_new_headers_take_their_values_from_the_old(
    before: bytes, action: Action, after: bytes
) -> None:
    assert done(before, action).hex(" ") == after.hex(" ")


def test_a_service_tag_keeps_the_customers_frame_as_it_was() -> None:
    fields = set_field(eth_dst=9), set_field(eth_src=8), set_field(pbb_isid=7)
    pushed = done(frame(V4), PushPbb(), *fields)
    outer = Ethernet(MacAddress(9), MacAddress(8))
    assert pushed == build(outer, Pbb(7), ETHERNET, V4, UDP, DATA)
    assert done(pushed, PopPbb()) == frame(V4)


def test_a_tag_around_a_service_tag_is_the_one_that_is_popped() -> None:
    inside = build(ETHERNET, Pbb(7), ETHERNET, Vlan(5), V4, UDP, DATA)
    around = done(inside, PushVlan(SERVICE), set_field(vlan_vid=6))
    assert around == build(typed(SERVICE), Vlan(6), Pbb(7), ETHERNET, Vlan(5), V4, UDP, DATA)
    assert done(around, PopVlan()) == inside


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (frame(Mpls(16, ttl=9), V6), CopyTtlIn(), frame(Mpls(16, ttl=9), V6.replace(hop_limit=9))),
        (frame(Mpls(16, ttl=9), V6), CopyTtlOut(), frame(Mpls(16, ttl=44), V6)),
        (
            frame(Mpls(16, ttl=9), Mpls(17, ttl=8), V4),
            CopyTtlOut(),
            frame(Mpls(16, ttl=8), Mpls(17, ttl=8), V4),
        ),
        (
            frame(Mpls(16, ttl=9), Mpls(17, ttl=8), V4),
            CopyTtlIn(),
            frame(Mpls(16, ttl=9), Mpls(17, ttl=9), V4),
        ),
        (frame(V4.replace(ttl=5), V4), CopyTtlIn(), frame(V4.replace(ttl=5), V4.replace(ttl=5))),
        (frame(V4.replace(ttl=5), V4), CopyTtlOut(), frame(V4, V4)),
    ],
)
def test_a_ttl_is_copied_between_the_two_outermost_headers_that_have_one(
    before: bytes, action: Action, after: bytes
) -> None:
    assert done(before, action).hex(" ") == after.hex(" ")


def test_the_ethernet_type_is_set_behind_the_tags() -> None:
    # OF1.3.5 7.2.3.7 "Flow Match Fields": "after VLAN tags"
    action = SetField(Match(eth_type=0x88B5))
    rest = frame(V4)[14:]
    assert done(frame(V4), action) == build(typed(0x88B5), rest)
    assert done(frame(Vlan(5), V4), action) == build(ETHERNET, Vlan(5, eth_type=0x88B5), rest)


def test_the_bottom_of_a_stack_is_set() -> None:
    # OF1.3.5 7.2.5 "Action Structures": a set_field takes any field of a header.
    changed = bytearray(frame(Mpls(16), V4))
    changed[16] &= ~1
    assert done(frame(Mpls(16), V4), SetField(Match.unchecked({"mpls_bos": 0}))) == changed
