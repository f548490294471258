"""Answers taken part by part, and answers that are cut: who asked is told, and only they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from controller import Datapath, streams
from protocol import (
    OF13,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    ChannelClosed,
    DecodeError,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    FlowStats,
    FlowStatsReply,
    FlowStatsRequest,
    MultipartFlags,
    OpenFlowError,
    PacketIn,
    PortStatsReply,
    RequestError,
    RequestTimeout,
)
from protocol.message import HEADER
from protocol.multipart import Gatherer

from .fakes import SHORT, FakeSwitch, Recorder, eventually, serving

MORE = MultipartFlags.MORE
Stream = AsyncGenerator[FlowStatsReply, None]


@asynccontextmanager
async def asked(
    timeout: float = 10.0,
) -> AsyncIterator[tuple[FakeSwitch, Datapath, Stream, int, Recorder]]:
    """Ask a switch for its flows; yield both, the answer to come, the xid, and an application."""
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        datapath = controller.datapaths[1]
        async with aclosing(
            datapath.stream(FlowStatsRequest(), FlowStatsReply, timeout=timeout)
        ) as parts:
            first = asyncio.create_task(anext(parts))
            xid = (await switch.expect(FlowStatsRequest)).xid
            switch.send(part(0), xid=xid)
            assert priorities(await first) == [0]
            yield switch, datapath, parts, xid, app
        switch.leave()


def part(*priorities: int, flags: MultipartFlags | int = MORE) -> FlowStatsReply:
    """Return entries of these priorities."""
    return FlowStatsReply(tuple(FlowStats(priority=one) for one in priorities), flags=flags)


def priorities(reply: FlowStatsReply) -> list[int]:
    """Return the priorities of the entries in a part."""
    return [entry.priority for entry in reply.flows]


async def settled(switch: FakeSwitch) -> None:
    """Wait until the controller has read what the switch said."""
    switch.send(EchoRequest(b"there?"))
    while (await switch.expect(EchoReply)).data != b"there?":
        pass


async def test_each_part_is_there_before_the_next_comes_and_the_last_ends_the_answer() -> None:
    async with asked() as (switch, datapath, parts, xid, _):
        switch.send(part(1, 2), xid=xid)
        assert priorities(await anext(parts)) == [1, 2]
        switch.send(part(3, flags=0), xid=xid)
        assert [priorities(one) async for one in parts] == [[3]]
        assert not datapath._requests


async def test_a_refusal_is_raised_where_the_parts_are_taken() -> None:
    async with asked() as (switch, _, parts, xid, _):
        switch.send(part(1), ErrorMsg(BadRequestCode.EPERM), xid=xid)
        assert priorities(await anext(parts)) == [1]
        with pytest.raises(RequestError, match="EPERM"):
            await anext(parts)


async def test_the_end_of_the_channel_is_raised_where_the_parts_are_taken() -> None:
    async with asked() as (switch, _, parts, _, _):
        switch.leave()
        with pytest.raises(ChannelClosed, match="the switch closed"):
            await anext(parts)


async def test_a_part_that_does_not_come_ends_in_a_timeout() -> None:
    async with asked(timeout=SHORT) as (_, datapath, parts, _, _):
        with pytest.raises(RequestTimeout, match=r"no further part of the answer within 0\.05 s"):
            await anext(parts)
        assert not datapath._requests


@pytest.mark.parametrize("wrong", [PortStatsReply(flags=MORE), BarrierReply()], ids=str)
async def test_another_message_than_a_part_of_the_answer_ends_it(
    wrong: PortStatsReply | BarrierReply,
) -> None:
    async with asked() as (switch, datapath, parts, xid, _):
        switch.send(wrong, xid=xid)
        with pytest.raises(OpenFlowError, match=f"answered .*{type(wrong).__name__}"):
            await anext(parts)
        await eventually(lambda: not datapath._requests)


async def test_what_comes_after_the_loop_was_left_reaches_nobody() -> None:
    async with asked() as (switch, datapath, parts, xid, app):
        await parts.aclose()
        assert not datapath._requests
        switch.send(part(1), part(2, flags=0), xid=xid)
        await settled(switch)
        assert app.names == ["switch_ready"]


async def test_while_parts_wait_to_be_taken_the_switch_is_slowed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "ENTRIES_PAUSE", 50)
    async with asked() as (switch, datapath, parts, xid, _):
        switch.send(part(*range(200)), xid=xid)
        await eventually(lambda: datapath._requests.full)
        switch.send(PacketIn(), part(7, flags=0), xid=xid)
        unread = asyncio.create_task(settled(switch))
        await asyncio.sleep(SHORT)
        assert not unread.done()
        assert [len(one.flows) async for one in parts] == [200, 1]
        await unread


async def test_what_piles_up_while_another_answer_is_awaited_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "ENTRIES_PAUSE", 50)
    monkeypatch.setattr(streams, "ENTRIES_MAX", 500)
    async with asked() as (switch, datapath, parts, xid, app):
        barrier = asyncio.create_task(datapath.barrier())
        request = await switch.expect(BarrierRequest)
        for _ in range(20):
            switch.send(part(*range(100)), xid=xid)
        switch.send(BarrierReply(), xid=request.xid)
        await barrier
        assert sum([len((await anext(parts)).flows) for _ in range(5)]) == 500
        with pytest.raises(OpenFlowError, match="the answer was cut: 505 entries of it wait"):
            await anext(parts)
        await settled(switch)
        assert app.names == ["switch_ready"]


async def test_a_gathered_answer_without_end_is_cut_and_who_asked_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Gatherer, "MAX_GATHERED", 10_000)
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        reply = asyncio.create_task(controller.datapaths[1].request(FlowStatsRequest()))
        xid = (await switch.expect(FlowStatsRequest)).xid
        for _ in range(50):
            switch.send(part(*range(10)), xid=xid)
        with pytest.raises(DecodeError, match="more than 10000 bytes"):
            await reply
        assert controller._peers  # only the answer was lost
        switch.leave()


async def test_an_answer_that_cannot_be_read_is_raised_at_once_where_it_is_awaited() -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        reply = asyncio.create_task(controller.datapaths[1].request(FlowStatsRequest()))
        xid = (await switch.expect(FlowStatsRequest)).xid
        switch.say(HEADER.pack(OF13, 10, 13, xid) + b"short")  # a packet_in answers nothing
        await settled(switch)
        assert not reply.done()
        entry_of_5_bytes = b"\0\1" + bytes(6) + b"\0\5" + bytes(62)
        switch.say(HEADER.pack(OF13, 19, HEADER.size + len(entry_of_5_bytes), xid))
        switch.say(entry_of_5_bytes)
        with pytest.raises(DecodeError, match="BAD_LEN"):
            await reply
        switch.leave()
