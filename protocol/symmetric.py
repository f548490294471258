"""What either side may say: hello, error, echo, experimenter (OF1.5.1 7.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, Self

from .errors import ErrorCode, codes_at
from .message import M, Message, choose_by, header, message
from .record import Family, Record
from .version import OF11, Version
from .wire import U32, Converted, Rest, Tag, by_version, resolve, since

ElementsShape = Family("hello element", length_counts_padding=False, unknown=None, short=None)


_BITMAP_BYTES = 32  # the header's version has 8 bits


def _versions_in(bitmap: bytes) -> frozenset[int]:
    size = min(len(bitmap), _BITMAP_BYTES) & ~3  # whole words; the lowest version is the lowest bit
    words = [int.from_bytes(bitmap[at : at + 4], "big") for at in range(0, size, 4)]
    return frozenset(
        index * 32 + bit
        for index, word in enumerate(words)
        for bit in range(word.bit_length())
        if word >> bit & 1
    )


def _bitmap_of(versions: Iterable[int]) -> bytes:
    words = [0] * (max(versions, default=0) // 32 + 1)
    for version in versions:
        words[version // 32] |= 1 << version % 32
    return b"".join(word.to_bytes(4, "big") for word in words)


@ElementsShape.member(1)
class VersionBitmap(Record):
    """All versions the sender speaks, by number (OF1.3.5 7.5.1 "Hello")."""

    versions: frozenset[int]
    layout = ("versions" / Converted(Rest, _versions_in, _bitmap_of),)


@message(0)
class Hello(Message):
    """The first message of both sides; they go on with a version that both speak.

    Elements came with OF1.3.1, but any hello may carry them.
    """

    elements: tuple[Record, ...] = ()
    layout = ("elements" / ElementsShape,)

    @classmethod
    def offering(cls, versions: Iterable[Version]) -> Self:
        """Return the hello that offers `versions`."""
        return cls((VersionBitmap(frozenset(map(int, versions))),))

    @property
    def versions(self) -> frozenset[int] | None:
        """The versions in the bitmap, None where the hello has no bitmap."""
        for element in self.elements:
            if isinstance(element, VersionBitmap):
                return element.versions
        return None


class UnknownError(Record):
    """An error whose numbers have no name in its version; experimenters' are such, too."""

    type: int
    code: int

    def __str__(self) -> str:
        return f"type {self.type}, code {self.code}"


def _code_shape(version: Version) -> Converted:
    codes = codes_at(version)

    def to_value(pair: int) -> ErrorCode | UnknownError:
        kind, code = pair >> 16, pair & 0xFFFF
        return codes.get((kind, code)) or UnknownError(kind, code)

    def to_wire(value: ErrorCode | UnknownError) -> int:
        if isinstance(value, UnknownError):
            kind, code = value.type, value.code
        elif (numbers := value.at(version)) is not None:
            kind, code = numbers
        else:
            raise ValueError(f"{value} does not exist in OpenFlow {version}")
        return kind << 16 | code

    return Converted(U32, to_value, to_wire)


@message(1)
class ErrorMsg(Message):
    """The other side's message had a fault (OF1.5.1 7.5.4 "Error Message").

    `data` has at least the first 64 bytes of that message; after HELLO_FAILED it is text.
    """

    code: ErrorCode | UnknownError
    data: bytes = b""
    layout = (
        "code" / by_version({version: _code_shape(version) for version in Version}),
        "data" / Rest,
    )


@message(2)
class EchoRequest(Message):
    """Asks for a sign of life; up to 65,527 bytes come back (OF1.5.1 7.5.2)."""

    data: bytes = b""
    layout = ("data" / Rest,)


@message(3)
class EchoReply(Message):
    """Carries the bytes of its request (OF1.5.1 7.5.3 "Echo Reply")."""

    data: bytes = b""
    layout = ("data" / Rest,)


EXPERIMENTER_NUMBER = 4
_TOLD_BY = struct.Struct(">8xII")  # experimenter, exp_type
# By experimenter, exp_type and the versions that have it.
_experimenters: dict[tuple[int, int], tuple[Any, type[Message]]] = {}


class Experimenter(Message):
    """What the specification leaves to others (OF1.5.1 7.5.5 "Experimenter").

    OF1.0 calls it vendor and has no `exp_type`: there it is the start of `data`.
    """

    experimenter: int
    exp_type: int = 0
    data: bytes = b""
    head = header(EXPERIMENTER_NUMBER)
    layout = (
        "experimenter" / U32,
        "exp_type" / since(OF11, U32),
        "data" / Rest,
    )


def experimenter_message(
    experimenter: int, exp_type: int, number: Any = EXPERIMENTER_NUMBER
) -> Callable[[type[M]], type[M]]:
    """Register a message of an experimenter that has numbers of 32 bits for its messages.

    `number` is EXPERIMENTER_NUMBER in the versions that have the message.
    """

    def register(cls: type[M]) -> type[M]:
        known = (Tag(U32, experimenter), Tag(U32, exp_type))
        cls.head = (*header(number), *known)
        _experimenters[experimenter, exp_type] = number, cls
        return cls

    return register


def is_experimenters(cls: type[Message]) -> bool:
    """Whether a message is one that an experimenter has, not the specification."""
    return any(cls is known for _, known in _experimenters.values())


def _choose(version: Version, buffer: bytes, at: int, end: int) -> type[Message]:
    if end - at < _TOLD_BY.size:
        return Experimenter
    number, cls = _experimenters.get(_TOLD_BY.unpack_from(buffer, at), (None, Experimenter))
    return cls if resolve(number, version) == EXPERIMENTER_NUMBER else Experimenter


choose_by(EXPERIMENTER_NUMBER, _choose)
