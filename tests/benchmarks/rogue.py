"""What one rogue switch costs the others: their latency with it, over theirs without it.

    python -m tests.benchmarks.rogue [rounds] [packet-in-rate]      0: nothing is dropped

A controller runs in a process of its own, with the learning switch. Some good switches send
it a packet each 10 ms, and measure until the packet_out comes. Phases without and with a
rogue take turns in one run, so that what else the machine does hits both. The rogue is a
process of the lowest priority, as a real one has a machine of its own. It floods packet_ins;
lies in its replies, with answers that nobody asked for and parts that never end; reconnects
in a loop; or does all of that at once.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import fmean, median, quantiles
from typing import NamedTuple

from protocol import (
    OF13,
    BarrierReply,
    Connection,
    FeaturesReply,
    FeaturesRequest,
    FlowStats,
    FlowStatsReply,
    Match,
    MultipartFlags,
    PacketIn,
    PacketOut,
    PortDesc,
    PortDescReply,
    PortDescRequest,
)
from protocol.endpoint import Endpoint

from ..controller.fakes import FakeSwitch

SWITCHES = 8  #: good ones
PAUSE = 0.01  # seconds between two packets of one of them
SECONDS = 1.0  #: of a phase
ROUNDS = 7
TARGET = 2.0  #: times as long as without a rogue, at most
FIRST_ROGUE = 1000  # datapath_id
TO_ALL = b"\xff" * 6
PLAIN = b"\x90\x00" + bytes(46)  # an EtherType that nobody knows, and padding


class Latency(NamedTuple):
    """Round trips of the good switches, in milliseconds."""

    median: float
    mean: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        """Sum up what was measured."""
        found = [1000 * one for one in seconds]
        return cls(median(found), fmean(found), quantiles(found, n=100)[98])


def packet_in(source: int) -> PacketIn:
    """Return the packet_in of a frame to all."""
    data = TO_ALL + source.to_bytes(6, "big") + PLAIN
    return PacketIn(match=Match(in_port=1), data=data, total_len=len(data))


# The rogue's ways


def shaken(host: str, port: int, datapath_id: int) -> socket.socket:
    """Return a socket that finished its handshake."""
    sock, connection = socket.create_connection((host, port)), Connection(0, {OF13})
    while True:
        sock.sendall(connection.data_to_send())
        for event in connection.receive_data(sock.recv(65536), 0):
            if isinstance(event, FeaturesRequest):
                connection.send(FeaturesReply(datapath_id), event.xid)
            elif isinstance(event, PortDescRequest):
                connection.send(PortDescReply((PortDesc(1),)), event.xid)
                sock.sendall(connection.data_to_send())
                return sock


def _pour(sock: socket.socket, data: bytes) -> None:
    """Say the same again and again, and read what comes, so that nothing slows it down."""

    def drain() -> None:
        while sock.recv(1 << 20):
            pass

    threading.Thread(target=drain, daemon=True).start()
    while True:
        sock.sendall(data)


def flood(host: str, port: int) -> None:
    """Bring packets of made-up hosts as fast as goes."""
    sources = range(0x0200_0000_0000, 0x0200_0000_0000 + 1000)
    _pour(shaken(host, port, FIRST_ROGUE), b"".join(packet_in(one).encode(OF13) for one in sources))


def lie(host: str, port: int) -> None:
    """Answer what nobody asked, and never come to an end."""
    part = FlowStatsReply((FlowStats(),), flags=MultipartFlags.MORE)
    lies = [BarrierReply(), FeaturesReply(1), part]
    data = b"".join(one.numbered(xid).encode(OF13) for xid in range(1, 200) for one in lies)
    _pour(shaken(host, port, FIRST_ROGUE + 1), data)


def reconnect(host: str, port: int) -> None:
    """Come and go."""
    while True:
        shaken(host, port, FIRST_ROGUE + 2).close()


WAYS: dict[str, list[Callable[[str, int], None]]] = {
    "floods packet_ins": [flood],
    "lies in its replies": [lie],
    "reconnects in a loop": [reconnect],
    "does all of that": [flood, lie, reconnect],
}


def rogue(ways: str, host: str, port: int) -> None:
    """Be a rogue until somebody ends the process."""
    os.nice(19)
    for way in WAYS[ways]:
        threading.Thread(target=_again, args=(way, host, port), daemon=True).start()
    threading.Event().wait()


def _again(way: Callable[[str, int], None], host: str, port: int) -> None:
    while True:
        try:
            way(host, port)
        except OSError:
            time.sleep(0.01)  # it was thrown out, and tries again


# The others


async def good(switch: FakeSwitch, number: int, until: float) -> list[float]:
    """Send a packet now and then; return how long each took to come back."""
    found = []
    while time.perf_counter() < until:
        began = time.perf_counter()
        switch.send(packet_in(number))
        await switch.expect(PacketOut)
        found.append(time.perf_counter() - began)
        switch.heard.clear()
        await asyncio.sleep(PAUSE)
    return found


async def phase(switches: list[FakeSwitch]) -> Latency:
    """Measure for some seconds."""
    until = time.perf_counter() + SECONDS
    found = await asyncio.gather(*(good(one, at, until) for at, one in enumerate(switches, 1)))
    return Latency.of([one for each in found for one in each])


@asynccontextmanager
async def running(rate: str) -> AsyncIterator[Endpoint]:
    """Run a controller in a process of its own."""
    arguments = ["learning_switch", "--listen", "ptcp:0", "--packet-in-rate", rate]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *arguments), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    found = re.search(r"listening at (\S+)", line)
    assert found, line
    draining = asyncio.create_task(process.stderr.read())
    try:
        yield Endpoint.parse(found[1])
    finally:
        process.terminate()
        await process.wait()
        draining.cancel()


async def measured(at: Endpoint, switches: list[FakeSwitch], ways: str, rounds: int) -> float:
    """Print the latencies without and with a rogue; return the ratio of the medians."""
    quiet, noisy = [], []
    for _ in range(rounds):
        quiet.append(await phase(switches))
        module = [sys.executable, "-m", "tests.benchmarks.rogue"]
        process = subprocess.Popen([*module, "--rogue", ways, at.host, str(at.port)])
        try:
            await asyncio.sleep(1)  # until it began
            noisy.append(await phase(switches))
        finally:
            process.kill()
            process.wait()
    ratios = {}
    for name in Latency._fields:
        pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(quiet, noisy, strict=True)]
        # Of each pair, as the machine is not the same from one to the next.
        ratios[name] = median(within / without for without, within in pairs)
        without, within = (median(each) for each in zip(*pairs, strict=True))
        print(
            f"  {name:<8} {without:8.2f} ms without, {within:8.2f} ms with it: "
            f"{ratios[name]:5.2f} times"
        )
    return ratios["median"]


async def main(rounds: int, rate: str) -> int:
    """Measure each of the rogue's ways; return how many cost the others too much."""
    missed = 0
    async with running(rate) as at:
        switches = [await FakeSwitch.dial(at, datapath_id=one) for one in range(1, SWITCHES + 1)]
        await phase(switches)  # to warm up
        for ways in WAYS:
            print(f"a rogue that {ways}, {SWITCHES} others:")
            ratio = await measured(at, switches, ways, rounds)
            verdict = "" if ratio <= TARGET else "   MISSED"
            print(f"  the median is to be at most {TARGET:g} times as long{verdict}")
            missed += ratio > TARGET
        for switch in switches:
            switch.leave()
    return missed


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rogue"]:
        rogue(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    counted = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    sys.exit(asyncio.run(main(counted, sys.argv[2] if len(sys.argv) > 2 else "0")) > 0)
