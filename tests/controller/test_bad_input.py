"""Clients that are no switches, and switches that say what cannot be."""

from __future__ import annotations

import logging

import pytest

from controller import peer
from protocol import (
    OF10,
    OF13,
    OF15,
    BadRequestCode,
    Closed,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    PacketIn,
)
from protocol.message import HEADER

from .fakes import SHORT, FakeSwitch, Recorder, eventually, frame, lines, serving


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "controller")


# Clients that do not

NO_SWITCHES = {
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "the peer speaks HTTP"),
    "TLS": (b"\x16\3\1\2\0\1\0\1\xfc\3\3", "the peer speaks TLS"),
    "zeros": (bytes(64), "did not begin with a hello"),
    "a packet_in before hello": (PacketIn().encode(OF13), "did not begin with a hello"),
    "a hello of an impossible length": (HEADER.pack(4, 0, 7, 0), "did not begin with a hello"),
    "HELLO_FAILED": (frame(1, b"\0\0\0\0not you"), "the peer refused us: not you"),
    "nothing": (b"", "the peer said no hello within 0.05 s"),
    "half a hello": (b"\4\0\0", "the peer said no hello within 0.05 s"),
    "a long hello that does not end": (
        HEADER.pack(4, 0, 0xFFFF, 0) + bytes(9999),
        "the peer said no hello within 0.05 s",
    ),
    "a hello and nothing more": (frame(0), "the switch did not tell its features in 0.05 s"),
    "a hello and packets": (
        frame(0) + 1000 * PacketIn().encode(OF13),
        "the switch did not tell its features in 0.05 s",
    ),
}


@pytest.mark.parametrize("what", NO_SWITCHES)
async def test_who_is_no_switch_is_closed_soon_with_one_line_and_others_do_not_notice(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, reason = NO_SWITCHES[what]
    app = Recorder()
    async with serving(app) as (controller, at):
        good = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        controller.handshake_timeout = SHORT
        other = await FakeSwitch.connect(at)
        name = other.name
        other.say(data)
        await other.hang()
        (line,) = lines(caplog, name)
        assert line.startswith("closed: ")
        assert reason in line
        await eventually(lambda: len(controller._peers) == 1)
        good.send(PacketIn())
        await app.until("packet_in")
        assert app.names == ["switch_ready", "packet_in"]
        good.leave()


async def test_without_a_version_in_common_both_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(versions={OF13}) as (_, at):
        switch = await FakeSwitch.connect(at, OF10)
        switch.send()
        closed = await switch.expect(Closed)
        assert closed.reason == "no version in common: the peer speaks 1.3, we speak 1.0"
        await switch.hang()
        (line,) = lines(caplog, switch.name)
        assert line == "closed: no version in common: the peer speaks 1.0, we speak 1.3"
        switch.leave()


async def test_a_switch_that_refuses_to_tell_its_features_is_closed_whatever_follows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as (controller, at):
        switch = await FakeSwitch.connect(at, OF10)
        await switch.greet()
        request = await switch.expect(FeaturesRequest)
        answers = ErrorMsg(BadRequestCode.EPERM, xid=request.xid), FeaturesReply(1, xid=request.xid)
        switch.say(b"".join(message.encode(OF10) for message in answers))
        await switch.hang()
        assert not controller.datapaths
        (line,) = lines(caplog, switch.name)
        assert line.startswith("closed: the handshake failed: the peer refused the request")
        switch.leave()


async def test_a_switch_without_a_datapath_id_is_refused_with_the_cure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as (controller, at):
        switch = await FakeSwitch.connect(at)
        await switch.greet()
        request = await switch.expect(FeaturesRequest)
        switch.send(FeaturesReply(0), xid=request.xid)
        await switch.hang()
        assert not controller.datapaths
        (line,) = lines(caplog, switch.name)
        assert line.startswith("closed: the handshake failed: its datapath_id is 0, ")
        assert "ovs-vsctl set bridge" in line
        switch.leave()


FAULTS = {
    "an unknown type": (frame(0xCC), BadRequestCode.BAD_TYPE),
    "a truncated body": (frame(14, b"short"), BadRequestCode.BAD_LEN),
    "a features_reply that is too long": (frame(6, bytes(99)), BadRequestCode.BAD_LEN),
    "a multipart type that does not exist": (
        frame(19, b"\x77\x77" + bytes(6)),
        BadRequestCode.BAD_MULTIPART,
    ),
}
FATAL = {
    "another version": (frame(5, version=OF15), BadRequestCode.BAD_VERSION),
    "an unknown version": (frame(5, version=0x99), BadRequestCode.BAD_VERSION),
    "a length below the header's": (HEADER.pack(OF13, 2, 3, 7), BadRequestCode.BAD_LEN),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_a_message_that_is_not_understood_costs_that_message_only(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, code = FAULTS[what]
    app = Recorder()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        switch.say(data)
        error = await switch.expect(ErrorMsg)
        assert error == ErrorMsg(code, data[:64], xid=7)
        switch.send(PacketIn())
        await app.until("packet_in")
        told = lines(caplog, "datapath 0x0000000000000001")[1:]
        assert [line[:30] for line in told] == ["a message was not understood: "]
        switch.leave()


@pytest.mark.parametrize("what", FATAL)
async def test_a_broken_frame_is_answered_and_the_channel_closed(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, code = FATAL[what]
    app = Recorder()
    async with serving(app) as (_, at):
        good = await FakeSwitch.dial(at, datapath_id=2)
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready", 2)
        switch.say(data)
        assert await switch.expect(ErrorMsg) == ErrorMsg(code, data, xid=7)
        await switch.hang()
        (line,) = lines(caplog, "datapath 0x0000000000000001")[1:]
        assert line.startswith("closed: a message of")
        good.send(PacketIn())
        await app.until("packet_in")
        good.leave()
        switch.leave()


async def test_a_flood_of_faults_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = Recorder()
    async with serving(app) as (_, at):
        switch = await FakeSwitch.dial(at)
        switch.say(frame(0xCC) * 1000)
        switch.send(PacketIn())
        await app.until("packet_in")
        told = [line for line in lines(caplog, "datapath 0x0000000000000001") if "under" in line]
        assert len(told) == peer.FAULTS_TOLD
        assert told[-1].endswith("others will not be told")
        switch.leave()
