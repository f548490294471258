"""What can be told to a switch, whoever carries it there: its channel, or a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    DEFAULT_PRIORITY,
    NO_BUFFER,
    OF10,
    OF11,
    OF12,
    OF14,
    OF15,
    Action,
    ApplyActions,
    Bucket,
    ConfigFlags,
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
    MeterFlags,
    MeterMod,
    MeterModCommand,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortConfig,
    PortDesc,
    PortMod,
    SetConfig,
    TableMod,
    Version,
)
from protocol.features import DEFAULT_MISS_SEND_LEN
from protocol.groups import BucketId, GroupId
from protocol.meters import MeterBand, MeterId
from protocol.packets import match_of_port
from protocol.record import Record
from protocol.tables import TableConfig

from .abilities import need, refusal
from .auxiliary import Origins, Send
from .cookies import PREFIX_MASK

_OF10_CONFIG = PortConfig.NO_STP | PortConfig.NO_RECV_STP | PortConfig.NO_FLOOD
_MISS = TableConfig.TABLE_MISS_CONTINUE | TableConfig.TABLE_MISS_DROP
_FULL = TableConfig.EVICTION | TableConfig.VACANCY_EVENTS


_OUTPUTS = 4096  # kept


_outputs: dict[Action, tuple[tuple[Action, ...], tuple[Instruction, ...]]] = {}
_known_alone = _outputs.get


def _alone(action: Action) -> tuple[tuple[Action, ...], tuple[Instruction, ...]]:
    """Return an action as a list, and as what an entry does: the same objects for an output.

    Most entries and packets do just that, and what is the same object need not be encoded anew.
    """
    listed = (action,)
    both = listed, (ApplyActions(listed),)
    if type(action) is Output:
        if len(_outputs) >= _OUTPUTS:
            _outputs.clear()
        _outputs[action] = both
    return both


def _does(
    actions: Sequence[Action], instructions: Sequence[Instruction]
) -> tuple[Instruction, ...]:
    """Return the instructions of an entry that does actions at once, then instructions."""
    applied = (ApplyActions(tuple(actions)),) if actions else ()
    return (*applied, *instructions)


class Orders:
    """Who takes messages for a switch that speaks a version."""

    version: Version
    ports: Mapping[int, PortDesc]  #: those that the switch has, by port_no
    n_tables: int  #: those that the switch says it has
    cookie_base = 0  #: of entries that are given no cookie; see `cookies.py`
    origins: Origins | None = None  #: of packets that came over auxiliary channels
    _noting: Callable[[Send], Send]  #: makes such another way one of who tells this

    #: Takes a message and returns the number by which it is known; EncodeError where the version
    #: cannot say it. An attribute and no method, as each call counts.
    _take: Send
    #: The same for a packet, and for an entry with the cookie of who adds it: most go this way.
    _pass: Send

    def send(self, message: Message) -> int:
        """Take a message without waiting; return the number by which it is known, here its xid.

        EncodeError, with what to do instead, if the version cannot say it. If the switch
        refuses it, the handler `error` is called.
        """
        try:
            return self._take(message)
        except EncodeError as error:
            raise refusal(self, message, self.version, error) from error

    def is_own(self, cookie: int) -> bool:
        """Return whether an entry with this cookie is of the application that asks."""
        return cookie & PREFIX_MASK == self.cookie_base

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

        With neither it drops what matches. Timeouts are in seconds, 0 never. The low 48 bits
        of the cookie are the application's, the high ones say whose the entry is.
        """
        if len(actions) == 1 and not instructions:
            does = (_known_alone(actions[0]) or _alone(actions[0]))[1]
        else:
            does = _does(actions, instructions)
        message = FlowMod(
            match,
            does,
            priority=priority,
            idle_timeout=idle_timeout,
            hard_timeout=hard_timeout,
            table_id=table_id,
            cookie=cookie or self.cookie_base,
            flags=flags,
        )
        take = self._take if cookie else self._pass
        try:
            return take(message)
        except EncodeError as error:
            raise refusal(self, message, self.version, error) from error

    def modify_flows(
        self,
        match: Match,
        actions: Sequence[Action] = (),
        *,
        instructions: Sequence[Instruction] = (),
        table_id: int = 0,
        cookie: int = 0,
        cookie_mask: int = 0,
    ) -> int:
        """Give the entries that `match` covers other actions and instructions.

        Their timeouts and counters stay (OF1.5.1 6.4 "Flow Table Modification Messages").
        Up to OF1.1 an entry is added where there is none, and in OF1.0 the cookie of each
        becomes `cookie`; since OF1.1 `cookie` and `cookie_mask` narrow down which are meant.
        """
        return self.send(
            FlowMod(
                match,
                _does(actions, instructions),
                command=FlowModCommand.MODIFY,
                table_id=table_id,
                cookie=cookie,
                cookie_mask=cookie_mask,
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
        bits of the cookie that `cookie_mask` names. Return the number of the last message, as
        OF1.1 takes one for each table: that all can be meant came with OF1.2.
        """
        number = 0
        for one in self._tables_to_clear() if table_id is None else [table_id]:
            number = self.send(
                FlowMod(
                    match,
                    command=FlowModCommand.DELETE,
                    table_id=one,
                    out_port=out_port,
                    out_group=out_group,
                    cookie=cookie,
                    cookie_mask=cookie_mask,
                )
            )
        return number

    def _tables_to_clear(self) -> Iterable[int]:
        if self.version == OF10:
            return [0]
        return range(self.n_tables) if self.version == OF11 else [ALL_TABLES]

    # Groups

    def add_group(self, group_id: int, type: GroupType, buckets: Sequence[Bucket]) -> int:
        """Add a group. Buckets without an id of their own are numbered where ids are needed."""
        return self.send(GroupMod(group_id, type, self._numbered(buckets)))

    def modify_group(self, group_id: int, type: GroupType, buckets: Sequence[Bucket]) -> int:
        """Give a group another type and other buckets; the flow entries that use it stay."""
        modify = GroupModCommand.MODIFY
        return self.send(GroupMod(group_id, type, self._numbered(buckets), modify))

    def delete_group(self, group_id: int = GroupId.ALL) -> int:
        """Delete a group, or all, and with it the flow entries that use it."""
        return self.send(GroupMod(group_id, command=GroupModCommand.DELETE))

    def insert_buckets(
        self, group_id: int, buckets: Sequence[Bucket], *, after: int = BucketId.LAST
    ) -> int:
        """Add buckets with ids of their own to a group, behind a bucket or BucketId.FIRST."""
        self._need_bucket_commands()
        insert = GroupModCommand.INSERT_BUCKET
        return self.send(
            GroupMod(group_id, buckets=tuple(buckets), command=insert, command_bucket_id=after)
        )

    def remove_buckets(self, group_id: int, bucket_id: int = BucketId.ALL) -> int:
        """Take a bucket, the FIRST, the LAST or ALL out of a group."""
        self._need_bucket_commands()
        remove = GroupModCommand.REMOVE_BUCKET
        return self.send(GroupMod(group_id, command=remove, command_bucket_id=bucket_id))

    def _need_bucket_commands(self) -> None:
        need(self, self.version, "commands for single buckets", [OF15], "use modify_group()")

    def _numbered(self, buckets: Sequence[Bucket]) -> tuple[Bucket, ...]:
        if self.version >= OF15 and len({one.bucket_id for one in buckets}) < len(buckets):
            buckets = [replace(one, bucket_id=number) for number, one in enumerate(buckets)]
        return tuple(buckets)

    # Meters

    def add_meter(
        self, meter_id: int, bands: Sequence[MeterBand], flags: MeterFlags | int = MeterFlags.KBPS
    ) -> int:
        """Add a meter, which flow entries use by the instruction Meter, in OF1.5 MeterAction."""
        return self.send(MeterMod(meter_id, tuple(bands), MeterModCommand.ADD, flags))

    def modify_meter(
        self, meter_id: int, bands: Sequence[MeterBand], flags: MeterFlags | int = MeterFlags.KBPS
    ) -> int:
        """Give a meter other bands; the flow entries that use it stay."""
        return self.send(MeterMod(meter_id, tuple(bands), MeterModCommand.MODIFY, flags))

    def delete_meter(self, meter_id: int = MeterId.ALL) -> int:
        """Delete a meter, or all, and with it the flow entries that use it."""
        return self.send(MeterMod(meter_id, command=MeterModCommand.DELETE))

    # Ports, tables, the switch

    def port_mod(
        self,
        port_no: int,
        config: PortConfig | int,
        mask: PortConfig | int,
        properties: Sequence[Record] = (),
    ) -> int:
        """Let a port be as `config` says, in the bits of `mask`.

            datapath.port_mod(3, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)

        What an Ethernet port advertises is a PortModEthernet among the properties. ValueError
        for a port that the switch does not have.
        """
        if mask & _OF10_CONFIG:
            flags = PortConfig(mask & _OF10_CONFIG).name
            need(self, self.version, f"{flags} of ports", [OF10], "let flow entries say it")
        if port_no not in self.ports:
            known = ", ".join(map(str, sorted(self.ports))) or "none at all"
            raise ValueError(f"{self} has no port {port_no}; it has {known}")
        # The address must be the port's (OF1.5.1 7.3.4.4 "Port Modification Message").
        hw_addr = self.ports[port_no].hw_addr
        return self.send(PortMod(port_no, hw_addr, config, mask, tuple(properties)))

    def table_mod(
        self,
        table_id: int = ALL_TABLES,
        config: TableConfig | int = 0,
        properties: Sequence[Record] = (),
    ) -> int:
        """Let a table behave as `config` says: on a miss up to OF1.2, when full since OF1.4."""
        if config & _MISS:
            cure = "add an entry of priority 0, which tells what to do on a miss"
            need(self, self.version, "behaviour of tables on a miss", [OF11, OF12], cure)
        if config & _FULL:
            cure = "let idle_timeout and hard_timeout make room in the table"
            need(self, self.version, "eviction or vacancy events", [OF14, OF15], cure)
        return self.send(TableMod(table_id, config, tuple(properties)))

    def set_config(
        self, flags: ConfigFlags | int = 0, miss_send_len: int = DEFAULT_MISS_SEND_LEN
    ) -> int:
        """Say what becomes of fragments, and how many bytes of a packet a packet_in brings.

        ControllerMaxLen.NO_BUFFER brings whole packets, and the switch keeps none (OF1.5.1
        7.3.2 "Switch Configuration").
        """
        if flags & ConfigFlags.INVALID_TTL_TO_CONTROLLER:
            cure = "since OpenFlow 1.3 set_async() asks for packet_ins of that reason"
            need(self, self.version, "flag INVALID_TTL_TO_CONTROLLER", [OF11, OF12], cure)
        return self.send(SetConfig(flags, miss_send_len))

    def packet_out(
        self, packet: PacketIn | bytes, actions: Sequence[Action], *, in_port: int | None = None
    ) -> int:
        """Send a packet: the one that came in, as the switch may have kept it, or a frame.

        It counts as having come in by `in_port`; by default by the port of the PacketIn, a
        frame by Port.CONTROLLER.
        """
        if len(actions) == 1:
            listed = (_known_alone(actions[0]) or _alone(actions[0]))[0]
        else:
            listed = tuple(actions)
        if not isinstance(packet, PacketIn):
            port = Port.CONTROLLER if in_port is None else in_port
            return self.send(PacketOut(listed, packet, NO_BUFFER, match_of_port(port)))
        port = packet.in_port if in_port is None else in_port
        buffer_id = packet.buffer_id
        data = packet.data if buffer_id == NO_BUFFER else b""
        message = PacketOut(listed, data, buffer_id, match_of_port(port))
        take, origins = self._pass, self.origins
        if origins is not None and origins.are_noted and (send_back := origins.of(packet)):
            take = self._noting(send_back)
        try:
            return take(message)
        except EncodeError as error:
            raise refusal(self, message, self.version, error) from error
