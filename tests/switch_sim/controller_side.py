"""The other end of a switch's channel, for tests: what a controller would say and hear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, TypeVar

from protocol import (
    ALL_VERSIONS,
    BarrierReply,
    BarrierRequest,
    Closed,
    Connection,
    Event,
    Message,
    Opened,
    Version,
)
from protocol.endpoint import Endpoint

PATIENCE = 30.0  # seconds after which a test has failed

E = TypeVar("E")


def story(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test on a loop of its own, and not for ever."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE))

    return run


class ControllerSide:
    """A stream and the Connection on it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        versions: Iterable[Version] = ALL_VERSIONS,
    ) -> None:
        self.reader, self.writer = reader, writer
        self.connection = Connection(time.monotonic(), versions, echo_interval=0)
        self.events: list[Event] = []  # that nobody expected yet

    def send(self, *messages: Message) -> None:
        """Send messages; each keeps the xid it has, unless that is 0."""
        for message in messages:
            self.connection.send(message, message.xid or None)
        self.flush()

    def flush(self) -> None:
        """Write what the connection has to say."""
        self.writer.write(self.connection.data_to_send())

    async def expect(self, kind: type[E]) -> E:
        """Return the next event of a kind; those before it are skipped."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if isinstance(event, kind):
                    return event
            await self.read()

    async def barrier_and_before(self) -> list[Event]:
        """Wait until the switch has done what was said; return what it said meanwhile."""
        self.send(BarrierRequest())
        heard: list[Event] = []
        while not any(isinstance(event, BarrierReply) for event in heard):
            await self.read()
            heard, self.events = heard + self.events, []
        return heard

    async def read(self) -> None:
        """Take in what comes next, once."""
        data = await self.reader.read(65_536)
        if data:
            self.events += self.connection.receive_data(data, time.monotonic())
        else:
            self.events += self.connection.close("the switch closed the connection")
            if not self.events:
                raise ConnectionError("nothing more comes")
        self.flush()

    async def open(self) -> Version:
        """Say hello; return the version that was agreed on."""
        self.flush()
        return (await self.expect(Opened)).version

    async def barrier(self) -> None:
        """Wait until the switch has done all that was said before."""
        self.send(BarrierRequest())
        await self.expect(BarrierReply)

    async def closed(self) -> str:
        """Wait for the end of the channel; return its reason."""
        return (await self.expect(Closed)).reason

    async def vanish(self) -> None:
        """Break the connection without a word."""
        self.writer.transport.abort()


async def connect(endpoint: Endpoint, versions: Iterable[Version] = ALL_VERSIONS) -> ControllerSide:
    """Connect to a switch that listens, and agree on a version."""
    streams = await asyncio.open_connection(endpoint.host, endpoint.port)
    controller = ControllerSide(*streams, versions)
    await controller.open()
    return controller


class Listener:
    """Takes the connections of switches that dial."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[ControllerSide] = asyncio.Queue()
        self.endpoint = Endpoint("tcp")

    async def accept(self) -> ControllerSide:
        """Return the next switch that connects."""
        return await self.came.get()


@asynccontextmanager
async def listening(
    versions: Iterable[Version] = ALL_VERSIONS, port: int = 0
) -> AsyncIterator[Listener]:
    """Listen for switches for a while."""
    listener, sides = Listener(), []

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side = ControllerSide(reader, writer, versions)
        sides.append(side)
        listener.came.put_nowait(side)

    server = await asyncio.start_server(take, "127.0.0.1", port)
    listener.endpoint = Endpoint("tcp", "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield listener
    finally:
        server.close()
        for side in sides:
            side.writer.transport.abort()
