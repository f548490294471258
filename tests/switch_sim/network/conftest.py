"""Networks whose switches flood what they get: enough for hosts to talk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocol import OF13, ApplyActions, FlowMod, Output, Port
from switch_sim.network import Network, Topology

FLOOD = FlowMod(instructions=(ApplyActions((Output(Port.FLOOD),)),), priority=0)


@pytest.fixture
def flooding() -> Callable[[Topology], Network]:
    """Return a function that makes such a network of a topology."""

    def build(topology: Topology) -> Network:
        network = Network(topology)
        for name, switch in network.switches.items():
            network.handle(name, switch.connect(OF13), FLOOD, now=0.0)
        return network

    return build
