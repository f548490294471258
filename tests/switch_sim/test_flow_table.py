"""Look-up, selection, overlap and timeouts of one table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import OF13, FlowModFailedCode, FlowRemovedReason, Match, Output
from switch_sim.flow_entry import FlowEntry
from switch_sim.flow_key import FlowKey, flow_key
from switch_sim.flow_table import FlowTable, FlowTables, Selection
from switch_sim.refused import Refused
from tests.switch_sim import frames
from tests.switch_sim.builders import entry, flow

TCP = flow_key(frames.TCP, in_port=1)
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
NET = Match(eth_type=0x0800, ipv4_dst="10.0.0.0/8")


@pytest.fixture
def table() -> FlowTable:
    return FlowTable()


def priorities(table: FlowTable) -> list[int]:
    return sorted(one.priority for one in table)


def test_the_highest_priority_counts(table: FlowTable) -> None:
    # OF1.3.5 5.3 "Matching"
    for match, priority in [(Match(), 1), (WEB, 3), (NET, 2)]:
        table.add(entry(match, priority=priority))
    found = table.lookup(TCP)
    assert found is not None
    assert found.match == WEB


def test_after_the_best_entry_went_the_next_one_counts(table: FlowTable) -> None:
    best = entry(WEB, priority=3)
    for one in (best, entry(WEB, priority=1), entry(NET, priority=2)):
        table.add(one)
    table.remove(best)
    found = table.lookup(TCP)
    assert found is not None
    assert found.priority == 2


def test_a_table_miss_entry_comes_behind_others_of_priority_0(table: FlowTable) -> None:
    # OF1.3.5 5.4 "Table-miss"
    table.add(entry(Match(), priority=0))
    table.add(entry(WEB, priority=0))
    found = table.lookup(TCP)
    assert found is not None
    assert found.match == WEB


def test_a_field_that_the_packet_lacks_does_not_match(table: FlowTable) -> None:
    table.add(entry(NET))
    table.add(entry(WEB))
    assert table.lookup(flow_key(frames.ARP, 1)) is None


def test_a_mask_of_all_ones_is_no_mask(table: FlowTable) -> None:
    table.add(entry(Match.unchecked({"eth_dst": (2, 0xFFFF_FFFF_FFFF)}), priority=5))
    assert table.find(Match(eth_dst=2), 5) is not None


def test_a_mask_of_zeros_leaves_the_field_open(table: FlowTable) -> None:
    table.add(entry(Match.unchecked({"eth_dst": (0, 0)}), priority=5))
    assert table.find(Match(), 5) is not None


def test_strict_search_wants_match_and_priority(table: FlowTable) -> None:
    table.add(entry(WEB, priority=5))
    assert table.find(WEB, 5) is not None
    assert table.find(WEB, 6) is None
    assert table.find(NET, 5) is None


def test_selection_takes_the_same_and_more_specific_matches(table: FlowTable) -> None:
    # OF1.3.5 6.4 "Flow Table Modification Messages"
    table.add(entry(Match(), priority=1))
    table.add(entry(NET, priority=2))
    table.add(entry(Match(eth_type=0x0800, ipv4_dst="10.1.0.0/16"), priority=3))
    table.add(entry(Match(eth_type=0x0800, ipv4_dst="11.1.0.0/16"), priority=4))
    assert sorted(one.priority for one in table.select(NET)) == [2, 3]


def test_selection_by_cookie_and_by_port(table: FlowTable) -> None:
    table.add(FlowEntry(flow(WEB, Output(2), cookie=0x12), OF13, now=0.0))
    table.add(entry(NET, cookie=0x22))
    assert [one.cookie for one in table.select(Match(), Selection(out_port=2))] == [0x12]
    by_cookie = Selection(cookie=0x20, cookie_mask=0xF0)
    assert [one.cookie for one in table.select(Match(), by_cookie)] == [0x22]


@pytest.mark.parametrize(
    ("match", "priority", "overlaps"),
    [
        (NET, 5, True),
        (NET, 6, False),
        (Match(in_port=3), 5, True),
        (Match(eth_type=0x0806), 5, False),
        (Match(eth_type=0x0800, ip_proto=17), 5, False),
        (WEB, 5, True),
    ],
)
def test_overlap_needs_a_packet_that_both_match(
    table: FlowTable, match: Match, priority: int, overlaps: bool
) -> None:
    table.add(entry(WEB, priority=5))
    assert (table.overlapping(entry(match, priority=priority)) is not None) == overlaps


def test_a_full_table_refuses() -> None:
    table = FlowTable(max_entries=1)
    table.add(entry(WEB))
    with pytest.raises(Refused) as refusal:
        table.add(entry(NET))
    assert refusal.value.code == FlowModFailedCode.TABLE_FULL


# Timeouts (OF1.3.5 5.5 "Flow Removal")


def test_an_entry_goes_when_it_is_old(table: FlowTable) -> None:
    table.add(entry(WEB, hard_timeout=10, idle_timeout=20))
    assert table.deadline() == 10
    assert table.expire(9.9) == []
    [(gone, reason)] = table.expire(10)
    assert (gone.match, reason) == (WEB, FlowRemovedReason.HARD_TIMEOUT)
    assert len(table) == 0
    assert table.deadline() is None


def test_a_packet_puts_idleness_off(table: FlowTable) -> None:
    idle = entry(WEB, idle_timeout=10)
    table.add(idle)
    idle.used = 5.0
    assert table.expire(10) == []
    assert table.deadline() == 15
    assert [reason for _, reason in table.expire(15)] == [FlowRemovedReason.IDLE_TIMEOUT]


def test_entries_leave_in_the_order_of_their_deadlines(table: FlowTable) -> None:
    for seconds in (3, 1, 2):
        table.add(entry(Match(in_port=seconds), hard_timeout=seconds))
    assert [gone.hard_timeout for gone, _ in table.expire(99)] == [1, 2, 3]


def test_timers_of_entries_that_went_are_not_kept_for_ever(table: FlowTable) -> None:
    for port in range(1000):
        one = entry(Match(in_port=port), hard_timeout=9999)
        table.add(one)
        table.remove(one)
    assert len(table._timers) < 200
    assert table.deadline() is None


# When the next entry of all tables goes

TIMEOUTS = st.sampled_from([0, 1, 3, 7])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), TIMEOUTS, TIMEOUTS),
        st.tuples(st.sampled_from(["remove", "use"]), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.integers(1, 4)),
    ),
    max_size=30,
)


@given(STEPS)
def test_the_next_deadline_of_all_tables_is_the_soonest_of_each(steps: list[Any]) -> None:
    tables, now = FlowTables(3, max_entries=100), 0.0
    for number, (what, *words) in enumerate(steps):
        entries = [one for table in tables.values() for one in table]
        if what == "add":
            table_id, idle, hard = words
            match = Match(in_port=number + 1)
            made = flow(match, table_id=table_id, idle_timeout=idle, hard_timeout=hard)
            tables[table_id].add(FlowEntry(made, OF13, now))
        elif what == "wait":
            now += words[0]
            for table in tables.values():
                table.expire(now)
        elif entries:
            chosen = entries[words[0] % len(entries)]
            if what == "remove":
                tables[chosen.table_id].remove(chosen)
            else:
                chosen.used = now
        each = [at for table in tables.values() if (at := table.deadline()) is not None]
        assert tables.deadline() == min(each, default=None)


def test_tables_whose_timers_did_not_change_are_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[FlowTable] = []
    deadline = FlowTable.deadline
    monkeypatch.setattr(FlowTable, "deadline", lambda one: asked.append(one) or deadline(one))
    tables = FlowTables(3, max_entries=100)
    for table_id in range(3):
        tables[table_id].add(entry(WEB, hard_timeout=10 - table_id))
    assert [tables.deadline() for _ in range(3)] == [8, 8, 8]
    assert asked == []
    tables[2].expire(8)
    assert [tables.deadline() for _ in range(3)] == [9, 9, 9]
    assert asked == list(tables.values())


# Against a search through all entries

MASKS = [0xFF, 0xF0, 0x0F, 0xFC]
FIELDS = {"in_port": False, "metadata": True, "eth_dst": True, "eth_src": True, "vlan_vid": False}


@st.composite
def matches(draw: st.DrawFn) -> Match:
    values: dict[str, int | tuple[int, int]] = {}
    for name, maskable in FIELDS.items():
        if draw(st.booleans()):
            value = draw(st.integers(0, 15))
            mask = draw(st.sampled_from(MASKS)) if maskable and draw(st.booleans()) else None
            values[name] = value if mask is None else (value & mask, mask)
    return Match.unchecked(dict(values))


keys = st.fixed_dictionaries(
    {"in_port": st.integers(0, 15), "metadata": st.integers(0, 15)},
    optional={name: st.integers(0, 15) for name in ("eth_dst", "eth_src", "vlan_vid")},
)


def fits(one: FlowEntry, key: dict[str, int]) -> bool:
    for name, value in one.match.items():
        number, mask = value if isinstance(value, tuple) else (value, -1)
        assert isinstance(number, int)
        if name not in key or key[name] & mask != number:
            return False
    return True


@given(
    st.lists(st.tuples(matches(), st.integers(0, 5)), max_size=30),
    st.lists(keys, min_size=1, max_size=5),
)
def test_lookup_finds_what_a_search_through_all_entries_finds(
    rules: list[tuple[Match, int]], packets: list[dict[str, int]]
) -> None:
    table, present = FlowTable(), list[FlowEntry]()
    for number, (match, priority) in enumerate(rules):
        if before := table.find(match, priority):
            table.remove(before)
            present.remove(before)
        table.add(one := entry(match, priority=priority))
        present.append(one)
        if number % 4 == 3:
            table.remove(present.pop(0))
        for key in packets:
            expected = max((rule.rank for rule in present if fits(rule, key)), default=-1)
            found = table.lookup(FlowKey(key))
            assert (found.rank if found else -1) == expected
            assert found is None or fits(found, key)
    assert len(table) == len(present)


@given(st.lists(matches(), max_size=20), matches(), keys)
def test_selected_entries_match_no_packet_that_the_request_does_not(
    rules: list[Match], wanted: Match, key: dict[str, int]
) -> None:
    table = FlowTable()
    for number, match in enumerate(rules):
        table.add(entry(match, priority=number))
    for one in table.select(wanted):
        assert not fits(one, key) or fits(entry(wanted), key)
