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
    Match,
    Output,
    PacketOut,
    Port,
    WriteActions,
)
from protocol.actions import set_field
from protocol.nicira import (
    Clone,
    DecTtl,
    Exit,
    Note,
    OutputReg,
    OutputTrunc,
    PushMpls,
    RegLoad,
    Resubmit,
    ResubmitTable,
    Sample,
    StackPush,
    Subfield,
)
from switch_sim.nicira.course import MAX_DEPTH, MAX_RESUBMITS, MAX_STACK

from .. import frames
from ..builders import Bench, flow


@pytest.fixture
def bench() -> Bench:
    return Bench(n_ports=4)


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


def test_entries_are_deleted_by_the_port_in_a_clone(bench: Bench) -> None:
    bench.say(flow(Match(), Clone((Output(3),)), Output(2)))
    bench.say(flow(Match(), command=FlowModCommand.DELETE, out_port=4))
    assert len(bench.switch.tables[0]) == 1
    bench.say(flow(Match(), command=FlowModCommand.DELETE, out_port=3))
    assert len(bench.switch.tables[0]) == 0


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


# What OF1.1 took over


def test_of10_has_mpls_and_ttls_by_nicira() -> None:
    bench = Bench(OF10)
    bench.say(flow(Match(), PushMpls(), Output(2)))
    bench.say(flow(Match(in_port=3), DecTtl(), Output(2), priority=0x9000))
    assert bench.frames(frames.TCP) == [(2, frames.MPLS_PUSHED_TCP)]
    assert bench.frames(frames.TCP, in_port=3) == [(2, frames.TCP_TTL_63)]
