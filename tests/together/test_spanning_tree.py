"""Spanning tree on simulated networks, with the standard's times, of which idle ones are skipped.

All reach all, and no frame goes round, while links come and go.
"""

from __future__ import annotations

import asyncio

import pytest

from controller.apps.spanning_tree import SpanningTree
from controller.spanning_tree import PortState
from protocol import OF10, OF13, OF15, Version
from switch_sim.network.topology import HOST_PORT

from ..skipping_time import skipping
from .networks import Together, story, together

VERSIONS = pytest.mark.parametrize("version", [OF10, OF13, OF15], ids=str)
SETTLED = 2 * 15 + 3  # seconds: both delays, and the root is known within one word of it
CHANGED = 20 + SETTLED  # seconds until what was heard before is too old, and that


def between_switches(both: Together) -> list[tuple[PortState, PortState]]:
    """Return what both ports of each cable between switches do."""
    bridges = both.app(SpanningTree).bridges

    def state(end: tuple[str, int]) -> PortState:
        return bridges[both.number(end[0])].state(end[1])

    cables = both.network.topology.links
    return [(state(a), state(b)) for a, b in cables if HOST_PORT not in (a.port, b.port)]


async def pass_time(seconds: float) -> None:
    """Let time pass, of which what is idle is skipped."""
    with skipping():
        await asyncio.sleep(seconds)


def is_tree(both: Together) -> bool:
    """Return whether as many links carry frames as a tree has."""
    carrying = [pair for pair in between_switches(both) if set(pair) == {PortState.FORWARDING}]
    return len(carrying) == len(both.network.switches) - 1


async def all_is_well(both: Together) -> None:
    """See that the links that carry frames are a tree, and that all reach all by it."""
    assert is_tree(both)
    assert not (await both.ping_all()).lost
    assert both.network.storm_count == 0


@VERSIONS
@pytest.mark.parametrize("shape", ["tree,2,3", "ring,5", "mesh,4"])
@story
async def test_everyone_reaches_everyone_on_any_graph(shape: str, version: Version) -> None:
    async with together(shape, version, "spanning_tree") as both:
        await pass_time(SETTLED)
        await all_is_well(both)


@VERSIONS
@pytest.mark.parametrize("shape", ["fattree,4", "random,30"])
@story
async def test_hosts_reach_one_another_on_large_graphs(shape: str, version: Version) -> None:
    async with together(shape, version, "spanning_tree") as both:
        await pass_time(SETTLED)
        assert is_tree(both)
        assert await both.ping_in_a_circle() == []
        assert both.network.storm_count == 0


@VERSIONS
@story
async def test_nothing_passes_before_the_tree_is_known(version: Version) -> None:
    async with together("ring,4", version, "spanning_tree") as both:
        first, second, *_ = both.network.hosts
        await pass_time(25.0)
        ping = both.network.ping(first, second, both.agent.clock(), timeout=1.0)
        await pass_time(2.0)
        assert ping.fault
        assert both.network.storm_count == 0


@VERSIONS
@story
async def test_links_that_go_and_come_again_leave_a_tree(version: Version) -> None:
    async with together("ring,4", version, "spanning_tree") as both:
        await pass_time(SETTLED)
        await all_is_well(both)
        both.set_link("s1", "s2", False)
        await pass_time(CHANGED)
        await all_is_well(both)
        both.set_link("s1", "s2", True)
        await pass_time(SETTLED)
        await all_is_well(both)


@story
async def test_the_root_may_go() -> None:
    async with together("ring,4", OF13, "spanning_tree") as both:
        await pass_time(SETTLED)
        both.set_link("s1", "s2", False)
        both.set_link("s1", "s4", False)
        await pass_time(CHANGED)
        roots = {str(one.root.address)[-2:] for one in both.app(SpanningTree).bridges.values()}
        assert roots == {"01", "02"}
        left = [pair for pair in between_switches(both) if set(pair) == {PortState.FORWARDING}]
        assert len(left) == 2
