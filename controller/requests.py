"""Requests and what became of them: xid → the coroutine that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from protocol import (
    ChannelClosed,
    DecodeError,
    ErrorMsg,
    FlowRemoved,
    Message,
    MultipartFlags,
    MultipartReply,
    OpenFlowError,
    PacketIn,
    PortStatus,
    RequestError,
    RequestTimeout,
    RoleStatus,
    TableStatus,
    Unreadable,
    Version,
)
from protocol.bundles import RequestForward
from protocol.message import class_of
from protocol.roles import ControllerStatus

from .streams import Parts

REQUEST_TIMEOUT = 10.0  #: seconds until a request without an answer is given up
# What answers nothing, whatever its xid: the switch counts these by itself.
_ASYNCHRONOUS = (
    PacketIn,
    FlowRemoved,
    PortStatus,
    RoleStatus,
    TableStatus,
    RequestForward,
    ControllerStatus,
)


class Requests:
    """The requests of one channel that wait for their answers.

    `changed` is called when it may be time to read on, or to pause. `pass_parts` and
    `drop_parts` are told the xid of an answer whose parts are wanted as they come, or no more.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        pass_parts: Callable[[int], None] = lambda xid: None,
        drop_parts: Callable[[int], None] = lambda xid: None,
    ) -> None:
        self._changed, self._pass_parts, self._drop_parts = changed, pass_parts, drop_parts
        self._waiting: dict[int, asyncio.Future[Message] | Parts] = {}
        self._streams: set[Parts] = set()  # of those that wait
        self._closed: str | None = None  # why there will be no more answers

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for something to be read, whatever else waits."""
        idle = sum(not one.awaited for one in self._streams) if self._streams else 0
        return len(self._waiting) > idle

    @property
    def full(self) -> bool:
        """Whether more of an answer came than who asked for it has taken."""
        return bool(self._streams) and any(one.full for one in self._streams)

    async def answer(self, xid: int, timeout: float) -> Message:
        """Wait for the answer to request `xid`.

        RequestError if the switch refused it, RequestTimeout after `timeout` seconds,
        ChannelClosed if the channel ends.
        """
        if self._closed is not None:
            raise ChannelClosed(self._closed)
        future = asyncio.get_running_loop().create_future()
        self._waiting[xid] = future
        self._changed()
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise RequestTimeout(f"no answer within {timeout:g} s") from None
        finally:
            self._waiting.pop(xid, None)

    async def parts(self, xid: int, timeout: float) -> AsyncGenerator[MultipartReply, None]:
        """Yield the parts of the answer to request `xid` as they come.

        What `answer` raises, where a part is missing; RequestTimeout after `timeout` seconds
        without one; OpenFlowError where too many came meanwhile, or another message.
        """
        if self._closed is not None:
            raise ChannelClosed(self._closed)
        parts = Parts(self._changed)
        self._waiting[xid] = parts
        self._streams.add(parts)
        self._pass_parts(xid)
        try:
            while (part := await parts.take(timeout)) is not None:
                yield part
        finally:
            if self._waiting.pop(xid, None) is not None:  # it ends before the answer does
                self._streams.discard(parts)
                self._drop_parts(xid)
                self._changed()

    @asynccontextmanager
    async def refusals(self, xids: Collection[int]) -> AsyncIterator[None]:
        """Raise RequestError at the end if the switch refused one of these messages meanwhile.

        It takes the place of another RequestError, as it says more.
        """
        loop = asyncio.get_running_loop()
        futures = {xid: loop.create_future() for xid in xids}
        self._waiting.update(futures)
        try:
            yield
        except RequestError as error:
            raise _first_refusal(futures.values()) or error from None
        else:
            if refusal := _first_refusal(futures.values()):
                raise refusal
        finally:
            for xid, future in futures.items():
                self._waiting.pop(xid, None)
                if future.done():
                    future.exception()  # asyncio would tell of one that nobody looked at

    def resolve(self, message: Message) -> bool:
        """Give `message` to the request that it answers; False if it answers none."""
        if isinstance(message, _ASYNCHRONOUS):
            return False
        waiting = self._waiting.get(message.xid)
        if isinstance(waiting, Parts) and isinstance(message, MultipartReply):
            if waiting.put(message):
                self._settle(message.xid)
                if message.flags & MultipartFlags.MORE:
                    self._drop_parts(message.xid)
        elif isinstance(message, ErrorMsg):
            return self._fail(message.xid, RequestError(message))
        elif isinstance(waiting, Parts):
            answered = type(message).__name__
            self._fail(message.xid, OpenFlowError(f"the switch answered with {answered}"))
        elif waiting is None or waiting.done():
            return False
        else:
            self._settle(message.xid)
            waiting.set_result(message)
        return True

    def unreadable(self, event: Unreadable, version: Version) -> None:
        """Raise the fault of an answer that cannot be read where the answer is awaited."""
        if event.xid not in self._waiting:
            return
        try:
            cls = class_of(version, event.data, 0, len(event.data))
        except DecodeError:
            cls = Message  # it is none that the switch could say by itself
        if not issubclass(cls, _ASYNCHRONOUS):
            self._fail(event.xid, event.error)

    def close(self, reason: str) -> None:
        """Tell all that wait, or will, that the channel ended."""
        self._closed = reason
        for xid in list(self._waiting):
            self._fail(xid, ChannelClosed(reason))

    def _fail(self, xid: int, error: OpenFlowError) -> bool:
        """Raise `error` where an answer is awaited; False if nobody does."""
        waiting = self._settle(xid)
        if isinstance(waiting, Parts):
            waiting.fail(error)
            self._drop_parts(xid)
        elif waiting is None or waiting.done():
            return False
        else:
            waiting.set_exception(error)
        return True

    def _settle(self, xid: int) -> asyncio.Future[Message] | Parts | None:
        """Let nothing more be an answer to this request; return what waits for it."""
        waiting = self._waiting.pop(xid, None)
        if isinstance(waiting, Parts):
            self._streams.discard(waiting)
        return waiting


def _first_refusal(futures: Iterable[asyncio.Future[Message]]) -> BaseException | None:
    """Return what the first of the messages that was refused got, None if none was."""
    refusals = [future.exception() for future in futures if future.done()]
    return refusals[0] if refusals else None
