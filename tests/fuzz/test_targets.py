"""What the fuzzers ask holds for what they begin with, and for some of what is near it."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS, Finding, Target, timed

NEIGHBOURS = 300


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_is_found_among_the_seeds_and_their_neighbours(target: Target) -> None:
    seeds, dice = target.seeds(), random.Random(3)
    outcomes = {target.check(data) for data in seeds}
    outcomes |= {target.check(mutated(dice, seeds)) for _ in range(NEIGHBOURS)}
    assert len(outcomes) > 1


def test_what_takes_too_long_is_a_finding() -> None:
    with pytest.raises(Finding, match="it takes more than 50 ms"):
        timed(lambda data: str(sum(range(3_000_000))), b"")
