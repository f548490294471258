"""Which messages are wanted: by switch, by type, errors only."""

from __future__ import annotations

import pytest

from controller.conversation.exchanges import Heard
from controller.conversation.selection import Selection, known_types
from protocol import (
    BadActionCode,
    BarrierReply,
    BarrierRequest,
    ErrorMsg,
    FlowMod,
    FlowStatsRequest,
    PortDescReply,
    PortDescRequest,
)

from .builders import Conversation, tape

TALK = Conversation()
FLOW_MOD = TALK.controller(FlowMod(xid=1))
BARRIER = TALK.controller(BarrierRequest(xid=2))
ERROR = TALK.switch(ErrorMsg(BadActionCode.BAD_OUT_GROUP, FLOW_MOD.said.data[:64], xid=1))
DONE = TALK.switch(BarrierReply(xid=2))
OTHER = TALK.controller(BarrierRequest(xid=3), tape(2, "127.0.0.1:50002"))
UNREADABLE = TALK.switch(bytes.fromhex("04 ff 0008 00000009"))
ALL = [FLOW_MOD, BARRIER, ERROR, DONE, OTHER, UNREADABLE]


def picked(selection: Selection) -> list[Heard]:
    """Return what a selection picks of all."""
    return [one for heard in ALL for one in selection.pick(heard)]


def test_what_is_empty_narrows_nothing_down() -> None:
    assert picked(Selection()) == ALL


def test_switches_are_picked_by_their_numbers() -> None:
    assert picked(Selection.of([2])) == [OTHER]
    assert picked(Selection.of([1, 2])) == ALL


@pytest.mark.parametrize("name", ["barrier", "BARRIER", "OFPT_BARRIER"])
def test_a_name_without_request_or_reply_means_both(name: str) -> None:
    assert picked(Selection.of(types=[name])) == [BARRIER, DONE, OTHER]


@pytest.mark.parametrize("name", ["barrier_request", "BarrierRequest", "barrier-request"])
def test_a_name_means_a_message_in_any_spelling(name: str) -> None:
    assert picked(Selection.of(types=[name])) == [BARRIER, OTHER]


def test_multipart_messages_have_both_the_names_of_old_and_new_editions() -> None:
    asked = Conversation().controller(FlowStatsRequest())
    for name in ("flow_stats", "flow_desc", "OFPMP_FLOW_DESC"):
        assert list(Selection.of(types=[name]).pick(asked)) == [asked]


def test_errors_come_below_what_they_are_about() -> None:
    assert picked(Selection(errors=True)) == [FLOW_MOD, ERROR, UNREADABLE]


def test_errors_of_a_type_are_those_about_it() -> None:
    assert picked(Selection.of(types=["flow_mod"], errors=True)) == [FLOW_MOD, ERROR]
    assert picked(Selection.of(types=["barrier"], errors=True)) == []


def test_a_name_that_is_none_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(ValueError, match="no message is called 'flowmods': write it as flow_mod"):
        Selection.of(types=["flowmods"])
    with pytest.raises(ValueError, match="write it as flow_mod, packet_in, error"):
        Selection.of(types=["@"])


def test_every_message_can_be_named() -> None:
    asked = Conversation()
    for message in (PortDescRequest(), PortDescReply(), FlowMod()):
        heard = asked.controller(message)
        assert list(Selection.of(types=[type(message).__name__]).pick(heard)) == [heard]
    assert {"FLOW_MOD", "PACKET_IN", "NXT_PACKET_IN2", "ECHO"} <= set(known_types())
