"""The course of a run, without sockets or a clock: handshake, learning, warm-up, measuring.

    CONNECTING ─all quiet─▶ LEARNING ─all answered─▶ READY
    READY ─go()─▶ WARM_UP ─▶ MEASURING ─▶ DRAINING ─▶ DONE
    READY ─go()─▶ ECHOING ─▶ DONE                           (a storm)

READY waits for other processes. What comes before MEASURING is not counted. A storm ends with
an echo request of all switches at once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from enum import Enum

from .histogram import Histogram
from .lane import Lane
from .plan import Mode, Plan
from .tally import SLICE, Tally
from .traffic import Kind

ANNOUNCING_WINDOW = 32  # hosts of a switch that tell where they are at the same time


class Phase(Enum):
    """Where a run is."""

    CONNECTING = "connecting"
    LEARNING = "learning"
    READY = "ready"
    WARM_UP = "warming up"
    MEASURING = "measuring"
    ECHOING = "asking for signs of life"
    DRAINING = "waiting for the last answers"
    DONE = "done"


class Course:
    """Tells the lanes what to do when; `advance(now)` is wanted at `wake`, or earlier."""

    def __init__(self, plan: Plan, lanes: Sequence[Lane], now: float) -> None:
        self.plan, self.lanes = plan, lanes
        self.phase = Phase.CONNECTING
        self.tally = lanes[0].tally  #: what is counted at this moment
        self.seconds = 0.0  #: that were measured
        self.answered = 0  #: packet_ins, in these seconds
        self.flow_mods = self.packet_outs = 0  #: that came in them
        self.up = Histogram()  #: from the beginning until a controller had done the handshake
        self.spoke: list[Lane] = []  #: whose words are to be written
        self.wake = now
        self.began = self._since = now  # all, and this phase
        self._due = 0  # packet_ins that were due since pacing began
        self._pacing_since = 0.0
        self._slice_end = now
        self._sliced = 0  # answers that slices have
        self._loaded: list[Lane] = []  # which send packet_ins
        self._learned, self._learned_at = 0, now  # hosts, and when the last one was

    def go(self, now: float) -> None:
        """Begin, as all processes are ready."""
        if self.plan.mode is Mode.STORM:
            self._enter(Phase.ECHOING, now)
            for lane in self.alive:
                lane.send_echo()
                self.spoke.append(lane)
            return
        self._enter(Phase.WARM_UP, now)
        if self.plan.kind is not None:
            self._load(self.plan.kind)
        self._pacing_since = now
        if not self.plan.rate:
            self._open(self.plan.window, sys.maxsize, now)

    def advance(self, now: float) -> None:
        """Do what is due."""
        step = _STEPS.get(self.phase)
        if step is not None and now >= self.wake:
            step(self, now)

    @property
    def alive(self) -> list[Lane]:
        """The switches that have a controller."""
        return [lane for lane in self.lanes if lane.featured is not None and not lane.closed]

    @property
    def without(self) -> list[Lane]:
        """The switches whose handshake did not come to its end."""
        return [lane for lane in self.lanes if lane.featured is None or lane.closed]

    # Phases

    def _connect(self, now: float) -> None:
        self.wake = now + self.plan.settle / 4
        for lane in self.alive:
            if lane.up is None and self._is_up(lane, now):
                lane.up = lane.heard
                self.up.add(lane.heard - self.began)
        late = now - self.began > self.plan.connect_timeout
        if not late and not all(lane.up or lane.closed for lane in self.lanes):
            return
        self._loaded = self.alive
        if not self._loaded:
            self.phase = Phase.DONE
        elif self.plan.kind is None or not self.plan.learn:
            self._get_ready(now)
        else:
            self._announce(now)

    def _is_up(self, lane: Lane, now: float) -> bool:
        """Whether a controller is done with a switch; one that we only listen to never is."""
        listening = self.plan.mode in (Mode.FLOW_MODS, Mode.STATS)
        return listening or now - lane.heard >= self.plan.settle

    def _announce(self, now: float) -> None:
        self._enter(Phase.LEARNING, now)
        self._learned_at = now
        self._load(Kind.ANNOUNCEMENT)
        self._open(ANNOUNCING_WINDOW, self.plan.hosts, now)

    def _learn(self, now: float) -> None:
        self._expire(now)
        if self.tally.answered > self._learned:
            self._learned, self._learned_at = self.tally.answered, now
        if self.tally.lost:  # then no longer a few hosts at a time
            for lane in self._loaded:
                lane.window = self.plan.hosts
        in_vain = now - self._learned_at > self.plan.timeout
        if in_vain or not any(lane.pending or lane.left for lane in self.alive):
            self._open(0, sys.maxsize, now)
            self._get_ready(now)

    def _get_ready(self, now: float) -> None:
        self._enter(Phase.READY, now)
        self.wake = math.inf  # go() ends it

    def _warm_up(self, now: float) -> None:
        if self._run(now, self.plan.warm_up):
            self._enter(Phase.MEASURING, now)

    def _measure(self, now: float) -> None:
        if self._run(now, self.plan.duration):
            tally = self.tally
            self.seconds, self.answered = now - self._since, tally.answered
            self.flow_mods, self.packet_outs = tally.flow_mods, tally.packet_outs
            self._open(0, sys.maxsize, now)
            self.phase, self._since, self.wake = Phase.DRAINING, now, now  # which counts on

    def _echo(self, now: float) -> None:
        self.wake = now + SLICE
        silent = any(lane.echoed is None for lane in self.alive)
        if silent and now - self._since <= self.plan.connect_timeout:
            return
        self.seconds = now - self._since
        for lane in self.lanes:
            if lane.echoed is not None:
                self.tally.latency.add(lane.echoed - self._since)
        self.phase = Phase.DONE

    def _drain(self, now: float) -> None:
        self._expire(now)
        if now - self._since > self.plan.timeout:
            for lane in self._loaded:
                lane.give_up()
        if not any(lane.pending or lane.due for lane in self._loaded):
            self.phase = Phase.DONE

    def _run(self, now: float, seconds: float) -> bool:
        """Go on with a phase that has an end; return whether it came."""
        if now >= self._slice_end:
            self._expire(now)
        while now >= self._slice_end:  # more than once if we could not run for a while
            self._slice_end += SLICE
            self.tally.slices.append(self.tally.answered - self._sliced)
            self._sliced = self.tally.answered
        end = self._since + seconds
        self.wake = min(end, self._slice_end)
        if self.plan.rate and self.plan.kind is not None:
            self.wake = min(self.wake, self._pace(min(now, end)))
        return now >= end

    def _pace(self, now: float) -> float:
        """Send what is due, by turns from all switches; return when the next one is."""
        rate, lanes = self.plan.rate, self._loaded
        due = int((now - self._pacing_since) * rate) + 1
        for number in range(self._due, due):
            lanes[number % len(lanes)].due.append(self._pacing_since + number / rate)
        for lane in lanes if due - self._due >= len(lanes) else self._touched(due):
            self._fill(lane, now)
        self._due = due
        return self._pacing_since + due / rate

    def _touched(self, due: int) -> list[Lane]:
        lanes = self._loaded
        return [lanes[number % len(lanes)] for number in range(self._due, due)]

    # All switches

    def _enter(self, phase: Phase, now: float) -> None:
        """Begin a phase, and to count anew."""
        self.phase, self._since, self.wake = phase, now, now
        self._slice_end, self._sliced = now + SLICE, 0
        self.tally = Tally()
        for lane in self.lanes:
            lane.tally = self.tally

    def _load(self, kind: Kind) -> None:
        for lane in self._loaded:
            assert lane.version is not None
            lane.load(self.plan.traffic(lane.version), kind)

    def _open(self, window: int, left: int, now: float) -> None:
        for lane in self._loaded:
            lane.window, lane.left = window, left
            self._fill(lane, now)

    def _expire(self, now: float) -> None:
        self.wake = now + SLICE
        for lane in self._loaded:
            lane.expire(now - self.plan.timeout)
            self._fill(lane, now)

    def _fill(self, lane: Lane, now: float) -> None:
        lane.fill(now)
        if lane.out:
            self.spoke.append(lane)


_STEPS = {
    Phase.CONNECTING: Course._connect,
    Phase.LEARNING: Course._learn,
    Phase.WARM_UP: Course._warm_up,
    Phase.MEASURING: Course._measure,
    Phase.ECHOING: Course._echo,
    Phase.DRAINING: Course._drain,
}
