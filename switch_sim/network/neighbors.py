"""Who has which Ethernet address: learned, forgotten after a while, asked for, waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from protocol import MacAddress

IpAddress = IPv4Address | IPv6Address

LIFETIME = 300.0  #: seconds until a neighbour must be asked for again
ASK_INTERVAL = 1.0  #: seconds between two questions (RFC 4861 10: RETRANS_TIMER)
ASKS = 3  #: questions until a neighbour is given up (RFC 4861 10: MAX_MULTICAST_SOLICIT)
MAX_WAITING = 8  # packets for one neighbour; the oldest go, as at Linux
MAX_ASKED = 1_024  # neighbours asked for at one time
MAX_KNOWN = 16_384  # more than there are hosts in the largest network


@dataclass(slots=True)
class _Asked:
    """A neighbour that has not answered yet."""

    again_at: float
    left: int = ASKS - 1  # questions that may follow
    packets: list[bytes] = field(default_factory=list)


class Neighbors:
    """The ARP cache of a host, or its twin for IPv6; asking is the host's part."""

    def __init__(self) -> None:
        self._known: dict[IpAddress, tuple[MacAddress, float]] = {}  # -> address, valid until
        self._asked: dict[IpAddress, _Asked] = {}  # in the order of again_at

    def find(self, ip: IpAddress, now: float) -> MacAddress | None:
        """Return the Ethernet address of a neighbour, None if it must be asked for."""
        mac, until = self._known.get(ip, (None, now))
        if mac is not None and until <= now:
            del self._known[ip]
            return None
        return mac

    def is_asked(self, ip: IpAddress) -> bool:
        """Whether a question for this neighbour has no answer yet."""
        return ip in self._asked

    def wait(self, ip: IpAddress, packet: bytes, now: float) -> bool:
        """Keep a packet until its neighbour is known; return whether to ask for it now."""
        asked = self._asked.get(ip)
        new = asked is None
        if asked is None:
            if len(self._asked) >= MAX_ASKED:
                return False
            asked = self._asked[ip] = _Asked(now + ASK_INTERVAL)
        asked.packets.append(packet)
        del asked.packets[:-MAX_WAITING]
        return new

    def learn(self, ip: IpAddress, mac: MacAddress, now: float) -> list[bytes]:
        """Note an address; return the packets that waited for it."""
        self._known.pop(ip, None)  # so that the dict stays in the order of learning
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[ip] = (mac, now + LIFETIME)
        asked = self._asked.pop(ip, None)
        return asked.packets if asked else []

    def refresh(self, ip: IpAddress, mac: MacAddress, now: float) -> list[bytes]:
        """Learn the address of a neighbour that matters already, as RFC 826 has it."""
        wanted = ip in self._known or ip in self._asked
        return self.learn(ip, mac, now) if wanted else []

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due."""
        return next((asked.again_at for asked in self._asked.values()), None)

    def handle_timer(self, now: float) -> list[IpAddress]:
        """Return the neighbours to ask for again; the packets of silent ones are dropped."""
        again = []
        while (deadline := self.deadline()) is not None and deadline <= now:
            ip = next(iter(self._asked))
            asked = self._asked.pop(ip)
            if asked.left:
                self._asked[ip] = _Asked(now + ASK_INTERVAL, asked.left - 1, asked.packets)
                again.append(ip)
        return again
