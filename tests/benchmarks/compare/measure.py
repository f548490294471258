"""What is measured: a load, and the figure that is read off what it told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from protocol import OF10, OF13, Version

from .rivals import COMPILED, OS_KEN, OURS, ROOT, Rival, Running, running

_POINTSMAN = "from switch_sim.lab.cli import main; main()"
PATIENCE = 120.0  # seconds after which a load does not end any more
Outcome = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure of a load, what it is to be, and whether more is better.

    `then` is what os-ken did on the machine on which the target was set, 0 where it failed;
    `compiled` the target of the compiled build, 0 where it has no other.
    """

    name: str
    unit: str
    target: float
    read: Callable[[Outcome], float]
    more_is_better: bool = True
    then: float = 0.0
    compiled: float = 0.0

    def target_of(self, rival: str) -> float:
        """Return what is aimed at."""
        return self.compiled if rival == COMPILED.name and self.compiled else self.target

    def wanted_ratio(self, rival: str) -> float | None:
        """Return what the target comes to, as a multiple of what os-ken does."""
        return self.target_of(rival) / self.then if self.then else None

    def is_as_good(self, value: float, wanted: float) -> bool:
        """Whether a value is as wanted, or better."""
        return value >= wanted if self.more_is_better else value <= wanted


@dataclass(frozen=True)
class Load:
    """A load at a version, and the figures that are read of it."""

    version: Version
    switches: int
    words: Sequence[str]
    figures: Sequence[Figure]


def _per_processor(outcome: Outcome) -> float:
    return float(outcome["answered_per_processor_second"])


def _throughput(version: Version, target: float, compiled: float, then: float) -> Load:
    name = f"{version}: packet_ins answered"
    figure = Figure(name, "/CPU s", target, _per_processor, then=then, compiled=compiled)
    by_clock = Figure(
        f"{version}: the same by the clock", "/s", 0.0, lambda told: told["answered_per_second"]
    )
    return Load(
        version, 64, ["throughput", "--warm-up", "1", "--duration", "3"], [figure, by_clock]
    )


def _memory(outcome: Outcome) -> float:
    return float(outcome["controller_growth"]) / outcome["switches"] / 1024


def loads() -> list[Load]:
    """Return all that controllers are compared by."""
    in_flight = ["latency", "--warm-up", "1", "--duration", "3"]
    return [
        _throughput(OF10, 150_000, 250_000, 6_500),
        _throughput(OF13, 120_000, 200_000, 4_200),
        Load(
            OF10, 64, in_flight,
            [Figure("1.0: one in flight a switch, 64 switches", "/CPU s", 60_000, _per_processor,
                    then=6_400)],
        ),
        Load(
            OF13, 1, in_flight,
            [
                Figure(f"1.3: one switch, one in flight, {name}", "µs", target,
                       lambda told, name=name: told["latency_us"][name], more_is_better=False,
                       then=then)
                for name, target, then in (
                    ("p50", 85, 270), ("p99", 1_000, 0), ("p99.9", 5_000, 0)
                )
            ],
        ),
        Load(
            OF13, 1_000, ["storm"],
            [
                Figure("1,000 switches: all are up", "s", 1.0,
                       lambda told: told["up_ms"]["p100"] / 1000, more_is_better=False,
                       then=1.2),
                Figure("1,000 switches: memory of one", "KiB", 15.0, _memory, more_is_better=False,
                       then=48.0),
            ],
        ),
        Load(
            OF13, 5_000, ["storm", "--connect-timeout", "20"],
            [
                Figure("5,000 switches: all are up", "s", 1.5,
                       lambda told: told["up_ms"]["p100"] / 1000, more_is_better=False,
                       then=8.7),
                Figure("5,000 switches: all echo at once", "s", 0.5,
                       lambda told: told["echo_ms"]["p100"] / 1000, more_is_better=False),
                Figure("5,000 switches: memory of one", "KiB", 15.0, _memory, more_is_better=False),
            ],
        ),
    ]  # fmt: skip


#: What the codec alone is held to, beside os-ken's.
FLOW_STATS = Figure(
    "100 flow stats, read", "µs", 300, lambda told: told["straight"], more_is_better=False,
    then=2_550,
)  # fmt: skip


def put(load: Load, on: Running, switches: int) -> Outcome | None:
    """Put a load on a controller; return what was measured, None where it did not bear it."""
    before = _peak_memory(on.pid)
    words = [sys.executable, "-c", _POINTSMAN, "load", *load.words, "--json"]
    words += ["--of-version", str(load.version), "--switches", str(switches)]
    words += ["--controller", f"tcp:127.0.0.1:{on.port}", "--controller-pid", str(on.pid)]
    words += ["--max-lost", "100"]
    try:
        told = subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if told.returncode or not told.stdout.startswith("{"):
        print(f"status {told.returncode}: {told.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    outcome: Outcome = json.loads(told.stdout)
    outcome["controller_growth"] = _peak_memory(on.pid) - before
    return outcome


def _peak_memory(pid: int) -> int:
    """Return the most bytes that a process has had in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (one for one in status.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


class Results:
    """The values of each figure by rival, one a round; None where a load was not borne."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], list[float | None]] = {}

    def note(self, load: Load, rival: Rival, outcome: Outcome | None) -> None:
        """Keep the figures of one load."""
        for figure in load.figures:
            value = None
            if outcome is not None:
                try:
                    value = figure.read(outcome)
                except (KeyError, TypeError):
                    value = None  # such as a percentile of answers that never came
            self.values.setdefault((figure.name, rival.name), []).append(value)

    def note_codec(self, figure: Figure, best: Mapping[str, float]) -> None:
        """Keep what ours and os-ken's took, as `codec.best_of` tells it."""
        for rival, value in ((OURS.name, figure.read(dict(best))), (OS_KEN, best.get(OS_KEN))):
            self.values.setdefault((figure.name, rival), []).append(value)

    def typical(self, figure: str, rival: str) -> float | None:
        """Return the median; None where most rounds have no value."""
        values = self.values.get((figure, rival), [])
        found = [value for value in values if value is not None]
        return median(found) if len(found) * 2 > len(values) else None

    def best(self, figure: Figure, rival: str) -> float | None:
        """Return the best, which other work on the machine has spoilt least."""
        values = [one for one in self.values.get((figure.name, rival), []) if one is not None]
        return (max if figure.more_is_better else min)(values, default=None)

    def ratios(self, figure: str, ours: str, theirs: str) -> list[float]:
        """Return how many times as much one has as another, for each round that both bore."""
        rounds = zip(*(self.values.get((figure, one), []) for one in (ours, theirs)), strict=True)
        return [one / other for one, other in rounds if one is not None and other]

    def spread(self, figure: str, rival: str) -> tuple[float, float] | None:
        """Return the least and the most."""
        values = [one for one in self.values.get((figure, rival), []) if one is not None]
        return (min(values), max(values)) if values else None


def compare(who: Sequence[Rival], what: Iterable[Load], rounds: int) -> Results:
    """Put each load on each rival, by turns, so that what else the machine does hits all."""
    results, listed = Results(), list(what)
    for number in range(rounds):
        add_round(results, who, listed, number)
    return results


def add_round(results: Results, who: Sequence[Rival], what: Iterable[Load], number: int) -> None:
    """Put each load once on each rival."""
    for load in what:
        for rival in who:
            if load.version not in rival.versions:
                continue
            if load.switches > rival.most_switches and load.words[0] == "storm":
                results.note(load, rival, None)
                continue
            with running(rival) as at:
                outcome = put(load, at, min(load.switches, rival.most_switches))
            results.note(load, rival, outcome)
            told = "; ".join(_told(figure, outcome) for figure in load.figures)
            print(f"round {number + 1}: {rival.name}: {told}", file=sys.stderr, flush=True)


def _told(figure: Figure, outcome: Outcome | None) -> str:
    try:
        found = "not borne" if outcome is None else f"{figure.read(outcome):,.1f} {figure.unit}"
    except (KeyError, TypeError):
        found = "no answer"
    return f"{figure.name} {found}"
