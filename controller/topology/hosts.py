"""Hosts: heard of by the packets they send, wherever they are, and forgotten after a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from protocol import MacAddress

from .graph import SwitchEnd

MAX_HOSTS = 100_000  #: above that the one that was silent longest is forgotten
MAX_ADDRESSES = 16  #: of one host; above that the oldest is forgotten
HOST_TIMEOUT = 3600.0  #: seconds of silence after which a host is forgotten

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Host:
    """A host: its address, where it is, and what IP addresses it spoke for."""

    mac: MacAddress
    end: SwitchEnd
    addresses: tuple[Address, ...] = ()
    first_seen: float = 0.0
    last_seen: float = 0.0


@dataclass(frozen=True, slots=True)
class HostAdded:
    """A host spoke for the first time."""

    host: Host


@dataclass(frozen=True, slots=True)
class HostMoved:
    """A host speaks from another port than before."""

    host: Host
    before: SwitchEnd


@dataclass(frozen=True, slots=True)
class HostGone:
    """A host was silent for too long, or its switch is gone."""

    host: Host


HostEvent = HostAdded | HostMoved | HostGone


class HostTable:
    """The hosts by Ethernet and IP address."""

    def __init__(self) -> None:
        self._hosts: dict[int, Host] = {}  # by address, those that spoke last at the end
        self._by_ip: dict[Address, int] = {}
        self._by_switch: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return len(self._hosts)

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def get(self, mac: int) -> Host | None:
        """Return the host with an Ethernet address."""
        return self._hosts.get(mac)

    def with_ip(self, address: Address) -> Host | None:
        """Return the host that spoke last for an IP address."""
        return self._hosts.get(self._by_ip.get(address, -1))

    def learn(
        self, mac: MacAddress, end: SwitchEnd, now: float, ip: Address | None = None
    ) -> list[HostEvent]:
        """Take in that a host spoke at a port, for an IP address if `ip` is given."""
        before = self._hosts.pop(mac, None)
        host = before or Host(mac, end, first_seen=now)
        addresses = host.addresses
        if ip is not None and ip not in addresses:
            addresses = (*addresses, ip)[-MAX_ADDRESSES:]
        if ip is not None:
            self._by_ip[ip] = mac
        self._hosts[mac] = host = replace(host, end=end, addresses=addresses, last_seen=now)
        if before is None or before.end != end:
            self._note_place(mac, before, end)
        if before is None:
            return [*self._make_room(), HostAdded(host)]
        return [HostMoved(host, before.end)] if before.end != end else []

    def forget_end(self, end: SwitchEnd) -> list[HostEvent]:
        """Forget the hosts at a port: it turned out to lead to another switch."""
        return [self._forget(host) for host in self._of_switch(end.datapath_id) if host.end == end]

    def forget_switch(self, datapath_id: int) -> list[HostEvent]:
        """Forget the hosts of a switch that is gone."""
        return [self._forget(host) for host in self._of_switch(datapath_id)]

    def _of_switch(self, datapath_id: int) -> list[Host]:
        return [self._hosts[mac] for mac in sorted(self._by_switch.get(datapath_id, ()))]

    def _note_place(self, mac: int, before: Host | None, end: SwitchEnd) -> None:
        if before is not None:
            self._leave(before)
        self._by_switch.setdefault(end.datapath_id, set()).add(mac)

    def _leave(self, host: Host) -> None:
        there = self._by_switch[host.end.datapath_id]
        there.discard(host.mac)
        if not there:
            del self._by_switch[host.end.datapath_id]

    def expire(self, now: float) -> list[HostEvent]:
        """Forget those that were silent for `HOST_TIMEOUT`."""
        gone: list[HostEvent] = []
        while self._hosts and now - (oldest := next(iter(self))).last_seen >= HOST_TIMEOUT:
            gone.append(self._forget(oldest))
        return gone

    def _make_room(self) -> list[HostEvent]:
        return [self._forget(next(iter(self)))] if len(self._hosts) > MAX_HOSTS else []

    def _forget(self, host: Host) -> HostEvent:
        del self._hosts[host.mac]
        self._leave(host)
        for ip in host.addresses:
            if self._by_ip.get(ip) == host.mac:
                del self._by_ip[ip]
        return HostGone(host)
