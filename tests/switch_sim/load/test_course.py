"""Whole runs in virtual time, against controllers that do as the test says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from protocol import OF10, OF13, FlowMod, Message, PacketIn, Version
from switch_sim.load.course import Course, Phase
from switch_sim.load.outcome import Outcome
from switch_sim.load.plan import Mode, Plan

from .controllers import TICK, FakeController, by_both, by_data, lane, run, unanswered


def deaf_to_broadcasts(message: PacketIn) -> Iterable[Message]:
    return () if message.data[0] == 0xFF else by_both(message)


PLAN = Plan(
    Mode.THROUGHPUT, frozenset({OF13}), switches=2, hosts=16, window=4, warm_up=0.1, duration=0.3
)


def test_a_window_on_its_way_all_the_time_gives_its_throughput() -> None:
    course = run(PLAN)
    # Each tick answers a window of each switch, and lets the next one go.
    assert course.answered / course.seconds == pytest.approx(2 * 4 / TICK, rel=0.01)
    assert course.tally.lost == 0
    assert course.tally.latency.percentile(100) == pytest.approx(TICK, rel=0.01)
    assert course.flow_mods == course.packet_outs == course.answered


def test_latency_has_one_packet_on_its_way() -> None:
    course = run(replace(PLAN, mode=Mode.LATENCY, window=1), delay=5)
    assert course.tally.latency.percentile(50) == pytest.approx(5 * TICK, rel=0.01)
    assert course.answered / course.seconds == pytest.approx(2 / (5 * TICK), rel=0.02)


def test_a_rate_is_kept_however_slow_the_answers_come() -> None:
    course = run(replace(PLAN, mode=Mode.RATE, rate=2_000), delay=50)
    assert course.tally.packet_ins == pytest.approx(2_000 * PLAN.duration, rel=0.02)


def test_what_waits_to_be_sent_is_timed_from_when_it_was_due() -> None:
    """Coordinated omission: a controller that stands still must be seen by all that came then."""
    course = run(replace(PLAN, mode=Mode.RATE, rate=2_000, duration=0.5), delay=100)
    # Packets come evenly, answers every 100 ticks: the waits are spread between 0 and 100.
    for percent in (10, 50, 90):
        wait = course.tally.latency.percentile(percent)
        assert wait == pytest.approx(percent * TICK, abs=6 * TICK)


@pytest.mark.parametrize("version", Version, ids=str)
@pytest.mark.parametrize("mode", [Mode.FLAPS, Mode.LEARNING, Mode.UNLEARNING])
def test_each_kind_of_load_is_answered(mode: Mode, version: Version) -> None:
    course = run(replace(PLAN, mode=mode, versions=frozenset({version}), duration=0.1))
    assert course.answered > 400
    assert course.tally.lost == course.tally.strays == 0


def test_answers_that_do_not_come_are_noticed() -> None:
    course = run(replace(PLAN, timeout=0.05), policy=unanswered(every=10))
    share = course.tally.lost / course.tally.packet_ins
    assert share == pytest.approx(0.1, rel=0.1)
    assert course.tally.lost + course.tally.answered >= course.tally.packet_ins


def test_without_buffers_all_the_same() -> None:
    course = run(replace(PLAN, buffered=False, versions=frozenset({OF10})), policy=by_data)
    assert course.answered > 400
    assert course.tally.lost == 0


def test_all_hosts_say_where_they_are_before_it_begins() -> None:
    seen: set[bytes] = set()

    def policy(message: PacketIn) -> Iterable[Message]:
        if message.data[0] == 0xFF:
            seen.add(message.data[6:12])
        else:
            assert len(seen) == 2 * PLAN.hosts
        return by_both(message)

    run(PLAN, policy=policy)


def test_a_controller_that_floods_nothing_is_not_waited_for_host_by_host() -> None:
    plan = replace(PLAN, hosts=256, timeout=1.0)
    course = run(plan, deaf_to_broadcasts, limit=2.0 + plan.warm_up + plan.duration)
    assert course.answered > 400
    assert course.tally.lost == 0


def test_what_comes_before_it_is_measured_does_not_count() -> None:
    course = run(replace(PLAN, duration=0.1, warm_up=0.5))
    assert course.tally.packet_ins == pytest.approx(2 * 4 * 0.1 / TICK, rel=0.03)


def test_answers_are_counted_slice_by_slice() -> None:
    course = run(PLAN)
    assert len(course.tally.slices) == 3
    assert sum(course.tally.slices) == pytest.approx(course.answered, rel=0.05)


def test_a_storm_tells_when_each_switch_was_up_and_heard_an_echo() -> None:
    course = run(replace(PLAN, mode=Mode.STORM))
    assert course.up.count == course.tally.latency.count == 2
    assert 0 < course.up.percentile(100) < 0.1


def test_nobody_there_ends_it_when_the_time_is_over() -> None:
    course = Course(replace(PLAN, connect_timeout=1.0), [lane(), lane()], now=0)
    course.advance(0.9)
    assert course.phase is Phase.CONNECTING
    course.advance(1.1)
    assert course.phase is Phase.DONE
    assert Outcome.of(course, 0).reasons == {"no features were asked for": 2}


class Talker(FakeController):
    """Adds an entry whenever it can, without a pause."""

    def receive(self, data: bytes, now: float) -> bytes:
        said = super().receive(data, now)
        if self.connection.version is not None:
            self.connection.send(FlowMod())
        return said + self.connection.data_to_send()


def test_who_never_is_silent_is_listened_to_all_the_same() -> None:
    plan = replace(PLAN, mode=Mode.FLOW_MODS, switches=1)
    course = run(plan, controllers=[Talker()], limit=2.0)
    assert course.flow_mods / course.seconds == pytest.approx(1 / TICK, rel=0.02)


def test_who_never_is_silent_is_no_longer_waited_for_when_the_time_is_over() -> None:
    plan = replace(PLAN, switches=2, connect_timeout=1.0)
    assert run(plan, controllers=[Talker()], limit=3.0).answered > 400


@pytest.mark.parametrize("mode", [Mode.THROUGHPUT, Mode.RATE])
def test_a_switch_without_a_controller_is_left_out(mode: Mode) -> None:
    plan = replace(PLAN, mode=mode, rate=2_000 * (mode is Mode.RATE), connect_timeout=0.5)
    course = run(plan, controllers=[None], limit=3.0)
    assert (len(course.alive), course.tally.lost) == (1, 0)
    assert course.answered > 250


class Stopping(FakeController):
    """Reads nothing from some time on."""

    def __init__(self, when: float) -> None:
        super().__init__()
        self._when = when

    def receive(self, data: bytes, now: float) -> bytes:
        return super().receive(data, now) if now < self._when else b""


@pytest.mark.parametrize("when", [0.31, 0.8])  # while hosts are learned; while it is measured
@pytest.mark.parametrize("rate", [0, 1_000])
def test_who_stops_to_read_loses_packets_and_does_not_hang_the_run(when: float, rate: int) -> None:
    plan = replace(PLAN, rate=rate, switches=2, timeout=0.5, hosts=256)
    course = run(plan, controllers=[Stopping(when)], limit=5.0)
    assert course.phase is Phase.DONE
    assert course.tally.lost > 0


def test_two_processes_count_together() -> None:
    one, other = (Outcome.of(run(PLAN), processor=0.25) for _ in range(2))
    whole = Outcome.of(run(PLAN), processor=0.25)
    whole.merge(other)
    assert whole.answered == one.answered + other.answered
    assert whole.tally.latency.count == 2 * one.tally.latency.count
    assert (whole.switches, whole.processes, whole.processor) == (4, 2, 0.5)
    assert whole.tally.slices == [2 * each for each in one.tally.slices]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window": 17}, "a window of 17 with 16 hosts"),
        ({"mode": Mode.RATE}, "needs --rate"),
        ({"switches": 0}, "0 switches"),
        ({"hosts": 15, "window": 1}, "as many"),
    ],
)
def test_plans_that_cannot_be_are_refused(changes: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(PLAN, **changes)
