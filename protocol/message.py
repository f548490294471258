"""Messages: the header, the numbers, and whole messages decoded and encoded.

A chapter declares a message with `@message(number)`. Numbers that stand for many messages
(multipart, experimenter) are declared with `choose_by`, and tell the class from the body.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import msgspec

from .compiler import codec
from .errors import BadRequestCode, ErrorCode
from .exceptions import DecodeError, EncodeError
from .record import Record, build_shape, parse_shape
from .version import Version
from .wire import U8, U16, U32, Layout, Length, Tag, by_version, resolve
from .writer import FAULTS, Decode, Encode

HEADER = struct.Struct(">BBHI")  #: version, type, length, xid
MAX_MESSAGE = 0xFFFF  #: the header's length has 16 bits


class Message(Record, kw_only=True):
    """What one side says to the other (OF1.5.1 7.1.1 "OpenFlow Header")."""

    xid: int = 0  #: answers carry the xid of what they answer; the channel fills it in

    bad_length: ClassVar[ErrorCode] = BadRequestCode.BAD_LEN

    @staticmethod
    def decode(data: bytes) -> Message:
        """Return the one message that `data` is; DecodeError where it is none.

        >>> Message.decode(bytes.fromhex("04 02 000b 00000007 616263"))
        EchoRequest(data=b'abc', xid=7)
        """
        if len(data) < HEADER.size:
            raise DecodeError(BadRequestCode.BAD_LEN, f"{len(data)} bytes are no message")
        version, _, length, _ = HEADER.unpack_from(data)
        if version not in _versions:
            raise DecodeError(BadRequestCode.BAD_VERSION, f"version {version} is unknown")
        if length != len(data):
            reason = f"the header says {length} bytes, there are {len(data)}"
            raise DecodeError(BadRequestCode.BAD_LEN, reason)
        return decode(data, 0, length, _versions[version])

    def encode(self, version: Version) -> bytes:
        """Return the message's bytes; EncodeError where the version cannot say it.

        >>> from protocol import EchoRequest, OF13
        >>> EchoRequest(b"abc", xid=7).encode(OF13).hex(" ", -4)
        '0402000b 00000007 616263'
        """
        return encode(self, version, self.xid)

    def numbered(self, xid: int) -> Self:
        """Return the message with this xid, and what it carries with it."""
        return msgspec.structs.replace(self, xid=xid)


M = TypeVar("M", bound=Message)
Choose = Callable[[Version, bytes, int, int], type[Message]]

_versions = {version.value: version for version in Version}
# The numbers of messages, or their ranges, with the class or what finds the class.
_registry: list[tuple[Any, type[Message] | Choose]] = []


def header(number: Any) -> Layout:
    """Return the layout of the header of messages with this number."""
    version = by_version({version: version for version in Version})
    return (Tag(U8, version), Tag(U8, number), Length(U16), "xid" / U32)


def message(number: Any) -> Callable[[type[M]], type[M]]:
    """Register a message under its number, which may be a range of versions."""

    def register(cls: type[M]) -> type[M]:
        cls.head = header(number)
        _registry.append((number, cls))
        return cls

    return register


def choose_by(number: Any, choose: Choose) -> None:
    """Let `choose(version, buffer, at, end)` find the class of messages with this number."""
    _registry.append((number, choose))


def _registered(version: Version, number: int) -> type[Message] | Choose:
    for shape, found in _registry:
        if resolve(shape, version) == number:
            return found
    raise DecodeError(BadRequestCode.BAD_TYPE, f"OpenFlow {version} has no message {number}")


def classes(version: Version) -> dict[int, type[Message]]:
    """Return the messages of a version by number, but for those that their bodies tell."""
    found = {}
    for shape, cls in _registry:
        number = resolve(shape, version)
        if isinstance(cls, type) and number is not None:
            found[number] = cls
    return found


def class_of(version: Version, buffer: bytes, at: int, end: int) -> type[Message]:
    """Return the class of the message at `at`; DecodeError (BAD_TYPE) where there is none."""
    found = _registered(version, buffer[at + 1])
    return found if isinstance(found, type) else found(version, buffer, at, end)


class _Decoders(dict[int, Decode]):
    """The decoders of one version by message number, made when first needed."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version

    def __missing__(self, number: int) -> Decode:
        found = _registered(self.version, number)
        chosen = codec(found, self.version).decode if isinstance(found, type) else self._by(found)
        self[number] = chosen
        return chosen

    def _by(self, choose: Choose) -> Decode:
        def decode_chosen(buffer: bytes, at: int, end: int) -> Any:
            cls = choose(self.version, buffer, at, end)
            return codec(cls, self.version).decode(buffer, at, end)

        return decode_chosen


def _encoder(cls: type[Message], version: Version) -> Encode:
    plain = codec(cls, version).encode
    carries = cls.numbered is not Message.numbered
    return (lambda m, xid: plain(m.numbered(xid), xid)) if carries else plain


DECODERS = {version: _Decoders(version) for version in Version}
#: Those that were needed before, by version and class: plain dicts, which are looked up fastest.
ENCODERS: dict[Version, dict[type[Message], Encode]] = {version: {} for version in Version}


def decode(buffer: bytes, at: int, end: int, version: Version) -> Message:
    """Return the message in `buffer[at:end]`, whose header fits; DecodeError if it is wrong."""
    try:
        found: Message = DECODERS[version][buffer[at + 1]](buffer, at, end)
    except FAULTS:
        return _decode_slowly(buffer, at, end, version)
    return found


def _decode_slowly(buffer: bytes, at: int, end: int, version: Version) -> Message:
    """Let the reference form find what is wrong, and where."""
    cls = class_of(version, buffer, at, end)
    stream = io.BytesIO(buffer[at:end])
    try:
        found: Message = parse_shape(cls.at(version), stream, {}, cls.__name__)
    except DecodeError as error:
        raise DecodeError(error.code or cls.bad_length, error.reason, error.path) from error
    return found


def encode(message: Message, version: Version, xid: int) -> bytes:
    """Return the bytes of `message` with this xid; EncodeError where they cannot be made."""
    known, cls = ENCODERS[version], type(message)
    try:
        if (encoder := known.get(cls)) is None:
            encoder = known[cls] = _encoder(cls, version)
        return encoder(message, xid)
    except FAULTS:
        return _encode_slowly(message, version, xid)


def _encode_slowly(message: Message, version: Version, xid: int) -> bytes:
    """Let the reference form find what is wrong, and where."""
    cls = type(message)
    if not issubclass(cls, Message):
        raise EncodeError(f"{message!r} is no message")
    return build_shape(cls.at(version), message.numbered(xid), {}, cls.__name__)
