"""Events that are done as they are read: as if the task had done them, only sooner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from controller import App, Datapath
from controller.app import Handlers
from controller.dispatch import SLICE, Worker
from controller.testing import recording
from protocol import PacketIn


class Noting(App):
    """Notes the xid of each packet_in; what subclasses do comes first."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        await self.begin(message)
        self.seen.append(message.xid)

    async def begin(self, message: PacketIn) -> None:
        """Do nothing, and wait for nothing."""


async def working(app: App) -> Worker:
    """Return a worker that waits for events."""
    worker = Worker(Handlers(app), recording()[0], lambda: None)
    await asyncio.sleep(0)
    return worker


async def read(worker: Worker, xids: Sequence[int]) -> list[object]:
    """Let a worker take events as a channel brings them; return what was seen right after."""
    done = asyncio.get_running_loop().create_future()

    def bring() -> None:
        for message in worker.do([PacketIn(xid=xid) for xid in xids]):
            worker.add(message)
        app = worker.handlers.app
        done.set_result(list(app.seen) if isinstance(app, Noting) else [])

    asyncio.get_running_loop().call_soon(bring)
    found: list[object] = await done
    return found


async def ended(worker: Worker) -> None:
    worker.close()
    await asyncio.wait_for(worker.task, 10)


async def until(app: Noting, count: int) -> None:
    async with asyncio.timeout(10):
        while len(app.seen) < count:
            await asyncio.sleep(0)


async def test_a_handler_that_awaits_nothing_is_done_at_once() -> None:
    app = Noting()
    worker = await working(app)
    assert await read(worker, [1, 2, 3]) == [1, 2, 3]
    await ended(worker)


async def test_what_comes_behind_a_handler_that_waits_waits_as_well() -> None:
    released = asyncio.Event()

    class Waiting(Noting):
        async def begin(self, message: PacketIn) -> None:
            if message.xid == 1:
                await released.wait()

    app = Waiting()
    worker = await working(app)
    assert await read(worker, [1, 2]) == []
    assert await read(worker, [3]) == []
    released.set()
    await until(app, 3)
    assert app.seen == [1, 2, 3]
    await ended(worker)


async def test_what_a_handler_waits_for_comes_back_to_it() -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    class Asking(Noting):
        async def begin(self, message: PacketIn) -> None:
            self.seen.append(await answer)
            await asyncio.sleep(0)

    app = Asking()
    worker = await working(app)
    await read(worker, [1])
    answer.set_result("yes")
    await until(app, 2)
    assert app.seen == ["yes", 1]
    await ended(worker)


async def test_one_channel_does_not_keep_the_others_from_their_turn() -> None:
    app = Noting()
    worker = await working(app)
    xids = range(1, SLICE + 11)
    assert len(await read(worker, xids)) == SLICE
    await until(app, len(xids))
    assert app.seen == list(xids)
    await ended(worker)


async def test_a_handler_runs_in_the_task_of_its_worker_and_in_one_context() -> None:
    which: ContextVar[int] = ContextVar("which", default=0)

    class Setting(Noting):
        async def begin(self, message: PacketIn) -> None:
            token = which.set(message.xid)
            self.seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            self.seen.append(which.get())
            which.reset(token)

    app = Setting()
    worker = await working(app)
    await read(worker, [7])
    await until(app, 3)
    assert app.seen == [worker.task, 7, 7]
    assert which.get() == 0
    await ended(worker)


async def test_a_timeout_that_is_over_before_the_task_goes_on_ends_the_wait_only() -> None:
    class Hurried(Noting):
        async def begin(self, message: PacketIn) -> None:
            if message.xid == 1:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0):
                        await asyncio.sleep(10)

    app = Hurried()
    worker = await working(app)
    await read(worker, [1])
    await until(app, 1)
    assert await read(worker, [2]) == [1, 2]
    await ended(worker)


async def test_a_handler_that_cancels_itself_is_cancelled_and_the_next_event_comes() -> None:
    class Cancelling(Noting):
        async def begin(self, message: PacketIn) -> None:
            if message.xid == 1:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.sleep(10)
                task.uncancel()

    app = Cancelling()
    worker = await working(app)
    await read(worker, [1])
    await until(app, 1)
    assert await read(worker, [2]) == [1, 2]
    await ended(worker)


async def test_what_a_handler_raises_is_logged_and_the_next_event_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Noting):
        async def begin(self, message: PacketIn) -> None:
            if message.xid == 1:
                raise KeyError("unknown")

    app = Failing()
    worker = await working(app)
    with caplog.at_level(logging.ERROR, logger="controller"):
        assert await read(worker, [1, 2]) == [2]
    assert "Failing.packet_in raised on PacketIn" in caplog.text
    assert "KeyError: 'unknown'" in caplog.text
    await ended(worker)


async def test_a_handler_that_does_not_take_the_message_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Short(App):
        async def packet_in(self, datapath: Datapath) -> None: ...  # type: ignore[override]

    worker = await working(Short())
    with caplog.at_level(logging.ERROR, logger="controller"):
        await read(worker, [1])
    assert "Short.packet_in raised on PacketIn" in caplog.text
    await ended(worker)


async def test_after_the_end_nothing_is_taken() -> None:
    app = Noting()
    worker = await working(app)
    await ended(worker)
    assert await read(worker, [1]) == []


async def test_when_the_switch_is_gone_what_it_brought_in_the_same_read_is_forgotten() -> None:
    class Ending(Noting):
        async def begin(self, message: PacketIn) -> None:
            if message.xid == 2:
                worker.close()

    worker = await working(Ending())
    assert await read(worker, [1, 2, 3]) == [1, 2]
    await ended(worker)


# When the switch is ready


class Greeting(Noting):
    """Notes in which task it hears that a switch is ready, and waits where it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        super().__init__()
        self.fault, self.released = fault, asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def switch_ready(self, datapath: Datapath) -> None:
        self.task = asyncio.current_task()
        self.seen.append("ready")
        if self.fault is not None:
            raise self.fault
        await self.released.wait()
        self.seen.append("greeted")


async def met(app: Greeting, after: asyncio.Task[None] | None = None) -> Worker:
    """Return a worker as a channel makes it, and note what the application heard by then."""
    made = asyncio.get_running_loop().create_future()

    def meet() -> None:
        made.set_result(Worker(Handlers(app), recording()[0], lambda: None, after))
        app.seen.append("met")

    asyncio.get_running_loop().call_soon(meet)
    worker: Worker = await made
    return worker


async def test_an_application_hears_of_a_switch_at_once_and_of_what_comes_then_behind_it() -> None:
    app = Greeting()
    worker = await met(app)
    assert app.seen == ["ready", "met"]
    assert app.task is worker.task
    assert await read(worker, [1]) == ["ready", "met"]
    app.released.set()
    await until(app, 4)
    assert app.seen == ["ready", "met", "greeted", 1]
    await ended(worker)


async def test_what_is_raised_when_a_switch_is_ready_is_told_and_packets_come_as_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Greeting(ValueError("no such port"))
    worker = await met(app)
    assert "Greeting.switch_ready raised" in caplog.text
    await asyncio.sleep(0)
    assert await read(worker, [1]) == ["ready", "met", 1]
    await ended(worker)


async def test_an_application_hears_of_a_switch_only_after_the_end_of_its_channel_before() -> None:
    app, last = Greeting(), asyncio.Event()

    async def before() -> None:
        await last.wait()

    worker = await met(app, asyncio.create_task(before()))
    assert app.seen == ["met"]
    last.set()
    await until(app, 2)
    assert app.seen == ["met", "ready"]
    app.released.set()
    await until(app, 3)
    await ended(worker)
