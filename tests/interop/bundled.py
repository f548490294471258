"""Hub and learning switch on trees of real bridges, spanning tree on rings, in three versions.

Run in namespaces of its own by test_bundled.py. It prints one JSON object: for each
application and version who reached whom, how many packets the ports between bridges carried
meanwhile, and what the application says of its ports. One ring has a bridge of Linux in it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

from .bridges import Built, Controller
from .namespaces import cable, loopback_up, run, wait_for
from .ovs import OpenVSwitch

VERSIONS = ("10", "13", "15")
BRIDGES = 3
TREE = ((1, 2), (1, 3))
RING = ((1, 2), (2, 3), (1, 3))
TIMES = ("hello_time=0.25", "max_age=2", "forward_delay=0.5")  # so that we need not wait a minute
QUICK = ("spanning_tree", *(word for one in TIMES for word in ("--set", f"spanning_tree.{one}")))
LINUX = "linux0"
LINUX_SETTINGS = ("stp_state", "1", "hello_time", "100", "max_age", "600", "forward_delay", "200")


def on_a_tree(ovs: OpenVSwitch, app: str, version: str) -> dict[str, object]:
    """Let all ping all on a tree; return what came of it."""
    controller = Controller(app)
    built = Built(ovs, version, TREE)
    built.build(controller.port)
    wait_for(built.have_entries, "the bridges have no entries")
    reached, carried = built.reached(), built.carried()
    built.remove()
    return told(controller) | {"reached": reached, "carried": carried}


def on_a_ring(ovs: OpenVSwitch, version: str) -> dict[str, object]:
    """Let all ping all on a ring, take a link down and up again; return what came of it."""
    controller = Controller(*QUICK)
    built = Built(ovs, version, RING)
    built.build(controller.port)
    wait_for_tree(controller, built.links)
    blocked = states(controller)
    reached, carried = built.reached(), built.carried()
    run("ip", "link", "set", built.port(1, 2), "down")
    wait_for_tree(controller, RING[1:])
    after = built.reached()
    built.remove()
    return told(controller) | {
        "reached": reached,
        "carried": carried,
        "after": after,
        "states": blocked,
    }


def with_linux(ovs: OpenVSwitch) -> dict[str, object]:
    """Close a ring of two bridges of ours with one of Linux, which is the root."""
    controller = Controller(*QUICK)
    built = Built(ovs, "13", ((1, 2),))
    run("ip", "link", "add", LINUX, "address", "02:00:00:00:00:99", "type", "bridge")
    run("ip", "link", "set", "dev", LINUX, "type", "bridge", "priority", "4096", *LINUX_SETTINGS)
    run("ip", "link", "set", "dev", LINUX, "up")
    built.build(controller.port)
    for number in built.numbers:
        cable(f"l0to{number}", f"b{number}to0")
        run("ip", "link", "set", "dev", f"l0to{number}", "master", LINUX)
        ovs.add_port(built.bridge(number), 5, f"b{number}to0")
    # Both find the root behind port 5; so of the link between them one end blocks.
    wait_for(lambda: sorted(states(controller).values()).count("forwarding") == 5, "a tree")
    found, root = states(controller), run("ip", "-d", "link", "show", "dev", LINUX)
    reached = built.reached()
    run("ip", "link", "delete", LINUX)
    built.remove()
    is_root = re.search(r"bridge_id (\S+) designated_root \1 ", root) is not None
    return told(controller) | {"reached": reached, "states": found, "linux is root": is_root}


def states(controller: Controller) -> dict[str, str]:
    """Return what each port does, as the application said last."""
    lines = "".join(controller.lines)
    return {
        f"{int(number, 16)}:{port}": state
        for number, port, state in re.findall(r"datapath (\S+): port (\d+) is (\w+)", lines)
    }


def wait_for_tree(controller: Controller, links: Sequence[tuple[int, int]]) -> None:
    """Wait until all ports forward but one, and those that lead nowhere."""
    ends = [end for a, b in links for end in (f"{a}:{b}", f"{b}:{a}")]
    closed = 1 if len(links) == len(RING) else 0

    def is_tree() -> bool:
        found = states(controller)
        forwards = [end for end in ends if found.get(end) == "forwarding"]
        hosts = [found.get(f"{number}:9") for number in (1, 2, 3)]
        blocks = [end for end in ends if found.get(end) == "blocking"]
        return (
            hosts == ["forwarding"] * 3
            and len(blocks) == closed
            and len(forwards) == len(ends) - closed
        )

    wait_for(is_tree, "the ports do not make a tree")


def told(controller: Controller) -> dict[str, object]:
    """End the controller; return how it ended, and of what it warned."""
    return {"status": controller.end(), "warnings": controller.warnings}


def main() -> None:
    """Build, ping, print."""
    loopback_up()
    with OpenVSwitch() as ovs:
        found: dict[str, dict[str, object]] = {}
        for version in VERSIONS:
            for app in ("hub", "learning_switch"):
                found[f"{app} {version}"] = on_a_tree(ovs, app, version)
            found[f"spanning_tree {version}"] = on_a_ring(ovs, version)
        found["linux"] = with_linux(ovs)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
