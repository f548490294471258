"""The fast path: what it must not change, and when it is taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    OF13,
    OF15,
    Action,
    ApplyActions,
    Bucket,
    ClearActions,
    ConfigFlags,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecNwTtl,
    DscpRemarkBand,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    GotoTable,
    Group,
    GroupMod,
    GroupType,
    Instruction,
    Match,
    Message,
    Meter,
    MeterAction,
    MeterFlags,
    MeterMod,
    Output,
    PopMpls,
    PopPbb,
    PopVlan,
    Port,
    PortConfig,
    PortMod,
    PushMpls,
    PushPbb,
    PushVlan,
    SetConfig,
    SetNwTtl,
    SetQueue,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol.meters import DropBand
from protocol.oxm import OXM
from protocol.tables import TableConfig
from switch_sim import Effects, Switch, flow_cache
from switch_sim.check import Checker
from switch_sim.flow_key import flow_key
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow, ports
from tests.switch_sim.naive import NaiveSwitch
from tests.switch_sim.test_footprint import FRAMES, odd_frames

N_TABLES = 4
IP = Match(eth_type=0x0800)

# Agreement with a switch that keeps nothing

numbers = st.integers(1, 4)
actions = st.one_of(
    numbers.map(Output),
    st.sampled_from([Port.IN_PORT, Port.ALL, Port.FLOOD, Port.NORMAL, Port.LOCAL]).map(Output),
    st.just(Output(Port.CONTROLLER, 30)),
    st.sampled_from(
        [
            DecNwTtl(),
            SetNwTtl(2),
            CopyTtlIn(),
            CopyTtlOut(),
            PopVlan(),
            PushVlan(),
            PushVlan(0x88A8),
            PushMpls(),
            PopMpls(0x0800),
            PopMpls(0x8847),
            PushPbb(),
            PopPbb(),
            SetQueue(1),
            set_field(vlan_vid=100),
            set_field(ipv4_dst="10.0.0.9"),
            set_field(tcp_dst=80),
            set_field(eth_dst=2),
            set_field(metadata=5),
            set_field(mpls_label=100),
            CopyField(n_bits=8, src="eth_src", dst="eth_dst"),
            CopyField(n_bits=12, src="vlan_vid", dst="metadata"),
            CopyField(n_bits=32, src="ipv4_src", dst="ipv4_dst"),
            CopyField(n_bits=32, src="in_port", dst="metadata"),
        ]
    ),
)


# Frames that differ in little, so that one may be taken for another.
V4 = [frames.TCP, frames.TCP_TO_10_0_0_9, frames.TCP_PORT_8080, frames.TCP_TTL_1, frames.UDP]
VLAN = [frames.VLAN_TCP, frames.VLAN_5_TCP, frames.VLAN_0_TCP, frames.QINQ_TCP]
VLAN += [frames.VLAN_TCP[:18] + data[14:] for data in (frames.TCP_TO_10_0_0_9, frames.UDP)]
MPLS = [frames.MPLS_TCP, frames.MPLS_MPLS_TCP, frames.MPLS_TTL_9_TCP, frames.VLAN_MPLS_PUSHED_TCP]
MPLS += [frames.MPLS_TCP[:18] + data[14:] for data in (frames.TCP_TO_10_0_0_9, frames.UDP)]
FRAGMENT = frames.TCP[:20] + b"\x20\0" + frames.TCP[22:]
FAMILIES = [
    [*V4, FRAGMENT],
    [*VLAN, frames.TCP, frames.UDP],
    [*MPLS, frames.TCP, frames.TCP_TO_10_0_0_9],
    [frames.TCP6, frames.TCP6_TO_9, frames.EXTENDED6, frames.ND, frames.ND_TARGET_9],
    FRAMES,
]


@st.composite
def matches(draw: st.DrawFn, family: list[bytes], focus: list[str]) -> Match:
    """A match that some frame of the family meets, with what the fields need."""
    key = flow_key(draw(st.sampled_from(family)), draw(numbers))
    names = draw(st.lists(st.sampled_from(focus), max_size=2))
    names = [name for name in names if name in key and name not in ("metadata", "actset_output")]
    wanted = dict.fromkeys(names)
    for name in names:
        todo = [name]
        while todo:
            for needed, _ in OXM[todo.pop()].requires:
                wanted[needed] = None
                todo.append(needed)
    fields: dict[str, Any] = {}
    for name in wanted:
        row, value = OXM[name], key[name]
        mask = draw(st.sampled_from([-1, -1, -1, -2, 0xFF])) & row.all_ones
        masked = row.maskable and name in names and mask != row.all_ones
        fields[name] = (value & mask, mask) if masked else value
    if "metadata" in focus and draw(st.booleans()):
        fields["metadata"] = draw(st.sampled_from([5, (4, 4), 2, 9, 100, 0x1005, 0x1064]))
    if "actset_output" in focus and draw(st.booleans()):
        fields["actset_output"] = draw(numbers)
    return Match.unchecked(fields)


@st.composite
def instructions(draw: st.DrawFn, table_id: int, palette: list[Action]) -> tuple[Instruction, ...]:
    some = st.lists(st.sampled_from(palette), max_size=3).map(tuple)
    chosen: list[Instruction] = []
    if draw(st.booleans()):
        chosen.append(ApplyActions(draw(some)))
    if draw(st.booleans()):
        chosen.append(WriteActions(draw(some)))
    if draw(st.integers(0, 5)) == 0:
        chosen.append(ClearActions())
    if draw(st.integers(0, 3)) == 0:
        chosen.append(WriteMetadata(draw(st.sampled_from([5, 4, 100])), 0xFF))
    if table_id + 1 < N_TABLES and draw(st.integers(0, 3)):
        chosen.append(GotoTable(table_id + 1))
    return tuple(chosen)


@st.composite
def flow_mods(
    draw: st.DrawFn, family: list[bytes], focus: list[str], palette: list[Action]
) -> FlowMod:
    table_id = draw(st.integers(0, N_TABLES - 1))
    kinds = [FlowModCommand.ADD] * 5 + list(FlowModCommand)
    return FlowMod(
        draw(matches(family, focus)),
        draw(instructions(table_id, palette)),
        command=draw(st.sampled_from(kinds)),
        table_id=table_id,
        idle_timeout=draw(st.sampled_from([0, 0, 2])),
        hard_timeout=draw(st.sampled_from([0, 0, 3])),
        flags=draw(st.sampled_from([0, FlowModFlags.RESET_COUNTS])),
    )


def catch_all(table_id: int, done: list[Action]) -> FlowMod:
    """An entry below all others that does something and goes on."""
    last: Instruction = WriteActions((Output(4),))
    if table_id + 1 < N_TABLES:
        last = GotoTable(table_id + 1)
    return flow(instructions=(ApplyActions(tuple(done)), last), table_id=table_id)


SWITCH_CONFIGS = [SetConfig(0), SetConfig(ConfigFlags.FRAG_DROP)]
BOUNDARIES = [None, None, 2, 3]  #: where egress tables begin
MISSES = [TableConfig(0), TableConfig.TABLE_MISS_CONTINUE]
CONFIGS = [PortConfig(0), PortConfig.NO_FWD, PortConfig.PORT_DOWN]


def port_mod(number: int, config: PortConfig) -> PortMod:
    return PortMod(number, 0xA0 + number, config, PortConfig.PORT_DOWN | PortConfig.NO_FWD)


class AnyChecker(Checker):
    def check_instructions(self, *arguments: Any) -> None:
        """Refuse nothing."""


class Pair:
    """A switch as it is and a naive one, that hear the same."""

    def __init__(self) -> None:
        self.fast, self.slow = Switch(1, ports(4)), NaiveSwitch(1, ports(4))
        self.slow.make_tables(N_TABLES)
        self.sessions = [(one, one.connect(OF15)) for one in (self.fast, self.slow)]
        for one, _ in self.sessions:  # entries may do what applies to some of their packets only
            one.datapath.checker = AnyChecker(one.tables.stages)
            one.datapath.flow_mods.checker = one.datapath.checker
        self.now = 0.0
        self.priority = 0
        self.hits = 0

    def agree(self, fast: Effects, slow: Effects) -> None:
        assert fast.frames == slow.frames
        assert [message for _, message in fast.messages] == [one for _, one in slow.messages]

    def say(self, message: Message) -> None:
        if isinstance(message, FlowMod):  # which of two equal ones is taken, nobody says
            self.priority += 1
            message = FlowMod(**{**fields_of(message), "priority": self.priority})
        effects = [one.handle(session, message, self.now) for one, session in self.sessions]
        self.agree(*effects)

    def frame(self, in_port: int, data: bytes) -> None:
        self.hits += self.fast.datapath.fast_path.cache.find(in_port, data) is not None
        self.agree(*(one.receive_frame(in_port, data, self.now) for one, _ in self.sessions))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.agree(*(one.handle_timer(self.now) for one, _ in self.sessions))

    def set_link(self, number: int, up: bool) -> None:
        self.agree(*(one.set_link(number, up, self.now) for one, _ in self.sessions))

    def set_miss(self, table_id: int, config: TableConfig) -> None:
        for one, _ in self.sessions:
            one.tables[table_id].config = config

    def begin_egress_at(self, table_id: int | None) -> None:
        for one, _ in self.sessions:
            one.datapath.egress.begin_at(table_id)

    def counts(self) -> list[list[Any]]:
        return [
            [
                (table_id, table.lookup_count, table.matched_count, sorted(map(counted, table)))
                for table_id, table in sorted(one.tables.items())
                if len(table) or table.lookup_count
            ]
            + [port.counters for port in one.ports.values()]
            for one, _ in self.sessions
        ]


def fields_of(message: FlowMod) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def counted(entry: Any) -> tuple[Any, ...]:
    return entry.priority, entry.packet_count, entry.byte_count, entry.used


FOCUS = [
    *("metadata", "metadata", "ipv4_dst", "ipv4_src", "vlan_vid", "vlan_pcp", "tcp_dst", "in_port"),
    *("eth_dst", "eth_type", "mpls_label", "mpls_bos", "ip_proto", "ip_dscp", "ipv6_dst"),
    *("ipv6_exthdr", "ipv6_nd_target", "udp_dst", "arp_tpa", "actset_output"),
]


@st.composite
def scenarios(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """What happens to a switch: entries first, then frames of a family among changes."""
    family = draw(st.sampled_from(FAMILIES))
    # Few fields and few actions, so that what entries do concerns what others look at.
    focus = draw(st.lists(st.sampled_from(FOCUS), min_size=1, max_size=3))
    palette = [Output(2), Output(3), *draw(st.lists(actions, min_size=1, max_size=2))]
    mods = flow_mods(family, focus, palette)
    few = st.lists(st.sampled_from(palette), max_size=2)
    begin = [catch_all(table_id, draw(few)) for table_id in range(N_TABLES)]
    begin += draw(st.lists(mods, min_size=2, max_size=8))
    frame = st.one_of(st.sampled_from(family), st.sampled_from(family), odd_frames())
    traffic = st.tuples(st.just("frame"), st.sampled_from([1, 1, 1, 2]), frame)
    change = st.one_of(
        st.tuples(st.just("say"), mods),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 2.5])),
        st.tuples(st.just("say"), st.builds(port_mod, numbers, st.sampled_from(CONFIGS))),
        st.tuples(st.just("set_link"), numbers, st.booleans()),
        st.tuples(st.just("say"), st.sampled_from(SWITCH_CONFIGS)),
        st.tuples(st.just("set_miss"), st.integers(0, 2), st.sampled_from(MISSES)),
        st.tuples(st.just("begin_egress_at"), st.sampled_from(BOUNDARIES)),
    )
    rounds = draw(st.lists(st.one_of(traffic, change), max_size=12))
    sweep = [("frame", 1, data) for data in family]
    added = [("say", one) for one in draw(st.lists(mods, max_size=3))]
    begun = [("begin_egress_at", draw(st.sampled_from(BOUNDARIES)))]
    return [("say", one) for one in begin] + begun + sweep + rounds + sweep + added + sweep


@settings(max_examples=300, deadline=None)
@given(scenarios())
def test_a_switch_with_a_cache_does_as_one_without(scenario: list[tuple[Any, ...]]) -> None:
    pair = Pair()
    for name, *arguments in scenario:
        getattr(pair, name)(*arguments)
    fast, slow = pair.counts()
    assert fast == slow


# When it is taken


def cached(*instructions: Instruction, match: Match = IP) -> Bench:
    """A switch that has taken one frame through an entry."""
    bench = Bench(OF15)
    bench.say(flow(match, instructions=instructions))
    bench.frames(frames.TCP)
    return bench


def is_known(bench: Bench, data: bytes, in_port: int = 1) -> bool:
    """Whether a frame goes the fast way: with a walk that holds."""
    walk = bench.switch.datapath.fast_path.cache.find(in_port, data)
    return walk is not None and walk.holds()


def outputs(bench: Bench, data: bytes) -> Any:
    walk = bench.switch.datapath.fast_path.cache.find(1, data)
    return walk and walk.outputs


@pytest.mark.parametrize("data", [frames.TCP, frames.UDP, frames.ICMP, frames.TCP_TTL_1])
def test_frames_that_agree_in_what_was_looked_at_go_the_fast_way(data: bytes) -> None:
    assert is_known(cached(ApplyActions((Output(2),))), data)


@pytest.mark.parametrize("data", [frames.ARP, frames.VLAN_TCP, frames.TCP6])
def test_others_do_not(data: bytes) -> None:
    assert not is_known(cached(ApplyActions((Output(2),))), data)


def test_a_frame_that_is_only_sent_is_sent_at_once() -> None:
    bench = cached(ApplyActions((Output(2), Output(1), Output(Port.IN_PORT))))
    assert outputs(bench, frames.TCP) == (2, 1)
    assert bench.out_ports(frames.UDP) == [2, 1]


def test_an_action_set_that_only_sends_is_done_at_once() -> None:
    assert outputs(cached(WriteActions((Output(2),))), frames.TCP) == (2,)


def test_what_changes_the_packet_is_done_on_each() -> None:
    bench = cached(ApplyActions((DecNwTtl(), Output(2))))
    assert outputs(bench, frames.TCP) is None
    assert is_known(bench, frames.TCP_TTL_63)
    assert bench.out_ports(frames.TCP_TTL_1) == []


def two_tables(*before: Action, match: Match) -> Bench:
    bench = Bench(OF15)
    bench.say(flow(instructions=(ApplyActions(before), GotoTable(1))))
    bench.say(flow(match, Output(2), table_id=1))
    return bench


def test_a_look_behind_a_pushed_tag_is_a_look_at_what_was_before_it() -> None:
    bench = two_tables(PushVlan(), match=Match(eth_type=0x0800, ipv4_dst="10.0.0.2"))
    assert bench.out_ports(frames.TCP) == [2]
    assert is_known(bench, frames.UDP)
    assert not is_known(bench, frames.TCP_TO_10_0_0_9)


def test_a_look_behind_a_popped_tag_is_a_look_at_what_was_in_it() -> None:
    bench = two_tables(PopVlan(), match=Match(eth_type=0x0800, ipv4_dst="10.0.0.2"))
    other = frames.VLAN_TCP[:18] + frames.TCP_TO_10_0_0_9[14:]
    udp = frames.VLAN_TCP[:18] + frames.UDP[14:]
    assert bench.out_ports(frames.VLAN_TCP) == [2]
    assert is_known(bench, udp)
    assert not is_known(bench, other)


def test_a_field_that_is_copied_counts_as_looked_at() -> None:
    copy = CopyField(n_bits=8, src="ipv4_dst", dst="metadata")
    bench = Bench(OF15)
    bench.say(flow(Match(eth_type=0x0800), instructions=(ApplyActions((copy,)), GotoTable(1))))
    bench.say(flow(Match(metadata=2), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]
    assert is_known(bench, frames.UDP)
    assert bench.out_ports(frames.TCP_TO_10_0_0_9) == []


def test_behind_an_action_that_is_not_known_each_packet_looks_up() -> None:
    bench = Bench(OF15)
    bench.switch.datapath.checker.actions[MeterAction] = lambda action, version: None
    seen = bench.switch.datapath.pipeline.actions
    seen[MeterAction] = lambda packet, action: packet.set_metadata(len(packet.data) % 2)
    bench.say(flow(instructions=(ApplyActions((MeterAction(1),)), GotoTable(1))))
    bench.say(flow(Match(metadata=0), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]
    assert bench.out_ports(frames.TCP + b"\0") == []
    assert is_known(bench, frames.TCP)


def test_only_a_table_that_got_an_entry_is_asked_again() -> None:
    bench = cached(ApplyActions((Output(2),)))
    bench.say(flow(Match(), Output(3), table_id=1))
    assert is_known(bench, frames.TCP)
    bench.say(flow(Match(in_port=3), Output(3)))
    assert not is_known(bench, frames.TCP)


def test_an_entry_that_leaves_takes_only_its_own_walks_along() -> None:
    bench = cached(ApplyActions((Output(2),)))
    arp = Match(eth_type=0x0806)
    bench.say(flow(arp, Output(3)))
    for data in (frames.TCP, frames.ARP):
        bench.frames(data)
    bench.say(FlowMod(arp, command=FlowModCommand.DELETE))
    assert is_known(bench, frames.TCP)
    assert not is_known(bench, frames.ARP)


def test_an_entry_that_is_modified_does_the_new_thing() -> None:
    bench = cached(ApplyActions((Output(2),)))
    bench.say(flow(Match(eth_type=0x0800), Output(3), command=FlowModCommand.MODIFY))
    assert bench.out_ports(frames.TCP) == [3]


def test_what_misses_is_kept_as_well_until_there_is_an_entry() -> None:
    bench = cached(ApplyActions((Output(2),)))
    bench.frames(frames.ARP)
    assert is_known(bench, frames.ARP)
    bench.say(flow(Match(eth_type=0x0806), Output(3)))
    assert bench.out_ports(frames.ARP) == [3]


def test_too_many_walks_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_cache, "MAX_WALKS", 4)
    bench = cached(ApplyActions((Output(2),)), match=Match(eth_dst=2))
    for address in range(10):
        bench.frames(address.to_bytes(6, "big") + frames.TCP[6:])
    assert len(bench.switch.datapath.fast_path.cache) <= 4


def test_too_many_shapes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_cache, "MAX_SHAPES", 2)
    bench = cached(ApplyActions((Output(2),)), match=Match(eth_type=0x0800, ip_proto=6, tcp_dst=80))
    for data in FRAMES:
        bench.frames(data)
    cache = bench.switch.datapath.fast_path.cache
    assert sum(cache.find(1, data) is not None for data in FRAMES) <= len(cache) < len(FRAMES)


def test_a_long_odd_frame_is_not_kept() -> None:
    bench = cached(ApplyActions((Output(2),)))
    odd = frames.TCP[:12] + b"\0\x40" + bytes(300)
    bench.frames(odd)
    assert not is_known(bench, odd)


AF11 = frames.TCP[:15] + bytes([10 << 2]) + frames.TCP[16:]  # DSCP 10 (RFC 2597)


def metered(*bands: Any) -> Bench:
    """Table 0 has a meter and goes to table 1, which tells marked packets apart."""
    bench = Bench(OF13)
    bench.say(MeterMod(1, bands, flags=MeterFlags.PKTPS | MeterFlags.BURST))
    bench.say(flow(IP, instructions=(Meter(1), GotoTable(1))))
    bench.say(flow(Match(eth_type=0x0800, ip_dscp=10), Output(2), table_id=1, priority=5))
    bench.say(flow(IP, Output(3), table_id=1, priority=1))
    return bench


def test_behind_a_meter_that_leaves_packets_as_they_are_the_fast_way_goes_on() -> None:
    bench = metered(DropBand(rate=1000, burst_size=1000))
    assert bench.out_ports(AF11) == [2]
    walk = bench.switch.datapath.fast_path.cache.find(1, AF11)
    assert walk is not None
    assert [step.table_id for step in walk.steps] == [0, 1]
    assert bench.out_ports(AF11) == [2]


def test_a_packet_that_a_meter_marks_leaves_the_fast_way() -> None:
    bench = metered(DscpRemarkBand(rate=1, burst_size=2, prec_level=1))
    assert [bench.out_ports(AF11) for _ in range(4)] == [[2], [2], [3], [3]]


def test_a_meter_drops_on_the_fast_way() -> None:
    bench = metered(DropBand(rate=1, burst_size=2))
    assert [bench.out_ports(AF11) for _ in range(4)] == [[2], [2], [], []]


def test_a_group_chooses_anew_on_the_fast_way() -> None:
    bench = Bench(OF13)
    buckets = tuple(Bucket((Output(port),), watch_port=port) for port in (2, 3))
    bench.say(GroupMod(1, GroupType.FF, buckets))
    bench.say(flow(IP, Group(1)))
    assert bench.out_ports(frames.TCP) == [2]
    bench.switch.set_link(2, up=False, now=0.0)
    assert is_known(bench, frames.TCP)
    assert bench.out_ports(frames.TCP) == [3]
