"""Whatever is said, by whom and about what: it is read, told as data, and drawn."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.commands.record import lines
from controller.conversation.exchanges import Heard
from controller.conversation.ladder import Ladder
from controller.conversation.selection import Selection
from protocol import ErrorMsg, Version
from protocol.message import HEADER

from ...protocol.strategies import message_classes, messages
from .builders import Conversation, told


def read(heard: Heard) -> None:
    """Let all who look at a message look at it."""
    one = told(heard)
    assert json.loads(json.dumps(one)) == one
    for width in (None, 40, 80):
        drawn = list(Ladder(width).draw(one))
        assert not any("\n" in line for line in [*drawn, *lines(one)])
        assert width is None or max(map(len, drawn)) <= width
    assert list(Selection().pick(heard)) == [heard]
    assert list(Selection(errors=True).pick(heard))[-1:] == ([heard] if heard.is_fault else [])


@pytest.mark.parametrize("version", Version, ids=str)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_message_is_read_with_the_error_that_answers_it(
    version: Version, data: st.DataObject
) -> None:
    talk = Conversation(version)
    cls = data.draw(st.sampled_from(list(message_classes(version))))
    asked = talk.controller(data.draw(messages(cls, version)))
    read(asked)
    code = data.draw(messages(ErrorMsg, version)).code
    error = talk.switch(ErrorMsg(code, asked.said.data[:64], xid=asked.as_data()["xid"]))
    read(error)


@settings(max_examples=200)
@given(version=st.integers(0, 8), kind=st.integers(0, 40), body=st.binary(max_size=60))
def test_any_bytes_behind_a_header_are_read_or_told_to_be_none(
    version: int, kind: int, body: bytes
) -> None:
    talk = Conversation()
    data = HEADER.pack(version, kind, HEADER.size + len(body), 7) + body
    read(talk.switch(data))
    read(talk.controller(data))
