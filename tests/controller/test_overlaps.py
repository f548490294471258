"""Which matches could meet in one packet: the fast way agrees with looking at each pair."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.overlaps import SHAPES_MAX, Covering, MatchSet, bits_of
from protocol import Match

_FIELDS = st.dictionaries(
    st.sampled_from(["in_port", "metadata", "eth_src"]),
    st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(1, 3)),
)
MATCHES = _FIELDS.map(Match.unchecked)


def meet(one: Match, other: Match) -> bool:
    """Return whether a packet could be meant by both: no bit that both look at differs."""
    others = bits_of(other)
    return all(
        name not in others or not (value ^ others[name][0]) & mask & others[name][1]
        for name, (value, mask) in bits_of(one).items()
    )


@given(st.lists(MATCHES), st.lists(MATCHES), MATCHES)
def test_a_set_meets_what_one_of_its_matches_meets(
    kept: list[Match], gone: list[Match], asked: Match
) -> None:
    matches = MatchSet()
    for match in [*kept, *gone]:
        matches.add(match)
        matches.meets(asked)  # what is looked up by then must be kept up to date
    for match in gone:
        matches.remove(match)
    left = [match for match in kept if match not in gone]
    assert matches.meets(asked) == any(meet(asked, match) for match in left)
    assert bool(matches) == bool(left)


def test_a_match_is_taken_out_whatever_the_order_of_its_fields() -> None:
    matches = MatchSet()
    matches.add(Match(in_port=1, metadata=2))
    matches.remove(Match(metadata=2, in_port=1))
    assert not matches


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        (Match(), Match(in_port=1), True),
        (Match(in_port=1), Match(), False),
        (Match(in_port=1), Match(in_port=1, eth_type=0x800), True),
        (Match(in_port=1), Match(in_port=2), False),
        (
            Match(eth_type=0x800, ipv4_dst="10.0.0.0/8"),
            Match(eth_type=0x800, ipv4_dst="10.1.0.0/16"),
            True,
        ),
        (
            Match(eth_type=0x800, ipv4_dst="10.1.0.0/16"),
            Match(eth_type=0x800, ipv4_dst="10.0.0.0/8"),
            False,
        ),
        (
            Match(eth_type=0x800, ipv4_dst="10.0.0.0/8"),
            Match(eth_type=0x800, ipv4_dst="10.2.3.4"),
            True,
        ),
    ],
)
def test_a_match_covers_what_is_as_narrow_or_narrower(
    wide: Match, narrow: Match, does: bool
) -> None:
    assert Covering(wide).covers(narrow) is does


def test_shapes_above_the_limit_are_not_looked_at() -> None:
    matches = MatchSet()
    for bit in range(SHAPES_MAX):
        matches.add(Match(metadata=(1 << bit, 1 << bit)))
    late = Match(metadata=(1 << SHAPES_MAX, 1 << SHAPES_MAX))
    matches.add(late)
    matches.remove(late)
    assert matches.meets(Match(metadata=(1, 1)))
    assert len(matches._by_shape) == SHAPES_MAX
