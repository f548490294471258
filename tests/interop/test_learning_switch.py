"""The bundled learning switch drives real Open vSwitch bridges in all six versions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from . import learning_switch
from .bridges import all_reach_all, observed

pytestmark = pytest.mark.interop

found = observed(learning_switch)


@pytest.mark.parametrize("version", learning_switch.VERSIONS)
def test_every_host_reaches_every_other(found: dict[str, Any], version: str) -> None:
    all_reach_all(found[version]["reached"], learning_switch.HOSTS)


@pytest.mark.parametrize("version", learning_switch.VERSIONS)
def test_dump_flows_shows_what_the_app_installed(found: dict[str, Any], version: str) -> None:
    flows = found[version]["flows"]
    learned = [
        line for line in flows if re.search(r"in_port=\S+dl_src=\S+dl_dst=\S+ actions=output", line)
    ]
    assert len(learned) >= learning_switch.HOSTS * (learning_switch.HOSTS - 1)
    assert all("idle_timeout=300" in line for line in learned)
    assert any("priority=0 actions=CONTROLLER" in line for line in flows)


def test_the_controller_ends_with_status_0_on_sigterm(found: dict[str, Any]) -> None:
    assert found["status"] == 0
