"""The beginning of a channel: who speaks what, and who is no switch at all."""

from __future__ import annotations

import struct
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF12,
    OF13,
    OF14,
    OF15,
    Closed,
    Connection,
    ErrorMsg,
    Hello,
    HelloFailedCode,
    Message,
    Opened,
    State,
    Version,
    VersionBitmap,
)

from .channels import exchange, frame, hello, opened, reason, said

VERSION_SETS = [
    frozenset(some) for size in range(1, 7) for some in combinations(sorted(ALL_VERSIONS), size)
]


@pytest.mark.parametrize("left", VERSION_SETS)
def test_two_sides_open_with_the_highest_version_in_common_or_both_close(
    left: frozenset[Version],
) -> None:
    for right in VERSION_SETS:
        one, other = Connection(0, left), Connection(0, right)
        heard = exchange(one, other)
        if common := left & right:
            assert heard == ([Opened(max(common))], [Opened(max(common))])
            assert one.version == other.version == max(common)
            continue
        for connection, events in zip((one, other), heard, strict=True):
            assert connection.state is State.CLOSED
            assert "no version in common: the peer speaks" in reason(events)


@pytest.mark.parametrize("ours", VERSION_SETS)
def test_an_old_peer_gets_the_lower_of_both_highest_versions_where_we_speak_it(
    ours: frozenset[Version],
) -> None:
    for theirs in (*Version, 7, 0xFF):
        events = Connection(0, ours).receive_data(hello(theirs), 0)
        lower = min(max(ours), theirs)
        if lower in ours:
            assert events == [Opened(Version(lower))]
        else:
            assert "no version in common" in reason(events)


@pytest.mark.parametrize("version", Version)
def test_the_bitmap_counts_more_than_the_version_of_the_header(version: Version) -> None:
    connection = Connection(0)
    bitmap = struct.pack(">HHI", 1, 8, 1 << version)
    assert connection.receive_data(hello(0xFE, bitmap), 0) == [Opened(version)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(struct.pack(">HH4xHHI", 9, 8, 1, 8, 1 << OF12), id="unknown element before"),
        pytest.param(struct.pack(">HHIHH4x", 1, 8, 1 << OF12, 9, 8), id="unknown element behind"),
        pytest.param(struct.pack(">HHII4x", 1, 12, 1 << OF12, 0xFFFF), id="versions above 31"),
    ],
)
def test_other_things_in_a_hello_do_not_hide_its_bitmap(body: bytes) -> None:
    assert Connection(0).receive_data(hello(OF15, body), 0) == [Opened(OF12)]


@pytest.mark.parametrize(
    "body", [b"\1", b"\0\1\0\0", b"\0\1\xff\xff", b"\0\1\0\3\0\0\0\0", b"garbage", b"\xff" * 60000]
)
def test_a_body_that_is_no_list_of_elements_leaves_the_version_of_the_header(body: bytes) -> None:
    assert Connection(0).receive_data(hello(OF12, body), 0) == [Opened(OF12)]


@given(st.binary(max_size=80), st.integers(1, 255))
def test_whatever_body_a_hello_has_it_opens_or_closes(body: bytes, version: int) -> None:
    (event,) = Connection(0).receive_data(hello(version, body), 0)
    assert isinstance(event, Opened | Closed)


def test_our_hello_names_all_our_versions_and_the_highest_in_its_header() -> None:
    data = Connection(0, {OF10, OF13}).data_to_send()
    assert data[0] == OF13
    message = Message.decode(data)
    assert isinstance(message, Hello)
    assert message.elements == (VersionBitmap(frozenset({OF10, OF13})),)


def test_without_a_version_in_common_the_peer_gets_an_error_with_a_sentence() -> None:
    connection = Connection(0, {OF13, OF14})
    connection.data_to_send()
    events = connection.receive_data(hello(OF10, xid=99), 0)
    sentence = "no version in common: the peer speaks 1.0, we speak 1.3, 1.4"
    assert events == [Closed(sentence)]
    (error,) = said(connection)
    assert error == ErrorMsg(HelloFailedCode.INCOMPATIBLE, sentence.encode(), xid=99)


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("after_hello", [False, True])
def test_hello_failed_closes_whenever_it_comes(version: Version, after_hello: bool) -> None:
    connection = opened(version) if after_hello else Connection(0, {version})
    error = ErrorMsg(HelloFailedCode.INCOMPATIBLE, b"only OpenFlow 9 here").encode(version)
    assert reason(connection.receive_data(error, 0)) == "the peer refused us: only OpenFlow 9 here"
    assert connection.state is State.CLOSED


def test_an_error_in_another_version_is_a_refusal_and_not_answered() -> None:
    connection = opened(OF13)
    error = ErrorMsg(HelloFailedCode.INCOMPATIBLE, b"we speak 1.5").encode(OF15)
    assert reason(connection.receive_data(error, 0)) == "the peer refused us: we speak 1.5"
    assert connection.data_to_send() == b""


@pytest.mark.parametrize("words", [b"two\nlines", b"\x1b[2Jclear", b"\0\1\2", b""])
def test_words_of_the_peer_that_would_spoil_a_log_are_not_repeated(words: bytes) -> None:
    error = ErrorMsg(HelloFailedCode.EPERM, words).encode(OF13)
    assert reason(Connection(0).receive_data(error, 0)) == "the peer refused us: error 00000001"


def test_no_more_than_a_line_of_the_peers_words_is_repeated() -> None:
    error = ErrorMsg(HelloFailedCode.EPERM, b"no " * 20000).encode(OF13)
    assert len(reason(Connection(0).receive_data(error, 0))) < 300


def test_a_hello_that_does_not_come_in_time_closes() -> None:
    connection = Connection(10, handshake_timeout=5)
    assert connection.deadline() == 15
    assert connection.handle_timer(14.9) == []
    assert connection.receive_data(hello(OF13)[:7], 14.9) == []
    assert connection.deadline() == 15
    assert reason(connection.handle_timer(15)) == "the peer said no hello within 5 s"
    assert connection.deadline() is None


@pytest.mark.parametrize("number", [2, 5, 10, 14, 0xCC])
def test_a_message_before_hello_closes(number: int) -> None:
    events = Connection(0).receive_data(frame(number, bytes(40)), 0)
    assert "did not begin with a hello" in reason(events)


@pytest.mark.parametrize("data", [b"\0" * 8, b"\4\0\0\7\0\0\0\0", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_what_is_no_openflow_closes_with_its_beginning(data: bytes) -> None:
    connection = Connection(0)
    assert data[:8].hex(" ") in reason(connection.receive_data(data, 0))
    assert connection.state is State.CLOSED


@pytest.mark.parametrize(
    "request_line", [b"GET / HTTP/1.1\r\n\r\n", b"POST /x HTTP/1.0\r\n", b"PRI * HTTP/2.0\r\n"]
)
def test_a_browser_is_told_apart(request_line: bytes) -> None:
    events = Connection(0).receive_data(request_line, 0)
    assert reason(events) == "the peer speaks HTTP, not OpenFlow"


def test_tls_where_none_is_spoken_is_told_apart() -> None:
    client_hello = b"\x16\3\1\2\0\1\0\1"  # RFC 8446 5.1: a handshake record, of any length
    assert "listen at pssl: for it" in reason(Connection(0).receive_data(client_hello, 0))


def test_a_second_hello_changes_nothing() -> None:
    connection = opened(OF13)
    assert connection.receive_data(hello(OF10) + hello(OF15), 0) == []
    assert connection.version == OF13
    assert connection.data_to_send() == b""
