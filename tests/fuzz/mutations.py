"""Mutated messages: whatever comes, a DecodeError or a message, and soon.

    python -m tests.fuzz.mutations --count 1000000 --seed 1

Takes the bytes of all vectors in every version that knows their type, damages them as
peers and line noise do, and asks of them what `targets.message` does: they are decoded, and
what is a message is encoded and decoded again. It ends with status 1 on the first finding,
and tells the slowest message and the memory that was needed. `guided.py` searches longer.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fuzz.targets import framed, message, messages, timed

GROWTH = 16  # bytes by which a message is made longer at most
EDGES = (0, 1, 3, 4, 7, 8, 0x7F, 0x80, 0xFE, 0xFF)


@dataclass
class Report:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  #: seconds
    slowest_data: bytes = b""

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return (
            f"{told}; slowest {self.slowest * 1000:.1f} ms ({len(self.slowest_data)} bytes), "
            f"{peak} MiB at most"
        )


def mutated(chance: random.Random, known: list[bytes]) -> bytes:
    """Return one of `known`, damaged behind its header."""
    data = bytearray(chance.choice(known))
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        _damage(chance, data, known)
    return bytes(data)


def _damage(chance: random.Random, data: bytearray, known: list[bytes]) -> None:
    at = chance.randrange(8, len(data)) if len(data) > 8 else len(data)
    match chance.randrange(7):
        case 0 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            data[at] = chance.choice(EDGES)
        case 2 if at + 2 <= len(data):  # most lengths have 16 bits
            data[at : at + 2] = chance.choice(EDGES).to_bytes(2, "big")
        case 3:
            del data[at : at + chance.randrange(1, GROWTH)]
        case 4:
            data[at:at] = chance.randbytes(chance.randrange(1, GROWTH))
        case 5:  # a piece of another message
            other = chance.choice(known)
            data[at:at] = other[chance.randrange(len(other)) :]
        case _:  # a piece of itself, again
            data[at:at] = data[at : at + chance.randrange(1, 8 * GROWTH)]


def run(count: int, seed: int, known: list[bytes] | None = None) -> Report:
    """Check `count` mutated messages; what is found is passed on."""
    report, chance = Report(), random.Random(seed)
    known = known or messages()
    for data in known:  # so that layouts are compiled, which is not a message's fault
        message(data)
    for data in _all(chance, known, count):
        try:
            outcome, taken = timed(message, data)
        except Exception:
            print(f"seed {seed}: {framed(data).hex()}", file=sys.stderr)
            raise
        report.outcomes[outcome] += 1
        if taken > report.slowest:
            report.slowest, report.slowest_data = taken, data
    return report


def _all(chance: random.Random, known: list[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield mutated(chance, known)


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = run(given.count, given.seed)
    print(f"{given.count} mutated messages, seed {given.seed}: {report}")


if __name__ == "__main__":
    main()
