"""Requests and what became of them: xid → the coroutine that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from protocol import (
    ChannelClosed,
    ErrorMsg,
    FlowRemoved,
    Message,
    PacketIn,
    PortStatus,
    RequestError,
    RequestTimeout,
    RoleStatus,
    TableStatus,
)
from protocol.bundles import RequestForward
from protocol.roles import ControllerStatus

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
    """The requests of one channel that wait for their answers."""

    def __init__(self, awaited: Callable[[], None]) -> None:
        self._awaited = awaited  # called when an answer must be read, whatever else waits
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._closed: str | None = None  # why there will be no more answers

    def __len__(self) -> int:
        return len(self._waiting)

    async def answer(self, xid: int, timeout: float) -> Message:
        """Wait for the answer to request `xid`.

        RequestError if the switch refused it, RequestTimeout after `timeout` seconds,
        ChannelClosed if the channel ends.
        """
        if self._closed is not None:
            raise ChannelClosed(self._closed)
        future = self._waiting[xid] = asyncio.get_running_loop().create_future()
        self._awaited()
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise RequestTimeout(f"no answer within {timeout:g} s") from None
        finally:
            self._waiting.pop(xid, None)

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
            for xid in xids:
                self._waiting.pop(xid, None)

    def resolve(self, message: Message) -> bool:
        """Give `message` to the request that it answers; False if it answers none."""
        if isinstance(message, _ASYNCHRONOUS):
            return False
        future = self._waiting.pop(message.xid, None)
        if future is None or future.done():
            return False
        if isinstance(message, ErrorMsg):
            future.set_exception(RequestError(message))
        else:
            future.set_result(message)
        return True

    def close(self, reason: str) -> None:
        """Tell all that wait, or will, that the channel ended."""
        self._closed = reason
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ChannelClosed(reason))
        self._waiting.clear()


def _first_refusal(futures: Iterable[asyncio.Future[Message]]) -> BaseException | None:
    """Return what the first of the messages that was refused got, None if none was."""
    refusals = [future.exception() for future in futures if future.done()]
    return refusals[0] if refusals else None
