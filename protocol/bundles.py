"""Messages that carry a message: bundles (OF1.5.1 7.3.9) and requestforward (7.4.6).

A bundle's changes are made together or not at all.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Self

import msgspec

from .compiler import read, write
from .errors import BadPropertyCode, BundleFailedCode
from .exceptions import DecodeError
from .message import HEADER, Message, class_of, decode, encode, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .properties import properties
from .record import Record, RecordOf
from .version import OF14, OF15, Version
from .wire import U16, U32, U64, Converted, Enum, Flags, Pad, Rest, Spread, by_version, since


class BundleControlType(IntEnum):
    """What is done with a bundle, or was."""

    OPEN_REQUEST = 0
    OPEN_REPLY = 1
    CLOSE_REQUEST = 2
    CLOSE_REPLY = 3
    COMMIT_REQUEST = 4
    COMMIT_REPLY = 5
    DISCARD_REQUEST = 6
    DISCARD_REPLY = 7


class BundleFlags(IntFlag):
    """How a bundle is committed. TIME since OF1.5."""

    ATOMIC = 1 << 0
    ORDERED = 1 << 1
    TIME = 1 << 2


class Time(Record):
    """A moment, or a time span (OF1.5.1 7.3.9.7 "Scheduled Bundles")."""

    seconds: int = 0
    nanoseconds: int = 0
    layout = ("seconds" / U64, "nanoseconds" / U32, Pad(4))


BundlePropertyShape = properties("bundle", BadPropertyCode.BAD_TYPE)


@BundlePropertyShape.member(since(OF15, 1))
class BundleTime(Record):
    """When a bundle is to be committed."""

    scheduled_time: Time = Time()
    layout = (Pad(4), "scheduled_time" / RecordOf(Time))


@message(since(OF14, 33))
class BundleControl(Message):
    """Opens, closes, commits or discards a bundle, or says that it was done."""

    bundle_id: int
    type: BundleControlType | int
    flags: BundleFlags | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "bundle_id" / U32,
        "type" / Enum(U16, BundleControlType),
        "flags" / Flags(U16, BundleFlags),
        "properties" / BundlePropertyShape,
    )


class _Properties(Record):
    """What may stand behind the message in a BundleAdd."""

    properties: tuple[Record, ...] = ()
    layout = ("properties" / BundlePropertyShape,)


def _message_in(raw: bytes, version: Version) -> tuple[Message, bytes]:
    """Return the message that `raw` begins with, and what is left."""
    if len(raw) < HEADER.size:
        raise DecodeError(BundleFailedCode.MSG_BAD_LEN, f"{len(raw)} bytes are no message")
    number, _, length, _ = HEADER.unpack_from(raw)
    if number != version or not HEADER.size <= length <= len(raw):
        reason = f"the message in it has version {number} and length {length}"
        raise DecodeError(BundleFailedCode.MSG_BAD_LEN, reason)
    # Messages that carry another do not carry each other: the specification puts changes into
    # bundles, and what a peer nests a thousand deep must not exhaust our stack.
    if issubclass(class_of(version, raw, 0, length), BundleAdd | RequestForward):
        raise DecodeError(BundleFailedCode.MSG_UNSUP, "messages that carry another do not nest")
    return decode(raw, 0, length, version), raw[length:]


def _carried(version: Version) -> Converted:
    """Return the shape of a message up to the end of another."""

    def to_value(raw: bytes) -> Message:
        carried, left = _message_in(raw, version)
        if left:
            raise DecodeError(BundleFailedCode.MSG_BAD_LEN, f"{len(left)} bytes too many")
        return carried

    return Converted(Rest, to_value, lambda carried: encode(carried, version, carried.xid))


def _added(version: Version) -> Converted:
    """Return the shape of a message, and of properties that stand at a multiple of 8."""

    def to_value(raw: bytes) -> tuple[Message, tuple[Record, ...]]:
        carried, left = _message_in(raw, version)
        behind = left[-(len(raw) - len(left)) % 8 :]
        return carried, read(_Properties, version, behind, headed=False).properties

    def to_wire(fields: tuple[Message, tuple[Record, ...]]) -> bytes:
        carried, found = fields
        raw = encode(carried, version, carried.xid)
        if not found:
            return raw
        return raw + bytes(-len(raw) % 8) + write(_Properties(found), version, headed=False)

    return Converted(Rest, to_value, to_wire)


@message(since(OF14, 34))
class BundleAdd(Message):
    """Puts a message into a bundle; both have the same xid (OF1.5.1 7.3.9.4)."""

    bundle_id: int
    message: Message
    flags: BundleFlags | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "bundle_id" / U32,
        Pad(2),
        "flags" / Flags(U16, BundleFlags),
        Spread(
            by_version({version: _added(version) for version in Version}),
            "message",
            "properties",
        ),
    )

    def numbered(self, xid: int) -> Self:
        if self.message.xid != self.xid:  # somebody said so, if only to see it refused
            return msgspec.structs.replace(self, xid=xid)
        carried = msgspec.structs.replace(self.message, xid=xid)
        return msgspec.structs.replace(self, xid=xid, message=carried)


@message(since(OF14, 32))
class RequestForward(Message):
    """Tells of a group_mod or meter_mod that another controller sent."""

    request: Message
    layout = ("request" / by_version({version: _carried(version) for version in Version}),)


BundleFeaturesPropertyShape = properties("bundle features", BadPropertyCode.BAD_TYPE)


@BundleFeaturesPropertyShape.member(since(OF15, 1))
class BundleTimeFeatures(Record):
    """How exactly a bundle can be scheduled, and how far away."""

    sched_accuracy: Time = Time()
    sched_max_future: Time = Time()
    sched_max_past: Time = Time()
    timestamp: Time = Time()
    layout = (
        Pad(4),
        "sched_accuracy" / RecordOf(Time),
        "sched_max_future" / RecordOf(Time),
        "sched_max_past" / RecordOf(Time),
        "timestamp" / RecordOf(Time),
    )


class BundleFeatureFlags(IntFlag):
    """What a request for bundle features has with it."""

    TIMESTAMP = 1 << 0
    TIME_SET_SCHED = 1 << 1


@multipart_request(since(OF15, 19))
class BundleFeaturesRequest(MultipartRequest):
    """Asks what bundles the switch can do (OF1.5.1 7.3.5.20 "Bundle Features Multipart")."""

    feature_request_flags: BundleFeatureFlags | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "feature_request_flags" / Flags(U32, BundleFeatureFlags),
        Pad(4),
        "properties" / BundleFeaturesPropertyShape,
    )


@multipart_reply(since(OF15, 19))
class BundleFeaturesReply(MultipartReply):
    """What bundles the switch can do."""

    capabilities: BundleFlags | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "capabilities" / Flags(U16, BundleFlags),
        Pad(6),
        "properties" / BundleFeaturesPropertyShape,
    )
