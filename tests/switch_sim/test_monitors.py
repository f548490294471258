"""Flow monitors: what controllers hear of what others do (OF1.4.1 7.3.5 "Flow Monitoring")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from protocol import (
    ALL_TABLES,
    OF10,
    OF13,
    OF14,
    OF15,
    BadMatchCode,
    Bucket,
    ErrorMsg,
    FlowModCommand,
    FlowRemovedReason,
    Group,
    GroupMod,
    GroupModCommand,
    Match,
    Message,
    Output,
    nicira,
    onf,
)
from protocol import FlowMonitorFailedCode as Code
from protocol.bundles import BundleAdd, BundleControl, BundleControlType
from protocol.monitors import (
    FlowAbbreviated,
    FlowAdded,
    FlowDeleted,
    FlowInitial,
    FlowModified,
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorReply,
    FlowMonitorRequest,
    MonitorPaused,
    MonitorResumed,
)
from protocol.record import Record
from switch_sim import Effects
from switch_sim.monitors import MAX_MONITORS
from tests.switch_sim.builders import Bench, flow

INITIAL, ADD = FlowMonitorFlags.INITIAL, FlowMonitorFlags.ADD
REMOVED, MODIFY = FlowMonitorFlags.REMOVED, FlowMonitorFlags.MODIFY
ALL_CHANGES = ADD | REMOVED | MODIFY
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
IP = Match(eth_type=0x0800)
XID = 77


def monitor(flags: int = ALL_CHANGES, monitor_id: int = 1, **fields: Any) -> FlowMonitorRequest:
    return FlowMonitorRequest(monitor_id, **{"monitor_flags": flags, "xid": XID, **fields})


def updates(messages: Iterable[Message]) -> list[Record]:
    """What monitors say; errors and other answers are none of it."""
    kinds = (FlowMonitorReply, nicira.FlowMonitorReply, onf.FlowMonitorReply)
    return [one for message in messages if isinstance(message, kinds) for one in message.updates]


def watching(flags: int = ALL_CHANGES, **fields: Any) -> tuple[Bench, Bench]:
    """A controller that watches, and one that does something."""
    bench = Bench(OF14)
    assert updates(bench.say(monitor(flags, **fields))) == []
    return bench, bench.other()


def heard(bench: Bench, effects: Effects) -> list[Record]:
    return updates(bench.heard(effects))


def modify(match: Match, *actions: Any, **fields: Any) -> Message:
    return flow(match, *actions, command=FlowModCommand.MODIFY, **fields)


def delete(match: Match, **fields: Any) -> Message:
    return flow(match, command=FlowModCommand.DELETE, **fields)


# What is told


@pytest.mark.parametrize("version", [OF14, OF15])
def test_the_entries_that_are_there_are_told_at_first(version: Any) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(2), priority=9, cookie=5))
    [reply] = bench.say(monitor(INITIAL | FlowMonitorFlags.INSTRUCTIONS))
    assert isinstance(reply, FlowMonitorReply)
    assert reply.xid == XID
    told = flow(WEB, Output(2)).instructions
    assert reply.updates == (FlowInitial(WEB, told, priority=9, cookie=5),)


def test_many_entries_come_in_parts() -> None:
    bench = Bench(OF14)
    for number in range(1, 2001):
        bench.say(flow(Match(in_port=number)))
    parts = bench.say(monitor(INITIAL))
    assert len(parts) > 1
    assert [bool(getattr(part, "flags", 0)) for part in parts] == [True] * (len(parts) - 1) + [
        False
    ]
    assert len(updates(parts)) == 2000


def test_without_entries_or_without_the_wish_the_answer_is_empty() -> None:
    bench = Bench(OF14)
    assert bench.say(monitor(INITIAL)) == [FlowMonitorReply(xid=XID)]
    bench.say(flow(WEB))
    assert bench.say(monitor(ALL_CHANGES, 2)) == [FlowMonitorReply(xid=XID)]


def test_changes_of_others_are_told_in_full() -> None:
    bench, other = watching()
    added = other.effects_of(flow(WEB, Output(2), priority=9, idle_timeout=3, cookie=5))
    entry: dict[str, Any] = {"priority": 9, "idle_timeout": 3, "cookie": 5}
    assert heard(bench, added) == [FlowAdded(WEB, **entry)]
    assert [one.xid for one in bench.heard(added)] == [XID]
    assert heard(other, added) == []
    modified = other.effects_of(modify(IP, Output(3)))
    assert heard(bench, modified) == [FlowModified(WEB, **entry)]
    removed = other.effects_of(delete(IP))
    reason = FlowRemovedReason.DELETE
    assert heard(bench, removed) == [FlowDeleted(WEB, reason=reason, **entry)]


def test_an_entry_that_is_replaced_is_added() -> None:
    bench, other = watching()
    other.say(flow(WEB))
    assert heard(bench, other.effects_of(flow(WEB, Output(2)))) == [FlowAdded(WEB, priority=0x8000)]


@pytest.mark.parametrize(
    ("flag", "kinds"), [(ADD, [FlowAdded]), (MODIFY, [FlowModified]), (REMOVED, [FlowDeleted])]
)
def test_each_kind_of_change_is_asked_for(flag: int, kinds: list[type[Record]]) -> None:
    bench, other = watching(flag)
    told = [
        one
        for message in (flow(WEB), modify(WEB, Output(2)), delete(WEB))
        for one in heard(bench, other.effects_of(message))
    ]
    assert [type(one) for one in told] == kinds


def test_instructions_are_told_where_they_are_asked_for() -> None:
    bench, other = watching(ADD | FlowMonitorFlags.INSTRUCTIONS)
    message = flow(WEB, Output(2))
    [added] = heard(bench, other.effects_of(message))
    assert added == FlowAdded(WEB, message.instructions, priority=0x8000)


def test_timeouts_are_told() -> None:
    bench, other = watching()
    other.say(flow(WEB, hard_timeout=3))
    [gone] = heard(bench, bench.switch.handle_timer(3.0))
    assert isinstance(gone, FlowDeleted)
    assert gone.reason == FlowRemovedReason.HARD_TIMEOUT


def test_what_goes_with_a_group_is_told() -> None:
    bench, other = watching()
    other.say(GroupMod(1, buckets=(Bucket((Output(2),)),)))
    other.say(flow(WEB, Group(1)))
    effects = other.effects_of(GroupMod(1, command=GroupModCommand.DELETE))
    [gone] = heard(bench, effects)
    assert isinstance(gone, FlowDeleted)
    assert gone.reason == FlowRemovedReason.GROUP_DELETE


def test_what_a_bundle_does_is_told() -> None:
    bench, other = watching()
    other.say(BundleAdd(1, flow(WEB)))
    commit = BundleControl(1, BundleControlType.COMMIT_REQUEST)
    assert [type(one) for one in heard(bench, other.effects_of(commit))] == [FlowAdded]


# Of which entries


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"match": IP}, True),
        ({"match": WEB}, True),
        ({"match": Match(eth_type=0x0806)}, False),
        ({"match": Match(in_port=1)}, False),
        ({"table_id": 3}, True),
        ({"table_id": 2}, False),
        ({"table_id": ALL_TABLES}, True),
        ({"out_port": 2}, True),
        ({"out_port": 3}, False),
        ({"out_group": 1}, False),
    ],
)
def test_a_monitor_watches_some_entries(fields: dict[str, Any], is_told: bool) -> None:
    bench, other = watching(**fields)
    effects = other.effects_of(flow(WEB, Output(2), table_id=3))
    assert bool(heard(bench, effects)) is is_told


# One's own changes


def test_of_ones_own_changes_one_hears_the_xid() -> None:
    bench, _ = watching()
    effects = bench.effects_of(flow(WEB, xid=9))
    assert heard(bench, effects) == [FlowAbbreviated(9)]
    bench.say(flow(IP))
    effects = bench.effects_of(flow(Match(), command=FlowModCommand.DELETE, xid=10))
    assert heard(bench, effects) == [FlowAbbreviated(10)]


def test_unless_one_wants_them_in_full() -> None:
    bench, _ = watching(ADD | FlowMonitorFlags.NO_ABBREV)
    assert [type(one) for one in heard(bench, bench.effects_of(flow(WEB)))] == [FlowAdded]


def test_a_monitor_may_be_about_ones_own_changes_only() -> None:
    bench, other = watching(ADD | FlowMonitorFlags.ONLY_OWN)
    assert heard(bench, other.effects_of(flow(WEB))) == []
    assert heard(bench, bench.effects_of(flow(IP, xid=9))) == [FlowAbbreviated(9)]


# The life of a monitor


def test_a_monitor_can_be_changed_and_ended() -> None:
    bench, other = watching(ADD)
    bench.say(monitor(REMOVED, command=FlowMonitorCommand.MODIFY))
    assert heard(bench, other.effects_of(flow(WEB))) == []
    assert len(heard(bench, other.effects_of(delete(WEB)))) == 1
    end = monitor(command=FlowMonitorCommand.DELETE)
    assert bench.say(end) == [FlowMonitorReply(xid=XID)]
    assert heard(bench, other.effects_of(flow(WEB))) == []


def test_a_monitor_ends_with_its_channel() -> None:
    bench, other = watching()
    bench.switch.disconnect(bench.session)
    assert heard(bench, other.effects_of(flow(WEB))) == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (monitor(), Code.MONITOR_EXISTS),
        (monitor(monitor_id=2, command=FlowMonitorCommand.MODIFY), Code.UNKNOWN_MONITOR),
        (monitor(monitor_id=2, command=FlowMonitorCommand.DELETE), Code.UNKNOWN_MONITOR),
        (monitor(command=9), Code.BAD_COMMAND),
        (monitor(1 << 9, 2), Code.BAD_FLAGS),
        (monitor(monitor_id=2, table_id=254), Code.BAD_TABLE_ID),
        (monitor(monitor_id=2, out_port=0), Code.BAD_OUT),
        (monitor(monitor_id=2, out_group=0xFFFF_FF01), Code.BAD_OUT),
        (monitor(monitor_id=2, match=Match.unchecked({"tcp_dst": 80})), BadMatchCode.BAD_PREREQ),
    ],
)
def test_what_cannot_be_watched_is_refused(message: Message, code: object) -> None:
    bench, _ = watching()
    assert bench.refusal(message) == code


def test_a_controller_has_so_many_monitors() -> None:
    bench = Bench(OF14)
    for number in range(MAX_MONITORS):
        bench.say(monitor(monitor_id=number))
    assert bench.refusal(monitor(monitor_id=MAX_MONITORS)) == Code.UNKNOWN


# A controller that does not read (OF1.4.1 7.3.5 "Flow Monitoring": OFPFME_PAUSED, OFPFME_RESUMED)


def test_who_does_not_read_hears_later_what_became_of_it() -> None:
    bench, other = watching()
    for number in (1, 2):
        other.say(flow(Match(in_port=number)))
    bench.session.is_congested = True
    assert heard(bench, other.effects_of(flow(Match(in_port=3)))) == [MonitorPaused()]
    assert heard(bench, other.effects_of(modify(Match(in_port=1), Output(2)))) == []
    # What went and was told of before, is told still; what came and went meanwhile, never.
    assert len(heard(bench, other.effects_of(delete(Match(in_port=2))))) == 1
    other.say(flow(Match(in_port=4)))
    assert heard(bench, other.effects_of(delete(Match(in_port=4)))) == []
    told = heard(bench, bench.switch.relieve(bench.session))
    in_ports = [(type(one), getattr(one, "match", Match()).number("in_port")) for one in told]
    assert in_ports == [(FlowAdded, 3), (FlowModified, 1), (MonitorResumed, None)]
    assert len(heard(bench, other.effects_of(flow(WEB)))) == 1


def test_who_reads_again_without_having_missed_anything_hears_nothing() -> None:
    bench, _ = watching()
    bench.session.is_congested = True
    assert bench.switch.relieve(bench.session).messages == []


# Nicira's and ONF's, with one voice for all


def nicira_monitors(*monitors: nicira.FlowMonitor) -> Message:
    return nicira.FlowMonitorRequest(monitors, xid=XID)


NX = nicira.FlowMonitorFlags
NX_ALL = NX.ADD | NX.DELETE | NX.MODIFY


def test_niciras_monitors_of_one_controller_say_a_change_once() -> None:
    bench = Bench(OF10)
    bench.say(flow(IP))
    web = nicira.FlowMonitor(1, WEB, NX_ALL)
    every = nicira.FlowMonitor(2, Match(), NX_ALL | NX.INITIAL | NX.ACTIONS)
    [reply] = bench.say(nicira_monitors(web, every))
    assert reply.xid == XID
    assert [type(one) for one in updates([reply])] == [nicira.FlowAdded]
    message = flow(WEB, Output(2))
    effects = bench.other().effects_of(message)
    added = nicira.FlowAdded(WEB, message.instructions, priority=0x8000)
    assert heard(bench, effects) == [added]
    assert [one.xid for one in bench.heard(effects)] == [0]


def test_niciras_monitors_end_one_by_one() -> None:
    bench = Bench(OF10)
    bench.say(nicira_monitors(nicira.FlowMonitor(1, IP, NX_ALL)))
    bench.say(nicira.FlowMonitorCancel(1))
    assert heard(bench, bench.other().effects_of(flow(WEB))) == []
    assert isinstance(bench.ask(nicira.FlowMonitorCancel(1))[0], ErrorMsg)


def test_all_niciras_monitors_of_a_message_are_set_or_none() -> None:
    bench = Bench(OF10)
    one = nicira.FlowMonitor(1, IP, NX_ALL)
    assert isinstance(bench.ask(nicira_monitors(one, one))[0], ErrorMsg)
    assert heard(bench, bench.other().effects_of(flow(WEB))) == []


def test_onf_has_the_same_in_openflow_13() -> None:
    bench = Bench(OF13)
    bench.say(onf.FlowMonitorRequest((onf.FlowMonitor(1, IP, NX_ALL | NX.OWN),)))
    [added] = heard(bench, bench.effects_of(flow(WEB, Output(2))))
    assert added == onf.FlowAdded(WEB, priority=0x8000)
    bench.session.is_congested = True
    told = bench.heard(bench.other().effects_of(flow(IP)))
    assert [type(one) for one in told] == [onf.FlowMonitorPaused]
    told = bench.heard(bench.switch.relieve(bench.session))
    assert [type(one) for one in told] == [onf.FlowMonitorReply, onf.FlowMonitorResumed]
