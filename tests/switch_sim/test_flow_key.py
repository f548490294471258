"""From frames to match fields."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import Port, VlanId
from switch_sim.flow_key import flow_key
from tests.switch_sim import frames

FRAMES = [data for name, data in vars(frames).items() if name.isupper()]


def fields(data: bytes) -> dict[str, int]:
    return dict(flow_key(data, in_port=1))


def test_a_tcp_segment_has_all_fields_up_to_its_flags() -> None:
    assert fields(frames.TCP) == {
        "in_port": 1,
        "in_phy_port": 1,
        "metadata": 0,
        "tunnel_id": 0,
        "packet_type": 0,
        "actset_output": Port.UNSET,
        "eth_dst": 2,
        "eth_src": 1,
        "eth_type": 0x0800,
        "vlan_vid": VlanId.NONE,
        "ip_dscp": 0,
        "ip_ecn": 0,
        "ip_proto": 6,
        "ipv4_src": 0x0A000001,
        "ipv4_dst": 0x0A000002,
        "tcp_src": 1000,
        "tcp_dst": 80,
        "tcp_flags": 0x12,
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frames.UDP, {"udp_src": 1000, "udp_dst": 53}),
        (frames.SCTP, {"sctp_src": 1000, "sctp_dst": 5000}),
        (frames.ICMP, {"icmpv4_type": 8, "icmpv4_code": 0}),
        (frames.ARP, {"arp_op": 1, "arp_spa": 0x0A000001, "arp_tpa": 0x0A000002}),
        (frames.ARP, {"arp_sha": 1, "arp_tha": 0}),
        (frames.TCP6, {"ipv6_flabel": 5, "ip_proto": 6, "tcp_dst": 80, "ipv6_exthdr": 0}),
        (frames.TCP6, {"ipv6_dst": int(IPv6Address("fd00::2"))}),
        (frames.ND, {"icmpv6_type": 135, "ipv6_nd_target": int(IPv6Address("fd00::2"))}),
        (frames.ND, {"ipv6_nd_sll": 1, "ipv6_nd_tll": None}),
        (frames.TCP_DSCP_46, {"ip_dscp": 46}),
        (frames.VLAN_TCP, {"vlan_vid": 0x1000 | 100, "vlan_pcp": 3, "eth_type": 0x0800}),
        (frames.QINQ_TCP, {"vlan_vid": 0x1000 | 100, "eth_type": 0x0800, "tcp_dst": 80}),
        (frames.MPLS_TCP, {"eth_type": 0x8847, "mpls_label": 100, "mpls_tc": 3, "mpls_bos": 1}),
        (frames.MPLS_TCP, {"ip_proto": None}),
        (frames.PBB_ISID_7_TCP, {"eth_type": 0x88E7, "pbb_isid": 7, "pbb_uca": 0}),
    ],
)
def test_headers_give_their_fields(data: bytes, expected: dict[str, int | None]) -> None:
    found = fields(data)
    assert {name: found.get(name) for name in expected} == expected


def test_extension_headers_are_told_and_passed_over() -> None:
    # Hop-by-hop is 1 << 6, authentication 1 << 2 (OF1.3.5 7.2.3.7 "Flow Match Fields").
    found = fields(frames.EXTENDED6)
    assert (found["ipv6_exthdr"], found["ip_proto"], found["tcp_dst"]) == (68, 6, 80)


@pytest.mark.parametrize(
    ("numbers", "bits"),
    [
        ([60, 43, 60, 59], 1 << 3 | 1 << 5 | 1),  # destination options may stand twice
        ([0, 0, 59], 1 << 6 | 1 | 1 << 7),  # repeated
        ([43, 0, 59], 1 << 5 | 1 << 6 | 1 | 1 << 8),  # out of order
    ],
)
def test_extension_headers_that_are_odd_are_told_as_such(numbers: list[int], bits: int) -> None:
    headers = b"".join(bytes([number, 0]) + bytes(6) for number in numbers[1:])
    ip = bytes.fromhex("60000000") + len(headers).to_bytes(2, "big") + bytes([numbers[0], 64])
    data = frames.TCP6[:14] + ip + bytes(32) + headers
    assert fields(data)["ipv6_exthdr"] == bits


def test_a_later_fragment_has_no_ports() -> None:
    later = frames.TCP[:20] + bytes.fromhex("0010") + frames.TCP[22:]
    key = flow_key(later, 1)
    assert key["ip_proto"] == 6
    assert "tcp_dst" not in key
    assert key.is_fragment


def test_the_first_fragment_has_ports() -> None:
    first = frames.TCP[:20] + bytes.fromhex("2000") + frames.TCP[22:]
    key = flow_key(first, 1)
    assert (key["tcp_dst"], key.is_fragment) == (80, True)


def test_a_frame_with_a_length_has_the_type_of_its_snap_header() -> None:
    # OF1.0 3.4 "Matching"
    snap = frames.TCP[:12] + bytes.fromhex("0040 aaaa03000000 0800") + frames.TCP[14:]
    assert (fields(snap)["eth_type"], fields(snap)["tcp_dst"]) == (0x0800, 80)
    assert fields(frames.TCP[:12] + bytes.fromhex("0040 424203"))["eth_type"] == 0x05FF


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(data: bytes) -> None:
    flow_key(data, 1)


@given(st.sampled_from(FRAMES), st.data())
def test_frames_cut_or_changed_anywhere_never_raise(frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    flow_key(bytes(changed[: data.draw(st.integers(0, len(frame)))]), 1)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_field_that_is_cut_off_is_absent(frame: bytes) -> None:
    whole = fields(frame)
    for size in range(14, len(frame)):
        for name, value in fields(frame[:size]).items():
            assert whole[name] == value or name in ("eth_type", "vlan_vid", "ipv6_exthdr")
