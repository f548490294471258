"""Rates that are kept, with bursts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_sim.token_bucket import TokenBucket


def test_a_full_bucket_lets_a_burst_pass() -> None:
    bucket = TokenBucket(10, 3, now=0.0)
    assert [bucket.take(1, 0.0) for _ in range(4)] == [True, True, True, False]


def test_what_was_taken_comes_back_with_the_time() -> None:
    bucket = TokenBucket(10, 1, now=0.0)
    assert bucket.take(1, 0.0)
    assert not bucket.take(1, 0.05)
    assert bucket.take(1, 0.1)


def test_no_more_than_a_burst_comes_back() -> None:
    bucket = TokenBucket(10, 2, now=0.0)
    assert [bucket.take(1, 1000.0) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("burst", [0, 0.5])
def test_what_is_larger_than_the_burst_passes_at_the_rate(burst: float) -> None:
    bucket = TokenBucket(10, burst, now=0.0)
    passed = sum(bucket.take(1, tick / 1000) for tick in range(10_000))
    assert passed == pytest.approx(100, abs=2)


def test_a_rate_of_0_never_refills() -> None:
    bucket = TokenBucket(0, 1, now=0.0)
    assert bucket.take(1, 0.0)
    assert not bucket.take(1, 1e9)


def test_to_look_takes_nothing() -> None:
    bucket = TokenBucket(10, 1, now=0.0)
    assert bucket.has(1, 0.0)
    assert bucket.has(1, 0.0)
    assert bucket.take(1, 0.0)
    assert not bucket.has(1, 0.0)
    assert bucket.has(1, 0.1)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(10, 1, now=5.0)
    assert bucket.take(1, 5.0)
    assert not bucket.take(1, 1.0)
    assert not bucket.take(1, 5.0)


arrivals = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 20)), max_size=60)


@given(st.floats(0, 100), st.floats(0, 50), arrivals)
def test_no_more_than_rate_and_burst_ever_passes(
    rate: float, burst: float, packets: list[tuple[float, float]]
) -> None:
    bucket = TokenBucket(rate, burst, now=0.0)
    now, passed = 0.0, []
    for wait, size in packets:
        now += wait
        if bucket.take(size, now):
            passed.append((now, size))
    for first in range(len(passed)):
        taken = 0.0
        for when, size in passed[first:]:
            taken += size
            largest = max(size for _, size in passed[first:])
            assert taken <= rate * (when - passed[first][0]) + max(burst, largest) + 1e-3


@given(st.integers(1, 1000), st.integers(0, 100))
def test_who_offers_more_gets_the_rate(rate: int, burst: int) -> None:
    bucket = TokenBucket(rate, burst, now=0.0)
    offered = 2 * rate * 5
    passed = sum(bucket.take(1, number / (2 * rate)) for number in range(offered))
    assert passed == pytest.approx(min(offered, rate * 5 + burst), abs=2)
