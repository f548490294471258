"""Choices by hash (ovs-actions(7) "The bundle action", "The multipath action")."""

from __future__ import annotations

import pytest

from protocol import (
    BadActionCode,
    Match,
    Output,
)
from protocol.nicira import (
    Bundle,
    BundleAlgorithm,
    BundleLoad,
    HashFields,
    Multipath,
    MultipathAlgorithm,
    OutputReg,
    ResubmitTable,
    Subfield,
)

from .. import frames
from ..builders import Bench, flow
from .conversations import udp


@pytest.fixture
def bench() -> Bench:
    return Bench(n_ports=4)


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
