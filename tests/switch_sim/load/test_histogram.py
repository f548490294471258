"""Percentiles against those of a sorted list, and histograms put together."""

from __future__ import annotations

import math
import random

import pytest

from switch_sim.load.histogram import Histogram

PERCENTS = (0.1, 1, 25, 50, 75, 90, 99, 99.9, 100)


def exact(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(-(-int(percent * 10) * len(values) // 1_000) - 1, 0)]


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_percentiles_are_those_of_the_sorted_list_to_one_percent(spread: float) -> None:
    chance = random.Random(1)
    values = [chance.lognormvariate(math.log(1e-4), spread) for _ in range(5_000)]
    seen = Histogram()
    for value in values:
        seen.add(value)
    for percent in PERCENTS:
        assert seen.percentile(percent) == pytest.approx(exact(values, percent), rel=0.01)


def test_the_shortest_times_are_as_right_as_others() -> None:
    seen, times = Histogram(), [nanoseconds * 1e-9 for nanoseconds in range(1, 128)]
    seen.add_all(times)
    assert [one for one, _ in seen.curve()] == pytest.approx(times, rel=0.01)


def test_times_may_be_added_many_at_once() -> None:
    seen = Histogram()
    seen.add_all([0.001] * 99)
    seen.add(1.0)
    assert seen.count == 100
    assert seen.percentile(99) == pytest.approx(0.001, rel=0.01)
    assert seen.percentile(99.5) == pytest.approx(1.0, rel=0.01)
    assert seen.mean == pytest.approx(0.01099)


def test_more_times_than_wait_for_their_buckets_are_all_counted() -> None:
    seen = Histogram()
    for number in range(5_000):
        seen.add(1.0 if number % 10 else 2.0)
        assert seen.count == number + 1
    assert seen.percentile(89) == pytest.approx(1.0, rel=0.01)
    assert seen.percentile(91) == pytest.approx(2.0, rel=0.01)
    assert seen.mean == pytest.approx(1.1)


def test_two_put_together_are_as_one_that_saw_all() -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for number in range(1, 100):
        (one if number % 3 else other).add(number / 1000)
        both.add(number / 1000)
    one.merge(other)
    assert (list(one.curve()), one.count) == (list(both.curve()), both.count)
    assert one.mean == pytest.approx(both.mean)


def test_a_clock_that_goes_back_counts_as_no_time() -> None:
    seen = Histogram()
    seen.add_all((-1.0, 0.0, -2.0, 1.0))
    assert (seen.count, seen.percentile(75)) == (4, 0)
    assert list(seen.curve())[-1] == (pytest.approx(1.0, rel=0.01), 1.0)


def test_nothing_seen_has_no_percentiles() -> None:
    assert (Histogram().percentile(50), Histogram().percentile(100)) == (0, 0)
