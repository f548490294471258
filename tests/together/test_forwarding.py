"""The forwarding application on simulated networks: all reach all, nothing goes round."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address

import pytest

from controller.apps.forwarding import TAKES_EFFECT
from controller.cookies import CookieSpaces
from protocol import OF10, OF13, OF15, Group, MacAddress, Match, Version
from protocol.packet import Ethernet, IPv6, Udp, build

from ..skipping_time import skipping
from .networks import forwarding, story

VERSIONS = pytest.mark.parametrize("version", [OF10, OF13, OF15], ids=str)


@VERSIONS
@pytest.mark.parametrize("shape", ["tree,2,2", "ring,5", "mesh,4", "torus,3,3"])
@story
async def test_everyone_reaches_everyone_on_any_graph(shape: str, version: Version) -> None:
    async with forwarding(shape, version) as both:
        pings = await both.ping_all()
        assert not pings.lost
        assert both.network.storm_count == 0


@pytest.mark.parametrize(("shape", "version"), [("fattree,4", OF13), ("random,30", OF15)])
@story
async def test_everyone_reaches_everyone_on_large_graphs(shape: str, version: Version) -> None:
    async with forwarding(shape, version) as both:
        pings = await both.ping_all()
        assert not pings.lost
        assert both.network.storm_count == 0


@pytest.mark.parametrize(
    ("shape", "version"),
    [("fattree,4", OF10), ("fattree,4", OF15), ("random,30", OF10), ("random,30", OF13)],
)
@story
async def test_hosts_reach_one_another_on_large_graphs(shape: str, version: Version) -> None:
    async with forwarding(shape, version) as both:
        assert await both.ping_in_a_circle() == []
        assert both.network.storm_count == 0


@VERSIONS
@story
async def test_traffic_goes_another_way_when_a_link_is_gone(version: Version) -> None:
    async with forwarding("ring,4", version) as both:
        assert not (await both.ping_all()).lost
        await both.pull("s1", "s2")
        assert not (await both.ping_all()).lost
        assert both.network.storm_count == 0


@VERSIONS
@story
async def test_a_broadcast_reaches_each_host_once_and_no_link(version: Version) -> None:
    async with forwarding("mesh,4", version) as both:
        hosts = list(both.network.hosts.values())
        everyone = IPv6Address("ff02::1")
        frame = build(
            Ethernet(MacAddress.parse("33:33:00:00:00:01"), hosts[0].mac),
            IPv6(hosts[0].ipv6, everyone),
            Udp(1, 9),
            b"all",
        )
        both.network.inject(hosts[0].name, frame)
        both.agent.soon()
        await both.agent.until(lambda: all(host.datagrams for host in hosts[1:]))
        assert not (await both.ping_all()).lost  # whatever else the frame caused is over by then
        assert [len(host.datagrams) for host in hosts] == [0, 1, 1, 1]


@story
async def test_several_shortest_paths_are_shared_by_a_select_group() -> None:
    async with forwarding("torus,3,3", OF13) as both:
        await both.ping_all()
        groups = both.forwarding.groups
        assert any(groups.values())
        used = [
            action
            for switch in both.network.switches.values()
            for entry in switch.tables[0]
            for action in entry.actions
            if isinstance(action, Group)
        ]
        assert used
        assert {one.group_id for one in used} <= {
            group_id for by_ports in groups.values() for group_id in by_ports.values()
        }


@VERSIONS
@story
async def test_without_multipath_each_pair_takes_one_path_and_no_group(version: Version) -> None:
    async with forwarding("torus,3,3", version, {"forwarding": {"multipath": False}}) as both:
        assert not (await both.ping_all()).lost
        assert not any(both.forwarding.groups.values())


@story
async def test_groups_into_a_link_that_is_gone_are_deleted() -> None:
    async with forwarding("torus,3,3", OF13) as both:
        await both.ping_all()
        link = both.network.find_link("s1", "s2")
        await both.pull(str(link.a), str(link.b))
        ports = both.forwarding.groups[both.number(link.a.node)]
        assert all(link.a.port not in one for one in ports)
        assert not (await both.ping_all()).lost


@VERSIONS
@story
async def test_entries_bear_the_cookie_of_the_application(version: Version) -> None:
    async with forwarding("linear,2", version) as both:
        await both.ping_all()
        entries = list(both.network.switches["s1"].tables[0])
        forwarded = [entry for entry in entries if "eth_dst" in entry.match]
        assert len(forwarded) == 2
        space = CookieSpaces(["forwarding"]).by_name["forwarding"]
        assert {entry.cookie for entry in forwarded} == {space.base}


@VERSIONS
@story
async def test_an_entry_that_a_switch_on_the_way_lost_is_put_in_again(version: Version) -> None:
    async with forwarding("linear,3", version) as both:
        await both.ping_all()
        first, _, last = both.network.hosts.values()
        lost = Match(eth_src=first.mac, eth_dst=last.mac)
        datapath = both.forwarding.datapaths[both.number("s2")]
        datapath.delete_flows(lost)
        await datapath.barrier()
        table = both.network.switches["s2"].tables[0]
        before = len(list(table))
        with skipping():
            await asyncio.sleep(2 * TAKES_EFFECT)
        assert not (await both.ping_all()).lost
        await datapath.barrier()
        assert len(list(table)) == before + 1
