"""What a controller meets in its tests: switches, applications that remember, datapaths."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import pytest

from controller import App, Controller, Datapath
from protocol import (
    OF13,
    Closed,
    Connection,
    ErrorMsg,
    Event,
    Experimenter,
    FeaturesReply,
    FeaturesRequest,
    FlowRemoved,
    Message,
    Opened,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortStatus,
    State,
    Version,
)
from protocol.endpoint import Endpoint
from protocol.message import HEADER

PATIENCE = 20.0  # seconds until what should come soon counts as missing, on busy machines too
SHORT = 0.05  # seconds to wait where a test is about the end of a wait

_TELL_PORTS = {version for version in Version if version < OF13}  # with their features

E = TypeVar("E", bound=Event)


class FakeSwitch:
    """The other end of a channel; it does what the test says, and the echo replies."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: Version
    ) -> None:
        self._reader, self._writer = reader, writer
        self.connection = Connection(0, {version})
        self.heard: list[Event] = []

    @classmethod
    async def connect(
        cls, at: Endpoint, version: Version = OF13, local_host: str = "127.0.0.1"
    ) -> Self:
        """Connect, and say nothing."""
        reader, writer = await asyncio.open_connection(at.host, at.port, local_addr=(local_host, 0))
        return cls(reader, writer, version)

    @classmethod
    async def dial(
        cls,
        at: Endpoint,
        version: Version = OF13,
        datapath_id: int = 1,
        ports: Iterable[int] = (1,),
    ) -> Self:
        """Connect, and finish the handshake."""
        switch = await cls.connect(at, version)
        await switch.greet()
        await switch.introduce(datapath_id, ports)
        return switch

    @property
    def name(self) -> str:
        """How the controller's log calls it before the handshake is done."""
        return f"peer 127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that it dials from."""
        port: int = self._writer.get_extra_info("sockname")[1]
        return port

    async def greet(self) -> None:
        """Say hello, and wait for the other side's."""
        self._flush()
        await self.expect(Opened)

    async def introduce(self, datapath_id: int = 1, ports: Iterable[int] = (1,)) -> None:
        """Tell, when it is asked, who it is and which ports it has."""
        request = await self.expect(FeaturesRequest)
        found, tells_ports = tuple(map(PortDesc, ports)), self.connection.version in _TELL_PORTS
        features = FeaturesReply(datapath_id, ports=found if tells_ports else ())
        self.send(features, xid=request.xid)
        if not tells_ports:
            request_of_ports = await self.expect(PortDescRequest)
            self.send(PortDescReply(found), xid=request_of_ports.xid)

    def send(self, *messages: Message, xid: int | None = None) -> None:
        """Send messages."""
        for message in messages:
            self.connection.send(message, xid)
        self._flush()

    def say(self, data: bytes) -> None:
        """Send bytes that need not mean anything."""
        self._writer.write(data)

    async def expect(self, kind: type[E]) -> E:
        """Return the next event of this class; those before it are kept."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.heard:
                    if isinstance(event, kind):
                        self.heard.remove(event)
                        return event
                await self._read()

    async def _read(self) -> None:
        try:
            data = await self._reader.read(65536)
        except ConnectionError:
            data = b""
        if not data and self.connection.state is State.CLOSED:
            raise ConnectionError("there is nothing more to hear")
        events = self.connection.receive_data(data, 0) if data else self.connection.close("end")
        self.heard += events
        if not any(isinstance(event, Closed) for event in events):
            self._flush()

    async def hang(self) -> None:
        """Wait until the controller closes."""
        async with asyncio.timeout(PATIENCE):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def leave(self) -> None:
        """Close properly."""
        self._writer.close()

    def shut_down(self) -> None:
        """Close one half: nothing more comes from here, but we would still read."""
        self._writer.write_eof()

    def vanish(self) -> None:
        """Break the connection: the other side gets a reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def _flush(self) -> None:
        self._writer.write(self.connection.data_to_send())


class Recorder(App):
    """Remembers what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Datapath, Message | None]] = []
        self._news = asyncio.Event()

    async def until(self, name: str, times: int = 1) -> list[Any]:
        """Wait until a handler was called so often; return the messages that it got."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.messages(name)) < times:
                self._news.clear()
                await self._news.wait()
        return found

    def messages(self, name: str) -> list[Any]:
        """Return what a handler got so far."""
        return [message for told, _, message in self.told if told == name]

    @property
    def names(self) -> list[str]:
        """The handlers that were called."""
        return [name for name, _, _ in self.told]

    def _note(self, name: str, datapath: Datapath, message: Message | None = None) -> None:
        self.told.append((name, datapath, message))
        self._news.set()

    async def switch_ready(self, datapath: Datapath) -> None:
        self._note("switch_ready", datapath)

    async def switch_gone(self, datapath: Datapath) -> None:
        self._note("switch_gone", datapath)

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        self._note("packet_in", datapath, message)

    async def flow_removed(self, datapath: Datapath, message: FlowRemoved) -> None:
        self._note("flow_removed", datapath, message)

    async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
        self._note("port_status", datapath, message)

    async def error(self, datapath: Datapath, message: ErrorMsg) -> None:
        self._note("error", datapath, message)

    async def experimenter(self, datapath: Datapath, message: Experimenter) -> None:
        self._note("experimenter", datapath, message)

    async def message(self, datapath: Datapath, message: Message) -> None:
        self._note("message", datapath, message)


class Asking(Recorder):
    """Asks for a barrier at each packet, and notes how that went."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[object] = []

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        await super().packet_in(datapath, message)
        try:
            await datapath.barrier()
        except OpenFlowError as error:
            self.results.append(error)
            raise
        self.results.append("done")


@asynccontextmanager
async def serving(*apps: App, **options: Any) -> AsyncIterator[tuple[Controller, Endpoint]]:
    """Run a controller at a free port; afterwards see that nothing of it is left."""
    before = asyncio.all_tasks()
    controller = Controller(apps, **options)
    at = await controller.listen(Endpoint("ptcp", "127.0.0.1", 0))
    try:
        yield controller, at
    finally:
        await controller.close()
    assert not controller.datapaths
    assert not controller._peers
    assert not controller._by_id
    await eventually(lambda: asyncio.all_tasks() <= before)


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the loop turn until a condition holds that no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


def lines(caplog: pytest.LogCaptureFixture, about: str) -> list[str]:
    """Return what the log says of somebody, the name left away."""
    return [
        text.removeprefix(f"{about}: ")
        for record in caplog.records
        if (text := record.getMessage()).startswith(f"{about}: ")
    ]


def frame(number: int, body: bytes = b"", version: int = OF13) -> bytes:
    """Return a message with xid 7 that need not exist."""
    return HEADER.pack(version, number, HEADER.size + len(body), 7) + body
