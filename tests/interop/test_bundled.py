"""Hub, learning switch and spanning tree drive real Open vSwitch bridges."""

from __future__ import annotations

from typing import Any

import pytest

from . import bundled
from .bridges import MOST_CARRIED, all_reach_all, observed

pytestmark = pytest.mark.interop

RINGS = [f"spanning_tree {version}" for version in bundled.VERSIONS]
TREES = [f"{app} {v}" for app in ("hub", "learning_switch") for v in bundled.VERSIONS]
ON_EACH = pytest.mark.parametrize("network", [*TREES, *RINGS])
ON_EACH_RING = pytest.mark.parametrize("network", RINGS)

found = observed(bundled)


@ON_EACH
def test_every_host_reaches_every_other(found: dict[str, Any], network: str) -> None:
    all_reach_all(found[network]["reached"], bundled.BRIDGES)


@ON_EACH
def test_no_frame_goes_round(found: dict[str, Any], network: str) -> None:
    assert 0 < found[network]["carried"] < MOST_CARRIED


@ON_EACH_RING
def test_one_port_of_the_ring_blocks(found: dict[str, Any], network: str) -> None:
    states = list(found[network]["states"].values())
    assert sorted(states) == ["blocking"] + ["forwarding"] * 8


@ON_EACH_RING
def test_the_other_way_is_taken_when_a_link_is_down(found: dict[str, Any], network: str) -> None:
    all_reach_all(found[network]["after"], bundled.BRIDGES)


def test_a_bridge_of_linux_is_understood(found: dict[str, Any]) -> None:
    """It is the root: both our bridges find it, and block the link between them."""
    assert found["linux"]["linux is root"]
    assert found["linux"]["states"]["1:5"] == found["linux"]["states"]["2:5"] == "forwarding"
    assert {found["linux"]["states"]["1:2"], found["linux"]["states"]["2:1"]} == {
        "blocking",
        "forwarding",
    }
    assert all(found["linux"]["reached"].values())


@pytest.mark.parametrize("network", [*TREES, *RINGS, "linux"])
def test_the_switches_refuse_nothing(found: dict[str, Any], network: str) -> None:
    assert found[network]["warnings"] == []
    assert found[network]["status"] == 0
