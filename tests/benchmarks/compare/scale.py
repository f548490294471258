"""What a thing costs when there are more of it: switches, flow entries, ports, applications."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from protocol import OF13, Connection, FlowStats, FlowStatsReply, Hello, Match, MultipartFlags
from protocol.transport.terminal import collect_rarely

from .measure import Figure, Load, put
from .rivals import OURS, Rival, running

READINGS = 3  # of which the best counts: others have what else the machine did


@dataclass(frozen=True)
class Curve:
    """What one thing costs, in units of `y`, against how many there are of it."""

    title: str
    x: str
    y: str
    points: Sequence[tuple[int, float]]


def curves() -> Iterator[Curve]:
    """Measure each curve."""
    yield _curve("A packet_in answered, by switches", "switches", "µs", [1, 16, 64, 256, 1_000],
                 lambda n: _answered(OURS, n))  # fmt: skip
    yield _curve("A packet_in answered, by applications", "applications", "µs", [1, 2, 4, 8],
                 lambda n: _answered(_with_apps(n), 16))  # fmt: skip
    yield _curve("A switch connected, by switches", "switches", "ms", [100, 500, 1_000, 5_000],
                 lambda n: _up(n, ports=4))  # fmt: skip
    yield _curve("A switch connected, by ports", "ports", "ms", [4, 16, 64, 256],
                 lambda n: _up(100, ports=n))  # fmt: skip
    yield _curve("A flow entry read, by entries of a reply", "entries", "µs",
                 [100, 1_000, 10_000, 100_000], _flow_read)  # fmt: skip


def _curve(
    title: str, x: str, y: str, numbers: Sequence[int], cost: Callable[[int], float]
) -> Curve:
    points = []
    for number in numbers:
        value = cost(number)
        print(f"{title}: {number}: {value:,.1f} {y}", file=sys.stderr, flush=True)
        points.append((number, value))
    return Curve(title, x, y, points)


def _with_apps(count: int) -> Rival:
    """Return our controller with a learning switch and others that hear all and do nothing."""
    words = list(OURS.words)
    at = words.index("learning_switch")
    words[at + 1 : at + 1] = ["tests/benchmarks/compare/listener.py"] * (count - 1)
    return replace(OURS, words=words)


def _answered(rival: Rival, switches: int) -> float:
    """Return the microseconds of the processor that a packet_in takes."""
    figure = Figure("", "", 0, lambda told: 1e6 / told["answered_per_processor_second"])
    # So few hosts and packets on their way that all were heard of before it is measured.
    words = ["throughput", "--hosts", "16", "--window", "16", "--warm-up", "2", "--duration", "2"]
    return _cost(rival, Load(OF13, switches, words, [figure]))


def _up(switches: int, ports: int) -> float:
    """Return the milliseconds until all switches are up, a switch."""
    figure = Figure("", "", 0, lambda told: told["up_ms"]["p100"] / switches)
    return _cost(
        OURS,
        Load(OF13, switches, ["storm", "--hosts", str(ports), "--ports", str(ports)], [figure]),
    )


def _cost(rival: Rival, load: Load) -> float:
    with running(rival) as at:
        outcome = put(load, at, load.switches)
    if outcome is None:
        raise SystemExit(f"{load.switches} switches: the load did not end")
    return load.figures[0].read(outcome)


def _flow_read(entries: int) -> float:
    """Return the microseconds that one of so many entries takes to be read off the wire."""
    told = [FlowStats(Match(in_port=1, eth_src=number), priority=5) for number in range(entries)]
    parts = [tuple(told[start : start + 500]) for start in range(0, entries, 500)]
    stream = b"".join(
        FlowStatsReply(part, flags=MultipartFlags.MORE if part is not parts[-1] else 0).encode(OF13)
        for part in parts
    )
    return min(_reading(stream) for _ in range(READINGS)) / entries * 1e6


def _reading(stream: bytes) -> float:
    """Return the seconds of the processor that reading takes, garbage as the controller has it."""
    reader = Connection(0.0, [OF13])
    reader.receive_data(Hello().encode(OF13), 0.0)
    collect_rarely()
    start = time.process_time()
    for at in range(0, len(stream), 65536):
        reader.receive_data(stream[at : at + 65536], 0.0)
    return time.process_time() - start
