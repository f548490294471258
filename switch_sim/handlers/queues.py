"""What controllers ask of queues."""

from __future__ import annotations

from protocol.queues import QueueDescRequest, QueueGetConfigRequest, QueueStatsRequest

from ..datapath import Datapath
from ..queue_stats import queue_config, queue_descs, queue_stats
from ..request import Request, handles


@handles(QueueGetConfigRequest)
def _queue_config(datapath: Datapath, request: Request[QueueGetConfigRequest]) -> None:
    request.answer(queue_config(datapath.ports, datapath.queues, request.message, request.version))


@handles(QueueDescRequest)
def _queue_descs(datapath: Datapath, request: Request[QueueDescRequest]) -> None:
    request.answer_in_parts(
        queue_descs(datapath.ports, datapath.queues, request.message, request.version)
    )


@handles(QueueStatsRequest)
def _queue_stats(datapath: Datapath, request: Request[QueueStatsRequest]) -> None:
    ports, queues, now = datapath.ports, datapath.queues, request.now
    request.answer_in_parts(queue_stats(ports, queues, request.message, request.version, now))
