"""The controller: listens, shakes hands with switches, and runs applications on them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from tornado.netutil import add_accept_handler, bind_sockets

from protocol import (
    ALL_VERSIONS,
    OF13,
    Closed,
    Connection,
    Event,
    FeaturesReply,
    FeaturesRequest,
    Message,
    Opened,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortStatus,
    RequestError,
    Unreadable,
    Version,
)
from protocol.connection import ECHO_INTERVAL
from protocol.endpoint import Endpoint

from .app import App, Handlers
from .channel import Channel
from .datapath import Datapath
from .dispatch import Worker
from .requests import Requests

logger = logging.getLogger("controller")

M = TypeVar("M", bound=Message)

BACKLOG = 4096  #: connections that may wait to be accepted when many switches come at once
HANDSHAKE_TIMEOUT = 5.0  #: seconds in which a switch must tell its features
GONE_TIMEOUT = 5.0  #: seconds that handlers have left when their switch is gone
DROPS_TOLD = 1000  # messages dropped between two lines in the log


class Controller:
    """Switches connect to it; each application gets each datapath's events.

    Several applications run side by side, each at its own pace.
    """

    def __init__(
        self,
        apps: Sequence[App],
        *,
        versions: Iterable[Version] = ALL_VERSIONS,
        echo_interval: float = ECHO_INTERVAL,
    ) -> None:
        self.handlers = [Handlers(app) for app in apps]
        self.versions, self.echo_interval = frozenset(versions), echo_interval
        self._datapaths: dict[int, Datapath] = {}
        self._peers: set[Peer] = set()
        self._by_id: dict[int, Peer] = {}
        self._listeners: list[tuple[list[socket.socket], list[object]]] = []

    @property
    def datapaths(self) -> Mapping[int, Datapath]:
        """The switches that finished their handshake, by datapath_id."""
        return MappingProxyType(self._datapaths)

    async def listen(self, endpoint: Endpoint) -> Endpoint:
        """Accept switches there; return the endpoint with the port that was taken.

        OSError where that cannot be.
        """
        if not endpoint.listens:
            raise ValueError(f"{endpoint} dials; a controller listens at ptcp:PORT[:HOST]")
        sockets = bind_sockets(endpoint.port, endpoint.host, backlog=BACKLOG)
        stops = [add_accept_handler(one, self._accept) for one in sockets]
        self._listeners.append((sockets, list(stops)))
        port = sockets[0].getsockname()[1]
        return Endpoint(endpoint.kind, endpoint.host, port)

    async def close(self) -> None:
        """Stop listening, close all channels, and let the applications' last handlers run."""
        for sockets, stops in self._listeners:
            for stop in stops:
                stop()  # type: ignore[operator]
            for one in sockets:
                one.close()
        self._listeners.clear()
        peers = list(self._peers)
        for peer in peers:
            peer.channel.close("the controller stops")
        await asyncio.gather(*(peer.finish() for peer in peers))

    def _accept(self, sock: socket.socket, address: tuple[str, int]) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Peer(self, Channel(sock, f"{address[0]}:{address[1]}", self._connection))

    def _connection(self, now: float) -> Connection:
        return Connection(now, self.versions, echo_interval=self.echo_interval)

    # What a peer tells of itself

    def add(self, peer: Peer) -> None:
        """A connection came."""
        self._peers.add(peer)

    def ready(self, peer: Peer, datapath: Datapath) -> None:
        """A peer turned out to be this switch. Of two with one datapath_id the newer stays."""
        older = self._by_id.get(datapath.datapath_id)
        if older is not None:
            logger.warning(
                "%s is connected twice: from %s, and now from %s, which stays",
                datapath,
                older.channel.peer,
                peer.channel.peer,
            )
            older.channel.close("another connection with the same datapath_id took its place")
        self._by_id[datapath.datapath_id] = peer
        self._datapaths[datapath.datapath_id] = datapath

    def gone(self, peer: Peer) -> None:
        """A connection ended."""
        datapath = peer.datapath
        if datapath is not None and self._by_id.get(datapath.datapath_id) is peer:
            del self._by_id[datapath.datapath_id]
            del self._datapaths[datapath.datapath_id]

    def forget(self, peer: Peer) -> None:
        """Nothing of a connection is left."""
        self._peers.discard(peer)


class Peer:
    """What is at the other end of a channel: first anything, then a datapath."""

    def __init__(self, controller: Controller, channel: Channel) -> None:
        self.controller, self.channel = controller, channel
        self.datapath: Datapath | None = None
        self.requests = Requests(channel.update_interest)
        self.workers: list[Worker] = []
        self.dropped = 0  # messages that found no room
        self._handshake: asyncio.Task[None] | None = None
        self._burial: asyncio.Task[None] | None = None
        controller.add(self)
        channel.start(self)

    @property
    def name(self) -> str:
        """How the log calls it."""
        return str(self.datapath) if self.datapath else f"peer {self.channel.peer}"

    @property
    def full(self) -> bool:
        """Whether an application has as many events waiting as it may."""
        return any(worker.full for worker in self.workers)

    @property
    def busy(self) -> bool:
        """Whether reading should wait: unless a handler waits for something to be read."""
        return self.full and not self.requests

    def receive(self, event: Event) -> None:
        """Take an event of the channel."""
        if isinstance(event, Message):
            if not (self.requests and self.requests.resolve(event)):
                self._dispatch(event)
        elif isinstance(event, Opened):
            self._handshake = asyncio.create_task(self._shake_hands(event.version))
        elif isinstance(event, Unreadable):
            logger.warning("%s: a message was not understood: %s", self.name, event.error)
        else:
            self._closed(event)

    def send(self, message: Message) -> int:
        """Send a message; return its xid."""
        return self.channel.send(message)

    async def finish(self) -> None:
        """Wait, after the channel closed, until the last handlers are done."""
        if self._burial is not None:
            await self._burial

    def _dispatch(self, message: Message) -> None:
        if self.datapath is None:
            return  # nobody asked for it before the handshake was done
        if isinstance(message, PortStatus):
            self.datapath.learn_port(message)
        for worker in self.workers:
            # While a handler awaits an answer we have to read on, whatever else comes.
            if self.requests and (worker.overfull or (worker.full and type(message) is PacketIn)):
                self._drop()
            else:
                worker.add(message)

    def _drop(self) -> None:
        if self.dropped % DROPS_TOLD == 0:
            logger.warning("%s: a handler is too slow, messages are dropped", self.name)
        self.dropped += 1

    def _resume(self) -> None:
        self.channel.update_interest()

    async def _shake_hands(self, version: Version) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT):
                features, ports = await self._introduction(version)
        except TimeoutError:
            self.channel.close(f"the switch did not tell its features in {HANDSHAKE_TIMEOUT:g} s")
        except OpenFlowError as error:
            self.channel.close(f"the handshake failed: {error}")
        else:
            self._ready(features, ports, version)

    async def _introduction(self, version: Version) -> tuple[FeaturesReply, Sequence[PortDesc]]:
        """Ask the switch who it is; since OF1.3 its ports have a message of their own."""
        features = await self._ask(FeaturesRequest(), FeaturesReply)
        if version < OF13:
            return features, features.ports
        try:
            reply = await self._ask(PortDescRequest(), PortDescReply)
        except RequestError as error:
            logger.warning("%s: does not tell its ports: %s", self.name, error)
            return features, ()
        return features, reply.ports

    async def _ask(self, message: Message, answer: type[M]) -> M:
        reply = await self.requests.answer(self.send(message), HANDSHAKE_TIMEOUT)
        if not isinstance(reply, answer):
            raise OpenFlowError(f"{type(reply).__name__} answers no {type(message).__name__}")
        return reply

    def _ready(self, features: FeaturesReply, ports: Sequence[PortDesc], version: Version) -> None:
        if self.channel.closed:
            return
        self.datapath = Datapath(features, ports, version, self.send, self.requests)
        self.controller.ready(self, self.datapath)
        logger.info(
            "%s: ready, OpenFlow %s, %d ports, from %s",
            self.datapath,
            version,
            len(self.datapath.ports),
            self.channel.peer,
        )
        self.workers = [
            Worker(handlers, self.datapath, self._resume) for handlers in self.controller.handlers
        ]

    def _closed(self, event: Closed) -> None:
        logger.info("%s: closed: %s", self.name, event.reason)
        if self._handshake:
            self._handshake.cancel()
        self.requests.close(event.reason)
        self.controller.gone(self)
        for worker in self.workers:
            worker.close()
        self._burial = asyncio.create_task(self._bury())

    async def _bury(self) -> None:
        """Let the last handlers run, but not for ever."""
        if tasks := [worker.task for worker in self.workers]:
            _, late = await asyncio.wait(tasks, timeout=GONE_TIMEOUT)
            for task in late:
                logger.warning("%s: a handler does not end, it is cancelled", self.name)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.controller.forget(self)
