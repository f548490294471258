"""A run as a page: its figures and two charts, in one file of HTML that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from .chart import Axis, Point, chart, even
from .histogram import Histogram
from .outcome import Outcome
from .plan import Plan
from .tables import COLUMNS, counts, heading, in_words, times, warnings
from .tally import SLICE

PERCENTILE_TICKS = (0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999)
SECOND_TICKS = 10  # at most, along the time

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6675; --rule: #d9dee6;
  --paper: #fff; --line: #1f6feb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa4b2; --rule: #333b47; --paper: #14181f; --line: #6ea8fe; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { color: var(--soft); margin: .25rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round; }
"""


def page(plan: Plan, outcome: Outcome) -> str:
    """Return the page."""
    title = escape(heading(plan, outcome))
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>pointsman load: {title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(_setting(plan, outcome))}</p>",
        *(f"<p>Note: {escape(line)}</p>" for line in warnings(outcome)),
        _table([], counts(plan, outcome)),
        *_charts(outcome),
        *_times(plan, outcome),
        "</body></html>\n",
    ]
    return "".join(parts)


def _setting(plan: Plan, outcome: Outcome) -> str:
    pace = f"{plan.rate:,g} packet-ins a second" if plan.rate else f"a window of {plan.window}"
    buffers = "with" if plan.buffered else "without"
    return (
        f"{plan.hosts:,} hosts at {plan.ports} ports of each switch, {pace}, {buffers} buffers, "
        f"packets of {plan.frame_size} bytes, processes: {outcome.processes}"
    )


def _times(plan: Plan, outcome: Outcome) -> Iterator[str]:
    named = list(times(plan, outcome))
    if named:
        yield "<h2>How long it took</h2>"
        words = ["", *(word for _, word in COLUMNS)]
        rows = ((name, *_cells(histogram)) for name, histogram in named)
        yield _table(words, rows)
    for name, histogram in named:
        yield f"<h2>{escape(name)}: what so many percent did not exceed</h2>"
        yield _percentiles(name, histogram)


def _cells(histogram: Histogram) -> list[str]:
    return [in_words(histogram.percentile(percent)) for percent, _ in COLUMNS]


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(word)}</th>" for word in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _charts(outcome: Outcome) -> Iterator[str]:
    slices = outcome.tally.slices
    if not any(slices):
        return
    points = [((number + 0.5) * SLICE, count / SLICE) for number, count in enumerate(slices)]
    end = len(slices) * SLICE
    step = max(1, math.ceil(end / SECOND_TICKS))
    ticks = [(float(second), str(second)) for second in range(0, math.floor(end) + 1, step)]
    yield "<h2>Answered a second, over time</h2>"
    y = even(max(rate for _, rate in points), "answered a second")
    yield chart("answered a second, over time", points, Axis(0, end, ticks, "seconds"), y)


def _percentiles(name: str, histogram: Histogram) -> str:
    """Return a chart in which each nine more takes as much room as the one before."""
    least = 1 / histogram.count  # a share of one: what is less cannot be told apart
    points: list[Point] = [
        (_nines(share, least), math.log10(max(seconds, 1e-9)))
        for seconds, share in histogram.curve()
    ]
    points.insert(0, (0.0, points[0][1]))
    high = max(_nines(1.0, least), _nines(0.9, 0))
    ticks = [(_nines(one / 100, 0), f"{one:g} %") for one in PERCENTILE_TICKS]
    x = Axis(0, high, [tick for tick in ticks if tick[0] <= high], "percent of all")
    low = math.floor(min(height for _, height in points))
    top = max(math.ceil(max(height for _, height in points)), low + 1)
    decades = [(float(one), in_words(10.0**one)) for one in range(low, top + 1)]
    return chart(name, points, x, Axis(low, top, decades, "time"))


def _nines(share: float, least: float) -> float:
    return -math.log10(max(1 - share, least))
