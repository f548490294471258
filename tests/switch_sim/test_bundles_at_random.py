"""Any messages in a bundle: all of them or none, whatever they are."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    OF14,
    Bucket,
    BundleAdd,
    BundleControl,
    BundleControlType,
    DropBand,
    ErrorMsg,
    FlowModCommand,
    FlowModFlags,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    Match,
    Message,
    Meter,
    MeterMod,
    MeterModCommand,
    Output,
    PortConfig,
    PortMod,
    TableMod,
)
from protocol.tables import TableConfig
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

small = st.integers(1, 4)
matches = st.builds(lambda port: Match(in_port=port) if port < 4 else Match(), small)
instructions = st.one_of(
    st.builds(lambda port: flow(Match(), Output(port)).instructions, small),
    st.builds(lambda group: flow(Match(), Group(group)).instructions, small),
    st.builds(lambda meter: (Meter(meter),), small),
    st.builds(lambda table: (GotoTable(table),), small),
)
flow_mods = st.builds(
    flow,
    matches,
    instructions=instructions,
    command=st.sampled_from(FlowModCommand),
    table_id=st.integers(0, 2),
    priority=st.integers(1, 2),
    importance=st.integers(0, 2),
    hard_timeout=st.integers(0, 2),
    flags=st.sampled_from(
        [0, FlowModFlags.SEND_FLOW_REM, FlowModFlags.CHECK_OVERLAP, FlowModFlags.RESET_COUNTS]
    ),
)
buckets = st.lists(
    st.one_of(
        st.builds(lambda port: Bucket((Output(port),)), small),
        st.builds(lambda group: Bucket((Group(group),)), small),
    ),
    max_size=2,
)
group_mods = st.builds(
    lambda number, command, kind, buckets: GroupMod(
        number if command != GroupModCommand.DELETE or number < 4 else 0xFFFF_FFFC,
        command=command, type=kind,
        buckets=() if command == GroupModCommand.DELETE else tuple(buckets),
    ),
    small,
    st.sampled_from([GroupModCommand.ADD, GroupModCommand.MODIFY, GroupModCommand.DELETE]),
    st.sampled_from([GroupType.ALL, GroupType.SELECT]),
    buckets,
)  # fmt: skip
meter_mods = st.builds(
    lambda number, command, rate: MeterMod(number, command=command, bands=(DropBand(rate),)),
    small,
    st.sampled_from(MeterModCommand),
    small,
)
port_mods = st.builds(
    lambda port, config: PortMod(port, 0xA0 + port, config, PortConfig.NO_FWD),
    st.integers(1, 3),
    st.sampled_from([0, PortConfig.NO_FWD]),
)
table_mods = st.builds(
    lambda table, config: TableMod(table, config),
    st.integers(0, 2),
    st.sampled_from([0, TableConfig.EVICTION]),
)
messages = st.lists(
    st.one_of(flow_mods, flow_mods, group_mods, meter_mods, port_mods, table_mods), max_size=8
)


def state(bench: Bench) -> object:
    """All that the messages can change, and what a packet at each port does."""
    datapath = bench.switch.datapath
    entries = sorted(
        repr((one.table_id, one.priority, one.match, one.instructions, one.packet_count, one.flags))
        for table in datapath.tables.values()
        for one in table
    )
    groups = {
        number: (one.type, [bucket.bucket for bucket in one.buckets])
        for number, one in sorted(datapath.groups.items())
    }
    meters = {
        number: (one.flags, [band.band for band in one.bands])
        for number, one in sorted(datapath.meters.items())
    }
    ports = {number: port.desc for number, port in datapath.ports.items()}
    evicts = {number for number, one in datapath.tables.items() if one.evictor is not None}
    return entries, groups, meters, ports, evicts


def forwards(bench: Bench) -> list[Any]:
    return [bench.frames(frames.TCP, in_port) for in_port in (1, 2, 3)]


def prepared(before: list[Message]) -> Bench:
    bench = Bench(OF14, max_entries=4)
    for message in before:
        bench.ask(message)
    forwards(bench)
    return bench


def commit(bench: Bench, bundled: list[Message]) -> bool:
    for xid, message in enumerate(bundled):
        bench.say(BundleAdd(1, message.numbered(xid), xid=xid))
    answers = bench.ask(BundleControl(1, BundleControlType.COMMIT_REQUEST))
    return not any(isinstance(one, ErrorMsg) for one in answers)


@given(messages, messages)
@settings(deadline=None)
def test_a_bundle_that_fails_leaves_no_trace(before: list[Message], bundled: list[Message]) -> None:
    bench, twin = prepared(before), prepared(before)
    untouched = state(bench)
    assert not commit(bench, [*bundled, flow(Match(), Output(0))])
    assert state(bench) == untouched
    assert forwards(bench) == forwards(twin)
    # And what comes afterwards finds the same switch.
    assert [type(one) for one in bench.ask(flow(Match(in_port=9)))] == [
        type(one) for one in twin.ask(flow(Match(in_port=9)))
    ]
    assert state(bench) == state(twin)


@given(messages, messages)
@settings(deadline=None)
def test_a_bundle_does_what_its_messages_do(before: list[Message], bundled: list[Message]) -> None:
    bench, twin = prepared(before), prepared(before)
    refused = [one for message in bundled for one in twin.ask(message) if isinstance(one, ErrorMsg)]
    if bundled and not refused:
        assert commit(bench, bundled)
        assert state(bench) == state(twin)
        assert forwards(bench) == forwards(twin)
