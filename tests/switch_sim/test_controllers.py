"""Several controllers at one switch: roles, and who is told what."""

from __future__ import annotations

import pytest

from protocol import (
    OF12,
    OF13,
    OF14,
    OF15,
    AsyncConfigFailedCode,
    BadPropertyCode,
    BadRequestCode,
    DecNwTtl,
    FeaturesReply,
    FeaturesRequest,
    FlowModFlags,
    FlowRemoved,
    FlowStatsRequest,
    GetAsyncReply,
    GetAsyncRequest,
    GroupMod,
    Match,
    Message,
    MeterMod,
    Output,
    PacketIn,
    PacketInReason,
    PacketOut,
    Port,
    PortMod,
    PortStatus,
    Role,
    RoleReply,
    RoleRequest,
    RoleRequestFailedCode,
    RoleStatus,
    SetAsync,
    TableMod,
    Version,
)
from protocol.bundles import BundleAdd, BundleControl, RequestForward
from protocol.properties import ExperimenterProperty
from protocol.record import Unknown
from protocol.roles import (
    NO_SHORT_ID,
    ChannelStatus,
    ControllerStatus,
    ControllerStatusReason,
    ControllerStatusReply,
    ControllerStatusRequest,
    ControllerUri,
)
from protocol.table_features import TableFeatures, TableFeaturesRequest
from switch_sim import Effects, Session
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

with_roles = pytest.mark.parametrize("version", [OF12, OF13, OF14, OF15])
with_masks = pytest.mark.parametrize("version", [OF13, OF14, OF15])


def become(bench: Bench, role: Role, generation_id: int = 1) -> RoleReply:
    told = bench.say(RoleRequest(role, generation_id))
    [reply] = [one for one in told if isinstance(one, RoleReply)]
    return reply


def role_of(bench: Bench) -> Role | int:
    return become(bench, Role.NOCHANGE).role


# Roles (OF1.3.5 7.3.9 "Role Request Message")


@with_roles
def test_controllers_are_equal_until_one_asks(version: Version) -> None:
    # The generation_id is all ones until someone named one.
    assert become(Bench(version), Role.NOCHANGE) == RoleReply(Role.EQUAL, 0xFFFF_FFFF_FFFF_FFFF)


@with_roles
def test_a_role_is_given_and_told(version: Version) -> None:
    bench = Bench(version)
    for role in (Role.MASTER, Role.SLAVE):
        assert become(bench, role, 7) == RoleReply(role, 7)
        assert role_of(bench) == role
    assert become(bench, Role.EQUAL, 0) == RoleReply(Role.EQUAL, 7)


@with_roles
def test_there_is_one_master(version: Version) -> None:
    # OF1.3.5 6.3.5 "Multiple Controllers": the old one becomes a slave.
    one = Bench(version)
    other, equal = one.other(), one.other()
    become(one, Role.MASTER)
    become(other, Role.MASTER, 2)
    assert [role_of(bench) for bench in (one, other, equal)] == [
        Role.SLAVE, Role.MASTER, Role.EQUAL,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "asked", "stale"),
    [
        (5, 5, False),
        (5, 6, False),
        (5, 4, True),
        (0xFFFF_FFFF_FFFF_FFFF, 0, False),  # the numbers go round
        (0, 0xFFFF_FFFF_FFFF_FFFF, True),
        (0, (1 << 63) - 1, False),
        (0, 1 << 63, True),
    ],
)
@pytest.mark.parametrize("role", [Role.MASTER, Role.SLAVE])
def test_an_old_election_is_stale(role: Role, known: int, asked: int, stale: bool) -> None:
    bench = Bench()
    become(bench, Role.MASTER, known)
    refusal = bench.other().refusal(RoleRequest(role, asked))
    assert refusal == (RoleRequestFailedCode.STALE if stale else None)


def test_to_be_equal_takes_no_election() -> None:
    bench = Bench()
    become(bench, Role.MASTER, 9)
    assert become(bench, Role.EQUAL, 3) == RoleReply(Role.EQUAL, 9)


def test_a_stale_request_changes_nothing() -> None:
    one = Bench(OF15)
    become(one, Role.MASTER, 9)
    other = one.other()
    stale = RoleRequest(Role.MASTER, 8, short_id=5)
    assert other.refusal(stale) == RoleRequestFailedCode.STALE
    assert become(other, Role.NOCHANGE) == RoleReply(Role.EQUAL, 9)
    assert role_of(one) == Role.MASTER


@with_roles
def test_there_are_no_other_roles(version: Version) -> None:
    assert Bench(version).refusal(RoleRequest(9)) == RoleRequestFailedCode.BAD_ROLE


@pytest.mark.parametrize(("version", "is_told"), [(OF13, False), (OF14, True), (OF15, True)])
def test_the_old_master_is_told_since_openflow_14(version: Version, is_told: bool) -> None:
    # OF1.4.1 7.4.4 "Controller Role Status Message"
    old = Bench(version)
    new, equal = old.other(), old.other()
    become(old, Role.MASTER)
    effects = new.effects_of(RoleRequest(Role.MASTER, 2))
    told = [(whose, one) for whose, one in effects.messages if isinstance(one, RoleStatus)]
    status = RoleStatus(Role.SLAVE, generation_id=2)
    assert told == ([(old.session, status)] if is_told else [])
    assert role_of(equal) == Role.EQUAL


# What a slave may not say (OF1.3.5 6.3.5)

PORT_1 = 0xA1
CHANGES: list[Message] = [
    PacketOut((), frames.TCP),
    flow(Match()),
    GroupMod(1),
    PortMod(1, PORT_1),
    TableMod(),
    MeterMod(1),
    TableFeaturesRequest((TableFeatures(0),)),
]


@pytest.mark.parametrize("message", CHANGES, ids=lambda one: type(one).__name__)
def test_a_slave_changes_nothing(message: Message) -> None:
    bench = Bench()
    become(bench, Role.SLAVE)
    assert bench.refusal(message) == BadRequestCode.IS_SLAVE


@pytest.mark.parametrize("message", [BundleControl(1, 0), BundleAdd(1, flow(Match()))])
def test_a_slave_has_no_bundles(message: Message) -> None:
    bench = Bench(OF14)
    become(bench, Role.SLAVE)
    assert bench.refusal(message) == BadRequestCode.IS_SLAVE


def test_a_slave_may_ask() -> None:
    bench = Bench()
    become(bench, Role.SLAVE)
    for question in (FeaturesRequest(), FlowStatsRequest(), TableFeaturesRequest()):
        bench.say(question)


# Who is told what


def happenings(bench: Bench) -> list[tuple[Session, Message]]:
    """What the switch tells of a packet without an entry, a port and an entry that went."""
    switch = bench.switch
    told = switch.receive_frame(1, frames.TCP, 0.0).messages
    told += switch.set_link(2, False, 0.0).messages
    return told + switch.handle_timer(1.0).messages


def told(bench: Bench) -> list[type[Message]]:
    """What one controller hears of it."""
    return [type(message) for session, message in happenings(bench) if session is bench.session]


def watched(version: Version) -> Bench:
    bench = Bench(version)
    bench.say(flow(Match(), Output(Port.CONTROLLER), priority=0))
    bench.say(flow(Match(in_port=3), hard_timeout=1, flags=FlowModFlags.SEND_FLOW_REM))
    return bench


@with_roles
def test_all_are_told_all_but_slaves(version: Version) -> None:
    # OF1.3.5 6.3.5: by default a slave hears of ports only.
    bench = watched(version)
    slave = bench.other()
    become(slave, Role.SLAVE)
    told = happenings(bench)
    kinds = {
        one: [type(message) for session, message in told if session is one.session]
        for one in (bench, slave)
    }
    assert kinds == {bench: [PacketIn, PortStatus, FlowRemoved], slave: [PortStatus]}


@with_masks
def test_each_controller_says_what_it_wants(version: Version) -> None:
    # OF1.3.5 7.3.10 "Set Asynchronous Configuration Message"
    nothing = SetAsync(
        packet_in_master=0, port_status_master=0, flow_removed_master=0,
        packet_in_slave=7, port_status_slave=0, flow_removed_slave=7,
    )  # fmt: skip
    bench = watched(version)
    bench.say(nothing)
    assert told(bench) == []
    slave = watched(version)
    slave.say(nothing)
    become(slave, Role.SLAVE)
    assert told(slave) == [PacketIn, FlowRemoved]


@with_masks
def test_a_mask_has_a_bit_for_each_reason(version: Version) -> None:
    bench = watched(version)
    misses_and_deletions = SetAsync(
        packet_in_master=1 << 1, port_status_master=0b011, flow_removed_master=1 << 2,
        packet_in_slave=0, port_status_slave=0, flow_removed_slave=0,
    )  # fmt: skip
    bench.say(misses_and_deletions)
    assert told(bench) == []


def masks(bench: Bench) -> GetAsyncReply:
    [reply] = bench.say(GetAsyncRequest())
    assert isinstance(reply, GetAsyncReply)
    return reply


def test_openflow_13_tells_its_six_masks() -> None:
    reply = masks(Bench(OF13))
    assert (reply.packet_in_master, reply.packet_in_slave) == (0b011, 0)
    assert (reply.port_status_master, reply.port_status_slave) == (0b111, 0b111)
    assert (reply.flow_removed_master, reply.flow_removed_slave) == (0b1111, 0)
    assert reply.role_status_master is None


@pytest.mark.parametrize("version", [OF14, OF15])
def test_since_openflow_14_what_is_not_said_does_not_change(version: Version) -> None:
    # OF1.4.1 7.3.10
    bench = Bench(version)
    before = masks(bench)
    assert before.packet_in_master == 0b111011
    assert before.table_status_master == 0b11000
    assert before.requestforward_master == 0b11
    assert before.flow_stats_master == (0b11 if version == OF15 else None)
    bench.say(SetAsync(table_status_master=0))
    after = masks(bench)
    assert after.table_status_master == 0
    assert after.packet_in_master == before.packet_in_master


def test_masks_belong_to_one_controller() -> None:
    bench = Bench(OF14)
    other = bench.other()
    bench.say(SetAsync(packet_in_master=0))
    assert masks(other).packet_in_master == 0b111011


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (SetAsync(packet_in_master=1 << 9), AsyncConfigFailedCode.INVALID),
        (SetAsync(table_status_slave=1), AsyncConfigFailedCode.INVALID),
        (SetAsync(properties=(Unknown(99, b"\0" * 4),)), AsyncConfigFailedCode.UNSUPPORTED),
        (SetAsync(properties=(ExperimenterProperty(9),)), BadPropertyCode.BAD_EXPERIMENTER),
    ],
)
def test_what_cannot_be_wanted_is_refused(message: SetAsync, code: object) -> None:
    bench = Bench(OF14)
    before = masks(bench)
    assert bench.refusal(message) == code
    assert masks(bench) == before


def test_packets_with_an_invalid_ttl_are_asked_for() -> None:
    # OF1.3.5 7.4.1 "Packet-In Message": a reason of its own, and a mask for it
    bench = Bench(OF13)
    bench.say(flow(Match(eth_type=0x0800), DecNwTtl(), Output(2)))
    dying = frames.TCP[:22] + b"\1" + frames.TCP[23:]
    assert bench.packet_ins(dying) == []
    bench.say(SetAsync(packet_in_master=1 << PacketInReason.INVALID_TTL))
    assert [one.reason for one in bench.packet_ins(dying)] == [PacketInReason.INVALID_TTL]


# Auxiliary channels (OF1.3.5 6.3.6 "Auxiliary Connections")


def auxiliary(bench: Bench) -> Bench:
    session = bench.switch.connect(bench.version, main=bench.session, auxiliary_id=1)
    other = bench.other()
    bench.switch.disconnect(other.session)
    other.session = session
    return other


def test_an_auxiliary_channel_tells_its_number() -> None:
    bench = Bench()
    [main] = bench.say(FeaturesRequest())
    [other] = auxiliary(bench).say(FeaturesRequest())
    assert isinstance(main, FeaturesReply)
    assert isinstance(other, FeaturesReply)
    assert (main.auxiliary_id, other.auxiliary_id) == (0, 1)
    assert main.datapath_id == other.datapath_id


def test_roles_and_masks_are_those_of_the_controller() -> None:
    bench = Bench(OF14)
    aux = auxiliary(bench)
    aux.say(SetAsync(packet_in_master=0))
    assert masks(bench).packet_in_master == 0
    become(aux, Role.SLAVE)
    assert role_of(bench) == Role.SLAVE
    assert aux.refusal(flow(Match())) == BadRequestCode.IS_SLAVE


def test_events_come_by_the_main_channel_and_answers_by_the_one_that_asked() -> None:
    bench = watched(OF13)
    aux = auxiliary(bench)
    assert {session for session, _ in happenings(bench)} == {bench.session}
    assert bench.heard(aux.effects_of(FeaturesRequest())) == []


# Controller status (OF1.5.1 7.4.7 "Controller Status Message")


def statuses(bench: Bench, effects: Effects) -> list[tuple[int, int, int]]:
    told = bench.heard(effects)
    assert all(isinstance(one, ControllerStatus) for one in told)
    return [
        (one.status.reason, one.status.role, one.status.channel_status)
        for one in told
        if isinstance(one, ControllerStatus)
    ]


def test_controllers_hear_of_each_other() -> None:
    bench = Bench(OF15)
    other = bench.other()
    came = bench.switch.greet(other.session)
    up = (ControllerStatusReason.CHANNEL_STATUS, Role.EQUAL, ChannelStatus.UP)
    assert statuses(bench, came) == [up]
    changed = other.effects_of(RoleRequest(Role.MASTER, 1))
    master = (ControllerStatusReason.ROLE, Role.MASTER, ChannelStatus.UP)
    assert statuses(bench, changed) == [master]
    gone = bench.switch.disconnect(other.session)
    down = (ControllerStatusReason.CHANNEL_STATUS, Role.MASTER, ChannelStatus.DOWN)
    assert statuses(bench, gone) == [down]


def test_a_controller_of_an_older_version_does_not_hear_of_others() -> None:
    bench = Bench(OF14)
    other = bench.other(OF15)
    assert bench.switch.greet(other.session).messages == []


def test_controllers_can_be_asked_for() -> None:
    # OF1.5.1 7.3.5 "Controller Status Multipart"
    bench = Bench(OF15)
    bench.switch.connect(OF15, "tcp:192.0.2.1:6653")
    [reply] = bench.say(ControllerStatusRequest())
    assert isinstance(reply, ControllerStatusReply)
    assert [one.short_id for one in reply.controllers] == [NO_SHORT_ID] * 2
    assert reply.controllers[1].properties == (ControllerUri("tcp:192.0.2.1:6653"),)


def test_controllers_that_the_switch_should_have_are_listed_though_they_are_not_there() -> None:
    bench = Bench(OF15)
    [added] = bench.heard(bench.switch.configure("tcp:192.0.2.1:6653"))
    assert isinstance(added, ControllerStatus)
    assert added.status.reason == ControllerStatusReason.CONTROLLER_ADDED
    assert bench.switch.configure("tcp:192.0.2.1:6653").messages == []

    def statuses() -> list[tuple[int, tuple[object, ...]]]:
        [reply] = bench.say(ControllerStatusRequest())
        assert isinstance(reply, ControllerStatusReply)
        return [(one.channel_status, one.properties) for one in reply.controllers]

    there = (ControllerUri("tcp:192.0.2.1:6653"),)
    assert statuses() == [(ChannelStatus.UP, ()), (ChannelStatus.DOWN, there)]
    session = bench.switch.connect(OF13, "tcp:192.0.2.1:6653")
    assert statuses() == [(ChannelStatus.UP, ()), (ChannelStatus.UP, there)]
    bench.switch.disconnect(session)
    assert statuses()[1] == (ChannelStatus.DOWN, there)


def test_a_short_id_names_one_controller() -> None:
    # OF1.5.1 7.3.8 "Role Request Message"
    bench = Bench(OF15)
    other = bench.other()
    effects = bench.effects_of(RoleRequest(short_id=5))
    assert statuses(other, effects) == [
        (ControllerStatusReason.SHORT_ID, Role.EQUAL, ChannelStatus.UP)
    ]
    assert other.refusal(RoleRequest(short_id=5)) == RoleRequestFailedCode.ID_IN_USE
    [reply] = bench.say(RoleRequest())
    assert isinstance(reply, RoleReply)
    assert reply.short_id == 5


# Request forward (OF1.4.1 7.4.6 "Request Forward Message")


@pytest.mark.parametrize("version", [OF14, OF15])
@pytest.mark.parametrize("message", [GroupMod(1, xid=9), MeterMod(1, xid=9)])
def test_changes_of_groups_and_meters_are_told_to_others(
    version: Version, message: Message
) -> None:
    bench = Bench(version)
    other, old = bench.other(), bench.other(OF13)
    effects = bench.effects_of(message)
    assert bench.heard(effects) == old.heard(effects) == []
    assert other.heard(effects) == [RequestForward(message)]


def test_a_request_that_was_refused_is_not_forwarded() -> None:
    bench = Bench(OF14)
    bench.say(GroupMod(1))
    other = bench.other()
    assert other.heard(bench.effects_of(GroupMod(1))) == []


def test_forwarding_can_be_turned_off_for_each_reason() -> None:
    bench = Bench(OF14)
    other = bench.other()
    other.say(SetAsync(requestforward_master=0b10))
    assert other.heard(bench.effects_of(GroupMod(1))) == []
    assert len(other.heard(bench.effects_of(MeterMod(1)))) == 1
