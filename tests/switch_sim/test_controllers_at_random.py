"""Controllers of all versions at one switch: whatever they say, each can read what it hears."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    ALL_VERSIONS,
    OF13,
    OF14,
    Bucket,
    BundleAdd,
    BundleControl,
    EncodeError,
    FlowModCommand,
    FlowModFlags,
    FlowStatsRequest,
    GetAsyncRequest,
    Group,
    GroupMod,
    GroupModCommand,
    Match,
    Message,
    Meter,
    MeterMod,
    MeterModCommand,
    Output,
    PacketOut,
    Port,
    PortMod,
    Role,
    RoleRequest,
    SetAsync,
    SetConfig,
    TableMod,
    Version,
    nicira,
    onf,
    set_field,
)
from protocol.bundles import BundleControlType
from protocol.monitors import FlowMonitorCommand, FlowMonitorFlags, FlowMonitorRequest
from protocol.roles import ControllerStatusRequest
from protocol.tables import TableConfig, TableDescRequest, TableVacancy
from switch_sim import Effects
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

small = st.integers(1, 3)
masks = st.integers(0, 0b111111)
matches = st.sampled_from(
    [
        Match(),
        Match(in_port=1),
        Match(eth_type=0x0800),
        Match(eth_type=0x0800, ip_proto=6, tcp_dst=80),
        Match(eth_type=0x86DD, ipv6_dst="fd00::1"),
        Match(eth_type=0x8847, mpls_bos=1),
        Match(vlan_vid=0x1005),
        Match(metadata=(1, 1)),
        Match(tunnel_id=7),
    ]
)
actions = st.lists(
    st.sampled_from(
        [
            Output(2), Output(Port.CONTROLLER), Output(Port.FLOOD), Group(1), Group(2),
            set_field(eth_dst=5),
        ]
    ),
    max_size=2,
)  # fmt: skip
flow_mods = st.builds(
    lambda match, actions, meter, **fields: flow(
        match,
        instructions=(Meter(meter),) if meter < 3 else flow(match, *actions).instructions,
        **fields,
    ),
    matches,
    actions,
    st.integers(1, 20),
    command=st.sampled_from([FlowModCommand.ADD, FlowModCommand.ADD, *FlowModCommand]),
    priority=small,
    importance=small,
    hard_timeout=st.integers(0, 3),
    flags=st.sampled_from([0, FlowModFlags.SEND_FLOW_REM]),
)
monitor_flags = st.integers(0, sum(FlowMonitorFlags))
monitors = st.one_of(
    st.builds(
        lambda number, match, flags, command: FlowMonitorRequest(
            number, match, command, monitor_flags=flags
        ),
        small,
        matches,
        monitor_flags,
        st.sampled_from(FlowMonitorCommand),
    ),
    st.builds(
        lambda words, number, match, flags: words.FlowMonitorRequest(
            (words.FlowMonitor(number, match, flags & 0b111111),)
        ),
        st.sampled_from([nicira, onf]),
        small,
        matches,
        monitor_flags,
    ),
    st.builds(nicira.FlowMonitorCancel, small),
)
controllers = st.one_of(
    st.builds(RoleRequest, st.sampled_from(Role), st.integers(0, 9)),
    st.builds(nicira.RoleRequest, st.sampled_from(nicira.Role)),
    st.builds(SetAsync, masks, masks, masks, masks, masks, masks),
    st.builds(lambda mask: SetAsync(packet_in_slave=mask, table_status_slave=24), masks),
    st.sampled_from([GetAsyncRequest(), ControllerStatusRequest(), TableDescRequest()]),
    st.builds(SetConfig, st.just(0), st.sampled_from([0, 20, 0xFFFF])),
)
others = st.one_of(
    st.builds(
        lambda number, command, target: GroupMod(
            number,
            command=command,
            buckets=() if command == GroupModCommand.DELETE else (Bucket((Output(target),)),),
        ),
        small,
        st.sampled_from([GroupModCommand.ADD, GroupModCommand.MODIFY, GroupModCommand.DELETE]),
        small,
    ),
    st.builds(MeterMod, small, st.sampled_from(MeterModCommand)),
    st.builds(lambda port, config: PortMod(port, 0xA0 + port, config, 1), small, st.integers(0, 1)),
    st.builds(
        lambda config: TableMod(0, config, (TableVacancy(40, 60),)),
        st.sampled_from([TableConfig.EVICTION, TableConfig.VACANCY_EVENTS, TableConfig(12)]),
    ),
    st.builds(
        lambda port: PacketOut((Output(port),), frames.TCP), st.sampled_from([2, Port.TABLE])
    ),
    st.builds(FlowStatsRequest, matches),
)
changes = st.one_of(flow_mods, others)
bundles = st.one_of(
    st.builds(lambda number, one: BundleAdd(number, one), small, changes),
    st.builds(BundleControl, small, st.sampled_from(list(BundleControlType)[::2])),
    st.builds(lambda number, one: onf.BundleAdd(number, one), small, flow_mods),
    st.builds(onf.BundleControl, small, st.sampled_from(list(BundleControlType)[::2])),
)
said = st.one_of(flow_mods, changes, monitors, controllers, bundles)
EVENTS = ("frame", "time", "link", "congested", "relieved", "gone")
happenings = st.lists(
    st.tuples(st.integers(0, 7), st.one_of(said, said, said, st.sampled_from(EVENTS))), max_size=30
)
VERSIONS: tuple[Version, ...] = (*sorted(ALL_VERSIONS), OF14, OF13)


def read(effects: Effects) -> None:
    """Each controller reads what it hears."""
    for session, message in effects.messages:
        assert Message.decode(message.encode(session.version))


def happens(bench: Bench, what: Any, now: float) -> None:
    switch = bench.switch
    match what:
        case "frame":
            read(switch.receive_frame(1, frames.TCP, now))
        case "time":
            read(switch.handle_timer(now))
        case "link":
            read(switch.set_link(2, not switch.ports[2].is_up, now))
        case "congested":
            bench.session.is_congested = True
        case "relieved":
            read(switch.relieve(bench.session))
        case "gone":
            read(switch.disconnect(bench.session))
            bench.session = switch.connect(bench.version)
            read(switch.greet(bench.session))
        case Message():
            try:
                raw = what.encode(bench.version)
            except EncodeError:
                return  # its version has no words for it
            read(switch.handle(bench.session, Message.decode(raw), now, raw))


@given(happenings)
@settings(deadline=None)
def test_each_controller_can_read_what_it_hears(happened: list[tuple[int, Any]]) -> None:
    first = Bench(VERSIONS[0], max_entries=5)
    benches = [first, *(first.other(version) for version in VERSIONS[1:])]
    for now, (who, what) in enumerate(happened):
        happens(benches[who], what, float(now))
    assert sum(one.session.main.role is Role.MASTER for one in benches) <= 1
