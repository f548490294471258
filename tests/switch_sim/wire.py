"""A controller's bytes through a channel and a switch."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import Connection, ErrorMsg, Hello, Message, Version
from protocol.message import HEADER
from tests.switch_sim.builders import Bench


class Wire:
    """A controller's bytes through a channel and a switch, as the shell joins them."""

    def __init__(self, version: Version, *, hello: bool = True) -> None:
        self.bench = Bench(version)
        self.version = version
        self.connection = Connection(0.0, {version})
        if hello:
            self.connection.receive_data(Hello.offering({version}).encode(version), 0.0)
        self.connection.data_to_send()

    def send(self, raw: bytes) -> list[ErrorMsg]:
        """Say something; return the errors that come back, as they are read."""
        for event in self.connection.receive_data(raw, 0.0):
            if isinstance(event, Message):
                effects = self.bench.switch.handle(self.bench.session, event, 0.0)
                for session, message in effects.messages:
                    if session is self.bench.session:
                        self.connection.send(message, message.xid)
        return [
            one for one in messages_in(self.connection.data_to_send()) if isinstance(one, ErrorMsg)
        ]


def messages_in(data: bytes) -> Iterator[Message]:
    while data:
        length = HEADER.unpack_from(data)[2]
        yield Message.decode(data[:length])
        data = data[length:]
