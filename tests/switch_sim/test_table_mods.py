"""How tables behave: what is done on a miss, eviction, vacancy events."""

from __future__ import annotations

import pytest

from protocol import (
    ALL_TABLES,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    BadPropertyCode,
    FlowMod,
    FlowModCommand,
    FlowModFailedCode,
    FlowModFlags,
    FlowRemoved,
    FlowRemovedReason,
    Match,
    Output,
    PacketIn,
    TableMod,
    TableModFailedCode,
    TableStatsRequest,
    Version,
)
from protocol.properties import ExperimenterProperty
from protocol.record import Record
from protocol.tables import (
    EvictionFlags,
    TableConfig,
    TableDescReply,
    TableDescRequest,
    TableEviction,
    TableReason,
    TableStatsReply,
    TableStatus,
    TableVacancy,
)
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

EVICTION, VACANCY_EVENTS = TableConfig.EVICTION, TableConfig.VACANCY_EVENTS
IMPORTANCE, LIFETIME = EvictionFlags.IMPORTANCE, EvictionFlags.LIFETIME


# On a miss (OF1.1 A.3.4.3 "Modify State Messages")


@pytest.mark.parametrize("version", [OF11, OF12])
def test_a_miss_goes_to_the_controller_or_on_or_nowhere(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(Match(), Output(2), table_id=1))
    assert len(bench.packet_ins(frames.TCP)) == 1
    bench.say(TableMod(0, TableConfig.TABLE_MISS_CONTINUE))
    assert bench.out_ports(frames.TCP) == [2]
    bench.say(TableMod(0, TableConfig.TABLE_MISS_DROP))
    assert bench.switch.receive_frame(1, frames.TCP, 0.0).messages == []


@pytest.mark.parametrize("version", [OF11, OF12])
def test_all_tables_can_be_told_at_once(version: Version) -> None:
    bench = Bench(version)
    bench.say(TableMod(ALL_TABLES, TableConfig.TABLE_MISS_DROP))
    replies = bench.say(TableStatsRequest())
    tables = [one for part in replies if isinstance(part, TableStatsReply) for one in part.tables]
    assert {one.config for one in tables} == {TableConfig.TABLE_MISS_DROP}


def test_since_openflow_13_the_bits_of_misses_mean_nothing() -> None:
    # OF1.3.5 7.3.3 "Flow Table Configuration": OFPTC_DEPRECATED_MASK
    bench = Bench(OF13)
    old = bench.other(OF12)
    bench.say(TableMod(0, TableConfig.TABLE_MISS_DROP))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert [type(one) for one in old.heard(effects)] == [PacketIn]


# Refusals


@pytest.mark.parametrize(
    ("version", "message", "code"),
    [
        (OF11, TableMod(254), TableModFailedCode.BAD_TABLE),
        (OF11, TableMod(0, 3), TableModFailedCode.BAD_CONFIG),
        (OF12, TableMod(0, 4), TableModFailedCode.BAD_CONFIG),
        (OF13, TableMod(0, 4), TableModFailedCode.BAD_CONFIG),
        (OF14, TableMod(0, 16), TableModFailedCode.BAD_CONFIG),
        (OF14, TableMod(0, 4, (TableEviction(1),)), BadPropertyCode.BAD_VALUE),
        (OF14, TableMod(0, 8), BadPropertyCode.BAD_VALUE),
        (OF14, TableMod(0, 8, (TableVacancy(9, 8),)), BadPropertyCode.BAD_VALUE),
        (OF14, TableMod(0, 8, (TableVacancy(9, 101),)), BadPropertyCode.BAD_VALUE),
        (OF14, TableMod(0, 8, (TableVacancy(1, 2),) * 2), BadPropertyCode.DUP_TYPE),
        (OF14, TableMod(0, 0, (ExperimenterProperty(7),)), BadPropertyCode.BAD_EXPERIMENTER),
    ],
)
def test_what_a_table_cannot_be_is_refused(
    version: Version, message: TableMod, code: object
) -> None:
    assert Bench(version).refusal(message) == code


def test_a_refused_table_mod_changes_nothing() -> None:
    bench = Bench(OF14, max_entries=1)
    bench.refusal(TableMod(0, EVICTION, (TableEviction(), TableEviction())))
    bench.say(flow(Match(in_port=1)))
    assert bench.refusal(flow(Match(in_port=2))) == FlowModFailedCode.TABLE_FULL


# Description (OF1.4.1 7.3.5 "Table Description")


def desc(bench: Bench, table_id: int = 0) -> tuple[int, tuple[Record, ...]]:
    replies = bench.say(TableDescRequest())
    tables = [one for part in replies if isinstance(part, TableDescReply) for one in part.tables]
    assert len(tables) == bench.switch.tables.n_tables
    return tables[table_id].config, tables[table_id].properties


@pytest.mark.parametrize("version", [OF14, OF15])
def test_tables_are_described(version: Version) -> None:
    bench = Bench(version, max_entries=10)
    assert desc(bench) == (0, (TableEviction(IMPORTANCE | LIFETIME),))
    both = (TableEviction(LIFETIME), TableVacancy(10, 50))
    bench.say(TableMod(0, EVICTION | VACANCY_EVENTS, both))
    bench.say(flow(Match(in_port=1)))
    told = (TableEviction(LIFETIME), TableVacancy(10, 50, 90))
    assert desc(bench) == (EVICTION | VACANCY_EVENTS, told)
    assert desc(bench, 1)[0] == 0
    bench.say(TableMod(0))
    assert desc(bench)[0] == 0


# Eviction (OF1.4.1 5.5 "Flow Removal")


def evicting(size: int, *properties: Record) -> Bench:
    bench = Bench(OF14, max_entries=size)
    bench.say(TableMod(0, EVICTION, properties))
    return bench


def in_ports(bench: Bench) -> list[int]:
    return sorted(entry.match.number("in_port") or 0 for entry in bench.switch.tables[0])


def test_the_least_important_makes_room() -> None:
    bench = evicting(2)
    for number, importance in enumerate((5, 3, 4), 1):
        bench.say(flow(Match(in_port=number), importance=importance))
    assert in_ports(bench) == [1, 3]


def test_the_more_important_do_not_make_room() -> None:
    bench = evicting(1)
    bench.say(flow(Match(in_port=1), importance=5))
    refusal = bench.refusal(flow(Match(in_port=2), importance=4))
    assert refusal == FlowModFailedCode.TABLE_FULL
    assert in_ports(bench) == [1]


def test_among_equals_the_one_goes_that_would_leave_first() -> None:
    bench = evicting(3)
    bench.say(flow(Match(in_port=1)))
    bench.say(flow(Match(in_port=2), hard_timeout=9))
    bench.say(flow(Match(in_port=3), hard_timeout=20))
    bench.say(flow(Match(in_port=4)))
    assert in_ports(bench) == [1, 3, 4]


def test_importance_can_be_left_out() -> None:
    bench = evicting(2, TableEviction(LIFETIME))
    bench.say(flow(Match(in_port=1), importance=9, hard_timeout=5))
    bench.say(flow(Match(in_port=2)))
    bench.say(flow(Match(in_port=3)))
    assert in_ports(bench) == [2, 3]


def test_an_entry_in_use_lives_longer() -> None:
    bench = evicting(2)
    bench.say(flow(Match(in_port=1), idle_timeout=5))
    bench.say(flow(Match(in_port=2), idle_timeout=6))
    bench.frames(frames.TCP, in_port=1, now=4.0)
    bench.say(flow(Match(in_port=3)), now=4.0)
    assert in_ports(bench) == [1, 3]


def test_entries_that_were_there_before_make_room_too() -> None:
    bench = Bench(OF14, max_entries=1)
    bench.say(flow(Match(in_port=1)))
    bench.say(TableMod(0, EVICTION))
    bench.say(flow(Match(in_port=2)))
    assert in_ports(bench) == [2]


def test_whoever_replaces_an_entry_evicts_none() -> None:
    bench = evicting(2)
    for number in (1, 2, 2):
        bench.say(flow(Match(in_port=number)))
    assert in_ports(bench) == [1, 2]


def test_an_eviction_is_told() -> None:
    # OF1.4.1 7.4.2 "Flow Removed Message"; before OF1.4 there is no such reason.
    bench = evicting(1)
    old = bench.other(OF13)
    bench.say(flow(Match(in_port=1), flags=FlowModFlags.SEND_FLOW_REM))
    effects = bench.effects_of(flow(Match(in_port=2)))
    told = [one for _, one in effects.messages if isinstance(one, FlowRemoved)]
    assert [one.reason for one in told] == [FlowRemovedReason.EVICTION, FlowRemovedReason.DELETE]
    assert len(old.heard(effects)) == 1


def test_many_evictions_leave_the_youngest() -> None:
    bench = evicting(10)
    for number in range(1, 500):
        bench.say(flow(Match(in_port=number)), now=float(number))
    assert in_ports(bench) == list(range(490, 500))


def test_entries_that_come_and_go_leave_nothing_behind() -> None:
    bench = evicting(10)
    for number in range(1, 1001):
        bench.say(flow(Match(in_port=number)))
        bench.say(flow(Match(in_port=number), command=FlowModCommand.DELETE))
    evictor = bench.switch.tables[0].evictor
    assert evictor is not None
    assert len(evictor) < 100


# Vacancy events (OF1.4.1 7.3.4.1 "Modify Flow Table Message", 7.4.5 "Table Status Message")


def add(bench: Bench, *numbers: int) -> list[int]:
    """The vacancy events that entries make when they are added."""
    return events(bench, [flow(Match(in_port=number)) for number in numbers])


def delete(bench: Bench, *numbers: int) -> list[int]:
    return events(
        bench, [flow(Match(in_port=number), command=FlowModCommand.DELETE) for number in numbers]
    )


def events(bench: Bench, messages: list[FlowMod]) -> list[int]:
    told = [one for message in messages for one in bench.say(message)]
    assert all(isinstance(one, TableStatus) for one in told)
    return [one.reason for one in told if isinstance(one, TableStatus)]


def vacant(down: int, up: int, size: int = 10) -> Bench:
    bench = Bench(OF14, max_entries=size)
    bench.say(TableMod(0, VACANCY_EVENTS, (TableVacancy(down, up),)))
    return bench


def test_a_table_tells_when_it_is_nearly_full_and_when_it_has_room_again() -> None:
    bench = vacant(30, 50)
    assert add(bench, *range(1, 8)) == []  # 30 % left
    assert add(bench, 8) == [TableReason.VACANCY_DOWN]
    assert add(bench, 9, 10) == []
    assert delete(bench, *range(1, 6)) == []  # 50 % left
    assert delete(bench, 6) == [TableReason.VACANCY_UP]
    assert delete(bench, 7, 8) == []


def test_around_one_threshold_it_tells_once() -> None:
    bench = vacant(30, 50)
    add(bench, *range(1, 9))
    assert delete(bench, 8) == []
    assert add(bench, 8) == []


def test_a_table_that_is_nearly_full_already_tells_of_room_first() -> None:
    bench = Bench(OF14, max_entries=10)
    add(bench, *range(1, 9))
    bench.say(TableMod(0, VACANCY_EVENTS, (TableVacancy(30, 50),)))
    assert add(bench, 9) == []
    assert delete(bench, *range(1, 6)) == [TableReason.VACANCY_UP]


def test_a_timeout_makes_room() -> None:
    bench = vacant(50, 50, size=1)
    message = flow(Match(in_port=1), hard_timeout=1)
    assert events(bench, [message]) == [TableReason.VACANCY_DOWN]
    [(_, status)] = bench.switch.handle_timer(1.0).messages
    assert isinstance(status, TableStatus)
    assert status.reason == TableReason.VACANCY_UP
    assert status.table.properties[-1] == TableVacancy(50, 50, 100)
