"""Requests: each answer finds who waits for it, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import gc

import pytest

from controller.requests import Requests
from protocol import (
    BadRequestCode,
    BarrierReply,
    ChannelClosed,
    ErrorMsg,
    FeaturesReply,
    FlowRemoved,
    GroupMod,
    Message,
    PacketIn,
    PortDesc,
    PortReason,
    PortStatus,
    RequestError,
    RequestTimeout,
    Role,
    RoleStatus,
    TableStatus,
)
from protocol.bundles import RequestForward
from protocol.roles import ControllerStatus, ControllerStatusEntry
from protocol.tables import TableDesc, TableReason


def requests() -> Requests:
    return Requests(lambda: None)


async def asked(waiting: Requests, *xids: int, timeout: float = 10) -> list[asyncio.Task[Message]]:
    """Let tasks wait for the answers to these requests."""
    tasks = [asyncio.create_task(waiting.answer(xid, timeout)) for xid in xids]
    await asyncio.sleep(0)  # each of them begins in the next turn of the loop
    assert len(waiting) == len(xids)
    return tasks


async def test_an_answer_goes_to_the_request_with_its_xid() -> None:
    waiting = requests()
    one, other = await asked(waiting, 1, 2)
    assert waiting.resolve(BarrierReply(xid=2))
    assert waiting.resolve(FeaturesReply(5, xid=1))
    assert (await one, await other) == (FeaturesReply(5, xid=1), BarrierReply(xid=2))
    assert len(waiting) == 0


async def test_what_answers_nothing_is_not_taken() -> None:
    waiting = requests()
    (task,) = await asked(waiting, 1)
    assert not waiting.resolve(BarrierReply(xid=9))
    assert waiting.resolve(BarrierReply(xid=1))
    assert not waiting.resolve(BarrierReply(xid=1))
    assert await task == BarrierReply(xid=1)


@pytest.mark.parametrize(
    "message",
    [
        PacketIn(xid=1),
        FlowRemoved(xid=1),
        PortStatus(PortReason.ADD, PortDesc(1), xid=1),
        RoleStatus(Role.SLAVE, xid=1),
        TableStatus(TableReason.VACANCY_UP, TableDesc(0), xid=1),
        RequestForward(GroupMod(5), xid=1),
        ControllerStatus(ControllerStatusEntry(0), xid=1),
    ],
)
async def test_what_the_switch_says_of_itself_is_no_answer_although_its_xid_may_be_that_of_one(
    message: Message,
) -> None:
    waiting = requests()
    (task,) = await asked(waiting, 1)
    assert not waiting.resolve(message)
    waiting.resolve(BarrierReply(xid=1))
    assert await task == BarrierReply(xid=1)


async def test_an_error_is_raised_where_the_request_was_made() -> None:
    waiting = requests()
    (task,) = await asked(waiting, 1)
    error = ErrorMsg(BadRequestCode.BAD_TYPE, xid=1)
    waiting.resolve(error)
    with pytest.raises(RequestError, match="BAD_TYPE") as raised:
        await task
    assert raised.value.error == error


async def test_a_request_without_an_answer_ends_in_a_timeout_and_leaves_nothing() -> None:
    waiting = requests()
    with pytest.raises(RequestTimeout, match=r"within 0\.01 s"):
        await waiting.answer(1, 0.01)
    assert len(waiting) == 0
    assert not waiting.resolve(BarrierReply(xid=1))


async def test_who_is_cancelled_waits_no_longer() -> None:
    waiting = requests()
    (task,) = await asked(waiting, 1)
    task.cancel()
    await asyncio.wait([task])
    assert len(waiting) == 0


async def test_all_that_wait_are_told_that_the_channel_ended() -> None:
    waiting = requests()
    tasks = await asked(waiting, 1, 2, 3)
    waiting.close("the switch went away")
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["the switch went away"] * 3
    assert all(isinstance(result, ChannelClosed) for result in results)


async def test_who_asks_after_the_end_is_told_at_once() -> None:
    waiting = requests()
    waiting.close("the switch went away")
    with pytest.raises(ChannelClosed, match="went away"):
        await waiting.answer(1, 10)


async def test_whoever_waits_has_the_channel_read_on() -> None:
    calls: list[int] = []
    waiting = Requests(lambda: calls.append(1))
    tasks = await asked(waiting, 1)
    assert calls == [1]
    waiting.close("over")
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_messages_without_an_answer_are_confirmed_unless_one_is_refused() -> None:
    waiting = requests()
    async with waiting.refusals([1, 2]):
        assert not waiting.resolve(BarrierReply(xid=3))
    with pytest.raises(RequestError) as raised:
        async with waiting.refusals([4, 5]):
            assert waiting.resolve(ErrorMsg(BadRequestCode.BAD_LEN, xid=5))
    assert raised.value.error.code == BadRequestCode.BAD_LEN
    assert len(waiting) == 0


async def test_messages_that_were_to_be_confirmed_when_the_channel_ended_leave_no_trace() -> None:
    waiting, told = requests(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def confirm() -> None:
        async with waiting.refusals([1, 2]):
            await waiting.answer(3, 10)

    task = asyncio.create_task(confirm())
    await asyncio.sleep(0)
    waiting.close("the switch went away")
    with pytest.raises(ChannelClosed):
        await task
    del task
    gc.collect()
    assert told == []
