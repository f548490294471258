"""Discovery: links come and go as cables do; forged, replayed and stray probes teach nothing."""

from __future__ import annotations

import hmac
import itertools
import random
from collections import Counter
from itertools import count

import pytest

from controller.topology import Discovery, Link, LinkDown, LinkUp, Suspicion, SwitchEnd, probes
from controller.topology.discovery import HEARD, INTERVAL, LOST_PROBES, SETTLE_TIME, TOGETHER
from controller.topology.probes import NONCE, ForgedProbe, Probe, sealing
from protocol import MacAddress, PortDesc, PortState
from protocol.packet import ChassisId, ChassisIdSubtype, Ethernet, EthType, Lldp, PortId

KEY = b"a key that nobody knows"


def end(datapath_id: int, port_no: int) -> SwitchEnd:
    """Return a port."""
    return SwitchEnd(datapath_id, port_no)


def port(number: int, up: bool = True) -> PortDesc:
    """Return a port as a switch describes it."""
    state = PortState.LIVE if up else PortState.LINK_DOWN
    return PortDesc(number, MacAddress(0x0200_0000_0000 + number), state=state)


class Cables:
    """Switches with cables between their ports, and the discovery that looks for them."""

    def __init__(self, *cables: tuple[SwitchEnd, SwitchEnd]) -> None:
        numbers = count(1)
        self.discovery = Discovery(
            KEY, lambda size: b"".join(b"%08x" % next(numbers) for _ in range(size // NONCE))
        )
        self.far = dict(cables) | {b: a for a, b in cables}
        self.events: list[object] = []
        self.sent: list[tuple[float, SwitchEnd, bytes]] = []

    def add(self, datapath_id: int, ports: int = 3, now: float = 0.0) -> None:
        """Let a switch connect."""
        descs = [port(number) for number in range(1, ports + 1)]
        self.discovery.add_switch(datapath_id, descs, now)

    def run(self, until: float) -> None:
        """Carry probes over the cables, as they become due."""
        while (due := self.discovery.deadline()) is not None and due <= until:
            frames, events = self.discovery.handle_timer(due)
            self.events += events
            for where, frame in frames:
                self.sent.append((due, where, frame))
                if far := self.far.get(where):
                    self.events += self.discovery.receive(*far, frame, due + 0.001)

    @property
    def links(self) -> set[Link]:
        """The links that are known."""
        return set(self.discovery.graph.links.values())


A, B = end(1, 2), end(2, 3)


@pytest.fixture
def cables() -> Cables:
    """Return two switches with a cable that was found."""
    found = Cables((A, B))
    found.add(1)
    found.add(2)
    found.run(0.1)
    return found


def test_a_cable_is_found_in_both_directions_at_once(cables: Cables) -> None:
    assert cables.events == [LinkUp(Link(A, B)), LinkUp(Link(B, A))]
    assert cables.discovery.progress() == (1, 1)


def test_a_cable_to_a_switch_that_comes_later_is_found_when_it_comes() -> None:
    cables = Cables((A, B))
    cables.add(1)
    cables.run(0.1)
    cables.add(2, now=1.0)
    cables.run(1.1)
    assert cables.links == {Link(A, B), Link(B, A)}


def test_ports_between_switches_are_no_edge_and_others_are_when_they_settled(
    cables: Cables,
) -> None:
    discovery = cables.discovery
    assert not discovery.is_edge(end(1, 1), SETTLE_TIME / 2)
    assert discovery.is_edge(end(1, 1), SETTLE_TIME)
    assert not discovery.is_edge(A, 100.0)
    assert not discovery.is_edge(B, 100.0)
    assert not discovery.is_edge(end(1, 99), 100.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_edges_of_a_switch_are_its_ports_that_are_edges(seed: int) -> None:
    """They are kept from one question to the next, whatever happens between."""
    dice, cables = random.Random(seed), Cables((A, B), (end(1, 1), end(3, 1)))
    discovery, now = cables.discovery, 0.0
    for _ in range(300):
        switch, number = dice.randint(1, 3), dice.randint(1, 3)
        match dice.randrange(6):
            case 0:
                discovery.set_port(switch, port(number, up=False), now)
            case 1 | 2:
                discovery.set_port(switch, port(number), now)
            case 3:
                discovery.remove_switch(switch)
            case 4:
                cables.far = {} if cables.far else {A: B, B: A}
            case 5:
                cables.run(now)
        now += dice.choice([0.0, 0.1, SETTLE_TIME, INTERVAL])
        for one in (1, 2, 3):
            wanted = [n for n in range(1, 4) if discovery.is_edge(end(one, n), now)]
            assert sorted(discovery.edges(one, now)) == wanted


def test_a_port_that_nobody_probed_yet_is_no_edge() -> None:
    cables = Cables()
    cables.add(1)
    assert not cables.discovery.is_edge(end(1, 1), 100.0)


def test_a_link_that_is_probed_stays(cables: Cables) -> None:
    cables.run(20 * INTERVAL)
    assert len(cables.events) == 2
    assert cables.discovery.latency(Link(A, B)) == pytest.approx(0.001)


def test_a_link_goes_when_no_probe_arrives_any_more(cables: Cables) -> None:
    del cables.far[A]
    cables.run((LOST_PROBES + 2) * INTERVAL)
    gone = [event for event in cables.events if isinstance(event, LinkDown)]
    assert [event.link for event in gone] == [Link(A, B)]
    assert "no probe arrived" in gone[0].reason
    assert cables.links == {Link(B, A)}


def test_a_port_that_goes_down_takes_its_link_along_at_once(cables: Cables) -> None:
    events = cables.discovery.set_port(1, port(2, up=False), 1.0)
    assert {event.link for event in events if isinstance(event, LinkDown)} == {
        Link(A, B),
        Link(B, A),
    }
    assert cables.links == set()


def test_a_port_that_comes_up_again_is_probed_at_once(cables: Cables) -> None:
    cables.discovery.set_port(1, port(2, up=False), 1.0)
    cables.discovery.set_port(1, port(2), 2.0)
    cables.run(2.1)
    assert cables.links == {Link(A, B), Link(B, A)}


def test_a_switch_that_goes_takes_its_links_along(cables: Cables) -> None:
    events = cables.discovery.remove_switch(2)
    assert len(events) == 2
    assert cables.discovery.graph.switches == [1]
    cables.events.clear()
    cables.run(3 * INTERVAL)
    assert all(where.datapath_id == 1 for at, where, _ in cables.sent if at > 0.1)


def test_a_cable_that_is_put_elsewhere_moves_the_link(cables: Cables) -> None:
    elsewhere = end(2, 1)
    cables.far = {A: elsewhere, elsewhere: A}
    cables.run(2 * INTERVAL)
    assert Link(A, elsewhere) in cables.links
    assert any("leads to 2:1 now" in e.reason for e in cables.events if isinstance(e, LinkDown))


def test_probes_are_spread_over_the_interval() -> None:
    cables = Cables()
    for number in range(1, 101):
        cables.add(number, ports=10)
    cables.run(3 * INTERVAL)
    later = [at for at, _, _ in cables.sent if INTERVAL < at <= 2 * INTERVAL]
    assert 900 <= len(later) <= 1100
    assert max(Counter(int(at * 10 / INTERVAL) for at in later).values()) < 300


def test_a_probe_with_a_wrong_seal_is_refused_and_told(cables: Cables) -> None:
    forged = probes.build(b"another key", Probe(end(1, 1), bytes(NONCE)), MacAddress(1))
    (event,) = cables.discovery.receive(2, 1, forged, 1.0)
    assert isinstance(event, Suspicion)
    assert event.end == end(2, 1)
    assert "wrong seal" in event.reason
    assert cables.links == {Link(A, B), Link(B, A)}


def test_a_probe_whose_port_was_changed_is_refused(cables: Cables) -> None:
    _, where, frame = next(sent for sent in cables.sent if sent[1] == A)
    changed = frame.replace(b"dpid:%016x" % where.datapath_id, b"dpid:%016x" % 2)
    (event,) = cables.discovery.receive(2, 1, changed, 0.2)
    assert isinstance(event, Suspicion)


def test_a_probe_that_came_in_before_is_refused_elsewhere(cables: Cables) -> None:
    _, _, frame = next(sent for sent in cables.sent if sent[1] == A)
    (event,) = cables.discovery.receive(2, 1, frame, 0.2)
    assert isinstance(event, Suspicion)
    assert "replayed" in event.reason


def test_an_old_probe_is_refused(cables: Cables) -> None:
    _, _, frame = next(sent for sent in cables.sent if sent[1] == end(1, 1))
    cables.run(5 * INTERVAL)
    (event,) = cables.discovery.receive(2, 1, frame, 5 * INTERVAL)
    assert isinstance(event, Suspicion)
    assert "long ago" in event.reason


def test_a_probe_that_a_slow_switch_brings_late_is_no_suspicion() -> None:
    cables = Cables()
    cables.add(1)
    cables.add(2)
    cables.run(0.0)
    _, _, frame = next(sent for sent in cables.sent if sent[1] == A)
    for at in (0.1, 0.3, 0.5):  # meanwhile others came in, and asked for the other direction
        cables.discovery._call(A, B, at)
        cables.run(at + 0.15)
    assert len([sent for sent in cables.sent if sent[1] == A]) == 4
    (event,) = cables.discovery.receive(*B, frame, 1.0)
    assert event == LinkUp(Link(A, B))


def test_probes_that_wait_while_the_controller_does_not_come_to_read_are_no_suspicion() -> None:
    cables, late = Cables((A, B)), 4 * INTERVAL
    cables.add(1)
    cables.add(2)
    sent = dict(cables.discovery.handle_timer(0.0)[0])
    cables.discovery.handle_timer(late)  # the first thing that it does after that
    assert cables.discovery.receive(*B, sent[A], late) == [LinkUp(Link(A, B))]
    assert cables.discovery.receive(*A, sent[B], late) == [LinkUp(Link(B, A))]


def test_a_link_does_not_go_because_the_controller_sent_no_probes_for_long(cables: Cables) -> None:
    late = (LOST_PROBES + 2) * INTERVAL
    _, events = cables.discovery.handle_timer(late)
    assert events == []
    assert cables.links == {Link(A, B), Link(B, A)}


def test_a_probe_that_never_arrived_is_not_awaited_for_ever(cables: Cables) -> None:
    lost = dict(cables.discovery.handle_timer(2 * INTERVAL)[0])[A]
    cables.run(6 * INTERVAL)
    (event,) = cables.discovery.receive(*B, lost, 6 * INTERVAL)
    assert isinstance(event, Suspicion)


def test_a_probe_behind_which_something_was_put_on_the_way_counts_once() -> None:
    cables = Cables((A, B))
    cables.add(1)
    cables.add(2)
    longer = dict(cables.discovery.handle_timer(0.0)[0])[A] + bytes(4)
    assert cables.discovery.receive(*B, longer, 0.1) == [LinkUp(Link(A, B))]
    (event,) = cables.discovery.receive(*B, longer, 0.1)
    assert isinstance(event, Suspicion)


def test_a_link_that_was_just_heard_of_is_not_probed_again_in_its_turn(cables: Cables) -> None:
    cables.run(HEARD * INTERVAL)
    assert Counter(where for _, where, _ in cables.sent)[A] == 1
    cables.run(3 * INTERVAL)
    times = [at for at, where, _ in cables.sent if where == A]
    assert all(after - at <= 2 * INTERVAL for at, after in itertools.pairwise(times))
    assert times[-1] > 2 * INTERVAL


def test_seals_are_those_of_the_librarys_hmac() -> None:
    for key in (b"", b"short", bytes(range(64)), bytes(range(65)), bytes(200)):
        for text in (b"", b"what is sealed", bytes(300)):
            assert sealing(key)(text) == hmac.digest(key, text, "sha256")[:16]


def test_a_seal_is_that_of_the_standards_example() -> None:
    """RFC 4231 4.2 "Test Case 1" and 4.7 "Test Case 6", the first 128 bits."""
    assert sealing(b"\x0b" * 20)(b"Hi There").hex() == "b0344c61d8db38535ca8afceaf0bf12b"
    text = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert sealing(b"\xaa" * 131)(text).hex() == "60e431591ee0b67f0d8a26aacbf5b77f"


def test_of_a_new_cable_each_end_is_probed_once(cables: Cables) -> None:
    assert Counter(where for _, where, _ in cables.sent)[A] == 1
    assert Counter(where for _, where, _ in cables.sent)[B] == 1


def test_a_direction_whose_probe_got_lost_is_asked_for_again_soon() -> None:
    cables = Cables((A, B))
    cables.add(1)
    cables.add(2)
    del cables.far[A]  # as a switch drops it that has no entry for it yet
    cables.run(0.05)
    assert cables.links == {Link(B, A)}
    cables.far[A] = B
    cables.run(0.2)
    assert cables.links == {Link(A, B), Link(B, A)}


def test_few_ports_of_a_switch_are_probed_at_once() -> None:
    cables = Cables()
    cables.add(1, ports=200)
    cables.run(20 * INTERVAL)
    late = [at for at, _, _ in cables.sent if 10 * INTERVAL <= at < 11 * INTERVAL]
    together = Counter(late)
    assert len(late) == 200
    assert len(together) == 200 // TOGETHER + 1
    assert max(together.values()) == TOGETHER


def test_what_is_known_of_probes_goes_with_ports_and_with_time() -> None:
    cables = Cables((A, B))
    cables.add(1)
    cables.add(2)
    cables.run(100 * INTERVAL)
    assert len(cables.discovery._under_way) <= 3 * 6
    cables.discovery.remove_port(1, 1)
    cables.discovery.remove_switch(1)
    cables.discovery.remove_switch(2)
    assert not cables.discovery._under_way


def test_lldp_of_others_teaches_nothing(cables: Cables) -> None:
    chassis = ChassisId(ChassisIdSubtype.MAC_ADDRESS, bytes(6))
    foreign = Lldp(chassis, PortId(7, b"eth0"), ttl=120).encode()
    frame = Ethernet(MacAddress(1), MacAddress(2), EthType.LLDP, foreign).encode()
    assert cables.discovery.receive(1, 1, frame, 1.0) == []
    assert cables.discovery.receive(1, 1, frame[:20], 1.0) == []


def test_a_port_that_is_looped_to_itself_is_no_link() -> None:
    cables = Cables((A, A))
    cables.add(1)
    cables.run(1.0)
    assert cables.links == set()


@pytest.mark.parametrize("size", range(1, 120, 7))
def test_a_probe_that_is_cut_or_spoilt_is_never_taken_for_one(size: int) -> None:
    frame = probes.build(KEY, Probe(A, b"a number"), MacAddress(1))
    for spoilt in (frame[:size], frame[:size] + b"\xff" + frame[size + 1 :]):
        if spoilt == frame or len(spoilt) < 14:
            continue
        try:
            found = probes.parse(sealing(KEY), spoilt)
        except ForgedProbe:
            continue
        assert found in (None, Probe(A, b"a number"))  # what is spoilt may be nothing that counts
