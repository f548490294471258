"""The same figures of a real Open vSwitch, where they can be measured, to set beside ours.

    python -m tests.benchmarks.open_vswitch

A daemon of its own with dummy ports, without a kernel: what its flow table costs, and what a
bridge weighs. `ovs-ofctl` brings the entries over a Unix socket; times are of the daemon's
processor, as ours are of ours. It is C, in several threads; ours is Python, in one. What
frames cost it cannot be measured without ports that carry some.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..interop import ovs
from .forwarding import ENTRIES, PORTS

BRIDGES = 50
PATIENCE = 240.0  # seconds after which something is wrong
QUIET = ("-vconsole:off",)  # ovs-ofctl warns of its own long turns
_TICKS = os.sysconf("SC_CLK_TCK")


def report(what: str, found: str) -> None:
    print(f"Open vSwitch: {what:<48} {found:>14}", flush=True)


class Daemon:
    """What the system has counted of ovs-vswitchd."""

    def __init__(self, running: ovs.OpenVSwitch) -> None:
        self._process = Path("/proc") / str(running.pid)

    def seconds(self) -> float:
        """Return the processor's seconds that it had."""
        fields = (self._process / "stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident(self) -> int:
        """Return the bytes of memory that it has."""
        pages = int((self._process / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def entry(number: int) -> str:
    """Return an entry like those of `forwarding.flow_mods`."""
    address = (number * 7919).to_bytes(4, "big")
    return (
        f"priority={number % 10 + 1},idle_timeout=300,in_port={number % PORTS + 1},tcp,"
        f"nw_dst={'.'.join(map(str, address))},tp_dst={number & 0xFFFF},"
        f"actions=output:{number % 64 + 1}"
    )


def entries(running: ovs.OpenVSwitch, bridge: str) -> None:
    """Measure adding entries, their memory, and telling them all."""
    daemon = Daemon(running)
    with tempfile.NamedTemporaryFile("w", suffix=".flows") as file:
        file.write("\n".join(map(entry, range(ENTRIES))) + "\n")
        file.flush()
        began, weighed = daemon.seconds(), daemon.resident()
        # In one bundle: by themselves ovs-ofctl would wait for each entry.
        running.ofctl("14", "add-flows", bridge, file.name, *QUIET, "--bundle")
        spent = daemon.seconds() - began
    size = (daemon.resident() - weighed) / ENTRIES
    report(f"flow_mods, {ENTRIES:,} entries added", f"{ENTRIES / spent:,.0f} /s")
    report("memory of an entry", f"{size:,.0f} bytes")
    began = daemon.seconds()
    told = running.ofctl("13", "dump-flows", bridge, *QUIET).count("actions=")
    assert told == ENTRIES, f"{told} entries were told"
    report(f"flow stats of {ENTRIES:,} entries, altogether", f"{daemon.seconds() - began:.1f} s")


def bridges(running: ovs.OpenVSwitch) -> None:
    """Measure what an idle bridge weighs."""
    daemon = Daemon(running)
    before = daemon.resident()
    for number in range(BRIDGES):
        ports = {port: f"w{number}p{port}" for port in range(1, PORTS + 1)}
        running.add_bridge(f"w{number}", datapath_id=0x100 + number, ports=ports)
    size = (daemon.resident() - before) / BRIDGES
    report(f"memory of an idle switch with {PORTS} ports", f"{size / 1000:,.0f} KB")


def main() -> None:
    if reason := ovs.missing_tools():
        print(f"Open vSwitch is left out: {reason}")
        return
    ovs.PATIENCE = PATIENCE
    with ovs.OpenVSwitch(dummy=True) as running:
        entries(running, running.add_bridge("br0", ports={1: "p1", 2: "p2"}))
        bridges(running)


if __name__ == "__main__":
    main()
