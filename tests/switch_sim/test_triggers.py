"""OF1.5's statistics: counters alone, and entries that tell them by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF14,
    OF15,
    ApplyActions,
    BadInstructionCode,
    BadRequestCode,
    FlowModCommand,
    Match,
    Output,
    PushVlan,
    SetAsync,
    Stats,
    StatTrigger,
)
from protocol.bundles import BundleAdd, BundleControl, BundleControlType
from protocol.flows import (
    FlowCounters,
    FlowCountersReply,
    FlowCountersRequest,
    FlowStatsReason,
)
from protocol.instructions import StatTriggerFlags
from switch_sim import Effects
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

PERIODIC, ONLY_FIRST = StatTriggerFlags.PERIODIC, StatTriggerFlags.ONLY_FIRST
ONE = Match(in_port=1)
SIZE = len(frames.TCP)


# Counters alone (OF1.5.1 7.3.5 "Individual Flow Statistics")


def test_counters_can_be_asked_for_without_descriptions() -> None:
    bench = Bench(OF15)
    bench.say(flow(ONE, Output(2), priority=9, table_id=0))
    bench.say(flow(Match(in_port=2), table_id=1))
    bench.frames(frames.TCP, now=1.0)
    [reply] = bench.say(FlowCountersRequest(table_id=0), now=3.5)
    stats = Stats(
        duration_sec=3, duration_nsec=500_000_000, idle_sec=2, idle_nsec=500_000_000,
        packet_count=1, byte_count=SIZE,
    )  # fmt: skip
    assert reply == FlowCountersReply(
        (FlowCounters(ONE, 9, 0, FlowStatsReason.STATS_REQUEST, stats),)
    )
    assert bench.refusal(FlowCountersRequest(table_id=254)) == BadRequestCode.BAD_TABLE_ID


# Triggers (OF1.5.1 7.2.5 "Instruction Structures": OFPIT_STAT_TRIGGER)


def telling(flags: int = 0, *actions: Any, **thresholds: int) -> Bench:
    """A controller at a switch with one entry, which tells of itself."""
    bench = Bench(OF15)
    trigger = StatTrigger(flags, Stats(**thresholds))
    bench.say(flow(ONE, instructions=(ApplyActions(actions), trigger)))
    return bench


def told(bench: Bench, effects: Effects) -> list[int | None]:
    """The packet counts that a controller is told without having asked."""
    replies = bench.heard(effects)
    assert all(isinstance(one, FlowCountersReply) and one.xid == 0 for one in replies)
    flows = [
        one for reply in replies if isinstance(reply, FlowCountersReply) for one in reply.flows
    ]
    assert all(one.reason == FlowStatsReason.STAT_TRIGGER for one in flows)
    return [one.stats.packet_count for one in flows]


def after_packets(bench: Bench, count: int) -> list[int | None]:
    """The packet counts that are told while so many packets come."""
    effects = (bench.switch.receive_frame(1, frames.TCP, 0.0) for _ in range(count))
    return [one for each in effects for one in told(bench, each)]


@pytest.mark.parametrize(
    ("flags", "thresholds", "counts"),
    [
        (0, {"packet_count": 3}, [3]),
        (0, {"byte_count": 3 * SIZE}, [3]),
        (0, {"byte_count": 3 * SIZE + 1}, [4]),
        (0, {"packet_count": 3, "byte_count": 5 * SIZE}, [3, 5]),
        (0, {"packet_count": 3, "byte_count": 3 * SIZE}, [3]),
        (PERIODIC, {"packet_count": 3}, [3, 6, 9]),
        (ONLY_FIRST, {"packet_count": 3, "byte_count": 5 * SIZE}, [3]),
        (0, {}, []),
    ],
)
def test_packets_pass_thresholds(flags: int, thresholds: Any, counts: list[int]) -> None:
    assert after_packets(telling(flags, **thresholds), 10) == counts


def test_bytes_are_those_that_came_in() -> None:
    bench = telling(0, PushVlan(), Output(2), byte_count=3 * SIZE)
    assert after_packets(bench, 5) == [3]


def time_told(bench: Bench, *times: float) -> list[float]:
    return [now for now in times if told(bench, bench.switch.handle_timer(now))]


def test_time_passes_thresholds() -> None:
    bench = telling(duration_sec=5)
    assert bench.switch.deadline() == 5.0
    assert time_told(bench, 4.9, 5.0, 5.1, 10.0) == [5.0]
    assert bench.switch.deadline() is None
    bench = telling(PERIODIC, duration_sec=1, duration_nsec=500_000_000)
    assert time_told(bench, 1.5, 2.0, 3.0, 4.5) == [1.5, 3.0, 4.5]


def test_an_entry_without_packets_passes_its_idle_threshold() -> None:
    bench = telling(idle_sec=5)
    bench.frames(frames.TCP, now=3.0)
    assert time_told(bench, 5.0, 8.0, 13.0) == [8.0]
    bench.frames(frames.TCP, now=20.0)  # and again after the next packet
    assert time_told(bench, 24.0, 25.0) == [25.0]


def test_an_entry_that_went_or_changed_tells_nothing_more() -> None:
    bench = telling(duration_sec=5, packet_count=2)
    bench.say(flow(ONE, Output(2), command=FlowModCommand.MODIFY))
    assert after_packets(bench, 3) == []
    bench = telling(duration_sec=5)
    bench.say(flow(ONE, command=FlowModCommand.DELETE))
    assert time_told(bench, 5.0) == []


def test_entries_that_come_and_go_leave_no_timers_behind() -> None:
    bench = Bench(OF15)
    trigger = StatTrigger(0, Stats(duration_sec=1_000_000))
    for _ in range(500):
        bench.say(flow(ONE, instructions=(trigger,)))
        bench.say(flow(ONE, command=FlowModCommand.DELETE))
    assert len(bench.switch.datapath.triggers) < 100


def test_a_trigger_survives_a_bundle_that_failed() -> None:
    bench = telling(packet_count=2)
    bench.say(BundleAdd(1, flow(ONE, command=FlowModCommand.DELETE)))
    bench.say(BundleAdd(1, flow(ONE, table_id=254)))
    bench.ask(BundleControl(1, BundleControlType.COMMIT_REQUEST))
    assert after_packets(bench, 2) == [2]


def test_who_does_not_want_to_be_told_is_not() -> None:
    bench = telling(packet_count=1)
    old = bench.other(OF14)
    bench.say(SetAsync(flow_stats_master=1 << FlowStatsReason.STATS_REQUEST))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert bench.heard(effects) == old.heard(effects) == []


@pytest.mark.parametrize("trigger", [StatTrigger(1 << 5), StatTrigger(0, Stats(flow_count=3))])
def test_what_no_entry_counts_is_refused(trigger: StatTrigger) -> None:
    message = flow(ONE, instructions=(trigger,))
    assert Bench(OF15).refusal(message) == BadInstructionCode.UNSUP_INST
