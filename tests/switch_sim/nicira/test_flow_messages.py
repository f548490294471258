"""Flow entries by Nicira's messages in OF1.0, which say what OF1.0 itself has no words for."""

from __future__ import annotations

from protocol import OF10, OF13, ApplyActions, FlowModCommand, Match, Output
from protocol import nicira as nx
from tests.switch_sim.builders import Bench, flow, flows_of

ARP = Match(eth_type=0x0806, arp_tha="00:00:00:00:00:09")  # OF1.0 knows no arp_tha
TO_2 = (ApplyActions((Output(2),)),)


def bench_with(*matches: Match) -> Bench:
    bench = Bench(OF10)
    for number, match in enumerate(matches, 1):
        bench.say(nx.FlowMod(match, TO_2, cookie=number))
    return bench


def told(bench: Bench, match: Match) -> list[tuple[Match, int]]:
    [reply] = bench.say(nx.FlowStatsRequest(match, xid=5))
    assert isinstance(reply, nx.FlowStatsReply)
    assert reply.xid == 5
    return [(one.match, one.cookie) for one in reply.flows]


def test_an_entry_is_added_and_told_with_its_match() -> None:
    bench = bench_with(ARP)
    assert told(bench, Match()) == [(ARP, 1)]


def test_a_request_selects_by_match_and_by_the_cookie_in_it() -> None:
    bench = bench_with(ARP, Match(in_port=1))
    assert told(bench, Match(eth_type=0x0806)) == [(ARP, 1)]
    assert told(bench, Match(cookie=2)) == [(Match(in_port=1), 2)]
    assert told(bench, Match(cookie=(2, 2))) == [(Match(in_port=1), 2)]
    assert told(bench, Match(cookie=7)) == []


def test_entries_are_deleted_by_the_cookie_in_the_match() -> None:
    bench = bench_with(ARP, Match(in_port=1))
    bench.say(nx.FlowMod(Match(cookie=1), command=FlowModCommand.DELETE))
    assert [entry.cookie for entry in flows_of(bench)] == [2]


def test_entries_that_nxm_has_no_words_for_are_left_out() -> None:
    bench = bench_with(ARP)
    bench.other(OF13).say(flow(Match(in_port=2), Output(1), table_id=1))
    assert told(bench, Match()) == [(ARP, 1), (Match(in_port=2), 0)]
    assert len(flows_of(bench)) == 2


def test_counters_are_summed_up() -> None:
    bench = bench_with(ARP, Match(in_port=1))
    bench.frames(bytes(60))
    [reply] = bench.say(nx.AggregateStatsRequest(Match(cookie=2)))
    assert isinstance(reply, nx.AggregateStatsReply)
    assert (reply.stats.flow_count, reply.stats.packet_count, reply.stats.byte_count) == (1, 1, 60)


def test_many_entries_come_in_parts() -> None:
    bench = bench_with(*(Match(in_port=1, vlan_vid=0x1000 | vid) for vid in range(1, 1500)))
    replies = bench.say(nx.FlowStatsRequest())
    parts = [reply.flows for reply in replies if isinstance(reply, nx.FlowStatsReply)]
    assert len(parts) > 1
    assert sum(map(len, parts)) == 1499
