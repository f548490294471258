"""What all channels said lately: always on, in a bounded number of bytes, read when asked for.

A channel notes what it read and wrote as it is, which costs next to nothing; messages are
found in it when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, starmap
from typing import NamedTuple

from msgspec import Struct, field

from protocol import Message
from protocol.message import HEADER

RECORDED = 1 << 26  #: bytes of all channels together
_OVERHEAD = 200  # bytes that a note takes beside what was said
_numbers = count(1)
_LOOKED_AT = 256  # notes of a channel in which one message is searched


class Tape(Struct, eq=False, gc=False):
    """One channel, as the recorder knows it.

    As it refers to nothing that could refer to it, Python need look for garbage neither here nor
    in the notes, of which there are 100,000s.
    """

    peer: str  #: the address of the switch's end
    datapath_id: int | None = None  #: once it is known
    #: which no other has, unlike the name of a Unix socket
    number: int = field(default_factory=_numbers.__next__)


class Note(NamedTuple):
    """What was read or written at once."""

    at: float  #: seconds since 1970
    tape: Tape
    from_switch: bool
    begins: bool  #: whether a message begins with the first byte
    data: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """One message that was said."""

    at: float
    tape: Tape
    from_switch: bool
    data: bytes

    def message(self) -> Message:
        """Return what the bytes say; DecodeError where they say nothing."""
        return Message.decode(self.data)


class Recorder:
    """Keeps the newest notes of all channels, `limit` bytes of them."""

    def __init__(self, limit: int = RECORDED) -> None:
        self.limit = limit
        # As plain tuples: to make a Note of each takes longer than all else does.
        self._notes: deque[tuple[float, Tape, bool, bool, bytes]] = deque()
        self._size = 0
        self._followers: list[Callable[[Note], None]] = []
        self._enough = limit  # bytes from which on there is more to do; while followed, any are

    def note(self, at: float, tape: Tape, from_switch: bool, begins: bool, data: bytes) -> None:
        """Keep a note, as `Note` has it; the oldest ones go where there is no room."""
        self._notes.append((at, tape, from_switch, begins, data))
        self._size = size = self._size + len(data) + _OVERHEAD
        if size > self._enough:
            self._noted()

    def _noted(self) -> None:
        note = Note(*self._notes[-1])
        while self._size > self.limit:
            self._size -= len(self._notes.popleft()[-1]) + _OVERHEAD
        for follower in self._followers:
            follower(note)

    def follow(self, follower: Callable[[Note], None]) -> Callable[[], None]:
        """Call `follower` with each note from now on; return what ends that."""
        self._followers.append(follower)
        self._enough = 0

        def end() -> None:
            self._followers.remove(follower)
            self._enough = 0 if self._followers else self.limit

        return end

    def notes(self) -> list[Note]:
        """Return the notes that are kept, the oldest first."""
        return list(starmap(Note, self._notes))

    def sent(self, tape: Tape, xid: int) -> Message | None:
        """Return what was sent over a channel with this xid lately, None where it is not kept."""
        looked_at = 0
        for note in starmap(Note, reversed(self._notes)):
            if note.tape is not tape or note.from_switch:
                continue
            for said in whole_messages([note]):
                if HEADER.unpack_from(said.data)[3] == xid:
                    return said.message()
            looked_at += 1
            if looked_at >= _LOOKED_AT:
                break
        return None


def whole_messages(notes: Iterable[Note]) -> Iterator[Said]:
    """Return the messages in some notes that follow one another.

    What a channel said before it begins a message is passed over.
    """
    joiner = Joiner()
    for note in notes:
        yield from joiner.add(note)


class Joiner:
    """Puts together what was read in pieces."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[Tape, bool], bytes] = {}

    def add(self, note: Note) -> Iterator[Said]:
        """Return the messages that end in a note."""
        key = (note.tape, note.from_switch)
        before = b"" if note.begins else self._pieces.get(key)
        if before is None:
            return  # in the middle of a message that began before
        data, at = before + note.data, 0
        while len(data) - at >= HEADER.size:
            length = HEADER.unpack_from(data, at)[2]
            if length < HEADER.size or at + length > len(data):
                break
            yield Said(note.at, note.tape, note.from_switch, data[at : at + length])
            at += length
        if at < len(data):
            self._pieces[key] = data[at:]
        else:
            self._pieces.pop(key, None)
