"""Handlers that do not do well, too much at once, and limits of the system."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Iterator

import pytest

from controller import Datapath, channel, dispatch, listener, peer
from protocol import (
    NO_BUFFER,
    OF10,
    OF13,
    BarrierReply,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    FeaturesReply,
    Match,
    PacketIn,
    PacketOut,
    RequestTimeout,
)
from protocol.endpoint import Endpoint
from protocol.message import HEADER

from .fakes import PATIENCE, SHORT, Asking, FakeSwitch, Recorder, eventually, frame, serving


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")


# Handlers that do not do well


async def test_a_handler_that_raises_costs_one_event_and_no_channel(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Recorder):
        async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
            await super().packet_in(datapath, message)
            raise ValueError("a mistake")

    app, other = Failing(), Recorder()
    async with serving(app, other) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn(), PacketIn())
        await app.until("packet_in", 2)
        await other.until("packet_in", 2)
        assert caplog.text.count("Failing.packet_in raised on PacketIn") == 2
        switch.leave()


async def test_a_request_that_is_never_answered_holds_up_no_other_switch_and_no_other_app() -> None:
    app, other = Asking(), Recorder()
    async with serving(app, other) as (_, at):
        silent = await FakeSwitch.dial(at, datapath_id=1)
        good = await FakeSwitch.dial(at, datapath_id=2)
        silent.send(PacketIn(), PacketIn())
        await silent.expect(BarrierRequest)
        await other.until("packet_in", 2)
        good.send(PacketIn())
        request = await good.expect(BarrierRequest)
        good.send(BarrierReply(), xid=request.xid)
        await eventually(lambda: app.results == ["done"])
        silent.leave()
        good.leave()


async def test_a_request_that_is_never_answered_ends_in_a_timeout() -> None:
    async with serving(Recorder()) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await eventually(lambda: 1 in controller.datapaths)
        with pytest.raises(RequestTimeout):
            await controller.datapaths[1].barrier(timeout=SHORT)
        switch.leave()


async def test_a_handler_that_does_not_end_is_cancelled_and_one_that_resists_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.enough = asyncio.Event()

        async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
            await super().packet_in(datapath, message)
            while not self.enough.is_set():
                try:
                    await self.enough.wait()
                except asyncio.CancelledError:
                    continue

    monkeypatch.setattr(peer, "GONE_TIMEOUT", SHORT)
    app = Stubborn()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await app.until("packet_in")
        switch.leave()
        await eventually(lambda: not controller._peers)
        assert "a handler does not end, it is cancelled" in caplog.text
        app.enough.set()
        await app.until("switch_gone")


# Too much at once


class Flood:
    """A raw socket that finished its handshake and says as much as it can."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.rest = memoryview(b"")  # of what was begun

    @classmethod
    async def dial(cls, at: Endpoint, datapath_id: int = 1) -> Flood:
        loop = asyncio.get_running_loop()
        sock = socket.create_connection((at.host, at.port))
        sock.setblocking(False)
        flood = cls(sock)
        await loop.sock_sendall(sock, frame(0, version=OF10))
        while True:  # the features_request has the last of all xids so far
            data = await loop.sock_recv(sock, 65536)
            if data[-8:-4] == HEADER.pack(OF10, 5, 8, 0)[:4]:
                break
        xid = int.from_bytes(data[-4:], "big")
        await loop.sock_sendall(sock, FeaturesReply(datapath_id, xid=xid).encode(OF10))
        return flood

    async def pour(self, messages: Iterator[bytes]) -> int:
        """Send until nobody takes more; return how many messages were begun."""
        begun = idle = 0
        while idle < 2000:  # turns of the loop, in each of which the controller could read
            if not self.rest:
                self.rest = memoryview(next(messages))
                begun += 1
            try:
                self.rest = self.rest[self.sock.send(self.rest) :]
                idle = 0
            except BlockingIOError:
                idle += 1
                await asyncio.sleep(0)
        return begun

    def vanish(self) -> None:
        """Break the connection, however much is on its way."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def finish(self) -> None:
        """Send the rest of the last message."""
        await asyncio.get_running_loop().sock_sendall(self.sock, self.rest)


def packets(size: int = 1000) -> Iterator[bytes]:
    """Yield packet_ins without end, with their number as buffer_id."""
    number = 0
    while True:
        yield PacketIn(number, match=Match(in_port=1), data=bytes(size)).encode(OF10)
        number += 1


class Blocking(Recorder):
    """Waits at the first packet of datapath 1 until it is let go, and may then ask."""

    def __init__(self, asks: bool = False) -> None:
        super().__init__()
        self.go_on, self.asks, self.asked = asyncio.Event(), asks, False

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        await super().packet_in(datapath, message)
        if datapath.datapath_id == 1 and message.buffer_id == 0:
            await self.go_on.wait()
            if self.asks:
                await datapath.barrier()
                self.asked = True


async def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost() -> None:
    app = Blocking()
    async with serving(app) as (controller, at):
        flood = await Flood.dial(at)
        good = await FakeSwitch.dial(at, datapath_id=2)
        await app.until("switch_ready", 2)
        begun = await flood.pour(packets())
        (peer,) = [peer for peer in controller._peers if str(peer.datapath).endswith("1")]
        (worker,) = peer.workers
        room = dispatch.QUEUE_MAX + channel.READ_SIZE // 1000 + 1
        assert dispatch.QUEUE_MAX <= len(worker._queue) <= room < begun
        good.send(PacketIn())
        await app.until("packet_in", 2)
        app.go_on.set()
        await flood.finish()
        got = [packet.buffer_id for packet in await app.until("packet_in", begun + 1)]
        got.remove(NO_BUFFER)  # which is the other switch's
        assert got == list(range(begun))
        assert peer.dropped == 0
        flood.sock.close()
        good.leave()


async def test_a_handler_may_ask_although_its_queue_is_full(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Blocking(asks=True)
    async with serving(app) as (controller, at):
        flood = await Flood.dial(at)
        await flood.pour(packets())
        (peer,) = controller._peers
        app.go_on.set()
        await flood.finish()
        request = await asyncio.get_running_loop().sock_recv(flood.sock, 65536)
        answer = BarrierReply(xid=int.from_bytes(request[-4:], "big")).encode(OF10)
        await asyncio.get_running_loop().sock_sendall(flood.sock, answer)
        await eventually(lambda: app.asked)
        assert peer.dropped > 0
        assert "a handler is too slow, messages are dropped" in caplog.text
        flood.sock.close()


async def test_a_switch_that_vanishes_while_its_reading_is_paused_is_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Blocking()
    async with serving(app, echo_interval=SHORT) as (controller, at):
        flood = await Flood.dial(at)
        await flood.pour(packets())
        flood.vanish()
        await eventually(lambda: not controller.datapaths)
        assert "closed: the switch went away while handlers were busy" in caplog.text
        app.go_on.set()
        await app.until("switch_gone")


async def test_a_switch_that_does_not_read_is_not_read_from_either_and_loses_nothing() -> None:
    async with serving(Recorder()) as (controller, at):
        flood = await Flood.dial(at)
        size = 60000
        echoes = (EchoRequest(bytes(size - 8)).encode(OF10) for _ in iter(int, 1))
        begun = await flood.pour(echoes)
        (peer,) = controller._peers
        waiting = peer.channel._unsent_size
        most = channel.UNSENT_PAUSE + size + channel.READ_SIZE  # one more echo, at most
        assert channel.UNSENT_PAUSE < waiting < most
        loop = asyncio.get_running_loop()
        finishing = asyncio.create_task(flood.finish())
        left = begun * size
        while left:
            left -= len(await loop.sock_recv(flood.sock, left))
        await finishing
        flood.sock.close()


async def test_a_switch_that_reads_nothing_for_long_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "STALL_TIMEOUT", SHORT)
    app = Recorder()
    async with serving(app) as (controller, at):
        flood = await Flood.dial(at)
        await eventually(lambda: 1 in controller.datapaths)
        for _ in range(200):
            controller.datapaths[1].send(PacketOut(data=bytes(60000)))
        await app.until("switch_gone")
        assert "closed: the switch reads nothing since 0.05 s" in caplog.text
        flood.sock.close()


async def test_a_switch_for_which_too_much_waits_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "UNSENT_MAX", 1 << 20)
    app = Recorder()
    async with serving(app) as (controller, at):
        flood = await Flood.dial(at)
        await eventually(lambda: 1 in controller.datapaths)
        for _ in range(200):
            controller.datapaths[1].send(PacketOut(data=bytes(60000)))
        await app.until("switch_gone")
        assert "bytes wait for a switch that does not read" in caplog.text
        flood.sock.close()


async def test_many_clients_at_once_each_get_their_own_bytes_back_and_leave_nothing() -> None:
    async def client(number: int, at: Endpoint) -> None:
        reader, writer = await asyncio.open_connection(at.host, at.port)
        writer.write(frame(0))
        payloads = [os.urandom(size) for size in (0, 1, number, 1500, 65527)]
        for xid, data in enumerate(payloads, 1):
            writer.write(EchoRequest(data, xid=xid).encode(OF13))
        echoed: list[tuple[int, bytes]] = []
        while len(echoed) < len(payloads):
            header = await reader.readexactly(HEADER.size)
            _, kind, length, xid = HEADER.unpack(header)
            body = await reader.readexactly(length - HEADER.size)
            if kind == 3:
                echoed.append((xid, body))
        assert echoed == list(enumerate(payloads, 1))
        (writer.transport.abort if number % 2 else writer.close)()

    async with serving(Recorder()) as (controller, at):
        await asyncio.gather(*(client(number, at) for number in range(200)))
        await eventually(lambda: not controller._peers)


# The system's limits, and the end


async def test_without_file_descriptors_accepting_waits_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(listener, "RETRY_DELAY", 0.5)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(Recorder()) as (_, at):
        early = await FakeSwitch.connect(at)
        await early.greet()
        late = socket.socket()
        late.setblocking(False)
        hoard = [os.dup(late.fileno())]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hoard[0] + 1, hard))
        try:
            with contextlib.suppress(OSError):  # too many open files
                while True:
                    hoard.append(os.dup(late.fileno()))
            await asyncio.get_running_loop().sock_connect(late, (at.host, at.port))
            await eventually(lambda: "no switch is accepted for 0.5 s" in caplog.text)
            early.send(EchoRequest(b"still there?"))
            assert (await early.expect(EchoReply)).data == b"still there?"
            assert caplog.text.count("no switch is accepted") == 1
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for descriptor in hoard:
                os.close(descriptor)
        async with asyncio.timeout(PATIENCE):
            assert await asyncio.get_running_loop().sock_recv(late, 8)
        late.close()
        early.leave()
