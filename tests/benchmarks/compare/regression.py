"""Whether ours has become slow: shortly, by what os-ken does in the same minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocol import FlowStatsReply
from tests.benchmarks import codec

from .measure import FLOW_STATS, Figure, Load, Results, add_round, loads
from .rivals import COMPILED, OS_KEN, OURS, Rival

ROUNDS = 9  # at most
PART = 0.5  # of each target, as a multiple of os-ken's: what must be kept
CODEC_ROUNDS = 5


class Verdict(NamedTuple):
    """A figure of ours in a line, and whether it is too slow."""

    line: str
    is_slow: bool


def regression(who: Sequence[Rival]) -> int:
    """Print each figure beside its least, and return 1 if one is below it, else 0.

    A machine may be half as fast in one second as in the next. So the best of all rounds is
    held to os-ken's best, and there are more rounds of what did not show enough yet.
    """
    them = [one for one in who if one.name in (OURS.name, COMPILED.name, OS_KEN)]
    if OS_KEN not in [one.name for one in them]:
        print("os-ken is not installed: nothing to compare with")
        return 0
    ours, results = [one.name for one in them if one.name != OS_KEN], Results()
    what = left = _loads()
    for number in range(ROUNDS):
        add_round(results, them, left, number)
        left = [one for one in left if any(_verdict(one, name, results).is_slow for name in ours)]
        if not left:
            break
    verdicts = [_verdict(load, name, results) for load in what for name in ours]
    verdicts.append(_codec())
    print("\n".join(one.line for one in verdicts))
    return int(any(one.is_slow for one in verdicts))


def _loads() -> list[Load]:
    """Return short forms of the loads whose first figure has a target beside os-ken's."""
    return [
        Load(one.version, one.switches, _shortly(one.words), one.figures[:1])
        for one in loads()
        if one.words[0] in ("throughput", "latency")
    ]


def _shortly(words: Sequence[str]) -> list[str]:
    return [words[0], "--warm-up", "1", "--duration", "2"]


def _codec() -> Verdict:
    results = Results()
    decoders = codec.decoders(FlowStatsReply, codec.replies)
    results.note_codec(FLOW_STATS, codec.best_of(decoders, CODEC_ROUNDS))
    return _judge(FLOW_STATS, OURS.name, results)


def _verdict(load: Load, name: str, results: Results) -> Verdict:
    return _judge(load.figures[0], name, results)


def _judge(figure: Figure, name: str, results: Results) -> Verdict:
    ours, theirs = (results.best(figure, one) for one in (name, OS_KEN))
    wanted = figure.wanted_ratio(name)
    assert ours is not None, f"{name} did not bear: {figure.name}"
    assert theirs, f"os-ken did not bear: {figure.name}"
    assert wanted
    ratio, least = ours / theirs, wanted * PART if figure.more_is_better else wanted / PART
    is_slow = not figure.is_as_good(ratio, least)
    rounds = ", ".join(f"{one:.3g}" for one in results.ratios(figure.name, name, OS_KEN))
    return Verdict(
        f"{figure.name}, {name}: {ratio:.3g} times os-ken, round by round {rounds}, "
        f"at {'least' if figure.more_is_better else 'most'} {least:.3g}"
        f"{': TOO SLOW' if is_slow else ''}",
        is_slow,
    )
