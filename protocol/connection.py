"""The channel, without a socket or a clock: bytes in, events out, and bytes to send.

    HELLO ──hello of both──▶ OPEN ──fault, silence, close()──▶ CLOSED
      └──────no version in common, no hello in time────────────▲

Both sides use it: the controller has one for each switch, a switch one for each controller.
It frames, negotiates the version, numbers what is sent, answers echo requests, notices a
peer that went silent, puts multipart messages together, and answers what it cannot read
with the error that the specification names. `receive_data` never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

from .compiler import codec
from .errors import BadRequestCode, ErrorCode, HelloFailedCode, sayable
from .exceptions import DecodeError
from .message import ENCODERS, HEADER, Message, classes, decode, encode
from .multipart import Gatherer, MultipartReply, MultipartRequest
from .symmetric import EchoReply, EchoRequest, ErrorMsg, Hello
from .version import ALL_VERSIONS, Version
from .writer import FAULTS, Encode, Several

HANDSHAKE_TIMEOUT = 5.0  #: seconds in which the peer must have said hello
ECHO_INTERVAL = 15.0  #: seconds of silence until we ask for a sign of life
ECHO_TIMEOUT = 10.0  #: seconds in which it must come
ERROR_DATA = 64  # bytes of an offending message that go back at least (OF1.5.1 7.5.4)
HELLOS = 64  # different ones that are kept ready, each of 64 kB at most
WORDS_MAX = 200  # characters of a peer's own words that are repeated in ours
_HELLO, _ERROR, _ECHO_REQUEST, _ECHO_REPLY = 0, 1, 2, 3  # the same in all versions
_PACKET_IN = 10  # as well
_KIND = 2  # bytes that tell version and type
_HTTP = (b"GET ", b"POST", b"HEAD", b"PUT ", b"DELE", b"OPTI", b"PRI ", b"CONN")
_TLS = b"\x16\x03"  # a record of its handshake (RFC 8446 5.1 "Record Layer")


class State(Enum):
    """Where a channel is in its life."""

    HELLO = "hello"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(slots=True, frozen=True)
class Opened:
    """Both sides said hello; `version` is what they speak from now on."""

    version: Version


@dataclass(slots=True, frozen=True)
class Unreadable:
    """A message was not understood. The peer was told, unless it was an error itself."""

    error: DecodeError
    data: bytes  #: the first 64 bytes of it
    xid: int


@dataclass(slots=True, frozen=True)
class Closed:
    """The channel ended; `reason` is a sentence for people."""

    reason: str


Event = Message | Opened | Unreadable | Closed


class Connection:
    """One side of a channel.

    `now` is in seconds on any clock that does not go back. An `echo_interval` of 0 turns
    the signs of life off.
    """

    def __init__(
        self,
        now: float,
        versions: Iterable[Version] = ALL_VERSIONS,
        *,
        handshake_timeout: float = HANDSHAKE_TIMEOUT,
        echo_interval: float = ECHO_INTERVAL,
        echo_timeout: float = ECHO_TIMEOUT,
    ) -> None:
        self.versions = frozenset(versions)
        self.state = State.HELLO
        self.version: Version | None = None  #: agreed on; None until then
        self.handshake_timeout = handshake_timeout
        self.echo_interval, self.echo_timeout = echo_interval, echo_timeout
        self._heard = now  # when the last whole message came, at first when all began
        self._asked: float | None = None  # when our unanswered echo request went
        self._asked_xid = 0  # of the last echo request of our own; no message has xid 0
        self._xid = 0
        self.partial = bytearray()  #: the beginning of a message, which waits for its rest
        self._wanted = HEADER.size  # bytes until it is worth to look at it
        self._out: list[bytes] = []
        self._encoders: Mapping[type[Message], Encode] = {}  # none but while it is open
        self._plain: Mapping[bytes, Several] = {}  # as `_plain_readers` has them, while it is open
        #: called when something is said while nothing waits to be sent; the shell sets it
        self.began: Callable[[], object] = _nothing
        self._gathering: Gatherer | None = None  # made for the first message in parts
        self.drops_packet_ins = False  #: whether they are passed over, which costs least
        self.packet_ins_dropped = 0
        self._out.append(_hello(self.versions, self._next_xid()))

    # What we say

    def send(self, message: Message, xid: int | None = None) -> int:
        """Queue a message and return its xid: a new one, or that of the request it answers.

        EncodeError where the version agreed on cannot say it. Before the hello of the peer
        there is no such version, and nothing to say; afterwards nobody listens: then
        nothing is queued.
        """
        if xid is None:
            self._xid = xid = self._xid % 0xFFFF_FFFF + 1  # as _next_xid, without its call
        out = self._out
        if not out:
            self.began()
        try:
            out.append(self._encoders[type(message)](message, xid))
        except FAULTS:
            if self.state is State.OPEN:
                assert self.version is not None
                out.append(encode(message, self.version, xid))  # which finds it, or the words
        return xid

    def reserve_xid(self) -> int:
        """Return an xid that no other message of ours has, for one that goes another way."""
        return self._next_xid()

    def pass_parts(self, xid: int) -> None:
        """Let the parts of the multipart answer to `xid` be events as they come."""
        self._gatherer.let_pass(xid)

    def drop_parts(self, xid: int) -> None:
        """Let nothing more of the multipart answer to `xid` be an event."""
        self._gatherer.forget(xid)

    def data_to_send(self) -> bytes:
        """Return what is queued, and forget it."""
        out = self._out
        data = b"".join(out)
        out.clear()
        return data

    def close(self, reason: str) -> list[Event]:
        """End the channel from our side, or because its transport ended."""
        if self.state is State.CLOSED:
            return []
        self.state = State.CLOSED
        self._encoders, self._plain = {}, {}
        self.partial.clear()
        return [Closed(reason)]

    def _next_xid(self) -> int:
        self._xid = self._xid % 0xFFFF_FFFF + 1  # never 0, which hellos and tools like
        return self._xid

    def _put(self, message: Message, version: Version, xid: int | None = None) -> None:
        self._out.append(encode(message, version, self._next_xid() if xid is None else xid))

    # What we hear

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take in what came, however it is split, and return what it says."""
        events: list[Event] = []
        if self.partial:
            self.partial += data
            if len(self.partial) < self._wanted:
                return events
            data = bytes(self.partial)
            self.partial.clear()
        at, size = 0, len(data)
        # Most reads bring whole messages of one class, with which nothing else is to be done.
        several = self._plain.get(data[:_KIND])
        if several is not None and not self.drops_packet_ins:
            at = several(data, 0, size, events.append)
        if at < size:
            at = self._receive_messages(data, at, events)
            if at < size and self.state is not State.CLOSED:
                self.partial += data[at:]
        if at:
            self._heard, self._asked = now, None
        return events

    def _receive_messages(self, data: bytes, at: int, events: list[Event]) -> int:
        """Take in whole messages of `data` from there on; return where the rest begins."""
        size = len(data)
        while self.state is not State.CLOSED:
            if not self.drops_packet_ins:
                at = _receive_plain(self._plain, data, at, events)
                if at == size:
                    break
            if size - at < HEADER.size:
                self._wanted = HEADER.size
                break
            said, number, length, xid = HEADER.unpack_from(data, at)
            if fault := self._framing_fault(said, number, length, data, at):
                events += fault
                break
            end = at + length
            if end > size:
                self._wanted = length
                break
            if self.state is State.HELLO:
                self._receive_hello(said, data[at:end], events)
            else:
                self._receive_message(number, xid, data, at, end, events)
            at = end
        return at

    def _framing_fault(
        self, version: int, number: int, length: int, data: bytes, at: int
    ) -> list[Event]:
        """Return what ends the channel if this is no header that can stand here."""
        if self.state is State.HELLO:
            if data.startswith(_HTTP):
                return self.close("the peer speaks HTTP, not OpenFlow")
            if data.startswith(_TLS):
                return self.close("the peer speaks TLS: listen at pssl: for it, or let it use tcp:")
            if version == 0 or number > _ERROR or length < HEADER.size:
                begin = data[: HEADER.size].hex(" ")
                return self.close(f"the peer did not begin with a hello but with {begin}")
            return []
        if version == self.version and length >= HEADER.size:
            return []
        if number in (_HELLO, _ERROR) and length >= HEADER.size:
            return []  # whoever refuses us does so in a version of its own
        size = min(max(length, HEADER.size), ERROR_DATA)
        return self._broken_framing(version, length, data[at : at + size])

    def _broken_framing(self, version: int, length: int, data: bytes) -> list[Event]:
        assert self.version is not None
        code = BadRequestCode.BAD_LEN if version == self.version else BadRequestCode.BAD_VERSION
        self._put(ErrorMsg(code, data), self.version, HEADER.unpack_from(data)[3])
        if code is BadRequestCode.BAD_LEN:
            return self.close(f"a message of {length} bytes cannot be")
        return self.close(f"a message of version {version} came after {self.version} was agreed on")

    def _receive_hello(self, version: int, data: bytes, events: list[Event]) -> None:
        if data[1] == _ERROR:
            events += self._refused(data)
            return
        agreed = _agreed(self.versions, version, data[HEADER.size :])
        if agreed is not None:
            self.state, self.version = State.OPEN, agreed
            self._encoders, self._plain = ENCODERS[agreed], _plain_readers(agreed)
            events.append(Opened(agreed))
            return
        offered = _offered(version, data[HEADER.size :]) or {version}
        theirs = ", ".join(map(_version_name, sorted(offered)))
        ours = ", ".join(map(str, sorted(self.versions)))
        reason = f"no version in common: the peer speaks {theirs}, we speak {ours}"
        known = [one for one in self.versions if one <= version] or list(self.versions)
        xid = HEADER.unpack_from(data)[3]
        self._put(ErrorMsg(HelloFailedCode.INCOMPATIBLE, reason.encode()), max(known), xid)
        events += self.close(reason)

    def _receive_message(
        self, number: int, xid: int, data: bytes, at: int, end: int, events: list[Event]
    ) -> None:
        version = self.version
        assert version is not None
        if number == _ECHO_REQUEST:
            reply = HEADER.pack(version, _ECHO_REPLY, end - at, xid)
            self._out.append(reply + data[at + HEADER.size : end])
            return
        if number == _HELLO or (number == _ECHO_REPLY and xid == self._asked_xid):
            return
        if number == _PACKET_IN and self.drops_packet_ins:
            self.packet_ins_dropped += 1
            return
        if data[at] != version:
            events += self._refused(data[at:end])
            return
        try:
            message = decode(data, at, end, version)
            if isinstance(message, MultipartReply | MultipartRequest) and (
                message.flags != 0 or self._gathering is not None
            ):
                whole = self._gatherer.add(message, end - at)
                if whole is None:
                    return
                message = whole
        except DecodeError as error:
            events.append(self._unreadable(error, number, xid, data[at:end]))
            return
        if isinstance(message, ErrorMsg) and isinstance(message.code, HelloFailedCode):
            events += self._refused(data[at:end])
            return
        events.append(message)

    @property
    def _gatherer(self) -> Gatherer:
        if self._gathering is None:
            self._gathering = Gatherer()
        return self._gathering

    def _refused(self, error: bytes) -> list[Event]:
        return self.close(f"the peer refused us: {_error_text(error)}")

    def _unreadable(self, error: DecodeError, number: int, xid: int, data: bytes) -> Unreadable:
        assert self.version is not None
        if number != _ERROR:  # two sides that answer errors with errors would never end
            code: ErrorCode = error.code or BadRequestCode.BAD_LEN
            answer = ErrorMsg(sayable(code, self.version), data[:ERROR_DATA])
            self._put(answer, self.version, xid)
        return Unreadable(error, data[:ERROR_DATA], xid)

    # Time

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due; None as long as nothing is awaited."""
        if self.state is State.HELLO:
            return self._heard + self.handshake_timeout
        if self.state is State.CLOSED or not self.echo_interval:
            return None
        if self._asked is not None:
            return self._asked + self.echo_timeout
        return self._heard + self.echo_interval

    def handle_timer(self, now: float) -> list[Event]:
        """Do what is due: ask a silent peer for a sign of life, or give it up."""
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return []
        if self.state is State.HELLO:
            return self.close(f"the peer said no hello within {self.handshake_timeout:g} s")
        if self._asked is not None:
            silence = now - self._heard
            return self.close(f"the peer is silent since {silence:.0f} s")
        self._asked_xid = self.send(EchoRequest())
        self._asked = now
        return []

    def pardon(self, now: float) -> None:
        """Do not count the silence up to `now`: it was we who did not listen."""
        if self.state is State.OPEN:
            self._heard, self._asked = now, None


def _nothing() -> None:
    """Be what is called where nobody wants to know."""


def _receive_plain(
    readers: Mapping[bytes, Several], data: bytes, at: int, events: list[Event]
) -> int:
    """Read messages as long as the channel has nothing to do with them but to pass them on.

    Return where the first of the others begins, or one that is not whole or cannot be read.
    That is most of what is read, and most are of one class: so it is done in one loop.
    """
    append, size = events.append, len(data)
    while at < size:
        several = readers.get(data[at : at + _KIND])
        if several is None:
            break
        then = several(data, at, size, append)
        if then == at:
            break
        at = then
    return at


@cache
def _plain_readers(version: Version) -> dict[bytes, Several]:
    """Return what reads plain messages, by their first bytes."""
    special = (Hello, ErrorMsg, EchoRequest, EchoReply, MultipartRequest, MultipartReply)
    return {
        bytes((version, number)): several
        for number, cls in classes(version).items()
        if not issubclass(cls, special) and (several := codec(cls, version).several)
    }


# Most switches of a network say the same hello, and hear the same one: each is read, and
# written, once.
@lru_cache(HELLOS)
def _hello(versions: frozenset[Version], xid: int) -> bytes:
    """Return the first message of who speaks these versions."""
    return encode(Hello.offering(versions), max(versions), xid)


@lru_cache(HELLOS)
def _agreed(ours: frozenset[Version], version: int, elements: bytes) -> Version | None:
    """Return the version to speak with who said such a hello (OF1.5.1 6.3.3 "Version Negotiation").

    None where there is none in common.
    """
    offered = _offered(version, elements)
    if offered is not None:
        return max((one for one in ours if one in offered), default=None)
    lower = min(version, max(ours))
    return next((one for one in ours if one == lower), None)


def _offered(version: int, elements: bytes) -> frozenset[int] | None:
    """Return the versions in a hello's bitmap; a hello may end in anything else as well."""
    spoken = min(version, max(Version))
    hello = HEADER.pack(spoken, _HELLO, HEADER.size + len(elements), 0) + elements
    try:
        message = decode(hello, 0, len(hello), Version(spoken))
    except DecodeError:
        return None
    return message.versions if isinstance(message, Hello) else None


def _error_text(data: bytes) -> str:
    """Return the words in a HELLO_FAILED, else its numbers: no more than a line of a log."""
    words = data[12 : 12 + WORDS_MAX].rstrip(b"\0").decode("ascii", "replace").strip()
    if words and words.isprintable():
        return words
    return f"error {data[8:12].hex() or 'without numbers'}"


def _version_name(number: int) -> str:
    return str(Version(number)) if number in set(Version) else f"version {number}"
