"""What switches send is what the ordinary codec would have written, in each version."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from protocol import NO_BUFFER, OF13, FlowMod, FlowRemoved, Message, PacketIn, PortStatus, Version
from protocol.packet import Arp, Ethernet, IPv4
from protocol.ports import PortState
from switch_sim.load.ring import Ring
from switch_sim.load.steps import flow_mod_buffer_id
from switch_sim.load.traffic import FLAPPING, MAGIC, TAIL, Kind, Traffic, mac_of

VERSIONS = pytest.mark.parametrize("version", Version, ids=str)
SWITCH = 7


def messages(data: bytes) -> Iterable[Message]:
    """Take apart what a switch sends."""
    while data:
        size = int.from_bytes(data[2:4], "big")
        yield Message.decode(data[:size])
        data = data[size:]


def taken(ring: Ring, count: int) -> tuple[list[Message], list[int]]:
    data, told = b"", list[int]()
    while count:
        step = min(count, ring.slots, 3)
        views, tokens = ring.take(step)
        data, told, count = data + b"".join(views), [*told, *tokens], count - step
    return list(messages(data)), told


def ring(version: Version, kind: Kind = Kind.PACKET_IN, **options: bool) -> Ring:
    return Ring(Traffic(version, hosts=8, ports=4, **options), kind, SWITCH)


def packet_ins(found: list[Message]) -> list[PacketIn]:
    return [one for one in found if isinstance(one, PacketIn)]


@VERSIONS
def test_each_packet_goes_to_the_next_host_at_another_port(version: Version) -> None:
    found, tokens = taken(ring(version), 8)
    for number, (message, token) in enumerate(zip(packet_ins(found), tokens, strict=True)):
        frame = Ethernet.parse(message.data)
        ip = IPv4.parse(frame.payload)
        assert (message.in_port, message.buffer_id, message.total_len) == (
            1 + number % 4,
            token,
            60,
        )
        assert (frame.src, frame.dst) == (mac_of(7, number), mac_of(7, (number + 1) % 8))
        assert TAIL.unpack(message.data[-8:]) == (MAGIC, token)
        assert ip == ip.replace(payload=ip.payload).completed()  # the checksum is right


@VERSIONS
def test_tokens_differ_from_round_to_round(version: Version) -> None:
    one = ring(version)
    _, first = taken(one, 5)
    found, then = taken(one, 20)  # over two ends of the ring
    assert len({*first, *then}) == 25
    assert [message.buffer_id for message in packet_ins(found)] == then
    assert [TAIL.unpack(message.data[-8:])[1] for message in packet_ins(found)] == then


@pytest.mark.parametrize("kind", [Kind.PACKET_IN, Kind.NEW_HOST, Kind.MOVED_HOST, Kind.FLAP])
def test_steps_taken_one_by_one_are_those_taken_together(kind: Kind) -> None:
    together, single = ring(OF13, kind), ring(OF13, kind)
    for count in (1, 1, 3, 1, 8, 1, 1, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1):
        views, tokens = together.take(count)
        if count == 1:
            view, token = single.one()
            assert (b"".join(views), list(tokens)) == (bytes(view), [token])
        else:
            others, numbers = single.take(count)
            assert (b"".join(views), list(tokens)) == (b"".join(others), list(numbers))


@VERSIONS
def test_without_buffers_the_packet_alone_tells_which_it_is(version: Version) -> None:
    found, tokens = taken(ring(version, buffered=False), 3)
    assert {message.buffer_id for message in packet_ins(found)} == {NO_BUFFER}
    assert [TAIL.unpack(message.data[-8:])[1] for message in packet_ins(found)] == tokens


@VERSIONS
def test_hosts_say_where_they_are_to_all(version: Version) -> None:
    found, _ = taken(ring(version, Kind.ANNOUNCEMENT), 8)
    frames = [Ethernet.parse(message.data) for message in packet_ins(found)]
    said = [Arp.parse(frame.payload) for frame in frames]
    assert [arp.sha for arp in said] == [mac_of(SWITCH, host) for host in range(8)]
    assert all(arp.spa == arp.tpa for arp in said)
    assert {str(frame.dst) for frame in frames} == {"ff:ff:ff:ff:ff:ff"}


@VERSIONS
def test_a_port_goes_down_before_the_packets_of_one_lap_and_up_in_the_next(
    version: Version,
) -> None:
    found, _ = taken(ring(version, Kind.FLAP), 16)
    told = [one for one in found if isinstance(one, PortStatus)]
    downs = [bool(one.desc.state & PortState.LINK_DOWN) for one in told]
    assert downs == [True] * 8 + [False] * 8
    assert {one.desc.port_no for one in told} == {FLAPPING}
    assert [type(one) for one in found[:2]] == [PortStatus, PacketIn]


@VERSIONS
def test_new_hosts_come_with_each_round(version: Version) -> None:
    found, _ = taken(ring(version, Kind.NEW_HOST), 24)
    frames = [Ethernet.parse(message.data) for message in packet_ins(found)]
    known = {mac_of(SWITCH, host) for host in range(8)}
    assert len({frame.src for frame in frames}) == 24
    assert {frame.dst for frame in frames} == known
    assert not known & {frame.src for frame in frames}


@VERSIONS
def test_hosts_that_move_are_never_where_their_partner_is(version: Version) -> None:
    at = {mac_of(SWITCH, host): 1 + host % 4 for host in range(8)}
    found, _ = taken(ring(version, Kind.MOVED_HOST), 48)
    for removed, message in zip(found[::2], found[1::2], strict=True):
        assert isinstance(removed, FlowRemoved)
        assert isinstance(message, PacketIn)
        frame = Ethernet.parse(message.data)
        left = removed.match["in_port"]
        assert (removed.match["eth_src"], removed.match["eth_dst"]) == (frame.src, frame.dst)
        assert left != message.in_port
        at[frame.src] = message.in_port
        assert at[frame.dst] != message.in_port


@VERSIONS
def test_a_flow_mod_has_its_buffer_id_where_it_is_looked_for(version: Version) -> None:
    at = flow_mod_buffer_id(version)
    assert FlowMod(buffer_id=0x1234_5678).encode(version)[at : at + 4].hex() == "12345678"


@pytest.mark.parametrize(
    ("hosts", "ports", "words"), [(9, 3, "3 ports"), (9, 4, "as many"), (1 << 17, 4, "at most")]
)
def test_what_cannot_be_is_said(hosts: int, ports: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Traffic(OF13, hosts=hosts, ports=ports)
