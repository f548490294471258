"""What was counted, by one process or, put together, by several."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from .histogram import Histogram

SLICE = 0.1  #: seconds: how finely it is kept when answers came


@dataclass(slots=True)
class Tally:
    """Counts of messages, and how long answers took."""

    packet_ins: int = 0
    answered: int = 0  #: packet_ins, by the first answer that releases the packet
    lost: int = 0  #: packet_ins without such an answer in time
    flow_mods: int = 0
    packet_outs: int = 0
    strays: int = 0  #: answers to a packet that was answered before, or given up
    requests: int = 0  #: all else that wants an answer, echo requests included
    stats_requests: int = 0
    errors: int = 0  #: OFPT_ERROR messages
    bytes_in: int = 0
    bytes_out: int = 0
    latency: Histogram = field(default_factory=Histogram)  #: from packet_in to answer
    late: Histogram = field(default_factory=Histogram)  #: from when one was due to its being sent
    slices: list[int] = field(default_factory=list)  #: answered in each SLICE of the run

    def merge(self, other: Tally) -> None:
        """Add what another process counted in the same time."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latency.merge(other.latency)
        self.late.merge(other.late)
        longest = max(len(self.slices), len(other.slices))
        pairs = [one + [0] * (longest - len(one)) for one in (self.slices, other.slices)]
        self.slices = [sum(both) for both in zip(*pairs, strict=True)]


_NUMBERS = [one.name for one in fields(Tally) if one.type == "int"]
