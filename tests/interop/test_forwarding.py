"""The forwarding application drives real Open vSwitch bridges in rings and meshes."""

from __future__ import annotations

from typing import Any

import pytest

from . import bridges, forwarding
from .bridges import observed

pytestmark = pytest.mark.interop

NETWORKS = [f"{shape} {version}" for shape in forwarding.SHAPES for version in forwarding.VERSIONS]
ON_EACH = pytest.mark.parametrize("network", NETWORKS)

# Twelve pings there and back, over at most two links each, and ARP; probes come on top, one a
# link and direction each five seconds. A frame that went round would count thousands.
MOST_CARRIED = 400


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the run in namespaces saw."""
    return observed(forwarding.__name__)


@ON_EACH
def test_every_host_reaches_every_other(found: dict[str, Any], network: str) -> None:
    reached = found[network]["reached"]
    assert len(reached) == forwarding.BRIDGES * (forwarding.BRIDGES - 1)
    assert [pair for pair, ok in reached.items() if not ok] == []


@ON_EACH
def test_no_frame_goes_round(found: dict[str, Any], network: str) -> None:
    assert found[network]["carried"] < MOST_CARRIED


@ON_EACH
def test_a_link_that_is_taken_down_costs_a_second_at_most(
    found: dict[str, Any], network: str
) -> None:
    assert found[network]["lost"] * bridges.PING_INTERVAL <= 1.0
    assert [pair for pair, ok in found[network]["after"].items() if not ok] == []


@ON_EACH
def test_the_switches_refuse_nothing(found: dict[str, Any], network: str) -> None:
    assert found[network]["warnings"] == []
    assert found[network]["status"] == 0
