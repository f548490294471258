"""The token bucket, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_sim.rate_limit import RateLimit


def admitted(limit: RateLimit, times: list[float]) -> list[float]:
    return [now for now in times if limit.admit(now)]


def test_a_burst_is_admitted_at_once_and_no_more() -> None:
    assert len(admitted(RateLimit(10, 4, 0.0), [0.0] * 9)) == 4


def test_after_the_burst_packets_come_at_the_rate() -> None:
    limit = RateLimit(10, 1, 0.0)
    tenths = [number / 40 for number in range(81)]  # two seconds, four packets each tenth
    assert len(admitted(limit, tenths)) == 21


def test_a_long_pause_saves_up_no_more_than_a_burst() -> None:
    limit = RateLimit(10, 3, 0.0)
    admitted(limit, [0.0] * 3)
    assert len(admitted(limit, [1000.0] * 9)) == 3


@given(
    rate=st.floats(1, 1000),
    burst=st.integers(1, 100),
    steps=st.lists(st.floats(0, 0.1), max_size=300),
)
def test_no_more_than_burst_and_rate_allow(rate: float, burst: int, steps: list[float]) -> None:
    limit, now, count = RateLimit(rate, burst, 0.0), 0.0, 0
    for step in steps:
        now += step
        count += limit.admit(now)
        assert count <= burst + rate * now + 1e-6


@pytest.mark.parametrize(("rate", "burst"), [(0, 5), (-1, 5), (5, 0)])
def test_a_limit_that_admits_nothing_is_a_mistake(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="admits nothing"):
        RateLimit(rate, burst, 0.0)
