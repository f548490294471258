"""What a switch answers to all that a controller may ask: true, and as short as can be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain

from protocol import (
    OF10,
    OF12,
    AggregateStatsReply,
    AggregateStatsRequest,
    ApplyActions,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Capabilities,
    DecodeError,
    DescReply,
    DescRequest,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    Experimenter,
    ExperimenterMultipartRequest,
    FeaturesReply,
    FeaturesRequest,
    FlowCountersReply,
    FlowCountersRequest,
    FlowStats,
    FlowStatsReply,
    GetAsyncReply,
    GetAsyncRequest,
    GetConfigReply,
    GetConfigRequest,
    Match,
    Message,
    MultipartFlags,
    MultipartReply,
    MultipartRequest,
    Output,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortStats,
    PortStatsReply,
    PortStatsRequest,
    Role,
    RoleReply,
    RoleRequest,
    SetConfig,
    TableStatsReply,
    TableStatsRequest,
    Version,
)
from protocol.bundles import (
    BundleControl,
    BundleControlType,
    BundleFeaturesReply,
    BundleFeaturesRequest,
)
from protocol.compiler import write
from protocol.connection import ERROR_DATA
from protocol.errors import ErrorCode
from protocol.groups import (
    GroupDescReply,
    GroupDescRequest,
    GroupFeaturesReply,
    GroupFeaturesRequest,
    GroupStatsReply,
    GroupStatsRequest,
)
from protocol.meters import (
    MeterDescReply,
    MeterDescRequest,
    MeterFeaturesReply,
    MeterFeaturesRequest,
    MeterStatsReply,
    MeterStatsRequest,
)
from protocol.monitors import FlowMonitorReply, FlowMonitorRequest
from protocol.queues import (
    QueueDescReply,
    QueueDescRequest,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueStatsReply,
    QueueStatsRequest,
)
from protocol.roles import ControllerStatusReply, ControllerStatusRequest
from protocol.stats import Stats
from protocol.table_features import TableFeaturesReply, TableFeaturesRequest
from protocol.tables import TableDescReply, TableDescRequest

from ..statistics import in_parts
from .traffic import FLAPPING, Traffic, mac_of, port_mac

N_BUFFERS = 1 << 16  # packets: more than are ever in flight
N_TABLES = 64
_CAPABILITIES = Capabilities.FLOW_STATS | Capabilities.TABLE_STATS | Capabilities.PORT_STATS
_ACTIONS10 = (1 << 12) - 1  # OF1.0's actions 0 to 11 (OF1.0 5.3.1 "Handshake")

# What is asked for and has nothing in it: no groups, no meters, no queues.
_EMPTY: dict[type[Message], MultipartReply] = {
    TableStatsRequest: TableStatsReply(),
    TableDescRequest: TableDescReply(),
    TableFeaturesRequest: TableFeaturesReply(),
    FlowCountersRequest: FlowCountersReply(),
    FlowMonitorRequest: FlowMonitorReply(),
    GroupStatsRequest: GroupStatsReply(),
    GroupDescRequest: GroupDescReply(),
    GroupFeaturesRequest: GroupFeaturesReply(),
    MeterStatsRequest: MeterStatsReply(),
    MeterDescRequest: MeterDescReply(),
    MeterFeaturesRequest: MeterFeaturesReply(),
    QueueStatsRequest: QueueStatsReply(),
    QueueDescRequest: QueueDescReply(),
    BundleFeaturesRequest: BundleFeaturesReply(),
    ControllerStatusRequest: ControllerStatusReply(),
}
_DESC = DescReply("Pointsman", "none", "pointsman load", "none", "load")


@dataclass(slots=True)
class Answers:
    """What one switch says of itself.

    `flows` is how many flow entries it tells of when it is asked for them.
    """

    datapath_id: int
    ports: int
    flows: int = 0
    miss_send_len: int = 128
    role: Role | int = Role.EQUAL
    generation_id: int = 0

    def answer(self, message: Message, version: Version) -> Iterable[Message]:
        """Return the replies to a message, without their xid; none where none is wanted."""
        match message:
            case EchoRequest():
                return (EchoReply(message.data),)
            case FeaturesRequest():
                return (self._features(version),)
            case SetConfig():
                self.miss_send_len = message.miss_send_len
            case GetConfigRequest():
                return (GetConfigReply(miss_send_len=self.miss_send_len),)
            case BarrierRequest():
                return (BarrierReply(),)
            case RoleRequest():
                return (self._role(message),)
            case GetAsyncRequest():
                return (GetAsyncReply(),)
            case QueueGetConfigRequest():
                return (QueueGetConfigReply(message.port),)
            case BundleControl() if not int(message.type) % 2:
                return (BundleControl(message.bundle_id, BundleControlType(message.type + 1)),)
            case Experimenter() | ExperimenterMultipartRequest():
                return (_refusal(BadRequestCode.BAD_EXPERIMENTER, message, version),)
            case MultipartRequest():
                return self._multipart(message, version)
        return ()

    def flow_stats(self, version: Version, xid: int) -> bytes:
        """Return all parts of the answer to a FlowStatsRequest, as bytes: it may be long."""
        head = xid.to_bytes(4, "big")
        parts = _flows(self.flows, self.ports, version)
        return b"".join(chain.from_iterable((part[:4], head, part[8:]) for part in parts))

    def _features(self, version: Version) -> FeaturesReply:
        return FeaturesReply(
            self.datapath_id,
            n_buffers=N_BUFFERS,
            n_tables=N_TABLES,
            capabilities=_CAPABILITIES,
            actions=_ACTIONS10 if version == OF10 else 0,
            ports=self._ports() if version <= OF12 else (),
        )

    def _ports(self) -> tuple[PortDesc, ...]:
        numbers = (*range(1, self.ports + 1), FLAPPING)
        return tuple(
            PortDesc(number, port_mac(self.datapath_id, number), f"load{number}")
            for number in numbers
        )

    def _role(self, request: RoleRequest) -> RoleReply:
        if request.role != Role.NOCHANGE:
            self.role, self.generation_id = request.role, request.generation_id
        return RoleReply(self.role, self.generation_id)

    def _multipart(self, request: MultipartRequest, version: Version) -> Iterable[Message]:
        if request.flags & MultipartFlags.MORE:
            return ()  # the answer goes with the last part
        match request:
            case DescRequest():
                return (_DESC,)
            case PortDescRequest():
                return in_parts(self._ports(), 256, PortDescReply)
            case PortStatsRequest():
                stats = [PortStats(number) for number in range(1, self.ports + 1)]
                return in_parts(stats, 256, PortStatsReply)
            case AggregateStatsRequest():
                counted = Stats(packet_count=0, byte_count=0, flow_count=self.flows)
                return (AggregateStatsReply(counted),)
        reply = _EMPTY.get(type(request))
        return (reply or _refusal(BadRequestCode.BAD_MULTIPART, request, version),)


def refuse(data: bytes, error: DecodeError) -> Iterable[Message]:
    """Return what to say of bytes that are no message of this version."""
    return (ErrorMsg(error.code or BadRequestCode.BAD_TYPE, data[:ERROR_DATA]),)


def _refusal(code: ErrorCode, message: Message, version: Version) -> ErrorMsg:
    return ErrorMsg(code, message.encode(version)[:ERROR_DATA])


@cache
def _flows(count: int, ports: int, version: Version) -> tuple[bytes, ...]:
    """Return entries as a learning switch adds them, in parts that fit into messages."""
    traffic = Traffic(version, ports=ports, hosts=ports)
    entries = [
        FlowStats(
            Match(
                in_port=traffic.port_of(host),
                eth_src=mac_of(1, host),
                eth_dst=mac_of(1, host + 1),
            ),
            (ApplyActions((Output(traffic.port_of(host + 1)),)),),
            stats=Stats(duration_sec=1, duration_nsec=0, packet_count=host, byte_count=60 * host),
        )
        for host in range(count)
    ]
    size = max((len(write(one, version, headed=False)) for one in entries), default=1)
    return tuple(part.encode(version) for part in in_parts(entries, size, FlowStatsReply))
