"""Whatever is done to a frame: checksums that were right are right, and wrong ones stay wrong.

The sums are verified by a reader of their own, which knows nothing of flow keys.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from protocol import (
    OF15,
    Action,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    Match,
    PopMpls,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetDlSrc,
    SetField,
    SetMplsTtl,
    SetNwDst,
    SetNwEcn,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetTpDst,
    SetTpSrc,
    SetVlanPcp,
    SetVlanVid,
)
from protocol.oxm import OXM
from protocol.packet import Mpls, Packet, crc32c, internet_checksum
from switch_sim.execute import EFFECTS, InvalidTtl
from switch_sim.fields import SETTABLE
from switch_sim.flow_key import flow_key
from tests.switch_sim import frames
from tests.switch_sim.any_frame import any_frame
from tests.switch_sim.builders import packet

TCP, UDP, SCTP, ICMP, ICMPV6 = 6, 17, 132, 1, 58
SUMMED = {TCP: (20, 16), UDP: (8, 6), ICMPV6: (4, 2)}  # header's size, place of the checksum
EXTENSIONS = {0, 43, 60}

# What tells how the rest is to be read, and so makes another packet of it.
MEANING = {"eth_type", "ip_proto", "mpls_bos", "icmpv6_type", "icmpv6_code"}


# A reader of checksums


def faults(frame: bytes) -> list[str]:
    """The checksums in a frame that are wrong."""
    at = 12
    eth_type = int.from_bytes(frame[at : at + 2], "big")
    while eth_type in (0x8100, 0x88A8):
        at += 4
        eth_type = int.from_bytes(frame[at : at + 2], "big")
    at += 2
    if eth_type == 0x88E7:
        return faults(frame[at + 4 :])
    if eth_type in (0x8847, 0x8848):
        while not frame[at + 2] & 1:
            at += 4
        at += 4
        eth_type = {4: 0x0800, 6: 0x86DD}.get(frame[at] >> 4, 0)
    if eth_type == 0x0800:
        return _faults4(frame[at:])
    return _faults6(frame[at:]) if eth_type == 0x86DD else []


def _faults4(data: bytes) -> list[str]:
    header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    found = [] if internet_checksum(data[:header]) == 0 else ["IPv4"]
    pseudo = data[12:20]
    return found + _faults_of(data[9], pseudo, data[header:total])


def _faults6(data: bytes) -> list[str]:
    proto, at, target = data[6], 40, data[24:40]
    data = data[: 40 + int.from_bytes(data[4:6], "big")]
    while proto in EXTENSIONS:
        if proto == 43 and data[at + 3]:  # segments left: the last address is the target
            target = data[at + 8 + 16 * (data[at + 4]) :][:16]
        proto, at = data[at], at + 8 + data[at + 1] * 8
    return _faults_of(proto, data[8:24] + target, data[at:])


def _faults_of(proto: int, addresses: bytes, data: bytes) -> list[str]:
    if proto in (4, 41):
        return _faults4(data) if proto == 4 else _faults6(data)
    if proto == SCTP:
        given = int.from_bytes(data[8:12], "little")
        return [] if crc32c(data[:8] + bytes(4) + data[12:]) == given else ["SCTP"]
    if proto == ICMP:
        return [] if internet_checksum(data) == 0 else ["ICMP"]
    if proto not in SUMMED or (proto == UDP and data[6:8] == b"\0\0"):
        return []
    pseudo = addresses + len(data).to_bytes(4, "big") + proto.to_bytes(4, "big")
    return [] if internet_checksum(pseudo + data) == 0 else [f"protocol {proto}"]


@pytest.mark.parametrize(
    "frame", [frames.TCP, frames.UDP, frames.ICMP, frames.SCTP, frames.TCP6, frames.ND]
)
def test_the_reader_agrees_with_os_ken_and_sees_a_changed_bit(frame: bytes) -> None:
    assert faults(frame) == []
    assert faults(frame[:-1] + bytes([frame[-1] ^ 1])) != []


# What is done to them


def _assignments(name: str) -> st.SearchStrategy[Action]:
    values = st.integers(0, 2 ** OXM[name].bits - 1)
    return values.map(lambda value: SetField(Match.unchecked({name: value})))


settable = sorted(SETTABLE - MEANING - {"metadata", "tunnel_id"})
copies = st.builds(
    CopyField,
    st.just(16),
    st.sampled_from(["eth_src", "ipv4_src", "ipv6_dst", "tcp_src", "metadata"]),
    st.sampled_from(["eth_dst", "ipv4_dst", "ipv6_src", "tcp_dst", "udp_dst", "sctp_dst"]),
    st.just(0),
    st.just(0),
)
ports, octets = st.integers(0, 0xFFFF), st.integers(0, 255)
actions = st.one_of(
    st.sampled_from(settable).flatmap(_assignments),
    copies,
    st.sampled_from([PushVlan(), PushVlan(0x88A8), PopVlan(), PushPbb(), PopPbb(), DecNwTtl()]),
    st.sampled_from([PushMpls(), PopMpls(0), CopyTtlIn(), CopyTtlOut(), DecMplsTtl()]),
    st.builds(SetNwTtl, octets),
    st.builds(SetMplsTtl, octets),
    st.builds(SetDlSrc, octets),
    st.builds(SetNwSrc, octets),
    st.builds(SetNwDst, octets),
    st.builds(SetNwTos, octets.map(lambda tos: tos & 0xFC)),
    st.builds(SetNwEcn, st.integers(0, 3)),
    st.builds(SetTpSrc, ports),
    st.builds(SetTpDst, ports),
    st.builds(SetVlanVid, octets),
    st.builds(SetVlanPcp, st.integers(0, 7)),
)


def behind(frame: bytes) -> int:
    """The Ethernet type of what the outermost shim of a frame carries."""
    found = Packet.parse(frame)
    shim = found.get(Mpls)
    if shim is None or not shim.bos:
        return 0x8847
    return {4: 0x0800, 6: 0x86DD}.get(shim.payload[0] >> 4, 0x88B5)


def changed(frame: bytes, done: list[Action]) -> bytes:
    one = packet(frame, version=OF15)
    for action in done:
        if isinstance(action, PushMpls) and one.key.pbb:
            continue  # the reader would not find what is behind
        if isinstance(action, PopMpls):
            action = PopMpls(behind(one.data))
        try:
            EFFECTS[type(action)](one, action)
        except InvalidTtl:
            continue
        again = flow_key(one.data, one.in_port)
        assert one.key == again, "the fields must be those of the changed frame"
        assert vars(one.key) == vars(again)
    return one.data


@given(any_frame(), st.lists(actions, min_size=1, max_size=6))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_right_checksums_stay_right(frame: bytes, done: list[Action]) -> None:
    assert faults(frame) == []
    assert faults(changed(frame, done)) == []


@given(any_frame(), st.lists(actions, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_wrong_checksums_stay_wrong(frame: bytes, done: list[Action]) -> None:
    # RFC 1624: the change is added, so that damage on the way is still seen at the end.
    at = len(frame.rstrip(b"\0")) - 1
    damaged = frame[:at] + bytes([frame[at] ^ 0x11]) + frame[at + 1 :]
    assume(wrong := faults(damaged))
    assert faults(changed(damaged, done)) == wrong
