"""Workers: the events of one datapath, in order, whatever a handler does."""

from __future__ import annotations

import asyncio
import logging

import pytest

from controller import App, Datapath, dispatch
from controller.app import Handlers
from controller.apps.learning_switch import LearningSwitch
from controller.cookies import CookieSpaces
from controller.dispatch import Worker
from controller.testing import recording
from protocol import (
    BarrierReply,
    ChannelClosed,
    ErrorMsg,
    Experimenter,
    FlowRemoved,
    HelloFailedCode,
    Match,
    Message,
    PacketIn,
    PortDesc,
    PortReason,
    PortStatus,
)

from .fakes import Recorder, eventually


def working(app: App, after: asyncio.Task[None] | None = None) -> Worker:
    """Return a worker for a datapath that nobody is behind."""
    return Worker(Handlers(app), recording()[0], lambda: None, after)


async def ended(*workers: Worker) -> None:
    """Close workers, and wait until they are done."""
    for worker in workers:
        worker.close()
    await asyncio.wait_for(asyncio.gather(*(worker.task for worker in workers)), 10)


async def test_each_message_comes_to_the_handler_that_is_named_as_it_in_order() -> None:
    app = Recorder()
    worker = working(app)
    messages: list[Message] = [
        PacketIn(),
        FlowRemoved(),
        PortStatus(PortReason.ADD, PortDesc(1)),
        ErrorMsg(HelloFailedCode.EPERM),
        Experimenter(1),
        BarrierReply(),
    ]
    for message in messages:
        worker.add(message)
    await app.until("message")
    await ended(worker)
    assert [message for _, _, message in app.told[1:-1]] == messages
    assert app.names == [
        "switch_ready",
        "packet_in",
        "flow_removed",
        "port_status",
        "error",
        "experimenter",
        "message",
        "switch_gone",
    ]


async def test_what_no_handler_wants_is_not_queued() -> None:
    class Deaf(App):
        async def switch_ready(self, datapath: Datapath) -> None: ...

    worker = working(Deaf())
    worker.add(PacketIn())
    assert len(worker._queue) == 1
    await ended(worker)


async def test_errors_are_logged_where_no_handler_wants_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = working(App())
    worker.add(ErrorMsg(HelloFailedCode.EPERM))
    await eventually(lambda: "the switch answered" in caplog.text)
    await ended(worker)


class Curious(Recorder):
    """Wants to hear of all entries that go."""

    hears_all_removed = True


async def test_who_put_an_entry_in_hears_that_it_went() -> None:
    spaces = CookieSpaces(["mine", "other", "curious"])
    mine, other, curious = Recorder(), Recorder(), Curious()
    apps = zip((mine, other, curious), spaces.by_name, strict=True)
    workers = [
        Worker(Handlers(app, name, spaces), recording()[0], lambda: None) for app, name in apps
    ]
    of_mine = FlowRemoved(cookie=spaces.by_name["mine"].base | 7)
    of_nobody = FlowRemoved(cookie=7)
    for worker in workers:
        worker.add(of_mine)
        worker.add(of_nobody)
        worker.add(BarrierReply())
    for app in (mine, other, curious):
        await app.until("message")
    await ended(*workers)
    assert mine.messages("flow_removed") == [of_mine, of_nobody]
    assert other.messages("flow_removed") == [of_nobody]
    assert curious.messages("flow_removed") == [of_mine, of_nobody]


class Failing(Recorder):
    """Raises on each packet, after having noted it."""

    def __init__(self, fault: BaseException) -> None:
        super().__init__()
        self.fault = fault

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        await super().packet_in(datapath, message)
        raise self.fault


@pytest.mark.parametrize("fault", [ValueError("a mistake"), asyncio.CancelledError("elsewhere")])
async def test_what_a_handler_raises_is_logged_once_and_the_next_event_comes(
    fault: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    app = Failing(fault)
    worker = working(app)
    worker.add(PacketIn(buffer_id=1))
    worker.add(BarrierReply())
    await app.until("message")
    await ended(worker)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == (
        "datapath 0x0000000000000001: Failing.packet_in raised on PacketIn"
    )
    assert record.exc_info is not None
    assert record.exc_info[1] is fault
    assert app.names == ["switch_ready", "packet_in", "message", "switch_gone"]


async def test_the_end_of_a_channel_is_no_fault_of_a_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Failing(ChannelClosed("the switch went away"))
    worker = working(app)
    worker.add(PacketIn())
    await app.until("packet_in")
    await ended(worker)
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


async def test_an_application_that_was_not_told_of_a_switch_is_not_told_of_its_end() -> None:
    app = Recorder()
    worker = working(app)
    await ended(worker)
    assert app.told == []


async def test_what_waits_is_forgotten_at_the_end() -> None:
    app = Recorder()
    worker = working(app)
    await app.until("switch_ready")
    worker.add(PacketIn())
    await ended(worker)
    assert app.names == ["switch_ready", "switch_gone"]


class Hanging(Recorder):
    """Does not come back from `switch_ready`."""

    async def switch_ready(self, datapath: Datapath) -> None:
        await super().switch_ready(datapath)
        await asyncio.Event().wait()


async def test_a_handler_that_hangs_can_be_cancelled_and_the_end_is_told_nevertheless() -> None:
    app = Hanging()
    worker = working(app)
    await app.until("switch_ready")
    worker.close()
    worker.task.cancel()
    await asyncio.wait_for(worker.task, 10)
    assert app.names == ["switch_ready", "switch_gone"]


async def test_cancelled_from_outside_a_worker_ends_with_its_program() -> None:
    app = Hanging()
    worker = working(app)
    await app.until("switch_ready")
    worker.task.cancel()
    await asyncio.wait([worker.task])
    assert worker.task.cancelled()


async def test_the_end_of_the_old_channel_is_told_before_the_new_one_begins() -> None:
    app = Hanging()
    old = working(app)
    await app.until("switch_ready")
    old.close()
    new = working(app, after=old.task)
    await asyncio.sleep(0)  # the new one has begun to wait
    assert app.names == ["switch_ready"]
    old.task.cancel()
    await app.until("switch_ready", 2)
    assert app.names == ["switch_ready", "switch_gone", "switch_ready"]
    new.close()
    new.task.cancel()
    await asyncio.wait([new.task])


async def test_a_full_queue_says_so_and_tells_when_it_drains() -> None:
    drained: list[int] = []
    app = Recorder()
    worker = Worker(Handlers(app), recording()[0], lambda: drained.append(1))
    for _ in range(dispatch.QUEUE_MAX):
        worker.add(PacketIn())
    assert worker.full
    assert not worker.overfull
    await app.until("packet_in", dispatch.QUEUE_MAX)
    assert not worker.full
    assert drained
    await ended(worker)


async def test_a_long_queue_lets_others_have_their_turn() -> None:
    app = Recorder()
    worker = working(app)
    for _ in range(1000):
        worker.add(PacketIn())
    await app.until("switch_ready")
    assert len(app.messages("packet_in")) <= dispatch.SLICE
    await ended(worker)


async def test_one_application_that_hangs_does_not_stop_another() -> None:
    hanging, other = Hanging(), Recorder()
    workers = [working(hanging), working(other)]
    for worker in workers:
        worker.add(PacketIn())
    await other.until("packet_in")
    assert hanging.names == ["switch_ready"]
    for worker in workers:
        worker.close()
    workers[0].task.cancel()
    await asyncio.gather(*(worker.task for worker in workers))


def test_a_handler_that_is_no_coroutine_is_refused_by_name() -> None:
    class Wrong(App):
        def packet_in(self, datapath: Datapath, message: PacketIn) -> None: ...  # type: ignore[override]

    with pytest.raises(TypeError, match=r"Wrong\.packet_in must be declared with async def"):
        Handlers(Wrong())


async def test_a_packet_that_an_application_cannot_read_costs_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = working(LearningSwitch())
    worker.add(PacketIn(match=Match(in_port=1), data=b"short"))
    worker.add(PacketIn(match=Match(in_port=1), data=bytes(14)))
    await eventually(lambda: bool(worker.handlers.app.ports))  # type: ignore[attr-defined]
    await ended(worker)
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "LearningSwitch.packet_in: Ethernet" in line.getMessage()
    assert line.exc_info is None
