"""Networks without a controller: switches that flood, hosts that talk, cables that break."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from protocol import (
    OF13,
    FeaturesReply,
    FeaturesRequest,
    MacAddress,
    PortDesc,
    PortState,
    PortStatus,
)
from protocol.packet import BROADCAST, Ethernet, build
from switch_sim.network import (
    Network,
    PingAll,
    Topology,
    TopologyBuilder,
    linear,
    ring,
    single,
    tree,
)
from switch_sim.network.storm import find_cycle

Flooding = Callable[[Topology], Network]

BROADCASTED = build(Ethernet(BROADCAST, MacAddress(1), 0x1234), b"hello")


def run(network: Network, pings: PingAll, now: float = 0.0) -> None:
    """Let time pass from one deadline to the next until all pings are settled."""
    while not pings.step(now):
        network.deliver(now)
        if not pings.step(now):
            network.handle_timer(now := max(now, network.deadline() or now))


def settle(network: Network, now: float = 0.0) -> None:
    """Deliver until nothing is under way."""
    while not network.deliver(now):
        pass


@pytest.mark.parametrize("topology", [single(4), linear(3), linear(2, 2), tree(2, 3), tree(3, 2)])
def test_every_host_reaches_every_other(flooding: Flooding, topology: Topology) -> None:
    network = flooding(topology)
    pings = PingAll(network)
    run(network, pings)
    hosts = len(topology.hosts)
    assert (pings.sent, pings.lost) == (hosts * (hosts - 1), {})
    assert len(pings.rtts) == pings.sent


def test_switches_without_flows_carry_nothing_and_each_loss_is_told() -> None:
    network = Network(single(2))
    pings = PingAll(network, timeout=2.0)
    run(network, pings)
    assert pings.lost == {
        ("h1", "h2"): "nobody answered ARP for 10.0.0.2",
        ("h2", "h1"): "nobody answered ARP for 10.0.0.1",
    }


def test_a_ping_names_hosts_or_addresses(flooding: Flooding) -> None:
    network = flooding(single(2))
    targets = "h2", IPv4Address("10.0.0.2"), network.hosts["h2"].ipv6
    pings = [network.ping("h1", target, now=1.0) for target in targets]
    network.deliver(now=1.0)
    assert [ping.rtt for ping in pings] == [0.0, 0.0, 0.0]


def test_a_host_that_is_not_there_is_told_with_its_neighbour_in_name(flooding: Flooding) -> None:
    with pytest.raises(ValueError, match=r"no host is called 'h22': did you mean h2\?"):
        flooding(single(2)).ping("h1", "h22", now=0.0)


def test_a_datagram_reaches_the_other_end(flooding: Flooding) -> None:
    network = flooding(linear(3))
    network.send_udp("h1", "h3", 53, b"data", now=0.0)
    network.deliver(now=0.0)
    assert [one.payload for one in network.hosts["h3"].datagrams] == [b"data"]


def test_each_frame_is_delivered_dropped_or_under_way(flooding: Flooding) -> None:
    network = flooding(tree(2, 2))
    for src in network.hosts:
        network.inject(src, BROADCASTED)
    network.deliver(now=0.0, limit=10)
    counters = network.counters
    assert counters.delivered == 10
    assert counters.sent > counters.delivered + counters.dropped
    assert network.deliver(now=0.0)
    assert counters.sent == counters.delivered + counters.dropped


def test_a_limit_stops_a_delivery_and_the_next_goes_on(flooding: Flooding) -> None:
    network = flooding(linear(5))
    ping = network.ping("h1", "h5", now=0.0)
    runs = 1
    while not network.deliver(now=0.0, limit=1):
        runs += 1
    assert ping.rtt == 0.0
    assert runs == network.counters.delivered


class TestMessages:
    def test_a_reply_is_fetched_once_with_its_session(self) -> None:
        network = Network(single(1))
        session = network.switches["s1"].connect(OF13)
        network.handle("s1", session, FeaturesRequest(xid=7), now=0.0)
        ((switch, whose, reply),) = network.messages_to_send()
        assert (switch, whose is session, reply.xid) == ("s1", True, 7)
        assert isinstance(reply, FeaturesReply)
        assert reply.datapath_id == 1
        assert network.messages_to_send() == []

    def test_switches_name_their_ports_as_mininet_does(self) -> None:
        descs = [port.desc for port in Network(linear(2)).switches["s2"].ports.values()]
        names = [(desc.port_no, desc.name) for desc in descs if desc.port_no < 100]
        assert names == [(1, "s2-eth1"), (2, "s2-eth2")]
        assert len({desc.hw_addr for desc in descs}) == len(descs)

    def test_long_names_leave_the_port_its_number(self) -> None:
        builder = TopologyBuilder()
        builder.link(builder.host(), builder.switch("a-very-long-name"))
        assert Network(builder.build()).switches["a-very-long-name"].ports[1].desc.name == "eth1"


class TestLinks:
    def test_a_cable_that_is_pulled_out_carries_nothing(self, flooding: Flooding) -> None:
        network = flooding(linear(2))
        network.set_link(network.find_link("s1", "s2"), False, now=0.0)
        ping = network.ping("h1", "h2", now=0.0)
        network.deliver(now=0.0)
        assert not ping.settled
        network.set_link(network.find_link("s1", "s2"), True, now=0.5)
        ping = network.ping("h1", "h2", now=0.5)
        network.deliver(now=0.5)
        network.handle_timer(now=1.0)
        network.deliver(now=1.0)
        assert ping.settled

    def test_both_ends_tell_their_controllers(self, flooding: Flooding) -> None:
        network = flooding(linear(2))
        link = network.find_link("s1:2", "s2:2")
        network.set_link(link, False, now=0.0)
        assert not network.is_up(link)
        network.set_link(link, False, now=0.0)
        told = network.messages_to_send()
        assert {one.switch for one in told} == {"s1", "s2"}
        for _, _, message in told:
            assert isinstance(message, PortStatus)
            assert message.desc.port_no == 2
            assert message.desc.state & PortState.LINK_DOWN

    def test_a_link_to_a_host_has_one_switch_to_tell(self, flooding: Flooding) -> None:
        network = flooding(single(2))
        network.set_link(network.find_link("h2", "s1"), False, now=0.0)
        assert [one.switch for one in network.messages_to_send()] == ["s1"]

    def test_a_link_is_found_from_both_sides(self) -> None:
        network = Network(ring(3))
        assert network.find_link("s1", "s3") is network.find_link("s3:3", "s1:3")

    def test_a_link_that_is_not_there_is_told(self) -> None:
        with pytest.raises(ValueError, match="no link joins s1 and s3"):
            Network(linear(3)).find_link("s1", "s3")


class TestStorms:
    def test_a_broadcast_in_a_ring_is_stopped_and_the_ring_is_named(
        self, flooding: Flooding
    ) -> None:
        network = flooding(ring(3))
        network.inject("h1", BROADCASTED)
        settle(network)
        (storm,) = network.storms
        assert storm.cycle == ("s1", "s2", "s3", "s1")
        assert "going round s1 - s2 - s3 - s1" in str(storm)

    def test_only_the_circle_is_named(self, flooding: Flooding) -> None:
        builder = TopologyBuilder()
        for _ in range(5):
            builder.link(builder.host(), builder.switch())
        for a, b in (("s1", "s2"), ("s2", "s4"), ("s4", "s5"), ("s5", "s2"), ("s3", "s1")):
            builder.link(a, b)
        network = flooding(builder.build())
        network.inject("h3", BROADCASTED)
        settle(network)
        assert network.storms[0].cycle == ("s2", "s4", "s5", "s2")

    def test_many_circles_multiply_frames_and_are_stopped_as_well(self, flooding: Flooding) -> None:
        builder = TopologyBuilder()
        names = [builder.switch() for _ in range(6)]
        for name in names:
            builder.link(builder.host(), name)
        for at, a in enumerate(names):
            for b in names[at + 1 :]:
                builder.link(a, b)
        network = flooding(builder.build())
        network.inject("h1", BROADCASTED)
        settle(network)
        assert network.storm_count == 1
        assert network.counters.sent < 20_000

    def test_hosts_that_answer_what_goes_round_do_not_prolong_it(self, flooding: Flooding) -> None:
        network = flooding(ring(3))
        network.ping("h1", "h2", now=0.0)
        settle(network)
        assert network.storm_count >= 1
        assert network.counters.sent < 20_000

    def test_a_ring_that_is_cut_has_no_storm(self, flooding: Flooding) -> None:
        network = flooding(ring(3))
        network.set_link(network.find_link("s1", "s3"), False, now=0.0)
        pings = PingAll(network)
        run(network, pings)
        assert (pings.lost, network.storm_count) == ({}, 0)

    def test_parallel_links_are_a_circle_of_two(self) -> None:
        builder = TopologyBuilder()
        a, b = builder.switch(), builder.switch()
        builder.link(a, b)
        builder.link(a, b)
        assert find_cycle(builder.build().links) == ("s1", "s2", "s1")

    @pytest.mark.parametrize("topology", [linear(5), tree(3, 2), single(3)])
    def test_a_tree_has_no_circle(self, topology: Topology) -> None:
        assert find_cycle(topology.links) == ()

    def test_a_large_ring_is_found_at_once(self) -> None:
        assert len(find_cycle(ring(5_000).links)) == 5_001


def test_a_port_can_lead_out_of_the_process(flooding: Flooding) -> None:
    network = flooding(single(2))
    end = network.plug("s1", PortDesc(9, name="outside"), now=0.0)
    network.inject("h1", BROADCASTED)
    settle(network)
    assert network.frames_to_send() == [(end, BROADCASTED)]
    assert network.frames_to_send() == []
    network.receive(end, BROADCASTED)
    settle(network)
    assert network.switches["s1"].ports[9].counters.rx_packets == 1
    assert network.switches["s1"].ports[1].counters.tx_packets == 1


def test_the_link_of_a_port_that_leads_outside_is_told() -> None:
    # OF1.3.5 7.4.3 "Port Status Message"
    network = Network(single(1))
    end = network.plug("s1", PortDesc(9), now=0.0)
    network.switches["s1"].connect(OF13)
    network.set_port_link(end, False, now=0.0)
    (outgoing,) = network.messages_to_send()
    assert isinstance(outgoing.message, PortStatus)
    assert outgoing.message.desc.state & PortState.LINK_DOWN


def test_a_port_number_is_plugged_once() -> None:
    network = Network(single(1))
    with pytest.raises(ValueError, match="there is a port 1"):
        network.plug("s1", PortDesc(1), now=0.0)
