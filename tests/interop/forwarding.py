"""The forwarding application on rings and meshes of real bridges, in three versions.

Run in namespaces of its own by test_forwarding.py. It prints one JSON object: for each
network who reached whom, how many packets the ports between bridges carried meanwhile, and
how many pings in a row were lost when a link was taken down.
"""

from __future__ import annotations

import itertools
import json
import sys

from .bridges import Built, Controller
from .namespaces import loopback_up, wait_for
from .ovs import OpenVSwitch

VERSIONS = ("10", "13", "15")
BRIDGES = 4
RING = [(1, 2), (2, 3), (3, 4), (1, 4)]
MESH = list(itertools.combinations(range(1, BRIDGES + 1), 2))
SHAPES = {"ring": RING, "mesh": MESH}


def observe(ovs: OpenVSwitch, version: str, links: list[tuple[int, int]]) -> dict[str, object]:
    """Build a network, let all ping all, take a link down; return what came of it."""
    controller = Controller("forwarding")
    built = Built(ovs, version, links)
    built.build(controller.port)
    known = f"links {len(links)} of {len(links)} confirmed"
    wait_for(lambda: known in "".join(controller.lines), known)
    # Until the ports of hosts have settled, nobody is heard of; a second ARP request is.
    reached = built.reached()
    carried, lost = built.carried(), built.take_down()
    after = built.reached()
    built.remove()
    return {
        "reached": reached,
        "carried": carried,
        "lost": lost,
        "after": after,
        "status": controller.end(),
        "warnings": controller.warnings,
    }


def main() -> None:
    """Build, ping, print."""
    loopback_up()
    with OpenVSwitch() as ovs:
        found = {
            f"{shape} {version}": observe(ovs, version, links)
            for shape, links in SHAPES.items()
            for version in VERSIONS
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
