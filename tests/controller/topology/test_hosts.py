"""Hosts: added, moved, forgotten; never more than the limit."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from controller.topology import HostAdded, HostGone, HostMoved, HostTable, SwitchEnd, hosts
from protocol import MacAddress

MAC, OTHER = MacAddress(1), MacAddress(2)
HERE, THERE = SwitchEnd(1, 1), SwitchEnd(2, 5)
IP = IPv4Address("10.0.0.1")


@pytest.fixture
def table() -> HostTable:
    """Return a table that knows one host."""
    table = HostTable()
    table.learn(MAC, HERE, 1.0, IP)
    return table


def test_a_host_that_speaks_first_is_added() -> None:
    (event,) = HostTable().learn(MAC, HERE, 1.0)
    assert isinstance(event, HostAdded)
    assert (event.host.mac, event.host.end, event.host.first_seen) == (MAC, HERE, 1.0)


def test_a_host_that_speaks_again_is_no_news(table: HostTable) -> None:
    assert table.learn(MAC, HERE, 2.0) == []
    host = table.get(MAC)
    assert host is not None
    assert (host.first_seen, host.last_seen, host.addresses) == (1.0, 2.0, (IP,))


def test_a_host_that_speaks_elsewhere_moved(table: HostTable) -> None:
    (event,) = table.learn(MAC, THERE, 2.0)
    assert isinstance(event, HostMoved)
    assert (event.before, event.host.end) == (HERE, THERE)


def test_a_host_is_found_by_the_address_it_spoke_for_last(table: HostTable) -> None:
    found = table.with_ip(IP)
    assert found is not None
    assert found.mac == MAC
    table.learn(OTHER, THERE, 2.0, IP)
    found = table.with_ip(IP)
    assert found is not None
    assert found.mac == OTHER


def test_a_host_that_is_silent_for_long_is_forgotten(table: HostTable) -> None:
    table.learn(OTHER, THERE, 100.0)
    (event,) = table.expire(1.0 + hosts.HOST_TIMEOUT)
    assert isinstance(event, HostGone)
    assert event.host.mac == MAC
    assert (len(table), table.with_ip(IP)) == (1, None)


def test_hosts_go_with_their_port_and_with_their_switch(table: HostTable) -> None:
    table.learn(OTHER, THERE, 1.0)
    assert len(table.forget_end(HERE)) == 1
    assert len(table.forget_switch(THERE.datapath_id)) == 1
    assert len(table) == 0


def test_above_the_limit_the_most_silent_host_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hosts, "MAX_HOSTS", 2)
    table = HostTable()
    for number in (1, 2):
        table.learn(MacAddress(number), HERE, number)
    table.learn(MacAddress(1), HERE, 3.0)
    events = table.learn(MacAddress(9), HERE, 4.0)
    assert [event.host.mac for event in events if isinstance(event, HostGone)] == [MacAddress(2)]
    assert {host.mac for host in table} == {MacAddress(1), MacAddress(9)}


def test_a_host_keeps_a_bounded_number_of_addresses(table: HostTable) -> None:
    for number in range(100):
        table.learn(MAC, HERE, 2.0, IPv4Address(number + 1))
    host = table.get(MAC)
    assert host is not None
    assert len(host.addresses) == hosts.MAX_ADDRESSES
    assert table.with_ip(IPv4Address(100)) == host
