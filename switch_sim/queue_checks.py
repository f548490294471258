"""Actions that name queues, which must be there."""

from __future__ import annotations

from protocol import BadActionCode, Enqueue, Port, SetQueue, Version

from .check import QUEUED, Checker, check_output
from .queues import QueueKey, Queues
from .refused import Refused


class QueueChecks:
    """Refuses Enqueue and SetQueue where there is no such queue (BAD_QUEUE)."""

    def __init__(self, queues: Queues, checker: Checker) -> None:
        self.queues = queues
        checker.actions[SetQueue] = self._check_set_queue
        checker.actions[Enqueue] = self._check_enqueue

    def _check_set_queue(self, action: SetQueue, version: Version) -> None:
        # Which port it will be is not known yet: some port must have the queue.
        self._want_anywhere(action.queue_id)

    def _check_enqueue(self, action: Enqueue, version: Version) -> None:
        check_output(action.port, QUEUED, in_packet_out=False)
        if action.port == Port.IN_PORT:
            self._want_anywhere(action.queue_id)
        elif QueueKey(action.port, action.queue_id) not in self.queues:
            reason = f"port {action.port} has no queue {action.queue_id}"
            raise Refused(BadActionCode.BAD_QUEUE, reason)

    def _want_anywhere(self, queue_id: int) -> None:
        if queue_id not in self.queues.ids:
            raise Refused(BadActionCode.BAD_QUEUE, f"no port has a queue {queue_id}")
