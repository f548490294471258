"""What actions do to packets. The expected frames are os-ken's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF11,
    OF13,
    OF15,
    Action,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    PopMpls,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetDlDst,
    SetField,
    SetMplsTtl,
    SetNwDst,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetTpDst,
    SetTpSrc,
    SetVlanPcp,
    SetVlanVid,
    Version,
    set_field,
)
from protocol.match import Match
from switch_sim.execute import EFFECTS, InvalidTtl
from switch_sim.flow_key import flow_key
from tests.switch_sim import frames
from tests.switch_sim.builders import packet

FRAMES = [data for name, data in vars(frames).items() if name.isupper()]


def done(data: bytes, *actions: Action, version: Version = OF13) -> bytes:
    one = packet(data, version=version)
    for action in actions:
        EFFECTS[type(action)](one, action)
        again = flow_key(one.data, one.in_port, one.metadata, one.tunnel_id)
        assert one.key == again, "the fields must be those of the changed frame"
        assert vars(one.key) == vars(again)
    return one.data


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (frames.TCP, set_field(ipv4_dst="10.0.0.9"), frames.TCP_TO_10_0_0_9),
        (frames.TCP, SetNwDst(0x0A000009), frames.TCP_TO_10_0_0_9),
        (frames.TCP, set_field(tcp_dst=8080), frames.TCP_PORT_8080),
        (frames.TCP, SetTpDst(8080), frames.TCP_PORT_8080),
        (frames.TCP, set_field(ip_dscp=46), frames.TCP_DSCP_46),
        (frames.TCP, SetNwTos(46 << 2), frames.TCP_DSCP_46),
        (frames.TCP, DecNwTtl(), frames.TCP_TTL_63),
        (frames.TCP, SetNwTtl(63), frames.TCP_TTL_63),
        (frames.TCP6, set_field(ipv6_dst="fd00::9"), frames.TCP6_TO_9),
        (frames.ICMP, set_field(icmpv4_type=0), frames.ICMP_REPLY),
        (frames.SCTP, set_field(sctp_dst=5001), frames.SCTP_PORT_5001),
        (frames.SCTP, SetTpDst(5001), frames.SCTP_PORT_5001),
        (frames.ND, set_field(ipv6_nd_target="fd00::9"), frames.ND_TARGET_9),
        (frames.ND, set_field(ipv6_nd_sll=7), frames.ND_SLL_7),
    ],
)
def test_checksums_follow_a_change(before: bytes, action: Action, after: bytes) -> None:
    assert done(before, action) == after


def test_several_changes_add_up() -> None:
    changed = done(frames.UDP, SetNwSrc(0x0A000007), SetTpSrc(99))
    assert changed == frames.UDP_FROM_10_0_0_7_PORT_99


def test_a_udp_packet_without_checksum_stays_without() -> None:
    without = frames.UDP[:40] + b"\0\0" + frames.UDP[42:]
    expected = frames.UDP_FROM_10_0_0_7_PORT_99
    changed = done(without, SetNwSrc(0x0A000007), SetTpSrc(99))
    assert changed == expected[:40] + b"\0\0" + expected[42:]


def test_a_udp_checksum_never_becomes_zero() -> None:
    # RFC 768: zero means that the sender made none.
    checksum = int.from_bytes(frames.UDP[40:42], "big")
    source = (1000 + checksum) % 0xFFFF  # adds what is missing to the sum of all ones
    assert done(frames.UDP, set_field(udp_src=source))[40:42] == b"\xff\xff"


def test_a_wrong_checksum_stays_wrong() -> None:
    # RFC 1624: the change is added, so that damage on the way is still seen at the end.
    damaged = frames.TCP[:50] + b"\0\0" + frames.TCP[52:]
    changed = done(damaged, set_field(tcp_dst=8080))
    assert changed[50:52] != frames.TCP_PORT_8080[50:52]


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (frames.TCP, PushVlan(0x8100), frames.VLAN_0_TCP),
        (frames.VLAN_TCP, PushVlan(0x88A8), frames.QINQ_TCP),
        (frames.QINQ_TCP, PopVlan(), frames.VLAN_TCP),
        (frames.VLAN_TCP, PopVlan(), frames.TCP),
        (frames.TCP, PushMpls(0x8847), frames.MPLS_PUSHED_TCP),
        (frames.VLAN_TCP, PushMpls(0x8847), frames.VLAN_MPLS_PUSHED_TCP),
        (frames.MPLS_TCP, PushMpls(0x8847), frames.MPLS_MPLS_TCP),
        (frames.MPLS_MPLS_TCP, PopMpls(0x8847), frames.MPLS_TCP),
        (frames.MPLS_TCP, PopMpls(0x0800), frames.TCP),
        (frames.TCP, PushPbb(0x88E7), frames.PBB_TCP),
        (frames.PBB_ISID_7_TCP, PopPbb(), frames.TCP),
        (frames.PBB_TCP, set_field(pbb_isid=7), frames.PBB_ISID_7_TCP),
    ],
)
def test_tags_are_pushed_and_popped(before: bytes, action: Action, after: bytes) -> None:
    # OF1.3.5 5.12.1 "Default values for fields on push"
    assert done(before, action) == after


@pytest.mark.parametrize("action", [PopVlan(), PopMpls(0x0800), PopPbb(), DecMplsTtl()])
def test_a_packet_without_the_tag_stays_as_it_is(action: Action) -> None:
    assert done(frames.TCP, action) == frames.TCP


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (frames.MPLS_TCP, SetMplsTtl(9), frames.MPLS_TTL_9_TCP),
        (frames.MPLS_TTL_9_TCP, CopyTtlIn(), frames.MPLS_TTL_9_TCP_TTL_9),
        (frames.MPLS_TTL_9_TCP, CopyTtlOut(), frames.MPLS_TCP),
        (frames.TCP, CopyTtlIn(), frames.TCP),
    ],
)
def test_times_to_live_are_set_and_copied(before: bytes, action: Action, after: bytes) -> None:
    assert done(before, action) == after


def test_the_last_ttl_cannot_be_decremented() -> None:
    with pytest.raises(InvalidTtl):
        done(frames.TCP_TTL_1, DecNwTtl())


def test_a_frame_of_the_least_size_is_filled_up_when_a_tag_is_popped() -> None:
    # IEEE 802.1Q-2018 G.2.3 "Minimum PDU size": 60 bytes, and a check sequence.
    assert done(frames.VLAN_SHORT_ICMP, PopVlan()) == frames.SHORT_ICMP
    below = frames.SHORT_ICMP[:50]
    assert done(below, PushVlan(0x8100), PopVlan()) == below, "what was shorter stays so"


def test_set_vlan_vid_adds_a_tag_in_openflow_10_only() -> None:
    # OF1.0 3.3 "Actions": "If no VLAN is present, a new header is added"
    assert done(frames.TCP, SetVlanVid(5), version=OF10) == frames.VLAN_5_TCP
    assert done(frames.TCP, SetVlanVid(5), version=OF11) == frames.TCP
    tagged = done(frames.VLAN_TCP, SetVlanVid(0), SetVlanPcp(0), version=OF11)
    assert tagged == frames.VLAN_0_TCP


def test_a_field_that_the_packet_lacks_is_not_set() -> None:
    assert done(frames.ARP, set_field(tcp_dst=80), SetTpDst(80)) == frames.ARP


def test_addresses_are_set() -> None:
    assert done(frames.TCP, SetDlDst(0xA))[:6] == bytes.fromhex("00000000000a")
    assert done(frames.ARP, set_field(arp_spa="10.0.0.9"))[28:32] == bytes([10, 0, 0, 9])


def test_registers_are_set_beside_the_frame() -> None:
    one = packet(frames.TCP)
    EFFECTS[SetField](one, set_field(tunnel_id=12345))
    EFFECTS[SetQueue](one, SetQueue(7))
    assert (one.tunnel_id, one.key["tunnel_id"], one.queue_id) == (12345, 12345, 7)


def test_part_of_a_field_is_set() -> None:
    masked = SetField(Match(eth_dst=("00:00:00:00:aa:00", "00:00:00:00:ff:00")))
    assert done(frames.TCP, masked, version=OF15)[:6] == bytes.fromhex("00000000aa02")


def test_bits_are_copied() -> None:
    copy = CopyField(8, "eth_dst", "eth_src", src_offset=0, dst_offset=8)
    assert done(frames.TCP, copy, version=OF15)[6:12] == bytes.fromhex("000000000201")


names = st.sampled_from(["eth_type", "vlan_vid", "ip_proto", "ip_dscp", "ipv4_src", "ipv6_dst",
                         "tcp_src", "udp_dst", "sctp_src", "icmpv6_type", "icmpv4_code",
                         "mpls_bos", "mpls_label", "arp_op", "ipv6_nd_tll", "pbb_uca"])  # fmt: skip
changes: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([
        PushVlan(), PopVlan(), PushMpls(), PopMpls(0x0800), PopMpls(0x86DD), PopMpls(0x8847),
        PushPbb(), PopPbb(), CopyTtlIn(), CopyTtlOut(), SetNwTtl(9), SetVlanVid(3), SetTpSrc(1),
    ]),
    st.builds(lambda name, bit: SetField(Match.unchecked({name: bit})), names, st.integers(0, 1)),
)  # fmt: skip


@given(st.sampled_from(FRAMES), st.lists(changes, max_size=6), st.integers(14, 200))
def test_no_action_on_any_frame_raises(frame: bytes, actions: list[Action], size: int) -> None:
    done(frame[:size], *actions, version=OF10)
