"""One switch: what it answers, and how it counts what a controller sends."""

from __future__ import annotations

import msgspec
import pytest

from protocol import (
    OF10,
    OF12,
    OF13,
    OF14,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    DescReply,
    DescRequest,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    Experimenter,
    ExperimenterMultipartRequest,
    FlowMod,
    FlowStatsReply,
    FlowStatsRequest,
    GetConfigReply,
    GetConfigRequest,
    Message,
    PacketIn,
    PacketOut,
    PortDescReply,
    PortDescRequest,
    PortStatsRequest,
    Role,
    RoleReply,
    RoleRequest,
    SetConfig,
    Version,
)
from protocol.multipart import _requests
from protocol.wire import resolve
from switch_sim.load.answers import Answers
from switch_sim.load.lane import SPARE
from switch_sim.load.plan import Plan
from switch_sim.load.traffic import Kind

from .controllers import (
    FLOOD,
    Cable,
    Policy,
    by_both,
    by_buffer,
    by_data,
    by_flow_mod,
    greeted,
    lane,
)

VERSIONS = pytest.mark.parametrize("version", Version, ids=str)
HOSTS = 8


def loaded(version: Version, policy: Policy, window: int = 4, buffered: bool = True) -> Cable:
    """A switch with packet_ins on their way."""
    cable = greeted(version, policy)
    plan = Plan(hosts=HOSTS, window=window, buffered=buffered)
    cable.lane.load(plan.traffic(version), Kind.PACKET_IN)
    cable.lane.window = window
    cable.lane.fill(0)
    return cable


def ask(cable: Cable, message: Message) -> list[Message]:
    """Ask a switch, and return what it says."""
    cable.controller.heard.clear()
    cable.controller.connection.send(message)
    cable.exchange(0)
    cable.exchange(0)
    return cable.controller.heard


@VERSIONS
@pytest.mark.parametrize("policy", [by_buffer, by_data, by_flow_mod, by_both])
def test_an_answer_of_any_form_is_matched_to_its_packet(version: Version, policy: Policy) -> None:
    cable = loaded(version, policy)
    assert len(cable.lane.pending) == 4
    first = list(cable.lane.pending)
    cable.exchange(0.5)
    assert cable.lane.tally.answered == 4
    assert not set(first) & set(cable.lane.pending)  # which are others
    assert cable.lane.tally.latency.percentile(50) == pytest.approx(0.5, rel=0.01)


@VERSIONS
def test_without_buffers_the_packet_in_a_packet_out_tells_which_it_is(version: Version) -> None:
    cable = loaded(version, by_data, buffered=False)
    cable.exchange(0.5)
    assert (cable.lane.tally.answered, cable.lane.tally.packet_outs) == (4, 4)


def test_a_packet_is_answered_once() -> None:
    cable = loaded(OF13, lambda message: (*by_buffer(message), *by_data(message)))
    cable.exchange(0)
    assert (cable.lane.tally.answered, cable.lane.tally.strays) == (4, 4)


def test_the_next_packet_goes_before_the_answer_is_counted() -> None:
    cable = loaded(OF13, by_buffer, window=1)
    cable.carry()
    lane = cable.lane
    (first,) = lane.pending
    answer = PacketOut(FLOOD, buffer_id=first).encode(OF13)
    buffer = bytearray(answer) + bytes(SPARE)
    assert lane.receive(buffer, len(answer), now=0.5) == len(answer)
    lane.fill(0.5)
    assert (len(lane.out), len(lane.pending), lane.tally.answered) == (1, 1, 0)
    assert first not in lane.pending
    cable.carry()
    lane.settle()
    assert (lane.tally.answered, lane.tally.packet_outs, lane.tally.packet_ins) == (1, 1, 2)


def waiting(policy: Policy, window: int = 1) -> tuple[Cable, bytearray, int]:
    """A switch that has one ready, and what the controller says to the ones on their way."""
    cable = loaded(OF13, policy, window=window)
    cable.exchange(0)
    data = cable.controller.receive(b"".join(encoded(cable, OF13)), 0)
    return cable, bytearray(data) + bytes(SPARE), len(data)


def encoded(cable: Cable, version: Version) -> list[bytes]:
    """Return packet_ins like those on their way, as the controller reads no other field."""
    return [PacketIn(buffer_id=token).encode(version) for token in cable.lane.pending]


@pytest.mark.parametrize("policy", [by_buffer, by_flow_mod, by_both])
def test_who_waits_for_one_packet_may_send_the_next_before_all_else(policy: Policy) -> None:
    cable, buffer, end = waiting(policy)
    lane = cable.lane
    (first,) = lane.pending
    ahead = lane.ahead(buffer, end)
    assert ahead is not None
    lane.went(0.5, len(ahead))
    assert len(lane.pending) == 2
    assert lane.receive(buffer, end, now=0.5) == end
    lane.fill(0.5)
    assert (lane.out, len(lane.pending), first in lane.pending) == ([], 1, False)
    lane.settle()
    assert (lane.tally.answered, lane.tally.packet_ins, lane.tally.strays) == (2, 3, 0)
    assert lane.tally.latency.percentile(100) == pytest.approx(0.5, rel=0.01)


def test_what_goes_before_all_else_may_go_in_parts() -> None:
    cable, buffer, end = waiting(by_buffer)
    ahead = cable.lane.ahead(buffer, end)
    assert ahead is not None
    whole = bytes(ahead)
    cable.lane.went(0.5, 10)
    assert (cable.lane.out, cable.lane.blocked) == ([whole[10:]], True)


@pytest.mark.parametrize(
    "policy",
    [
        lambda message: [PacketOut(FLOOD, buffer_id=0x7F00_0000)],
        lambda message: [FlowMod(), FlowMod()],
        lambda message: [EchoRequest(message.buffer_id.to_bytes(4, "big") + bytes(56))],
    ],
    ids=["another packet", "entries alone", "a question"],
)
def test_nothing_goes_before_all_else_for_what_answers_nothing(policy: Policy) -> None:
    cable, buffer, end = waiting(policy)
    assert cable.lane.pending
    assert cable.lane.ahead(buffer, end) is None


def test_half_an_answer_lets_nothing_go() -> None:
    cable, buffer, end = waiting(by_both)
    assert [cut for cut in range(end) if cable.lane.ahead(buffer, cut) is not None] == []


def test_with_several_on_their_way_nothing_goes_before_all_else() -> None:
    cable, buffer, end = waiting(by_buffer, window=2)
    assert cable.lane.ahead(buffer, end) is None


def test_packets_of_the_controllers_own_answer_nothing() -> None:
    cable = loaded(OF13, lambda message: (PacketOut(FLOOD, bytes(60)), PacketOut(FLOOD)))
    cable.exchange(0)
    tally = cable.lane.tally
    assert (tally.answered, tally.strays, tally.packet_outs) == (0, 0, 8)


def test_a_flow_mod_without_the_buffer_answers_nothing() -> None:
    cable = loaded(OF13, lambda message: (FlowMod(),))
    cable.exchange(0)
    assert (cable.lane.tally.answered, cable.lane.tally.flow_mods) == (0, 4)


def test_what_is_not_answered_in_time_is_lost_and_makes_room() -> None:
    cable = loaded(OF13, lambda message: ())
    cable.lane.expire(before=0.0)
    assert cable.lane.tally.lost == 0
    cable.lane.expire(before=0.1)
    assert (cable.lane.tally.lost, len(cable.lane.pending)) == (4, 0)
    cable.lane.fill(0.1)
    assert len(cable.lane.pending) == 4


def test_what_comes_may_be_split_anywhere() -> None:
    whole = loaded(OF13, by_both)
    data = whole.controller.receive(b"".join(whole.lane.out), 0)
    for cut in range(1, len(data)):
        cable = loaded(OF13, by_both)
        cable.deliver(data[:cut], 0)
        cable.deliver(data[cut:], 0)
        assert (cable.lane.tally.answered, cable.lane.tally.flow_mods) == (4, 4)


def test_nothing_is_sent_while_the_controller_does_not_read() -> None:
    cable = loaded(OF13, by_both)
    cable.exchange(0)
    cable.lane.out, cable.lane.blocked = [], True
    cable.exchange(0)
    assert cable.lane.out == []


def test_of_more_packets_due_than_there_are_steps_each_goes_as_itself() -> None:
    cable = loaded(OF13, by_buffer, window=0)
    lane = cable.lane
    lane.due.extend([0.0] * (2 * HOSTS))
    for _ in range(3):
        lane.fill(0.0)  # more than once before anything is written
    cable.carry()
    lane.fill(0.0)
    cable.exchange(0.0)
    cable.exchange(0.0)
    assert (lane.tally.answered, lane.tally.strays, lane.pending) == (2 * HOSTS, 0, {})


@pytest.mark.parametrize("length", [0, 7])
def test_a_length_that_cannot_be_ends_the_channel(length: int) -> None:
    cable = loaded(OF13, by_both)
    cable.deliver(bytes((4, 14, 0, length, 0, 0, 0, 0)), 0)
    assert cable.lane.closed == f"the controller sent a message of {length} bytes"
    assert (cable.lane.tally.lost, cable.lane.pending) == (4, {})


def test_no_version_in_common_ends_the_channel() -> None:
    cable = Cable(lane(OF13), greeted(OF14).controller)
    cable.deliver(bytes.fromhex("01000008 00000001"), 0)
    assert "no version in common" in cable.lane.closed


@VERSIONS
@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (EchoRequest(b"?"), EchoReply(b"?")),
        (BarrierRequest(), BarrierReply()),
        (GetConfigRequest(), GetConfigReply(miss_send_len=128)),
        (DescRequest(), DescReply("Pointsman", "none", "pointsman load", "none", "load")),
    ],
)
def test_a_controllers_questions_are_answered(
    request_: Message, reply: Message, version: Version
) -> None:
    (found,) = ask(greeted(version), request_)
    assert found.numbered(0) == reply


def test_the_configuration_is_what_the_controller_set() -> None:
    cable = greeted()
    ask(cable, SetConfig(miss_send_len=0xFFFF))
    (found,) = ask(cable, GetConfigRequest())
    assert isinstance(found, GetConfigReply)
    assert found.miss_send_len == 0xFFFF


def test_a_role_is_taken_and_told() -> None:
    cable = greeted(OF12)
    ask(cable, RoleRequest(Role.MASTER, generation_id=3))
    found = ask(cable, RoleRequest())[-1]
    assert isinstance(found, RoleReply)
    assert (found.role, found.generation_id) == (Role.MASTER, 3)


def test_all_ports_are_told() -> None:
    (found,) = ask(greeted(), PortDescRequest())
    assert isinstance(found, PortDescReply)
    assert [port.port_no for port in found.ports] == [1, 2, 3, 4, 1000]


@VERSIONS
def test_as_many_flow_entries_are_told_as_asked_for(version: Version) -> None:
    cable = greeted(version)
    cable.lane.answers.flows = 2_000  # of which one message cannot tell
    (found,) = ask(cable, FlowStatsRequest())
    assert isinstance(found, FlowStatsReply)
    assert len({flow.match for flow in found.flows}) == 2_000


@VERSIONS
def test_every_multipart_request_is_answered_with_its_reply(version: Version) -> None:
    known = [cls for cls, number in _requests.items() if resolve(number, version) is not None]
    for cls in set(known) - {FlowStatsRequest, ExperimenterMultipartRequest}:
        required = {one.name: 1 for one in msgspec.structs.fields(cls) if one.required}
        (found,) = Answers(1, ports=4).answer(cls(**required), version)
        assert type(found).__name__ == cls.__name__.replace("Request", "Reply")
        assert found.encode(version)


def test_what_only_others_know_is_refused() -> None:
    found = ask(greeted(), Experimenter(0x1234))[-1]
    assert isinstance(found, ErrorMsg)
    assert found.code is BadRequestCode.BAD_EXPERIMENTER


def test_what_is_no_message_of_the_version_is_refused() -> None:
    cable = greeted(OF13)
    cable.deliver(bytes.fromhex("04 63 0010 00000009") + bytes(8), 0)
    cable.exchange(0)
    found = cable.controller.heard[-1]
    assert isinstance(found, ErrorMsg)
    assert (found.code, found.xid) == (BadRequestCode.BAD_TYPE, 9)


def test_the_time_from_a_reply_to_the_next_request_is_the_controllers() -> None:
    cable = greeted(OF10)
    for now in (1.0, 1.25):
        cable.controller.connection.send(PortStatsRequest())
        cable.exchange(now)
    assert cable.lane.tally.stats_requests == 2
    assert cable.lane.tally.latency.percentile(100) == pytest.approx(0.25, rel=0.01)


def test_errors_of_the_controller_are_counted_and_the_last_is_kept() -> None:
    cable = greeted()
    ask(cable, ErrorMsg(BadRequestCode.BAD_TYPE, b""))
    assert cable.lane.tally.errors == 1
    assert cable.lane.last_error is not None
    assert cable.lane.last_error.code is BadRequestCode.BAD_TYPE
