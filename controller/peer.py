"""What is at the other end of a channel: first anything, then a datapath."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING, TypeGuard

from protocol import (
    Closed,
    ErrorMsg,
    Event,
    FeaturesReply,
    FlowRemoved,
    Message,
    MultipartFlags,
    MultipartReply,
    Opened,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortStatus,
    Unreadable,
    Version,
)

from .app import Handlers
from .channel import Channel
from .datapath import Datapath
from .dispatch import SLICE, Worker
from .handshake import Handshake
from .own_flows import views
from .packet_in_limit import PacketInLimit
from .port_table import PORTS_MAX
from .requests import Requests
from .returns import FREE
from .senders import Senders
from .turns import Turn

if TYPE_CHECKING:
    from .server import Controller

logger = logging.getLogger("controller")

GONE_TIMEOUT = 5.0  #: seconds that a handler has left when its switch is gone
DROPS_TOLD = 1000  # messages dropped between two lines in the log
_PACKET_INS = {PacketIn}
FAULTS_TOLD = 10  # messages of one switch that are not understood and told in the log


def _all_packet_ins(events: Sequence[Event]) -> TypeGuard[Sequence[PacketIn]]:
    if len(events) == 1:  # as often as not, and half a microsecond less
        return type(events[0]) is PacketIn
    return set(map(type, events)) == _PACKET_INS


class Peer:
    """What is at the other end of a channel: first anything, then a datapath."""

    def __init__(self, controller: Controller, channel: Channel) -> None:
        self.controller, self.channel = controller, channel
        self.datapath: Datapath | None = None
        speech = channel.connection
        self.requests = Requests(self._resume, speech.pass_parts, speech.drop_parts)
        self.main: Peer | None = None  #: of an auxiliary channel: the one that it belongs to
        self.auxiliaries: dict[int, Peer] = {}  #: the others of this datapath, by auxiliary_id
        self.workers: list[Worker] = []
        self._at_once = 0  # events that they may do in this turn: others want theirs, too
        self._dismissals: set[asyncio.Task[None]] = set()  # of workers that left
        self._senders = Senders()
        self._has_told_ports = False  # that there are too many
        self.dropped = 0  # messages that found no room
        self.faults = 0  # messages that were not understood
        self._handshake: Handshake | None = None
        self._held: list[Event] | None = None  # while it waits, as it came too often
        self._pause: asyncio.TimerHandle | None = None  # what lets it go on then
        self._has_waited = False
        self._burial: asyncio.Task[None] | None = None
        self.has_ended = False  #: whether the channel is gone
        self._end: asyncio.Future[None] | None = None  # for whoever waits until it is
        controller.add(self)
        channel.start(self)

    @property
    def name(self) -> str:
        """How the log calls it."""
        if self.main is not None:
            return f"{self.main.name}, auxiliary channel from {self.channel.peer}"
        return str(self.datapath) if self.datapath else f"peer {self.channel.peer}"

    @property
    def full(self) -> bool:
        """Whether an application has as many events waiting as it may."""
        return any(worker.full for worker in self.workers)

    @property
    def busy(self) -> bool:
        """Whether reading should wait: unless a handler waits for something to be read."""
        if self.main is not None:
            return self.main.busy
        return (self.full or self.requests.full) and not self.requests.awaited

    def receive(self, events: Sequence[Event]) -> None:
        """Take events of the channel."""
        workers = self.workers
        if workers and _all_packet_ins(events):
            # As most events go, past all that others may need: they answer no request.
            for worker in workers:
                for message in worker.do(events):
                    self._offer(worker, message)
            return
        (self.main or self)._at_once = SLICE
        for event in events:
            if self.has_ended:
                return  # it was closed because of an event before
            self._receive(event)
        self.channel.update_interest()

    def _receive(self, event: Event) -> None:
        if self._held is not None and not isinstance(event, Closed):
            self._held.append(event)
        elif isinstance(event, Message):
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
        """Send a message; return its xid, which no other message to the datapath has."""
        if self.main is not None:
            xid = self.main.channel.connection.reserve_xid()
            return self.channel.connection.send(message, xid)
        return self.channel.connection.send(message)

    def hear(self, message: Message, auxiliary: Peer) -> None:
        """Take a message that came over an auxiliary channel."""
        datapath = self.datapath
        assert datapath is not None
        if isinstance(message, PacketIn):
            datapath.origins.note(message, auxiliary.send)
        if not self.requests.resolve(message):
            self._dispatch(message, datapath)

    def _sent(self, xid: int) -> Message | None:
        for peer in (self, *self.auxiliaries.values()):
            if message := self.controller.recorder.sent(peer.channel.tape, xid):
                return message
        return None

    async def wait_for_end(self) -> None:
        """Wait until the channel is gone."""
        if not self.has_ended:
            self._end = self._end or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._end)

    async def finish(self) -> None:
        """Wait, after the channel closed, until the last handlers are done."""
        if self._burial is not None:
            await self._burial

    def _dispatch(self, message: Message, datapath: Datapath) -> None:
        if isinstance(message, PortStatus):
            for told in datapath.learn_port(message):
                self._tell([told], self.workers)
            self._tell_if_too_many_ports(datapath)
            return
        if isinstance(message, FlowRemoved) and datapath.flow_owners is not None:
            datapath.flow_owners.removed(message)
        elif isinstance(message, MultipartReply) and message.flags & MultipartFlags.MORE:
            return  # it came behind the part with which an answer was cut
        workers = self._who_sent(message) if isinstance(message, ErrorMsg) else self.workers
        self._tell([message], workers)

    def _tell(self, messages: Sequence[Message], workers: Sequence[Worker]) -> None:
        """Let workers do messages of one class."""
        at_once = self._at_once
        self._at_once -= len(messages)
        for worker in workers:
            for message in worker.do(messages, at_once):
                self._offer(worker, message)

    def _offer(self, worker: Worker, message: Message) -> None:
        """Let a worker do a message later, as it cannot be done now."""
        # While a handler awaits an answer we have to read on, whatever else comes.
        is_too_much = worker.overfull or (worker.full and type(message) is PacketIn)
        if is_too_much and self.requests.awaited:
            self._drop()
        else:
            worker.add(message)
            if worker.full:
                self._resume()  # which pauses as well

    def _tell_if_too_many_ports(self, datapath: Datapath) -> None:
        if not (datapath.has_all_ports or self._has_told_ports):
            self._has_told_ports = True
            logger.warning(
                "%s: it has more than %d ports, others are left out", datapath, PORTS_MAX
            )

    def _who_sent(self, error: ErrorMsg) -> Sequence[Worker]:
        """Return the worker of the application that caused an error; all where none is known."""
        who = self._senders.of(error.xid)
        return [one for one in self.workers if who in (one.handlers.space.base, None)]

    def _drop(self) -> None:
        if self.dropped % DROPS_TOLD == 0:
            logger.warning("%s: a handler is too slow, messages are dropped", self.name)
        self.dropped += 1

    def _exceeds_rate(self) -> None:
        rate = self.controller.packet_in_rate
        logger.warning(
            "%s: it brings more than %g packets a second, those above are dropped", self.name, rate
        )

    def _not_understood(self, event: Unreadable) -> None:
        if self.requests and (version := self.channel.connection.version):
            self.requests.unreadable(event, version)
        self.faults += 1
        if self.faults <= FAULTS_TOLD:
            rest = "; others will not be told" if self.faults == FAULTS_TOLD else ""
            logger.warning("%s: a message was not understood: %s%s", self.name, event.error, rest)

    def _resume(self) -> None:
        self.channel.update_interest()
        for auxiliary in self.auxiliaries.values():
            auxiliary.channel.update_interest()

    def _shake_hands(self, version: Version) -> None:
        self._await_features()
        self._handshake = Handshake(version, self.send)

    def _await_features(self) -> None:
        self.channel.expect(self.controller.handshake_timeout)

    def late(self) -> None:
        """Give a switch up that did not tell its features."""
        timeout = self.controller.handshake_timeout
        self.channel.close(f"the switch did not tell its features in {timeout:g} s")

    def _introduce(self, message: Message) -> None:
        if self.main is not None:
            if self._handshake is not None and self._handshake.answers_ports(message):
                self._handshake = None  # they are those of the main channel
            else:
                self.main.hear(message, self)
            return
        assert self._handshake is not None
        if isinstance(message, FeaturesReply) and self._has_to_wait(message):
            return
        try:
            told = self._handshake.receive(message)
            if told and told[0].auxiliary_id:
                self._assist(told[0])
            elif told:
                self._ready(*told)
        except OpenFlowError as error:
            self.channel.close(f"the handshake failed: {error}")

    def _has_to_wait(self, features: FeaturesReply) -> bool:
        """Return whether a switch waits, as it came back too often; then it goes on by itself."""
        if features.auxiliary_id or not features.datapath_id or self._has_waited:
            return False
        self._has_waited = True
        pause = self.controller.returns.note(features.datapath_id, time())
        if not pause.seconds:
            return False
        if pause.is_first:
            line = "datapath %#018x: it came %d times within a short time; now it waits each time"
            logger.warning(line, features.datapath_id, FREE + 1)
        self._held = [features]
        self.channel.rest(pause.seconds)
        self.channel.expect_nothing()
        self._pause = asyncio.get_running_loop().call_later(pause.seconds, self._go_on)
        return True

    def _go_on(self) -> None:
        """Take what came before the switch had to wait."""
        held, self._held = self._held, None
        self._await_features()
        self.receive(held or [])

    def _assist(self, features: FeaturesReply) -> None:
        """Belong to a main channel from now on; OpenFlowError where there is none for it."""
        main, number = self.controller.main_of(self, features), features.auxiliary_id
        self._introduced(features)
        self.channel.turn, self.channel.limit = main.channel.turn, main.channel.limit
        if older := main.auxiliaries.get(number):
            older.channel.close(f"another auxiliary channel {number} took its place")
        self.main, main.auxiliaries[number] = main, self
        logger.info("%s: number %d is ready", self.name, number)

    def _introduced(self, features: FeaturesReply) -> None:
        self.channel.expect_nothing()
        self.channel.tape.datapath_id = features.datapath_id

    def _ready(self, features: FeaturesReply, ports: Sequence[PortDesc]) -> None:
        version = self.channel.connection.version
        assert version is not None
        datapath = Datapath(
            features,
            ports,
            version,
            self.channel.connection.send,
            self.requests,
            self._sent,
            self.channel.peer,
        )
        older = self.controller.ready(self, datapath)
        self.datapath, self._handshake = datapath, None
        self._introduced(features)
        now, rate = time(), self.controller.packet_in_rate
        self.channel.turn = Turn(self.controller.turns, now)
        if rate:
            self.channel.limit = PacketInLimit(rate, now, self._exceeds_rate)
        logger.info(
            "%s: ready, OpenFlow %s, %d ports, from %s",
            self.datapath,
            version,
            len(self.datapath.ports),
            self.channel.peer,
        )
        self._tell_if_too_many_ports(datapath)
        before = {one.handlers.name: one.task for one in older.workers} if older else {}
        self.workers = self._employ(self.controller.handlers, before)

    def _employ(
        self, handlers: Sequence[Handlers], before: Mapping[str, asyncio.Task[None]]
    ) -> list[Worker]:
        """Return workers for applications; each begins after what was `before` of its name."""
        assert self.datapath is not None
        spaces = self.controller.spaces
        seen = views(self.datapath, spaces, [one.space for one in handlers], self._senders)
        return [
            Worker(one, view, self._resume, before.get(one.name))
            for one, view in zip(handlers, seen, strict=True)
        ]

    def exchange(self, handlers: Sequence[Handlers]) -> None:
        """Let other applications run from now on; those that stay go on undisturbed.

        One that leaves hears that the switch is gone; then its entries are deleted, and only
        then one that comes with the same name begins.
        """
        if self.datapath is None or self.main is not None or self.has_ended:
            return
        staying = {one.handlers: one for one in self.workers if one.handlers in handlers}
        leaving = [one for one in self.workers if one.handlers not in staying]
        ends = {one.handlers.name: self._dismissal(one) for one in leaving}
        coming = [one for one in handlers if one not in staying]
        was_noted = self.datapath.flow_owners is not None
        by_handlers = staying | dict(zip(coming, self._employ(coming, ends), strict=True))
        self.workers = [by_handlers[one] for one in handlers]
        if not was_noted and (owners := self.datapath.flow_owners):
            owners.complete = not staying
            self._note(list(staying.values()))
        self._resume()

    def _note(self, workers: Sequence[Worker]) -> None:
        """Note from now on what applications send that ran alone up to now."""
        assert self.datapath is not None
        spaces = [one.handlers.space for one in workers]
        seen = views(self.datapath, self.controller.spaces, spaces, self._senders)
        for worker, view in zip(workers, seen, strict=True):
            worker.datapath.send_as(view)

    def _dismissal(self, worker: Worker) -> asyncio.Task[None]:
        task = asyncio.create_task(self._dismiss(worker))
        self._dismissals.add(task)
        task.add_done_callback(self._dismissals.discard)
        return task

    async def _dismiss(self, worker: Worker) -> None:
        """Let an application's last handler run, and delete its entries."""
        worker.close()
        await self._wait_for({worker.task})
        with suppress(OpenFlowError):  # the channel may be gone by now
            worker.datapath.delete_flows()
        worker.datapath.retire()

    def _closed(self, event: Closed) -> None:
        logger.info("%s: closed: %s", self.name, event.reason)
        if self._pause is not None:
            self._pause.cancel()
        self.has_ended = True
        if self._end is not None and not self._end.done():
            self._end.set_result(None)
        if dropped := self.channel.connection.packet_ins_dropped:
            logger.info("%s: %d packets were dropped that came too fast", self.name, dropped)
        if self.main is not None:
            self._desert(self.main)
        elif self.channel.turn is not None:
            self.channel.turn.close()
        for auxiliary in list(self.auxiliaries.values()):
            auxiliary.channel.close("its main channel ended")
        self.requests.close(event.reason)
        self.controller.gone(self)
        for worker in self.workers:
            worker.close()
        self._burial = asyncio.create_task(self._bury())

    def _desert(self, main: Peer) -> None:
        """Belong to a main channel no more."""
        main.auxiliaries = {key: one for key, one in main.auxiliaries.items() if one is not self}
        if main.datapath is not None:
            main.datapath.origins.forget(self.send)

    async def _bury(self) -> None:
        """Let the last handlers run."""
        await self._wait_for({worker.task for worker in self.workers} | self._dismissals)
        self.controller.forget(self)

    async def _wait_for(self, late: set[asyncio.Task[None]]) -> None:
        """Let handlers come to their end, but not for ever."""
        for _ in range(3):  # for the handler that ran, for `switch_gone`, for what resists
            if late:
                _, late = await asyncio.wait(late, timeout=GONE_TIMEOUT)
            for task in late:
                logger.warning("%s: a handler does not end, it is cancelled", self.name)
                task.cancel()
