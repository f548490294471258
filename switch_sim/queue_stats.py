"""What the switch tells of its queues (OF1.3.5 7.2.2 "Queue Structures", 7.3.5.8, 7.3.6)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from protocol import OF12, Port, QueueOpFailedCode, Version
from protocol.queues import (
    QueueDesc,
    QueueDescReply,
    QueueDescRequest,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueId,
    QueuePropertyShape,
    QueueStats,
    QueueStatsReply,
    QueueStatsRequest,
)

from .flow_entry import split_seconds
from .ports import Ports, can_say
from .queues import PortQueue, Queues
from .refused import Refused
from .statistics import in_parts

_EVERY_PORT = (Port.ANY, Port.ALL)  # OF1.0 says ALL, the others ANY
_STATS_SIZE, _DESC_SIZE = 48, 64  # bytes, of a queue with both rates


def queue_config(
    ports: Ports, queues: Queues, request: QueueGetConfigRequest, version: Version
) -> QueueGetConfigReply:
    """Return the queues of a port, or since OF1.2 of all (OF1.3.5 7.3.6 "Queue Configuration")."""
    if request.port == Port.ANY and version < OF12:
        raise Refused(QueueOpFailedCode.BAD_PORT, "queues are asked for port by port")
    found = _named(ports, queues, request.port, QueueId.ALL, version)
    return QueueGetConfigReply(request.port, tuple(_desc_in(one, version) for one in found))


def queue_descs(
    ports: Ports, queues: Queues, request: QueueDescRequest, version: Version
) -> Iterator[QueueDescReply]:
    """Yield queues as they are configured (OF1.5.1 7.3.5 "Queue Descriptions")."""
    found = _named(ports, queues, request.port_no, request.queue_id, version)
    return in_parts((_desc_in(one, version) for one in found), _DESC_SIZE, QueueDescReply)


def queue_stats(
    ports: Ports, queues: Queues, request: QueueStatsRequest, version: Version, now: float
) -> Iterator[QueueStatsReply]:
    """Yield what queues counted (OF1.3.5 7.3.5.8 "Queue Statistics")."""
    found = _named(ports, queues, request.port_no, request.queue_id, version)
    return in_parts((_stats(one, now) for one in found), _STATS_SIZE, QueueStatsReply)


def _stats(queue: PortQueue, now: float) -> QueueStats:
    seconds, nanoseconds = split_seconds(now - queue.created)
    return QueueStats(
        queue.desc.port_no,
        queue.desc.queue_id,
        queue.tx_bytes,
        queue.tx_packets,
        queue.tx_errors,
        seconds,
        nanoseconds,
    )


def _desc_in(queue: PortQueue, version: Version) -> QueueDesc:
    known = QueuePropertyShape.at(version).number_of
    told = tuple(one for one in queue.desc.properties if type(one) in known)
    return replace(queue.desc, properties=told)


def _named(
    ports: Ports, queues: Queues, port_no: int, queue_id: int, version: Version
) -> list[PortQueue]:
    """Return the queues that a request means; Refused for a port or a queue that is not there."""
    everywhere = port_no in _EVERY_PORT
    if not everywhere and port_no not in ports:
        raise Refused(QueueOpFailedCode.BAD_PORT, f"there is no port {port_no}")
    found = [
        queue
        for key, queue in queues.items()
        if key.port_no in ports
        and can_say(key.port_no, version)
        and (everywhere or key.port_no == port_no)
        and queue_id in (key.queue_id, QueueId.ALL)
    ]
    if not found and queue_id != QueueId.ALL:
        raise Refused(QueueOpFailedCode.BAD_QUEUE, f"there is no queue {queue_id}")
    return found
