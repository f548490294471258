"""The channel: two Connections joined by a wire in memory, and peers that are none."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF13,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Closed,
    Connection,
    EchoReply,
    EchoRequest,
    EncodeError,
    ErrorMsg,
    Event,
    Experimenter,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    FlowStats,
    FlowStatsReply,
    HelloFailedCode,
    Match,
    MultipartFlags,
    Opened,
    PacketIn,
    State,
    UnknownError,
    Unreadable,
    Version,
)
from protocol.message import HEADER, MAX_MESSAGE

from .channels import exchange, frame, hello, opened, reason, said
from .strategies import message_classes, messages

READ = 65536  # what a shell reads at once
MORE = MultipartFlags.MORE


# Framing


SOME = [
    EchoRequest(b"ping", xid=1),
    FeaturesReply(datapath_id=0x42, xid=2),
    FlowStatsReply((FlowStats(Match(in_port=1)),), flags=MORE, xid=3),
    PacketIn(match=Match(in_port=3), data=b"x" * 300, xid=4),
    FlowStatsReply((FlowStats(Match(in_port=2)),), xid=3),
    FlowMod(Match(eth_type=0x0800, ip_proto=6, tcp_dst=80), xid=5),
]
STREAM = (
    hello(OF13)
    + b"".join(message.encode(OF13) for message in SOME)
    + frame(0xCC, xid=6)
    + frame(14, b"short", xid=8)
    + BarrierReply(xid=9).encode(OF13)
    + frame(2, version=OF10, xid=10)
    + b"what nobody reads any more"
)


def hear(chunks: Iterable[bytes]) -> tuple[list[Event], bytes]:
    connection, events = Connection(0), list[Event]()
    for chunk in chunks:
        events += connection.receive_data(chunk, 0)
    return events, connection.data_to_send()


@given(st.lists(st.integers(0, len(STREAM)), max_size=30).map(sorted))
def test_any_split_and_glue_of_the_bytes_gives_the_same_events(cuts: list[int]) -> None:
    ends = [0, *cuts, len(STREAM)]
    chunks = [STREAM[at:end] for at, end in pairwise(ends)]
    assert str(hear(chunks)) == str(hear([STREAM]))


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    chunks = [STREAM[at : at + 1] for at in range(len(STREAM))]
    assert str(hear(chunks)) == str(hear([STREAM]))


def test_the_stream_of_the_splits_says_something_of_each_kind() -> None:
    kinds = [type(event) for event in hear([STREAM])[0]]
    expected = [Opened, FeaturesReply, PacketIn, FlowStatsReply, FlowMod]
    assert kinds == [*expected, Unreadable, Unreadable, BarrierReply, Closed]


@pytest.mark.parametrize("version", [0, 1, 6, 7, 0xFF])
def test_a_foreign_version_after_hello_is_answered_with_bad_version_and_closes(
    version: int,
) -> None:
    connection = opened(OF13)
    data = frame(5, version=version, xid=33)
    events = connection.receive_data(data + b"more", 0)
    assert f"of version {version} came after 1.3" in reason(events)
    assert said(connection) == [ErrorMsg(BadRequestCode.BAD_VERSION, data, xid=33)]


@pytest.mark.parametrize("length", range(8))
def test_a_length_below_the_header_is_answered_with_bad_len_and_closes(length: int) -> None:
    connection = opened(OF13)
    data = HEADER.pack(OF13, 2, length, 33)
    assert reason(connection.receive_data(data, 0)) == f"a message of {length} bytes cannot be"
    assert said(connection) == [ErrorMsg(BadRequestCode.BAD_LEN, data, xid=33)]


@pytest.mark.parametrize("version", Version)
def test_an_unknown_type_is_answered_with_bad_type_and_the_first_64_bytes(version: Version) -> None:
    connection = opened(version)
    data = frame(0xCC, bytes(range(200)), version=version, xid=0xDEAD)
    (event,) = connection.receive_data(data, 0)
    assert isinstance(event, Unreadable)
    assert event.error.code is BadRequestCode.BAD_TYPE
    assert said(connection) == [ErrorMsg(BadRequestCode.BAD_TYPE, data[:64], xid=0xDEAD)]
    assert connection.state is State.OPEN


@pytest.mark.parametrize(
    ("data", "name"),
    [
        pytest.param(frame(14), "BAD_LEN", id="flow_mod without a body"),
        pytest.param(frame(6, bytes(25)), "BAD_LEN", id="features_reply with a byte too many"),
        pytest.param(frame(18, b"\0\1"), "BAD_LEN", id="multipart without its flags"),
        pytest.param(frame(18, b"\x77\x77" + bytes(6)), "BAD_MULTIPART", id="multipart type"),
        pytest.param(
            frame(14, bytes(40) + struct.pack(">HHHBBQ", 1, 16, 0x8000, 0 << 1 | 1, 8, 0)),
            "BAD_MASK",
            id="OXM in_port with a mask",
        ),
        pytest.param(
            frame(14, bytes(40) + struct.pack(">HHHBBH", 1, 10, 0x8000, 0, 2, 0) + bytes(6)),
            "BAD_LEN",
            id="OXM in_port of two bytes",
        ),
        pytest.param(
            frame(14, bytes(40) + struct.pack(">HH4xHHI", 1, 4, 4, 7, 0)),
            "BAD_LEN",
            id="instruction shorter than its head",
        ),
        pytest.param(
            frame(14, bytes(40) + struct.pack(">HH4xHHI", 1, 4, 99, 8, 0)),
            "UNKNOWN_INST",
            id="instruction that does not exist",
        ),
        pytest.param(
            frame(13, bytes(8) + struct.pack(">HxxxxxxHHI", 8, 9999, 8, 0)),
            "BAD_TYPE",
            id="action that does not exist",
        ),
        pytest.param(
            frame(13, bytes(8) + struct.pack(">HxxxxxxHHI", 8, 0, 0xFFF8, 0)),
            "BAD_LEN",
            id="action longer than the message",
        ),
    ],
)
def test_a_malformed_body_is_answered_with_the_named_error_and_the_channel_lives_on(
    data: bytes, name: str
) -> None:
    connection = opened(OF13)
    events = connection.receive_data(data + BarrierRequest(xid=8).encode(OF13), 0)
    assert [type(event) for event in events] == [Unreadable, BarrierRequest]
    (error,) = said(connection)
    assert isinstance(error, ErrorMsg)
    assert (str(getattr(error.code, "name", "")), error.data) == (name, data[:64])
    assert error.xid == 7


@pytest.mark.parametrize("body", [b"", b"\0\1", b"\0\1\0"])
def test_a_malformed_error_is_not_answered(body: bytes) -> None:
    connection = opened(OF13)
    (event,) = connection.receive_data(frame(1, body), 0)
    assert isinstance(event, Unreadable)
    assert connection.data_to_send() == b""


def test_an_error_with_unknown_numbers_is_a_message() -> None:
    connection = opened(OF13)
    data = ErrorMsg(UnknownError(0x7777, 5), b"why", xid=3).encode(OF13)
    (event,) = connection.receive_data(data, 0)
    assert event == ErrorMsg(UnknownError(0x7777, 5), b"why", xid=3)


# What we say


def test_xids_are_unique_and_never_zero_even_when_they_begin_again() -> None:
    connection = opened(OF13)
    connection._xid = 0xFFFF_FFFD
    xids = [connection.send(BarrierRequest()) for _ in range(5)]
    assert xids == [0xFFFF_FFFE, 0xFFFF_FFFF, 1, 2, 3]
    assert [message.xid for message in said(connection)] == xids


def test_an_answer_carries_the_xid_of_its_request() -> None:
    connection = opened(OF13)
    assert connection.send(BarrierReply(), 77) == 77
    assert [message.xid for message in said(connection)] == [77]


def test_what_is_sent_before_hello_or_after_the_end_is_not_said() -> None:
    connection = Connection(0, {OF13})
    connection.data_to_send()
    connection.send(FeaturesRequest())
    assert connection.data_to_send() == b""
    connection.close("enough")
    connection.send(FeaturesRequest())
    assert connection.data_to_send() == b""


def test_a_message_that_cannot_be_said_leaves_nothing_half_said() -> None:
    connection = opened(OF13)
    with pytest.raises(EncodeError):
        connection.send(Experimenter(1, data=bytes(MAX_MESSAGE)))
    with pytest.raises(EncodeError):
        connection.send(FlowMod(importance=1))
    assert connection.data_to_send() == b""


def test_closing_twice_tells_it_once() -> None:
    connection = opened(OF13)
    assert connection.close("first") == [Closed("first")]
    assert connection.close("second") == []


@given(st.binary(max_size=200))
def test_a_closed_connection_swallows_everything(data: bytes) -> None:
    connection = opened(OF13)
    connection.close("over")
    assert connection.receive_data(data, 1) == []
    assert connection.handle_timer(1e9) == []
    assert connection.deadline() is None
    assert connection.data_to_send() == b""
    assert not connection.partial


# Echo


@pytest.mark.parametrize("size", [0, 1, 7, 1500, 65526, 65527])
@pytest.mark.parametrize("version", Version)
def test_an_echo_comes_back_with_all_its_bytes_and_its_xid(version: Version, size: int) -> None:
    connection, data = opened(version), bytes(at % 251 for at in range(size))
    assert connection.receive_data(EchoRequest(data, xid=5).encode(version), 0) == []
    assert connection.data_to_send() == EchoReply(data, xid=5).encode(version)


def test_the_answer_to_an_echo_request_of_the_user_is_the_users() -> None:
    one, other = opened(OF13), opened(OF13)
    xid = one.send(EchoRequest(b"how long does it take?"))
    heard, _ = exchange(one, other)
    assert heard == [EchoReply(b"how long does it take?", xid=xid)]


def test_a_silent_peer_is_asked_and_then_given_up() -> None:
    connection = opened(OF13, now=100, echo_interval=15, echo_timeout=10)
    assert connection.deadline() == 115
    assert connection.handle_timer(114) == []
    assert connection.handle_timer(115) == []
    assert [type(message) for message in said(connection)] == [EchoRequest]
    assert connection.deadline() == 125
    assert reason(connection.handle_timer(125)) == "the peer is silent since 25 s"


def test_the_answer_to_our_echo_is_a_sign_of_life_and_no_event() -> None:
    connection = opened(OF13, echo_interval=15, echo_timeout=10)
    connection.handle_timer(15)
    (request,) = said(connection)
    assert connection.receive_data(EchoReply(xid=request.xid).encode(OF13), 20) == []
    assert connection.deadline() == 35


def test_any_whole_message_is_a_sign_of_life_but_a_piece_of_one_is_none() -> None:
    connection = opened(OF13, echo_interval=15, echo_timeout=10)
    connection.handle_timer(15)
    connection.receive_data(BarrierReply().encode(OF13)[:5], 20)
    assert connection.deadline() == 25
    connection.receive_data(BarrierReply().encode(OF13)[5:], 21)
    assert connection.deadline() == 36


def test_an_interval_of_zero_never_asks() -> None:
    connection = opened(OF13, echo_interval=0)
    assert connection.deadline() is None
    assert connection.handle_timer(1e9) == []


def test_time_in_which_we_did_not_listen_is_no_silence() -> None:
    connection = opened(OF13, echo_interval=15, echo_timeout=10)
    connection.handle_timer(15)
    connection.pardon(24)
    assert connection.deadline() == 39


def test_a_pardon_does_not_help_who_never_said_hello() -> None:
    connection = Connection(0, handshake_timeout=5)
    connection.pardon(4)
    assert connection.deadline() == 5


# Anything at all

mutations = st.lists(st.tuples(st.integers(8, len(STREAM) - 1), st.integers(0, 255)), max_size=8)


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_random_bytes_never_raise(chunks: list[bytes]) -> None:
    connection = Connection(0)
    for chunk in chunks:
        connection.receive_data(chunk, 0)
    connection.data_to_send()


@given(
    st.sampled_from(list(Version)),
    st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=120)), max_size=5),
)
def test_random_bodies_never_raise_and_never_close(
    version: Version, bodies: list[tuple[int, bytes]]
) -> None:
    connection = opened(version)
    for number, body in bodies:
        if number != 1:  # an error may be HELLO_FAILED, which closes
            connection.receive_data(frame(number, body, version=version), 0)
    said(connection)
    assert connection.state is State.OPEN


@given(st.data())
def test_damaged_messages_of_all_classes_never_raise_and_never_close(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(list(Version)))
    cls = data.draw(st.sampled_from([*message_classes(version)]))
    whole = bytearray(data.draw(messages(cls, version)).encode(version))
    for at, value in data.draw(st.lists(st.tuples(st.integers(8, 200), st.integers(0, 255)))):
        if at < len(whole):
            whole[at] = value
    connection = opened(version)
    for event in connection.receive_data(bytes(whole), 0):
        assert str(event)
    assert connection.state is State.OPEN or cls is ErrorMsg
    said(connection)


@given(mutations)
def test_damaged_messages_never_raise(changes: list[tuple[int, int]]) -> None:
    data = bytearray(STREAM)
    for at, value in changes:
        data[at] = value
    events, answers = hear([bytes(data)])
    assert isinstance(events[0], Opened)
    assert len(answers) < 2000


def test_memory_stays_bounded_whatever_comes() -> None:
    connection = opened(OF13)
    unfinished = HEADER.pack(OF13, 4, MAX_MESSAGE, 0)
    connection.receive_data(unfinished, 0)
    for _ in range(100):
        connection.receive_data(bytes(READ - 1), 0)
        assert len(connection.partial) < MAX_MESSAGE + READ
    assert connection.state is State.CLOSED


def test_packet_ins_that_are_too_many_are_passed_over_and_counted() -> None:
    connection = opened(OF13)
    connection.drops_packet_ins = True
    data = PacketIn().encode(OF13) + BarrierReply(xid=5).encode(OF13) + PacketIn().encode(OF13)
    assert connection.receive_data(data, 0) == [BarrierReply(xid=5)]
    assert connection.packet_ins_dropped == 2
    connection.drops_packet_ins = False
    assert connection.receive_data(PacketIn().encode(OF13), 0) == [PacketIn()]


@pytest.mark.parametrize("last", [ErrorMsg(HelloFailedCode.EPERM, b"go away"), None])
def test_what_stands_behind_the_end_of_a_channel_is_not_read(last: ErrorMsg | None) -> None:
    connection = opened(OF13)
    # A message of a length that cannot be ends it as well (OF1.3.5 7.4.4.2, BAD_LEN).
    ends = b"\x04\x0a\x00\x04\0\0\0\0" if last is None else last.encode(OF13)
    packet_in = PacketIn(data=b"frame").encode(OF13)
    events = connection.receive_data(packet_in + ends + packet_in, 1.0)
    assert [type(event) for event in events] == [PacketIn, Closed]
