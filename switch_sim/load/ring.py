"""What one switch sends, ready as bytes, so that no message is encoded while it is measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from protocol.packet.checksum import internet_checksum

from .steps import CHECKSUM, HEADER, WIDTHS, Step, Values, places
from .traffic import SLOT_BITS, Kind, Traffic, ip_of, mac_of

LAST_ROUND = 126  # so that no buffer_id is NO_BUFFER, nor any of those that announce
AT_ONCE = 64  # steps that get the number of their round together
ANNOUNCING = 127  # the round of what hosts say first
_NUMBERS = [bytes([number]) for number in range(256)]
_KEPT = 256  # versions, kinds and ports of which the bytes are kept

_written = lru_cache(maxsize=_KEPT)(lambda step: step.encode(Values()))
_places = lru_cache(maxsize=_KEPT)(places)


class Ring:
    """The steps of one switch, one behind the other; after the last comes the first again.

    Each round has a number of its own in the first byte of all tokens and buffer_ids: an
    answer tells which packet it is for until LAST_ROUND others went.
    """

    def __init__(self, traffic: Traffic, kind: Kind, switch: int) -> None:
        self.kind = kind
        laps = 2 if kind in (Kind.MOVED_HOST, Kind.FLAP) else 1
        self.slots = traffic.hosts * laps
        steps = [_step(traffic, kind, port, lap) for lap in range(laps) for port in traffic.numbers]
        self._places = _places(steps[0])  # which are the same for all ports
        self._data = bytearray()
        for lap in range(laps):
            ports = steps[lap * traffic.ports : (lap + 1) * traffic.ports]
            self._data += b"".join(map(_written, ports)) * (traffic.hosts // traffic.ports)
        self.stride = len(self._data) // self.slots  #: bytes of a step
        self._address(traffic, switch)
        self._view = memoryview(self._data)
        self._changing = self._places["buffer_id"] + self._places["token"]
        if kind is Kind.NEW_HOST:
            self._changing = self._changing + [at + 1 for at in self._places["eth_src"]]
        self._next, self._round = 0, ANNOUNCING if kind is Kind.ANNOUNCEMENT else 1
        self._numbered_to = 0  # the steps before this one have the round in them

    def take(self, count: int) -> tuple[list[memoryview], Iterable[int]]:
        """Return the bytes of the next steps, and their tokens.

        The bytes are good until `slots` other steps were taken.
        """
        first, last = self._next, self._next + count
        if last < self.slots:
            self._next = last
            return [self._numbered(first, last)], self._tokens(first, last)
        views, tokens = [self._numbered(first, self.slots)], self._tokens(first, self.slots)
        self._begin_round()
        if last == self.slots:
            return views, tokens
        more, others = self.take(last - self.slots)
        return views + more, chain(tokens, others)

    def _tokens(self, first: int, last: int) -> Iterable[int]:
        above = self._round << SLOT_BITS
        return range(above + first, above + last)

    def one(self) -> tuple[memoryview, int]:
        """Return the bytes of the next step and its token; all taken before must be written.

        So some further steps can be numbered with it: this is what goes where one is on its way.
        """
        at = self._next
        if at >= self._numbered_to:
            self._numbered_to = min(at + AT_ONCE, self.slots)
            self._number(at, self._numbered_to)
        token = self._round << SLOT_BITS | at
        self._next += 1
        if self._next == self.slots:
            self._begin_round()
        return self._view[at * self.stride : (at + 1) * self.stride], token

    def _numbered(self, first: int, last: int) -> memoryview:
        """Write the round into steps, and return their bytes."""
        self._number(first, last)
        return self._view[first * self.stride : last * self.stride]

    def _number(self, first: int, last: int) -> None:
        number = _NUMBERS[self._round] * (last - first)
        for at in self._changing:
            self._data[first * self.stride + at : last * self.stride : self.stride] = number

    def _begin_round(self) -> None:
        self._next = self._numbered_to = 0
        if self.kind is not Kind.ANNOUNCEMENT:
            self._round = self._round % LAST_ROUND + 1

    def _address(self, traffic: Traffic, switch: int) -> None:
        """Write who speaks to whom into all steps, and the checksums of that."""
        slots, hosts = range(self.slots), traffic.hosts
        further = -2 if self.kind is Kind.MOVED_HOST else 1
        speak = [slot % hosts for slot in slots]
        hear = [(slot + further) % hosts for slot in slots]
        self._write("buffer_id", slots)
        self._write("token", slots)
        self._write("eth_src", [mac_of(switch, host) for host in speak])
        self._write("eth_dst", [mac_of(switch, host) for host in hear])
        self._write("ip_src", [ip_of(switch, host) for host in speak])
        self._write("ip_dst", [ip_of(switch, host) for host in hear])
        for at in self._places["checksum"]:
            begins = range(at - CHECKSUM, len(self._data), self.stride)
            headers = (bytes(self._data[begin : begin + HEADER]) for begin in begins)
            self._write("checksum", list(map(internet_checksum, headers)))

    def _write(self, name: str, values: Sequence[int]) -> None:
        """Write a field of all steps, byte by byte: all first ones, then all second ones …"""
        width = WIDTHS[name]
        data = b"".join([value.to_bytes(width, "big") for value in values])
        for at in self._places[name]:
            for byte in range(width):
                self._data[at + byte :: self.stride] = data[byte::width]


def _step(traffic: Traffic, kind: Kind, port: int, lap: int) -> Step:
    if kind is Kind.FLAP:
        return Step(traffic, kind, port, down=not lap)
    if kind is not Kind.MOVED_HOST:
        return Step(traffic, kind, port)
    further = traffic.port_of(port)  # where all hosts are in every other lap
    return Step(traffic, kind, *((further, port) if lap else (port, further)))
