"""What a trace tells: planted faults, each by its entry and its field; and it changes nothing."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from protocol import (
    OF10,
    OF11,
    OF15,
    ApplyActions,
    BadMatchCode,
    Bucket,
    ClearActions,
    ConfigFlags,
    DecNwTtl,
    FlowMod,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    Match,
    Meter,
    MeterFlags,
    MeterMod,
    Output,
    Port,
    PortConfig,
    PortMod,
    PushVlan,
    SetConfig,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol.meters import DropBand
from protocol.nicira import ResubmitTable
from switch_sim import tracer
from switch_sim.near_misses import MAX_CANDIDATES
from switch_sim.trace import Candidate, LookUp, Trace
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.test_flow_cache import Pair, scenarios

TCP = {"eth_type": 0x0800, "ip_proto": 6}
WANTED = 77  #: the cookie of the entry that was meant to match


def wants(*actions: Any, match: Match, **fields: Any) -> FlowMod:
    """The entry that the packet was meant to match."""
    return flow(match, *(actions or (Output(2),)), cookie=WANTED, **fields)


def traced(*messages: Any, data: bytes = frames.TCP, bench: Bench | None = None) -> Trace:
    bench = bench or Bench()
    for message in messages:
        bench.say(message)
    return bench.switch.trace(1, data, 0.0)


def near(trace: Trace) -> Candidate:
    """The candidate that is the entry that was meant."""
    [found] = [
        candidate
        for look_up in trace.look_ups
        for candidate in look_up.candidates
        if candidate.entry.cookie == WANTED
    ]
    return found


def what_differs(trace: Trace) -> tuple[str, str, str | None]:
    difference = near(trace).difference
    return difference.field, difference.wanted, difference.found


def met(trace: Trace) -> int | None:
    """The cookie of the entry that was met last."""
    entry = last(trace).entry
    return entry and entry.cookie


def last(trace: Trace) -> LookUp:
    return trace.look_ups[-1]


# Twenty faults


def test_1_a_field_whose_prerequisite_the_packet_does_not_meet() -> None:
    trace = traced(wants(match=Match(**TCP, tcp_dst=80)), data=frames.TCP6)
    assert what_differs(trace) == ("eth_type", "ip", "ipv6")
    # A match without the prerequisite is refused since OF1.2; OF1.1 lets it stand.
    assert Bench().refusal(flow(Match.unchecked({"tcp_dst": 80}))) == BadMatchCode.BAD_PREREQ
    bench = Bench(OF11)
    entry = FlowMod(Match.unchecked({"udp_dst": 80}), cookie=WANTED)
    bench.switch.handle(bench.session, entry, 0.0)
    found = near(traced(bench=bench)).difference
    assert (found.field, found.found) == ("udp_dst", None)
    assert found.hint == "that needs ip_proto=17, the packet has 6"


def test_2_an_entry_in_the_shadow_of_a_higher_priority() -> None:
    trace = traced(
        wants(match=Match(**TCP), priority=5), flow(Match(in_port=1), priority=6, cookie=1)
    )
    assert met(trace) == 1
    assert [entry.cookie for entry in last(trace).shadowed] == [WANTED]


def test_3_an_entry_in_a_table_where_the_packet_does_not_come() -> None:
    trace = traced(wants(match=Match(**TCP), table_id=3), flow(Match(), cookie=1))
    assert [(one.table_id, one.cookie) for one in trace.elsewhere] == [(3, WANTED)]


def watched(*buckets: tuple[int, int]) -> GroupMod:
    """A fast failover group of buckets that output to a port and watch one."""
    return GroupMod(
        type=GroupType.FF,
        group_id=5,
        buckets=tuple(Bucket((Output(out),), watch_port=port) for out, port in buckets),
    )


def test_4_a_group_whose_buckets_are_dead() -> None:
    bench = Bench()
    bench.say(watched((2, 3)))
    bench.switch.set_link(3, up=False, now=0.0)
    trace = traced(wants(Group(5), match=Match(**TCP)), bench=bench)
    assert "group 5" in str(trace)
    assert "port 3" in next(line for line in str(trace).splitlines() if "bucket" in line)
    assert trace.verdict.startswith("nothing leaves")


def test_5_a_meter_that_drops() -> None:
    bench = Bench()
    bench.say(MeterMod(3, (DropBand(rate=1, burst_size=1),), flags=MeterFlags.PKTPS))
    metered = (Meter(3), ApplyActions((Output(2),)))
    bench.say(flow(Match(**TCP), instructions=metered, cookie=WANTED))
    for _ in range(5):
        bench.frames(frames.TCP)
    trace = traced(bench=bench)
    assert met(trace) == WANTED
    assert "meter 3 drops what comes faster than 1 packets/s" in trace.verdict


def config(port: int, bits: PortConfig) -> PortMod:
    return PortMod(port, 0xA0 + port, bits, bits)


@pytest.mark.parametrize(("number", "bits"), [(6, PortConfig.PORT_DOWN), (7, PortConfig.NO_FWD)])
def test_6_and_7_a_port_that_sends_nothing(number: int, bits: PortConfig) -> None:
    trace = traced(wants(match=Match(**TCP)), config(2, bits))
    assert (
        trace.verdict
        == f"nothing leaves the switch: port 2: not sent: the port's config has {bits.name}"
    )


def test_8_a_port_whose_link_is_down() -> None:
    bench = Bench()
    bench.switch.set_link(2, up=False, now=0.0)
    trace = traced(wants(match=Match(**TCP)), bench=bench)
    assert "port 2: not sent: the port's state is LINK_DOWN" in trace.verdict


def test_9_a_port_that_receives_nothing() -> None:
    trace = traced(wants(match=Match(**TCP)), config(1, PortConfig.NO_RECV))
    assert "not received by port 1: the port's config has NO_RECV" in trace.verdict
    assert trace.look_ups == ()


def test_10_an_output_to_the_in_port() -> None:
    trace = traced(wants(Output(1), match=Match(**TCP)))
    assert "port 1: not sent: it is the in_port" in trace.verdict


def test_11_a_miss_without_an_entry_for_it() -> None:
    # OF1.3.5 5.4 "Table-miss"
    trace = traced(wants(match=Match(**TCP, tcp_dst=443)))
    assert trace.verdict == "nothing leaves the switch: dropped: no entry of table 0 matches"
    assert what_differs(trace) == ("tcp_dst", "443", "80")


def test_12_a_table_that_is_empty() -> None:
    trace = traced(flow(Match(**TCP), instructions=(GotoTable(4),)))
    assert (last(trace).table_id, last(trace).note) == (4, "the table is empty")
    assert "no entry of table 4 matches" in trace.verdict


def test_13_a_wrong_vlan() -> None:
    trace = traced(wants(match=Match(vlan_vid=0x1005)), data=frames.VLAN_TCP)
    field, wanted, found = what_differs(trace)
    assert (field, wanted, found) == ("vlan_vid", "5", "100")


def test_14_a_mask_that_is_a_bit_too_long() -> None:
    # 10.0.0.2 is in 10.0.0.2/31, and 10.0.0.3/32 with a bit less.
    trace = traced(wants(match=Match(eth_type=0x0800, ipv4_dst=("10.0.1.0", "255.255.255.0"))))
    assert what_differs(trace) == ("ipv4_dst", "10.0.1.0/24", "10.0.0.2")
    assert near(trace).difference.hint == "a mask of 23 in place of 24 bits would match"


def test_15_an_address_in_the_wrong_byte_order() -> None:
    trace = traced(wants(match=Match(eth_type=0x0800, ipv4_dst="2.0.0.10")))
    assert what_differs(trace) == ("ipv4_dst", "2.0.0.10", "10.0.0.2")
    assert near(trace).difference.hint == "the same bytes in reverse order"


def test_16_a_ttl_that_ends() -> None:
    trace = traced(wants(DecNwTtl(), Output(2), match=Match(**TCP)), data=frames.TCP_TTL_1)
    assert met(trace) == WANTED
    assert "dropped: the TTL is 1" in trace.verdict


def test_17_an_action_set_that_is_cleared() -> None:
    trace = traced(
        flow(Match(), instructions=(WriteActions((Output(2),)), GotoTable(1))),
        flow(Match(), instructions=(ClearActions(),), table_id=1),
    )
    assert "clear_actions: the action set forgets output:2" in str(trace)
    assert trace.verdict == "nothing leaves the switch: no action sends it anywhere"


def test_18_metadata_that_is_other_than_awaited() -> None:
    trace = traced(
        flow(Match(), instructions=(WriteMetadata(5), GotoTable(1))),
        wants(match=Match(metadata=6), table_id=1),
    )
    assert what_differs(trace) == ("metadata", "0x6", "0x5")


def test_19_an_ip_fragment_that_is_dropped() -> None:
    fragment = frames.TCP[:20] + b"\x20\0" + frames.TCP[22:]
    drops = SetConfig(ConfigFlags.FRAG_DROP)
    trace = traced(wants(match=Match(**TCP)), drops, data=fragment)
    assert "nw_frag" in trace.verdict
    assert "FRAG_DROP" in trace.verdict


def test_a_fragment_that_waits_for_the_rest_is_told() -> None:
    fragment = frames.TCP[:20] + b"\x20\0" + frames.TCP[22:]
    waits = SetConfig(ConfigFlags.FRAG_REASM)
    trace = traced(wants(match=Match(**TCP)), waits, data=fragment)
    assert "FRAG_REASM" in trace.verdict


def test_20_an_entry_that_has_expired() -> None:
    bench = Bench()
    bench.say(wants(match=Match(**TCP), idle_timeout=10))
    bench.switch.handle_timer(10.0)
    trace = bench.switch.trace(1, frames.TCP, 12.0)
    [gone] = trace.departed
    assert (gone.entry.cookie, gone.reason, gone.seconds) == (WANTED, "IDLE_TIMEOUT", 2.0)


def test_21_a_group_that_was_deleted_with_its_entries() -> None:
    # OF1.3.5 6.7 "Group Table Modification Messages": entries that name the group go with it.
    bench = Bench()
    bench.say(watched((2, 2)))
    bench.say(wants(Group(5), match=Match(**TCP)))
    bench.say(GroupMod(group_id=5, command=GroupModCommand.DELETE))
    [gone] = traced(bench=bench).departed
    assert (gone.entry.cookie, gone.reason) == (WANTED, "GROUP_DELETE")


# What it tells beside


def test_actions_are_told_with_the_fields_that_they_change() -> None:
    trace = traced(flow(Match(**TCP), PushVlan(), set_field(vlan_vid=9), DecNwTtl(), Output(2)))
    text = str(trace)
    assert "vlan_vid" in text
    assert "nw_ttl 64 -> 63" in text
    assert trace.verdict == "sent: port 2"


def test_a_resubmitted_walk_is_told_in_its_order() -> None:
    first = flow(Match(), ResubmitTable(table_id=7), Output(2))
    trace = traced(first, flow(Match(), Output(3), table_id=7))
    assert [one.table_id for one in trace.look_ups] == [0, 7]
    assert trace.verdict == "sent: port 3, port 2"


def test_the_controller_is_a_way_out() -> None:
    trace = traced(flow(Match(), Output(Port.CONTROLLER)))
    assert trace.verdict == "sent: controller"


def test_the_nearest_candidates_come_first_and_few_of_them() -> None:
    mods = [flow(Match(**TCP, tcp_dst=port, in_port=2), priority=port) for port in range(100, 120)]
    trace = traced(*mods, wants(match=Match(**TCP, tcp_dst=81), priority=1))
    assert len(last(trace).candidates) == MAX_CANDIDATES
    assert last(trace).candidates[0].entry.cookie == WANTED


def test_a_long_trace_ends_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracer, "MAX_EVENTS", 3)
    trace = traced(flow(Match(), *(Output(2) for _ in range(9))))
    assert [event.kind for event in trace.events] == ["look_up", "done", "sent"]
    assert trace.verdict == f"sent: {', '.join(['port 2'] * 9)}"


def test_look_ups_without_end_are_told_without_what_came_near(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracer, "MAX_EXPLAINED", 1)
    first = flow(Match(), instructions=(GotoTable(1),))
    trace = traced(first, wants(match=Match(**TCP, tcp_dst=81), table_id=1))
    assert (last(trace).entry, last(trace).candidates) == (None, ())


def test_it_is_plain_data_as_well() -> None:
    data = msgspec.json.decode(msgspec.json.encode(traced(flow(Match(), Output(2)))))
    assert [event["kind"] for event in data["events"]] == ["look_up", "done", "sent"]
    assert data["verdict"] == "sent: port 2"


@pytest.mark.parametrize("version", [OF10, OF15])
def test_up_to_openflow_12_a_miss_goes_to_the_controller(version: Any) -> None:
    trace = traced(bench=Bench(version))
    assert (trace.verdict == "sent: controller") == (version == OF10)


# It changes nothing


def state(bench: Any) -> Any:
    """All that is kept in a switch, as far as comparing goes."""
    datapath = bench.datapath
    return (
        [(number, astuple(port.counters)) for number, port in bench.ports.items()],
        [
            (number, table.lookup_count, table.matched_count, len(table), table.deadline(),
             [(e.packet_count, e.byte_count, e.used) for e in table])
            for number, table in sorted(bench.tables.items())
        ],
        len(datapath.buffers), dict(datapath.forwarding.macs._heard), len(datapath.fast_path.cache),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_a_trace_tells_what_happens_and_changes_nothing(scenario: list[tuple[Any, ...]]) -> None:
    pair = Pair()
    for name, *arguments in scenario:
        if name == "frame":
            in_port, data = arguments
            before = state(pair.fast)
            trace = pair.fast.trace(in_port, data, pair.now)
            assert state(pair.fast) == before
            effects = pair.fast.receive_frame(in_port, data, pair.now)
            sent = [
                (int(event.where.removeprefix("port ")), bytes.fromhex(event.frame))
                for event in trace.events
                if event.kind == "sent" and not event.why_not and event.where != "controller"
            ]
            assert sent == effects.frames
            pair.slow.receive_frame(in_port, data, pair.now)
        else:
            getattr(pair, name)(*arguments)
