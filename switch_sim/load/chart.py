"""Lines on axes, as SVG that stands in a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 260  # of the whole, in units of the picture
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 12, 44  # around the lines
TICKS = 5  # on the axis at the left, about
_STEPS = (1, 2, 2.5, 5, 10)

Point = tuple[float, float]
Tick = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two directions: the values at its ends, and what is written along it."""

    low: float
    high: float
    ticks: Sequence[Tick]
    name: str

    def share(self, value: float) -> float:
        """Return how far along a value lies, from 0 to 1."""
        span = self.high - self.low
        return (value - self.low) / span if span else 0.0


def even(highest: float, name: str) -> Axis:
    """Return an axis from 0 on with round numbers.

    >>> [text for _, text in even(940, "answers").ticks]
    ['0', '200', '400', '600', '800', '1,000']
    """
    step = _round(highest / TICKS) if highest > 0 else 1.0
    count = max(math.ceil(highest / step), 1)
    ticks = [(number * step, f"{number * step:,.10g}") for number in range(count + 1)]
    return Axis(0, count * step, ticks, name)


def _round(value: float) -> float:
    below = 10.0 ** math.floor(math.log10(value))
    return next(step * below for step in _STEPS if step * below >= value * (1 - 1e-9))


def chart(title: str, points: Sequence[Point], x: Axis, y: Axis) -> str:
    """Return a picture of one line."""
    label = escape(title, quote=True)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">']
    for value, text in y.ticks:
        at = _y(y, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(_text(LEFT - 8, at + 4, text, "end"))
    for value, text in x.ticks:
        parts.append(_text(_x(x, value), HEIGHT - BOTTOM + 18, text, "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x.name, "middle"))
    line = " ".join(f"{_x(x, one)},{_y(y, other)}" for one, other in points)
    parts.append(f'<polyline class="line" points="{line}"/></svg>')
    return "".join(parts)


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM), 1)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
