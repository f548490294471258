"""The forwarding application drives real Open vSwitch bridges in rings and meshes."""

from __future__ import annotations

from typing import Any

import pytest

from . import bridges, forwarding
from .bridges import MOST_CARRIED, all_reach_all, observed

pytestmark = pytest.mark.interop

NETWORKS = [f"{shape} {version}" for shape in forwarding.SHAPES for version in forwarding.VERSIONS]
ON_EACH = pytest.mark.parametrize("network", NETWORKS)

found = observed(forwarding)


@ON_EACH
def test_every_host_reaches_every_other(found: dict[str, Any], network: str) -> None:
    all_reach_all(found[network]["reached"], forwarding.BRIDGES)


@ON_EACH
def test_no_frame_goes_round(found: dict[str, Any], network: str) -> None:
    assert found[network]["carried"] < MOST_CARRIED


@ON_EACH
def test_a_link_that_is_taken_down_costs_a_second_at_most(
    found: dict[str, Any], network: str
) -> None:
    assert found[network]["lost"] * bridges.PING_INTERVAL <= 1.0
    all_reach_all(found[network]["after"], forwarding.BRIDGES)


@ON_EACH
def test_the_switches_refuse_nothing(found: dict[str, Any], network: str) -> None:
    assert found[network]["warnings"] == []
    assert found[network]["status"] == 0
