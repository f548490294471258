"""The ladder: a column a party, an arrow a message, words beside it."""

from __future__ import annotations

from controller.conversation.exchanges import Heard
from controller.conversation.ladder import MAX_COLUMNS, Ladder
from controller.recorder import Tape
from protocol import (
    BadActionCode,
    BarrierReply,
    BarrierRequest,
    EchoRequest,
    ErrorMsg,
    Flow,
    FlowMod,
    Match,
    Output,
    PacketOut,
    Port,
    PortDesc,
    PortDescReply,
)

from .builders import Conversation, tape, told

ONE, TWO = tape(1), tape(2, "127.0.0.1:50002")


def drawn(*said: Heard, width: int | None = None) -> list[str]:
    """Return the lines of a ladder without the clock of its headings."""
    ladder = Ladder(width)
    lines = [line for heard in said for line in ladder.draw(told(heard))]
    return [line[10:] if "controller" in line else line for line in lines]


def test_a_request_is_an_arrow_and_its_reply_a_dashed_one_back() -> None:
    talk = Conversation()
    request, reply = talk.controller(BarrierRequest(xid=7)), talk.switch(BarrierReply(xid=7))
    assert drawn(request, reply) == [
        "",
        " controller 0x1",
        "     +0 µs      │─────▶│  BARRIER_REQUEST xid=0x7",
        "   +1.00 s      │◀╌╌╌╌╌│  BARRIER_REPLY xid=0x7 after 1.00 s",
    ]


def test_a_new_switch_gets_a_column_and_arrows_pass_over_the_others() -> None:
    talk = Conversation()
    first = talk.controller(BarrierRequest(xid=7), ONE)
    second = talk.switch(EchoRequest(xid=8), TWO)
    assert drawn(first, second)[3:] == [
        "",
        " controller 0x1    0x2",
        "   +1.00 s      │◀─────┼──────│  ECHO_REQUEST xid=0x8",
    ]


def test_an_error_is_told_in_words_with_what_it_is_about_below() -> None:
    talk = Conversation()
    flow_mod = talk.controller(FlowMod(xid=7))
    quoted = flow_mod.said.data[:64]
    error = talk.switch(ErrorMsg(BadActionCode.BAD_OUT_GROUP, quoted, xid=7))
    assert drawn(flow_mod, error)[-2:] == [
        "   +1.00 s      │◀╌╌╌╌╌│  ERROR xid=0x7 after 1.00 s: "
        "there is no such group (OFPBAC_BAD_OUT_GROUP)",
        "                │      │    └ about FLOW_MOD xid=0x7 ADD actions=drop",
    ]


def test_what_nobody_can_read_is_told_with_the_reason() -> None:
    line = drawn(Conversation().switch(bytes.fromhex("04 ff 0008 00000009")))[-1]
    assert "│◀─────│  UNREADABLE xid=0x9: " in line
    assert "no message 255" in line


def test_of_long_lists_only_the_length_is_told() -> None:
    ports = PortDescReply(tuple(map(PortDesc, range(1, 49))), xid=3)
    assert drawn(Conversation().switch(ports))[-1].endswith("PORT_DESC reply xid=0x3 48 ports")


def test_words_that_tell_little_are_left_out() -> None:
    talk = Conversation()
    flow = Flow.parse("table=0,priority=5,cookie=7,actions=output:2").mod()
    sent = talk.controller(PacketOut((Output(2),), bytes(60), match=Match(in_port=Port.CONTROLLER)))
    lines = drawn(talk.controller(flow), sent)
    assert lines[-2].endswith("FLOW_MOD xid=0x0 ADD priority=5 actions=output:2")
    assert "PACKET_OUT xid=0x0 actions=output:2 data=60 bytes" in lines[-1]


def test_a_column_is_renamed_when_it_is_known_which_switch_that_is() -> None:
    talk, channel = Conversation(), Tape("127.0.0.1:50001")
    talk.channel = channel
    before = talk.controller(BarrierRequest(xid=1))
    ladder = Ladder()
    lines = list(ladder.draw(told(before)))
    channel.datapath_id = 1
    lines += ladder.draw(told(talk.controller(BarrierRequest(xid=2))))
    headings = [line.split()[1:] for line in lines if "controller" in line]
    assert headings == [["controller", "127.0.0.1:50001"], ["controller", "0x1"]]


def test_a_switch_that_comes_again_gets_the_column_that_it_had() -> None:
    talk, ladder = Conversation(), Ladder()
    again = Tape("127.0.0.1:50002")
    lines = list(ladder.draw(told(talk.controller(BarrierRequest(), ONE))))
    lines += ladder.draw(told(talk.controller(BarrierRequest(), again)))
    again.datapath_id = 1
    lines += ladder.draw(told(talk.controller(BarrierRequest(), again)))
    headings = [line.split()[2:] for line in lines if "controller" in line]
    assert headings == [["0x1"], ["0x1", "127.0.0.1:50002"], ["0x1"]]


def test_a_long_name_leaves_room_for_words() -> None:
    talk, ladder = Conversation(), Ladder(100)
    for number in (1, 2, 3, 4, 5, 6, 0xAABB_CCDD_EEFF_0011):
        said = told(talk.controller(BarrierRequest(), tape(number, f"127.0.0.1:{number}")))
        lines = list(ladder.draw(said))
    assert lines[1].split()[2:] == ["0xaabbccddeeff0011", "0x6"]
    assert lines[2].endswith("BARRIER_REQUEST xid=0x0")


def test_no_line_is_wider_than_the_terminal() -> None:
    talk = Conversation()
    said = [talk.controller(FlowMod(xid=at), tape(at, f"127.0.0.1:{at}")) for at in range(1, 30)]
    lines = drawn(*said, width=80)
    assert max(map(len, lines)) <= 80
    assert any("FLOW_MOD" in line for line in lines)


def test_of_very_many_switches_the_one_silent_longest_gives_its_column() -> None:
    talk, ladder = Conversation(), Ladder()
    for number in range(1, MAX_COLUMNS + 2):
        said = told(talk.controller(BarrierRequest(), tape(number, f"127.0.0.1:{number}")))
        lines = list(ladder.draw(said))
    names = lines[1].split()[2:]
    assert names[0] == f"{MAX_COLUMNS + 1:#x}"
    assert len(names) == MAX_COLUMNS
    again = list(ladder.draw(told(talk.controller(BarrierRequest(), tape(2, "127.0.0.1:2")))))
    assert len(again) == 1  # it is still there: no new heading


def test_what_is_left_out_is_told() -> None:
    said = {**told(Conversation().controller(BarrierRequest())), "missed": 5}
    assert "… 5 readings are left out here" in "\n".join(Ladder().draw(said))
