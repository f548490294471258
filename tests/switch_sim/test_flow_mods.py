"""What flow_mods do to the tables, by version."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    ALL_TABLES,
    ALL_VERSIONS,
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    BadRequestCode,
    FlowMod,
    FlowModCommand,
    FlowModFailedCode,
    FlowModFlags,
    FlowRemoved,
    FlowRemovedReason,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    Match,
    Meter,
    MeterMod,
    MeterModCommand,
    Output,
    Port,
    Version,
)
from switch_sim.flow_entry import FlowEntry
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
IP = Match(eth_type=0x0800)
ARP = Match(eth_type=0x0806)

every_version = pytest.mark.parametrize("version", sorted(ALL_VERSIONS))


def modify(match: Match, *actions: Any, **fields: Any) -> FlowMod:
    return flow(match, *actions, **{"command": FlowModCommand.MODIFY, **fields})


def delete(match: Match = IP, **fields: Any) -> FlowMod:
    return flow(match, **{"command": FlowModCommand.DELETE, **fields})


def entries(bench: Bench) -> list[FlowEntry]:
    found = [one for table in bench.switch.tables.values() for one in table]
    return sorted(found, key=lambda one: one.priority)


def the_entry(bench: Bench) -> FlowEntry:
    [one] = entries(bench)
    return one


# Add (OF1.3.5 6.4 "Flow Table Modification Messages")


@every_version
def test_an_entry_with_the_same_match_and_priority_is_replaced(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(1), flags=FlowModFlags.SEND_FLOW_REM))
    assert bench.say(flow(WEB, Output(2)), now=5.0) == []
    assert the_entry(bench).sends_to(2)
    assert the_entry(bench).created == 5.0


@pytest.mark.parametrize(
    ("version", "flags", "packets"),
    [
        (OF10, 0, 0),
        (OF11, 0, 0),
        (OF12, 0, 1),
        (OF12, FlowModFlags.RESET_COUNTS, 0),
        (OF13, 0, 1),
    ],
)
def test_counters_go_on_since_openflow_12(version: Version, flags: int, packets: int) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(2)))
    bench.frames(frames.TCP)
    bench.say(flow(WEB, Output(2), flags=flags))
    assert the_entry(bench).packet_count == packets


@every_version
def test_an_overlap_is_refused_where_that_is_asked_for(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(IP, Output(1)))
    overlap = flow(WEB, Output(2), flags=FlowModFlags.CHECK_OVERLAP)
    assert bench.refusal(overlap) == FlowModFailedCode.OVERLAP
    assert the_entry(bench).match == IP


def test_a_full_table_refuses() -> None:
    bench = Bench(max_entries=1)
    bench.say(flow(IP))
    assert bench.refusal(flow(WEB)) == FlowModFailedCode.TABLE_FULL


def test_a_full_table_lets_an_entry_be_replaced() -> None:
    bench = Bench(max_entries=1)
    bench.say(flow(IP, Output(1)))
    bench.say(flow(IP, Output(2)))
    assert the_entry(bench).sends_to(2)


# Modify


def test_modify_changes_the_instructions_and_nothing_else() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1), cookie=7, idle_timeout=9))
    bench.frames(frames.TCP)
    bench.say(modify(IP, Output(2), cookie=8, idle_timeout=3))
    entry = the_entry(bench)
    assert entry.sends_to(2)
    assert (entry.cookie, entry.idle_timeout, entry.packet_count) == (7, 9, 1)


def test_modify_resets_counters_where_that_is_asked_for() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1)))
    bench.frames(frames.TCP)
    bench.say(modify(IP, Output(2), flags=FlowModFlags.RESET_COUNTS))
    assert the_entry(bench).packet_count == 0


def test_modify_strict_wants_the_same_match() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1)))
    bench.say(modify(IP, Output(2), command=FlowModCommand.MODIFY_STRICT))
    assert the_entry(bench).sends_to(1)


def test_modify_can_compare_cookies() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1), cookie=7))
    bench.say(modify(IP, Output(2), cookie=8, cookie_mask=0xF))
    assert the_entry(bench).sends_to(1)


@pytest.mark.parametrize(
    ("version", "cookie_mask", "count"),
    [(OF10, 0, 1), (OF11, 0, 1), (OF11, 1, 0), (OF12, 0, 0), (OF13, 0, 0)],
)
def test_up_to_openflow_11_a_modify_that_finds_nothing_adds(
    version: Version, cookie_mask: int, count: int
) -> None:
    bench = Bench(version)
    bench.say(modify(WEB, Output(2), cookie_mask=cookie_mask))
    assert len(entries(bench)) == count


def test_modify_in_openflow_10_gives_a_new_cookie() -> None:
    bench = Bench(OF10)
    bench.say(flow(WEB, Output(1), cookie=7))
    bench.say(modify(IP, Output(2), cookie=8))
    assert the_entry(bench).cookie == 8


# Delete


@every_version
def test_delete_takes_out_what_the_match_covers(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, priority=1))
    bench.say(flow(ARP, priority=2))
    bench.say(delete(IP))
    assert the_entry(bench).match == ARP


@every_version
def test_delete_strict_wants_the_same_priority(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(IP, priority=5))
    bench.say(delete(IP, command=FlowModCommand.DELETE_STRICT, priority=6))
    assert len(entries(bench)) == 1
    bench.say(delete(IP, command=FlowModCommand.DELETE_STRICT, priority=5))
    assert entries(bench) == []


@every_version
def test_delete_can_ask_for_a_port(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(1)))
    bench.say(delete(IP, out_port=2))
    assert len(entries(bench)) == 1
    bench.say(delete(IP, out_port=1))
    assert entries(bench) == []


def test_delete_can_ask_for_a_cookie_or_a_group() -> None:
    bench = Bench()
    bench.say(flow(WEB, cookie=7))
    bench.say(delete(IP, cookie=8, cookie_mask=0xF))
    bench.say(delete(IP, out_group=1))
    assert len(entries(bench)) == 1


def test_delete_can_mean_all_tables() -> None:
    bench = Bench()
    for table_id in (0, 1, 2):
        bench.say(flow(IP, table_id=table_id))
    bench.say(delete(Match(), table_id=1))
    assert [one.table_id for one in entries(bench)] == [0, 2]
    bench.say(delete(Match(), table_id=ALL_TABLES))
    assert entries(bench) == []


def test_openflow_11_has_no_word_for_all_tables() -> None:
    # OF1.1 A.3.4.1 "Modify Flow Entry Message": table_id is one table; all of them since OF1.2.
    bench = Bench(OF11)
    bench.say(flow(IP))
    refused = bench.refusal(delete(Match(), table_id=ALL_TABLES))
    assert refused == FlowModFailedCode.BAD_TABLE_ID
    assert len(entries(bench)) == 1


@every_version
def test_flow_removed_is_told_where_that_was_asked_for(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, flags=FlowModFlags.SEND_FLOW_REM, cookie=7))
    bench.say(flow(ARP, priority=1))
    bench.frames(frames.TCP)
    [gone] = bench.say(delete(Match()), now=2.5)
    assert isinstance(gone, FlowRemoved)
    assert (gone.match, gone.reason, gone.cookie) == (WEB, FlowRemovedReason.DELETE, 7)
    assert (gone.stats.duration_sec, gone.stats.duration_nsec) == (2, 500_000_000)
    assert (gone.stats.packet_count, gone.stats.byte_count) == (1, len(frames.TCP))


# Buffers


@every_version
def test_a_buffered_packet_goes_through_the_new_entry(version: Version) -> None:
    # OF1.3.5 7.3.4.1 "Modify Flow Entry Message"
    bench = Bench(version)
    bench.say(flow(Match(), Output(Port.CONTROLLER, 40), priority=0))
    [packet_in] = bench.packet_ins(frames.TCP)
    effects = bench.effects_of(flow(WEB, Output(2), buffer_id=packet_in.buffer_id))
    assert effects.frames == [(2, frames.TCP)]


def test_a_buffer_that_is_not_there_refuses_the_whole_flow_mod() -> None:
    bench = Bench()
    assert bench.refusal(flow(WEB, buffer_id=9)) == BadRequestCode.BUFFER_UNKNOWN
    assert entries(bench) == []


# Refusals


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (flow(IP, command=9), FlowModFailedCode.BAD_COMMAND),
        (flow(IP, table_id=ALL_TABLES), FlowModFailedCode.BAD_TABLE_ID),
        (flow(IP, table_id=254), FlowModFailedCode.BAD_TABLE_ID),
        (delete(IP, table_id=254), FlowModFailedCode.BAD_TABLE_ID),
        (flow(IP, flags=1 << 7), FlowModFailedCode.BAD_FLAGS),
    ],
)
def test_what_cannot_be_is_refused(message: FlowMod, code: object) -> None:
    assert Bench(OF14).refusal(message) == code


def test_emergency_entries_are_refused() -> None:
    message = flow(IP, flags=FlowModFlags.EMERG)
    assert Bench(OF10).refusal(message) == FlowModFailedCode.UNSUPPORTED


def test_an_entry_of_openflow_10_without_wildcards_is_above_all_others() -> None:
    # OF1.0 3.4 "Matching"
    exact = Match(
        in_port=1, eth_src=1, eth_dst=2, vlan_vid=0, eth_type=0x0800, ip_dscp=0, ip_proto=6,
        ipv4_src="10.0.0.1", ipv4_dst="10.0.0.2", tcp_src=1000, tcp_dst=80,
    )  # fmt: skip
    bench = Bench(OF10)
    bench.say(flow(exact, Output(2), priority=1))
    bench.say(flow(WEB, Output(3), priority=9))
    assert bench.out_ports(frames.TCP) == [2]


# The corners (OF1.3.5 6.4 "Flow Table Modification Messages")


def test_add_ignores_what_only_deletes_look_at() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1), cookie=7))
    bench.say(flow(IP, out_port=9, out_group=9, cookie=1, cookie_mask=0xFF))
    assert len(entries(bench)) == 2


def test_modify_ignores_ports_and_groups() -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(1)))
    bench.say(modify(IP, Output(2), out_port=9, out_group=9))
    assert the_entry(bench).sends_to(2)


def test_delete_can_ask_for_a_group_that_is_there() -> None:
    bench = Bench()
    for number in (1, 2):
        bench.say(GroupMod(number))
        bench.say(flow(WEB, Group(number), priority=number))
    bench.say(delete(IP, out_group=1))
    assert the_entry(bench).priority == 2


def test_delete_strict_compares_cookies_too() -> None:
    bench = Bench()
    bench.say(flow(IP, priority=5, cookie=0x17))
    strict = {"command": FlowModCommand.DELETE_STRICT, "priority": 5, "cookie_mask": 0xF0}
    bench.say(delete(IP, cookie=0x20, **strict))
    assert len(entries(bench)) == 1
    bench.say(delete(IP, cookie=0x1F, **strict))
    assert entries(bench) == []


def test_delete_looks_neither_at_instructions_nor_at_buffers() -> None:
    bench = Bench()
    bench.say(flow(IP))
    bench.say(delete(IP, instructions=(GotoTable(0),), buffer_id=9))
    assert entries(bench) == []


def test_modify_strict_wants_the_same_priority() -> None:
    bench = Bench()
    for priority in (1, 2):
        bench.say(flow(WEB, Output(1), priority=priority))
    bench.say(modify(WEB, Output(2), command=FlowModCommand.MODIFY_STRICT, priority=2))
    assert [one.sends_to(2) for one in entries(bench)] == [False, True]


def test_modify_changes_one_table_only() -> None:
    bench = Bench()
    for table_id in (0, 1):
        bench.say(flow(WEB, Output(1), table_id=table_id, priority=table_id + 1))
    bench.say(modify(IP, Output(2), table_id=1))
    assert [one.sends_to(2) for one in entries(bench)] == [False, True]


def test_overlap_is_of_one_priority_and_of_packets_that_both_match() -> None:
    # Both have the same priority, and one packet can match both.
    bench = Bench()
    bench.say(flow(WEB, priority=5))
    check = FlowModFlags.CHECK_OVERLAP
    bench.say(flow(IP, priority=6, flags=check))
    bench.say(flow(ARP, priority=5, flags=check))
    other_port = flow(Match(in_port=1), priority=5, flags=check)
    assert bench.refusal(other_port) == FlowModFailedCode.OVERLAP


@pytest.mark.parametrize(
    ("version", "flags", "code"),
    [
        (OF10, FlowModFlags.SEND_FLOW_REM | FlowModFlags.CHECK_OVERLAP, None),
        (OF11, FlowModFlags.RESET_COUNTS, FlowModFailedCode.UNKNOWN),
        (OF12, FlowModFlags.RESET_COUNTS, None),
        (OF12, FlowModFlags.NO_PKT_COUNTS, FlowModFailedCode.BAD_FLAGS),
        (OF13, FlowModFlags.NO_PKT_COUNTS | FlowModFlags.NO_BYT_COUNTS, None),
    ],
)
def test_each_version_has_its_flags(version: Version, flags: int, code: object) -> None:
    assert Bench(version).refusal(flow(IP, flags=flags)) == code


def test_an_entry_that_does_not_count_says_so_when_it_goes() -> None:
    # OF1.3.5 5.8 "Counters": all ones where a counter is not kept
    uncounted = FlowModFlags.NO_PKT_COUNTS | FlowModFlags.NO_BYT_COUNTS
    bench = Bench()
    bench.say(flow(WEB, flags=uncounted | FlowModFlags.SEND_FLOW_REM))
    [gone] = bench.say(delete(IP))
    assert isinstance(gone, FlowRemoved)
    assert (gone.stats.packet_count, gone.stats.byte_count) == (0xFFFF_FFFF_FFFF_FFFF,) * 2


@every_version
def test_a_hard_timeout_is_told_as_such(version: Version) -> None:
    # OF1.3.5 7.4.2 "Flow Removed Message"
    bench = Bench(version)
    bench.say(flow(WEB, hard_timeout=3, idle_timeout=9, flags=FlowModFlags.SEND_FLOW_REM))
    [(_, gone)] = bench.switch.handle_timer(3.0).messages
    assert isinstance(gone, FlowRemoved)
    assert gone.reason == FlowRemovedReason.HARD_TIMEOUT


@pytest.mark.parametrize("version", [OF11, OF13, OF14])
def test_an_entry_that_goes_with_its_group_says_so(version: Version) -> None:
    # OF1.3.5 6.5 "Group Table Modification Messages"
    bench = Bench(version)
    bench.say(GroupMod(1))
    bench.say(flow(WEB, Group(1), flags=FlowModFlags.SEND_FLOW_REM))
    [gone] = bench.say(GroupMod(1, command=GroupModCommand.DELETE))
    assert isinstance(gone, FlowRemoved)
    assert gone.reason == FlowRemovedReason.GROUP_DELETE


@pytest.mark.parametrize(
    ("version", "reason"),
    [(OF13, FlowRemovedReason.DELETE), (OF14, FlowRemovedReason.METER_DELETE)],
)
def test_with_a_meter_since_openflow_14(version: Version, reason: object) -> None:
    # OF1.3.5 6.6 "Meter Modification Messages"; OF1.3 has no reason of its own for it.
    bench = Bench(version)
    bench.say(MeterMod(1))
    bench.say(flow(WEB, instructions=(Meter(1),), flags=FlowModFlags.SEND_FLOW_REM))
    [gone] = bench.say(MeterMod(1, command=MeterModCommand.DELETE))
    assert isinstance(gone, FlowRemoved)
    assert gone.reason == reason
