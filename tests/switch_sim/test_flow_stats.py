"""Flow stats: which entries, what of them, in how many parts."""

from __future__ import annotations

import pytest

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF13,
    BadRequestCode,
    FlowModFlags,
    FlowStats,
    FlowStatsReply,
    FlowStatsRequest,
    GotoTable,
    Match,
    MultipartFlags,
    Output,
    Version,
)
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
IP = Match(eth_type=0x0800)


def asked(bench: Bench, request: FlowStatsRequest, now: float = 0.0) -> list[FlowStats]:
    found: list[FlowStats] = []
    for reply in bench.say(request, now):
        assert isinstance(reply, FlowStatsReply)
        found += reply.flows
    return found


@pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
def test_an_entry_is_told_as_it_was_made(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(2), cookie=7, idle_timeout=5, priority=9))
    bench.frames(frames.TCP, now=1.0)
    [entry] = asked(bench, FlowStatsRequest(), now=2.5)
    assert (entry.match, entry.cookie, entry.idle_timeout, entry.priority) == (WEB, 7, 5, 9)
    assert (entry.stats.packet_count, entry.stats.byte_count) == (1, len(frames.TCP))
    assert (entry.stats.duration_sec, entry.stats.duration_nsec) == (2, 500_000_000)
    assert (entry.stats.idle_sec, entry.stats.idle_nsec) == (1, 500_000_000)


def test_counters_that_are_not_kept_are_all_ones() -> None:
    # OF1.3.5 5.8 "Counters"
    bench = Bench()
    bench.say(flow(WEB, flags=FlowModFlags.NO_PKT_COUNTS))
    [entry] = asked(bench, FlowStatsRequest())
    assert entry.stats.packet_count == 0xFFFF_FFFF_FFFF_FFFF
    assert entry.stats.byte_count == 0


@pytest.mark.parametrize(
    ("request_", "priorities"),
    [
        (FlowStatsRequest(), [1, 2, 3]),
        (FlowStatsRequest(IP), [1, 3]),
        (FlowStatsRequest(table_id=0), [1, 2]),
        (FlowStatsRequest(table_id=9), []),
        (FlowStatsRequest(out_port=2), [1]),
        (FlowStatsRequest(cookie=2, cookie_mask=2), [2, 3]),
        (FlowStatsRequest(out_group=5), []),
    ],
)
def test_entries_are_selected(request_: FlowStatsRequest, priorities: list[int]) -> None:
    bench = Bench()
    bench.say(flow(WEB, Output(2), priority=1, cookie=1))
    bench.say(flow(Match(in_port=1), Output(3), priority=2, cookie=2))
    bench.say(flow(IP, priority=3, table_id=1, cookie=3))
    assert sorted(entry.priority for entry in asked(bench, request_)) == priorities


def test_a_table_that_cannot_be_is_refused() -> None:
    assert Bench().refusal(FlowStatsRequest(table_id=254)) == BadRequestCode.BAD_TABLE_ID


def test_the_table_of_emergency_entries_is_empty() -> None:
    assert asked(Bench(OF10), FlowStatsRequest(table_id=0xFE)) == []


@pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
def test_many_entries_come_in_parts_that_a_message_can_hold(version: Version) -> None:
    bench = Bench(version)
    for port in range(2000):
        bench.say(flow(Match(in_port=port), Output(2)))
    replies = bench.say(FlowStatsRequest(xid=5))
    assert len(replies) > 1
    flags = [reply.flags for reply in replies if isinstance(reply, FlowStatsReply)]
    assert flags == [MultipartFlags.MORE] * (len(replies) - 1) + [0]
    assert all(len(reply.encode(version)) < 61_000 and reply.xid == 5 for reply in replies)
    assert len(asked(bench, FlowStatsRequest())) == 2000


def test_entries_that_a_version_cannot_say_are_left_out() -> None:
    bench = Bench(OF13)
    bench.say(flow(WEB, Output(2)))
    bench.say(flow(Match(eth_type=0x86DD, ipv6_dst="fd00::1"), Output(2)))
    bench.say(flow(IP, instructions=(GotoTable(1),)))
    bench.version, bench.session = OF10, bench.switch.connect(OF10)
    assert [entry.match for entry in asked(bench, FlowStatsRequest())] == [WEB]
