"""The compiled form and the reference form say the same, of good bytes and of bad ones."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF13,
    ApplyActions,
    BarrierReply,
    BarrierRequest,
    DecodeError,
    EchoReply,
    EchoRequest,
    EncodeError,
    FlowMod,
    FlowRemoved,
    FlowStatsReply,
    FlowStatsRequest,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    SetField,
    Version,
)
from protocol.compiler import codec
from protocol.message import HEADER, class_of
from protocol.oxm import OptionValue
from protocol.record import build_shape, parse_shape
from protocol.writer import FAULTS

from .strategies import any_message, message_classes, messages

HOT = {
    BarrierReply,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    FlowMod,
    FlowRemoved,
    FlowStatsReply,
    FlowStatsRequest,
    PacketIn,
    PacketOut,
}
each_message = pytest.mark.parametrize(
    ("cls", "version"),
    [
        pytest.param(cls, version, id=f"{version}-{cls.__name__}")
        for version in Version
        for cls in message_classes(version)
    ],
)
each_version = pytest.mark.parametrize("version", Version)
few = settings(max_examples=3, suppress_health_check=list(HealthCheck))
many = settings(max_examples=100, suppress_health_check=list(HealthCheck))


def compiled_bytes(message: Message, version: Version) -> bytes:
    return codec(type(message), version).encode(message, message.xid)


def reference_bytes(message: Message, version: Version) -> bytes:
    return build_shape(type(message).at(version), message, {}, "")


def compiled_value(cls: type[Message], version: Version, data: bytes) -> Any:
    """Decode in the middle of a buffer, as messages come; None for what is wrong."""
    try:
        return codec(cls, version).decode(b"before" + data + b"behind", 6, 6 + len(data))
    except FAULTS:
        return None


def values_in_a_row(cls: type[Message], version: Version, data: bytes) -> list[Any]:
    """Decode messages that follow one another, up to the first that is wrong."""
    several, found = codec(cls, version).several, list[Any]()
    assert several is not None
    begin, end = 6, 6 + len(data)
    stop = several(b"before" + data + b"behind", begin, end, found.append)
    assert stop == (end if found else begin)
    return found


def reference_value(cls: type[Message], version: Version, data: bytes) -> Any:
    try:
        return parse_shape(cls.at(version), io.BytesIO(data), {}, "")
    except DecodeError:
        return None


def with_length(data: bytes) -> bytes:
    """Let the header say how many bytes there are."""
    return data[:2] + len(data).to_bytes(2, "big") + data[4:]


def assert_forms_agree(version: Version, data: bytes) -> None:
    """Hold all that must be true of any bytes, with a header that has the right length."""
    try:
        cls = class_of(version, data, 0, len(data))
    except DecodeError:
        with pytest.raises(DecodeError):
            Message.decode(data)
        return
    found = compiled_value(cls, version, data)
    assert found == reference_value(cls, version, data)
    assert values_in_a_row(cls, version, data * 2) == ([] if found is None else [found, found])
    if found is None:
        with pytest.raises(DecodeError) as caught:
            Message.decode(data)
        assert caught.value.code is not None
    else:
        assert Message.decode(data) == found
        assert Message.decode(found.encode(version)) == found


@each_message
@few
@given(data=st.data())
def test_both_forms_write_the_same_bytes_and_read_them(
    cls: type[Message], version: Version, data: st.DataObject
) -> None:
    message = data.draw(messages(cls, version))
    encoded = compiled_bytes(message, version)
    assert encoded == reference_bytes(message, version)
    assert compiled_value(cls, version, encoded) == message
    assert reference_value(cls, version, encoded) == message


@each_version
@many
@given(data=st.data())
def test_a_message_without_its_end_is_an_error(version: Version, data: st.DataObject) -> None:
    encoded = data.draw(any_message(version)).encode(version)
    for size in range(len(encoded)):
        with pytest.raises(DecodeError):
            Message.decode(encoded[:size])


@each_version
@many
@given(data=st.data())
def test_the_forms_agree_on_a_shorter_body(version: Version, data: st.DataObject) -> None:
    encoded = data.draw(any_message(version)).encode(version)
    size = data.draw(st.integers(HEADER.size, len(encoded)))
    assert_forms_agree(version, with_length(encoded[:size]))


@each_version
@many
@given(data=st.data())
def test_the_forms_agree_on_a_changed_byte(version: Version, data: st.DataObject) -> None:
    encoded = data.draw(any_message(version)).encode(version)
    place = data.draw(st.integers(4, len(encoded) - 1))
    byte = data.draw(st.integers(0, 8) | st.integers(0, 255))
    assert_forms_agree(version, encoded[:place] + bytes([byte]) + encoded[place + 1 :])


@each_version
@many
@given(number=st.integers(0, 35), body=st.binary(max_size=80))
def test_the_forms_agree_on_random_bytes(version: Version, number: int, body: bytes) -> None:
    header = HEADER.pack(version, number, HEADER.size + len(body), 7)
    assert_forms_agree(version, header + body)


@many
@given(data=st.binary(max_size=80))
def test_bytes_without_sense_raise_nothing_but_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Message.decode(b"\x00" + data)
    with pytest.raises(DecodeError):
        Message.decode(data + b"\x00" * 0x1_0000)


@each_message
def test_only_messages_that_are_rare_leave_work_to_construct(
    cls: type[Message], version: Version
) -> None:
    fallbacks = codec(cls, version).fallbacks
    if fallbacks:
        print(f"{cls.__name__} at OpenFlow {version} leaves {', '.join(fallbacks)} to construct")
    assert not (fallbacks and cls in HOT)


def test_equal_lists_whose_bytes_differ_are_not_taken_for_one_another() -> None:
    def sets(value: int) -> FlowMod:
        field = Match.unchecked({"tun_metadata0": value})
        return FlowMod(instructions=(ApplyActions((SetField(field),)),))

    short, long = sets(OptionValue(5, 4)), sets(OptionValue(5, 16))
    assert short == long
    assert short.encode(OF13) != long.encode(OF13)


def test_a_list_that_came_before_is_written_and_read_as_at_first() -> None:
    message = FlowMod(instructions=(ApplyActions((Output(1), Output(2))),))
    first = message.encode(OF13)
    assert FlowMod.at(OF13).build(message) == first
    assert [message.encode(OF13), Message.decode(first), Message.decode(first)] == [
        first,
        message,
        message,
    ]


def test_ports_that_are_gone_lend_their_place_to_no_other() -> None:
    """A packet_out's match is known again by its id: it must stay where that is kept."""
    for number in range(1, 200):
        out = PacketOut(data=b"x", match=Match(in_port=number))
        for _ in range(2):
            assert compiled_bytes(out, OF10) == reference_bytes(out, OF10)


def test_a_match_that_a_packet_out_cannot_have_is_refused_each_time() -> None:
    out = PacketOut(data=b"x", match=Match(in_port=1, eth_type=0x0800))
    for _ in range(2):
        with pytest.raises(EncodeError, match="in_port alone"):
            out.encode(OF10)


def test_actions_may_stand_in_a_list() -> None:
    actions: Any = [Output(1)]
    message = FlowMod(instructions=(ApplyActions(actions),))
    assert message.encode(OF13) == FlowMod(instructions=(ApplyActions((Output(1),)),)).encode(OF13)


@pytest.mark.parametrize("value", [1 << 48, -1, "x", None, 1.5])
def test_a_match_with_what_is_no_number_of_the_field_cannot_be_written(value: Any) -> None:
    message = FlowMod(Match.unchecked({"in_port": 1, "eth_dst": value}))
    with pytest.raises(EncodeError, match=r"FlowMod\.match"):
        message.encode(OF13)
