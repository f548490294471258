"""Datapath: a switch as applications see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    DEFAULT_PRIORITY,
    NO_BUFFER,
    Action,
    ApplyActions,
    BarrierReply,
    BarrierRequest,
    Bucket,
    EncodeError,
    FeaturesReply,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    GroupMod,
    GroupModCommand,
    GroupType,
    Instruction,
    Match,
    Message,
    OpenFlowError,
    PacketIn,
    PacketOut,
    Port,
    PortDesc,
    PortReason,
    PortStatus,
    Version,
)

from .requests import REQUEST_TIMEOUT, Requests

M = TypeVar("M", bound=Message)


class Datapath:
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
        self.version = version
        self.ports: dict[int, PortDesc] = {port.port_no: port for port in ports}
        self.peer = peer  #: the address that it connects from
        self._send, self._requests, self._sent = send, requests, sent

    @property
    def datapath_id(self) -> int:
        """The switch's number, 64 bits."""
        return self.features.datapath_id

    def __str__(self) -> str:
        return f"datapath {self.datapath_id:#018x}"

    def __repr__(self) -> str:
        return f"<Datapath {self.datapath_id:#x}, OpenFlow {self.version}>"

    def send(self, message: Message) -> int:
        """Send a message without waiting; return its xid.

        EncodeError if this version cannot say it. If the switch refuses it, the handler
        `error` is called.
        """
        return self._send(message)

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
        ends or has ended; another OpenFlowError if it answers with another message.
        """
        reply = await self._requests.answer(self._send(message), timeout)
        if not isinstance(reply, answer):
            asked, answered = type(message).__name__, type(reply).__name__
            raise OpenFlowError(f"{self} answered {asked} with {answered}")
        return reply

    async def confirm(self, *messages: Message, timeout: float = REQUEST_TIMEOUT) -> None:
        """Send messages that have no answer, and wait until the switch has done them.

        RequestError, with the switch's error, if it refuses one; others may be done then.
        RequestTimeout and ChannelClosed as with `request`.
        """
        async with self._requests.refusals([self._send(one) for one in messages]):
            await self.barrier(timeout=timeout)

    def sent(self, xid: int) -> Message | None:
        """Return what was sent with this xid, None where that is not recorded any more."""
        return self._sent(xid)

    async def barrier(self, *, timeout: float = REQUEST_TIMEOUT) -> None:
        """Wait until the switch has done all that was sent before."""
        await self.request(BarrierRequest(), BarrierReply, timeout=timeout)

    def add_flow(
        self,
        match: Match,
        actions: Sequence[Action] = (),
        *,
        instructions: Sequence[Instruction] = (),
        priority: int = DEFAULT_PRIORITY,
        idle_timeout: int = 0,
        hard_timeout: int = 0,
        table_id: int = 0,
        cookie: int = 0,
        flags: FlowModFlags | int = 0,
    ) -> int:
        """Add a flow entry that does `actions` at once, then `instructions`.

        With neither it drops what matches. Timeouts are in seconds, 0 never.
        """
        applied = (ApplyActions(tuple(actions)),) if actions else ()
        return self._send(
            FlowMod(
                match,
                (*applied, *instructions),
                priority=priority,
                idle_timeout=idle_timeout,
                hard_timeout=hard_timeout,
                table_id=table_id,
                cookie=cookie,
                flags=flags,
            )
        )

    def delete_flows(
        self,
        match: Match = Match(),  # noqa: B008  a Match never changes
        *,
        table_id: int | None = None,
        out_port: int = Port.ANY,
        out_group: int = ANY_GROUP,
        cookie: int = 0,
        cookie_mask: int = 0,
    ) -> int:
        """Delete the entries that `match` covers, in one table or, by default, in all.

        Each of the others narrows it down: an output to `out_port`, to `out_group`, the
        bits of the cookie that `cookie_mask` names.
        """
        everywhere = 0 if self.version == Version.OF10 else ALL_TABLES
        return self._send(
            FlowMod(
                match,
                command=FlowModCommand.DELETE,
                table_id=everywhere if table_id is None else table_id,
                out_port=out_port,
                out_group=out_group,
                cookie=cookie,
                cookie_mask=cookie_mask,
            )
        )

    def speaks(self, message: type[Message]) -> bool:
        """Return whether the channel's version has a message, as OF1.0 has no GroupMod."""
        try:
            message.at(self.version)
        except EncodeError:
            return False
        return True

    def add_group(self, group_id: int, type: GroupType, buckets: Sequence[Bucket]) -> int:
        """Add a group. Buckets without an id of their own are numbered where ids are needed.

        EncodeError where the version has no groups: see `speaks`.
        """
        if self.version >= Version.OF15 and len({one.bucket_id for one in buckets}) < len(buckets):
            buckets = [replace(one, bucket_id=number) for number, one in enumerate(buckets)]
        return self._send(GroupMod(group_id, type, tuple(buckets)))

    def delete_group(self, group_id: int) -> int:
        """Delete a group, and with it the flow entries that use it."""
        return self._send(GroupMod(group_id, command=GroupModCommand.DELETE))

    def packet_out(
        self, packet: PacketIn | bytes, actions: Sequence[Action], *, in_port: int | None = None
    ) -> int:
        """Send a packet: the one that came in, as the switch may have kept it, or a frame.

        It counts as having come in by `in_port`; by default by the port of the PacketIn, a
        frame by Port.CONTROLLER.
        """
        if not isinstance(packet, PacketIn):
            port = Port.CONTROLLER if in_port is None else in_port
            return self._send(PacketOut(tuple(actions), packet, match=_from_port(port)))
        port = packet.in_port if in_port is None else in_port
        kept = packet.buffer_id != NO_BUFFER
        data = b"" if kept else packet.data
        message = PacketOut(tuple(actions), data, packet.buffer_id, _from_port(port))
        return self._send(message)

    def learn_port(self, message: PortStatus) -> None:
        """Keep `ports` up to date."""
        if message.reason == PortReason.DELETE:
            self.ports.pop(message.desc.port_no, None)
        else:
            self.ports[message.desc.port_no] = message.desc


def _from_port(in_port: int) -> Match:
    return Match.unchecked({"in_port": in_port})
