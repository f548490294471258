"""How fast and how small the simulated switch is, beside what it is to be.

    python -m tests.benchmarks.forwarding [rounds]

Times are of the processor, the best of several rounds: what else the machine does hits
less. No frame and no entry comes twice where the work is to be done anew. Python collects
garbage as often as in `pointsman switches`.
"""

from __future__ import annotations

import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from protocol import (
    OF13,
    ApplyActions,
    Connection,
    FlowMod,
    FlowStatsReply,
    FlowStatsRequest,
    Hello,
    MacAddress,
    Match,
    Message,
    Output,
    PortDesc,
)
from protocol.transport.terminal import collect_rarely
from switch_sim import Session, Switch
from switch_sim.channel import READ_SIZE

PORTS = 8
ENTRIES = 100_000
FRAMES = 5_000  #: a round
ROUNDS = 5
SIZE = 64  #: bytes of a frame


class Figure(NamedTuple):
    """What was measured, in a unit, and what it is to be at most or at least."""

    name: str
    value: float
    unit: str
    target: float
    is_least: bool = False

    def __str__(self) -> str:
        is_met = self.value >= self.target if self.is_least else self.value <= self.target
        sign = ">=" if self.is_least else "<="
        verdict = "" if is_met else "   MISSED"
        found = f"{self.name:<56} {self.value:>10,.1f} {self.unit:<6}"
        return f"{found} {sign} {self.target:,.0f}{verdict}"


def switch() -> tuple[Switch, Session]:
    """Return a switch with a controller."""
    ports = [PortDesc(number, MacAddress(number), f"p{number}") for number in range(1, PORTS + 1)]
    made = Switch(1, ports)
    return made, made.connect(OF13)


def frame(ipv4_dst: int) -> bytes:
    """Return a TCP segment of 64 bytes to an address."""
    head = bytes.fromhex("00000000000200000000000108004500003200010000400600000a000001")
    ports = bytes.fromhex("03e800500000000100000002501203e800000000")
    return (head + ipv4_dst.to_bytes(4, "big") + ports).ljust(SIZE, b"\0")


def seconds(work: Callable[[], object]) -> float:
    """Return the processor's time that some work takes."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def cached(rounds: int) -> Figure:
    """Measure frames whose like came before, through one table with one entry."""
    made, session = switch()
    made.handle(session, FlowMod(Match(in_port=1), (ApplyActions((Output(2),)),)), 0.0)
    inputs = [frame(address) for address in random.Random(1).choices(range(1 << 32), k=FRAMES)]

    def work() -> None:
        for data in inputs:
            made.receive_frame(1, data, 1.0)

    best = min(seconds(work) for _ in range(rounds)) / FRAMES
    sent = made.ports[2].counters.tx_packets
    assert sent == rounds * FRAMES, f"{sent} frames were sent"
    return Figure("a frame whose like came before, one table", best * 1e6, "µs", 5)


def uncached(rounds: int) -> Figure:
    """Measure frames that are looked up among 1,000 entries with 10 masks, and then kept."""
    dice = random.Random(2)
    made, session = switch()
    prefixes: list[tuple[int, int]] = []
    for length in range(16, 26):
        mask = (1 << 32) - (1 << 32 - length)
        for _ in range(100):
            prefixes.append((dice.getrandbits(32) & mask, mask))
            match = Match(eth_type=0x0800, ipv4_dst=prefixes[-1])
            actions = (ApplyActions((Output(dice.randint(2, PORTS)),)),)
            made.handle(session, FlowMod(match, actions, priority=length), 0.0)
    times = []
    for _ in range(rounds):
        # A walk that was kept stands for all addresses that are the same in 25 bits.
        addresses = {
            (prefix | dice.getrandbits(32) & ~mask) >> 7 << 7
            for prefix, mask in dice.choices(prefixes, k=FRAMES * 2)
        }
        inputs = [frame(address) for address in list(addresses)[:FRAMES]]
        made.datapath.fast_path.cache.flush()

        def work(inputs: Sequence[bytes] = inputs) -> None:
            for data in inputs:
                made.receive_frame(1, data, 1.0)

        times.append(seconds(work) / len(inputs))
    name = "a frame that is new, among 1,000 entries in 10 masks"
    return Figure(name, min(times) * 1e6, "µs", 30)


def flow_mods() -> list[bytes]:
    """Return as many entries as are measured, as they come from the wire; no two are alike."""
    return [
        FlowMod(
            Match(
                in_port=number % PORTS + 1,
                eth_type=0x0800,
                ip_proto=6,
                ipv4_dst=number * 7919,
                tcp_dst=number & 0xFFFF,
            ),
            (ApplyActions((Output(number % 64 + 1),)),),
            priority=number % 10 + 1,
            idle_timeout=300,
        ).encode(OF13)
        for number in range(ENTRIES)
    ]


def fill(made: Switch, session: Session, messages: Sequence[bytes]) -> None:
    """Read messages off the wire, as much at a time as a channel does, and do them."""
    connection = Connection(0.0, [OF13])
    connection.receive_data(Hello().encode(OF13), 0.0)
    stream = b"".join(messages)
    for start in range(0, len(stream), READ_SIZE):
        for event in connection.receive_data(stream[start : start + READ_SIZE], 0.0):
            assert isinstance(event, Message), f"{event} came of a flow_mod"
            made.handle(session, event, 0.0)


def added(messages: Sequence[bytes], rounds: int) -> Figure:
    """Measure how many flow_mods are read and done in a second."""
    times = []
    for _ in range(min(rounds, 3)):
        made, session = switch()
        times.append(seconds(lambda made=made, session=session: fill(made, session, messages)))  # type: ignore[misc]
        assert len(made.tables[0]) == ENTRIES
    name = f"flow_mods from the wire, {ENTRIES:,} entries added"
    return Figure(name, ENTRIES / min(times), "/s", 50_000, is_least=True)


def size_of_entries(messages: Sequence[bytes]) -> Figure:
    """Measure the memory of an entry."""
    made, session = switch()
    fill(made, session, messages[:100])
    gc.collect()
    tracemalloc.start()
    fill(made, session, messages[100:20_100])
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Figure("memory of an entry", size / 20_000, "bytes", 1_200)


def size_of_switch() -> Figure:
    """Measure the memory of a switch that nobody uses."""
    switch()  # what is made once in the process
    gc.collect()
    tracemalloc.start()
    made = switch()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(made[0].ports) == PORTS
    return Figure(f"memory of an idle switch with {PORTS} ports", size / 1000, "KB", 60)


def stats(messages: Sequence[bytes]) -> list[Figure]:
    """Measure a flow stats reply of all entries: the whole, and the longest part.

    Between two parts others have their turn, so the longest is how long they wait.
    """
    small, other = switch()
    fill(small, other, messages[:1])
    list(_slices(small, other))  # what is made once in the process
    made, session = switch()
    fill(made, session, messages)
    gc.collect()
    slices = list(_slices(made, session))
    entries = f"of {ENTRIES:,} entries"
    return [
        Figure(f"flow stats {entries}, longest that others wait", max(slices) * 1e3, "ms", 20),
        Figure(f"flow stats {entries}, altogether", sum(slices), "s", 10),
    ]


def _slices(made: Switch, session: Session) -> Iterator[float]:
    """Yield how long each part takes: making it, and putting it into bytes.

    As in a channel, the collector of garbage rests meanwhile.
    """
    start = time.process_time()
    effects = made.handle(session, FlowStatsRequest(), 1.0)
    count = 0
    rest = iter(effects.answers[0][1]) if effects.answers else iter(())
    part: Message | None = effects.messages[0][1]
    while part is not None:
        assert isinstance(part, FlowStatsReply)
        count += len(part.flows)
        part.encode(OF13)
        del part
        yield time.process_time() - start
        gc.enable()
        start = time.process_time()
        gc.disable()
        part = next(rest, None)
    gc.enable()
    assert count == len(made.tables[0]), f"{count} entries were told"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    collect_rarely()
    print(cached(rounds), uncached(rounds), size_of_switch(), sep="\n", flush=True)
    messages = flow_mods()
    print(size_of_entries(messages), added(messages, rounds), sep="\n", flush=True)
    print(*stats(messages), sep="\n")


if __name__ == "__main__":
    main()
