"""How many lines a second `pointsman codec` answers: the whole process, through pipes.

    python -m tests.benchmarks.codec_lines [lines]

Short messages in all versions, mixed: echo requests, hellos, packet_ins with a frame of 60
bytes, flow_mods of 80 to 136 bytes. Each line differs from the others in addresses, ports
and numbers. The start of the interpreter and the first of each kind are told apart.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from protocol import (
    ALL_VERSIONS,
    OF10,
    ApplyActions,
    EchoRequest,
    FlowMod,
    Hello,
    Match,
    Message,
    Output,
    PacketIn,
    PacketInReason,
    Version,
)

LINES = 60_000
WANTED = 10_000  #: lines a second
FRAME = 60  #: bytes


def echo(dice: random.Random) -> Message:
    return EchoRequest(dice.randbytes(dice.randrange(16)))


def hello(dice: random.Random) -> Message:
    return Hello.offering(ALL_VERSIONS)


def packet_in(dice: random.Random) -> Message:
    """Return a packet_in of a ping."""
    head = dice.randbytes(12) + bytes.fromhex("0800 45000020 00010000 4001 0000")
    frame = (head + dice.randbytes(8) + bytes.fromhex("0800")).ljust(FRAME, b"\0")
    match = Match(in_port=dice.randrange(1, 1000))
    return PacketIn(
        total_len=FRAME, reason=PacketInReason.NO_MATCH, cookie=0, match=match, data=frame
    )


def flow_mod(dice: random.Random) -> Message:
    """Return what a learning switch says, or a rule for TCP."""
    match = Match(
        in_port=dice.randrange(1, 1000),
        eth_src=dice.randrange(1 << 48),
        eth_dst=dice.randrange(1 << 48),
    )
    if dice.random() < 0.5:
        match = Match(eth_type=0x0800, ip_proto=6, ipv4_dst=dice.randrange(1 << 32), tcp_dst=80)
    actions = ApplyActions((Output(dice.randrange(1, 1000)),))
    return FlowMod(match, (actions,), priority=dice.randrange(1 << 16), idle_timeout=60)


KINDS: tuple[Callable[[random.Random], Message], ...] = (echo, hello, packet_in, flow_mod)


def lines(count: int) -> bytes:
    """Return the same lines in each run."""
    dice = random.Random(5)
    found = []
    for at in range(count):
        version = Version(1 + at % len(Version))
        said = dice.choice(KINDS)(dice).numbered(at)
        if version == OF10 and isinstance(said, Hello):
            said = Hello(xid=at)
        found.append(said.encode(version).hex())
    return "\n".join(found).encode() + b"\n"


class Spent(NamedTuple):
    """What a process took."""

    wall: float  #: seconds
    processor: float  #: seconds; what else the machine does disturbs it less


def answered(text: bytes) -> Spent:
    """Return what a process takes for all these lines; each must be answered."""
    program = "from switch_sim.lab.cli import main; main(['codec'])"
    before, start = _processor(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], input=text, stdout=subprocess.PIPE, check=True
    )
    spent = Spent(time.perf_counter() - start, _processor() - before)
    answers = done.stdout.splitlines()
    if len(answers) != text.count(b"\n") or any(b'"error"' in one[:9] for one in answers):
        raise SystemExit("some lines were not answered, or with an error")
    return spent


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    text = lines(count)
    first = answered(lines(4 * len(Version)))
    spent = answered(text)
    print(f"pointsman codec, {count} lines of {len(text) // count} characters")
    print(f"  {count / spent.wall:8.0f} lines a second, the start included; wanted: {WANTED}")
    rate, start = count / (spent.processor - first.processor), first.processor * 1000
    print(f"  {rate:8.0f} a second of the processor, without the start of {start:.0f} ms")


if __name__ == "__main__":
    main()
