"""An application that raises, hangs or blocks is named, and the others go on."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

import pytest

from controller import App, Datapath, dispatch
from controller.app import Handlers
from controller.dispatch import Worker
from controller.patience import HANG_TIME, YIELD_TIME, Patience
from controller.ration import TOLD_EVERY, TOLD_FIRST, Ration
from controller.testing import recording
from controller.watchdog import watched
from protocol import BadActionCode, ErrorMsg, Ethernet, PacketIn

from .fakes import PATIENCE, SHORT, FakeSwitch, Recorder, eventually, serving


class Raising(App):
    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        if message.data:
            Ethernet.parse(message.data)
        if message.buffer_id == 1:
            raise KeyError("another line")
        raise ValueError("a mistake")


class Hanging(Recorder):
    """Does not come back from the first packet_in until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.enough = asyncio.Event()

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        await super().packet_in(datapath, message)
        await self.enough.wait()


# Who raises


async def test_of_two_applications_one_raises_and_the_other_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = Recorder()
    async with serving(Raising(), other) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.send(*[PacketIn()] * 3)
        await other.until("packet_in", 3)
        await eventually(lambda: caplog.text.count("Raising.packet_in raised on PacketIn") == 3)
        switch.leave()


async def test_who_raises_at_each_message_is_told_of_some_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker(Handlers(Raising()), recording()[0], lambda: None)
    for _ in range(TOLD_FIRST + TOLD_EVERY):
        worker.add(PacketIn())
    worker.add(PacketIn(buffer_id=1))  # another mistake is told at once
    await eventually(lambda: "another line" in caplog.text)
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(told) == TOLD_FIRST + 2
    assert told[TOLD_FIRST - 1].endswith(
        f"raised on PacketIn, for the {TOLD_FIRST}th time; of the next {TOLD_EVERY} only the last "
        "is told"
    )
    assert told[-2].endswith(f"raised on PacketIn, {TOLD_FIRST + TOLD_EVERY} times by now")
    worker.close()
    await worker.task


async def test_frames_that_cannot_be_read_are_told_some_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker(Handlers(Raising()), recording()[0], lambda: None)
    for _ in range(2 * TOLD_FIRST):
        worker.add(PacketIn(data=b"short"))
    worker.add(PacketIn())  # what comes behind them
    await eventually(lambda: "a mistake" in caplog.text)
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == TOLD_FIRST
    worker.close()
    await worker.task


async def test_errors_of_one_kind_that_no_handler_wants_are_told_some_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker(Handlers(App()), recording()[0], lambda: None)
    for code in (BadActionCode.BAD_OUT_PORT, BadActionCode.EPERM):
        for _ in range(2 * TOLD_FIRST):
            worker.add(ErrorMsg(code))
    await eventually(lambda: not worker._queue)
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 2 * TOLD_FIRST
    assert all("the switch answered" in one for one in told)
    worker.close()
    await worker.task


def test_things_of_too_many_kinds_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.ration._KINDS_MAX", 2)
    ration = Ration()
    told = [ration.told(kind) for kind in range(100)]
    assert told.count(None) == 100 - 2 - TOLD_FIRST


# Who hangs


def test_a_handler_that_does_not_end_is_waited_for_and_then_named_once() -> None:
    patience = Patience()
    patience.begin("packet_in", 100)
    assert not patience.is_just_over(100 + YIELD_TIME - 0.1)
    assert patience.is_just_over(100 + YIELD_TIME)
    assert patience.is_over
    assert not patience.is_just_over(100 + YIELD_TIME)
    assert not patience.hangs(100 + HANG_TIME - 0.1)
    assert patience.hangs(100 + HANG_TIME)
    assert not patience.hangs(200)
    patience.end()
    assert not patience.is_over
    assert not patience.is_just_over(300)


async def test_who_hangs_is_named_and_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatch, "QUEUE_MAX", 4)
    app, other = Hanging(), Recorder()
    async with serving(app, other) as (controller, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await app.until("packet_in")
        (peer,) = controller._peers
        for worker in peer.workers:
            worker.look(asyncio.get_running_loop().time() + HANG_TIME)
        switch.send(*[PacketIn()] * 20)
        await other.until("packet_in", 21)
        assert (
            "datapath 0x0000000000000001: Hanging.packet_in does not end, since 15 s: what comes "
            "for it waits, up to 4 events, and all else goes on"
        ) in caplog.messages
        app.enough.set()
        await app.until("packet_in", 5)
        assert "Hanging.packet_in ended at last; it missed 16 events" in caplog.text
        switch.send(PacketIn())
        await app.until("packet_in", 6)
        switch.leave()


async def test_handlers_are_looked_after_by_the_controller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("controller.server.LOOK_EVERY", 0)
    monkeypatch.setattr("controller.patience.HANG_TIME", SHORT)
    app = Hanging()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await eventually(lambda: "Hanging.packet_in does not end" in caplog.text)
        app.enough.set()
        switch.leave()


# Who blocks


class Blocking(App):
    """Blocks the loop until somebody outside of it has seen what was to be seen."""

    def __init__(self, seen: Callable[[], bool]) -> None:
        self.seen = seen

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        self.work()

    def work(self) -> None:
        end = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not self.seen() and time.monotonic() < end:
            pause.wait(0.001)


async def test_who_blocks_the_loop_is_named_with_the_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Blocking(lambda: "blocks the controller" in caplog.text)
    with watched(lambda: [Recorder(), app], SHORT):
        await app.packet_in(recording()[0], PacketIn())
        await eventually(lambda: "the controller goes on after" in caplog.text)
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    first, *stack = record.getMessage().splitlines()
    assert first == (
        "Blocking.work blocks the controller for more than 0.05 s, and nothing else goes on: it "
        "should await, or leave long work to asyncio.to_thread"
    )
    assert "test_isolation.py" in stack[0]
    assert "in work" in stack[0]


async def test_what_is_no_applications_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    app = Blocking(lambda: "blocks the controller" in caplog.text)
    with watched(list, SHORT):
        app.work()
        await eventually(lambda: "the controller goes on after" in caplog.text)
    assert "something outside all applications blocks the controller" in caplog.text


async def test_the_thread_that_watches_ends_at_once_with_what_it_watches() -> None:
    with watched(list, PATIENCE):
        assert "watchdog" in {one.name for one in threading.enumerate()}
    assert "watchdog" not in {one.name for one in threading.enumerate()}
