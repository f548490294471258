"""Entries that are learnt, and that end with their connection (ovs-actions(7))."""

from __future__ import annotations

import pytest

from protocol import (
    Action,
    BadActionCode,
    FlowModCommand,
    FlowRemoved,
    FlowRemovedReason,
    Match,
    Output,
)
from protocol.nicira import (
    FinTimeout,
    Learn,
    Learn2,
    LearnFlags,
    LoadSpec,
    MatchSpec,
    Nat,
    OutputSpec,
    RegLoad,
    RegMove,
    Resubmit,
    ResubmitTable,
    Subfield,
)
from switch_sim.flow_entry import FlowEntry

from .. import frames
from ..builders import Bench, flow
from .conversations import ACK, FIN, tcp


@pytest.fixture
def bench() -> Bench:
    return Bench(n_ports=4)


def entry_of(bench: Bench, table_id: int) -> FlowEntry:
    """The one entry of a table."""
    (entry,) = bench.switch.tables[table_id]
    return entry


def reg(number: int, value: int) -> RegLoad:
    return RegLoad(Subfield(f"reg{number}"), value)


# "The learn action"

_L2 = Learn(
    (
        MatchSpec(Subfield("eth_src"), Subfield("eth_dst")),
        OutputSpec(Subfield("in_port_nxm")),
    ),
    table_id=1,
    hard_timeout=10,
)
_BACK = frames.TCP[6:12] + frames.TCP[:6] + frames.TCP[12:]


def _learns(bench: Bench, action: Learn, **fields: object) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=1), action, **fields))


def test_an_entry_is_learnt_from_a_packet(bench: Bench) -> None:
    _learns(bench, _L2)
    bench.frames(frames.TCP, in_port=3)
    assert bench.out_ports(_BACK, in_port=2) == [3]
    (entry,) = bench.switch.tables[1].select(Match(eth_dst=1))
    assert (entry.match, entry.hard_timeout) == (Match(eth_dst=1), 10)


def test_an_entry_is_learnt_once_and_its_time_begins_anew(bench: Bench) -> None:
    _learns(bench, _L2)
    bench.frames(frames.TCP, in_port=3, now=0.0)
    bench.frames(frames.TCP, in_port=3, now=9.0)
    assert len(bench.switch.tables[1]) == 1
    bench.switch.handle_timer(10.0)
    assert len(bench.switch.tables[1]) == 1
    bench.switch.handle_timer(19.0)
    assert len(bench.switch.tables[1]) == 0


def test_an_entry_that_is_learnt_again_is_no_change_of_the_table(bench: Bench) -> None:
    _learns(bench, _L2)
    bench.frames(frames.TCP, in_port=3)
    generation = bench.switch.tables[1].generation
    bench.frames(frames.TCP, in_port=3)
    assert bench.switch.tables[1].generation == generation


def test_an_entry_that_moved_is_changed(bench: Bench) -> None:
    _learns(bench, _L2)
    bench.frames(frames.TCP, in_port=3)
    bench.frames(frames.TCP, in_port=4)
    assert bench.out_ports(_BACK, in_port=2) == [4]


def test_numbers_are_matched_and_loaded(bench: Bench) -> None:
    action = Learn(
        (
            MatchSpec(0x0800, Subfield("eth_type")),
            MatchSpec(6, Subfield("ip_proto")),
            MatchSpec(Subfield("tcp_src"), Subfield("tcp_dst")),
            LoadSpec(3, Subfield("reg0")),
            LoadSpec(Subfield("ipv4_src", 0, 8), Subfield("reg1", 8, 8)),
            OutputSpec(Subfield("in_port_nxm")),
        ),
        table_id=1,
        priority=7,
    )
    bench.say(flow(Match(eth_type=0x0800, ip_proto=6), action))
    bench.frames(frames.TCP, in_port=3)
    entry = entry_of(bench, 1)
    assert entry.match == Match(eth_type=0x0800, ip_proto=6, tcp_dst=1000)
    assert entry.actions == (reg(0, 3), RegLoad(Subfield("reg1", 8, 8), 1), Output(3))


def test_parts_of_a_tag_are_matched_under_a_mask(bench: Bench) -> None:
    vid = Subfield("vlan_tci", 0, 12)
    _learns(bench, Learn((MatchSpec(vid, vid), OutputSpec(Subfield("in_port_nxm")))))
    bench.frames(frames.VLAN_TCP, in_port=3)
    assert bench.out_ports(frames.VLAN_TCP, in_port=2) == [3]
    assert bench.out_ports(frames.VLAN_5_TCP, in_port=4) == []


def test_a_limit_is_kept_and_its_result_told(bench: Bench) -> None:
    action = Learn2(_L2.specs, cookie=5, limit=1, flags=LearnFlags.WRITE_RESULT, result_dst="reg0")
    bench.say(flow(Match(), action, RegMove(Subfield("reg0"), Subfield("reg1")), Resubmit(9)))
    bench.say(flow(Match(in_port=9, reg1=1), Output(2), priority=0x9000))
    bench.say(flow(Match(in_port=9, reg1=0), Output(3), priority=0x9000))
    assert bench.out_ports(frames.TCP) == [2]
    assert bench.out_ports(_BACK) == [3]
    assert bench.out_ports(frames.TCP) == [2]  # this one is there
    assert len(bench.switch.tables[1]) == 1


def test_learnt_entries_go_with_the_one_that_learnt_them(bench: Bench) -> None:
    flags = LearnFlags.DELETE_LEARNED | LearnFlags.SEND_FLOW_REM
    for in_port in (2, 3):
        _learns(bench, Learn(_L2.specs, cookie=9, flags=flags), priority=in_port)
    bench.frames(frames.TCP)
    bench.say(flow(priority=2, command=FlowModCommand.DELETE_STRICT))
    assert len(bench.switch.tables[1]) == 1
    answers = bench.say(flow(priority=3, command=FlowModCommand.DELETE_STRICT))
    assert len(bench.switch.tables[1]) == 0
    (removed,) = (one for one in answers if isinstance(one, FlowRemoved))
    assert (removed.cookie, removed.reason) == (9, FlowRemovedReason.DELETE)


def test_learnt_entries_stay_without_the_flag(bench: Bench) -> None:
    _learns(bench, _L2)
    bench.frames(frames.TCP)
    bench.say(flow(command=FlowModCommand.DELETE))
    assert len(bench.switch.tables[1]) == 1


def test_a_learnt_entry_that_would_be_refused_is_counted(bench: Bench) -> None:
    tables = Bench(max_entries=1)
    tables.say(flow(Match(), _L2))
    tables.frames(frames.TCP)
    tables.frames(_BACK)
    assert tables.switch.datapath.nicira.learner.failed_count == 1


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Learn((MatchSpec(80, Subfield("tcp_dst")),)), BadActionCode.MATCH_INCONSISTENT),
        (Learn((LoadSpec(80, Subfield("tcp_dst")),)), BadActionCode.MATCH_INCONSISTENT),
        (Learn((LoadSpec(1, Subfield("ct_state")),)), BadActionCode.BAD_SET_ARGUMENT),
        (Learn((OutputSpec(Subfield("tcp_dst")),)), BadActionCode.MATCH_INCONSISTENT),
        (Learn(table_id=254), BadActionCode.BAD_ARGUMENT),
        (Learn(flags=8), BadActionCode.BAD_ARGUMENT),
        (Nat(), BadActionCode.BAD_SET_ARGUMENT),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    bench: Bench, action: Action, code: BadActionCode
) -> None:
    assert bench.refusal(flow(Match(), action)) == code


# "The fin_timeout action"


def test_an_entry_lasts_shorter_when_its_connection_ends(bench: Bench) -> None:
    match = Match(eth_type=0x0800, ip_proto=6)
    bench.say(flow(match, FinTimeout(5, 20), Output(2), idle_timeout=60))
    bench.frames(tcp(ACK))
    entry = entry_of(bench, 0)
    assert (entry.idle_timeout, entry.hard_timeout) == (60, 0)
    bench.frames(tcp(ACK | FIN))
    assert (entry.idle_timeout, entry.hard_timeout) == (5, 20)
    assert bench.switch.deadline() == 5.0


def test_more_ends_of_connections_set_no_more_timers(bench: Bench) -> None:
    match = Match(eth_type=0x0800, ip_proto=6)
    bench.say(flow(match, FinTimeout(5, 20), Output(2), idle_timeout=60))
    for _ in range(100):
        bench.frames(tcp(ACK | FIN))
    assert len(bench.switch.tables[0]._timers) < 5


def test_a_learnt_entry_has_its_fin_timeout(bench: Bench) -> None:
    bench.say(flow(Match(), Learn(_L2.specs, fin_idle_timeout=5)))
    bench.frames(frames.TCP)
    entry = entry_of(bench, 1)
    assert entry.actions == (FinTimeout(5, 0), Output(1))
