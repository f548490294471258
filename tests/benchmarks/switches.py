"""How fast many switches connect, what an idle one weighs, and how long answers let others wait.

    python -m tests.benchmarks.switches [all|connect|hold|weight|answer]

Processes on loopback: the controller is one of its own, and so is a switch that answers.
The figures are those of the clock; with other work on the machine they are worse than the
code, so the load is printed first.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from protocol import (
    OF13,
    ApplyActions,
    BarrierRequest,
    FlowMod,
    FlowStatsRequest,
    Hello,
    Match,
    Message,
    Output,
    PortDesc,
)
from protocol.endpoint import Endpoint
from protocol.message import HEADER
from protocol.transport.terminal import raise_file_limit
from switch_sim import Switch
from switch_sim.agent import Agent
from switch_sim.network import Network, linear
from switch_sim.settings import Settings

ROOT = Path(__file__).parents[2]
MANY, MOST = 1_000, 4_000  # switches
CONNECT_SECONDS = 3.0
HOLD_SECONDS, ECHO_INTERVAL = 12.0, 2.0  # so that each is asked for a sign of life several times
IDLE_BYTES, PORTS = 60_000, 8
ENTRIES, PAUSE = 100_000, 0.020  # of an answer; seconds that another channel may wait
PATIENCE = 120.0  # seconds after which something is wrong
SPARE_FILES = 100
# A reader in a process of its own; a thread would have to share the interpreter with who asks.
FORK = multiprocessing.get_context("fork")
_MULTIPART_REPLY, _BARRIER_REPLY = 19, 21


def report(what: str, found: str, wanted: str) -> None:
    print(f"{what:<56} {found:>12}; wanted: {wanted}", flush=True)


def check_files(count: int) -> None:
    """End with a sentence where the system does not allow so many open files."""
    import resource

    raise_file_limit()
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < count + SPARE_FILES:
        sys.exit(
            f"{count} channels need {count + SPARE_FILES} open files, {allowed} are allowed: "
            f"raise the limit with ulimit -n {count + SPARE_FILES}"
        )


@contextmanager
def started(*arguments: str, sign: str) -> Iterator[re.Match[str]]:
    """Run a command of Pointsman in a process of its own; `sign` is in what it says when up."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        said = ""
        for said in process.stdout:
            if found := re.search(sign, said):
                break
        else:
            sys.exit(f"{arguments[0]} did not start: {said}")
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield found
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def connected(count: int) -> AsyncIterator[tuple[Agent, float]]:
    """Switches that have finished their handshake, and the seconds that it took."""
    check_files(count)
    network = Network(linear(count))
    with started("controller", "--listen", "ptcp:0", sign=r"listening at (ptcp:\S+)") as found:
        bound = Endpoint.parse(found[1])
        agent = Agent(network, Settings(echo_interval=ECHO_INTERVAL))
        try:
            began = time.perf_counter()
            for name in network.switches:
                agent.dial(name, Endpoint("tcp", bound.host, bound.port))
            async with asyncio.timeout(PATIENCE):
                # The controller's application adds an entry when it knows features and ports.
                await agent.until(lambda: len(agent.connected) == count)
                await agent.until(lambda: all(map(network.flow_count, network.switches)))
            yield agent, time.perf_counter() - began
        finally:
            await agent.close()


async def connect() -> None:
    before = time.process_time()
    async with connected(MANY) as (_, seconds):
        what = f"{MANY:,} switches connect and are told their first entry"
        report(what, f"{seconds:.2f} s", f"{CONNECT_SECONDS:g} s")
        print(f"  (the switches took {time.process_time() - before:.2f} s of a processor)")


async def hold() -> None:
    async with connected(MOST) as (agent, seconds):
        sessions = set(agent.sessions)
        await asyncio.sleep(HOLD_SECONDS)
        held = len(sessions & set(agent.sessions))
        report(f"{MOST:,} switches connect", f"{seconds:.2f} s", "that they do")
        report(f"of which {HOLD_SECONDS:g} s later are still there", f"{held:,}", f"{MOST:,}")


# An idle switch


def resident() -> int:
    """Return the bytes of memory that the process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def weight() -> None:
    ports = [PortDesc(number, name=f"eth{number}") for number in range(1, PORTS + 1)]
    kept = [Switch(1, ports)]  # what the first one costs is not its own
    before = resident()
    kept += [Switch(number, ports) for number in range(2, MANY + 2)]
    each = (resident() - before) / MANY
    report(
        f"an idle switch with {PORTS} ports", f"{each / 1000:.1f} KB", f"{IDLE_BYTES // 1000} KB"
    )


# A long answer


class Client:
    """A blocking channel that looks at no more than it has to."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")
        self.send(Hello.offering([OF13]))
        self._next()

    def send(self, *messages: Message) -> None:
        """Send messages in one go."""
        self._socket.sendall(b"".join(message.encode(OF13) for message in messages))

    def barrier(self) -> float:
        """Wait until the switch has done all; return the seconds that it took."""
        began = time.perf_counter()
        self.send(BarrierRequest())
        while self._next()[0] != _BARRIER_REPLY:
            pass
        return time.perf_counter() - began

    def read_answer(self, size: Any) -> None:
        """Read a multipart reply to its end, and note its bytes."""
        size.value = 0
        while True:
            number, data = self._next()
            if number == _MULTIPART_REPLY:
                size.value += len(data)
                if not data[3] & 1:  # no flag MORE
                    return

    def _next(self) -> tuple[int, bytes]:
        _, number, length, _ = HEADER.unpack(self._file.read(HEADER.size))
        return number, self._file.read(length - HEADER.size)


def entry(number: int) -> FlowMod:
    match = Match(eth_type=0x0800, ipv4_dst=0x0A00_0000 + number)
    return FlowMod(match, instructions=(ApplyActions((Output(2),)),), priority=number & 0xFFFF)


def answer() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/s1"
        options = ("--listen", f"punix:{path}", "--echo-interval", "0")
        with started("switch_sim", *options, sign="Ctrl-C ends"):
            _answer(Client(path), Client(path))


def _answer(reads: Client, asks: Client) -> None:
    for first in range(0, ENTRIES, 1_000):
        reads.send(*map(entry, range(first, first + 1_000)))
        reads.barrier()
    size = FORK.Value("Q")
    alone = sorted(asks.barrier() for _ in range(200))
    for turn in ("first", "second"):
        reads.send(FlowStatsRequest())
        reader = FORK.Process(target=reads.read_answer, args=(size,))
        began = time.perf_counter()
        reader.start()
        waits = []
        while reader.is_alive():
            waits.append(asks.barrier())
        seconds, waits = time.perf_counter() - began, sorted(waits)
        what = f"{turn} answer of {ENTRIES:,} entries, {size.value / 1e6:.1f} MB in {seconds:.1f} s"
        report(f"{what}; others wait", f"{waits[-1] * 1000:.1f} ms", f"{PAUSE * 1000:g} ms")
        middle, most = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        print(
            f"  (half of {len(waits)} less than {middle * 1000:.1f} ms, 99 % less than "
            f"{most * 1000:.1f}; without an answer half less than {alone[100] * 1000:.1f})"
        )


def main() -> None:
    which = sys.argv[1] if len(sys.argv) > 1 else "all"
    parts = {
        "weight": weight,  # first: memory that others gave back would be taken again, unseen
        "connect": lambda: asyncio.run(connect()),
        "hold": lambda: asyncio.run(hold()),
        "answer": answer,
    }
    if which not in ("all", *parts):
        sys.exit(f"there is no {which!r}; write all, {', '.join(parts)}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for name, part in parts.items():
        if which in ("all", name):
            part()


if __name__ == "__main__":
    main()
