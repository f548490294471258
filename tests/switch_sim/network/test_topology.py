"""Topologies: Mininet's shapes, and mistakes that are told with the cure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import MacAddress
from switch_sim.network import End, Link, TopologyBuilder, linear, parse_topology, ring, tree


def test_tree_has_levels_of_switches_and_hosts_below_the_last() -> None:
    topology = tree(2, 3)
    assert [switch.name for switch in topology.switches] == ["s1", "s2", "s3", "s4"]
    assert len(topology.hosts) == 9
    assert Link(End("s1", 1), End("s2", 4)) in topology.links
    assert Link(End("s4", 3), End("h9")) in topology.links


def test_tree_numbers_its_switches_as_mininet_does() -> None:
    links = {str(link) for link in tree(3, 2).links}
    assert {"s1:1 - s2:3", "s2:1 - s3:3", "s2:2 - s4:3", "s1:2 - s5:3", "s3:1 - h1"} <= links


def test_a_deep_tree_is_no_deep_recursion() -> None:
    assert len(tree(9_000, 1).switches) == 9_000


def test_linear_has_one_host_a_switch() -> None:
    links = [str(link) for link in linear(3).links]
    assert links == ["h1 - s1:1", "h2 - s2:1", "s2:2 - s1:2", "h3 - s3:1", "s3:2 - s2:3"]


def test_linear_calls_several_hosts_of_a_switch_by_both_numbers() -> None:
    hosts = [host.name for host in linear(2, 2).hosts]
    assert hosts == ["h1s1", "h2s1", "h1s2", "h2s2"]


def test_a_ring_is_closed() -> None:
    assert str(ring(4).links[-1]) == "s1:3 - s4:3"


def test_hosts_have_mininets_addresses() -> None:
    host = linear(300).hosts[299]
    assert (host.name, str(host.mac)) == ("h300", "00:00:00:00:01:2c")
    assert (host.ip, host.prefix) == (IPv4Address("10.0.1.44"), 8)


def test_switches_have_their_number_as_datapath_id() -> None:
    assert [switch.datapath_id for switch in ring(3).switches] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("single,4", "1 switch, 4 hosts, 4 links"),
        ("single", "1 switch, 2 hosts, 2 links"),
        ("linear,4", "4 switches, 4 hosts, 7 links"),
        ("linear,4,2", "4 switches, 8 hosts, 11 links"),
        ("tree,2,3", "4 switches, 9 hosts, 12 links"),
        ("tree, 3", "7 switches, 8 hosts, 14 links"),
        ("ring,5", "5 switches, 5 hosts, 10 links"),
        ("mesh,4", "4 switches, 4 hosts, 10 links"),
        ("torus,3,3", "9 switches, 9 hosts, 27 links"),
        ("fattree,4", "20 switches, 16 hosts, 48 links"),
        ("random,30", "30 switches, 30 hosts, 75 links"),
        ("linear,10000", "10000 switches, 10000 hosts, 19999 links"),
    ],
)
def test_a_shape_is_named_with_its_numbers(text: str, counts: str) -> None:
    assert str(parse_topology(text)) == counts


def test_the_same_seed_gives_the_same_random_network() -> None:
    assert parse_topology("random,12,5").links == parse_topology("random,12,5").links
    assert parse_topology("random,12,5").links != parse_topology("random,12,6").links


@pytest.mark.parametrize("text", ["torus,3,4", "fattree,4", "random,40,3", "mesh,5"])
def test_every_switch_of_a_shape_is_connected_with_every_other(text: str) -> None:
    topology = parse_topology(text)
    parts = {end.node: end.node for link in topology.links for end in (link.a, link.b)}
    for _ in parts:
        for link in topology.links:
            least = min(parts[link.a.node], parts[link.b.node])
            parts[link.a.node] = parts[link.b.node] = least
    assert len(set(parts.values())) == 1


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("tre,2,3", "no topology is called 'tre': did you mean tree?"),
        ("", "there are single, linear, tree, ring"),
        ("tree,2,3,4", "write tree,DEPTH,FANOUT"),
        ("tree,two", "'two' where a number from 1 on belongs: write tree,DEPTH,FANOUT"),
        ("linear,0", "'0' where a number from 1 on belongs: write linear,SWITCHES,HOSTS"),
        ("linear,-3", "'-3' where a number"),
        ("linear,", "'' where a number"),
        ("linear,10001", "the limit is 10000"),
        ("linear," + "9" * 5000, "the limit is 10000"),
        ("linear,1000,1000", "at most 10000 hosts"),
        ("tree,20,20", "lower the depth or the fanout"),
        ("tree,1,1023", "lower the fanout"),
        ("single,1024", "at most 1023"),
        ("ring,2", "needs 3 switches"),
        ("mesh,201", "take at most 200"),
        ("torus,2,5", "needs 3 by 3 switches"),
        ("torus,1000,1000", "take at most 10000"),
        ("fattree,3", "an even number of ports"),
        ("fattree,1000", "take at most 10000"),
    ],
)
def test_a_mistake_in_a_shape_is_one_sentence_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cure)) as raised:
        parse_topology(text)
    assert "\n" not in str(raised.value)


@settings(deadline=None)  # ten thousand switches take their time
@given(st.text(max_size=20) | st.from_regex(r"(tree|ring|single|linear)(,[0-9]{1,2}){0,3}"))
def test_any_text_is_a_topology_or_a_mistake(text: str) -> None:
    try:
        topology = parse_topology(text)
    except ValueError:
        return
    assert topology.switches


class TestBuilder:
    def test_links_take_the_next_free_port(self) -> None:
        builder = TopologyBuilder()
        builder.switch()
        for end in ("s1:2", "s1", "s1"):
            builder.link(builder.host(), end)
        assert [link.b.port for link in builder.build().links] == [2, 1, 3]

    def test_two_switches_may_have_several_links(self) -> None:
        builder = TopologyBuilder()
        a, b = builder.switch(), builder.switch()
        builder.link(a, b)
        builder.link(a, b)
        assert builder.build().ports() == {"s1": [1, 2], "s2": [1, 2]}

    def test_hosts_can_have_a_network_and_a_gateway(self) -> None:
        builder = TopologyBuilder()
        builder.switch()
        gateway = IPv4Address("192.0.2.254")
        builder.link(builder.host("web", IPv4Interface("192.0.2.1/24"), gateway=gateway), "s1")
        (host,) = builder.build().hosts
        assert (host.ip, host.prefix, host.gateway) == (IPv4Address("192.0.2.1"), 24, gateway)

    @pytest.mark.parametrize(
        ("a", "b", "cure"),
        [
            ("h1", "s9", "no node is called 's9': did you mean s1?"),
            ("h1", "s1:0", "no port from 1 to 1023"),
            ("h1", "s1:x", "no port from 1 to 1023"),
            ("h1", "s1:1024", "at most 1023"),
            ("h1:1", "s1", "has one port without a number"),
            ("h2", "s1", "h2 has two links"),
            ("h1", "s1:1", "s1:1 has two links"),
        ],
    )
    def test_a_link_that_cannot_be_is_refused(self, a: str, b: str, cure: str) -> None:
        builder = TopologyBuilder()
        builder.switch(), builder.host(), builder.host()
        builder.link("h2", "s1")
        with pytest.raises(ValueError, match=re.escape(cure)):
            builder.link(a, b)

    def test_names_belong_to_one_node(self) -> None:
        builder = TopologyBuilder()
        builder.switch("core")
        with pytest.raises(ValueError, match="two nodes are called core"):
            builder.host("core")

    @pytest.mark.parametrize("name", ["a b", "a:1", "a\n", "x" * 33])
    def test_a_name_must_be_readable(self, name: str) -> None:
        with pytest.raises(ValueError, match="cannot be a name"):
            TopologyBuilder().switch(name)

    def test_a_host_needs_a_link(self) -> None:
        builder = TopologyBuilder()
        builder.switch(), builder.host()
        with pytest.raises(ValueError, match="h1 has no link"):
            builder.build()

    def test_a_network_needs_a_switch(self) -> None:
        with pytest.raises(ValueError, match="needs a switch"):
            TopologyBuilder().build()

    def test_two_switches_cannot_have_the_same_datapath_id(self) -> None:
        builder = TopologyBuilder()
        builder.switch(datapath_id=2), builder.switch()
        with pytest.raises(ValueError, match="s1 and s2 have the same datapath_id 0x2"):
            builder.build()

    def test_two_hosts_cannot_have_the_same_address(self) -> None:
        builder = TopologyBuilder()
        builder.switch()
        for _ in range(2):
            builder.link(builder.host(mac=MacAddress(9)), "s1")
        with pytest.raises(ValueError, match="h1 and h2 have the same mac 00:00:00:00:00:09"):
            builder.build()

    @pytest.mark.parametrize("mac", [0, 0xFFFF_FFFF_FFFF, 0x0100_0000_0000])
    def test_a_host_has_the_address_of_one_station(self, mac: int) -> None:
        with pytest.raises(ValueError, match="single station"):
            TopologyBuilder().host(mac=MacAddress(mac))

    @pytest.mark.parametrize("number", [-1, 1 << 64])
    def test_a_datapath_id_has_64_bits(self, number: int) -> None:
        with pytest.raises(ValueError, match="64 bits"):
            TopologyBuilder().switch(datapath_id=number)
