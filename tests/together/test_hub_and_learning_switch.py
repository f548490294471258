"""Hub and learning switch: all reach all in trees; in circles frames go round for ever.

Neither promises more. What a hub floods stays in the switches, where the simulator sees what
becomes of one frame, ends it and tells so (switch_sim/network/storm.py). A learning switch
floods by way of the controller, which makes a new frame of it each time: that goes on.
"""

from __future__ import annotations

import pytest

from protocol import OF10, OF13, OF15, Version
from switch_sim.network.storm import budget

from .networks import Together, story, together

VERSIONS = pytest.mark.parametrize("version", [OF10, OF13, OF15], ids=str)
APPS = pytest.mark.parametrize("app", ["hub", "learning_switch"])
CIRCLES = pytest.mark.parametrize("shape", ["ring,4", "fattree,4", "random,30"])


def ping(both: Together) -> None:
    """Let the first host look for the last one: its ARP request is flooded."""
    first, *_, last = both.network.hosts
    both.network.ping(first, last, both.agent.clock())
    both.agent.soon()


def most(both: Together) -> int:
    """Return how many frames one may become before that counts as a storm."""
    return budget(len(both.network.topology.links))


@VERSIONS
@APPS
@pytest.mark.parametrize("shape", ["tree,2,3", "linear,4"])
@story
async def test_everyone_reaches_everyone_in_a_tree(shape: str, app: str, version: Version) -> None:
    async with together(shape, version, app) as both:
        assert not (await both.ping_all()).lost
        assert both.network.storm_count == 0


@VERSIONS
@CIRCLES
@story
async def test_a_hub_in_a_circle_makes_a_storm_that_is_ended_and_told(
    shape: str, version: Version
) -> None:
    async with together(shape, version, "hub") as both:
        ping(both)
        await both.agent.until(lambda: both.network.storm_count > 0)
        storm = both.network.storms[0]
        assert storm.frames == most(both)
        assert "broadcast storm" in str(storm)
        assert storm.cycle[0] == storm.cycle[-1]
        assert {*storm.cycle} <= both.network.switches.keys()


@VERSIONS
@story
async def test_a_learning_switch_in_a_ring_sends_round_until_a_cable_is_pulled(
    version: Version,
) -> None:
    async with together("ring,4", version, "learning_switch") as both:
        ping(both)
        await both.agent.until(lambda: both.network.counters.sent > most(both))
        both.set_link("s1", "s2", False)
        await both.calm()
        assert not (await both.ping_all()).lost


@pytest.mark.parametrize(("shape", "version"), [("fattree,4", OF13), ("random,30", OF15)])
@story
async def test_a_learning_switch_in_many_circles_multiplies_frames(
    shape: str, version: Version
) -> None:
    async with together(shape, version, "learning_switch") as both:
        ping(both)
        await both.agent.until(lambda: both.network.counters.sent > 2 * most(both))
