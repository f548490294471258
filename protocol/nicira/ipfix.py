"""What IPFIX exporters counted."""

from __future__ import annotations

from ..multipart import MultipartReply, MultipartRequest, experimenter_reply, experimenter_request
from ..record import ListOf, Record, RecordOf
from ..version import OF10
from ..wire import U32, U64, Pad, until
from .fields import NICIRA

_ALIGN = until(OF10, Pad(4))


class IpfixStats(Record):
    """What an exporter counted."""

    total_flows: int = 0
    current_flows: int = 0
    pkts: int = 0
    ipv4_pkts: int = 0
    ipv6_pkts: int = 0
    error_pkts: int = 0
    ipv4_error_pkts: int = 0
    ipv6_error_pkts: int = 0
    tx_pkts: int = 0
    tx_errors: int = 0
    collector_set_id: int = 0
    layout = (
        "total_flows" / U64,
        "current_flows" / U64,
        "pkts" / U64,
        "ipv4_pkts" / U64,
        "ipv6_pkts" / U64,
        "error_pkts" / U64,
        "ipv4_error_pkts" / U64,
        "ipv6_error_pkts" / U64,
        "tx_pkts" / U64,
        "tx_errors" / U64,
        "collector_set_id" / U32,
        Pad(4),
    )


@experimenter_request(NICIRA, 3)
class IpfixBridgeRequest(MultipartRequest):
    """Asks what the exporter of the bridge counted."""

    layout = (_ALIGN,)


@experimenter_reply(NICIRA, 3)
class IpfixBridgeReply(MultipartReply):
    """What the exporter of the bridge counted."""

    stats: IpfixStats
    layout = (_ALIGN, "stats" / RecordOf(IpfixStats))


@experimenter_request(NICIRA, 4)
class IpfixFlowRequest(MultipartRequest):
    """Asks what the exporters of sampled entries counted."""

    layout = (_ALIGN,)


@experimenter_reply(NICIRA, 4)
class IpfixFlowReply(MultipartReply):
    """What the exporters of sampled entries counted."""

    exporters: tuple[IpfixStats, ...] = ()
    layout = (_ALIGN, "exporters" / ListOf(IpfixStats))
    gathers = "exporters"
