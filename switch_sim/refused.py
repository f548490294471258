"""How a request is refused, from anywhere below a handler."""

from __future__ import annotations

from msgspec.structs import replace

from protocol import (
    OF13,
    BundleFailedCode,
    EncodeError,
    ErrorCode,
    ErrorMsg,
    Message,
    MultipartRequest,
    Version,
    sayable,
)
from protocol.nicira import NiciraCode
from protocol.oxm import ONF
from protocol.symmetric import UnknownError
from protocol.version import OF14

#: Bytes of a refused message that come back; at least 64 (OF1.3.5 7.4.4 "Error Message").
ERROR_DATA = 64
_EXPERIMENTER = 0xFFFF  # the type of errors that the specification leaves to others
_ONF_BUNDLES = 2300  # where ONF's errors of bundles in OF1.3 begin (EXT-230)


class Refused(Exception):
    """The switch does not do what was asked; `code` is the error to answer with.

    `error_of` turns it into the ErrorMsg, in words that the channel's version has.
    """

    def __init__(self, code: ErrorCode | NiciraCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return f"{self.reason} [{self.code}]"


def error_of(refusal: Refused, message: Message, version: Version, raw: bytes = b"") -> ErrorMsg:
    """Return what a controller is told; `raw` is its message as it came."""
    data, code = (raw or _beginning(message, version))[:ERROR_DATA], refusal.code
    if isinstance(code, NiciraCode):
        numbers_of, head = code.told_in(version)
        return ErrorMsg(numbers_of, head + data, xid=message.xid)
    if version == OF13 and isinstance(code, BundleFailedCode):
        numbers = code.at(OF14)
        assert numbers is not None
        told = UnknownError(_EXPERIMENTER, _ONF_BUNDLES + numbers[1])
        return ErrorMsg(told, ONF.to_bytes(4, "big") + data, xid=message.xid)
    return ErrorMsg(sayable(code, version), data, xid=message.xid)


def _beginning(message: Message, version: Version) -> bytes:
    """Return the bytes of a message, or some of them where it came in several parts."""
    try:
        return message.encode(version)
    except EncodeError:
        if not isinstance(message, MultipartRequest) or not message.gathers:
            return b""  # only our own tests can say what the version has no words for
    whole = getattr(message, message.gathers)
    few = whole[:ERROR_DATA] if isinstance(whole, bytes) else whole[:1]
    part: Message = replace(message, **{message.gathers: few})
    return part.encode(version)
