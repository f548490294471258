"""Whether `pointsman load` tells of a controller what cbench tells, OpenFlow 1.0.

    python -m tests.benchmarks.cbench --cbench PATH [--pairs 6] [--only "pointsman | one in flight"]

cbench is built elsewhere (github.com/mininet/oflops, in cbench/). Each pair is one run of both
on the same controller, one behind the other, and who begins changes: what else the machine
does hits both. A ratio is ours to cbench's, of one pair; told are the median and the ends.
The controller's process is watched as well: what it answers a processor second changes less
with what else there is to run. With two processors the controller has one of them.

Where others work on the machine, let them wait: `nice -n -20`, and since Linux counts that
within a session only, as root `echo -20 > /proc/self/autogroup` in the shell before.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from protocol import OF10
from switch_sim.load.watch import processor_seconds

from .compare.measure import Load, put
from .compare.rivals import OURS, Running, rivals, running

SECONDS = 2  # that are counted; ours warms up for half of that, cbench for all
FRAME = 64  # bytes: what cbench sends
DEEP = 8_000  # packet_ins on their way: 656,000 bytes of them
PATIENCE = 60.0  # seconds after which cbench does not end any more
WITHIN = 0.15  # how far the two may be apart

# cbench counts messages for a while, sleeps, reads what is left, and tells: a test.
_TOLD = re.compile(r"total = ([\d.]+) per ms")


@dataclass(frozen=True)
class Mode:
    """What both do, in the words of each."""

    name: str
    switches: int
    hosts: int  #: of each switch
    cbench: Sequence[str]
    load: Sequence[str]


MODES = (
    # cbench sends whatever the connection takes: the controller is never without packets, and
    # all that wait are not in the processor's caches.
    Mode(
        "throughput, 8 switches", 8, DEEP, ["-t"], ["throughput", "--busy", "--window", str(DEEP)]
    ),
    Mode("one in flight, 8 switches", 8, 1_000, [], ["latency", "--busy"]),
    Mode("one in flight, 1 switch", 1, 1_000, [], ["latency", "--busy"]),
)


@dataclass(frozen=True)
class Rates:
    """flow_mods and packet_outs that came: a second, and a second of the controller's processor."""

    by_clock: float
    by_processor: float
    own: float = 0.0  #: which part of a processor the switches themselves took


def by_cbench(program: str, mode: Mode, at: Running) -> Rates:
    """Let cbench measure; the first test warms up, and the second counts."""
    words = [program, "-c", "127.0.0.1", "-p", str(at.port), "-s", str(mode.switches)]
    words += ["-M", str(mode.hosts), "-l", "2", "-w", "1", "-m", str(SECONDS * 1000), *mode.cbench]
    ours, theirs = pty.openpty()  # a line is written when it is whole, as for a terminal
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        try:
            tests = _tests(ours)
            next(tests)
            began = processor_seconds(at.pid)
            time.sleep(SECONDS)
            ended = processor_seconds(at.pid)
            rate = next(tests) * 1000
            process.wait(PATIENCE)
        except BaseException:
            process.kill()
            raise
        finally:
            os.close(ours)
    assert began is not None
    assert ended is not None
    return Rates(rate, rate * SECONDS / (ended - began))


def _tests(terminal: int) -> Iterator[float]:
    """Yield what each test counted a millisecond, as soon as it is told."""
    told = ""
    while True:
        try:
            told += os.read(terminal, 4096).decode()
        except OSError:  # how the end of a terminal is told
            raise RuntimeError(f"cbench told: {told}") from None
        while found := _TOLD.search(told):
            yield float(found[1])
            told = told[found.end() :]


def by_ours(mode: Mode, at: Running) -> Rates:
    """Let `pointsman load` measure."""
    words = [*mode.load, "--hosts", str(mode.hosts), "--frame-size", str(FRAME)]
    words += ["--warm-up", str(SECONDS / 2), "--duration", str(SECONDS)]
    told = put(Load(OF10, mode.switches, words, []), at, mode.switches)
    assert told is not None, "the controller did not bear it"
    rate, seconds = told["responses_per_second"], told["seconds"]
    return Rates(
        rate,
        rate * seconds / told["controller_processor_seconds"],
        told["load_processor_seconds"] / seconds,
    )


def pairs(program: str, mode: Mode, at: Running, count: int) -> Iterator[tuple[Rates, Rates]]:
    """Yield what cbench and ours measured, who begins by turns."""
    for number in range(count):
        if number % 2:
            ours = by_ours(mode, at)
            yield by_cbench(program, mode, at), ours
        else:
            theirs = by_cbench(program, mode, at)
            yield theirs, by_ours(mode, at)


def _row(name: str, mode: Mode, found: Sequence[tuple[Rates, Rates]]) -> str:
    cells = [name, mode.name]
    for read in (lambda one: one.by_clock, lambda one: one.by_processor):
        theirs, ours = ([read(one[side]) for one in found] for side in (0, 1))
        ratios = sorted(b / a for a, b in zip(theirs, ours, strict=True))
        cells += [f"{median(theirs):,.0f}", f"{median(ours):,.0f}"]
        middle = median(ratios)
        mark = "" if abs(middle - 1) <= WITHIN else " !"
        cells.append(f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}){mark}")
    cells.append(f"{median(ours.own for _, ours in found):.2f}")
    return f"| {' | '.join(cells)} |"


@contextmanager
def _apart(at: Running) -> Iterator[None]:
    """Give the controller a processor, and those who ask it another, where there are two."""
    everywhere = os.sched_getaffinity(0)
    mine, *others = sorted(everywhere)
    if others:
        os.sched_setaffinity(at.pid, {others[0]})
        os.sched_setaffinity(0, {mine})  # and all that we start from now on
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


HEAD = """\
| controller | mode | cbench, /s | ours, /s | ratio | cbench, /CPU s | ours, /CPU s | ratio | load |
| --- | --- | ---: | ---: | --- | ---: | ---: | --- | ---: |"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cbench")
    parser.add_argument("--cbench", default=shutil.which("cbench"), metavar="PATH")
    parser.add_argument("--pairs", type=int, default=6, help="runs of each, by turns")
    parser.add_argument("--only", default="", metavar="TEXT", help="lines that have this in them")
    arguments = parser.parse_args()
    if not arguments.cbench or not shutil.which(arguments.cbench):
        print("cbench is not here: build it from github.com/mininet/oflops and say --cbench PATH")
        return
    who = [one for one in rivals() if one.name in (OURS.name, "ovs-testcontroller")]
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(HEAD, flush=True)
    for rival in who:
        for mode in MODES:
            if arguments.only not in f"{rival.name} | {mode.name}":
                continue
            with running(rival) as at, _apart(at):
                found = list(pairs(arguments.cbench, mode, at, arguments.pairs))
            print(_row(rival.name, mode, found), flush=True)


if __name__ == "__main__":
    main()
