"""The command: compares, prints, and writes the page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from protocol import FlowStatsReply, PacketIn

from .. import codec
from .measure import Figure, Load, Results, compare, loads
from .page import page
from .rivals import COMPILED, OS_KEN, OURS, Rival, rivals
from .scale import curves
from .stages import stages

ROUNDS = 3
CODEC_ROUNDS = 10
REGRESSION_ROUNDS = 3
#: Of a ratio that is aimed at in pure Python, what must not be lost: half, where so much was
#: reached with enough to spare, as os-ken is a quarter faster in one run than in another. On 1.0
#: pure Python answers 9 to 11 times as many as os-ken, of 23, and compiled 12 to 15 times.
LEAST = {
    (OURS.name, "1.0"): 0.3,
    (OURS.name, "1.3"): 0.5,
    (COMPILED.name, "1.0"): 0.45,
    (COMPILED.name, "1.3"): 0.75,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each controller")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument(
        "--regression", action="store_true",
        help="only what is answered a CPU second, beside os-ken; status 1 if ours has become slow",
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
        "100 flow stats, read": codec.decoders(FlowStatsReply, codec.replies),
        "flow_mod, made and written": codec.flow_mod_makers(),
    }
    return {title: codec.best_of(them, CODEC_ROUNDS) for title, them in contenders.items()}


def regression(who: list[Rival]) -> int:
    """Tell whether ours has become slow, by what os-ken does in the same minute."""
    them = [one for one in who if one.name in (OURS.name, COMPILED.name, OS_KEN)]
    if OS_KEN not in [one.name for one in them]:
        print("os-ken is not installed: nothing to compare with")
        return 0
    what = [one for one in loads() if one.words[0] == "throughput"]
    results = compare(them, [_short(one) for one in what], REGRESSION_ROUNDS)
    ours = [one.name for one in them if one.name != OS_KEN]
    return max(_verdict(one, name, results) for one in what for name in ours)


def _short(load: Load) -> Load:
    words = ["throughput", "--warm-up", "1", "--duration", "2"]
    return Load(load.version, 16, words, load.figures[:1])


def _verdict(load: Load, name: str, results: Results) -> int:
    figure: Figure = load.figures[0]
    ours, theirs = (results.best(figure, one) for one in (name, OS_KEN))
    assert ours is not None, f"{name} did not bear the load"
    assert theirs, "os-ken did not bear the load"
    aim = figure.wanted_ratio
    assert aim is not None
    ratio, least = ours / theirs, LEAST[name, str(load.version)] * aim
    sentence = (
        f"{figure.name}, {name}: {ratio:.1f} times os-ken; at least {least:.1f}, aim {aim:.1f}"
    )
    print(sentence if ratio >= least else f"{sentence}: TOO SLOW")
    return int(ratio < least)


if __name__ == "__main__":
    main()
