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
        ("ssl:192.0.2.1:6653", Endpoint("ssl", "192.0.2.1", 6653)),
        ("pssl:6653:[::1]", Endpoint("pssl", "::1", 6653)),
        ("unix:/run/s1.sock", Endpoint("unix", path="/run/s1.sock")),
        ("punix:with:colons", Endpoint("punix", path="with:colons")),
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
        ("ssl:10.0.0.1", "ssl:10.0.0.1:6653"),
        ("pssl:", "pssl:6653:127.0.0.1"),
    ],
)
def test_what_is_left_out_means_openflows_port_on_loopback(short: str, long: str) -> None:
    assert str(Endpoint.parse(short)) == long


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("127.0.0.1:6653", "write tcp:HOST:PORT, ssl:HOST:PORT, unix:PATH"),
        ("", "write tcp:HOST:PORT, ssl:HOST:PORT, unix:PATH"),
        ("tcp", "write tcp:HOST:PORT, ssl:HOST:PORT, unix:PATH"),
        ("udp:10.0.0.1:5", "write tcp:HOST:PORT, ssl:HOST:PORT, unix:PATH"),
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
        ("ssl::6653", "write ssl:HOST:PORT"),
        ("pssl:1:host:2", "write pssl:PORT[:HOST]"),
        ("unix:", "write unix:PATH or punix:PATH"),
        ("punix:a\0b", "write unix:PATH or punix:PATH"),
        ("unix:/" + "x" * 107, "a path of 108 bytes, the system takes 107"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cure)):
        Endpoint.parse(text)


def test_only_the_passive_ones_listen_and_only_ssl_is_secure() -> None:
    kinds = [
        Endpoint.parse(f"{kind}:1") for kind in ("tcp", "ssl", "unix", "ptcp", "pssl", "punix")
    ]
    assert [one.kind for one in kinds if one.listens] == ["ptcp", "pssl", "punix"]
    assert [one.kind for one in kinds if one.secure] == ["ssl", "pssl"]


@given(
    st.text(max_size=30)
    | st.builds("{}:{}".format, st.sampled_from(["ptcp", "ssl", "unix"]), st.text(max_size=20))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint
