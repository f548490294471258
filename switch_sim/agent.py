"""The Tornado shell of simulated switches: their channels to controllers, and time.

    agent = Agent(Network(tree(2, 3)))
    agent.dial("s1", Endpoint.parse("tcp:127.0.0.1:6653"))
    bound = agent.listen("s2", Endpoint.parse("ptcp:0"))
    ...
    await agent.close()

All of a network shares one timer and one turn: whatever a round of the loop brings (bytes,
deadlines, pings), its frames run, its messages are sorted to their channels, and each channel
writes once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from heapq import heappop, heappush
from math import inf
from ssl import SSLContext
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from protocol import Version
from protocol.endpoint import Endpoint

from . import transport
from .channel import Channel, Line
from .dialler import Dialler
from .interfaces import Interface
from .network import Network, PingAll
from .network.ping_all import PING_ALL_TIMEOUT
from .real_ports import RealPorts
from .session import Session
from .settings import Settings

logger = logging.getLogger("switch_sim")

SETTLE_TIME = 2.0  #: seconds that an application may take to install its first flow entries
MAX_DIALLING = 64  # attempts at a time, so that a listener's queue is not passed
MAX_CLIENTS = 64  # of one listening switch


class Agent:
    """Joins the switches of a network with controllers.

    `clock` gives seconds and does not go back.
    """

    def __init__(
        self,
        network: Network,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.network, self.settings, self.clock = network, settings or Settings(), clock
        self.sessions: dict[Session, Channel] = {}  #: those that are open
        self._open: dict[str, list[Channel]] = {name: [] for name in network.switches}
        self._channels: set[Channel] = set()
        self._dirty: dict[Channel, None] = {}  # channels that have something to write
        self._timers: list[tuple[float, int, Channel]] = []  # a heap; the number breaks ties
        self._armed: tuple[float, object] | None = None
        self._numbers = 0
        self._turning = self._ended = False
        self._turned = asyncio.Event()
        self._storms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[_Listener] = []
        self.dialling = asyncio.Semaphore(MAX_DIALLING)
        self.answering = asyncio.Lock()  #: a channel at a time, so that a turn of the loop is short
        self._dials: set[str] = set()  # switches that dial their controllers
        self._real_ports = RealPorts(network, clock, self.soon)

    # What users do

    @property
    def connected(self) -> set[str]:
        """The names of the switches that have a controller."""
        return {name for name, channels in self._open.items() if channels}

    def dial(self, switch: str, endpoint: Endpoint) -> None:
        """Connect a switch to a controller, and again whenever that ends.

        ValueError, with the cure, where TLS is wanted without the files that it needs.
        """
        context = transport.context(endpoint, self.settings.tls)
        self._dials.add(switch)
        self.network.configure(switch, str(endpoint))
        self._look_for_controller(switch)
        self._start(Dialler(self, switch, endpoint, context).run())

    def listen(self, switch: str, endpoint: Endpoint) -> Endpoint:
        """Let controllers and tools connect to a switch; return the endpoint that was taken.

        OSError or UnicodeError where that cannot be, ValueError where TLS lacks its files.
        """
        context = transport.context(endpoint, self.settings.tls)
        sockets, bound = transport.listen(endpoint)
        listener = _Listener(self, switch, bound, context)
        listener.add_sockets(sockets)
        self._listeners.append(listener)
        self._look_for_controller(switch)
        return bound

    def attach(self, switch: str, port_no: int, interface: Interface) -> None:
        """Give a switch a port on a real interface, which is ours from now on."""
        self._real_ports.attach(switch, port_no, interface)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at whenever the network did something."""
        while not condition():
            await self._turned.wait()

    async def ready(self, timeout: float) -> set[str]:
        """Wait until each switch has a controller and flow entries; return those without one.

        An application that installs nothing is not waited for longer than `SETTLE_TIME`.
        """
        switches = self.network.switches
        try:
            async with asyncio.timeout(timeout):
                await self.until(lambda: len(self.connected) == len(switches))
        except TimeoutError:
            return switches.keys() - self.connected
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_TIME):
                await self.until(lambda: all(map(self.network.flow_count, switches)))
        return set()

    async def ping_all(self, timeout: float = PING_ALL_TIMEOUT) -> PingAll:
        """Let every host ping every other; return what became of it."""
        pings = PingAll(self.network, timeout)
        while not pings.step(self.clock()):
            self.soon()
            await self._turned.wait()
        return pings

    async def close(self) -> None:
        """End all channels and tasks, and give their resources back."""
        self._ended = True
        for listener in self._listeners:
            listener.stop()
        self._real_ports.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._armed is not None:
            IOLoop.current().remove_timeout(self._armed[1])

    # Channels

    def add(self, channel: Channel) -> None:
        """A channel begins."""
        self._channels.add(channel)
        self.schedule(channel)
        self.soon_write(channel)

    def opened(self, channel: Channel, version: Version) -> Session:
        """A channel agreed on a version: its switch has one more session."""
        line = channel.line
        session = self.network.connect(
            line.switch, version, line.uri, main=line.main, auxiliary_id=line.auxiliary_id
        )
        self.sessions[session] = channel
        self._open[channel.switch].append(channel)
        self._look_for_controller(channel.switch)
        self.schedule(channel)
        return session

    def gone(self, channel: Channel) -> None:
        """A channel ended."""
        self._channels.discard(channel)
        self._dirty.pop(channel, None)
        if channel.session is not None and channel.session in self.sessions:
            del self.sessions[channel.session]
            self.network.disconnect(channel.switch, channel.session)
            self._open[channel.switch].remove(channel)
            if not self._ended:
                self._look_for_controller(channel.switch)
        self.soon()

    def _look_for_controller(self, switch: str) -> None:
        """Let a switch stand alone, after a while, if it has no controller.

        OF1.3.5 6.3.2 "Connection Interruption"; also before the first one comes.
        """
        if not self.settings.fail_standalone:
            return
        node, now = self.network.switches[switch], self.clock()
        if any(map(self._is_controller, self._open[switch])):
            if node.alone_from <= now:
                logger.warning("%s: has a controller again", self.name(switch))
            node.alone_from = inf
        elif node.alone_from == inf:
            node.alone_from = now + self.settings.fail_after
            IOLoop.current().call_later(self.settings.fail_after, self._tell_alone, switch)

    def _is_controller(self, channel: Channel) -> bool:
        """Whether it is more than a tool at a switch that dials its controllers."""
        line = channel.line
        return line.main is None and (line.dialled or line.switch not in self._dials)

    def _tell_alone(self, switch: str) -> None:
        if self.network.switches[switch].alone_from <= self.clock() and not self._ended:
            name = self.name(switch)
            logger.warning("%s: has no controller, and forwards as a learning switch", name)

    def route(self) -> None:
        """Bring what switches say to the channels it is meant for."""
        for _, session, message in self.network.messages_to_send():
            if session in self.sessions:
                self.sessions[session].send(message)
        for session, parts in self.network.answers_to_send():
            if session in self.sessions:
                self.sessions[session].answers.append(parts)

    def name(self, switch: str) -> str:
        """Return how the log calls a switch."""
        return f"{switch} (datapath_id {self.network.switches[switch].datapath_id:016x})"

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def serve(self, switch: str, stream: IOStream) -> None:
        """Take a client of a listening switch, if there are not too many."""
        if sum(channel.switch == switch for channel in self._channels) >= MAX_CLIENTS:
            logger.warning("%s: has %d clients, no more are taken", self.name(switch), MAX_CLIENTS)
            stream.close()
            return
        self._start(Channel(self, Line(switch), stream).run())

    # Time

    def soon(self) -> None:
        """Have a turn in this round of the loop."""
        if not self._turning and not self._ended:
            self._turning = True
            IOLoop.current().add_callback(self._turn)

    def soon_write(self, channel: Channel) -> None:
        """Have a turn in which this channel writes."""
        self._dirty[channel] = None
        self.soon()

    def schedule(self, channel: Channel) -> None:
        """Note when a channel is due."""
        at = channel.deadline()
        if at < channel.due:
            channel.due = at
            self._numbers += 1
            heappush(self._timers, (at, self._numbers, channel))

    def _turn(self) -> None:
        """Let frames run, sort messages to channels, write, set the timer."""
        self._turning = False
        if not self._deliver():
            self.soon()
        self._real_ports.send()
        self.route()
        dirty, self._dirty = self._dirty, {}
        for channel in dirty:
            channel.flush()
        self._tell_storms()
        self._set_timer()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    def _deliver(self) -> bool:
        try:
            return self.network.deliver(self.clock())
        except Exception:  # a frame that breaks a switch must not stop the others
            logger.exception("a frame broke the network")
            return False

    def _tell_storms(self) -> None:
        if self.network.storm_count > self._storms:
            if not self._storms or self.network.storm_count // 100 > self._storms // 100:
                logger.warning("%s (storm %d)", self.network.storms[-1], self.network.storm_count)
            self._storms = self.network.storm_count

    def _set_timer(self) -> None:
        times = [self._timers[0][0]] if self._timers else []
        if (due := self.network.deadline()) is not None:
            times.append(due)
        if not times:
            return
        at, loop = min(times), IOLoop.current()
        if self._armed is not None:
            if self._armed[0] <= at:
                return  # it rings too early and is set again
            loop.remove_timeout(self._armed[1])
        self._armed = at, loop.call_later(max(0.0, at - self.clock()), self._ring)

    def _ring(self) -> None:
        self._armed = None
        now = self.clock()
        try:
            self.network.handle_timer(now)
        except Exception:
            logger.exception("a timer broke the network")
        while self._timers and self._timers[0][0] <= now:
            at, _, channel = heappop(self._timers)
            if channel in self._channels and channel.due == at:
                channel.due = inf
                channel.handle_timer(now)
                self.schedule(channel)
        self.soon()


class _Listener(TCPServer):
    """Takes the clients of one switch."""

    def __init__(
        self, agent: Agent, switch: str, endpoint: Endpoint, context: SSLContext | None
    ) -> None:
        super().__init__(ssl_options=context)
        self._agent, self._switch, self._path = agent, switch, endpoint.path

    def stop(self) -> None:
        """Listen no longer; a Unix socket's file goes as well."""
        super().stop()
        if self._path:
            with suppress(FileNotFoundError):  # somebody else took it away
                os.unlink(self._path)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self._agent.serve(self._switch, stream)
