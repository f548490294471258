"""Datapath: a switch as applications see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Self, TypeVar, overload

from protocol import (
    BarrierReply,
    BarrierRequest,
    ChannelClosed,
    FeaturesReply,
    Message,
    MultipartReply,
    MultipartRequest,
    OpenFlowError,
    PortDesc,
    PortStatus,
    Version,
)
from protocol.bundles import BundleAdd, BundleControl, BundleControlType, BundleFlags
from protocol.nicira import messages as nicira
from protocol.roles import Role, RoleReply, RoleRequest

from .auxiliary import Origins, Send
from .inquiries import Inquiries
from .orders import Orders
from .own_flows import OwnFlows
from .port_table import PortTable
from .requests import REQUEST_TIMEOUT, Requests

if TYPE_CHECKING:
    from .cookies import CookieSpace, CookieSpaces
    from .flow_owners import FlowOwners

M = TypeVar("M", bound=Message)
P = TypeVar("P", bound=MultipartReply)

_NICIRA_ROLES = {
    Role.EQUAL: nicira.Role.OTHER,
    Role.MASTER: nicira.Role.PRIMARY,
    Role.SLAVE: nicira.Role.SECONDARY,
}


class Bundle(Orders):
    """Messages that a switch is to do together."""

    def __init__(self, datapath: Datapath) -> None:
        self.version, self.ports = datapath.version, datapath.ports
        self.n_tables = datapath.n_tables
        self.messages: list[Message] = []
        self._take = self._pass = _collecting(self.messages, self.version)
        self._name = f"a bundle for {datapath}"

    def __str__(self) -> str:
        return self._name


def _collecting(messages: list[Message], version: Version) -> Send:
    def collect(message: Message) -> int:
        message.encode(version)  # for its EncodeError
        messages.append(message)
        return len(messages)

    return collect


def _not_noted(send: Send) -> Send:
    return send


class Datapath(Inquiries):
    """A switch that finished its handshake.

    Whatever is sent goes out in order, together with all else of the same turn of the loop.
    """

    def __init__(
        self,
        features: FeaturesReply,
        ports: Iterable[PortDesc],
        version: Version,
        send: Callable[[Message], int],
        requests: Requests,
        sent: Callable[[int], Message | None] = lambda xid: None,
        peer: str = "",
    ) -> None:
        self.features = features
        self.datapath_id = features.datapath_id  #: the switch's number, 64 bits
        self.version, self.n_tables = version, features.n_tables
        self._port_table = PortTable(ports)
        self.ports: dict[int, PortDesc] = self._port_table.ports
        self.peer = peer  #: the address that it connects from
        self.origins: Origins = Origins()
        self._noting: Callable[[Send], Send] = _not_noted
        self._take, self._pass, self._requests, self._sent = send, send, requests, sent
        self._bundle_ids = count(1)  # each of the next bundle
        self.flow_owners: FlowOwners | None = None  #: whose entries are whose, if that is noted

    def seen_by(
        self,
        space: CookieSpace,
        spaces: CookieSpaces,
        owners: FlowOwners | None,
        noting: Callable[[Send], Send] = _not_noted,
    ) -> Self:
        """Return this switch as one of some applications sees it.

        `owners` notes whose entries are whose, and what `noting` makes of a way to send who
        sent what, where that is wanted. What changes must lie in objects, as `ports` does,
        which all who see the switch share.
        """
        view = type(self).__new__(type(self))
        # One by one: to ask for a dict of all of them would give this switch a slower one.
        view.features, view.datapath_id, view.peer = self.features, self.datapath_id, self.peer
        view.version, view.n_tables, view.ports = self.version, self.n_tables, self.ports
        view._port_table, view.origins = self._port_table, self.origins
        view._requests, view._sent, view._noting = self._requests, self._sent, noting
        view._bundle_ids, view.flow_owners = self._bundle_ids, self.flow_owners
        own = OwnFlows(space, spaces, owners, noting(self._take), self)
        view.cookie_base = space.base
        view._take, view._pass = own.take, own.passing()
        return view

    def send_as(self, other: Datapath) -> None:
        """Send from now on as another view of the same switch does."""
        self._take, self._pass, self._noting = other._take, other._pass, other._noting

    def retire(self) -> None:
        """Let nothing more be sent by who sees the switch so: an application that ended."""

        def refuse(message: Message) -> int:
            raise ChannelClosed("this application does not run any more")

        self._take = self._pass = refuse

    def __str__(self) -> str:
        return f"datapath {self.datapath_id:#018x}"

    def __repr__(self) -> str:
        return f"<Datapath {self.datapath_id:#x}, OpenFlow {self.version}>"

    @overload
    async def request(self, message: Message, *, timeout: float = ...) -> Message: ...
    @overload
    async def request(self, message: Message, answer: type[M], *, timeout: float = ...) -> M: ...

    async def request(
        self,
        message: Message,
        answer: type[Message] = Message,
        *,
        timeout: float = REQUEST_TIMEOUT,
    ) -> Message:
        """Send a request and return its answer, with all parts of a multipart answer.

        `answer` is the class that the answer must have. RequestError if the switch refuses
        the request, RequestTimeout after `timeout` seconds, ChannelClosed if the channel
        ends or has ended; another OpenFlowError if it answers with another message, with what
        cannot be read, or without end (`Gatherer.MAX_GATHERED` bytes).
        """
        reply = await self._requests.answer(self.send(message), timeout)
        if not isinstance(reply, answer):
            raise self._wrong_answer(message, reply)
        return reply

    async def stream(
        self, request: MultipartRequest, answer: type[P], *, timeout: float = REQUEST_TIMEOUT
    ) -> AsyncGenerator[P, None]:
        """Send a request and yield its answer part by part, as `request` would raise.

            async for part in datapath.stream(FlowStatsRequest(), FlowStatsReply):
                for entry in part.flows: …

        Parts that are not taken wait, `streams.ENTRIES_PAUSE` entries of them; then the switch
        is not read from, unless another answer of it is awaited meanwhile: above
        `streams.ENTRIES_MAX` entries OpenFlowError ends the answer. `timeout` is for each part.
        What comes after the loop was left is dropped.
        """
        async with aclosing(self._requests.parts(self.send(request), timeout)) as parts:
            async for part in parts:
                if not isinstance(part, answer):
                    raise self._wrong_answer(request, part)
                yield part

    def _wrong_answer(self, asked: Message, answered: Message) -> OpenFlowError:
        return OpenFlowError(
            f"{self} answered {type(asked).__name__} with {type(answered).__name__}"
        )

    async def confirm(self, *messages: Message, timeout: float = REQUEST_TIMEOUT) -> None:
        """Send messages that have no answer, and wait until the switch has done them.

        RequestError, with the switch's error, if it refuses one; others may be done then.
        RequestTimeout and ChannelClosed as with `request`.
        """
        async with self._requests.refusals([self.send(one) for one in messages]):
            await self.barrier(timeout=timeout)

    def sent(self, xid: int) -> Message | None:
        """Return what was sent with this xid, None where that is not recorded any more."""
        return self._sent(xid)

    @asynccontextmanager
    async def bundle(self, *, timeout: float = REQUEST_TIMEOUT) -> AsyncIterator[Bundle]:
        """Let the switch do all that is said in the block together, when it ends, or nothing.

            async with datapath.bundle() as bundle:
                bundle.add_flow(…)
                bundle.delete_flows(…)

        Where the version has no bundles (before OF1.4), the messages are sent together and
        a barrier follows: then all but the refused ones are done. RequestError if the switch
        refuses one; what the block raises lets nothing be sent.
        """
        bundle = Bundle(self)
        yield bundle
        if not self.speaks(BundleControl):
            await self.confirm(*bundle.messages, timeout=timeout)
        elif bundle.messages:
            await self._commit(bundle.messages, timeout)

    async def _commit(self, messages: Sequence[Message], timeout: float) -> None:
        number = next(self._bundle_ids) & 0xFFFF_FFFF
        flags = BundleFlags.ATOMIC | BundleFlags.ORDERED

        async def control(kind: BundleControlType) -> None:
            await self.request(BundleControl(number, kind, flags), BundleControl, timeout=timeout)

        await control(BundleControlType.OPEN_REQUEST)
        adds = [self.send(BundleAdd(number, one, flags)) for one in messages]
        try:
            async with self._requests.refusals(adds):
                # The refusal of a message says more than that of the bundle which holds it.
                await self.barrier(timeout=timeout)
            async with self._requests.refusals(adds):
                await control(BundleControlType.COMMIT_REQUEST)
        except OpenFlowError:
            with suppress(OpenFlowError):  # the switch may have discarded it itself
                await control(BundleControlType.DISCARD_REQUEST)
            raise

    async def set_role(
        self, role: Role, generation_id: int = 0, *, timeout: float = REQUEST_TIMEOUT
    ) -> Role:
        """Become master, slave or equal of the switch; return what it says we are now.

        `generation_id` rises with each election of a master; RequestError where it is older
        than one that the switch has seen (OF1.3.5 6.3.5 "Multiple Controllers"). Before OF1.2
        Nicira's roles are used, which have no generations.
        """
        if self.speaks(RoleRequest):
            asked = RoleRequest(role, generation_id)
            return Role((await self.request(asked, RoleReply, timeout=timeout)).role)
        theirs = nicira.RoleRequest(_NICIRA_ROLES[role])
        reply = await self.request(theirs, nicira.RoleReply, timeout=timeout)
        return next(ours for ours, one in _NICIRA_ROLES.items() if one == reply.role)

    async def barrier(self, *, timeout: float = REQUEST_TIMEOUT) -> None:
        """Wait until the switch has done all that was sent before."""
        await self.request(BarrierRequest(), BarrierReply, timeout=timeout)

    def learn_port(self, message: PortStatus) -> list[PortStatus]:
        """Keep `ports` up to date; return what to tell, see `PortTable.learn`."""
        return self._port_table.learn(message)

    @property
    def has_all_ports(self) -> bool:
        """Whether `ports` has all that the switch told of: there may be too many."""
        return not self._port_table.is_full
