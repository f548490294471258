"""Queues: how they are configured, and what they counted (OF1.5.1 7.2.7, 7.3.5.10)."""

from __future__ import annotations

from enum import IntEnum

from .errors import QueueOpFailedCode
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .ports import Port, PortNo
from .properties import properties
from .record import Family, ListOf, Record
from .version import OF10, OF11, OF12, OF13, OF14
from .wire import U16, U32, U64, Length, Pad, Rest, between, by_version, since, until


class QueueId(IntEnum):
    """The queue that is none."""

    ALL = 0xFFFF_FFFF


QueuePropertyShape = Family(
    "queue property",
    length_counts_padding=False,
    unknown=None,
    short=QueueOpFailedCode.BAD_QUEUE,
)
DISABLED = 0xFFFF  #: a rate above 1000 means that there is none
_rate_layout = (until(OF13, Pad(4)), "rate" / U16, by_version({OF10: Pad(6), OF14: Pad(2)}))


@QueuePropertyShape.member(1)
class MinRate(Record):
    """The rate that a queue has for sure, in 1/10 of a percent."""

    rate: int = DISABLED
    layout = _rate_layout


@QueuePropertyShape.member(since(OF12, 2))
class MaxRate(Record):
    """The rate that a queue does not pass, in 1/10 of a percent."""

    rate: int = DISABLED
    layout = _rate_layout


@QueuePropertyShape.member(since(OF12, 0xFFFF))
class ExperimenterQueueProperty(Record):
    """A property of a queue that the specification leaves to others."""

    experimenter: int
    exp_type: int = 0  #: since OF1.4
    data: bytes = b""
    layout = (
        until(OF13, Pad(4)),
        "experimenter" / U32,
        until(OF13, Pad(4)),
        "exp_type" / since(OF14, U32),
        "data" / Rest,
    )


class QueueDesc(Record):
    """A queue of a port. In OF1.0 and OF1.1 the port is that of the message."""

    queue_id: int
    port_no: int = Port.ANY
    properties: tuple[Record, ...] = ()
    layout = (
        "port_no" / since(OF14, PortNo),
        "queue_id" / U32,
        "port_no" / between(OF12, OF13, PortNo),
        Length(U16),
        by_version({OF10: Pad(2), OF12: Pad(6)}),
        "properties" / QueuePropertyShape,
    )
    report = True


@message(by_version({OF10: 20, OF11: 22, OF14: None}))
class QueueGetConfigRequest(Message):
    """Asks for the queues of a port; since OF1.4 ask QueueDescRequest (OF1.3.5 7.3.6)."""

    port: int = Port.ANY
    layout = ("port" / PortNo, by_version({OF10: Pad(2), OF11: Pad(4)}))


@message(by_version({OF10: 21, OF11: 23, OF14: None}))
class QueueGetConfigReply(Message):
    """The queues of a port."""

    port: int
    queues: tuple[QueueDesc, ...] = ()
    layout = (
        "port" / PortNo,
        by_version({OF10: Pad(6), OF11: Pad(4)}),
        "queues" / ListOf(QueueDesc),
    )


@multipart_request(since(OF14, 15))
class QueueDescRequest(MultipartRequest):
    """Asks for queues (OF1.5.1 7.3.5 "Queue Descriptions")."""

    port_no: int = Port.ANY
    queue_id: int = QueueId.ALL
    layout = ("port_no" / PortNo, "queue_id" / U32)


@multipart_reply(since(OF14, 15))
class QueueDescReply(MultipartReply):
    """The queues asked for."""

    queues: tuple[QueueDesc, ...] = ()
    layout = ("queues" / ListOf(QueueDesc),)
    gathers = "queues"


@multipart_request(5)
class QueueStatsRequest(MultipartRequest):
    """Asks what queues counted (OF1.5.1 7.3.5 "Queue Statistics")."""

    port_no: int = Port.ANY
    queue_id: int = QueueId.ALL
    layout = ("port_no" / PortNo, until(OF10, Pad(2)), "queue_id" / U32)


QueueStatsPropertyShape = properties("queue stats")


class QueueStats(Record):
    """What a queue counted."""

    port_no: int
    queue_id: int
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0  #: packets dropped since the queue was full
    duration_sec: int = 0
    duration_nsec: int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        since(OF14, Length(U16)),
        since(OF14, Pad(6)),
        "port_no" / PortNo,
        until(OF10, Pad(2)),
        "queue_id" / U32,
        "tx_bytes" / U64,
        "tx_packets" / U64,
        "tx_errors" / U64,
        "duration_sec" / since(OF13, U32),
        "duration_nsec" / since(OF13, U32),
        "properties" / since(OF14, QueueStatsPropertyShape),
    )
    report = True


@multipart_reply(5)
class QueueStatsReply(MultipartReply):
    """What the queues asked for counted."""

    queues: tuple[QueueStats, ...] = ()
    layout = ("queues" / ListOf(QueueStats),)
    gathers = "queues"
