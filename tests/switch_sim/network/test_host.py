"""Hosts, two at a time, with nothing but a wire between them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import MacAddress
from protocol.packet import (
    Arp,
    ArpOp,
    Echo,
    Ethernet,
    EthType,
    Icmp,
    IcmpType,
    IPv4,
    Packet,
    Udp,
    Vlan,
    build,
)
from switch_sim.network import Host, HostNode
from switch_sim.network.neighbors import ASK_INTERVAL, LIFETIME, MAX_WAITING

H1 = HostNode("h1", MacAddress(1), IPv4Address("10.0.0.1"))
H2 = HostNode("h2", MacAddress(2), IPv4Address("10.0.0.2"))


def exchange(frames: list[bytes], first: Host, second: Host, now: float) -> list[bytes]:
    """Carry frames to `first`, its answers to `second`, and so on; return all of them."""
    seen = []
    while frames:
        seen += frames
        frames = [answer for data in frames for answer in first.receive_frame(data, now)]
        first, second = second, first
    return seen


@pytest.fixture
def h1() -> Host:
    return Host(H1)


@pytest.fixture
def h2() -> Host:
    return Host(H2)


def echo_request(ip: IPv4Address = H1.ip, checksum: int | None = None) -> bytes:
    icmp = Icmp(IcmpType.ECHO_REQUEST, checksum=checksum)
    return build(Ethernet(H1.mac, H2.mac), IPv4(H2.ip, ip), icmp, Echo(7, 9, b"data"))


def test_a_ping_asks_for_the_neighbour_first(h1: Host, h2: Host) -> None:
    ping, frames = h1.ping(h2.ip, now=0.0)
    kinds = [type(Packet.parse(data).headers[1]) for data in exchange(frames, h2, h1, 0.25)]
    assert kinds == [Arp, Arp, IPv4, IPv4]
    assert ping.rtt == 0.25


def test_a_ping_to_a_known_neighbour_asks_for_nothing(h1: Host, h2: Host) -> None:
    exchange(h1.ping(h2.ip, 0.0)[1], h2, h1, 0.0)
    _, frames = h1.ping(h2.ip, 1.0)
    assert [Packet.parse(data)[Ethernet].dst for data in frames] == [h2.mac]


def test_a_neighbour_is_asked_for_again_after_a_while(h1: Host, h2: Host) -> None:
    exchange(h1.ping(h2.ip, 0.0)[1], h2, h1, 0.0)
    _, (question,) = h1.ping(h2.ip, LIFETIME)
    assert Packet.parse(question)[Arp].op == ArpOp.REQUEST


def test_ipv6_finds_neighbours_and_pings_them(h1: Host, h2: Host) -> None:
    ping, frames = h1.ping(h2.ipv6, now=0.0)
    assert len(exchange(frames, h2, h1, 0.5)) == 4
    assert ping.rtt == 0.5


def test_two_pings_are_told_apart(h1: Host, h2: Host) -> None:
    exchange(h1.ping(h2.ip, 0.0)[1], h2, h1, 0.0)
    (lost, _), (found, frames) = h1.ping(h2.ip, 1.0), h1.ping(h2.ip, 1.0)
    exchange(frames, h2, h1, 1.0)
    assert (lost.settled, found.settled) == (False, True)


def test_a_ping_to_oneself_needs_no_wire(h1: Host) -> None:
    ping, frames = h1.ping(h1.ip, now=3.0)
    assert (ping.rtt, frames) == (0.0, [])


def test_a_ping_without_an_echo_is_lost_and_says_so(h1: Host, h2: Host) -> None:
    exchange(h1.ping(h2.ip, 0.0)[1], h2, h1, 0.0)
    ping, _ = h1.ping(h2.ip, 1.0, timeout=2.0)
    assert h1.deadline() == 3.0
    h1.handle_timer(3.0)
    assert (ping.fault, ping.rtt) == ("no echo came within 2 s", None)


def test_a_ping_to_nobody_says_that_nobody_answered_arp(h1: Host) -> None:
    ping, _ = h1.ping(H2.ip, 0.0)
    h1.handle_timer(1.0)
    assert ping.fault == "nobody answered ARP for 10.0.0.2"


def test_an_echo_after_the_timeout_changes_nothing(h1: Host, h2: Host) -> None:
    ping, frames = h1.ping(h2.ip, 0.0)
    h1.handle_timer(1.0)
    exchange(frames, h2, h1, 1.5)
    assert ping.rtt is None


def test_a_silent_neighbour_is_asked_for_three_times(h1: Host) -> None:
    _, frames = h1.ping(H2.ip, 0.0, timeout=60.0)
    for second in range(1, 10):
        frames += h1.handle_timer(second * ASK_INTERVAL)
    assert len(frames) == 3
    assert h1.deadline() == 60.0


def test_packets_wait_for_the_neighbour_but_not_too_many(h1: Host, h2: Host) -> None:
    frames = [data for _ in range(100) for data in h1.send_udp(h2.ip, 53, b"", 0.0)]
    assert len(frames) == 1
    exchange(frames, h2, h1, 0.0)
    assert len(h2.datagrams) == MAX_WAITING


def test_what_does_not_concern_a_host_is_not_answered(h1: Host) -> None:
    other = MacAddress(9)
    question = Arp(ArpOp.REQUEST, H2.mac, H2.ip, tpa=IPv4Address("10.0.0.9"))
    for data in (
        build(Ethernet(other, H2.mac), Arp(ArpOp.REQUEST, H2.mac, H2.ip, tpa=H1.ip)),
        build(Ethernet(H1.mac, H2.mac), question),
        build(Ethernet(H1.mac, H2.mac), Vlan(vid=5), question),
        echo_request(IPv4Address("10.0.0.9")),
    ):
        assert h1.receive_frame(data, 0.0) == []


def test_a_wrong_checksum_is_counted_and_not_answered(h1: Host) -> None:
    assert h1.receive_frame(echo_request(checksum=1), 0.0) == []
    assert h1.corrupted == 1


def test_a_frame_that_was_filled_up_is_answered(h1: Host, h2: Host) -> None:
    frames = h1.receive_frame(echo_request() + bytes(18), 0.0)
    assert len(frames) == 1


def test_datagrams_are_kept_with_ports_and_time(h1: Host, h2: Host) -> None:
    exchange(h1.send_udp(h2.ip, 53, b"who?", now=2.0, src_port=1024), h2, h1, 2.5)
    (datagram,) = h2.datagrams
    assert (datagram.src, datagram.src_port, datagram.dst_port) == (h1.ip, 1024, 53)
    assert (datagram.payload, datagram.at) == (b"who?", 2.5)


def test_a_datagram_may_have_no_checksum(h2: Host) -> None:
    headers = Ethernet(H2.mac, H1.mac), IPv4(H1.ip, H2.ip), Udp(1, 2, checksum=0)
    h2.receive_frame(build(*headers, b"data"), 0.0)
    assert [one.payload for one in h2.datagrams] == [b"data"]


def test_what_is_beyond_its_network_goes_to_the_gateway() -> None:
    gateway = IPv4Address("10.0.0.254")
    host = Host(replace(H1, prefix=24, gateway=gateway))
    _, (question,) = host.ping(IPv4Address("192.0.2.1"), 0.0)
    assert Packet.parse(question)[Arp].tpa == gateway


def test_an_echo_of_another_host_answers_nothing(h1: Host, h2: Host) -> None:
    exchange(h1.ping(h2.ip, 0.0)[1], h2, h1, 0.0)
    ping, (request,) = h1.ping(h2.ip, 1.0)
    echo = Packet.parse(request)[Echo]
    forged = IPv4(IPv4Address("10.0.0.3"), H1.ip), Icmp(IcmpType.ECHO_REPLY), echo
    h1.receive_frame(build(Ethernet(H1.mac, H2.mac), *forged), 1.0)
    assert not ping.settled


@given(st.binary(max_size=80), st.sampled_from([EthType.ARP, EthType.IPV4, EthType.IPV6]))
def test_no_frame_breaks_a_host(body: bytes, eth_type: EthType) -> None:
    host = Host(H1)
    host.receive_frame(body, 0.0)
    host.receive_frame(build(Ethernet(H1.mac, H2.mac, eth_type), body), 0.0)


@given(st.data())
def test_no_damage_to_a_frame_breaks_a_host(data: st.DataObject) -> None:
    frame = bytearray(echo_request())
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    Host(H1).receive_frame(bytes(frame), 0.0)
