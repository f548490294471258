"""What can be told to a switch, whoever carries it there: its channel, or a bundle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    DEFAULT_PRIORITY,
    NO_BUFFER,
    Action,
    ApplyActions,
    Bucket,
    EncodeError,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    GroupMod,
    GroupModCommand,
    GroupType,
    Instruction,
    Match,
    Message,
    PacketIn,
    PacketOut,
    Port,
    Version,
)


class Orders(ABC):
    """Who takes messages for a switch that speaks a version."""

    version: Version

    @abstractmethod
    def send(self, message: Message) -> int:
        """Take a message; return the number by which it is known."""

    def speaks(self, message: type[Message]) -> bool:
        """Return whether the channel's version has a message, as OF1.0 has no GroupMod."""
        try:
            message.at(self.version)
        except EncodeError:
            return False
        return True

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
        return self.send(
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
        return self.send(
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

    def add_group(self, group_id: int, type: GroupType, buckets: Sequence[Bucket]) -> int:
        """Add a group. Buckets without an id of their own are numbered where ids are needed.

        EncodeError where the version has no groups: see `speaks`.
        """
        if self.version >= Version.OF15 and len({one.bucket_id for one in buckets}) < len(buckets):
            buckets = [replace(one, bucket_id=number) for number, one in enumerate(buckets)]
        return self.send(GroupMod(group_id, type, tuple(buckets)))

    def delete_group(self, group_id: int) -> int:
        """Delete a group, and with it the flow entries that use it."""
        return self.send(GroupMod(group_id, command=GroupModCommand.DELETE))

    def packet_out(
        self, packet: PacketIn | bytes, actions: Sequence[Action], *, in_port: int | None = None
    ) -> int:
        """Send a packet: the one that came in, as the switch may have kept it, or a frame.

        It counts as having come in by `in_port`; by default by the port of the PacketIn, a
        frame by Port.CONTROLLER.
        """
        if not isinstance(packet, PacketIn):
            port = Port.CONTROLLER if in_port is None else in_port
            return self.send(PacketOut(tuple(actions), packet, match=_from_port(port)))
        port = packet.in_port if in_port is None else in_port
        kept = packet.buffer_id != NO_BUFFER
        data = b"" if kept else packet.data
        message = PacketOut(tuple(actions), data, packet.buffer_id, _from_port(port))
        return self.send(message)


def _from_port(in_port: int) -> Match:
    return Match.unchecked({"in_port": in_port})
