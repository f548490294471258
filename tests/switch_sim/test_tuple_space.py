"""Entries by what they look at: one look for all of the same masks."""

from __future__ import annotations

import pytest

from protocol import Match
from switch_sim.flow_table import FlowTable
from tests.switch_sim import frames
from tests.switch_sim.builders import entry, packet

MASKS = ["eth_type", "ipv4_dst", "ipv4_src", "eth_dst"]
FIELDS = {
    "eth_type": 0x0800,
    "ipv4_dst": ("10.0.0.0", "255.0.0.0"),
    "ipv4_src": ("10.0.0.0", "255.255.0.0"),
    "eth_dst": ("00:00:00:00:00:02", "00:00:00:00:00:ff"),
}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_any_number_of_masked_fields_is_looked_for(count: int) -> None:
    table = FlowTable()
    wanted = entry(Match(**{name: FIELDS[name] for name in MASKS[:count]}))
    table.add(wanted)
    assert table.lookup(packet(frames.TCP).key) is wanted
    assert table.lookup(packet(frames.TCP6).key) is None  # it lacks the fields


def test_entries_of_the_same_values_are_told_apart_by_priority() -> None:
    table = FlowTable()
    low, high, middle = (entry(Match(in_port=1), priority=number) for number in (1, 9, 5))
    for one in (low, high, middle):
        table.add(one)
    assert table.find(Match(in_port=1), 5) is middle
    assert list(table) == [low, middle, high]
    for expected in (high, middle, low):
        assert table.lookup(packet(frames.TCP).key) is expected
        table.remove(expected)
    assert table.lookup(packet(frames.TCP).key) is None
