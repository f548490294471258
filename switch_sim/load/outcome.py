"""What a run brought, of one process or put together of several, and as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .course import Course
from .histogram import Histogram
from .plan import Mode, Plan
from .tally import Tally

PERCENTILES = (50.0, 90.0, 99.0, 99.9, 100.0)
BUSY = 0.9  #: of a processor: above it the switches may be what was measured


@dataclass(slots=True)
class Outcome:
    """All that is told of a run; times are in seconds."""

    seconds: float = 0.0  #: that were measured
    answered: int = 0  #: packet_ins, in that time
    flow_mods: int = 0
    packet_outs: int = 0
    processor: float = 0.0  #: seconds of a processor that the switches took in that time
    processes: int = 1
    switches: int = 0  #: with a controller at the end
    reasons: Counter[str] = field(default_factory=Counter)  #: why others have none
    versions: Counter[str] = field(default_factory=Counter)  #: what the switches speak
    errors: Counter[str] = field(default_factory=Counter)  #: what the controller refused
    up: Histogram = field(default_factory=Histogram)  #: until a switch's handshake was done
    tally: Tally = field(default_factory=Tally)
    controller_processor: float | None = None  #: seconds that the controller took

    @classmethod
    def of(cls, course: Course, processor: float) -> Outcome:
        """Return what one process's course brought."""
        lanes = course.lanes
        return cls(
            course.seconds,
            course.answered,
            course.flow_mods,
            course.packet_outs,
            processor,
            switches=len(course.alive),
            reasons=Counter(lane.closed or "no features were asked for" for lane in course.without),
            versions=Counter(str(lane.version) for lane in lanes if lane.version),
            errors=Counter(str(lane.last_error.code) for lane in lanes if lane.last_error),
            up=course.up,
            tally=course.tally,
        )

    def merge(self, other: Outcome) -> None:
        """Add what another process brought in the same time."""
        self.seconds = max(self.seconds, other.seconds)
        self.answered += other.answered
        self.flow_mods += other.flow_mods
        self.packet_outs += other.packet_outs
        self.processor += other.processor
        self.processes += other.processes
        self.switches += other.switches
        self.reasons += other.reasons
        self.versions += other.versions
        self.errors += other.errors
        self.up.merge(other.up)
        self.tally.merge(other.tally)

    def a_second(self, count: float) -> float:
        """Return how many that is in a second of the time that was measured."""
        return count / self.seconds if self.seconds else 0.0

    @property
    def load(self) -> float:
        """How busy a process of the switches was, 1 being a whole processor."""
        return self.a_second(self.processor) / self.processes

    @property
    def lost_share(self) -> float:
        """Which part of all packet_ins whose time is over was not answered.

        Some of them went before it was measured, so that `packet_ins` is another number.
        """
        over = self.tally.answered + self.tally.lost
        return self.tally.lost / over if over else 0.0

    def as_data(self, plan: Plan) -> dict[str, Any]:
        """Return it as what can be written as JSON; latencies in microseconds."""
        tally = self.tally
        data: dict[str, Any] = {
            "mode": plan.mode.value,
            "versions": dict(self.versions),
            "switches": self.switches,
            "without_controller": dict(self.reasons),
            "hosts": plan.hosts,
            "window": plan.window,
            "rate": plan.rate,
            "buffered": plan.buffered,
            "busy": plan.busy,
            "seconds": self.seconds,
            "up_ms": percentiles(self.up, 1e3),
        }
        if plan.mode is Mode.STORM:
            return data | {"echo_ms": percentiles(tally.latency, 1e3)}
        data |= {
            "answered_per_second": self.a_second(self.answered),
            "flow_mods_per_second": self.a_second(self.flow_mods),
            "packet_outs_per_second": self.a_second(self.packet_outs),
            "responses_per_second": self.a_second(self.flow_mods + self.packet_outs),
            "packet_ins": tally.packet_ins,
            "lost": tally.lost,
            "strays": tally.strays,
            "stats_requests": tally.stats_requests,
            "other_requests": tally.requests,
            "errors": tally.errors,
            "error_codes": dict(self.errors),
            "bytes_in": tally.bytes_in,
            "bytes_out": tally.bytes_out,
            "latency_us": percentiles(tally.latency, 1e6),
            "late_us": percentiles(tally.late, 1e6),
            "answered_by_slice": tally.slices,
            "load_processor_seconds": self.processor,
            "load_processes": self.processes,
        }
        if self.controller_processor is not None:
            data["controller_processor_seconds"] = self.controller_processor
        if self.controller_processor:  # 0 is less than the system's clock sees
            data["answered_per_processor_second"] = self.answered / self.controller_processor
        return data


def percentiles(histogram: Histogram, unit: float) -> dict[str, float]:
    """Return the mean and the usual percentiles, in so many units a second."""
    found = {f"p{one:g}": histogram.percentile(one) * unit for one in PERCENTILES}
    return {"mean": histogram.mean * unit} | found
