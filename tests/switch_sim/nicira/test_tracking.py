"""The action `ct` in flow tables (ovs-actions(7) "The ct action")."""

from __future__ import annotations

import pytest

from protocol import OF15, Action, BadActionCode, GotoTable, Match, Output
from protocol.actions import CopyField, set_field
from protocol.nicira import (
    NO_RECIRCULATION,
    Clone,
    Ct,
    CtAlg,
    CtClear,
    CtFlags,
    CtFlushZone,
    CtState,
    Nat,
    NatFlags,
    RegLoad,
    RegMove,
    ResubmitTable,
    ResubmitTableCt,
    Subfield,
)
from switch_sim.nicira.course import MAX_RECIRCULATIONS

from .. import frames
from ..builders import Bench, flow
from .conversations import ACK, CLIENT, SERVER, SYN, tcp, tcp_answer, udp

IP = Match(eth_type=0x0800)
UDP = Match(eth_type=0x0800, ip_proto=17)
INSIDE, OUTSIDE = 1, 2


@pytest.fixture
def bench() -> Bench:
    return Bench()


def state(bits: int, **fields: int) -> Match:
    return Match(eth_type=0x0800, ct_state=(bits, bits), **fields)


def firewall(bench: Bench) -> None:
    """From the inside connections begin, from the outside only answers come in."""
    bench.say(flow(IP, Ct(recirc_table=1)))
    new = state(CtState.TRACKED | CtState.NEW, in_port=INSIDE)
    bench.say(flow(new, Ct(CtFlags.COMMIT), Output(OUTSIDE), table_id=1))
    known = CtState.TRACKED | CtState.ESTABLISHED
    bench.say(flow(state(known, in_port=INSIDE), Output(OUTSIDE), table_id=1))
    bench.say(flow(state(known, in_port=OUTSIDE), Output(INSIDE), table_id=1))


def test_a_firewall_lets_answers_in_and_nothing_else(bench: Bench) -> None:
    firewall(bench)
    assert bench.out_ports(tcp_answer(SYN), OUTSIDE) == []
    assert bench.out_ports(tcp(SYN), INSIDE) == [OUTSIDE]
    assert bench.out_ports(tcp_answer(SYN | ACK), OUTSIDE) == [INSIDE]
    assert bench.out_ports(tcp(ACK), INSIDE) == [OUTSIDE]
    assert bench.out_ports(udp(SERVER, CLIENT, 53, 1000), OUTSIDE) == []


def test_connections_are_forgotten_when_their_time_is_over(bench: Bench) -> None:
    firewall(bench)
    bench.frames(tcp(SYN), INSIDE, now=0.0)
    assert bench.switch.deadline() == 30.0
    bench.switch.handle_timer(30.0)
    assert len(bench.switch.datapath.nicira.conntrack) == 0
    assert bench.out_ports(tcp_answer(SYN | ACK), OUTSIDE, now=30.0) == []


def test_behind_ct_the_packet_goes_on_untracked(bench: Bench) -> None:
    bench.say(flow(IP, Ct(recirc_table=1), ResubmitTable(table_id=2)))
    bench.say(flow(state(CtState.TRACKED), Output(2), table_id=1))
    bench.say(flow(Match(eth_type=0x0800, ct_state=0), Output(3), table_id=2))
    assert bench.out_ports(udp()) == [2, 3]


def test_without_a_table_nothing_is_told(bench: Bench) -> None:
    bench.say(flow(IP, Ct(CtFlags.COMMIT), ResubmitTable(table_id=2)))
    bench.say(flow(Match(eth_type=0x0800, ct_state=0), Output(3), table_id=2))
    assert bench.out_ports(udp()) == [3]
    assert len(bench.switch.datapath.nicira.conntrack) == 1


def test_registers_go_along_and_come_back_alone(bench: Bench) -> None:
    bench.say(flow(IP, RegLoad(Subfield("reg0"), 1), Ct(recirc_table=1), ResubmitTable(table_id=2)))
    bench.say(
        flow(Match(reg0=1), RegLoad(Subfield("reg0"), 2), Output(2), table_id=1),
    )
    bench.say(flow(Match(reg0=1), Output(3), table_id=2))
    assert bench.out_ports(udp()) == [2, 3]


def test_a_zone_may_be_in_a_register(bench: Bench) -> None:
    zone = Subfield("reg0", 0, 16)
    bench.say(flow(IP, RegLoad(zone, 9), Ct(zone=zone, recirc_table=1)))
    bench.say(flow(Match(ct_zone=9), Output(2), table_id=1))
    assert bench.out_ports(udp()) == [2]


def test_mark_and_label_are_the_connections_own(bench: Bench) -> None:
    exec_ = (
        set_field(ct_mark=0x55),
        RegMove(Subfield("ipv4_src"), Subfield("ct_label", 64, 32)),
    )
    bench.say(flow(Match(in_port=1, eth_type=0x0800), Ct(CtFlags.COMMIT, actions=exec_)))
    bench.say(flow(Match(in_port=2, eth_type=0x0800), Ct(recirc_table=1)))
    label = Match(ct_mark=0x55, ct_label=0x0A00_0001 << 64)
    bench.say(flow(label, Output(3), table_id=1))
    bench.frames(udp())
    assert bench.out_ports(udp(SERVER, CLIENT, 53, 1000), in_port=2) == [3]


def test_a_mark_is_copied_in_of15() -> None:
    bench = Bench(OF15)
    exec_ = (CopyField(4, "ipv4_src", "ct_mark", 0, 8),)
    bench.say(flow(IP, Ct(CtFlags.COMMIT, actions=exec_)))
    bench.frames(udp())
    (connection,) = bench.switch.datapath.nicira.conntrack
    assert connection.mark == 0x100


def test_only_bits_of_the_mark_change(bench: Bench) -> None:
    for in_port, bits in ((1, Subfield("ct_mark", 0, 4)), (2, Subfield("ct_mark", 4, 4))):
        exec_ = (RegLoad(bits, 5),)
        match = Match(in_port=in_port, eth_type=0x0800)
        bench.say(flow(match, Ct(CtFlags.COMMIT, actions=exec_)))
        bench.frames(udp(), in_port)
    (connection,) = bench.switch.datapath.nicira.conntrack
    assert connection.mark == 0x55


def test_a_mark_is_set_with_commit_only(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1, eth_type=0x0800), Ct(CtFlags.COMMIT)))
    exec_ = (set_field(ct_mark=5),)
    bench.say(flow(Match(in_port=2, eth_type=0x0800), Ct(actions=exec_)))
    bench.frames(udp(), 1)
    bench.frames(udp(), 2)
    (connection,) = bench.switch.datapath.nicira.conntrack
    assert connection.mark == 0


def test_the_tuple_of_the_connection_is_told(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1, eth_type=0x0800), Ct(CtFlags.COMMIT)))
    bench.say(flow(Match(in_port=2, eth_type=0x0800), Ct(recirc_table=1)))
    told = Match(
        eth_type=0x0800,
        ct_nw_src=CLIENT,
        ct_nw_dst=SERVER,
        ct_nw_proto=17,
        ct_tp_src=1000,
        ct_tp_dst=53,
    )
    bench.say(flow(told, Output(3), table_id=1))
    bench.frames(udp())
    assert bench.out_ports(udp(SERVER, CLIENT, 53, 1000), in_port=2) == [3]


def test_ct_clear_forgets_what_is_known(bench: Bench) -> None:
    bench.say(flow(IP, Ct(recirc_table=1)))
    bench.say(flow(Match(), CtClear(), ResubmitTable(table_id=2), table_id=1))
    bench.say(flow(Match(ct_state=0), Output(3), table_id=2))
    assert bench.out_ports(udp()) == [3]


def test_resubmit_with_the_tuple_of_the_connection(bench: Bench) -> None:
    """ovs-actions(7) "The resubmit action": ct."""
    bench.say(flow(Match(in_port=1, eth_type=0x0800), Ct(CtFlags.COMMIT)))
    bench.say(flow(Match(in_port=2, eth_type=0x0800), Ct(recirc_table=1)))
    valid = CtState.TRACKED, CtState.TRACKED | CtState.INVALID
    tracked = Match(eth_type=0x0800, ct_state=valid)
    bench.say(flow(tracked, ResubmitTableCt(table_id=2), ResubmitTable(table_id=3), table_id=1))
    untracked = flow(state(CtState.TRACKED), ResubmitTableCt(table_id=2))
    assert bench.refusal(untracked) == BadActionCode.MATCH_INCONSISTENT
    original = Match(eth_type=0x0800, ip_proto=17, ipv4_src=CLIENT, udp_dst=53)
    bench.say(flow(original, Output(3), table_id=2))
    own = Match(eth_type=0x0800, ip_proto=17, ipv4_src=SERVER, udp_dst=1000)
    bench.say(flow(own, Output(1), table_id=3))
    bench.frames(udp())
    assert bench.out_ports(udp(SERVER, CLIENT, 53, 1000), in_port=2) == [3, 1]


# Translation


def test_a_gateway_translates_both_ways(bench: Bench) -> None:
    source = Nat(NatFlags.SRC, ipv4_min=0xC0A8_0001)
    out = Ct(CtFlags.COMMIT, actions=(source,))
    bench.say(flow(Match(in_port=INSIDE, eth_type=0x0800), out, Output(OUTSIDE)))
    back = Ct(recirc_table=1, actions=(Nat(),))
    bench.say(flow(Match(in_port=OUTSIDE, eth_type=0x0800), back))
    bench.say(flow(state(CtState.DST_NAT), Output(INSIDE), table_id=1))
    assert bench.frames(udp(), INSIDE) == [(OUTSIDE, udp("192.168.0.1"))]
    answer = udp(SERVER, "192.168.0.1", 53, 1000)
    assert bench.frames(answer, OUTSIDE) == [(INSIDE, udp(SERVER, CLIENT, 53, 1000))]


def test_a_packet_is_translated_once_in_a_zone(bench: Bench) -> None:
    source = Nat(NatFlags.SRC, ipv4_min=0xC0A8_0001)
    bench.say(flow(IP, Ct(CtFlags.COMMIT, recirc_table=1, actions=(source,))))
    bench.say(flow(state(CtState.SRC_NAT), Ct(recirc_table=2, actions=(Nat(),)), table_id=1))
    bench.say(flow(state(CtState.NEW), Output(2), table_id=2))
    assert bench.frames(udp()) == [(2, udp("192.168.0.1"))]


# Bounds and refusals


def test_a_packet_comes_again_so_often_and_no_more(bench: Bench) -> None:
    bench.say(flow(IP, Ct(recirc_table=0), Output(2)))
    assert 0 < len(bench.frames(udp())) <= MAX_RECIRCULATIONS + 1


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Ct(CtFlags.FORCE), BadActionCode.BAD_ARGUMENT),
        (Ct(alg=CtAlg.FTP), BadActionCode.BAD_ARGUMENT),
        (Ct(recirc_table=254), BadActionCode.BAD_ARGUMENT),
        (Ct(zone=Subfield("reg0", 0, 8)), BadActionCode.BAD_SET_LEN),
        (Ct(CtFlags.COMMIT, actions=(Output(2),)), BadActionCode.BAD_ARGUMENT),
        (Ct(CtFlags.COMMIT, actions=(set_field(reg0=2),)), BadActionCode.BAD_ARGUMENT),
        (Clone((Nat(),)), BadActionCode.BAD_SET_ARGUMENT),
    ],
)
def test_what_ct_cannot_do_is_refused(bench: Bench, action: Action, code: BadActionCode) -> None:
    assert bench.refusal(flow(IP, action)) == code


def test_ct_wants_ip(bench: Bench) -> None:
    arp = flow(Match(eth_type=0x0806), Ct())
    assert bench.refusal(arp) == BadActionCode.MATCH_INCONSISTENT
    assert Ct().recirc_table == NO_RECIRCULATION


def test_goto_goes_on_untracked(bench: Bench) -> None:
    entry = flow(IP, Ct(recirc_table=2))
    bench.say(flow(IP, instructions=(*entry.instructions, GotoTable(1))))
    bench.say(flow(Match(ct_state=0), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


# Messages


def test_a_zone_is_flushed_by_a_message(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1, eth_type=0x0800), Ct(CtFlags.COMMIT, zone=5)))
    bench.frames(udp())
    bench.say(CtFlushZone(4))
    assert len(bench.switch.datapath.nicira.conntrack) == 1
    bench.say(CtFlushZone(5))
    assert len(bench.switch.datapath.nicira.conntrack) == 0
