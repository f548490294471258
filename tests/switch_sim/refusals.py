"""Messages that are refused, among them bytes that no message of ours would have.

A refusal names the error, what is said, in which versions, and what was said before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from protocol import (
    OF10,
    OF15,
    ErrorCode,
    Message,
    Version,
)
from tests.switch_sim.builders import Bench

Said = Message | Callable[[Version], bytes]


@dataclass(frozen=True)
class Case:
    """An error in those versions from `first` to `last` that have it."""

    code: ErrorCode
    first: Version = field(default=OF10, kw_only=True)
    last: Version = field(default=OF15, kw_only=True)

    def holds(self, version: Version) -> bool:
        return self.first <= version <= self.last and self.code.at(version) is not None


@dataclass(frozen=True)
class Refusal(Case):
    """A message that meets an error."""

    said: Said
    before: Sequence[Message] = ()
    prepare: Callable[[Bench], None] = field(default=lambda bench: None)

    def raw(self, version: Version) -> bytes:
        """The bytes of the message, with an xid of its own."""
        if isinstance(self.said, Message):
            return self.said.numbered(0x0102_0304).encode(version)
        raw = bytearray(self.said(version))
        raw[4:8] = b"\1\2\3\4"
        return bytes(raw)


@dataclass(frozen=True)
class Never(Case):
    """Why an error is not raised."""

    why: str


# Bytes that no message of ours would have


def changed(message: Message, at: int, new: bytes) -> Callable[[Version], bytes]:
    """A message with other bytes at a place, which counts from its end where negative."""

    def say(version: Version) -> bytes:
        raw = bytearray(message.encode(version))
        start = at if at >= 0 else len(raw) + at
        raw[start : start + len(new)] = new
        return bytes(raw)

    return say


def swapped(message: Message, old: str, new: str) -> Callable[[Version], bytes]:
    """A message with bytes in place of others that stand in it once."""

    def say(version: Version) -> bytes:
        raw, before, after = message.encode(version), bytes.fromhex(old), bytes.fromhex(new)
        assert raw.count(before) == 1, raw.hex(" ")
        return resized(raw.replace(before, after))

    return say


def resized(raw: bytes) -> bytes:
    """A message whose header tells its size again."""
    return raw[:2] + len(raw).to_bytes(2, "big") + raw[4:]


def longer(message: Message, more: bytes) -> Callable[[Version], bytes]:
    return lambda version: resized(message.encode(version) + more)
