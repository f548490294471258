"""The page that tells what was measured."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .measure import FLOW_STATS, Figure, Load, Results
from .rivals import COMPILED, OS_KEN, OURS, Rival
from .scale import Curve

HEAD = """\
# Performance

Written by `make compare`: one run, on one machine, the controllers by turns, so that what else
the machine does hits all alike. `pointsman load` plays the switches ([how](load.md)). It took
{rounds}; a figure is the median of them, in brackets the least and the most. "CPU s" is a
second of the processor that the controller itself took. "Fails" is who did not bear a load: some
switches had no controller. ovs-testcontroller is written for 16 switches at most, and had so many.
"""

RATIOS = """\
The targets were set on a machine on which os-ken answered 6,500 packet_ins a CPU second on 1.0 and
4,200 on 1.3. Where this one is slower or faster, or others work on it, the ratio to os-ken says
more than the figure: what it is, and what the target was. "Met by ratio" is a figure that is
missed on this machine while the ratio is as wanted. Of two targets the second is the compiled
build's.
"""

STAGES = """\
## Where the time goes

Microseconds of the processor that one packet_in takes in the learning switch on 1.3, stage by
stage, each measured by itself in a loop. Around it stand the loop's turn, `recv` and `send`: once
for all that one read brings.
"""

SCALE = """\
## What more of it costs

Each cost is for one: if it stays level, the whole grows in proportion.
"""


def page(
    who: Sequence[Rival],
    what: Sequence[Load],
    results: Results,
    rounds: int,
    codec: Mapping[str, Mapping[str, float]],
    stages: Sequence[tuple[str, float]],
    curves: Sequence[Curve],
) -> str:
    """Return the page, in Markdown."""
    parts = [
        HEAD.format(rounds="1 round" if rounds == 1 else f"{rounds} rounds"),
        machine(who),
        "## Controllers\n",
        RATIOS,
    ]
    parts += ["\n".join(_table(who, what, results)) + "\n"]
    parts += ["\n".join(_notes(who, what, results)) + "\n"]
    parts += [STAGES, "\n".join(_stages(stages)) + "\n"]
    parts += ["## The codec\n", "\n".join(_codec(codec)) + "\n"]
    parts += [SCALE, *map(_curve, curves)]
    return "\n".join(parts)


def machine(who: Sequence[Rival]) -> str:
    """Return on what, and against what, it was measured."""
    cpu = platform.processor() or platform.machine()
    for line in _lines_of("/proc/cpuinfo"):
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    cores = sum(line.startswith("processor") for line in _lines_of("/proc/cpuinfo"))
    editions = ", ".join(f"{one.name} {one.edition}" for one in who)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores of {cpu}, {platform.system()}, {python}. {editions}.\n"


def _lines_of(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if sys.platform == "linux" else []


def _table(who: Sequence[Rival], what: Sequence[Load], results: Results) -> Iterator[str]:
    yield "| | " + " | ".join(one.name for one in who) + " | target | | to os-ken |"
    yield "| --- |" + " ---: |" * (len(who) + 1) + " --- | ---: |"
    for figure in (one for load in what for one in load.figures):
        cells = [_cell(figure, results, one.name) for one in who]
        ours = [OURS.name, *([COMPILED.name] if figure.compiled else [])]
        told = (" / ".join(each(figure, results, one) for one in ours)
                for each in (_target, _verdict, _ratio_told))  # fmt: skip
        yield f"| {figure.name}, {figure.unit} | {' | '.join([*cells, *told])} |"


def _target(figure: Figure, results: Results, rival: str) -> str:
    sign = "≥" if figure.more_is_better else "≤"
    return f"{sign} {number(figure.target_of(rival))}" if figure.target else ""


def _ratio(figure: Figure, results: Results, rival: str) -> float | None:
    ours, theirs = (results.typical(figure.name, name) for name in (rival, OS_KEN))
    return ours / theirs if ours is not None and theirs else None


def _verdict(figure: Figure, results: Results, rival: str) -> str:
    if not figure.target:
        return ""
    ours, ratio = results.typical(figure.name, rival), _ratio(figure, results, rival)
    if ours is not None and figure.is_as_good(ours, figure.target_of(rival)):
        return "met"
    wanted = figure.wanted_ratio(rival)
    if ratio and wanted and figure.is_as_good(ratio, wanted):
        return "met by ratio"
    return "**missed**"


def _ratio_told(figure: Figure, results: Results, rival: str) -> str:
    """Return what the ratio is, and what the target comes to."""
    ratio, wanted = _ratio(figure, results, rival), figure.wanted_ratio(rival)
    return "" if ratio is None or wanted is None else f"{ratio:.3g} (of {wanted:.3g})"


def _cell(figure: Figure, results: Results, rival: str) -> str:
    typical, spread = results.typical(figure.name, rival), results.spread(figure.name, rival)
    if (figure.name, rival) not in results.values:
        return "-"
    if typical is None or spread is None:
        return "fails"
    least, most = spread
    if least == most:
        return number(typical)
    return f"{number(typical)} ({number(least)} to {number(most)})"


def _notes(who: Sequence[Rival], what: Sequence[Load], results: Results) -> Iterator[str]:
    """Yield how ours stands to the others in what is answered a CPU second."""
    for load in what:
        figure = load.figures[0]
        for us in (OURS, COMPILED):
            ours = results.typical(figure.name, us.name)
            if figure.unit != "/CPU s" or ours is None:
                continue
            ratios = [
                f"{ours / theirs:.1f} times {one.name}"
                for one in who
                if one not in (us, COMPILED) and (theirs := results.typical(figure.name, one.name))
            ]
            if ratios:
                yield f"- {figure.name}, {us.name}: {', '.join(ratios)}."


def _stages(stages: Sequence[tuple[str, float]]) -> Iterator[str]:
    yield "| stage | µs |"
    yield "| --- | ---: |"
    for name, spent in stages:
        yield f"| {name} | {spent:.1f} |"


def _codec(codec: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    names = list(next(iter(codec.values())))
    yield (
        "Microseconds a message, the best of several rounds with new values in each. *Straight* "
        "is the\nPython that is made of the layouts, *construct* reads these themselves.\n"
    )
    yield "| | " + " | ".join(names) + " |"
    yield "| --- |" + " ---: |" * len(names)
    for title, best in codec.items():
        yield f"| {title} | " + " | ".join(f"{best[name]:,.1f}" for name in names) + " |"
    results = Results()
    results.note_codec(FLOW_STATS, codec[FLOW_STATS.name])
    target, verdict, ratio = (
        each(FLOW_STATS, results, OURS.name) for each in (_target, _verdict, _ratio_told)
    )
    told = f"; of what os-ken takes {ratio}" if ratio else ""
    yield f"\n{FLOW_STATS.name}: the target is {target} {FLOW_STATS.unit}: {verdict}{told}."


def _curve(curve: Curve) -> str:
    numbers = ", ".join(f'"{n:,}"' for n, _ in curve.points)
    values = ", ".join(f"{value:.1f}" for _, value in curve.points)
    most = max(value for _, value in curve.points) * 1.2
    return (
        f"```mermaid\nxychart-beta\n    title \"{curve.title}\"\n    x-axis \"{curve.x}\" "
        f"[{numbers}]\n    y-axis \"{curve.y}\" 0 --> {most:.1f}\n    line [{values}]\n```\n\n"
        f"| {curve.x} | " + " | ".join(f"{n:,}" for n, _ in curve.points) + " |\n| --- |"
        + " ---: |" * len(curve.points)
        + f"\n| {curve.title.partition(',')[0]}, {curve.y} | "
        + " | ".join(f"{value:.1f}" for _, value in curve.points) + " |\n"
    )  # fmt: skip


def number(value: float) -> str:
    """Return a number as people read it: three digits that count.

    >>> number(123456), number(12.345), number(0.1234)
    ('123,000', '12.3', '0.12')
    """
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
