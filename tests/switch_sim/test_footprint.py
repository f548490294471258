"""What decides the fields of a frame: other frames that agree in it have the same values."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.oxm import OXM
from switch_sim.flow_cache import Shape
from switch_sim.flow_entry import Masks
from switch_sim.flow_key import MIN_FRAME, flow_key
from switch_sim.footprint import Footprint
from switch_sim.tuple_space import Tuple
from tests.switch_sim import frames

FRAMES = [data for name, data in vars(frames).items() if name.isupper()]
NAMES = sorted(
    set().union(*(flow_key(data, 1) for data in FRAMES)) - {"in_port", "packet_type", "metadata"}
)


@st.composite
def odd_frames(draw: st.DrawFn) -> bytes:
    """Frames with some bytes changed, cut short or made longer."""
    data = bytearray(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, min(len(data), 70) - 1))
        data[at] = draw(st.one_of(st.sampled_from(data), st.integers(0, 255)))
    size = draw(st.integers(MIN_FRAME, len(data) + 20))
    return bytes(data + bytes(20))[: draw(st.sampled_from([len(data), size]))]


def masks(chosen: list[tuple[str, int]]) -> Masks:
    found = {name: mask & OXM[name].all_ones or -1 for name, mask in chosen if name in OXM}
    return tuple(sorted(found.items()))


def seen_by(data: bytes, looked_at: list[Masks]) -> Shape:
    seen = Footprint()
    seen.look(data, flow_key(data, 1), [Tuple(one) for one in looked_at], {})
    return Shape.of(seen, len(data))


def values(data: bytes, looked_at: list[Masks]) -> list[int | None]:
    key: Any = flow_key(data, 1)
    return [
        None if key[name] is None else key[name] & mask for one in looked_at for name, mask in one
    ]


def takes(shape: Shape, data: bytes, other: bytes) -> bool:
    """Whether a shape takes `other` for a frame like `data`."""
    frame, lengths = shape.frame_of(data), shape.is_long_enough(other)
    return shape.at_least <= len(other) <= shape.at_most and lengths and (
        shape.frame_of(other) == frame
    )  # fmt: skip


chosen = st.lists(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-1, 1 << 128)), max_size=4).map(masks),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=600)
@given(odd_frames(), chosen, st.randoms(use_true_random=False))
def test_bits_outside_of_a_footprint_do_not_matter(
    data: bytes, looked_at: list[Masks], dice: random.Random
) -> None:
    shape = seen_by(data, looked_at)
    assert takes(shape, data, data)
    for _ in range(20):
        noise = int.from_bytes(dice.randbytes(len(data)), "little") & ~shape.mask
        if dice.random() < 0.7:  # a few bits, as more of them rarely make sense together
            noise &= 0xFF << 8 * dice.randrange(len(data))
        number = int.from_bytes(data, "little") ^ noise
        other = (number.to_bytes(len(data), "little") + bytes(9))[
            : len(data) + dice.randrange(-9, 9)
        ]
        if len(other) >= MIN_FRAME and takes(shape, data, other):
            assert values(other, looked_at) == values(data, looked_at)


@given(odd_frames(), odd_frames(), chosen)
def test_frames_that_are_taken_for_each_other_are_alike(
    data: bytes, other: bytes, looked_at: list[Masks]
) -> None:
    if takes(seen_by(data, looked_at), data, other):
        assert values(other, looked_at) == values(data, looked_at)


def test_only_what_is_looked_at_counts() -> None:
    # A learning switch looks at addresses: all else may differ, even what the frame carries.
    shape = seen_by(frames.TCP, [masks([("eth_dst", -1)])])
    assert takes(shape, frames.TCP, frames.TCP[:12] + frames.ARP[12:])
    assert not takes(shape, frames.TCP, b"\1" + frames.TCP[1:])


def test_where_a_port_lies_counts_for_the_port() -> None:
    shape = seen_by(frames.TCP, [masks([("tcp_dst", -1)])])
    assert takes(shape, frames.TCP, frames.TCP_TO_10_0_0_9)
    assert takes(shape, frames.TCP, frames.TCP_TTL_63)
    assert not takes(shape, frames.TCP, frames.UDP)
    assert not takes(shape, frames.TCP, frames.TCP_PORT_8080)


def test_a_frame_without_the_field_is_known_by_its_type_alone() -> None:
    shape = seen_by(frames.ARP, [masks([("tcp_dst", -1)])])
    other = frames.ARP[:30] + b"\xff\xff" + frames.ARP[32:]
    assert takes(shape, frames.ARP, other)


def test_an_ip_header_that_says_less_is_not_taken_for_a_longer_one() -> None:
    shape = seen_by(frames.TCP, [masks([("tcp_dst", -1)])])
    cut = frames.TCP[:16] + (39).to_bytes(2, "big") + frames.TCP[18:]
    assert values(cut, [masks([("tcp_dst", -1)])]) == [None]
    assert not takes(shape, frames.TCP, cut)


SNAP = frames.TCP[:12] + bytes.fromhex("0026aaaa030000000800") + frames.TCP[14:44]
TAG_CUT_SHORT = frames.VLAN_TCP[:16]


@pytest.mark.parametrize(
    ("data", "other", "name"),
    [
        (frames.ARP, frames.ARP[:15] + b"\2" + frames.ARP[16:], "arp_op"),
        (frames.TCP[:50], frames.TCP, "tcp_dst"),
        (TAG_CUT_SHORT, frames.VLAN_TCP, "vlan_vid"),
        (SNAP, SNAP[:14] + b"\xab" + SNAP[15:], "eth_type"),
        (frames.ND, frames.ND[:78] + b"\2" + frames.ND[79:], "ipv6_nd_sll"),
    ],
    ids=["other kind of ARP", "cut short", "tag cut short", "IEEE 802.3", "neighbour discovery"],
)
def test_odd_frames_are_not_taken_for_others(data: bytes, other: bytes, name: str) -> None:
    wanted = [masks([(name, -1)])]
    assert values(data, wanted) != values(other, wanted)
    assert not takes(seen_by(data, wanted), data, other)
    assert not takes(seen_by(other, wanted), other, data)
