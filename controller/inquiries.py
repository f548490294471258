"""What can be asked of a switch: each chapter's descriptions and statistics, gathered.

What a version asks in another way is asked in that way; what it cannot tell is refused with
EncodeError before anything is sent (`abilities.py`). Otherwise each of these raises what
`Datapath.request` does, within the same time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    OF10,
    OF12,
    OF13,
    OF14,
    OF15,
    AggregateStatsReply,
    AggregateStatsRequest,
    DescReply,
    DescRequest,
    FeaturesReply,
    FeaturesRequest,
    FlowStats,
    FlowStatsReply,
    FlowStatsRequest,
    GetAsyncReply,
    GetAsyncRequest,
    GetConfigReply,
    GetConfigRequest,
    Match,
    Message,
    Port,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortStats,
    PortStatsReply,
    PortStatsRequest,
    SetAsync,
    Stats,
    TableStatsReply,
    TableStatsRequest,
)
from protocol.async_config import ASYNC_PROPERTIES, AsyncConfig
from protocol.groups import (
    GroupDesc,
    GroupDescReply,
    GroupDescRequest,
    GroupFeaturesReply,
    GroupFeaturesRequest,
    GroupId,
    GroupStats,
    GroupStatsReply,
    GroupStatsRequest,
)
from protocol.meters import (
    MeterDesc,
    MeterDescReply,
    MeterDescRequest,
    MeterFeaturesReply,
    MeterFeaturesRequest,
    MeterId,
    MeterStats,
    MeterStatsReply,
    MeterStatsRequest,
)
from protocol.nicira.messages import SetAsyncConfig
from protocol.queues import (
    QueueDesc,
    QueueDescReply,
    QueueDescRequest,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueId,
    QueueStats,
    QueueStatsReply,
    QueueStatsRequest,
)
from protocol.roles import ControllerStatusEntry, ControllerStatusReply, ControllerStatusRequest
from protocol.table_features import TableFeatures, TableFeaturesReply, TableFeaturesRequest
from protocol.tables import TableDesc, TableDescReply, TableDescRequest, TableStats

from .orders import Orders

M = TypeVar("M", bound=Message)

_EVERYTHING = Match()


class Inquiries(Orders):
    """Who can ask a switch, and be answered."""

    features: FeaturesReply

    @abstractmethod
    async def request(self, message: Message, answer: type[M]) -> M:
        """Send a request and return its answer."""

    @abstractmethod
    async def confirm(self, *messages: Message) -> None:
        """Send messages, and wait until the switch has done them."""

    # The switch

    async def desc(self) -> DescReply:
        """Ask who made the switch, and what it is called."""
        return await self.request(DescRequest(), DescReply)

    async def get_config(self) -> GetConfigReply:
        """Ask what becomes of fragments, and how much of a packet a packet_in brings."""
        return await self.request(GetConfigRequest(), GetConfigReply)

    async def get_async(self) -> AsyncConfig:
        """Ask which asynchronous messages come to us; since OF1.3."""
        return await self.request(GetAsyncRequest(), GetAsyncReply)

    async def set_async(self, wanted: SetAsync) -> None:
        """Say which asynchronous messages come to us; those that are None stay as they are.

            await datapath.set_async(SetAsync(packet_in_master=1 << PacketInReason.ACTION))

        OF1.3 says all masks at once, so those that stay are asked for before. Before OF1.3
        Nicira's message is used, which can neither ask nor keep: there, what is None becomes
        what a new connection gets. EncodeError for masks that the version does not have.
        """
        if self.version >= OF14:
            await self.confirm(wanted)
        elif self.version == OF13:
            await self.confirm(_filled(SetAsync, wanted, await self.get_async()))
        else:
            await self.confirm(_filled(SetAsyncConfig, wanted, _AT_FIRST))

    async def controllers(self) -> tuple[ControllerStatusEntry, ...]:
        """Ask which controllers the switch has, in which roles; since OF1.5."""
        return (await self.request(ControllerStatusRequest(), ControllerStatusReply)).controllers

    # Flow entries

    async def flow_stats(
        self,
        match: Match = _EVERYTHING,
        *,
        table_id: int = ALL_TABLES,
        out_port: int = Port.ANY,
        out_group: int = ANY_GROUP,
        cookie: int = 0,
        cookie_mask: int = 0,
    ) -> tuple[FlowStats, ...]:
        """Ask for the entries that `match` covers, and what they counted.

        Each of the others narrows it down, as with `delete_flows`. For a table that is too
        long to be in memory see `Datapath.stream`.
        """
        asked = FlowStatsRequest(match, table_id, out_port, out_group, cookie, cookie_mask)
        return (await self.request(asked, FlowStatsReply)).flows

    async def aggregate_stats(
        self,
        match: Match = _EVERYTHING,
        *,
        table_id: int = ALL_TABLES,
        out_port: int = Port.ANY,
        out_group: int = ANY_GROUP,
        cookie: int = 0,
        cookie_mask: int = 0,
    ) -> Stats:
        """Ask how many entries `match` covers, and what they counted together."""
        asked = AggregateStatsRequest(match, table_id, out_port, out_group, cookie, cookie_mask)
        return (await self.request(asked, AggregateStatsReply)).stats

    # Tables

    async def table_stats(self) -> tuple[TableStats, ...]:
        """Ask what the tables counted; up to OF1.2 this tells what they can do as well."""
        return (await self.request(TableStatsRequest(), TableStatsReply)).tables

    async def table_desc(self) -> tuple[TableDesc, ...]:
        """Ask how the tables behave when they are full; since OF1.4."""
        return (await self.request(TableDescRequest(), TableDescReply)).tables

    async def table_features(self) -> tuple[TableFeatures, ...]:
        """Ask what the tables can match and do; since OF1.3."""
        return (await self.request(TableFeaturesRequest(), TableFeaturesReply)).tables

    # Ports

    async def port_desc(self, port_no: int = Port.ANY) -> tuple[PortDesc, ...]:
        """Ask for a port, or for all, as it is now; `Datapath.ports` has what was told."""
        if self.version < OF13:
            found = (await self.request(FeaturesRequest(), FeaturesReply)).ports
        else:
            asked = PortDescRequest(port_no if self.version >= OF15 else Port.ANY)
            found = (await self.request(asked, PortDescReply)).ports
        return tuple(one for one in found if port_no in (Port.ANY, one.port_no))

    async def port_stats(self, port_no: int = Port.ANY) -> tuple[PortStats, ...]:
        """Ask what a port counted, or all."""
        return (await self.request(PortStatsRequest(port_no), PortStatsReply)).ports

    # Queues

    async def queue_desc(
        self, port_no: int = Port.ANY, queue_id: int = QueueId.ALL
    ) -> tuple[QueueDesc, ...]:
        """Ask how the queues of a port are configured, or of all ports."""
        if self.version >= OF14:
            return (await self.request(QueueDescRequest(port_no, queue_id), QueueDescReply)).queues
        # Up to OF1.1 there is no word for all ports (OF1.1.0 A.3.6 "Queue Configuration").
        is_one_by_one = port_no == Port.ANY and self.version < OF12
        ports: Iterable[int] = sorted(self.ports) if is_one_by_one else [port_no]
        found: list[QueueDesc] = []
        for number in [one for one in ports if not is_one_by_one or one < Port.MAX]:
            found += await self._queues_of(number)
        return tuple(one for one in found if queue_id in (QueueId.ALL, one.queue_id))

    async def _queues_of(self, port_no: int) -> list[QueueDesc]:
        reply = await self.request(QueueGetConfigRequest(port_no), QueueGetConfigReply)
        if self.version >= OF12:
            return list(reply.queues)
        return [replace(one, port_no=reply.port) for one in reply.queues]

    async def queue_stats(
        self, port_no: int = Port.ANY, queue_id: int = QueueId.ALL
    ) -> tuple[QueueStats, ...]:
        """Ask what a queue counted, or all queues of a port, or of all ports."""
        if self.version == OF10 and port_no == Port.ANY:
            port_no = Port.ALL  # its word for all ports (OF1.0.0 5.3.5 "Queue Statistics")
        return (await self.request(QueueStatsRequest(port_no, queue_id), QueueStatsReply)).queues

    # Groups

    async def group_desc(self, group_id: int = GroupId.ALL) -> tuple[GroupDesc, ...]:
        """Ask which groups there are, or for one, and their buckets; since OF1.1."""
        asked = GroupDescRequest(group_id if self.version >= OF15 else GroupId.ALL)
        found = (await self.request(asked, GroupDescReply)).groups
        return tuple(one for one in found if group_id in (GroupId.ALL, one.group_id))

    async def group_stats(self, group_id: int = GroupId.ALL) -> tuple[GroupStats, ...]:
        """Ask what a group counted, or all; since OF1.1."""
        return (await self.request(GroupStatsRequest(group_id), GroupStatsReply)).groups

    async def group_features(self) -> GroupFeaturesReply:
        """Ask what groups the switch can have; since OF1.2."""
        return await self.request(GroupFeaturesRequest(), GroupFeaturesReply)

    # Meters

    async def meter_desc(self, meter_id: int = MeterId.ALL) -> tuple[MeterDesc, ...]:
        """Ask which meters there are, or for one, and their bands; since OF1.3."""
        return (await self.request(MeterDescRequest(meter_id), MeterDescReply)).meters

    async def meter_stats(self, meter_id: int = MeterId.ALL) -> tuple[MeterStats, ...]:
        """Ask what a meter counted, or all; since OF1.3."""
        return (await self.request(MeterStatsRequest(meter_id), MeterStatsReply)).meters

    async def meter_features(self) -> MeterFeaturesReply:
        """Ask what meters the switch can have; since OF1.3."""
        return await self.request(MeterFeaturesRequest(), MeterFeaturesReply)


#: What a connection gets unless it says otherwise (OF1.3.5 7.3.10): all, a slave ports only.
_AT_FIRST = SetAsync(
    packet_in_master=0b011,
    packet_in_slave=0,
    port_status_master=0b111,
    port_status_slave=0b111,
    flow_removed_master=0b1111,
    flow_removed_slave=0,
)
A = TypeVar("A", bound=AsyncConfig)


def _filled(cls: type[A], wanted: AsyncConfig, others: AsyncConfig) -> A:
    """Return the masks that are wanted, and the others where nothing is said."""
    masks = {
        name: getattr(others, name) if (mask := getattr(wanted, name)) is None else mask
        for name in ASYNC_PROPERTIES
    }
    return cls(**masks, properties=wanted.properties)
