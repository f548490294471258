"""Bridges that agree on a tree (IEEE 802.1D-1998 8), in virtual time."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from controller.spanning_tree import (
    MAX_PORT_NO,
    Bridge,
    PortChanged,
    PortState,
    Send,
    path_cost,
)
from protocol import MacAddress, PortDesc, PortEthernet, PortFeatures
from protocol.packet import (
    BRIDGE_GROUP,
    Bpdu,
    BpduFlags,
    BpduType,
    BridgeId,
    ConfigurationBpdu,
    Ethernet,
    Llc,
    Packet,
    build,
)

from .lans import SETTLED, Lans, name, ring, scattered

CONFIGURATION = Bpdu()
FULL_MESH = list(combinations(range(1, 6), 2))
GRAPHS = {
    "two": [(1, 2)],
    "ring of 5": ring(5),
    "mesh of 5": FULL_MESH,
    **{f"random 30, seed {seed}": scattered(30, seed) for seed in range(3)},
}
EACH_GRAPH = pytest.mark.parametrize("links", GRAPHS.values(), ids=GRAPHS)


def frame(said: ConfigurationBpdu | bytes, bpdu: Bpdu = CONFIGURATION) -> Packet:
    """Return a BPDU as it comes in."""
    return Packet.parse(build(Ethernet(BRIDGE_GROUP, MacAddress(99)), Llc(), bpdu, said))


def word(root: int, cost: int = 0, bridge: int = 0, **more: float) -> ConfigurationBpdu:
    """Return what a bridge could say."""
    return ConfigurationBpdu(name(root), cost, name(bridge or root), 0x8001, **more)


def configurations(events: object) -> list[ConfigurationBpdu]:
    """Return what is said of roots."""
    assert isinstance(events, list)
    return [one.headers[1] for one in events if isinstance(one, Send) and len(one.headers) == 2]


# Who is the root (802.1D-1998 8.6.8), who speaks where (8.6.9)


@EACH_GRAPH
def test_all_bridges_agree_that_the_lowest_is_the_root(links: list[tuple[int, int]]) -> None:
    lans = Lans(links)
    lans.run(SETTLED)
    assert {bridge.root for bridge in lans.bridges.values()} == {name(1)}
    assert [n for n, bridge in lans.bridges.items() if bridge.is_root] == [1]


@EACH_GRAPH
def test_the_cables_that_carry_frames_make_a_tree(links: list[tuple[int, int]]) -> None:
    lans = Lans(links)
    lans.run(SETTLED)
    assert len(lans.carrying) == len(lans.bridges) - 1
    assert not lans.circle()


@EACH_GRAPH
def test_there_is_no_circle_at_any_time(links: list[tuple[int, int]]) -> None:
    lans = Lans(links)
    for _ in range(120):
        lans.run(0.5)
        assert not lans.circle()


def test_a_port_that_blocks_is_at_one_end_of_its_cable() -> None:
    lans = Lans(ring(4))
    lans.run(SETTLED)
    ((a, b),) = set(lans.links) - lans.carrying
    assert {lans.state(a, b), lans.state(b, a)} == {PortState.BLOCKING, PortState.FORWARDING}


def test_the_cheaper_way_leads_to_the_root() -> None:
    lans = Lans([(1, 2), (2, 3)])
    lans.links.append((1, 3))
    lans.plug(1, 3, cost=100)
    lans.run(SETTLED)
    assert lans.bridges[3].root_port == 2
    assert lans.bridges[3].root_path_cost == 8
    assert lans.state(3, 1) is PortState.BLOCKING


def test_a_bridge_of_another_priority_is_root() -> None:
    bridge = Bridge(name(1))
    bridge.add_port(1, 4, 0.0)
    better = BridgeId(0x1000, MacAddress(7))
    bridge.receive(1, frame(word(1).replace(root=better, bridge=better)), 0.0)
    assert bridge.root == better


# The states of a port (802.1D-1998 8.4)


def test_a_port_listens_and_learns_before_it_forwards() -> None:
    bridge = Bridge(name(1))
    events = bridge.add_port(1, 4, now=100.0)
    assert PortChanged(1, PortState.LISTENING) in events
    for now, state in [
        (114.9, PortState.LISTENING),
        (115.0, PortState.LEARNING),
        (129.9, PortState.LEARNING),
        (130.0, PortState.FORWARDING),
    ]:
        bridge.handle_timer(now)
        assert bridge.state(1) is state


def test_a_port_that_hears_better_of_the_same_root_elsewhere_blocks() -> None:
    bridge = Bridge(name(9))
    for port in (1, 2):
        bridge.add_port(port, 4, 0.0)
    bridge.receive(1, frame(word(1)), 0.0)
    events = bridge.receive(2, frame(word(1, 4, bridge=2)), 0.0)
    assert PortChanged(2, PortState.BLOCKING) in events


def test_a_port_that_went_is_disabled() -> None:
    bridge = Bridge(name(1))
    bridge.add_port(1, 4, 0.0)
    assert bridge.remove_port(1, 1.0) == [PortChanged(1, PortState.DISABLED)]
    assert bridge.state(1) is PortState.DISABLED
    assert bridge.remove_port(1, 2.0) == []


def test_a_port_number_that_no_bpdu_can_say_is_refused() -> None:
    bridge = Bridge(name(1))
    bridge.add_port(MAX_PORT_NO, 4, 0.0)
    for number in (0, MAX_PORT_NO + 1):
        with pytest.raises(ValueError, match="cannot take part"):
            bridge.add_port(number, 4, 0.0)


# When something is lost


def test_another_way_is_taken_when_a_cable_is_pulled() -> None:
    lans = Lans(ring(4))
    lans.run(SETTLED)
    lans.pull(1, 2)
    lans.run(SETTLED)
    assert lans.carrying == set(lans.links)


def test_a_way_that_fell_silent_is_given_up_after_max_age() -> None:
    lans = Lans(ring(4))
    lans.run(SETTLED)
    lans.cut(1, 2)
    lans.run(17.9)  # the last word is at most two seconds old
    assert lans.bridges[2].root_port == 1
    lans.run(4.2)  # the others forget as well, or contradict who thinks to be the root now
    assert lans.bridges[2].root_port == 3
    lans.run(SETTLED)
    assert lans.carrying == set(lans.links)


def test_what_is_left_of_a_network_finds_a_root_of_its_own() -> None:
    lans = Lans([(1, 2), (2, 3), (3, 4), (2, 4)])
    lans.run(SETTLED)
    lans.pull(1, 2)
    lans.run(SETTLED)
    assert {lans.bridges[n].root for n in (2, 3, 4)} == {name(2)}
    assert len(lans.carrying) == 2


@pytest.mark.parametrize("seed", range(3))
def test_random_networks_stay_trees_while_cables_come_and_go(seed: int) -> None:
    lans = Lans(scattered(12, seed))
    for round in range(6):
        lans.run(7.0)
        a, b = lans.links[(seed + round * 5) % len(lans.links)]
        lans.pull(a, b)
        for _ in range(14):
            lans.run(0.5)
            assert not lans.circle()
        lans.links.append((a, b))
        lans.plug(a, b)
    lans.run(2 * SETTLED)
    assert len(lans.carrying) == 11
    assert not lans.circle()


# What is said


def test_the_root_speaks_every_two_seconds_and_the_others_after_it() -> None:
    lans = Lans([(1, 2), (2, 3)])
    lans.run(SETTLED)
    lans.said.clear()
    lans.run(20.0)
    by_port = [end for _, end, _ in lans.said]
    assert by_port.count((1, 2)) == by_port.count((2, 3)) == 10
    assert set(by_port) == {(1, 2), (2, 3)}


def test_a_port_speaks_once_a_second_at_most() -> None:
    """802.1D-1998 8.10.2: hold time 1 s; what was to be said is said when it is over."""
    bridge = Bridge(name(5))
    bridge.add_port(1, 4, 0.0)
    inferior = frame(word(9))
    for _ in range(5):
        assert bridge.receive(1, inferior, 0.5) == []
    assert len(configurations(bridge.handle_timer(1.0))) == 1


def test_who_says_worse_is_told_better_at_once() -> None:
    bridge = Bridge(name(5))
    bridge.add_port(1, 4, 0.0)
    bridge.handle_timer(1.0)
    (said,) = configurations(bridge.receive(1, frame(word(9)), 1.5))
    assert said.root == name(5)


def test_what_is_handed_on_costs_more_and_is_older() -> None:
    bridge = Bridge(name(5))
    bridge.add_port(1, 19, 0.0)
    bridge.add_port(2, 4, 0.0)
    bridge.handle_timer(1.0)
    heard = word(1, 4, bridge=3, message_age=2.0, hello_time=3.0, max_age=18.0, forward_delay=9.0)
    (said,) = configurations(bridge.receive(1, frame(heard), 1.5))
    assert (said.root, said.root_path_cost, said.bridge) == (name(1), 23, name(5))
    assert 2.0 < said.message_age < 2.1
    assert (said.hello_time, said.max_age, said.forward_delay) == (3.0, 18.0, 9.0)


@pytest.mark.parametrize(
    "packet",
    [
        frame(word(1, message_age=20.0)),  # as old as it may get: 802.1D-2004 9.3.4
        frame(word(1).replace(bridge=name(5))),  # our own, that came back
        frame(b"\0" * 20),  # cut short
        frame(b"\0" * 40, Bpdu(version=2, type=BpduType.RAPID)),
        Packet.parse(build(Ethernet(BRIDGE_GROUP, MacAddress(99)), Llc(), b"none")),
    ],
)
def test_what_no_bridge_may_heed_changes_nothing(packet: Packet) -> None:
    bridge = Bridge(name(5))
    bridge.add_port(1, 4, 0.0)
    assert bridge.receive(1, packet, 0.5) == []
    assert bridge.is_root


def test_what_comes_by_a_port_that_takes_no_part_changes_nothing() -> None:
    bridge = Bridge(name(5))
    assert bridge.receive(7, frame(word(1)), 0.5) == []
    assert bridge.is_root


def test_a_root_that_says_strange_times_does_not_keep_us_busy() -> None:
    bridge = Bridge(name(5))
    bridge.add_port(1, 4, 0.0)
    hasty = word(1, hello_time=0.0, forward_delay=0.0, flags=BpduFlags.TOPOLOGY_CHANGE)
    bridge.receive(1, frame(hasty), 0.0)
    turns = 0
    while (due := bridge.deadline()) is not None and due < 10.0:
        bridge.handle_timer(due)
        turns += 1
    assert turns < 30


# Changes of the topology (802.1D-1998 8.6.14)


def changing(lans: Lans) -> set[int]:
    """Return the bridges that know of a change."""
    return {n for n, bridge in lans.bridges.items() if bridge.topology_change}


def test_a_change_is_told_to_all_by_the_root_for_35_seconds() -> None:
    lans = Lans([(1, 2), (2, 3), (3, 4)])
    lans.run(2 * SETTLED)
    assert changing(lans) == set()
    lans.bridges[5] = Bridge(name(5))
    lans.links.append((4, 5))
    lans.plug(4, 5)
    lans.run(30.0)  # it forwards now
    lans.run(2.1)  # the next word of the root
    assert changing(lans) == {1, 2, 3, 4, 5}
    lans.run(29.0)
    assert changing(lans) == {1, 2, 3, 4, 5}
    lans.run(8.0)
    assert changing(lans) == set()


def test_bridges_forget_where_stations_are_while_the_topology_changes() -> None:
    """802.1D-1998 8.3.5: what was learned ages within forward_delay then."""
    lans = Lans(ring(4))
    lans.run(2 * SETTLED)
    lans.forgot.clear()
    lans.pull(1, 2)
    lans.run(2 * SETTLED)
    for number in lans.bridges:
        times = [now for now, who in lans.forgot if who == number]
        assert len(times) >= 2
        assert max(b - a for a, b in pairwise(times)) <= 35.0


def test_a_notification_is_repeated_until_the_root_took_note() -> None:
    bridge = Bridge(name(5))
    for port in (1, 2):
        bridge.add_port(port, 4, 0.0)
    bridge.receive(1, frame(word(1)), 0.0)
    notified = []
    for second in range(2, 40, 2):
        bridge.receive(1, frame(word(1)), float(second))
        events = bridge.handle_timer(float(second))
        notified += [second for one in events if isinstance(one, Send) and one.port_no == 1]
    assert notified == [32, 34, 36, 38]  # the port learned from 16 on
    bridge.receive(1, frame(word(1, flags=BpduFlags.TOPOLOGY_CHANGE_ACK)), 39.0)
    assert all(one.port_no != 1 for one in bridge.handle_timer(45.0) if isinstance(one, Send))


def test_a_notification_is_acknowledged_and_handed_on() -> None:
    bridge = Bridge(name(5))
    for port in (1, 2):
        bridge.add_port(port, 4, 0.0)
    bridge.receive(1, frame(word(1)), 0.0)
    bridge.handle_timer(1.0)
    bridge.handle_timer(2.0)
    events = bridge.receive(2, frame(b"", Bpdu(type=BpduType.TOPOLOGY_CHANGE)), 2.5)
    sent = {one.port_no: one.headers for one in events if isinstance(one, Send)}
    assert sent[1] == (Bpdu(type=BpduType.TOPOLOGY_CHANGE),)
    said = sent[2][1]
    assert isinstance(said, ConfigurationBpdu)
    assert said.flags & BpduFlags.TOPOLOGY_CHANGE_ACK


@pytest.mark.parametrize(
    ("speed", "cost"),
    [
        (PortFeatures.RATE_10MB_HD, 100),
        (PortFeatures.RATE_100MB_FD, 19),
        (PortFeatures.RATE_1GB_FD | PortFeatures.COPPER, 4),
        (PortFeatures.RATE_10GB_FD, 2),
        (PortFeatures.RATE_100GB_FD, 1),
        (0, 19),
    ],
)
def test_a_link_costs_by_its_speed(speed: PortFeatures | int, cost: int) -> None:
    """802.1D-1998 8.10.2, Table 8-5."""
    assert path_cost(PortDesc(1, properties=(PortEthernet(curr=speed),))) == cost
