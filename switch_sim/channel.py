"""One channel of a simulated switch: a stream, its Connection, and the switch's session."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from tornado.iostream import IOStream, StreamClosedError

from protocol import (
    Closed,
    Connection,
    EchoReply,
    EncodeError,
    Event,
    Message,
    Opened,
    PacketIn,
    Unreadable,
)

from .session import Session
from .transport import words

if TYPE_CHECKING:
    from .agent import Agent

logger = logging.getLogger("switch_sim")

READ_SIZE = 65_536
FLUSH_EVERY = 64  # messages, at most 4 MB; so that we see soon that nobody reads them
UNSENT_PAUSE = 1 << 20  # bytes that a controller has not read, above which we stop reading
UNSENT_MAX = 1 << 26  # and above which it is given up: asynchronous messages come all the same
TURNS_BETWEEN = 3  # of the loop: to read what others ask, to answer, and to write that
DROPS_TOLD = 1000  # packet_ins dropped between two lines in the log
STALL_TIMEOUT = 30.0  #: seconds in which a controller must read some of what waits for it


@dataclass(frozen=True, slots=True)
class Line:
    """Which channel of a switch it is."""

    switch: str
    uri: str = ""  #: where the controller is
    dialled: bool = False  #: whether the switch began
    main: Session | None = None  #: of an auxiliary channel: the session that it helps
    auxiliary_id: int = 0


class Channel:
    """A stream between a switch and a controller, or a tool that speaks as one."""

    def __init__(self, agent: Agent, line: Line, stream: IOStream) -> None:
        self.agent, self.line, self.switch, self.stream = agent, line, line.switch, stream
        settings, now = agent.settings, agent.clock()
        self.connection = Connection(
            now,
            settings.versions if line.main is None else (line.main.version,),
            handshake_timeout=settings.handshake_timeout,
            echo_interval=settings.echo_interval,
            echo_timeout=settings.echo_timeout,
        )
        self.session: Session | None = None
        self.when_open: asyncio.Future[Session] | None = None  #: for who waits for a session
        self._limit = settings.packet_in_limit(now)
        self.due = inf  #: when the agent looks at the time next
        self.answers: deque[Iterator[Message]] = deque()  #: the rest of long ones
        self.faults = 0  #: that the log was told
        self.dropped = 0  #: packet_ins for which there was no room, or that were too many
        self.unsent = 0  #: bytes that the stream holds
        self.paused = False  #: whether nothing is read until the controller has read
        self._unflushed = 0  # messages that the connection holds
        self._stalled_since = 0.0
        self._written: asyncio.Future[None] | None = None  # done when the stream holds nothing
        self._closed = False

    async def run(self) -> None:
        """Read until the end; wait with it while nobody reads what we write."""
        self.stream.set_nodelay(True)
        self.agent.add(self)
        try:
            while not self._closed:
                data = await self.stream.read_bytes(READ_SIZE, partial=True)
                for event in self.connection.receive_data(data, self.agent.clock()):
                    if not self._closed:
                        self._take(event)
                    while self.answers and not (self._closed or self.stream.closed()):
                        await self._answer(self.answers[0])
                    if self.unsent > UNSENT_PAUSE:
                        await self._drained()
                self.agent.soon_write(self)
        except StreamClosedError as error:  # an OSError as well
            self.close(words(error.real_error) if error.real_error else "")
        except OSError as error:  # a fault that shows while a read begins comes as it is
            self.close(words(error))
        except Exception:
            logger.exception("%s: the channel failed", self.agent.name(self.switch))
        finally:
            self.close("")

    async def _answer(self, parts: Iterator[Message]) -> None:
        """Send one part of a long answer, when there is room; others get their turn between."""
        if self.unsent > UNSENT_PAUSE:
            await self._drained()
        async with self.agent.answering:
            if not self._send_part(parts):
                self.answers.popleft()
            self.flush()
            for _ in range(TURNS_BETWEEN):
                await asyncio.sleep(0)
        self.connection.pardon(self.agent.clock())  # it may ask meanwhile; we do not listen

    def _send_part(self, parts: Iterator[Message]) -> bool:
        """Send the next part, and forget it; return whether there was one."""
        # With the collector on, parts on their way would be taken for what stays, and a table
        # of 100,000 entries would be searched for garbage, which takes a quarter of a second.
        collects = gc.isenabled()
        gc.disable()
        try:
            for part in parts:
                self.send(part)
                del part  # before the collector comes back
                return True
            return False
        except Exception:
            logger.exception("%s: an answer ended too early", self.agent.name(self.switch))
            return False
        finally:
            if collects:
                gc.enable()

    async def _drained(self) -> None:
        self.paused = True
        self.agent.soon()
        while self.unsent and not self._closed:
            assert self._written is not None
            await asyncio.wait([self._written])
        self.paused = False
        self.connection.pardon(self.agent.clock())

    # What comes in

    def _take(self, event: Event) -> None:
        match event:
            case Opened(version):
                self.session = self.agent.opened(self, version)
                if self.when_open is not None:
                    self.when_open.set_result(self.session)
            case Closed(reason):
                self._fault(reason)
                self._shut()
            case Unreadable(error):
                self._fault(f"a message was not understood: {error}")
            case EchoReply():
                pass  # it comes too late to be a sign of life
            case Message():
                self._handle(event)

    def _handle(self, message: Message) -> None:
        if self.session is None:
            return
        try:
            self.agent.network.handle(self.switch, self.session, message, self.agent.clock())
        except Exception:  # one message must not end the channel, nor the other switches
            logger.exception("%s: failed at %r", self.agent.name(self.switch), message)
        self.agent.route()

    # What goes out

    def send(self, message: Message) -> None:
        """Queue a message with the xid that it has; packet_ins go only where they are read."""
        if isinstance(message, PacketIn) and not self._admits():
            return
        try:
            self.connection.send(message, message.xid)
        except EncodeError as error:
            self._fault(f"cannot say {type(message).__name__}: {error}")
            return
        self._unflushed += 1
        if self._unflushed >= FLUSH_EVERY:
            self.flush()
        else:
            self.agent.soon_write(self)

    def _admits(self) -> bool:
        """Whether there is room for a packet_in; drops are counted, and told now and then."""
        reason = ""
        if self.unsent > UNSENT_PAUSE:
            reason = "the controller does not read"
        elif self._limit is not None and not self._limit.take(1, self.agent.clock()):
            reason = f"more than {self._limit.rate:g} a second"
        if reason:
            if self.dropped % DROPS_TOLD == 0:
                name = self.agent.name(self.switch)
                logger.warning(
                    "%s: packet_ins are dropped, %s (%d before)", name, reason, self.dropped
                )
            self.dropped += 1
        return not reason

    def flush(self) -> None:
        """Give all that is queued to the stream."""
        self._unflushed = 0
        data = self.connection.data_to_send()
        if not data or self.stream.closed():
            return
        if not self.unsent:
            self._stalled_since = self.agent.clock()
        self.unsent += len(data)
        self._written = asyncio.ensure_future(self.stream.write(data))
        self._written.add_done_callback(partial(self._wrote, len(data)))
        if self.session is not None and self.unsent > UNSENT_PAUSE:
            self.session.is_congested = True
        if self.unsent > UNSENT_MAX:
            self.close(f"{self.unsent} bytes wait for a controller that does not read")

    def _wrote(self, size: int, _: object) -> None:
        self.unsent -= size
        self._stalled_since = self.agent.clock()
        session = self.session
        if session is not None and session.is_congested and not (self.unsent or self._closed):
            self.agent.network.relieve(self.switch, session)
            self.agent.soon()

    # Time and end

    def deadline(self) -> float:
        """Return when `handle_timer` is due."""
        due = self.connection.deadline()
        latest = self.agent.clock() + STALL_TIMEOUT
        return latest if due is None else min(due, latest)

    def handle_timer(self, now: float) -> None:
        """Do what is due: signs of life, and an end to who does not read."""
        if self.paused:
            self.connection.pardon(now)  # we do not listen, so it is not the peer that is silent
            if now - self._stalled_since > STALL_TIMEOUT:
                self.close(f"the controller reads nothing since {STALL_TIMEOUT:g} s")
        for event in self.connection.handle_timer(now):
            self._take(event)
        self.agent.soon_write(self)

    def close(self, fault: str) -> None:
        """End the channel; a fault is told in the log."""
        for event in self.connection.close(fault):
            if fault:
                self._take(event)
        self._shut()

    def _fault(self, reason: str) -> None:
        self.faults += 1
        logger.warning("%s: %s", self.agent.name(self.switch), reason)

    def _shut(self) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(StreamClosedError):
            self.flush()
        self.stream.close()
        self.agent.gone(self)
