"""The queues of ports: what they promise, and what they let pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from protocol import Port
from protocol.queues import MaxRate, MinRate, QueueDesc, QueueId

from .ports import SwitchPort
from .token_bucket import FRAME, TokenBucket, kilobits, usual_burst

WHOLE = 1_000  #: a rate that is the port's: rates are in 1/10 of a percent of it


class QueueKey(NamedTuple):
    """The number of a queue is its port's own."""

    port_no: int
    queue_id: int


class PortQueue:
    """A queue of a port, and what it has counted since `created` (OF1.3.5 5.8 "Counters").

    A packet that comes faster than max_rate is dropped; nothing waits here, so that there is
    nothing to share out by min_rate either.
    """

    __slots__ = ("_bucket", "created", "desc", "tx_bytes", "tx_errors", "tx_packets")

    def __init__(self, desc: QueueDesc, now: float = 0.0) -> None:
        self.desc = desc
        self.created = now
        self.tx_packets = self.tx_bytes = self.tx_errors = 0
        self._bucket: TokenBucket | None = None

    def has_room(self, port: SwitchPort, size: int, now: float) -> bool:
        """Whether a packet of so many bytes would pass now."""
        bucket = self._bucket_of(port, now)
        return bucket is None or bucket.has(kilobits(size), now)

    def pass_on(self, port: SwitchPort, size: int, now: float) -> bool:
        """Count a packet; return whether it passes."""
        bucket = self._bucket_of(port, now)
        if bucket is not None and not bucket.take(kilobits(size), now):
            self.tx_errors += 1
            return False
        self.tx_packets += 1
        self.tx_bytes += size
        return True

    def _bucket_of(self, port: SwitchPort, now: float) -> TokenBucket | None:
        """Return the bucket of max_rate at the port's speed; None where it has no limit."""
        share = next((one.rate for one in self.desc.properties if isinstance(one, MaxRate)), WHOLE)
        rate = port.desc.ethernet.curr_speed * share / WHOLE
        if share >= WHOLE or not rate:
            return None
        if self._bucket is None or self._bucket.rate != rate:
            self._bucket = TokenBucket(rate, usual_burst(rate, FRAME), now)
        return self._bucket


class Queues(dict[QueueKey, PortQueue]):
    """The queues of all ports; ValueError where two have the same number, or one has none."""

    def __init__(self, descs: Iterable[QueueDesc] = (), now: float = 0.0) -> None:
        super().__init__()
        for desc in sorted(descs, key=_key):
            key = _key(desc)
            if key in self:
                raise ValueError(
                    f"port {desc.port_no} has two queues {desc.queue_id}: take one out"
                )
            if not (0 < desc.port_no <= Port.MAX or desc.port_no == Port.LOCAL):
                raise ValueError(f"port {desc.port_no} can have no queues: write its number")
            if not 0 <= desc.queue_id < QueueId.ALL:
                raise ValueError(f"port {desc.port_no} can have no queue {desc.queue_id}")
            self[key] = PortQueue(desc, now)
        self.ids = frozenset(key.queue_id for key in self)  #: of whichever port


def _key(desc: QueueDesc) -> QueueKey:
    return QueueKey(desc.port_no, desc.queue_id)


def parse_queue(text: str) -> QueueDesc:
    """Read PORT:QUEUE,min=PERCENT,max=PERCENT; ValueError, with the cure, for what is none.

    >>> parse_queue("1:2,max=50")
    QueueDesc(queue_id=2, port_no=1, properties=(MaxRate(rate=500),))
    """
    head, *rates = text.split(",")
    port_no, _, queue_id = head.partition(":")
    if not (port_no.isdecimal() and queue_id.isdecimal()):
        raise ValueError(f"{text!r} is no queue: write PORT:QUEUE, as 1:2 or 1:2,min=10,max=50")
    properties = tuple(map(_parse_rate, rates))
    return QueueDesc(int(queue_id), int(port_no), properties)


_RATES: dict[str, type[MinRate] | type[MaxRate]] = {"min": MinRate, "max": MaxRate}


def _parse_rate(text: str) -> MinRate | MaxRate:
    name, _, percent = text.partition("=")
    try:
        rate = round(float(percent) * WHOLE / 100)
    except (ValueError, OverflowError):
        rate = -1
    if name not in _RATES or not 0 <= rate <= WHOLE:
        raise ValueError(f"{text!r} is no rate of a queue: write min= or max= and 0 to 100 percent")
    return _RATES[name](rate)
