"""What it costs to find links, and to lead traffic around one that is gone.

    python -m tests.benchmarks.topology [all|links|reroute|events]

What is measured is the controller's own: its applications get what switches would tell, and
what they say is encoded as for a channel. No socket and no simulated switch is in it; `links`
also runs a whole controller as its users do, in a process of its own, with 1,000 channels on
loopback: what counts is the time of the processor that this process takes, in the kernel as well.

Times are of the processor; with other work on the machine they are worse than the code. What
a loop takes that does nothing is printed before and after each part: figures go with it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import statistics
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from controller import Datapath
from controller.apps.forwarding import Forwarding
from controller.cookies import CookieSpaces
from controller.own_flows import views
from controller.requests import Requests
from controller.senders import Senders
from controller.topology import Topology
from controller.topology.discovery import INTERVAL, ON_ITS_WAY, SETTLE_TIME, Discovery
from protocol import (
    OF13,
    Connection,
    Ethernet,
    FeaturesReply,
    FlowMod,
    Hello,
    MacAddress,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    PortDesc,
    PortReason,
    PortState,
    PortStatus,
)
from protocol.endpoint import Endpoint
from protocol.groups import GroupDescReply, GroupDescRequest
from protocol.message import HEADER
from protocol.packet import BROADCAST
from protocol.transport.terminal import collect_rarely

from ..skipping_time import run_skipping, skipping
from . import fake_switches
from .fake_switches import LLDP, End
from .switches import FORK, check_files

SWITCHES, LINKS = 1_000, 4_000
SHARE = 0.30  # of a core, within the first interval
GRAPH, GRAPH_LINKS = 100, 200
REROUTE_MS = 50.0
SIZES = (100, 250, 500, 1_000)
ROUNDS = 5
STRIDE = 37  # from one partner of a host to the next: any number without a divisor of GRAPH
FAILURES = 10  # of the busiest links, one after another
HOST_PORT = 1
LINEAR = 1.5  # how much above its share an event may cost when all is n times as much
PATIENCE = 60.0  # seconds after which something is wrong
LOOP = 2_000_000  # turns that tell how fast the machine is
LEAST_MS = 0.5  # below that what an event costs is not compared


def tell_speed() -> None:
    """Print how fast the machine is just now."""
    began, total = time.process_time(), 0
    for one in range(LOOP):
        total += one * one
    took = (time.process_time() - began) * 1000
    print(f"(a loop of {LOOP:,} turns takes {took:.0f} ms of the processor just now)")


def report(what: str, found: str, wanted: str, met: bool) -> None:
    """Print a line of the table."""
    print(f"{what:<62} {found:>12}; wanted: {wanted}{'' if met else '   MISSED'}", flush=True)


class Cabling:
    """Switches 1 to n, joined at random to one network; a host behind port 1 of each."""

    def __init__(self, switches: int, links: int, seed: int = 1) -> None:
        dice = random.Random(seed)
        self.ports = dict.fromkeys(range(1, switches + 1), HOST_PORT)
        self.far: dict[End, End] = {}
        pairs = {(dice.randrange(1, one), one) for one in range(2, switches + 1)}
        while len(pairs) < links:
            a, b = sorted(dice.sample(range(1, switches + 1), 2))
            pairs.add((a, b))
        for a, b in sorted(pairs):
            ends = (self._free(a), self._free(b))
            self.far[ends[0]], self.far[ends[1]] = ends[1], ends[0]

    def _free(self, switch: int) -> End:
        self.ports[switch] += 1
        return switch, self.ports[switch]

    def descs(self, switch: int) -> list[PortDesc]:
        """Return the ports of a switch."""
        return [desc(switch, number) for number in range(1, self.ports[switch] + 1)]


def desc(switch: int, number: int, state: PortState = PortState.LIVE) -> PortDesc:
    """Return a port as its switch describes it."""
    return PortDesc(number, MacAddress(0x02 << 40 | switch << 16 | number), f"p{number}", 0, state)


# Links, without a channel


def first_interval(cabling: Cabling) -> tuple[float, float, int]:
    """Return seconds of the processor in the first interval, in a later one, and links."""
    dice = random.Random(2)
    discovery = Discovery(b"key", dice.randbytes)

    def run(until: float) -> None:
        while (due := discovery.deadline()) is not None and due <= until:
            for end, frame in discovery.handle_timer(due)[0]:
                if far := cabling.far.get(end):
                    discovery.receive(*far, frame, due)

    began = time.process_time()
    for number in cabling.ports:
        now = number / len(cabling.ports)  # they come within a second
        discovery.add_switch(number, cabling.descs(number), now)
        run(now)
    run(INTERVAL)
    first, found = time.process_time() - began, len(discovery.graph.links)
    run(2 * INTERVAL)
    began = time.process_time()
    run(3 * INTERVAL)
    return first, time.process_time() - began, found


def processor(pid: int) -> float:
    """Return the seconds of the processor that a process has taken, in the kernel as well."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


class Log:
    """What a process tells, read to its end so that it is never held up."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._awaited: dict[str, asyncio.Future[tuple[float, str]]] = {}
        self.ended = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        async for line in stream:
            for wanted in [one for one in self._awaited if one in line.decode()]:
                self._awaited.pop(wanted).set_result((loop.time(), line.decode()))

    async def says(self, wanted: str) -> tuple[float, str]:
        """Wait for a line with these words; return when it came, and the line."""
        found = self._awaited[wanted] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            return await found


async def over_channels(cabling: Cabling, app: str) -> tuple[float, float, float]:
    """Run a controller as its users do, with a channel to each switch, for two intervals.

    Return the seconds of the processor that it takes in each of both, and those of the clock
    until it tells that all links are known, if it looks for them. The first interval begins
    when the first switch is connected, but what it took up to then is counted as well.
    """
    controller = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", app, "--listen", "ptcp:0"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert controller.stderr is not None
    log = Log(controller.stderr)
    _, line = await log.says("listening at ")
    at = Endpoint.parse(line.split("listening at ")[1].split()[0])
    ports = {number: cabling.descs(number) for number in cabling.ports}
    switches = FORK.Process(
        target=fake_switches.run, args=(ports, cabling.far, (at.host, at.port)), daemon=True
    )
    idle = processor(controller.pid)
    known = asyncio.create_task(log.says(f"links {LINKS} of {LINKS} confirmed"))
    switches.start()
    began, _ = await log.says(": ready, ")
    await asyncio.sleep(INTERVAL)
    first = processor(controller.pid) - idle
    await asyncio.sleep(INTERVAL)
    later = processor(controller.pid) - idle - first
    took = (await known)[0] - began if app == "forwarding" else 0.0
    known.cancel()
    switches.terminate()
    controller.terminate()
    await log.ended
    await controller.wait()
    return first, later, took


def channels() -> None:
    """Tell what links cost a controller whose switches have just connected."""
    cabling = Cabling(SWITCHES, LINKS)
    idle, _, _ = asyncio.run(over_channels(cabling, "hub"))
    first, later, known = asyncio.run(over_channels(cabling, "forwarding"))
    what = f"{SWITCHES} switches connect, {LINKS} links are all known"
    report(what, f"{known:.1f} s", f"{INTERVAL:.0f} s", known <= INTERVAL)
    share = (first - idle) / INTERVAL
    what = "share of a core in that interval, beyond that of connecting"
    report(what, f"{share:.1%}", f"{SHARE:.0%}", share <= SHARE)
    report("with that", f"{first / INTERVAL:.1%}", "-", True)
    what = "and kept: share of a core in the next interval"
    report(what, f"{later / INTERVAL:.1%}", f"{SHARE:.0%}", later / INTERVAL <= SHARE)


def links_alone() -> None:
    """Tell what links cost without sockets."""
    per_link = {}
    for size in SIZES:
        cabling = Cabling(size, 4 * size)
        first, later, found = first_interval(cabling)
        assert found == len(cabling.far)
        per_link[size] = first / found * 1e6
    share = f"{first / INTERVAL:.1%}"
    what = f"{SWITCHES} switches, {LINKS} links found: core alone, share of a core"
    report(what, share, f"{SHARE:.0%}", first / INTERVAL <= SHARE)
    what = "and kept, each interval"
    report(what, f"{later / INTERVAL:.1%}", f"{SHARE:.0%}", later / INTERVAL <= SHARE)
    growth = per_link[SIZES[-1]] / per_link[SIZES[0]]
    told = ", ".join(f"{per_link[size]:.0f}" for size in SIZES)
    what = f"us a link with {', '.join(map(str, SIZES))} switches: {told}"
    report(what, f"x {growth:.1f}", f"x {LINEAR}", growth <= LINEAR)


# Applications whose switches are not there


class Bench:
    """Topology and forwarding, and what they say to switches of a cabling."""

    def __init__(self, cabling: Cabling) -> None:
        self.cabling = cabling
        self.topology = Topology()
        self.forwarding = Forwarding(self.topology)
        self._speeches: dict[int, Connection] = {}
        self._requests: dict[int, Requests] = {}
        self._spoke: list[int] = []  # the switches to which something is to be written
        self._written: list[tuple[int, bytes]] = []
        self.views = {number: self._views(number) for number in cabling.ports}
        self.said = 0  # flow_mods that were read
        self._probes: deque[tuple[int, PacketOut]] = deque()
        self._came = asyncio.Event()

    def _views(self, number: int) -> list[Datapath]:
        """Return a switch as each of both applications sees it."""
        requests = self._requests[number] = Requests(lambda: None)
        speech = self._speeches[number] = Connection(0, {OF13}, echo_interval=0)
        speech.receive_data(Hello().encode(OF13), 0)
        speech.data_to_send()
        speech.began = partial(self._begin, number)
        features = FeaturesReply(number)
        datapath = Datapath(features, self.cabling.descs(number), OF13, speech.send, requests)
        spaces = CookieSpaces(["topology", "forwarding"])
        return views(datapath, spaces, spaces.by_name.values(), Senders())

    def _begin(self, number: int) -> None:
        if not self._spoke:
            asyncio.get_running_loop().call_soon(self.flush)  # as a channel does
        self._spoke.append(number)

    def flush(self) -> None:
        """Let all that was said be written."""
        for number in self._spoke:
            self._written.append((number, self._speeches[number].data_to_send()))
        self._spoke.clear()
        self._came.set()

    def read(self) -> None:
        """Count flow_mods that were written, answer requests, and take probes."""
        for number, data in self._written:
            at = 0
            while at < len(data):
                length = HEADER.unpack_from(data, at)[2]
                self._hear(number, Message.decode(data[at : at + length]))
                at += length
        self._written.clear()

    def _hear(self, number: int, message: Message) -> None:
        if isinstance(message, FlowMod):
            self.said += 1
        elif isinstance(message, GroupDescRequest):
            self._requests[number].resolve(GroupDescReply(xid=message.xid))
        elif isinstance(message, PacketOut) and message.data[12:14] == LLDP:
            self._probes.append((number, message))

    async def connect(self, number: int) -> None:
        """Let a switch connect."""
        one, other = self.views[number]
        await self.topology.switch_ready(one)
        await self.forwarding.switch_ready(other)

    async def carry(self) -> None:
        """Carry probes over the cables for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            self.read()
            while self._probes:
                number, message = self._probes.popleft()
                (action,) = message.actions
                assert isinstance(action, Output)
                if far := self.cabling.far.get((number, action.port)):
                    await self.packet_in(far, message.data)

    async def packet_in(self, end: End, data: bytes) -> None:
        """Bring a frame that came in by a port."""
        message = PacketIn(match=Match(in_port=end[1]), data=data, total_len=len(data))
        one, other = self.views[end[0]]
        await self.forwarding.packet_in(other, message)
        await self.topology.packet_in(one, message)

    async def speak(self, source: int, target: int | None = None) -> None:
        """Let the host at a switch speak to that at another one, or to all."""
        to = BROADCAST if target is None else host(target)
        await self.packet_in(
            (source, HOST_PORT), Ethernet(to, host(source), 0x88B5, b"hi").encode()
        )

    async def set_link(self, end: End, state: PortState) -> None:
        """Let both switches tell what became of a link."""
        for number, port in (end, self.cabling.far[end]):
            told = PortStatus(PortReason.MODIFY, desc(number, port, state))
            one, _ = self.views[number]
            await self.topology.port_status(one, told)
        while self.forwarding.waiting:  # what later turns of the loop do, without all else there
            self.forwarding.reroute_some()
        self.flush()

    async def found(self) -> None:
        """Wait until all links are known, and hosts may speak; idle time is skipped."""
        with skipping():
            async with asyncio.timeout(PATIENCE):
                while len(self.topology.graph.links) < len(self.cabling.far):
                    await asyncio.sleep(ON_ITS_WAY)
            await asyncio.sleep(2 * SETTLE_TIME)


def host(switch: int) -> MacAddress:
    """Return the address of the host at a switch."""
    return MacAddress(0x0200_0100_0000 + switch)


@asynccontextmanager
async def bench(switches: int, links: int) -> AsyncIterator[Bench]:
    """Yield both applications when they know all links, and one host at each switch."""
    made = Bench(Cabling(switches, links))
    tasks = [asyncio.create_task(one) for one in (made.topology.background(), made.carry())]
    try:
        for number in made.cabling.ports:
            await made.connect(number)
        await made.found()
        for number in made.cabling.ports:
            await made.speak(number)
        yield made
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def spent(event: Coroutine[Any, Any, None]) -> float:
    """Return the milliseconds of the processor that an event takes."""
    gc.collect()
    began = time.process_time()
    await event
    return (time.process_time() - began) * 1000


async def failures(partners: int) -> list[tuple[float, int]]:
    """Let the busiest links fail, one after another; return milliseconds and flow_mods of each.

    Each host speaks with so many others.
    """
    took = []
    async with bench(GRAPH, GRAPH_LINKS) as made:
        for source in made.cabling.ports:
            for step in range(1, partners + 1):
                await made.speak(source, (source - 1 + step * STRIDE) % GRAPH + 1)
        graph, routes = made.topology.graph, made.forwarding.routes
        assert len(routes) == GRAPH * partners
        busy = {link: len(routes.over(link)) for link in graph.links.values()}
        links = sorted(busy, key=lambda one: busy[one] + busy[one.back])
        for link in {frozenset(one): one for one in links[-2 * FAILURES :]}.values():
            made.flush()  # what is left of before
            made.read()
            made.said = 0
            milliseconds = await spent(made.set_link(link.src, PortState.LINK_DOWN))
            made.read()
            took.append((milliseconds, made.said))
            await made.set_link(link.src, PortState.LIVE)
            await made.found()
    return took


async def reroute() -> None:
    """Tell how long traffic waits for entries that lead around a link that is gone."""
    for partners in (10, GRAPH - 1):
        took = await failures(partners)
        slowest, most = max(took)
        middle = statistics.median(one for one, _ in took)
        what = f"{GRAPH} switches, {GRAPH * partners} pairs: the busiest links fail, median"
        report(what, f"{middle:.1f} ms", f"{REROUTE_MS:.0f} ms", middle <= REROUTE_MS)
        what = f"the slowest of {len(took)}, with {most} flow_mods"
        report(what, f"{slowest:.1f} ms", f"{REROUTE_MS:.0f} ms", slowest <= REROUTE_MS)


# Events, as the network grows


async def costs(switches: int) -> dict[str, float]:
    """Return the milliseconds of each event in a network of a size, the least of some rounds."""
    least: dict[str, float] = {}
    async with bench(switches, 4 * switches) as made:
        for one in range(ROUNDS):
            for name, event in happening(made, switches - one):
                least[name] = min(await spent(event), least.get(name, inf))
            await made.found()
    return least


def happening(made: Bench, last: int) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield events; the first two are about the hosts at switch 1 and at the last one."""
    link = next(end for end in made.cabling.far if end[0] == 1)
    yield "a pair speaks for the first time", made.speak(1, last)
    yield "it speaks again", made.speak(1, last)
    yield "a host calls all", made.speak(1)
    yield "a link goes", made.set_link(link, PortState.LINK_DOWN)
    yield "a link comes", made.set_link(link, PortState.LIVE)
    yield "a switch goes", gone(made, *made.views[last])
    yield "a switch comes", made.connect(last)


async def gone(made: Bench, one: Datapath, other: Datapath) -> None:
    """Let a switch go."""
    await made.topology.switch_gone(one)
    await made.forwarding.switch_gone(other)


async def events() -> None:
    """Tell how the cost of each event grows."""
    found = {size: await costs(size) for size in SIZES}
    print(f"{'ms an event, with switches:':<40}" + "".join(f"{size:>10}" for size in SIZES))
    for name in found[SIZES[0]]:
        row = [found[size][name] for size in SIZES]
        times = SIZES[-1] / SIZES[0]
        linear = row[-1] <= max(LINEAR * times * row[0], LEAST_MS)
        told = "".join(f"{one:>10.2f}" for one in row)
        print(f"{name:<40}{told}{'' if linear else '   MORE THAN LINEAR'}", flush=True)


def links() -> None:
    """Tell what links cost, without sockets and with them."""
    check_files(SWITCHES)
    links_alone()
    channels()


def main() -> None:
    collect_rarely()  # as a controller does
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    parts = {
        "links": links,
        "reroute": lambda: run_skipping(reroute()),
        "events": lambda: run_skipping(events()),
    }
    if what not in ("all", *parts):
        sys.exit(f"there is no {what!r}; write all, {', '.join(parts)}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, part in parts.items():
        if what in ("all", name):
            tell_speed()
            part()
            tell_speed()


if __name__ == "__main__":
    main()
