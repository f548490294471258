"""The controller: listens, shakes hands with switches, and runs applications on them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from types import MappingProxyType

from protocol import ALL_VERSIONS, Connection, FeaturesReply, OpenFlowError, Version
from protocol.connection import ECHO_INTERVAL, ECHO_TIMEOUT, HANDSHAKE_TIMEOUT
from protocol.endpoint import Endpoint
from protocol.transport.backoff import backoff
from protocol.transport.tls import TlsFiles

from .app import App, Handlers, names_of
from .auxiliary import main_of
from .channel import Channel
from .cookies import CookieSpaces
from .datapath import Datapath
from .dispatch import run_background
from .listener import Accepted, Listener
from .peer import GONE_TIMEOUT, Peer
from .readiness import Readiness
from .recorder import Recorder
from .returns import Returns
from .secure import Certificates, TlsLayer
from .sockets import dialled, hurry, listening, name_of
from .turns import Turns

logger = logging.getLogger("controller")

LOOK_EVERY = 0.5  # seconds between two looks for handlers that hang
LONGEST_DELAY = 8.0  #: seconds between two attempts to dial a switch, at most


class Duplicates(Enum):
    """Which of two connections with one datapath_id stays.

    A switch that restarted comes back before its old connection is known to be dead: where
    the oldest stays, it waits for that.
    """

    NEWEST = "newest"
    OLDEST = "oldest"


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
        duplicates: Duplicates = Duplicates.NEWEST,
        packet_in_rate: float = 0,
        shares_ports: bool = False,
    ) -> None:
        self.shares_ports = shares_ports  #: with other processes, where it listens
        self.packet_in_rate = packet_in_rate  #: a second and datapath, more are dropped; 0: none
        self.turns, self.returns = Turns(), Returns()
        self.duplicates = duplicates  #: which of two connections with one datapath_id stays
        self.tls = tls  #: for endpoints ssl: and pssl:
        self.recorder, self.readiness = recorder or Recorder(), Readiness()
        names = names_of(apps)
        self.spaces = CookieSpaces(names)
        self.handlers = [
            Handlers(app, name, self.spaces) for app, name in zip(apps, names, strict=True)
        ]
        self.versions = frozenset(versions)
        self.echo_interval, self.echo_timeout = echo_interval, echo_timeout
        self.handshake_timeout = handshake_timeout  #: seconds for hello, and for features
        self._datapaths: dict[int, Datapath] = {}
        self._peers: set[Peer] = set()
        self._by_id: dict[int, Peer] = {}  # the newest of each, until nothing is left of it
        self._listeners: list[Listener] = []
        self._certificates_used: list[Certificates] = []
        self._background: list[asyncio.Task[None]] = []
        self._beside: dict[Handlers, asyncio.Task[None]] = {}  # what applications do beside
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
        sockets, taken = listening(endpoint, self.shares_ports)
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
                await peer.wait_for_end()
                if peer.datapath is not None:
                    delays, told = backoff(LONGEST_DELAY), ""
            await asyncio.sleep(next(delays))

    def _certificates(self, endpoint: Endpoint) -> Certificates | None:
        if not endpoint.secure:
            return None
        if self.tls is None:
            raise ValueError(f"{endpoint} needs --private-key, --certificate and --ca-cert")
        made = Certificates(self.tls, TlsFiles.server if endpoint.listens else TlsFiles.client)
        self._certificates_used.append(made)
        return made

    def reload(self) -> None:
        """Read again what can change while we run: the certificates. Channels stay as they are.

        New connections see to it by themselves; this tells at once whether the files are good.
        """
        if not self._certificates_used:
            logger.info("there are no certificates to read again: no endpoint uses TLS")
        for certificates in self._certificates_used:
            certificates.renew()

    async def close(self) -> None:
        """Stop listening, close all channels, and let the applications' last handlers run."""
        tasks = [*self._background, *self._beside.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._background.clear()
        self._beside.clear()
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
            self._run_beside(self.handlers)
            self._background.append(asyncio.create_task(self._watch_handlers()))

    def _run_beside(self, handlers: Iterable[Handlers]) -> None:
        for one in handlers:
            if one.background:
                self._beside[one] = asyncio.create_task(run_background(one))

    async def exchange(self, apps: Sequence[App]) -> None:
        """Let these applications run from now on, instead of those that did.

        One that is among both goes on undisturbed. One that is new hears of each switch; one
        that leaves hears that each is gone, and its entries are deleted. TypeError if a
        handler is no `async def`; then nothing changes.
        """
        before = {id(one.app): one for one in self.handlers}
        coming = [app for app in apps if id(app) not in before]
        for app in coming:
            Handlers(app)
        kept = [before[id(app)].name for app in apps if id(app) in before]
        names = names_of(coming, kept)
        self.spaces.exchange([*kept, *names])
        new = {
            id(app): Handlers(app, name, self.spaces)
            for app, name in zip(coming, names, strict=True)
        }
        leaving = [one for one in self.handlers if not any(one.app is app for app in apps)]
        self.handlers = [(before | new)[id(app)] for app in apps]
        await self._end_beside(leaving)
        for peer in list(self._peers):
            peer.exchange(self.handlers)
        if self._is_started:
            self._run_beside(new.values())

    async def _end_beside(self, handlers: Iterable[Handlers]) -> None:
        tasks = [task for one in handlers if (task := self._beside.pop(one, None))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GONE_TIMEOUT)

    async def _watch_handlers(self) -> None:
        """See again and again whether a handler hangs, which so costs nothing where it does not."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for peer in list(self._peers):
                for worker in peer.workers:
                    worker.look(loop.time())

    def _accept(self, certificates: Certificates | None, came: Iterable[Accepted]) -> None:
        admit = partial(self._admit, certificates)
        self.readiness.do([(admit, one) for one in came])

    def _admit(self, certificates: Certificates | None, accepted: Accepted) -> None:
        sock, address = accepted
        hurry(sock)
        self._meet(sock, name_of(address), certificates, listens=True)

    def _meet(
        self, sock: socket.socket, name: str, certificates: Certificates | None, *, listens: bool
    ) -> Peer:
        tls = TlsLayer(certificates.context(), listens=listens) if certificates else None
        return Peer(self, Channel(sock, name, self._connection, self.recorder, self.readiness, tls))

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
        """A peer turned out to be this switch; OpenFlowError where another one is and stays.

        Return the peer that was this switch before, as long as anything is left of it.
        """
        older = self._by_id.get(datapath.datapath_id)
        if older is not None and not older.channel.closed:
            self._choose(datapath, older.channel, peer.channel)
        self._by_id[datapath.datapath_id] = peer
        self._datapaths[datapath.datapath_id] = datapath
        return older

    def _choose(self, datapath: Datapath, older: Channel, newer: Channel) -> None:
        """Of two channels with one datapath_id let one stay."""
        stays = "which stays" if self.duplicates is Duplicates.NEWEST else "which is refused"
        line = "%s is connected twice: from %s, and now from %s, %s"
        logger.warning(line, datapath, older.peer, newer.peer, stays)
        if self.duplicates is Duplicates.OLDEST:
            raise OpenFlowError(f"{datapath} is connected already, from {older.peer}")
        older.close("another connection with the same datapath_id took its place")

    def main_of(self, peer: Peer, features: FeaturesReply) -> Peer:
        """Return the main channel of an auxiliary one; OpenFlowError where there is none."""
        return main_of(peer, features, self._by_id)

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
