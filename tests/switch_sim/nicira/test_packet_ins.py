"""Packets for controllers by Nicira's actions and in its forms (ovs-actions(7) "controller")."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF10,
    OF12,
    OF13,
    ApplyActions,
    BadActionCode,
    BadPropertyCode,
    DecNwTtl,
    ErrorMsg,
    GotoTable,
    Match,
    Message,
    Output,
    PacketIn,
    PacketInReason,
    Port,
    SetAsync,
    Version,
    WriteActions,
)
from protocol import nicira as nx
from protocol.nicira import (
    Clone,
    Controller,
    Controller2,
    DecTtlCntIds,
    Exit,
    PacketIn2,
    PacketInFormat,
    RegLoad,
    ResubmitTable,
    Resume,
    SetControllerId,
    SetPacketInFormat,
    StackPop,
    StackPush,
    Subfield,
)
from protocol.symmetric import UnknownError
from switch_sim.nicira.packet_ins import MAX_WAITING

from .. import frames
from ..builders import Bench, flow

PAUSE = Controller2(pause=True, userdata=b"why")
REG0 = Subfield("reg0")


def packets_of(bench: Bench, data: bytes = frames.TCP) -> list[Message]:
    """The packets that the controller gets when a frame comes in, read off the wire."""
    effects = bench.switch.receive_frame(1, data, 0.0)
    return [Message.decode(message.encode(bench.version)) for _, message in effects.messages]


def packet_of(bench: Bench, data: bytes = frames.TCP) -> Any:
    (message,) = packets_of(bench, data)
    return message


@pytest.fixture
def bench() -> Bench:
    """A switch whose controller takes packet_in2."""
    made = Bench()
    made.say(SetPacketInFormat(PacketInFormat.NXT_PACKET_IN2))
    return made


# Forms


@pytest.mark.parametrize("version", [OF10, OF12, OF13])
def test_packets_come_in_nicira_s_first_form(version: Version) -> None:
    bench = Bench(version)
    bench.say(SetPacketInFormat(PacketInFormat.NXT_PACKET_IN))
    bench.say(flow(Match(), RegLoad(REG0, 5), Output(Port.CONTROLLER)))
    told = packet_of(bench)
    assert isinstance(told, nx.PacketIn)
    assert (told.match["in_port"], told.match["reg0"]) == (1, 5)
    assert (told.data, told.reason) == (frames.TCP, PacketInReason.ACTION)


@pytest.mark.parametrize("version", [OF10, OF13])
def test_packets_come_in_properties(version: Version) -> None:
    bench = Bench(version)
    bench.say(SetPacketInFormat(PacketInFormat.NXT_PACKET_IN2))
    bench.say(flow(Match(), RegLoad(REG0, 5), Output(Port.CONTROLLER), cookie=7))
    told = packet_of(bench)
    assert isinstance(told, PacketIn2)
    assert (told.match["reg0"], told.data, told.total_len) == (5, frames.TCP, 0)
    assert (told.cookie, told.table_id) == (7, 0)


def test_the_beginning_of_a_packet_tells_how_long_it_is(bench: Bench) -> None:
    bench.say(flow(Match(), Output(Port.CONTROLLER, max_len=20)))
    told = packet_of(bench)
    assert (told.data, told.total_len) == (frames.TCP[:20], len(frames.TCP))


def test_the_standard_s_form_tells_registers_too() -> None:
    bench = Bench(OF13)
    bench.say(flow(Match(), RegLoad(REG0, 5), Output(Port.CONTROLLER)))
    told = packet_of(bench)
    assert type(told) is PacketIn
    assert told.match == Match(in_port=1, reg0=5)


def test_a_form_that_there_is_not_is_refused(bench: Bench) -> None:
    assert bench.refusal(SetPacketInFormat(9)) is not None


# Whom


def test_an_action_names_the_controllers(bench: Bench) -> None:
    other = bench.switch.connect(OF13)
    bench.switch.handle(other, SetControllerId(5), 0.0)
    bench.say(flow(Match(), Controller(controller_id=5)))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert [session for session, _ in effects.messages] == [other]


def test_other_actions_mean_controllers_without_a_number(bench: Bench) -> None:
    bench.say(flow(Match(), Output(Port.CONTROLLER)))
    bench.say(SetControllerId(5))
    assert packets_of(bench) == []


def test_an_action_says_the_reason_and_the_data_for_the_controller(bench: Bench) -> None:
    bench.say(flow(Match(), Controller2(reason=PacketInReason.NO_MATCH, userdata=b"\x01\x02")))
    told = packet_of(bench)
    assert (told.reason, told.userdata) == (PacketInReason.NO_MATCH, b"\x01\x02")


def test_a_ttl_that_ends_is_told_to_the_controllers_that_are_named(bench: Bench) -> None:
    """ovs-actions(7) "The dec_ttl action"."""
    bench.say(SetAsync(packet_in_master=1 << PacketInReason.INVALID_TTL))
    ip = Match(eth_type=0x0800)
    bench.say(flow(ip, DecTtlCntIds((5,)), Output(2)))
    assert packets_of(bench, frames.TCP_TTL_1) == []
    bench.say(SetControllerId(5))
    assert packet_of(bench, frames.TCP_TTL_1).reason == PacketInReason.INVALID_TTL
    bench.say(flow(ip, DecNwTtl(), Output(2)))
    assert packets_of(bench, frames.TCP_TTL_1) == []


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Controller(reason=77), BadActionCode.BAD_ARGUMENT),
        (Controller2(meter_id=1), BadPropertyCode.BAD_TYPE),
    ],
)
def test_what_a_controller_cannot_be_told_is_refused(
    bench: Bench, action: Controller | Controller2, code: object
) -> None:
    bench = Bench(Version.OF14)
    assert bench.refusal(flow(Match(), action)) == code


# Waiting


def resume(bench: Bench, told: PacketIn2, **changes: Any) -> list[tuple[int, bytes]]:
    message = Resume.of(told)
    for name, value in changes.items():
        message = message.replace(**{name: value})
    return bench.effects_of(message).frames


def test_a_packet_waits_and_goes_on(bench: Bench) -> None:
    bench.say(flow(Match(), Output(2), PAUSE, Output(3)))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert [port for port, _ in effects.frames] == [2]
    ((_, told),) = effects.messages
    assert isinstance(told, PacketIn2)
    assert told.userdata == b"why"
    assert resume(bench, told) == [(3, frames.TCP)]


def test_a_packet_goes_on_once(bench: Bench) -> None:
    bench.say(flow(Match(), PAUSE, Output(3)))
    told = packet_of(bench)
    resume(bench, told)
    (answer,) = bench.ask(Resume.of(told))
    assert isinstance(answer, ErrorMsg)
    assert answer.code == UnknownError(0xFFFF, 35)  # NXR_STALE
    assert answer.data[:4] == bytes.fromhex("00002320")


def test_before_of12_nicira_s_errors_have_a_type_of_their_own() -> None:
    (answer,) = Bench(OF10).ask(Resume(continuation=b"none"))
    assert isinstance(answer, ErrorMsg)
    assert answer.code == UnknownError(0xB0C2, 1)
    assert answer.data[:8] == bytes.fromhex("00002320 0001 0216")


def test_all_levels_go_on_where_they_were(bench: Bench) -> None:
    """Resubmits, goto_table, the action set, registers and the stack are kept."""
    entry = (
        ApplyActions(
            (
                RegLoad(REG0, 4),
                StackPush(REG0),
                ResubmitTable(table_id=5),
                nx.OutputReg(REG0),
            )
        ),
        WriteActions((Output(4),)),
        GotoTable(1),
    )
    bench = Bench(n_ports=5)
    bench.say(SetPacketInFormat(PacketInFormat.NXT_PACKET_IN2))
    bench.say(flow(instructions=entry))
    bench.say(flow(Match(), PAUSE, StackPop(Subfield("reg1")), RegLoad(REG0, 3), table_id=5))
    bench.say(flow(Match(reg1=4), Output(2), table_id=1))
    told = packet_of(bench)
    assert told.table_id == 5
    assert [port for port, _ in resume(bench, told)] == [3, 2, 4]


def test_a_packet_may_wait_again(bench: Bench) -> None:
    bench.say(flow(Match(), PAUSE, Output(2), PAUSE, Output(3)))
    effects = bench.effects_of(Resume.of(packet_of(bench)))
    assert [port for port, _ in effects.frames] == [2]
    ((_, again),) = effects.messages
    assert isinstance(again, PacketIn2)
    assert [port for port, _ in resume(bench, again)] == [3]


def test_a_controller_may_change_the_packet(bench: Bench) -> None:
    bench.say(flow(Match(), PAUSE, nx.OutputReg(REG0)))
    told = packet_of(bench)
    message = Resume(
        data=frames.UDP, continuation=told.continuation, match=Match(in_port=1, reg0=3)
    )
    assert bench.effects_of(message).frames == [(3, frames.UDP)]


def test_a_clone_waits_alone(bench: Bench) -> None:
    bench.say(flow(Match(), Clone((PAUSE, Output(2))), Output(3)))
    effects = bench.switch.receive_frame(1, frames.TCP, 0.0)
    assert [port for port, _ in effects.frames] == [3]
    ((_, told),) = effects.messages
    assert isinstance(told, PacketIn2)
    assert [port for port, _ in resume(bench, told)] == [2]


def test_exit_ends_a_packet_that_waited(bench: Bench) -> None:
    bench.say(flow(Match(), ResubmitTable(table_id=5), Output(3)))
    bench.say(flow(Match(), PAUSE, Output(2), Exit(), table_id=5))
    assert [port for port, _ in resume(bench, packet_of(bench))] == [2]


def test_only_so_many_packets_wait(bench: Bench) -> None:
    bench.say(flow(Match(), PAUSE, Output(3)))
    first = packet_of(bench)
    for _ in range(MAX_WAITING):
        packet_of(bench)
    assert len(bench.switch.datapath.nicira.waiting) == MAX_WAITING
    assert bench.refusal(Resume.of(first)) is not None


def test_a_packet_goes_on_at_the_time_of_the_word(bench: Bench) -> None:
    bench.say(flow(Match(), PAUSE, ResubmitTable(table_id=1)))
    bench.say(flow(Match(), Output(3), table_id=1, idle_timeout=10))
    told = packet_of(bench)
    bench.say(Resume.of(told), now=5.0)
    (entry,) = bench.switch.tables[1]
    assert entry.deadline() == 15.0
