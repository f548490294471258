"""The command: compares, prints, and writes the page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from protocol import FlowStatsReply, PacketIn

from .. import codec
from .measure import FLOW_STATS, compare, loads
from .page import page
from .regression import regression
from .rivals import Rival, rivals
from .scale import curves
from .stages import stages

ROUNDS = 3
CODEC_ROUNDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each controller")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument(
        "--regression", action="store_true",
        help="only what is told beside os-ken, shortly; status 1 if ours has become slow",
    )  # fmt: skip
    arguments = parser.parse_args()
    who = list(rivals())
    if arguments.regression:
        sys.exit(regression(who))
    told = _all(who, arguments.rounds)
    if arguments.write is None:
        print(told)
    else:
        arguments.write.write_text(told)


def _all(who: list[Rival], rounds: int) -> str:
    what = loads()
    results = compare(who, what, rounds)
    return page(who, what, results, rounds, _codec(), stages(), list(curves()))


def _codec() -> dict[str, dict[str, float]]:
    contenders = {
        "packet_in, read": codec.decoders(PacketIn, codec.packet_ins),
        FLOW_STATS.name: codec.decoders(FlowStatsReply, codec.replies),
        "flow_mod, made and written": codec.flow_mod_makers(),
    }
    return {title: codec.best_of(them, CODEC_ROUNDS) for title, them in contenders.items()}


if __name__ == "__main__":
    main()
