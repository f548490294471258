"""The forwarding application on rings and meshes of real bridges, in three versions.

Run in namespaces of its own by test_forwarding.py. It prints one JSON object: for each
network who reached whom, how many packets the ports between bridges carried meanwhile, and
how many pings in a row were lost when a link was taken down.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field

from .namespaces import Host, cable, loopback_up, run, wait_for
from .ovs import OpenVSwitch

VERSIONS = ("10", "13", "15")
BRIDGES = 4
RING = [(1, 2), (2, 3), (3, 4), (1, 4)]
MESH = list(itertools.combinations(range(1, BRIDGES + 1), 2))
SHAPES = {"ring": RING, "mesh": MESH}
HOST_PORT = 9
PINGS, PING_INTERVAL = 60, 0.05  # of the host that pings while a link is taken down


class Controller:
    """The controller's process, and what it said so far."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="controller-")
        words = ("--listen", "ptcp:0", "--control", f"{self._directory.name}/control.sock")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "controller", "forwarding", *words],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: bool(self.port), "the controller does not listen")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)

    @property
    def port(self) -> int:
        """Where it listens."""
        found = re.search(r"listening at ptcp:(\d+)", "".join(self.lines))
        return int(found[1]) if found else 0

    def end(self) -> int:
        """Let it end; return its status."""
        self.process.terminate()
        status = self.process.wait(20)
        self._directory.cleanup()
        return status


@dataclass
class Built:
    """Bridges that are cabled, each with a host."""

    ovs: OpenVSwitch
    version: str
    links: list[tuple[int, int]]
    hosts: list[Host] = field(default_factory=list)

    def bridge(self, number: int) -> str:
        """Return the name of a bridge."""
        return f"br{number}"

    def port(self, number: int, other: int) -> str:
        """Return the interface of a bridge that leads to another one."""
        return f"b{number}to{other}"

    def build(self, port: int) -> None:
        """Make the cables, the bridges and the hosts."""
        for a, b in self.links:
            cable(self.port(a, b), self.port(b, a))
        for number in range(1, BRIDGES + 1):
            near = [b if a == number else a for a, b in self.links if number in (a, b)]
            ports = {other: self.port(number, other) for other in near}
            ports[HOST_PORT] = f"b{number}host"
            cable(ports[HOST_PORT], f"h{number}eth")
            self.hosts.append(Host(f"h{number}eth", f"10.0.0.{number}"))
            self.ovs.add_bridge(
                self.bridge(number),
                datapath_id=number,
                ports=ports,
                controller=f"tcp:127.0.0.1:{port}",
                protocols=f"OpenFlow{self.version}",
            )

    def carried(self) -> int:
        """Return how many packets left by the ports between bridges."""
        total = 0
        for a, b in [*self.links, *((b, a) for a, b in self.links)]:
            stats = self.ovs.ofctl(self.version, "dump-ports", self.bridge(a), self.port(a, b))
            found = re.search(r"tx pkts=(\d+)", stats)
            total += int(found[1]) if found else 0
        return total

    def take_down(self) -> int:
        """Take a link down while the first host pings the second; return the pings lost."""
        a, b = self.links[0]
        ping = self.hosts[0].start("ping", "-i", str(PING_INTERVAL), "-c", str(PINGS), "10.0.0.2")
        assert ping.stdout is not None
        for _ in range(PINGS // 4):  # lines of answers
            ping.stdout.readline()
        run("ip", "link", "set", self.port(a, b), "down")
        said, _ = ping.communicate(timeout=60)
        found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        assert found, said
        return int(found[1]) - int(found[2])

    def remove(self) -> None:
        """Take everything away again."""
        for number in range(1, BRIDGES + 1):
            self.ovs.vsctl("del-br", self.bridge(number))
            run("ip", "link", "delete", f"b{number}host")
            self.hosts[number - 1].end()
        for a, b in self.links:
            run("ip", "link", "delete", self.port(a, b))


def observe(ovs: OpenVSwitch, version: str, links: list[tuple[int, int]]) -> dict[str, object]:
    """Build a network, let all ping all, take a link down; return what came of it."""
    controller = Controller()
    built = Built(ovs, version, links)
    built.build(controller.port)
    known = f"links {len(links)} of {len(links)} confirmed"
    wait_for(lambda: known in "".join(controller.lines), known)
    pairs = list(itertools.permutations(built.hosts, 2))
    # Until the ports of hosts have settled, nobody is heard of; a second ARP request is.
    reached = {f"{one.address} {other.address}": one.reaches(other) for one, other in pairs}
    carried, lost = built.carried(), built.take_down()
    after = {f"{one.address} {other.address}": one.reaches(other) for one, other in pairs}
    built.remove()
    return {
        "reached": reached,
        "carried": carried,
        "lost": lost,
        "after": after,
        "status": controller.end(),
        "warnings": [line for line in controller.lines if "WARNING" in line or "ERROR" in line],
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
