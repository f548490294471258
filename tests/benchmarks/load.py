"""How much load one core makes: packet_ins sent and answers counted, against a sink.

    python -m tests.benchmarks.load

The sink is a process of its own that answers with canned bytes: it copies whole columns of
buffer_ids from what it read into what it writes, and looks at no message by itself. So it is
faster than what is measured, and what is measured is what `pointsman load` can do at most.
"""

from __future__ import annotations

import multiprocessing
import os
import selectors
import socket
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from protocol import (
    OF10,
    OF13,
    ApplyActions,
    FeaturesRequest,
    FlowMod,
    Hello,
    Match,
    Output,
    PacketIn,
    PacketOut,
    Version,
)
from protocol.endpoint import Endpoint
from switch_sim.load.outcome import Outcome
from switch_sim.load.plan import Mode, Plan
from switch_sim.load.processes import run_in_processes
from switch_sim.load.ring import Ring
from switch_sim.load.sockets import Place
from switch_sim.load.steps import place
from switch_sim.load.traffic import Kind

TARGET = 400_000  # packet_ins sent and answered a second of one core
SWITCHES = 16
PLAN = Plan(Mode.THROUGHPUT, switches=SWITCHES, hosts=1_024, window=256, duration=2.0)
READ_SIZE = 1 << 17
_PACKET_IN = 10
SPAWN = multiprocessing.get_context("spawn")


class Sink:
    """Answers each packet_in with a packet_out, and with a flow_mod before it if wanted."""

    def __init__(self, version: Version, both: bool) -> None:
        self._version = version
        self._before = _flow_mod().encode(version) if both else b""
        self._answer = self._encode(0)
        self._stride = Ring(Plan().traffic(version), Kind.PACKET_IN, 1).stride
        (self._reads,) = place(lambda value: _packet_in(value).encode(version), 4)
        self._writes = place(self._encode, 4)[0]

    def _encode(self, buffer_id: int) -> bytes:
        return self._before + PacketOut((Output(2),), buffer_id=buffer_id).encode(self._version)

    def greet(self) -> bytes:
        """Return what a controller begins with."""
        return Hello.offering([self._version]).encode(self._version) + FeaturesRequest().encode(
            self._version
        )

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the answers to whole packet_ins, and the rest that is none yet."""
        at = 0
        while len(data) - at >= 8 and data[at + 1] != _PACKET_IN:
            at += int.from_bytes(data[at + 2 : at + 4], "big")
        count = max(len(data) - at, 0) // self._stride
        end = at + count * self._stride
        out, size = bytearray(self._answer * count), len(self._answer)
        for byte in range(4) if count else ():
            column = data[at + self._reads + byte : end : self._stride]
            out[self._writes + byte :: size] = column
        return bytes(out), data[end:]


def _flow_mod() -> FlowMod:
    match = Match(in_port=1, eth_src=1, eth_dst=2)
    return FlowMod(match, instructions=(ApplyActions((Output(2),)),), idle_timeout=300)


def _packet_in(buffer_id: int) -> PacketIn:
    return PacketIn(buffer_id, match=Match(in_port=1))


def serve(told: Connection, version: Version, both: bool) -> None:
    """Be a controller until the process is ended."""
    sink, rest = Sink(version, both), dict[socket.socket, bytes]()
    listener = socket.create_server(("127.0.0.1", 0), backlog=SWITCHES)
    told.send(listener.getsockname()[1])
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    channel, _ = listener.accept()
                    channel.sendall(sink.greet())
                    selector.register(channel, selectors.EVENT_READ)
                    rest[channel] = b""
                elif data := key.fileobj.recv(READ_SIZE):
                    answers, rest[key.fileobj] = sink.receive(rest[key.fileobj] + data)
                    key.fileobj.sendall(answers)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def measure(version: Version, both: bool, **changes: Any) -> Outcome:
    """Put load on a sink of its own."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(theirs, version, both), daemon=True)
    process.start()
    try:
        where = Place.of(Endpoint("tcp", "127.0.0.1", ours.recv()))
        return run_in_processes(
            replace(PLAN, versions=frozenset({version}), **changes), 1, where, None, lambda _: None
        )
    finally:
        process.terminate()
        process.join()


def report(what: str, outcome: Outcome) -> None:
    """Print what a processor second of the switches is good for."""
    answered = outcome.answered / outcome.processor
    answers = (outcome.flow_mods + outcome.packet_outs) / outcome.processor
    print(
        f"{what:<40} {answered:>9,.0f} packet_ins answered and {answers:>9,.0f} messages counted "
        f"a processor second: {answered / TARGET:.2f} of what is wanted "
        f"({outcome.a_second(outcome.answered):,.0f} a second)",
        flush=True,
    )


def main() -> None:
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for version in (OF10, OF13):
        for both, words in ((False, "packet_out"), (True, "flow_mod and packet_out")):
            outcome = measure(version, both)
            assert outcome.tally.lost == 0
            report(f"OpenFlow {version}, {words}", outcome)
    latency = measure(OF13, False, mode=Mode.LATENCY, window=1)
    print(
        f"one in flight a switch: {latency.processor / latency.answered * 1e6:.1f} µs of a "
        f"processor each; half came within {latency.tally.latency.percentile(50) * 1e6:.0f} µs"
    )


if __name__ == "__main__":
    main()
