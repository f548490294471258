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


def _chooser(
    classes: dict[type[Message], Any],
) -> Callable[[Version, bytes, int, int], type[Message]]:
    found: dict[tuple[Version, int], type[Message]] = {}

    def choose(version: Version, buffer: bytes, at: int, end: int) -> type[Message]:
        if end - at < _TYPE.size:
            raise DecodeError(BadRequestCode.BAD_LEN, "there is no multipart type")
        (number,) = _TYPE.unpack_from(buffer, at)
        if cls := found.get((version, number)):
            return cls
        for cls, shape in classes.items():
            if resolve(shape, version) == number:
                found[version, number] = cls
                return cls
        reason = f"OpenFlow {version} has no multipart type {number}"
        raise DecodeError(BadRequestCode.BAD_MULTIPART, reason)

    return choose


choose_by(REQUEST_NUMBER, _chooser(_requests))
choose_by(REPLY_NUMBER, _chooser(_replies))

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

    A message whose parts pass `MAX_GATHERED` bytes, or that comes while `MAX_UNFINISHED`
    others are unfinished, is given up: its parts are dropped up to the last.
    """

    MAX_GATHERED = 1 << 25  # a million flow entries are less
    MAX_UNFINISHED = 64

    def __init__(self) -> None:
        self._unfinished: dict[int, _Parts] = {}

    def add(self, part: MultipartRequest | MultipartReply, size: int) -> Message | None:
        """Return the whole message if `part`, of `size` bytes, is its last, else None.

        DecodeError (MULTIPART_BUFFER_OVERFLOW), once, for a message that is given up.
        """
        more = part.flags & MultipartFlags.MORE
        parts = self._unfinished.get(part.xid)
        if parts is None:
            if not more or not part.gathers:
                return part
            parts = self._unfinished[part.xid] = _Parts(type(part))
            if len(self._unfinished) > self.MAX_UNFINISHED:
                del self._unfinished[part.xid]
                raise _overflow(f"{self.MAX_UNFINISHED} multipart messages are unfinished")
        if not more:
            del self._unfinished[part.xid]
        return self._grow(parts, part, size, bool(more))

    def _grow(
        self, parts: _Parts, part: MultipartRequest | MultipartReply, size: int, more: bool
    ) -> Message | None:
        if parts.size > self.MAX_GATHERED:
            return None
        if type(part) is not parts.cls:
            raise DecodeError(BadRequestCode.BAD_MULTIPART, "the parts have several types")
        parts.size += size
        if parts.size > self.MAX_GATHERED:
            parts.values.clear()
            raise _overflow(f"the parts have more than {self.MAX_GATHERED} bytes")
        parts.values.append(getattr(part, part.gathers))
        return None if more else _joined(part, parts.values)


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
