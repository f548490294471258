"""Translation of addresses by examples (ovs-actions(7) "ct", nat)."""

from __future__ import annotations

import pytest

from protocol.nicira import CtState, Nat, NatFlags
from switch_sim.nicira.nat import MAX_TRIES, translate

from .. import frames
from ..builders import packet
from .conversations import (
    ACK,
    CLIENT,
    LOOK,
    SERVER,
    SYN,
    Tracker,
    checksums_are_right,
    commit,
    ping,
    tcp,
    tcp_answer,
    udp,
    udp6,
    unreachable,
)

OUTSIDE = 0xC0A8_0001  # 192.168.0.1
LOOK_AND_TRANSLATE = LOOK.__class__(translates=True)


def source(**fields: int) -> Nat:
    return Nat(NatFlags.SRC, **{"ipv4_min": OUTSIDE, **fields})


def destination(**fields: int) -> Nat:
    return Nat(NatFlags.DST, **{"ipv4_min": OUTSIDE, **fields})


class Gateway(Tracker):
    """Tracks frames and translates them."""

    def through(self, frame: bytes, nat: Nat | None = None) -> bytes:
        tracking = commit(nat) if nat else LOOK_AND_TRANSLATE
        found = self.full(frame, tracking)
        passing = packet(frame)
        if found.translates:
            assert found.connection is not None
            is_related = bool(found.state & CtState.RELATED)
            translate(passing, found.connection, found.is_reply, is_related)
        return passing.data


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def test_a_source_is_translated_and_answers_find_back(gateway: Gateway) -> None:
    assert gateway.through(udp(), source()) == udp("192.168.0.1")
    answer = udp(SERVER, "192.168.0.1", 53, 1000)
    assert gateway.through(answer) == udp(SERVER, CLIENT, 53, 1000)


def test_later_packets_are_translated_as_the_first_one(gateway: Gateway) -> None:
    gateway.through(tcp(SYN), source())
    gateway.through(tcp_answer(SYN | ACK, dst="192.168.0.1"))
    assert gateway.through(tcp(ACK)) == tcp(ACK, "192.168.0.1")


def test_a_destination_is_translated_and_answers_seem_to_come_from_it(gateway: Gateway) -> None:
    asked = udp(CLIENT, "10.9.9.9")
    assert gateway.through(asked, destination()) == udp(CLIENT, "192.168.0.1")
    answer = udp("192.168.0.1", CLIENT, 53, 1000)
    assert gateway.through(answer) == udp("10.9.9.9", CLIENT, 53, 1000)


def test_a_destination_port_is_translated(gateway: Gateway) -> None:
    nat = destination(proto_min=8080, proto_max=8080)
    assert gateway.through(tcp(SYN), nat) == tcp(SYN, CLIENT, "192.168.0.1", 1000, 8080)


def test_ipv6_is_translated(gateway: Gateway) -> None:
    nat = Nat(NatFlags.SRC, ipv6_min=0xFD00 << 112 | 9)
    assert gateway.through(udp6("fd00::1", "fd00::2"), nat) == udp6("fd00::9", "fd00::2")
    answer = udp6("fd00::2", "fd00::9", 53, 1000)
    assert gateway.through(answer) == udp6("fd00::2", "fd00::1", 53, 1000)


def test_the_sums_agree_with_those_of_another_implementation(gateway: Gateway) -> None:
    """The frames are os-ken's."""
    nat = Nat(NatFlags.SRC, ipv4_min=0x0A00_0007, proto_min=99, proto_max=99)
    assert gateway.through(frames.UDP, nat) == frames.UDP_FROM_10_0_0_7_PORT_99


def test_the_sender_keeps_its_port_where_it_is_free(gateway: Gateway) -> None:
    assert gateway.through(udp(sport=1234), source()) == udp("192.168.0.1", sport=1234)


def test_two_senders_with_one_port_get_two(gateway: Gateway) -> None:
    gateway.through(udp("10.0.0.1"), source())
    second = gateway.through(udp("10.0.0.3"), source())
    port = int.from_bytes(second[34:36], "big")
    assert port != 1000
    assert 600 <= port < 1024
    assert gateway.through(udp(SERVER, "192.168.0.1", 53, port)) == udp(
        SERVER, "10.0.0.3", 53, 1000
    )


def test_ports_are_taken_from_the_range(gateway: Gateway) -> None:
    nat = source(proto_min=5000, proto_max=5002)
    ports = {
        int.from_bytes(gateway.through(udp(sport=sport), nat)[34:36], "big") for sport in (1, 2, 3)
    }
    assert ports == {5000, 5001, 5002}


def test_a_connection_that_gets_no_port_is_not_committed(gateway: Gateway) -> None:
    nat = source(proto_min=5000, proto_max=5000)
    gateway.through(udp(sport=1), nat)
    assert gateway.through(udp(sport=2), nat) == udp(sport=2)
    assert len(gateway.conntrack) == 1


def test_the_search_for_a_port_has_an_end() -> None:
    gateway = Gateway(max_connections=2 * MAX_TRIES)
    nat = source(proto_min=5000, proto_max=65000)
    for sport in range(1, MAX_TRIES + 2):
        gateway.through(udp(sport=sport), nat)
    assert len(gateway.conntrack) == MAX_TRIES + 1


def test_addresses_are_taken_from_the_range_and_stay(gateway: Gateway) -> None:
    nat = source(ipv4_max=OUTSIDE + 3)
    seen = {gateway.through(udp(sport=sport), nat)[26:30] for sport in range(1, 60)}
    assert seen <= {(OUTSIDE + n).to_bytes(4, "big") for n in range(4)}
    assert len(seen) == 4
    again = Gateway()
    assert again.through(udp(sport=1), nat) == Gateway().through(udp(sport=1), nat)


def test_persistent_gives_a_host_one_address(gateway: Gateway) -> None:
    nat = Nat(NatFlags.SRC | NatFlags.PERSISTENT, ipv4_min=OUTSIDE, ipv4_max=OUTSIDE + 3)
    assert len({gateway.through(udp(sport=sport), nat)[26:30] for sport in range(1, 60)}) == 1


def test_an_echo_is_translated_by_its_identifier(gateway: Gateway) -> None:
    assert gateway.through(ping(), source()) == ping(src="192.168.0.1")
    other = gateway.through(ping(src="10.0.0.3"), source())
    number = int.from_bytes(other[38:40], "big")
    assert number != 7
    assert checksums_are_right(other)
    assert gateway.through(ping(0, SERVER, "192.168.0.1", number)) == ping(0, SERVER, "10.0.0.3")


@pytest.mark.parametrize("frame", [udp(), tcp(SYN)])
def test_an_error_is_translated_with_what_it_quotes(gateway: Gateway, frame: bytes) -> None:
    sent = gateway.through(frame, source())
    error = unreachable(sent, dst="192.168.0.1")
    assert gateway.through(error) == unreachable(frame, dst=CLIENT)


def test_an_error_about_an_answer_is_translated_too(gateway: Gateway) -> None:
    gateway.through(udp(), source())
    answer = gateway.through(udp(SERVER, "192.168.0.1", 53, 1000))
    assert gateway.through(unreachable(answer, CLIENT, SERVER)) == unreachable(
        udp(SERVER, "192.168.0.1", 53, 1000), "192.168.0.1", SERVER
    )
