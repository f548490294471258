"""The controller: listens, shakes hands with switches, and runs applications on them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from protocol import (
    ALL_VERSIONS,
    Closed,
    Connection,
    Event,
    FeaturesReply,
    Message,
    Opened,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortStatus,
    Unreadable,
    Version,
)
from protocol.connection import ECHO_INTERVAL, ECHO_TIMEOUT, HANDSHAKE_TIMEOUT
from protocol.endpoint import Endpoint
from protocol.transport.backoff import backoff
from protocol.transport.tls import TlsFiles

from .app import App, Handlers
from .channel import Channel
from .datapath import Datapath
from .dispatch import Worker, run_background
from .handshake import Handshake
from .listener import Listener
from .recorder import Recorder
from .requests import Requests
from .secure import Certificates, TlsLayer
from .sockets import dialled, hurry, listening, name_of

logger = logging.getLogger("controller")

LONGEST_DELAY = 8.0  #: seconds between two attempts to dial a switch, at most
GONE_TIMEOUT = 5.0  #: seconds that a handler has left when its switch is gone
DROPS_TOLD = 1000  # messages dropped between two lines in the log
FAULTS_TOLD = 10  # messages of one switch that are not understood and told in the log


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
        echo_timeout: float = ECHO_TIMEOUT,
        handshake_timeout: float = HANDSHAKE_TIMEOUT,
        recorder: Recorder | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self.tls = tls  #: for endpoints ssl: and pssl:
        self.recorder = recorder or Recorder()
        self.handlers = [Handlers(app) for app in apps]
        self.versions = frozenset(versions)
        self.echo_interval, self.echo_timeout = echo_interval, echo_timeout
        self.handshake_timeout = handshake_timeout  #: seconds for hello, and for features
        self._datapaths: dict[int, Datapath] = {}
        self._peers: set[Peer] = set()
        self._by_id: dict[int, Peer] = {}  # the newest of each, until nothing is left of it
        self._listeners: list[Listener] = []
        self._background: list[asyncio.Task[None]] = []
        self._is_started = False

    @property
    def datapaths(self) -> Mapping[int, Datapath]:
        """The switches that finished their handshake, by datapath_id."""
        return MappingProxyType(self._datapaths)

    async def listen(self, endpoint: Endpoint) -> Endpoint:
        """Accept switches there; return the endpoint with the port that was taken.

        OSError where that cannot be; ValueError, with the cure, where the endpoint dials, or
        where TLS lacks something.
        """
        certificates = self._certificates(endpoint)
        sockets, taken = listening(endpoint)
        self._start_background()
        self._listeners.append(Listener(sockets, partial(self._accept, certificates)))
        return taken

    def dial(self, endpoint: Endpoint) -> None:
        """Connect to a switch that listens, and again whenever that ends.

        ValueError, with the cure, where the endpoint listens, or where TLS lacks something.
        """
        if endpoint.listens:
            raise ValueError(f"{endpoint} listens; a controller dials tcp:, ssl: or unix:")
        certificates = self._certificates(endpoint)
        self._start_background()
        self._background.append(asyncio.create_task(self._keep_dialling(endpoint, certificates)))

    async def _keep_dialling(self, endpoint: Endpoint, certificates: Certificates | None) -> None:
        delays, told = backoff(LONGEST_DELAY), ""
        while True:
            try:
                sock = await dialled(endpoint)
            except (OSError, UnicodeError) as error:  # the latter for names that cannot be
                fault = getattr(error, "strerror", None) or str(error) or "no answer in time"
                if fault != told:
                    logger.warning("cannot reach %s: %s", endpoint, fault)
                told = fault
            else:
                hurry(sock)
                peer = self._meet(sock, str(endpoint), certificates, listens=False)
                await peer.ended.wait()
                if peer.datapath is not None:
                    delays, told = backoff(LONGEST_DELAY), ""
            await asyncio.sleep(next(delays))

    def _certificates(self, endpoint: Endpoint) -> Certificates | None:
        if not endpoint.secure:
            return None
        if self.tls is None:
            raise ValueError(f"{endpoint} needs --private-key, --certificate and --ca-cert")
        return Certificates(self.tls, TlsFiles.server if endpoint.listens else TlsFiles.client)

    async def close(self) -> None:
        """Stop listening, close all channels, and let the applications' last handlers run."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._background.clear()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        peers = list(self._peers)
        for peer in peers:
            peer.channel.close("the controller stops")
        await asyncio.gather(*(peer.finish() for peer in peers))

    def _start_background(self) -> None:
        if not self._is_started:
            self._is_started = True
            running = [one for one in self.handlers if one.background]
            self._background += [asyncio.create_task(run_background(one)) for one in running]

    def _accept(self, certificates: Certificates | None, sock: socket.socket, address: Any) -> None:
        hurry(sock)
        self._meet(sock, name_of(address), certificates, listens=True)

    def _meet(
        self, sock: socket.socket, name: str, certificates: Certificates | None, *, listens: bool
    ) -> Peer:
        tls = TlsLayer(certificates.context(), listens=listens) if certificates else None
        return Peer(self, Channel(sock, name, self._connection, self.recorder, tls))

    def _connection(self, now: float) -> Connection:
        return Connection(
            now,
            self.versions,
            handshake_timeout=self.handshake_timeout,
            echo_interval=self.echo_interval,
            echo_timeout=self.echo_timeout,
        )

    # What a peer tells of itself

    def add(self, peer: Peer) -> None:
        """A connection came."""
        self._peers.add(peer)

    def ready(self, peer: Peer, datapath: Datapath) -> Peer | None:
        """A peer turned out to be this switch. Of two with one datapath_id the newer stays.

        Return the peer that was this switch before, as long as anything is left of it.
        """
        older = self._by_id.get(datapath.datapath_id)
        if older is not None and not older.channel.closed:
            logger.warning(
                "%s is connected twice: from %s, and now from %s, which stays",
                datapath,
                older.channel.peer,
                peer.channel.peer,
            )
            older.channel.close("another connection with the same datapath_id took its place")
        self._by_id[datapath.datapath_id] = peer
        self._datapaths[datapath.datapath_id] = datapath
        return older

    def gone(self, peer: Peer) -> None:
        """A connection ended."""
        datapath = peer.datapath
        if datapath is not None and self._by_id.get(datapath.datapath_id) is peer:
            del self._datapaths[datapath.datapath_id]

    def forget(self, peer: Peer) -> None:
        """Nothing of a connection is left."""
        self._peers.discard(peer)
        datapath = peer.datapath
        if datapath is not None and self._by_id.get(datapath.datapath_id) is peer:
            del self._by_id[datapath.datapath_id]


class Peer:
    """What is at the other end of a channel: first anything, then a datapath."""

    def __init__(self, controller: Controller, channel: Channel) -> None:
        self.controller, self.channel = controller, channel
        self.datapath: Datapath | None = None
        self.requests = Requests(channel.update_interest)
        self.workers: list[Worker] = []
        self.dropped = 0  # messages that found no room
        self.faults = 0  # messages that were not understood
        self._handshake: Handshake | None = None
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._burial: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()  #: set when the channel is gone
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
            if self.datapath is None:
                self._introduce(event)
            elif not (self.requests and self.requests.resolve(event)):
                self._dispatch(event, self.datapath)
        elif isinstance(event, Opened):
            self._shake_hands(event.version)
        elif isinstance(event, Unreadable):
            self._not_understood(event)
        else:
            self._closed(event)

    def send(self, message: Message) -> int:
        """Send a message; return its xid."""
        return self.channel.send(message)

    def _sent(self, xid: int) -> Message | None:
        return self.controller.recorder.sent(self.channel.tape, xid)

    async def finish(self) -> None:
        """Wait, after the channel closed, until the last handlers are done."""
        if self._burial is not None:
            await self._burial

    def _dispatch(self, message: Message, datapath: Datapath) -> None:
        if isinstance(message, PortStatus):
            datapath.learn_port(message)
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

    def _not_understood(self, event: Unreadable) -> None:
        self.faults += 1
        if self.faults <= FAULTS_TOLD:
            rest = "; others will not be told" if self.faults == FAULTS_TOLD else ""
            logger.warning("%s: a message was not understood: %s%s", self.name, event.error, rest)

    def _resume(self) -> None:
        self.channel.update_interest()

    def _shake_hands(self, version: Version) -> None:
        timeout = self.controller.handshake_timeout
        loop = asyncio.get_running_loop()
        self._handshake_timer = loop.call_later(timeout, self._late, timeout)
        self._handshake = Handshake(version, self.send)

    def _late(self, timeout: float) -> None:
        self.channel.close(f"the switch did not tell its features in {timeout:g} s")

    def _introduce(self, message: Message) -> None:
        assert self._handshake is not None
        try:
            told = self._handshake.receive(message)
        except OpenFlowError as error:
            self.channel.close(f"the handshake failed: {error}")
            return
        if told:
            self._ready(*told)

    def _ready(self, features: FeaturesReply, ports: Sequence[PortDesc]) -> None:
        assert self._handshake_timer is not None
        self._handshake_timer.cancel()
        version = self.channel.connection.version
        assert version is not None
        self.datapath = Datapath(
            features, ports, version, self.send, self.requests, self._sent, self.channel.peer
        )
        self.channel.tape.datapath_id = features.datapath_id
        older = self.controller.ready(self, self.datapath)
        logger.info(
            "%s: ready, OpenFlow %s, %d ports, from %s",
            self.datapath,
            version,
            len(self.datapath.ports),
            self.channel.peer,
        )
        handlers = self.controller.handlers
        before = [worker.task for worker in older.workers] if older else [None] * len(handlers)
        self.workers = [
            Worker(one, self.datapath, self._resume, after)
            for one, after in zip(handlers, before, strict=True)
        ]

    def _closed(self, event: Closed) -> None:
        logger.info("%s: closed: %s", self.name, event.reason)
        if self._handshake_timer:
            self._handshake_timer.cancel()
        self.ended.set()
        self.requests.close(event.reason)
        self.controller.gone(self)
        for worker in self.workers:
            worker.close()
        self._burial = asyncio.create_task(self._bury())

    async def _bury(self) -> None:
        """Let the last handlers run, but not for ever."""
        late = {worker.task for worker in self.workers}
        for _ in range(3):  # for the handler that ran, for `switch_gone`, for what resists
            if late:
                _, late = await asyncio.wait(late, timeout=GONE_TIMEOUT)
            for task in late:
                logger.warning("%s: a handler does not end, it is cancelled", self.name)
                task.cancel()
        self.controller.forget(self)
