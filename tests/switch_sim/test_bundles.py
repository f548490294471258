"""Bundles: messages that are done together or not at all (OF1.4.1 7.3.9 "Bundle Messages")."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadPropertyCode,
    BadRequestCode,
    BarrierRequest,
    Bucket,
    BundleAdd,
    BundleControl,
    BundleControlType,
    BundleFailedCode,
    BundleFlags,
    DropBand,
    ErrorMsg,
    FlowModCommand,
    FlowModFlags,
    FlowRemoved,
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
    PortConfig,
    PortMod,
    PortStatus,
    TableMod,
    TableModFailedCode,
    Version,
    onf,
)
from protocol.bundles import (
    BundleFeatureFlags,
    BundleFeaturesReply,
    BundleFeaturesRequest,
)
from protocol.properties import ExperimenterProperty
from protocol.symmetric import UnknownError
from protocol.tables import TableConfig, TableVacancy
from switch_sim.bundles import BUNDLE_TIMEOUT, MAX_BUNDLES
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

OPEN, CLOSE = BundleControlType.OPEN_REQUEST, BundleControlType.CLOSE_REQUEST
COMMIT, DISCARD = BundleControlType.COMMIT_REQUEST, BundleControlType.DISCARD_REQUEST
Code = BundleFailedCode
ONE, TWO = Match(in_port=1), Match(in_port=2)
BAD = flow(TWO, Group(99))  # there is no such group

with_bundles = pytest.mark.parametrize("version", [OF14, OF15])


def control(kind: int, bundle_id: int = 1, flags: int = 0, **fields: Any) -> BundleControl:
    return BundleControl(bundle_id, kind, flags, **fields)


def add(message: Message, bundle_id: int = 1, flags: int = 0, xid: int = 0) -> BundleAdd:
    return BundleAdd(bundle_id, message.numbered(xid), flags, xid=xid)


def staged(bench: Bench, *messages: Message, flags: int = 0, now: float = 0.0) -> None:
    bench.say(control(OPEN, flags=flags), now)
    for xid, message in enumerate(messages, 100):
        assert bench.say(add(message, flags=flags, xid=xid), now) == []


def commit(bench: Bench, flags: int = 0) -> list[Message]:
    return bench.ask(control(COMMIT, flags=flags, xid=7))


def failed(bench: Bench, *messages: Message) -> list[Any]:
    """Commit messages of which one cannot be done; return what the errors say."""
    staged(bench, *messages)
    errors = commit(bench)
    assert all(isinstance(one, ErrorMsg) for one in errors), errors
    return [(one.code, one.xid) for one in errors if isinstance(one, ErrorMsg)]


def matches(bench: Bench) -> list[Match]:
    return [entry.match for table in bench.switch.tables.values() for entry in table]


# The life of a bundle


@with_bundles
@pytest.mark.parametrize("flags", [0, BundleFlags.ATOMIC, BundleFlags.ATOMIC | BundleFlags.ORDERED])
def test_nothing_happens_before_the_commit_and_all_with_it(version: Version, flags: int) -> None:
    bench = Bench(version)
    assert bench.say(control(OPEN, flags=flags, xid=5)) == [
        control(BundleControlType.OPEN_REPLY, flags=flags, xid=5)
    ]
    for xid, match in enumerate((ONE, TWO), 1):
        assert bench.say(add(flow(match), flags=flags, xid=xid)) == []
    assert bench.say(control(CLOSE, flags=flags)) == [
        control(BundleControlType.CLOSE_REPLY, flags=flags)
    ]
    assert matches(bench) == []
    assert commit(bench, flags) == [control(BundleControlType.COMMIT_REPLY, flags=flags, xid=7)]
    assert matches(bench) == [ONE, TWO]


def test_a_bundle_need_not_be_closed_nor_opened() -> None:
    bench = Bench(OF14)
    bench.say(add(flow(ONE), xid=1))
    commit(bench)
    assert matches(bench) == [ONE]


@with_bundles
def test_a_bundle_can_be_discarded(version: Version) -> None:
    bench = Bench(version)
    staged(bench, flow(ONE))
    assert bench.say(control(DISCARD)) == [control(BundleControlType.DISCARD_REPLY)]
    assert bench.refusal(control(COMMIT)) == Code.BAD_ID
    assert matches(bench) == []


def test_a_bundle_is_known_to_its_channel_only() -> None:
    bench = Bench(OF14)
    staged(bench, flow(ONE))
    assert bench.other().refusal(control(COMMIT)) == Code.BAD_ID


def test_a_bundle_ends_with_its_channel() -> None:
    bench = Bench(OF14)
    staged(bench, flow(ONE))
    bench.switch.disconnect(bench.session)
    assert bench.switch.deadline() is None


def test_messages_are_done_in_their_order() -> None:
    bench = Bench(OF14)
    staged(bench, flow(ONE, Output(2)), flow(ONE, command=FlowModCommand.DELETE), flow(TWO))
    commit(bench)
    assert matches(bench) == [TWO]


def test_a_bundle_that_waits_too_long_ends() -> None:
    bench = Bench(OF14)
    staged(bench, flow(ONE), now=3.0)
    assert bench.switch.deadline() == 3.0 + BUNDLE_TIMEOUT
    assert bench.switch.handle_timer(12.9).messages == []
    [(session, error)] = bench.switch.handle_timer(13.0).messages
    assert isinstance(error, ErrorMsg)
    assert (session, error.code, error.xid) == (bench.session, Code.TIMEOUT, 100)
    assert bench.refusal(control(COMMIT)) == Code.BAD_ID


# All or nothing (OF1.4.1 7.3.9 "Bundle Messages")


@with_bundles
def test_where_one_cannot_be_done_none_is(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(Match(in_port=3)))
    errors = failed(bench, flow(ONE), BAD, flow(TWO))
    assert errors == [(BadActionCode.BAD_OUT_GROUP, 101), (Code.MSG_FAILED, 7)]
    assert matches(bench) == [Match(in_port=3)]
    assert bench.refusal(control(COMMIT)) == Code.BAD_ID


def snapshot(bench: Bench) -> object:
    """All that a bundle can change."""
    datapath = bench.switch.datapath
    entries = {
        (entry.match, entry.instructions, entry.cookie, entry.packet_count, entry.created)
        for table in datapath.tables.values()
        for entry in table
    }
    groups = {
        number: (group.type, group.buckets, set(datapath.groups.forwarders(number)))
        for number, group in datapath.groups.items()
    }
    meters = {number: (one.flags, one.bands) for number, one in datapath.meters.items()}
    tables = {
        number: (one.config, one.vacancy, one.evictor) for number, one in datapath.tables.items()
    }
    ports = {number: port.desc for number, port in datapath.ports.items()}
    return entries, groups, dict(datapath.groups.counts), meters, tables, ports


def to(group_id: int) -> tuple[Bucket, ...]:
    return (Bucket((Group(group_id),)),)


@pytest.mark.parametrize(
    "message",
    [
        flow(TWO),
        flow(ONE, Output(3)),
        flow(ONE, Output(3), command=FlowModCommand.MODIFY, flags=FlowModFlags.RESET_COUNTS),
        flow(command=FlowModCommand.DELETE),
        GroupMod(9, buckets=to(1)),
        GroupMod(2, command=GroupModCommand.MODIFY, buckets=(Bucket((Output(3),)),)),
        GroupMod(3, command=GroupModCommand.DELETE),
        GroupMod(0xFFFF_FFFC, command=GroupModCommand.DELETE),
        MeterMod(9, bands=(DropBand(1),)),
        MeterMod(1, command=MeterModCommand.MODIFY, bands=(DropBand(2),)),
        MeterMod(1, command=MeterModCommand.DELETE),
        PortMod(1, 0xA1, PortConfig.NO_FWD, PortConfig.NO_FWD),
        TableMod(0, TableConfig.EVICTION),
        TableMod(0, TableConfig.VACANCY_EVENTS, (TableVacancy(1, 2),)),
    ],
    ids=str,
)
def test_what_was_done_is_taken_back(message: Message) -> None:
    bench = Bench(OF14)
    bench.say(GroupMod(1, buckets=(Bucket((Output(2),)),)))
    bench.say(GroupMod(2, buckets=to(1)))
    bench.say(GroupMod(3, buckets=to(2)))
    bench.say(GroupMod(1, command=GroupModCommand.MODIFY, buckets=(Bucket((Output(1),)),)))
    bench.say(MeterMod(1, bands=(DropBand(1),)))
    bench.say(flow(ONE, Group(3)))
    bench.say(flow(Match(in_port=3), instructions=(Meter(1),)))
    bench.frames(frames.TCP)
    before = snapshot(bench)
    assert failed(bench, message, BAD)[-1] == (Code.MSG_FAILED, 7)
    assert snapshot(bench) == before
    bench.say(message)
    assert snapshot(bench) != before


def test_groups_that_lead_to_one_another_come_back_in_any_order() -> None:
    bench = Bench(OF14)
    for number in (1, 2):
        bench.say(GroupMod(number))
    bench.say(GroupMod(1, command=GroupModCommand.MODIFY, buckets=to(2)))
    before = snapshot(bench)
    failed(bench, GroupMod(0xFFFF_FFFC, command=GroupModCommand.DELETE), BAD)
    assert snapshot(bench) == before


def test_what_did_not_happen_is_not_told() -> None:
    bench = Bench(OF14)
    other = bench.other()
    bench.say(flow(ONE, flags=FlowModFlags.SEND_FLOW_REM))
    down = PortMod(1, 0xA1, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
    staged(bench, flow(command=FlowModCommand.DELETE), down, BAD)
    effects = bench.effects_of(control(COMMIT))
    assert other.heard(effects) == []
    assert len(bench.heard(effects)) == 2  # the errors
    staged(bench, flow(command=FlowModCommand.DELETE), down)
    effects = bench.effects_of(control(COMMIT))
    assert [type(one) for one in other.heard(effects)] == [FlowRemoved, PortStatus]


# Packets


def test_packets_go_at_their_place() -> None:
    bench = Bench(OF14)
    send = PacketOut((Output(Port.TABLE),), frames.TCP, match=ONE)
    staged(bench, flow(ONE, Output(2)), send, flow(ONE, Output(3)), send)
    effects = bench.effects_of(control(COMMIT))
    assert effects.frames == [(2, frames.TCP), (3, frames.TCP)]
    assert bench.switch.ports[2].counters.tx_packets == 1


def test_no_packet_goes_where_a_message_fails() -> None:
    bench = Bench(OF14)
    staged(bench, PacketOut((Output(2),), frames.TCP), BAD)
    assert bench.effects_of(control(COMMIT)).frames == []
    assert bench.switch.ports[2].counters.tx_packets == 0


def test_a_buffered_packet_stays_where_a_message_fails() -> None:
    bench = Bench(OF14)
    bench.say(flow(Match(), Output(Port.CONTROLLER, 40), priority=0))
    [packet_in] = bench.packet_ins(frames.TCP)
    buffered = flow(ONE, Output(2), buffer_id=packet_in.buffer_id)
    failed(bench, buffered, BAD)
    staged(bench, buffered)
    assert bench.effects_of(control(COMMIT)).frames == [(2, frames.TCP)]


# Refusals


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (control(9), Code.BAD_TYPE),
        (control(BundleControlType.OPEN_REPLY), Code.BAD_TYPE),
        (control(OPEN, 2, flags=8), Code.BAD_FLAGS),
        (control(CLOSE, 2), Code.BAD_ID),
        (control(COMMIT, 2), Code.BAD_ID),
        (control(DISCARD, 2), Code.BAD_ID),
        (control(OPEN), Code.BUNDLE_EXIST),
        (control(CLOSE, flags=1), Code.BAD_FLAGS),
        (control(COMMIT, flags=1), Code.BAD_FLAGS),
        (add(flow(ONE), flags=1), Code.BAD_FLAGS),
        (BundleAdd(1, flow(ONE, xid=2), xid=1), Code.MSG_BAD_XID),
        (BundleAdd(1, BarrierRequest(xid=1), xid=1), Code.MSG_UNSUP),
        (control(OPEN, 2, properties=(ExperimenterProperty(9),)), BadPropertyCode.BAD_EXPERIMENTER),
    ],
)
def test_what_cannot_be_done_to_a_bundle_is_refused(message: Message, code: object) -> None:
    bench = Bench(OF14)
    bench.say(control(OPEN))
    assert bench.refusal(message) == code


@pytest.mark.parametrize("message", [control(OPEN), control(CLOSE), BundleAdd(1, flow(ONE))])
def test_a_bundle_that_is_used_wrongly_ends(message: Message) -> None:
    bench = Bench(OF14)
    bench.say(control(OPEN))
    bench.say(control(CLOSE))
    wanted = Code.BUNDLE_EXIST if message == control(OPEN) else Code.BUNDLE_CLOSED
    assert bench.refusal(message) == wanted
    assert bench.refusal(control(COMMIT)) == Code.BAD_ID


def test_a_controller_has_so_many_bundles_and_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(OF14)
    for number in range(MAX_BUNDLES):
        bench.say(control(OPEN, number))
    assert bench.refusal(control(OPEN, MAX_BUNDLES)) == Code.OUT_OF_BUNDLES
    monkeypatch.setattr("switch_sim.bundles.MAX_STAGED", 2)
    for number in range(2):
        bench.say(BundleAdd(number, flow(ONE)))
    assert bench.refusal(BundleAdd(2, flow(ONE))) == Code.MSG_TOO_MANY


def test_bundles_are_not_scheduled() -> None:
    # OF1.5.1 7.3.9 "Scheduled Bundles"
    bench = Bench(OF15)
    assert bench.refusal(control(OPEN, flags=BundleFlags.TIME)) == Code.SCHED_NOT_SUPPORTED


def test_openflow_15_tells_what_bundles_can_be() -> None:
    # OF1.5.1 7.3.5 "Bundle Features Multipart"
    bench = Bench(OF15)
    both = BundleFlags.ATOMIC | BundleFlags.ORDERED
    assert bench.say(BundleFeaturesRequest()) == [BundleFeaturesReply(both)]
    tolerance = BundleFeaturesRequest(BundleFeatureFlags.TIME_SET_SCHED)
    assert bench.refusal(tolerance) == BadRequestCode.MULTIPART_BAD_SCHED


# ONF's extension of OF1.3 (EXT-230)


def test_openflow_13_has_bundles_as_an_extension() -> None:
    bench = Bench(OF13)
    assert bench.say(onf.BundleControl(1, OPEN)) == [
        onf.BundleControl(1, BundleControlType.OPEN_REPLY)
    ]
    bench.say(onf.BundleAdd(1, flow(ONE, xid=1), xid=1))
    assert bench.say(onf.BundleControl(1, COMMIT)) == [
        onf.BundleControl(1, BundleControlType.COMMIT_REPLY)
    ]
    assert matches(bench) == [ONE]


def test_its_errors_have_numbers_of_their_own() -> None:
    bench = Bench(OF13)
    message = onf.BundleControl(1, COMMIT, xid=7)
    [error] = bench.ask(message)
    data = bytes.fromhex("4f4e4600") + message.encode(OF13)
    assert error == ErrorMsg(UnknownError(0xFFFF, 2302), data, xid=7)


def test_a_table_mod_in_a_bundle_is_refused_as_alone() -> None:
    errors = failed(Bench(OF14), TableMod(0, 1 << 9))
    assert errors == [(TableModFailedCode.BAD_CONFIG, 100), (Code.MSG_FAILED, 7)]
