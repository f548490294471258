"""Channels for tests: after the hello, with peers that may say anything."""

from __future__ import annotations

from collections.abc import Sequence

from protocol import OF13, Closed, Connection, Event, Message, Version
from protocol.message import HEADER


def exchange(left: Connection, right: Connection, now: float = 0) -> tuple[list[Event], ...]:
    """Carry what both say until neither has more to say; return what each heard."""
    heard: tuple[list[Event], list[Event]] = ([], [])
    while True:
        to_right, to_left = left.data_to_send(), right.data_to_send()
        if not to_right and not to_left:
            return heard
        heard[1].extend(right.receive_data(to_right, now))
        heard[0].extend(left.receive_data(to_left, now))


def opened(version: Version = OF13, now: float = 0, **options: float) -> Connection:
    """Return a Connection after the hello, that has nothing to say."""
    connection = Connection(now, {version}, **options)
    connection.receive_data(hello(version), now)
    connection.data_to_send()
    return connection


def hello(version: int, body: bytes = b"", xid: int = 0) -> bytes:
    """Return the hello of a peer: without a body as they were before OF1.3.1."""
    return HEADER.pack(version, 0, HEADER.size + len(body), xid) + body


def frame(number: int, body: bytes = b"", *, version: int = OF13, xid: int = 7) -> bytes:
    """Return a message that need not exist."""
    return HEADER.pack(version, number, HEADER.size + len(body), xid) + body


def said(connection: Connection) -> list[Message]:
    """Return the messages that wait to be sent."""
    data, messages = connection.data_to_send(), []
    while data:
        length = HEADER.unpack_from(data)[2]
        messages.append(Message.decode(data[:length]))
        data = data[length:]
    return messages


def reason(events: Sequence[Event]) -> str:
    """Return why the channel closed, as the last of these events tells."""
    assert isinstance(events[-1], Closed)
    return events[-1].reason
