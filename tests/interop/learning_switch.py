"""The learning switch on real bridges, one for each version of OpenFlow, all at once.

Run in namespaces of its own by test_learning_switch.py. It prints one JSON object: for
each version who reached whom, and what `ovs-ofctl dump-flows` says.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys

from .namespaces import Host, cable, loopback_up, wait_for
from .ovs import OpenVSwitch

VERSIONS = ("10", "11", "12", "13", "14", "15")
HOSTS = 3  #: a bridge


def start_controller() -> tuple[subprocess.Popen[str], int]:
    """Start the learning switch on a free port; return the process and the port."""
    controller = subprocess.Popen(
        [sys.executable, "-m", "controller", "learning_switch", "--listen", "ptcp:0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert controller.stderr is not None
    for line in controller.stderr:
        if found := re.search(r"listening at ptcp:(\d+)", line):
            return controller, int(found[1])
    raise RuntimeError("the controller does not listen")


def build(ovs: OpenVSwitch, version: str, port: int) -> list[Host]:
    """Make a bridge that speaks one version, and its hosts."""
    hosts, ports = [], {}
    for number in range(1, HOSTS + 1):
        ports[number] = f"s{version}p{number}"
        cable(ports[number], f"h{version}p{number}")
        hosts.append(Host(f"h{version}p{number}", f"10.{version}.0.{number}"))
    ovs.add_bridge(
        f"br{version}",
        datapath_id=int(version),
        ports=ports,
        controller=f"tcp:127.0.0.1:{port}",
        protocols=f"OpenFlow{version}",
    )
    return hosts


def observe(ovs: OpenVSwitch, version: str, hosts: list[Host]) -> dict[str, object]:
    """Let all ping all, and return what came of it."""
    bridge = f"br{version}"
    wait_for(lambda: ovs.is_connected(bridge), f"{bridge} has no controller")
    wait_for(
        lambda: "priority=0" in ovs.ofctl(version, "dump-flows", bridge),
        f"{bridge} has no table-miss entry",
    )
    reached = {
        f"{one.address} {other.address}": one.reaches(other)
        for one, other in itertools.permutations(hosts, 2)
    }
    return {"reached": reached, "flows": ovs.ofctl(version, "dump-flows", bridge).splitlines()}


def main() -> None:
    """Build, ping, print."""
    loopback_up()
    controller, port = start_controller()
    with OpenVSwitch() as ovs:
        built = {version: build(ovs, version, port) for version in VERSIONS}
        found = {version: observe(ovs, version, hosts) for version, hosts in built.items()}
    controller.terminate()
    json.dump(found | {"status": controller.wait(10)}, sys.stdout)


if __name__ == "__main__":
    main()
