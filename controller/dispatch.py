"""Events → handlers: for each datapath one worker an application.

Most handlers await nothing: they run as soon as their message is read, in the worker's task,
which need not be woken for that, nor have begun. Behind one that waits, events wait in a bounded
queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from itertools import chain
from typing import Any

from protocol import ChannelClosed, DecodeError, Message

from .app import Handler, Handlers
from .datapath import Datapath
from .patience import HANG_TIME, Patience

logger = logging.getLogger("controller")

QUEUE_MAX = 1024  #: events that wait for one handler; above that the switch is slowed down
QUEUE_LIMIT = 16 * QUEUE_MAX  #: and above that they are dropped
# For those who run tasks in their own way, as do() does ("Extending" in asyncio's documentation).
_enter, _leave = asyncio.tasks._enter_task, asyncio.tasks._leave_task
_Course = Coroutine[Any, Any, None]
SLICE = 256  # events after which the other datapaths get their turn; a read of packets brings fewer


async def run_background(handlers: Handlers) -> None:
    """Run what an application does beside its handlers; what it raises is logged."""
    assert handlers.background is not None
    try:
        await handlers.background()
    except Exception:  # as with a handler: the application's trouble, not the controller's
        logger.exception("%s.background raised, and runs no more", type(handlers.app).__name__)


class Worker:
    """Runs one application's handlers for one datapath, in the order of the events.

    It begins when the task `after` is done: that of the same switch's channel before, so
    that the application hears of the end of the old one first.
    """

    def __init__(
        self,
        handlers: Handlers,
        datapath: Datapath,
        drained: Callable[[], None],
        after: asyncio.Task[None] | None = None,
    ) -> None:
        self.handlers, self.datapath = handlers, datapath
        self._drained = drained  # called when a full queue has room again
        self._queue: deque[tuple[Handler, Message | None]] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._closing = False
        self._doing: Message | None = None  # what is done so just now
        self._begun: _Begun | None = None  # what was begun so, and waits for something
        self.patience = Patience()
        self._known = handlers.ready is None  # whether the application knows the datapath
        self._loop, self._context = asyncio.get_running_loop(), copy_context()
        self._task = self._loop.create_task(self._run(after), context=self._context)
        if handlers.ready and not (after is None and self._told_at_once(handlers.ready)):
            self._put(handlers.ready, None)

    def _told_at_once(self, ready: Handler) -> bool:
        """Tell the application of the switch; return whether that could be done now."""
        try:
            _enter(self._loop, self._task)
        except RuntimeError:  # another task does this
            return False
        self._known = True
        try:
            self._begin(ready, lambda datapath, _: ready(datapath), None)
        finally:
            _leave(self._loop, self._task)
        return True

    @property
    def full(self) -> bool:
        """Whether others should wait until there is room: not for a handler that hangs."""
        return len(self._queue) >= QUEUE_MAX and not self.patience.is_over

    @property
    def overfull(self) -> bool:
        """Whether nothing may be added at all."""
        return len(self._queue) >= QUEUE_LIMIT

    def add(self, message: Message) -> None:
        """Queue a message, if the application has a handler for it."""
        handlers = self.handlers
        handler = handlers.by_class.get(type(message), handlers.other)
        if handler is not None and not self._closing:
            self._put(handler, message)

    def look(self, now: float) -> None:
        """See whether a handler does not end: others stop waiting for it, then it is named."""
        if self.patience.is_just_over(now):
            self._drained()
        if self.patience.hangs(now):
            name = self.patience.running
            if (also := self.handlers.faults.told((name, "hangs"))) is not None:
                logger.error(
                    "%s: %s.%s does not end, since %g s%s: what comes for it waits, up to %d "
                    "events, and all else goes on",
                    self.datapath,
                    type(self.handlers.app).__name__,
                    name,
                    HANG_TIME,
                    also,
                    QUEUE_MAX,
                )

    def do(self, events: Sequence[Message], at_once: int = SLICE) -> Iterable[Message]:
        """Do events of one class now, `at_once` of them; return those that have to be added.

        Most handlers await nothing, so that waking a task for them would cost more than they do.
        """
        wake, handlers = self._wake, self.handlers
        if wake is None or wake.done() or at_once <= 0:
            return events
        first = events[0]
        handler = handlers.by_class.get(type(first), handlers.other)
        if handler is None:
            return ()
        try:
            _enter(self._loop, self._task)
        except RuntimeError:  # another task does this; then ours cannot run now
            return events
        try:
            if len(events) > 1:
                return self._do_many(handler, events, at_once)
            self._doing = first
            self._begin(handler, handler, first)
            return ()
        finally:
            self._doing = None
            _leave(self._loop, self._task)

    def _do_many(
        self, handler: Handler, events: Sequence[Message], at_once: int
    ) -> Iterable[Message]:
        # To begin a coroutine costs more than to await one, so all of them are one course.
        left, course = iter(events[:at_once]), partial(self._course, handler)
        while self._begin(handler, course, left):
            pass  # one of them raised: on with those behind it
        return chain(left, events[at_once:]) if len(events) > at_once else left

    def _begin(self, handler: Handler, course: Callable[..., _Course], events: object) -> bool:
        """Run a handler as the task would, once or in a course; return whether it raised.

        Where it comes to wait, the task goes on with it.
        """
        try:
            running = course(self.datapath, events)
            waits_for = self._context.run(running.send, None)
        except StopIteration:
            return False
        except (Exception, asyncio.CancelledError) as error:
            self._failed(error, handler, self._doing)
            return True
        self._begun = _Begun(handler, self._doing, running, waits_for)
        self._wake_up()
        return False

    async def _course(
        self, handler: Handler, datapath: Datapath, events: Iterator[Message]
    ) -> None:
        for message in events:
            if self._closing:
                return
            self._doing = message
            await handler(datapath, message)

    def close(self) -> None:
        """Forget what waits, tell the application that the switch is gone, and end.

        An application that was not told of the switch is not told of its end either.
        """
        self._queue.clear()
        self._closing = True
        if self.handlers.gone and self._known:
            self._put(self.handlers.gone, None)
        self._wake_up()

    @property
    def task(self) -> asyncio.Task[None]:
        """What runs the handlers; done some time after `close`.

        To cancel it after `close` cancels the handler that runs; `switch_gone` still comes.
        """
        return self._task

    def _put(self, handler: Handler, message: Message | None) -> None:
        if self.patience.is_over and len(self._queue) >= QUEUE_MAX:
            self.patience.dropped += 1
            return
        self._queue.append((handler, message))
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _run(self, after: asyncio.Task[None] | None) -> None:
        loop, queue, left = asyncio.get_running_loop(), self._queue, SLICE
        if after is not None:
            await asyncio.wait([after])
        while True:
            if (begun := self._begun) is not None:
                self._begun = None
                await self._call(begun.handler, begun.message, begun)
            while queue:
                was_full = len(queue) >= QUEUE_MAX
                handler, message = queue.popleft()
                self._known = True
                if was_full:
                    self._drained()
                await self._call(handler, message)
                left -= 1
                if left <= 0 and not self._closing:
                    left = SLICE
                    await asyncio.sleep(0)  # a handler that awaits nothing does not yield
            if self._closing:
                return
            self._wake = loop.create_future()
            try:
                await self._wake
            except asyncio.CancelledError as error:
                if self._begun is None:
                    raise
                self._begun.cancelled = error  # it is what the handler has begun that is meant
            self._wake = None

    async def _call(
        self, handler: Handler, message: Message | None, begun: _Begun | None = None
    ) -> None:
        self.patience.begin(handler.__name__, self._loop.time())
        try:
            await self._survive(handler, message, begun)
        finally:
            if self.patience.dropped:
                logger.warning(
                    "%s: %s ended at last; it missed %d events",
                    self.datapath,
                    self._name(handler),
                    self.patience.dropped,
                )
            self.patience.end()

    async def _survive(
        self, handler: Handler, message: Message | None, begun: _Begun | None
    ) -> None:
        try:
            if begun is not None:
                await begun
            elif message is None:
                await handler(self.datapath)
            else:
                await handler(self.datapath, message)
        except asyncio.CancelledError as error:
            if not self._task.cancelling():  # not we were cancelled, but what it awaited
                self._failed(error, handler, message)
            elif self._closing:
                self._task.uncancel()
            else:
                raise  # the program ends
        except Exception as error:
            self._failed(error, handler, message)

    def _failed(self, error: BaseException, handler: Handler, message: Message | None) -> None:
        """Tell what a handler raised, and live on, whatever an application does."""
        name = self._name(handler)
        if isinstance(error, ChannelClosed):
            logger.debug("%s: %s ended: %s", self.datapath, name, error)
        elif isinstance(error, DecodeError):
            # Bytes from the network that the application wanted to read: nobody's bug.
            if (also := self.handlers.faults.told((handler.__name__, DecodeError))) is not None:
                logger.warning("%s: %s: %s%s", self.datapath, name, error, also)
        elif (also := self.handlers.faults.told((handler.__name__, *place_of(error)))) is not None:
            about = "" if message is None else f" on {type(message).__name__}"
            logger.error("%s: %s raised%s%s", self.datapath, name, about, also, exc_info=error)

    def _name(self, handler: Handler) -> str:
        return f"{type(self.handlers.app).__name__}.{handler.__name__}"


def place_of(error: BaseException | None) -> tuple[object, ...]:
    """Return what two errors have in common that are the same mistake: the kind and the line."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    line = (trace.tb_frame.f_code, trace.tb_lineno) if trace is not None else ()
    return type(error), *line


class _Begun:
    """A handler that ran until it came to wait for something; whoever awaits this goes on."""

    def __init__(
        self,
        handler: Handler,
        message: Message | None,
        running: _Course,
        waits_for: object,
    ) -> None:
        self.handler, self.message = handler, message
        self._running, self._waits_for = running, waits_for
        self.cancelled: asyncio.CancelledError | None = None  # before the task went on with it

    def __await__(self) -> Generator[Any, Any, None]:
        while True:
            try:
                if (cancelled := self.cancelled) is not None:
                    self.cancelled = None
                    raise cancelled
                sent = yield self._waits_for
            except BaseException as error:  # whatever it is, it is the handler's to take
                step = partial(self._running.throw, error)
            else:
                step = partial(self._running.send, sent)
            try:
                self._waits_for = step()
            except StopIteration:
                return
