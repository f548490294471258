"""One direction of a TCP connection, put together again, and cut into messages."""

from __future__ import annotations

from .message import HEADER
from .version import Version

MAX_PENDING = 1 << 22  #: bytes kept that wait for a missing segment
_HALF, _MASK = 1 << 31, 0xFFFF_FFFF
_LAST_TYPE = 35  # controller_status of OF1.5
_VERSIONS = frozenset(map(int, Version))


def looks_like_message(data: bytes) -> bool:
    """Whether `data` may begin with a message, or messages one after another."""
    at = 0
    while len(data) - at >= HEADER.size:
        version, number, length, _ = HEADER.unpack_from(data, at)
        if version not in _VERSIONS or number > _LAST_TYPE or length < HEADER.size:
            return False
        at += length
    return at > 0


class Stream:
    """Segments in any order become messages.

    Memory is bounded: when too much waits for a segment that does not come, it is given up.
    Then, and where a capture begins in the middle, messages begin again with a segment that
    looks like one. `lost` counts the bytes that were not understood.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._next: int | None = None  # the sequence number that comes next
        self._waiting: dict[int, bytes] = {}
        self._waiting_size = 0
        self._buffer = bytearray()
        self._aligned = False  # whether the buffer begins with a message

    def open(self, seq: int) -> None:
        """Begin with a SYN of this sequence number."""
        self.__init__()  # type: ignore[misc]
        self._next = seq + 1 & _MASK
        self._aligned = True

    def add(self, seq: int, data: bytes) -> list[bytes]:
        """Take a segment, and return the messages that are whole by it."""
        if not data:
            return []
        if self._next is None:
            self._next = seq
        ahead = seq - self._next & _MASK
        if ahead >= _HALF:  # begins with what we have: a retransmission, maybe with more
            data, ahead = data[_MASK + 1 - ahead :], 0
        if ahead:
            self._keep(seq, data)
            return self._skip() if self._waiting_size > MAX_PENDING else []
        return self._take(data) + self._follow()

    def finish(self) -> list[bytes]:
        """Return the messages behind what is still missing: it will not come."""
        found = []
        while self._waiting:
            found += self._skip()
        return found

    def _keep(self, seq: int, data: bytes) -> None:
        known = self._waiting.get(seq, b"")
        if len(data) > len(known):
            self._waiting[seq] = data
            self._waiting_size += len(data) - len(known)

    def _follow(self) -> list[bytes]:
        """Take what waited, as far as nothing is missing."""
        found: list[bytes] = []
        while self._waiting:
            assert self._next is not None
            seq = min(self._waiting, key=self._ahead)
            behind = -self._ahead(seq)
            if behind < 0:
                break
            data = self._waiting.pop(seq)
            self._waiting_size -= len(data)
            found += self._take(data[behind:])
        return found

    def _ahead(self, seq: int) -> int:
        """Return how far a sequence number is ahead, negative where it is behind."""
        return ((seq - (self._next or 0) + _HALF) & _MASK) - _HALF

    def _skip(self) -> list[bytes]:
        """Give the missing segment up."""
        self.lost += len(self._buffer)
        self._buffer.clear()
        self._aligned = False
        self._next = min(self._waiting, key=self._ahead)
        return self._follow()

    def _take(self, data: bytes) -> list[bytes]:
        """Take the bytes that come next."""
        self._next = ((self._next or 0) + len(data)) & _MASK
        if not self._aligned:
            if not looks_like_message(data):
                self.lost += len(data)
                return []
            self._aligned = True
        self._buffer += data
        return self._cut()

    def _cut(self) -> list[bytes]:
        found, at = [], 0
        while len(self._buffer) - at >= HEADER.size:
            version, _, length, _ = HEADER.unpack_from(self._buffer, at)
            if length < HEADER.size or version not in _VERSIONS:
                self.lost += len(self._buffer) - at
                self._aligned = False
                at = len(self._buffer)
                break
            if len(self._buffer) - at < length:
                break
            found.append(bytes(self._buffer[at : at + length]))
            at += length
        del self._buffer[:at]
        return found
