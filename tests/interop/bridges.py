"""Bridges of Open vSwitch that are cabled, each with a host, and a controller for them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from types import ModuleType
from typing import Any

import pytest

from .namespaces import Host, cable, isolated, run, wait_for, why_not
from .ovs import OpenVSwitch, missing_for_packets

HOST_PORT = 9
TIME_LIMIT = 300  # seconds that a module may take
PINGS, PING_INTERVAL = 60, 0.05  # of the host that pings while a link is taken down

# All ping all, there and back, over two links at most, and ask by ARP. Bridges tell BPDUs in a
# ring besides, some dozens a second, or a controller's probes: one a link and direction each
# five seconds. A frame that went round would count thousands.
MOST_CARRIED = 400


def observed(module: ModuleType) -> Any:
    """Return a fixture: what a module prints that is run in namespaces, once for a file of tests.

    They are skipped where it cannot run.
    """

    @pytest.fixture(scope="module")
    def found() -> dict[str, Any]:
        if reason := missing_for_packets() or why_not():
            pytest.skip(reason)
        done = isolated(module.__name__, timeout=TIME_LIMIT)
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    return found


def all_reach_all(reached: dict[str, bool], hosts: int) -> None:
    """Hold that every host reached every other."""
    assert len(reached) == hosts * (hosts - 1)
    assert [pair for pair, ok in reached.items() if not ok] == []


class Controller:
    """The controller's process with an application and its options, and what it said so far."""

    def __init__(self, *app: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="controller-")
        words = ("--listen", "ptcp:0", "--control", f"{self._directory.name}/control.sock")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "controller", *app, *words],
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

    @property
    def warnings(self) -> list[str]:
        """What it said of things that are not as they should be."""
        return [line for line in self.lines if "WARNING" in line or "ERROR" in line]

    def end(self) -> int:
        """Let it end; return its status."""
        self.process.terminate()
        status = self.process.wait(20)
        self._directory.cleanup()
        return status


@dataclass
class Built:
    """Bridges that are cabled, each with a host, all speaking one version."""

    ovs: OpenVSwitch
    version: str
    links: Sequence[tuple[int, int]]
    hosts: list[Host] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the bridges."""
        return sorted({number for link in self.links for number in link})

    def bridge(self, number: int) -> str:
        """Return the name of a bridge."""
        return f"br{number}"

    def port(self, number: int, other: int) -> str:
        """Return the interface of a bridge that leads to another one."""
        return f"b{number}to{other}"

    def build(self, port: int) -> None:
        """Make the cables, the bridges and the hosts; the controller listens at a port."""
        for a, b in self.links:
            cable(self.port(a, b), self.port(b, a))
        for number in self.numbers:
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

    def have_entries(self) -> bool:
        """Return whether each bridge has an entry for what no other matches."""
        return all(
            "priority=0" in self.ovs.ofctl(self.version, "dump-flows", self.bridge(number))
            for number in self.numbers
        )

    def reached(self) -> dict[str, bool]:
        """Let every host ping every other; return by addresses who reached whom."""
        pairs = permutations(self.hosts, 2)
        return {f"{one.address} {other.address}": one.reaches(other) for one, other in pairs}

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
        for number, host in zip(self.numbers, self.hosts, strict=True):
            self.ovs.vsctl("del-br", self.bridge(number))
            run("ip", "link", "delete", f"b{number}host")
            host.end()
        for a, b in self.links:
            run("ip", "link", "delete", self.port(a, b))
