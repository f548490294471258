"""Matches of several clauses (ovs-fields(7) "Conjunctive Match Fields")."""

from __future__ import annotations

import pytest

from protocol import (
    Action,
    FlowModCommand,
    Match,
    Output,
)
from protocol.nicira import (
    Conjunction,
    Note,
)
from protocol.symmetric import UnknownError

from .. import frames
from ..builders import Bench, flow
from .conversations import udp


@pytest.fixture
def bench() -> Bench:
    return Bench(n_ports=4)


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
