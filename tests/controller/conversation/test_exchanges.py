"""Replies and errors find what they are about, and nothing else."""

from __future__ import annotations

import pytest

from controller.conversation import exchanges
from protocol import (
    OF13,
    OF14,
    BadActionCode,
    BarrierReply,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    ErrorMsg,
    FlowMod,
    FlowStatsReply,
    FlowStatsRequest,
    PacketIn,
)
from protocol.bundles import BundleControl, BundleControlType

from .builders import Conversation, tape

UNREADABLE = bytes.fromhex("04 ff 0008 00000009")


def test_a_reply_finds_its_request_and_the_time_between() -> None:
    talk = Conversation()
    request = talk.controller(BarrierRequest(xid=7))
    talk.controller(BarrierRequest(xid=8))
    reply = talk.switch(BarrierReply(xid=7))
    assert reply.answers is request
    assert reply.after == 2.0


def test_all_parts_of_a_reply_find_the_request() -> None:
    talk = Conversation()
    request = talk.controller(FlowStatsRequest(xid=7))
    assert talk.switch(FlowStatsReply(xid=7)).answers is request
    assert talk.switch(FlowStatsReply(xid=7)).answers is request


def test_a_reply_to_something_else_with_this_xid_has_no_request() -> None:
    talk = Conversation()
    talk.controller(BarrierRequest(xid=7))
    assert talk.switch(EchoReply(xid=7)).answers is None


def test_a_reply_of_another_switch_or_of_the_same_side_has_no_request() -> None:
    talk = Conversation()
    talk.controller(BarrierRequest(xid=7))
    assert talk.switch(BarrierReply(xid=7), tape(2, "127.0.0.1:50002")).answers is None
    assert talk.controller(BarrierReply(xid=7)).answers is None


def test_a_request_of_the_switch_is_found_though_packet_ins_have_the_same_xid() -> None:
    talk = Conversation()
    request = talk.switch(EchoRequest(xid=0))
    talk.switch(PacketIn(data=bytes(60), xid=0))
    assert talk.controller(EchoReply(xid=0)).answers is request


def test_a_bundle_control_answers_the_one_before() -> None:
    talk = Conversation(OF14)
    request = talk.controller(BundleControl(1, BundleControlType.OPEN_REQUEST, xid=4))
    assert talk.switch(BundleControl(1, BundleControlType.OPEN_REPLY, xid=4)).answers is request


def test_an_error_finds_what_it_is_about_though_that_asked_for_no_answer() -> None:
    talk = Conversation()
    flow_mod = talk.controller(FlowMod(xid=7))
    quoted = flow_mod.said.data[:64]
    error = talk.switch(ErrorMsg(BadActionCode.BAD_OUT_GROUP, quoted, xid=7))
    assert error.answers is flow_mod
    assert error.is_fault
    assert error.as_data()["error"] == "there is no such group"


def test_an_error_that_quotes_another_message_is_about_no_message_that_we_know() -> None:
    talk = Conversation()
    talk.controller(FlowMod(xid=7))
    other = FlowMod(xid=7, priority=3).encode(OF13)
    assert talk.switch(ErrorMsg(BadActionCode.BAD_OUT_GROUP, other, xid=7)).answers is None


def test_what_nobody_can_read_is_told_as_such() -> None:
    heard = Conversation().switch(UNREADABLE)
    assert heard.is_fault
    assert heard.text().startswith("8 bytes that are no message: ")
    data = heard.as_data()
    assert (data["type"], data["version"], data["xid"]) == (None, "1.3", 9)
    assert data["error"] == heard.fault != ""


def test_messages_have_the_specifications_names() -> None:
    data = Conversation().controller(FlowMod(xid=7)).as_data()
    assert (data["type"], data["version"], data["xid"]) == ("OFPT_FLOW_MOD", "1.3", 7)
    assert (data["error"], data["answers"], data["after"]) == (None, None, None)


def test_requests_that_nobody_answers_go_when_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "MAX_KEPT", 10)
    talk = Conversation()
    for xid in range(1, 100):
        talk.controller(BarrierRequest(xid=xid))
    assert talk.switch(BarrierReply(xid=1)).answers is None
    assert talk.switch(BarrierReply(xid=99)).answers is not None


def test_long_requests_go_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "MAX_BYTES", 10_000)
    talk = Conversation()
    for xid in range(1, 100):
        talk.controller(EchoRequest(bytes(1000), xid=xid))
    assert talk.switch(EchoReply(xid=1)).answers is None
    assert talk.switch(EchoReply(xid=99)).answers is not None
