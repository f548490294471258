"""How long a message takes: the straight form, the interpreted one, and os-ken.

    python -m tests.benchmarks.codec [rounds]

Values are new in each round, as in life: ports vary over 64, addresses over thousands, so
that flow entries hardly ever come again and nothing that is kept ready flatters. The
contenders take turns in each round, and the best round of each counts: what else the machine
does hits all alike.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from protocol import (
    OF13,
    ApplyActions,
    FlowMod,
    FlowStats,
    FlowStatsReply,
    Match,
    Message,
    Output,
    PacketIn,
    PacketInReason,
    Stats,
)

try:
    from os_ken.ofproto import ofproto_parser, ofproto_v1_3, ofproto_v1_3_parser
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc
except ImportError:
    ProtocolDesc = None

PORTS = 64
ADDRESSES = 4096
MESSAGES = 2000  #: a round
ENTRIES = 100  #: of a flow stats reply
ROUNDS = 15


class Flow(NamedTuple):
    """What differs from one message to the next."""

    in_port: int
    eth_src: str
    eth_dst: str
    out_port: int


class Contender(NamedTuple):
    """A way to do the work, on each of its inputs, which are made of a round's flows."""

    name: str
    work: Callable[[Any], object]
    inputs: Callable[[Sequence[Flow]], Sequence[Any]]


def flows(seed: int) -> list[Flow]:
    """Return the flows of a round, the same in each run."""
    dice = random.Random(seed)
    addresses = [dice.randbytes(6).hex(":") for _ in range(ADDRESSES)]
    ports = range(1, PORTS + 1)
    return [
        Flow(dice.choice(ports), dice.choice(addresses), dice.choice(addresses), dice.choice(ports))
        for _ in range(MESSAGES)
    ]


def packet_in(flow: Flow) -> bytes:
    """Return a packet_in of a frame of 98 bytes."""
    addresses = flow.eth_dst + flow.eth_src
    frame = bytes.fromhex(addresses.replace(":", "")) + b"\x08\x00" + bytes(84)
    match = Match(in_port=flow.in_port)
    return PacketIn(total_len=98, reason=PacketInReason.NO_MATCH, match=match, data=frame).encode(
        OF13
    )


def flow_mod(flow: Flow) -> FlowMod:
    """Return what a learning switch says."""
    match = Match(in_port=flow.in_port, eth_src=flow.eth_src, eth_dst=flow.eth_dst)
    actions = ApplyActions((Output(flow.out_port),))
    return FlowMod(match, (actions,), priority=10, idle_timeout=300)


def flow_stats_reply(entries: Sequence[Flow]) -> bytes:
    """Return what a switch tells of its entries."""
    stats = Stats(duration_sec=7, duration_nsec=5, packet_count=100, byte_count=9800)
    told = [flow_mod(entry) for entry in entries]
    return FlowStatsReply(
        tuple(
            FlowStats(one.match, one.instructions, one.priority, one.idle_timeout, stats=stats)
            for one in told
        )
    ).encode(OF13)


def decoders(
    cls: type[Message], inputs: Callable[[Sequence[Flow]], Sequence[bytes]]
) -> list[Contender]:
    """Return who reads messages of a class."""
    reference = cls.at(OF13)
    found = [
        Contender("straight", Message.decode, inputs),
        Contender("construct", reference.parse, inputs),
    ]
    if ProtocolDesc:
        datapath = ProtocolDesc(OF13)

        def decode(data: bytes) -> object:
            version, number, length, xid = ofproto_parser.header(data)
            return ofproto_parser.msg(datapath, version, number, length, xid, data)

        found.append(Contender("os-ken", decode, inputs))
    return found


def packet_ins(flows: Sequence[Flow]) -> list[bytes]:
    """Return packet_ins as they come."""
    return list(map(packet_in, flows))


def flow_mods(flows: Sequence[Flow]) -> list[bytes]:
    """Return flow_mods as they come."""
    return [flow_mod(flow).encode(OF13) for flow in flows]


def replies(flows: Sequence[Flow]) -> list[bytes]:
    """Return flow stats replies as they come."""
    starts = range(0, len(flows), ENTRIES)
    return [flow_stats_reply(flows[start : start + ENTRIES]) for start in starts]


def os_ken_flow_mod(flow: Flow) -> Any:
    """Return the same flow_mod as os-ken has it."""
    parser = ofproto_v1_3_parser
    match = parser.OFPMatch(in_port=flow.in_port, eth_src=flow.eth_src, eth_dst=flow.eth_dst)
    actions = parser.OFPInstructionActions(
        ofproto_v1_3.OFPIT_APPLY_ACTIONS, [parser.OFPActionOutput(flow.out_port)]
    )
    return parser.OFPFlowMod(
        ProtocolDesc(OF13), match=match, instructions=[actions], priority=10, idle_timeout=300
    )


def flow_mod_encoders() -> list[Contender]:
    """Return who writes flow_mods; nothing of a message was written before."""
    reference = FlowMod.at(OF13)

    def made(flows: Sequence[Flow]) -> list[FlowMod]:
        return list(map(flow_mod, flows))

    found = [
        Contender("straight", lambda message: message.encode(OF13), made),
        Contender("construct", reference.build, made),
    ]
    if ProtocolDesc:
        serialize = ofproto_v1_3_parser.OFPFlowMod.serialize
        found.append(
            Contender("os-ken", serialize, lambda flows: list(map(os_ken_flow_mod, flows)))
        )
    return found


def flow_mod_makers() -> list[Contender]:
    """Return who makes flow_mods, of addresses as text, and writes them."""
    reference = FlowMod.at(OF13)

    def same(flows: Sequence[Flow]) -> Sequence[Flow]:
        return flows

    found = [
        Contender("straight", lambda flow: flow_mod(flow).encode(OF13), same),
        Contender("construct", lambda flow: reference.build(flow_mod(flow)), same),
    ]
    if ProtocolDesc:
        found.append(Contender("os-ken", lambda flow: os_ken_flow_mod(flow).serialize(), same))
    return found


def best_of(contenders: list[Contender], rounds: int) -> dict[str, float]:
    """Return the microseconds a message of each contender's best round."""
    best = {contender.name: float("inf") for contender in contenders}
    for seed in range(rounds):
        drawn = flows(seed)
        for name, work, fresh in contenders:
            inputs = fresh(drawn)
            start = time.perf_counter()
            for one in inputs:
                work(one)
            spent = time.perf_counter() - start
            best[name] = min(best[name], spent / len(inputs) * 1e6)
    return best


def report(title: str, best: dict[str, float]) -> None:
    """Print a line a contender: microseconds, and how many times ours that is."""
    print(title)
    for name, spent in best.items():
        print(f"  {name:<10} {spent:8.2f} µs   {spent / best['straight']:6.1f} x")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    report("packet_in, read", best_of(decoders(PacketIn, packet_ins), rounds))
    report("flow_mod, read", best_of(decoders(FlowMod, flow_mods), rounds))
    title = f"flow stats reply with {ENTRIES} entries, read"
    report(title, best_of(decoders(FlowStatsReply, replies), rounds))
    report("flow_mod, written", best_of(flow_mod_encoders(), rounds))
    report("flow_mod, made and written", best_of(flow_mod_makers(), rounds))
    if not ProtocolDesc:
        print("os-ken is not installed: left out")


if __name__ == "__main__":
    main()
