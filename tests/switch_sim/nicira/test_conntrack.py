"""Connection tracking by examples: ovs-fields(7) "CONNTRACK FIELDS", ovs-actions(7) "ct"."""

from __future__ import annotations

import pytest

from protocol.nicira import CtState
from switch_sim.nicira.connections import TIMEOUTS

from .. import frames
from .conversations import (
    ACK,
    CLIENT,
    EST,
    FIN,
    INV,
    NEW,
    REL,
    RPL,
    RST,
    SERVER,
    SYN,
    Tracker,
    commit,
    ping,
    tcp,
    tcp_answer,
    udp,
    udp6,
    unreachable,
)


@pytest.fixture
def track() -> Tracker:
    return Tracker()


def test_a_packet_of_no_connection_is_new(track: Tracker) -> None:
    assert track(udp()) == NEW


def test_a_connection_that_is_not_committed_stays_new(track: Tracker) -> None:
    track(udp())
    assert track(udp(), now=1.0) == NEW
    assert len(track.conntrack) == 0


def test_the_answer_to_a_committed_connection_is_established(track: Tracker) -> None:
    track(udp(), commit())
    assert track(udp(SERVER, CLIENT, 53, 1000)) == EST | RPL


def test_more_packets_before_an_answer_are_new(track: Tracker) -> None:
    track(udp(), commit())
    assert track(udp()) == NEW


def test_more_packets_after_an_answer_are_established(track: Tracker) -> None:
    track(udp(), commit())
    track(udp(SERVER, CLIENT, 53, 1000))
    assert track(udp()) == EST


def test_ipv6_is_tracked_as_ipv4_is(track: Tracker) -> None:
    track(udp6("fd00::1", "fd00::2"), commit())
    assert track(udp6("fd00::2", "fd00::1", 53, 1000)) == EST | RPL


def test_zones_know_nothing_of_one_another(track: Tracker) -> None:
    track(udp(), commit(), zone=1)
    assert track(udp(SERVER, CLIENT, 53, 1000), zone=2) == NEW
    assert track(udp(SERVER, CLIENT, 53, 1000), zone=1) == EST | RPL


# TCP


def test_a_handshake_establishes_a_connection(track: Tracker) -> None:
    assert track(tcp(SYN), commit()) == NEW
    assert track(tcp_answer(SYN | ACK)) == EST | RPL
    assert track(tcp(ACK)) == EST


def test_a_syn_that_comes_again_is_still_new(track: Tracker) -> None:
    track(tcp(SYN), commit())
    assert track(tcp(SYN)) == NEW


def test_a_connection_may_be_picked_up_in_its_middle(track: Tracker) -> None:
    assert track(tcp(ACK)) == NEW


def test_a_syn_that_is_acknowledged_begins_nothing(track: Tracker) -> None:
    assert track(tcp(SYN | ACK)) == INV


@pytest.mark.parametrize("flags", [SYN | FIN, SYN | RST, FIN, 0])
def test_flags_that_no_tcp_sends_are_invalid(track: Tracker, flags: int) -> None:
    assert track(tcp(flags)) == INV


def _established(track: Tracker, now: float = 0.0) -> None:
    track(tcp(SYN), commit(), now)
    track(tcp_answer(SYN | ACK), now=now)
    track(tcp(ACK), now=now)


def test_a_syn_after_both_sides_closed_begins_anew(track: Tracker) -> None:
    _established(track)
    track(tcp(FIN | ACK))
    track(tcp_answer(FIN | ACK))
    track(tcp(ACK))
    assert track(tcp(SYN)) == NEW
    assert len(track.conntrack) == 0  # the old one is over, this one was not committed


def test_a_syn_of_an_established_connection_is_of_that_one(track: Tracker) -> None:
    _established(track)
    assert track(tcp(SYN)) == EST


# ICMP


def test_an_echo_is_a_connection_by_its_identifier(track: Tracker) -> None:
    track(ping(number=7), commit())
    assert track(ping(0, SERVER, CLIENT, number=7)) == EST | RPL
    assert track(ping(0, SERVER, CLIENT, number=8)) == INV


def test_an_echo_that_nobody_asked_for_is_invalid(track: Tracker) -> None:
    assert track(ping(0)) == INV


def test_an_error_about_a_connection_is_related(track: Tracker) -> None:
    track(tcp(SYN), commit())
    assert track(unreachable(tcp(SYN))) == REL | RPL


def test_an_error_about_an_answer_is_related_the_other_way(track: Tracker) -> None:
    track(udp(), commit())
    answer = udp(SERVER, CLIENT, 53, 1000)
    assert track(unreachable(answer, CLIENT, SERVER)) == REL


def test_an_error_about_nothing_is_invalid(track: Tracker) -> None:
    assert track(unreachable(tcp(SYN))) == INV


def test_an_error_to_somebody_else_is_invalid(track: Tracker) -> None:
    track(tcp(SYN), commit())
    assert track(unreachable(tcp(SYN), dst="10.0.0.77")) == INV


# What is no connection


def test_other_frames_are_invalid(track: Tracker) -> None:
    assert track(frames.ARP) == INV


def test_a_wrong_checksum_is_invalid(track: Tracker) -> None:
    frame = bytearray(udp())
    frame[-1] ^= 1
    assert track(bytes(frame)) == INV


def test_a_later_fragment_is_invalid(track: Tracker) -> None:
    frame = bytearray(udp())
    frame[21] = 1  # the offset, whose sum is put right
    frame[24:26] = (int.from_bytes(frame[24:26], "big") - 1).to_bytes(2, "big")
    assert track(bytes(frame)) == INV


# Committing


def test_force_turns_a_connection_round(track: Tracker) -> None:
    track(udp(), commit())
    assert track(udp(SERVER, CLIENT, 53, 1000), commit(force=True)) == NEW
    assert track(udp()) == EST | RPL


def test_a_full_table_forgets_what_would_be_forgotten_first() -> None:
    track = Tracker(max_connections=2)
    track(udp(sport=1), commit(), now=0.0)
    track(udp(sport=2), commit(), now=1.0)
    track(udp(sport=1), now=2.0)  # it lasts until 62, the second until 61
    track(udp(sport=3), commit(), now=3.0)
    assert len(track.conntrack) == 2
    assert track(udp(SERVER, CLIENT, 53, 1), now=3.0) == EST | RPL
    assert track(udp(SERVER, CLIENT, 53, 2), now=3.0) == NEW


# Timeouts: ovs-vswitchd.conf.db(5) "CT_Timeout_Policy TABLE"


def test_a_connection_is_forgotten_after_its_time(track: Tracker) -> None:
    track(udp(), commit(), now=0.0)
    assert track.conntrack.deadline() == TIMEOUTS["other_first"]
    track.conntrack.expire(60.0)
    assert len(track.conntrack) == 0


def test_a_connection_whose_time_is_over_is_not_found_before_the_timer(track: Tracker) -> None:
    track(udp(), commit(), now=0.0)
    assert track(udp(SERVER, CLIENT, 53, 1000), now=60.0) == NEW


def test_each_packet_lets_a_connection_last(track: Tracker) -> None:
    track(udp(), commit(), now=0.0)
    track(udp(), now=50.0)
    track.conntrack.expire(60.0)
    assert track.conntrack.deadline() == 50.0 + TIMEOUTS["other_multiple"]


def test_an_established_connection_lasts_a_day(track: Tracker) -> None:
    _established(track)
    track.conntrack.expire(TIMEOUTS["tcp_opening"])
    assert track.conntrack.deadline() == TIMEOUTS["tcp_established"]


@pytest.mark.parametrize(
    ("segments", "timeout"),
    [
        ([tcp(FIN | ACK)], "tcp_closing"),
        ([tcp(FIN | ACK), tcp_answer(FIN | ACK)], "tcp_fin_wait"),
        ([tcp(FIN | ACK), tcp_answer(FIN | ACK), tcp(ACK)], "tcp_closed"),
        ([tcp(RST)], "tcp_closed"),
    ],
)
def test_a_connection_that_ends_is_forgotten_sooner(
    track: Tracker, segments: list[bytes], timeout: str
) -> None:
    _established(track)
    track.conntrack.expire(40.0)  # the timer is a day ahead now
    for segment in segments:
        track(segment, now=50.0)
    track.conntrack.expire(50.0 + TIMEOUTS[timeout] - 1)
    assert len(track.conntrack) == 1
    track.conntrack.expire(50.0 + TIMEOUTS[timeout])
    assert len(track.conntrack) == 0


def test_timers_do_not_add_up(track: Tracker) -> None:
    for sport in range(1000):
        track(udp(sport=sport), commit())
        track.conntrack.flush(lambda one: True)
    assert len(track.conntrack._timers) < 200


# Flushing


def test_a_zone_is_flushed_alone(track: Tracker) -> None:
    track(udp(), commit(), zone=1)
    track(udp(), commit(), zone=2)
    track.conntrack.flush(lambda one: one.way.zone == 1)
    assert [one.way.zone for one in track.conntrack] == [2]
    assert track(udp(SERVER, CLIENT, 53, 1000), zone=1) == NEW


def test_what_a_zone_said_before_is_kept(track: Tracker) -> None:
    track(udp(), commit())
    track(udp(SERVER, CLIENT, 53, 1000))
    assert track(udp(), before=CtState.NEW | CtState.TRACKED) == EST
