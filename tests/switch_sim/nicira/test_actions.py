"""Actions on the way of a packet (ovs-actions(7))."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    Action,
    ApplyActions,
    BadActionCode,
    DecNwTtl,
    FlowModCommand,
    FlowRemoved,
    FlowRemovedReason,
    Match,
    Output,
    PacketOut,
    Port,
    WriteActions,
)
from protocol.actions import set_field
from protocol.nicira import (
    Bundle,
    BundleAlgorithm,
    BundleLoad,
    Clone,
    Conjunction,
    DecTtl,
    Exit,
    FinTimeout,
    HashFields,
    Learn,
    Learn2,
    LearnFlags,
    LoadSpec,
    MatchSpec,
    Multipath,
    MultipathAlgorithm,
    Nat,
    Note,
    OutputReg,
    OutputSpec,
    OutputTrunc,
    PushMpls,
    RegLoad,
    RegMove,
    Resubmit,
    ResubmitTable,
    Sample,
    StackPush,
    Subfield,
)
from protocol.symmetric import UnknownError
from switch_sim.flow_entry import FlowEntry
from switch_sim.nicira.course import MAX_DEPTH, MAX_RESUBMITS, MAX_STACK

from .. import frames
from ..builders import Bench, flow
from .conversations import ACK, FIN, tcp, udp


@pytest.fixture
def bench() -> Bench:
    return Bench(n_ports=4)


def entry_of(bench: Bench, table_id: int) -> FlowEntry:
    """The one entry of a table."""
    (entry,) = bench.switch.tables[table_id]
    return entry


def reg(number: int, value: int) -> RegLoad:
    return RegLoad(Subfield(f"reg{number}"), value)


# "The resubmit action"


def test_resubmit_looks_in_another_table_and_comes_back(bench: Bench) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=5), Output(2)))
    bench.say(flow(Match(), Output(3), table_id=5))
    assert bench.out_ports(frames.TCP) == [3, 2]


def test_what_a_resubmit_changes_stays(bench: Bench) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=5), OutputReg(Subfield("reg0"))))
    bench.say(flow(Match(), reg(0, 4), table_id=5))
    assert bench.out_ports(frames.TCP) == [4]


def test_resubmit_looks_as_if_the_packet_had_come_in_elsewhere(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1), Resubmit(3)))
    bench.say(flow(Match(in_port=3), Output(3), Output(1), Output(Port.IN_PORT)))
    # Behind the look-up it has its own in_port again.
    assert bench.out_ports(frames.TCP) == [3, 1]


def test_a_resubmit_that_finds_nothing_is_told_to_nobody() -> None:
    bench = Bench(OF10)
    bench.say(flow(Match(), ResubmitTable(table_id=5), Output(2)))
    assert bench.packet_ins(frames.TCP) == []


def test_resubmit_counts_at_the_entry_that_it_finds(bench: Bench) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=5)))
    bench.say(flow(Match(), Output(2), table_id=5))
    bench.frames(frames.TCP)
    assert [entry.packet_count for entry in bench.switch.tables[5]] == [1]


def test_resubmits_within_one_another_have_an_end(bench: Bench) -> None:
    bench.say(flow(Match(), Output(2), ResubmitTable(table_id=0)))
    assert len(bench.frames(frames.TCP)) == MAX_DEPTH + 1


def test_clones_count_as_resubmits_do_within_one_another(bench: Bench) -> None:
    again: Action = ResubmitTable(Port.IN_PORT, 0)
    for _ in range(7):
        again = Clone((again,))
    bench.say(flow(Match(), again, Output(2)))
    assert len(bench.out_ports(frames.TCP)) == MAX_DEPTH // 8


def test_resubmits_have_an_end_all_together(bench: Bench) -> None:
    bench.say(flow(Match(), *[ResubmitTable(table_id=1)] * 100))
    bench.say(flow(Match(), *[ResubmitTable(table_id=2)] * 100, table_id=1))
    bench.say(flow(Match(), Output(2), table_id=2))
    sent = len(bench.frames(frames.TCP))
    # 100 in table 2 for each one in table 1.
    assert sent == MAX_RESUBMITS - -(-MAX_RESUBMITS // 101)


def test_an_action_set_is_done_once_behind_all_resubmits(bench: Bench) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=5), Output(2)))
    bench.say(flow(instructions=(WriteActions((Output(3),)),), table_id=5))
    assert bench.out_ports(frames.TCP) == [2, 3]


def test_resubmit_in_a_packet_out(bench: Bench) -> None:
    bench.say(flow(Match(in_port=2), Output(3), table_id=5))
    message = PacketOut(actions=(ResubmitTable(2, 5),), data=frames.TCP)
    assert [port for port, _ in bench.effects_of(message).frames] == [3]


def test_a_table_that_is_not_there_is_refused(bench: Bench) -> None:
    assert bench.refusal(flow(Match(), ResubmitTable(table_id=254))) == BadActionCode.BAD_ARGUMENT


def test_a_ttl_that_ends_in_a_resubmit_does_not_end_the_packet(bench: Bench) -> None:
    """ovs-actions(7) "The dec_ttl action"."""
    bench.say(flow(Match(eth_type=0x0800), ResubmitTable(table_id=1), Output(3)))
    bench.say(flow(Match(eth_type=0x0800), DecNwTtl(), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP_TTL_1) == [3]


def test_an_action_set_is_done_behind_a_packet_out_that_resubmits(bench: Bench) -> None:
    bench.say(flow(instructions=(WriteActions((Output(3),)),), table_id=5))
    message = PacketOut(actions=(ResubmitTable(table_id=5),), data=frames.TCP)
    assert [port for port, _ in bench.effects_of(message).frames] == [3]


# "The clone action", "The exit action", "The note action"


def test_what_a_clone_changes_is_forgotten(bench: Bench) -> None:
    ip = Match(eth_type=0x0800)
    bench.say(flow(ip, Clone((set_field(ipv4_dst="10.0.0.9"), Output(2))), Output(3)))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TO_10_0_0_9), (3, frames.TCP)]


def test_exit_in_a_clone_ends_the_packet_too(bench: Bench) -> None:
    bench.say(flow(Match(), Clone((Exit(), Output(2))), Output(3)))
    assert bench.out_ports(frames.TCP) == []


def test_what_drops_a_clone_does_not_end_the_packet(bench: Bench) -> None:
    bench.say(flow(Match(eth_type=0x0800), Clone((DecNwTtl(), Output(2))), Output(3)))
    assert bench.out_ports(frames.TCP_TTL_1) == [3]


def test_actions_in_a_clone_are_checked(bench: Bench) -> None:
    nested = Clone((RegLoad(Subfield("ct_state"), 0),))
    assert bench.refusal(flow(Match(), nested)) == BadActionCode.BAD_SET_ARGUMENT


def test_exit_ends_all_resubmits_but_not_the_action_set(bench: Bench) -> None:
    bench.say(
        flow(
            instructions=(
                ApplyActions((ResubmitTable(table_id=5), Output(2))),
                WriteActions((Output(4),)),
            )
        )
    )
    bench.say(
        flow(
            instructions=(
                ApplyActions((Output(3), ResubmitTable(table_id=6), Output(2))),
                WriteActions((Output(2),)),
            ),
            table_id=5,
        )
    )
    bench.say(
        flow(instructions=(ApplyActions((Exit(), Output(2))),), table_id=6),
    )
    # Nobody wrote to the action set before the end, so that nothing is in it.
    assert bench.out_ports(frames.TCP) == [3]


def test_an_action_set_that_was_written_is_done_behind_exit(bench: Bench) -> None:
    bench.say(flow(instructions=(ApplyActions((ResubmitTable(table_id=5), Exit())),)))
    bench.say(flow(instructions=(WriteActions((Output(3),)),), table_id=5))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_note_does_nothing(bench: Bench) -> None:
    bench.say(flow(Match(), Note(b"to whom it may concern"), Output(2)))
    assert bench.frames(frames.TCP) == [(2, frames.TCP)]


def test_samples_are_counted(bench: Bench) -> None:
    bench.say(flow(Match(), Sample(0xFFFF), Output(2)))
    bench.frames(frames.TCP)
    assert bench.switch.datapath.nicira.sample_count == 1


def test_a_stack_has_an_end(bench: Bench) -> None:
    pushes = [StackPush(Subfield("xxreg0"))] * 64
    bench.say(flow(Match(), *pushes, Resubmit(), priority=2))
    bench.say(flow(Match(), Output(2), priority=1, table_id=0))
    assert bench.frames(frames.TCP) == []
    assert 64 * 16 * (MAX_DEPTH + 1) > MAX_STACK


# "The output action"


def test_a_packet_is_cut_for_one_port_only(bench: Bench) -> None:
    bench.say(flow(Match(), OutputTrunc(2, 20), Output(3)))
    assert bench.frames(frames.TCP) == [(2, frames.TCP[:20]), (3, frames.TCP)]


@pytest.mark.parametrize("port", [Port.FLOOD, Port.ALL, Port.NORMAL, Port.CONTROLLER])
def test_reserved_ports_take_whole_packets_only(bench: Bench, port: Port) -> None:
    assert bench.refusal(flow(Match(), OutputTrunc(port, 20))) == BadActionCode.BAD_OUT_PORT


def test_a_frame_has_a_least_length(bench: Bench) -> None:
    assert bench.refusal(flow(Match(), OutputTrunc(2, 13))) == BadActionCode.BAD_ARGUMENT


# "The bundle action", "The multipath action"


def _down(bench: Bench, *port_nos: int) -> None:
    for port_no in port_nos:
        bench.switch.set_link(port_no, False, 0.0)


def test_the_first_live_member_gets_the_packet(bench: Bench) -> None:
    bench.say(flow(Match(), Bundle((2, 3, 4))))
    assert bench.out_ports(frames.TCP) == [2]
    _down(bench, 2)
    assert bench.out_ports(frames.TCP) == [3]
    _down(bench, 3, 4)
    assert bench.out_ports(frames.TCP) == []


def test_members_share_by_hash_and_keep_theirs_when_another_dies(bench: Bench) -> None:
    hrw = Bundle((2, 3, 4), BundleAlgorithm.HRW, HashFields.SYMMETRIC_L3L4_UDP)
    bench.say(flow(Match(), hrw))
    before = {sport: bench.out_ports(udp(sport=sport)) for sport in range(1, 200)}
    assert {port for ports in before.values() for port in ports} == {2, 3, 4}
    _down(bench, 3)
    after = {sport: bench.out_ports(udp(sport=sport)) for sport in range(1, 200)}
    assert all(after[one] == ports for one, ports in before.items() if ports != [3])
    assert all(ports in ([2], [4]) for ports in after.values())


def test_both_ways_of_a_connection_go_the_same_way(bench: Bench) -> None:
    hrw = Bundle((2, 3, 4), BundleAlgorithm.HRW, HashFields.SYMMETRIC_L3L4_UDP)
    bench.say(flow(Match(), hrw))
    for sport in range(1, 50):
        there = bench.out_ports(udp("10.0.0.1", "10.0.0.2", sport, 53))
        assert bench.out_ports(udp("10.0.0.2", "10.0.0.1", 53, sport)) == there


def test_a_member_is_loaded_into_a_field(bench: Bench) -> None:
    bench.say(
        flow(Match(), BundleLoad(Subfield("reg0", 0, 16), (3, 4)), OutputReg(Subfield("reg0")))
    )
    assert bench.out_ports(frames.TCP) == [3]
    _down(bench, 3, 4)
    assert bench.out_ports(frames.TCP) == []


@pytest.mark.parametrize("algorithm", list(MultipathAlgorithm))
def test_links_share_by_hash(bench: Bench, algorithm: MultipathAlgorithm) -> None:
    choice = Multipath(
        Subfield("reg0"), HashFields.SYMMETRIC_L3L4_UDP, 7, algorithm, max_link=2, arg=3
    )
    bench.say(
        flow(Match(), choice, ResubmitTable(table_id=1)),
    )
    for number in range(3):
        bench.say(flow(Match(reg0=number), Output(2 + number), table_id=1))
    seen = [bench.out_ports(udp(sport=sport)) for sport in range(1, 301)]
    assert all(60 < seen.count([port]) < 140 for port in (2, 3, 4))


def test_a_link_that_does_not_fit_is_refused(bench: Bench) -> None:
    choice = Multipath(Subfield("reg0", 0, 1), max_link=2)
    assert bench.refusal(flow(Match(), choice)) == BadActionCode.BAD_ARGUMENT


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


def test_a_learnt_entry_has_its_fin_timeout(bench: Bench) -> None:
    bench.say(flow(Match(), Learn(_L2.specs, fin_idle_timeout=5)))
    bench.frames(frames.TCP)
    entry = entry_of(bench, 1)
    assert entry.actions == (FinTimeout(5, 0), Output(1))


# ovs-fields(7) "Conjunctive Match Fields"


def _clause(conj_id: int, clause: int, n_clauses: int = 2) -> Conjunction:
    return Conjunction(conj_id, clause, n_clauses)


def _two_of_two(bench: Bench, priority: int = 100) -> None:
    """In by port 1 or 2, and from 10.0.0.1 or 10.0.0.3."""
    for in_port in (1, 2):
        bench.say(flow(Match(in_port=in_port), _clause(7, 0), priority=priority))
    for source in ("10.0.0.1", "10.0.0.3"):
        ip = Match(eth_type=0x0800, ipv4_src=source)
        bench.say(flow(ip, _clause(7, 1), priority=priority))
    bench.say(flow(Match(conj_id=7), Output(4), priority=priority))


def test_a_conjunction_wants_an_entry_of_each_clause(bench: Bench) -> None:
    _two_of_two(bench)
    assert bench.out_ports(udp("10.0.0.1"), in_port=1) == [4]
    assert bench.out_ports(udp("10.0.0.3"), in_port=2) == [4]
    assert bench.out_ports(udp("10.0.0.3"), in_port=3) == []
    assert bench.out_ports(udp("10.0.0.9"), in_port=1) == []


def test_an_entry_above_a_conjunction_comes_first(bench: Bench) -> None:
    _two_of_two(bench)
    bench.say(flow(Match(in_port=1), Output(3), priority=101))
    assert bench.out_ports(udp("10.0.0.1"), in_port=1) == [3]


def test_an_entry_below_a_conjunction_counts_where_that_does_not_hold(bench: Bench) -> None:
    _two_of_two(bench)
    bench.say(flow(Match(), Output(3), priority=99))
    assert bench.out_ports(udp("10.0.0.1"), in_port=1) == [4]
    assert bench.out_ports(udp("10.0.0.9"), in_port=1) == [3]


def test_clauses_of_other_priorities_do_not_count(bench: Bench) -> None:
    _two_of_two(bench)
    bench.say(flow(Match(in_port=3), _clause(7, 0), priority=50))
    assert bench.out_ports(udp("10.0.0.1"), in_port=3) == []


def test_an_entry_may_be_in_several_conjunctions(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1), _clause(1, 0), _clause(2, 0), priority=9))
    bench.say(flow(Match(eth_src=1), _clause(2, 1), priority=9))
    bench.say(flow(Match(conj_id=1), Output(2)))
    bench.say(flow(Match(conj_id=2), Output(3)))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_conjunction_that_no_entry_has_the_id_of_is_passed_over(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1), _clause(1, 0), priority=9))
    bench.say(flow(Match(eth_src=1), _clause(1, 1), priority=9))
    bench.say(flow(Match(), Output(2), priority=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_an_entry_that_becomes_a_clause_matches_no_more(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1), Output(2)))
    change = flow(Match(in_port=1), _clause(1, 0), command=FlowModCommand.MODIFY)
    bench.say(change)
    assert bench.out_ports(frames.TCP) == []
    bench.say(flow(Match(in_port=1), Output(3), command=FlowModCommand.MODIFY))
    assert bench.out_ports(frames.TCP) == [3]


@pytest.mark.parametrize(
    "actions",
    [
        (Conjunction(1, 0, 1),),
        (Conjunction(1, 0, 65),),
        (Conjunction(1, 2, 2),),
        (Conjunction(1, 0, 2), Output(2)),
    ],
)
def test_conjunctions_that_cannot_be_are_refused(bench: Bench, actions: tuple[Action, ...]) -> None:
    assert bench.refusal(flow(Match(), *actions)) == UnknownError(0xFFFF, 15)


def test_a_note_may_stand_beside_a_conjunction(bench: Bench) -> None:
    bench.say(flow(Match(), Conjunction(1, 0, 2), Note(b"first")))


# What OF1.1 took over


def test_of10_has_mpls_and_ttls_by_nicira() -> None:
    bench = Bench(OF10)
    bench.say(flow(Match(), PushMpls(), Output(2)))
    bench.say(flow(Match(in_port=3), DecTtl(), Output(2), priority=0x9000))
    assert bench.frames(frames.TCP) == [(2, frames.MPLS_PUSHED_TCP)]
    assert bench.frames(frames.TCP, in_port=3) == [(2, frames.TCP_TTL_63)]
