"""Records, lists and families: what is refused, with which words, and what is kept."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF12,
    OF13,
    OF14,
    ApplyActions,
    BadActionCode,
    BadInstructionCode,
    BadPropertyCode,
    BadRequestCode,
    DecodeError,
    EncodeError,
    ExperimenterAction,
    FlowMod,
    FlowRemoved,
    GotoTable,
    Group,
    Hello,
    Match,
    Message,
    Meter,
    Output,
    PacketIn,
    PacketOut,
    PortDesc,
    PortMod,
    PortStatus,
    Stats,
    set_field,
)
from protocol.record import Unknown


def resized(data: bytes) -> bytes:
    """Let the header say how long the message is."""
    return data[:2] + len(data).to_bytes(2, "big") + data[4:]


def refused(data: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        Message.decode(resized(data))
    return caught.value


def test_what_a_version_cannot_say_must_stand_at_its_default() -> None:
    assert FlowMod(importance=0).encode(OF13)
    with pytest.raises(EncodeError, match=r"FlowMod.importance does not exist in OpenFlow 1\.3"):
        FlowMod(importance=1).encode(OF13)
    with pytest.raises(EncodeError, match=r"FlowMod.table_id does not exist in OpenFlow 1\.0"):
        FlowMod(table_id=1).encode(OF10)


def test_what_reports_leaves_out_what_a_version_cannot_say() -> None:
    told = FlowRemoved(Match(in_port=1), table_id=3, stats=Stats(packet_count=1))
    decoded = Message.decode(told.encode(OF10))
    assert isinstance(decoded, FlowRemoved)
    assert decoded.table_id == 0
    packet = PacketIn(cookie=5, match=Match(in_port=1), data=b"x").encode(OF10)
    assert isinstance(Message.decode(packet), PacketIn)


def test_a_member_that_a_version_does_not_have_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"Group does not exist in OpenFlow 1\.0"):
        PacketOut((Group(1),)).encode(OF10)
    with pytest.raises(EncodeError, match=r"Meter does not exist in OpenFlow 1\.2"):
        FlowMod(instructions=(Meter(1),)).encode(OF12)


def test_openflow_10_has_one_list_of_actions() -> None:
    with pytest.raises(EncodeError, match="one ApplyActions only"):
        FlowMod(instructions=(GotoTable(1),)).encode(OF10)


@pytest.mark.parametrize(
    "wrong",
    [FlowMod(priority=-1), FlowMod(priority=1 << 16), FlowMod(cookie="5")],  # type: ignore[arg-type]
)
def test_a_value_that_does_not_fit_names_its_field(wrong: FlowMod) -> None:
    with pytest.raises(EncodeError, match=r"FlowMod\.(priority|cookie)"):
        wrong.encode(OF13)


def test_what_is_no_action_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"actions\[0\].* is no action"):
        PacketOut((GotoTable(1),)).encode(OF13)  # type: ignore[arg-type]


def test_a_message_has_at_most_65535_bytes() -> None:
    assert len(PacketOut((), bytes(0xFFFF - 24)).encode(OF13)) == 0xFFFF
    with pytest.raises(EncodeError):
        PacketOut((), bytes(0xFFFF - 23)).encode(OF13)


def packet_out(actions: str) -> bytes:
    """Return a packet_out of OF1.3 with these bytes as its actions."""
    body = bytes.fromhex(actions)
    data = bytearray(PacketOut().encode(OF13))
    data[16:18] = len(body).to_bytes(2, "big")
    return bytes(data) + body


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ("0063 0008 00000000", BadActionCode.BAD_TYPE),
        ("0000 0004", BadActionCode.BAD_LEN),
        ("0000 0000 00000000", BadActionCode.BAD_LEN),
        ("0000 000c 00000001 00000000", BadActionCode.BAD_LEN),
        ("0016 0010 00000001 00000000 00000000", BadActionCode.BAD_LEN),
        ("0000 0020 00000001 0000 000000000000", BadActionCode.BAD_LEN),
        ("0019 0010 80001601 0100 000000000000", BadActionCode.BAD_SET_LEN),
    ],
)
def test_a_wrong_action_says_which_error_to_answer_with(actions: str, code: BadActionCode) -> None:
    error = refused(packet_out(actions))
    assert error.code is code
    assert error.path.startswith("PacketOut.actions[0]")


def test_the_second_of_two_actions_is_named() -> None:
    error = refused(packet_out("0016 0008 00000001 0063 0008 00000000"))
    assert error.path == "PacketOut.actions[1]"


def test_actions_that_pass_the_end_are_the_requests_fault() -> None:
    data = bytearray(PacketOut((Output(1),)).encode(OF13))
    data[16:18] = b"\x00\x20"
    assert refused(bytes(data)).code is BadRequestCode.BAD_LEN


def test_an_unknown_instruction_is_told_as_such() -> None:
    data = FlowMod().encode(OF13) + bytes.fromhex("0063 0008 00000000")
    assert refused(data).code is BadInstructionCode.UNKNOWN_INST


def test_an_unknown_property_of_a_report_is_kept() -> None:
    desc = PortDesc(1, properties=(Unknown(0x1234, b"abc"),))
    data = PortStatus(0, desc).encode(OF14)
    assert Message.decode(data) == PortStatus(0, desc)
    assert len(data) % 8 == 0


def test_an_unknown_property_of_a_request_is_refused() -> None:
    data = PortMod(1).encode(OF14) + bytes.fromhex("1234 0008 00000000")
    assert refused(data).code is BadPropertyCode.BAD_TYPE


def test_an_unknown_element_of_a_hello_is_kept() -> None:
    hello = Hello((Unknown(7, b"hi"), *Hello.offering([OF13]).elements))
    assert Message.decode(hello.encode(OF13)) == hello
    assert hello.versions == frozenset({4})


def test_padding_is_read_whatever_it_is() -> None:
    data = bytearray(FlowMod().encode(OF13))
    data[46:48] = b"\xff\xff"
    assert Message.decode(bytes(data)) == FlowMod()


def test_set_field_is_padded_to_8_bytes() -> None:
    action = set_field(eth_dst="01:02:03:04:05:06")
    data = FlowMod(instructions=(ApplyActions((action, Output(1))),)).encode(OF13)
    assert len(data) % 8 == 0
    assert Message.decode(data) == FlowMod(instructions=(ApplyActions((action, Output(1))),))


def test_an_experimenters_action_is_a_multiple_of_8_bytes() -> None:
    """Its data may be of any length, as no length of an action may."""
    data = PacketOut((ExperimenterAction(0x2320, b"abc"), Output(1))).encode(OF13)
    decoded = Message.decode(data)
    assert isinstance(decoded, PacketOut)
    assert decoded.actions == (ExperimenterAction(0x2320, b"abc" + bytes(5)), Output(1))
