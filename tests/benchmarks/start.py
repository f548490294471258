"""How long `import protocol` takes in a fresh process, and the first packet_in with it.

    python -m tests.benchmarks.start [rounds]

Seconds of the processor, the best round of each: what else the machine does disturbs it
least. The interpreter's own start is told apart. Bytecode is there, as after an installation.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import NamedTuple

from protocol import OF13, Match, PacketIn

ROUNDS = 15
FRAME = bytes(60)
DATA = PacketIn(total_len=60, match=Match(in_port=1), data=FRAME).encode(OF13)


class Start(NamedTuple):
    """A program, and the milliseconds that it may take."""

    name: str
    program: str
    wanted: float


STARTS = (
    Start("python alone", "pass", 0),
    Start("import protocol", "import protocol", 120),
    Start(
        "and the first packet_in",
        f"import protocol; protocol.Message.decode(bytes.fromhex('{DATA.hex()}'))",
        200,
    ),
)


_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def spent(program: str) -> float:
    """Return the milliseconds of the processor that a process takes for a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], env=_ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    spent(STARTS[-1].program)  # writes the bytecode
    best = {start.name: float("inf") for start in STARTS}
    for _ in range(rounds):
        for start in STARTS:
            best[start.name] = min(best[start.name], spent(start.program))
    alone = best[STARTS[0].name]
    for name, _, wanted in STARTS[1:]:
        print(f"{name:<24} {best[name] - alone:6.0f} ms; wanted: less than {wanted:.0f}")
    print(f"{STARTS[0].name:<24} {alone:6.0f} ms, not counted")


if __name__ == "__main__":
    main()
