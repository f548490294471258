"""The envelope of multipart requests and replies; their bodies stand in the chapters.

OF1.0 and OF1.1 call them statistics (OF1.5.1 7.3.5 "Multipart Messages").
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntFlag
from itertools import chain
from typing import Any, ClassVar, TypeVar

import msgspec

from .errors import BadRequestCode
from .exceptions import DecodeError
from .message import Message, choose_by, header
from .version import OF10, OF11, OF12, Version
from .wire import U16, U32, Flags, Pad, Rest, Tag, by_version, resolve, since

REQUEST_NUMBER = by_version({OF10: 16, OF11: 18})
REPLY_NUMBER = by_version({OF10: 17, OF11: 19})
EXPERIMENTER = 0xFFFF
_TYPE = struct.Struct(">8xH")
_TOLD_BY = struct.Struct(">II")  # experimenter, exp_type
_ENVELOPE_10, _ENVELOPE = 12, 16  # bytes before them


class MultipartFlags(IntFlag):
    """Whether more parts follow."""

    MORE = 1 << 0


class MultipartRequest(Message, kw_only=True):
    """Asks for what may need more than one message to answer."""

    flags: MultipartFlags | int = 0

    gathers: ClassVar[str] = ""  #: the field whose parts belong together


class MultipartReply(Message, kw_only=True):
    """A part of an answer; all parts but the last have the flag MORE."""

    flags: MultipartFlags | int = 0

    gathers: ClassVar[str] = ""


Rq = TypeVar("Rq", bound=MultipartRequest)
Rp = TypeVar("Rp", bound=MultipartReply)
_requests: dict[type[Message], Any] = {}
_replies: dict[type[Message], Any] = {}
# By experimenter, exp_type and the versions that have it.
_Experimenters = dict[tuple[int, int], tuple[Any, type[Message]]]
_experimenter_requests: _Experimenters = {}
_experimenter_replies: _Experimenters = {}


def _envelope(message_number: Any, number: Any) -> Any:
    return (
        *header(message_number),
        Tag(U16, number),
        "flags" / Flags(U16, MultipartFlags),
        since(OF11, Pad(4)),
    )


def multipart_request(number: Any) -> Callable[[type[Rq]], type[Rq]]:
    """Register a request under its multipart type, which may be a range of versions."""

    def register(cls: type[Rq]) -> type[Rq]:
        cls.head = _envelope(REQUEST_NUMBER, number)
        _requests[cls] = number
        return cls

    return register


def multipart_reply(number: Any) -> Callable[[type[Rp]], type[Rp]]:
    """Register a reply under its multipart type, which may be a range of versions."""

    def register(cls: type[Rp]) -> type[Rp]:
        cls.head = _envelope(REPLY_NUMBER, number)
        _replies[cls] = number
        return cls

    return register


def experimenter_request(
    experimenter: int, exp_type: int, number: Any = EXPERIMENTER
) -> Callable[[type[Rq]], type[Rq]]:
    """Register an experimenter's request; `number` is EXPERIMENTER where there is such."""

    def register(cls: type[Rq]) -> type[Rq]:
        known = (Tag(U32, experimenter), Tag(U32, exp_type))
        cls.head = (*_envelope(REQUEST_NUMBER, number), *known)
        _experimenter_requests[experimenter, exp_type] = number, cls
        return cls

    return register


def experimenter_reply(
    experimenter: int, exp_type: int, number: Any = EXPERIMENTER
) -> Callable[[type[Rp]], type[Rp]]:
    """Register an experimenter's reply; `number` is EXPERIMENTER where there is such."""

    def register(cls: type[Rp]) -> type[Rp]:
        known = (Tag(U32, experimenter), Tag(U32, exp_type))
        cls.head = (*_envelope(REPLY_NUMBER, number), *known)
        _experimenter_replies[experimenter, exp_type] = number, cls
        return cls

    return register


def _chooser(
    classes: dict[type[Message], Any], experimenters: _Experimenters
) -> Callable[[Version, bytes, int, int], type[Message]]:
    found: dict[tuple[Version, int], type[Message]] = {}

    def of_experimenter(version: Version, buffer: bytes, at: int, end: int) -> type[Message] | None:
        at += _ENVELOPE_10 if version == OF10 else _ENVELOPE
        if end - at < _TOLD_BY.size:
            return None
        number, cls = experimenters.get(_TOLD_BY.unpack_from(buffer, at), (None, None))
        return cls if resolve(number, version) == EXPERIMENTER else None

    def choose(version: Version, buffer: bytes, at: int, end: int) -> type[Message]:
        if end - at < _TYPE.size:
            raise DecodeError(BadRequestCode.BAD_LEN, "there is no multipart type")
        (number,) = _TYPE.unpack_from(buffer, at)
        if number == EXPERIMENTER and (cls := of_experimenter(version, buffer, at, end)):
            return cls
        if cls := found.get((version, number)):
            return cls
        for cls, shape in classes.items():
            if resolve(shape, version) == number:
                found[version, number] = cls
                return cls
        reason = f"OpenFlow {version} has no multipart type {number}"
        raise DecodeError(BadRequestCode.BAD_MULTIPART, reason)

    return choose


choose_by(REQUEST_NUMBER, _chooser(_requests, _experimenter_requests))
choose_by(REPLY_NUMBER, _chooser(_replies, _experimenter_replies))

_experimenter_layout = (
    "experimenter" / U32,
    "exp_type" / since(OF12, U32),
    "data" / Rest,
)


@multipart_request(EXPERIMENTER)
class ExperimenterMultipartRequest(MultipartRequest):
    """A request that the specification leaves to others (OF1.5.1 7.3.5.21)."""

    experimenter: int
    exp_type: int = 0
    data: bytes = b""
    layout = _experimenter_layout
    gathers = "data"


@multipart_reply(EXPERIMENTER)
class ExperimenterMultipartReply(MultipartReply):
    """A reply that the specification leaves to others."""

    experimenter: int
    exp_type: int = 0
    data: bytes = b""
    layout = _experimenter_layout
    gathers = "data"


class Gatherer:
    """Puts the parts of multipart messages together, in bounded memory.

    Where all unfinished messages of a channel together pass `MAX_GATHERED` bytes, the one
    that grew is given up; where there are more than `MAX_UNFINISHED`, the one that waits
    longest for its next part, as that may never come. What comes of a message that was
    given up, is dropped up to its last part.
    """

    MAX_GATHERED = 1 << 25  # 300,000 flow entries are less
    MAX_UNFINISHED = 64
    MAX_GIVEN_UP = 1024  # messages given up whose end did not come yet

    def __init__(self) -> None:
        self._unfinished: dict[int, _Parts] = {}  # the longest waiting first
        self._given_up: dict[int, bool] = {}  # xid -> whether the peer was told
        self._apart: set[int] = set()  # xids of messages whose parts are taken as they come
        self._size = 0

    def let_pass(self, xid: int) -> None:
        """From now on let `add` return the parts of this message one by one, up to its last."""
        self._apart.add(xid)

    def forget(self, xid: int) -> None:
        """Drop what comes of a message that nobody waits for any more, up to its last part."""
        self._apart.discard(xid)
        if parts := self._unfinished.pop(xid, None):
            self._size -= parts.size
        self._give_up(xid, told=True)

    def add(self, part: MultipartRequest | MultipartReply, size: int) -> Message | None:
        """Return the whole message if `part`, of `size` bytes, is its last, else None.

        DecodeError (MULTIPART_BUFFER_OVERFLOW, or BAD_MULTIPART where the type changes),
        once, for a message that is given up.
        """
        more = bool(part.flags & MultipartFlags.MORE)
        if part.xid in self._given_up:
            self._drop(part.xid, more)
            return None
        if part.xid in self._apart:
            if not more:
                self._apart.discard(part.xid)
            return part
        parts = self._unfinished.pop(part.xid, None)
        if parts is None:
            if not more or not part.gathers:
                return part
            parts = _Parts(type(part))
        self._size -= parts.size
        self._check(parts, part, size, more)
        parts.values.append(getattr(part, part.gathers))
        if not more:
            return _joined(part, parts.values)
        parts.size += size
        self._size += parts.size
        self._unfinished[part.xid] = parts
        if len(self._unfinished) > self.MAX_UNFINISHED:
            oldest = next(iter(self._unfinished))
            self._size -= self._unfinished.pop(oldest).size
            self._give_up(oldest, told=False)
        return None

    def _check(
        self, parts: _Parts, part: MultipartRequest | MultipartReply, size: int, more: bool
    ) -> None:
        """Raise, and give the message up, if this cannot be a part of it."""
        if type(part) is not parts.cls:
            fault = DecodeError(BadRequestCode.BAD_MULTIPART, "the parts have several types")
        elif self._size + parts.size + size > self.MAX_GATHERED:
            fault = _overflow(f"unfinished messages have more than {self.MAX_GATHERED} bytes")
        else:
            return
        if more:
            self._give_up(part.xid, told=True)
        raise fault

    def _give_up(self, xid: int, told: bool) -> None:
        self._given_up[xid] = told
        if len(self._given_up) > self.MAX_GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]

    def _drop(self, xid: int, more: bool) -> None:
        told = self._given_up.pop(xid)
        if more:
            self._give_up(xid, told=True)
        if not told:
            raise _overflow(f"{self.MAX_UNFINISHED} other messages were unfinished")


class _Parts:
    """What came of one message."""

    def __init__(self, cls: type[Message]) -> None:
        self.cls = cls
        self.size = 0
        self.values: list[Any] = []


def _joined(last: MultipartRequest | MultipartReply, values: list[Any]) -> Message:
    whole = b"".join(values) if isinstance(values[0], bytes) else tuple(chain(*values))
    return msgspec.structs.replace(last, flags=0, **{last.gathers: whole})


def _overflow(reason: str) -> DecodeError:
    return DecodeError(BadRequestCode.MULTIPART_BUFFER_OVERFLOW, reason)
