"""Endpoints: what users write, read and said again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tcp:127.0.0.1:6653", Endpoint("tcp", "127.0.0.1", 6653)),
        ("tcp:controller.example:6633", Endpoint("tcp", "controller.example", 6633)),
        ("tcp:[2001:db8::1]:6633", Endpoint("tcp", "2001:db8::1", 6633)),
        ("ptcp:0:0.0.0.0", Endpoint("ptcp", "0.0.0.0", 0)),
        ("ptcp:6634:[::]", Endpoint("ptcp", "::", 6634)),
    ],
)
def test_what_is_written_out_is_read_and_said_again(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("tcp:10.0.0.1", "tcp:10.0.0.1:6653"),
        ("tcp:[::1]", "tcp:[::1]:6653"),
        ("ptcp:", "ptcp:6653:127.0.0.1"),
        ("ptcp:0", "ptcp:0:127.0.0.1"),
        ("ptcp:6634:", "ptcp:6634:127.0.0.1"),
        ("ptcp::[::1]", "ptcp:6653:[::1]"),
    ],
)
def test_what_is_left_out_means_openflows_port_on_loopback(short: str, long: str) -> None:
    assert str(Endpoint.parse(short)) == long


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("127.0.0.1:6653", "write tcp:HOST:PORT or ptcp:PORT"),
        ("", "write tcp:HOST:PORT or ptcp:PORT"),
        ("tcp", "write tcp:HOST:PORT or ptcp:PORT"),
        ("udp:10.0.0.1:5", "write tcp:HOST:PORT or ptcp:PORT"),
        ("tcp::6653", "names no host"),
        ("tcp:::1:6653", "without brackets"),
        ("tcp:[::1:6653", "brackets"),
        ("tcp:[::1]6653", "brackets"),
        ("tcp:10.0.0.1:0", "not from 1 to 65535"),
        ("tcp:10.0.0.1:65536", "not from 1 to 65535"),
        ("ptcp:65536", "not from 0 to 65535"),
        ("ptcp:-1", "not from 0 to 65535"),
        ("ptcp:٣", "not from 0 to 65535"),
        ("ptcp:" + "9" * 5000, "not from 0 to 65535"),
        ("ptcp:1:host:2", "after the host"),
        ("ssl:10.0.0.1:6653", "ssl is not supported yet, use tcp instead"),
        ("pssl:6653", "pssl is not supported yet, use ptcp instead"),
        ("unix:/run/switch", "unix is not supported yet, use tcp instead"),
        ("punix:/run/switch", "punix is not supported yet, use ptcp instead"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cure)):
        Endpoint.parse(text)


@given(st.text(max_size=30) | st.builds("ptcp:{}".format, st.text(max_size=20)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint
