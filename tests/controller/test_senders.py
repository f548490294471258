"""Errors find the application that caused them."""

from __future__ import annotations

import pytest

from controller import Datapath, senders
from controller.senders import Senders
from protocol import (
    BadRequestCode,
    BarrierRequest,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    FlowModFailedCode,
    Match,
    Output,
    PacketIn,
    PacketOut,
)

from .fakes import FakeSwitch, Recorder, serving


class Other(Recorder):
    """Another application."""

    async def switch_ready(self, datapath: Datapath) -> None:
        await super().switch_ready(datapath)
        datapath.add_flow(Match(eth_type=0x0806), [Output(1)])


class Answering(Recorder):
    """Sends each packet back."""

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        datapath.packet_out(message, [Output(1)])
        await super().packet_in(datapath, message)


async def test_an_error_comes_to_the_application_that_caused_it() -> None:
    silent, other, answering = Recorder(), Other(), Answering()
    async with serving(silent, other, answering) as (_, at):
        switch = await FakeSwitch.dial(at)
        flow_mod = await switch.expect(FlowMod)
        switch.send(PacketIn())
        packet_out = await switch.expect(PacketOut)
        switch.send(ErrorMsg(FlowModFailedCode.TABLE_FULL), xid=flow_mod.xid)
        switch.send(ErrorMsg(BadRequestCode.BUFFER_UNKNOWN), xid=packet_out.xid)
        switch.send(PacketIn())
        for app in (silent, other, answering):
            await app.until("packet_in", 2)
        assert silent.messages("error") == []
        assert [one.code for one in other.messages("error")] == [FlowModFailedCode.TABLE_FULL]
        (error,) = answering.messages("error")
        assert error.code == BadRequestCode.BUFFER_UNKNOWN
        switch.leave()


async def test_an_error_about_what_nobody_is_known_to_have_sent_comes_to_all() -> None:
    one, other = Recorder(), Other()
    async with serving(one, other) as (_, at):
        switch = await FakeSwitch.dial(at)
        await switch.expect(FlowMod)
        switch.send(ErrorMsg(BadRequestCode.EPERM), xid=0x1234_5678)
        for app in (one, other):
            assert [error.xid for error in await app.until("error")] == [0x1234_5678]
        switch.leave()


async def test_an_error_about_a_packet_out_over_an_auxiliary_channel_finds_its_application() -> (
    None
):
    one, answering = Recorder(), Answering()
    async with serving(one, answering) as (_, at):
        switch = await FakeSwitch.dial(at)
        await answering.until("switch_ready")
        aside = await FakeSwitch.connect(at)
        await aside.greet()
        request = await aside.expect(FeaturesRequest)
        aside.send(FeaturesReply(1, auxiliary_id=1), xid=request.xid)
        aside.send(PacketIn())
        packet_out = await aside.expect(PacketOut)
        aside.send(ErrorMsg(BadRequestCode.EPERM), PacketIn(), xid=packet_out.xid)
        await answering.until("error")
        await one.until("packet_in", 2)
        assert one.messages("error") == []
        aside.leave()
        switch.leave()


class Numbers:
    """Sends by giving the next xid."""

    def __init__(self, first: int = 1) -> None:
        self.next = first

    def __call__(self, message: BarrierRequest) -> int:
        """Return the xid of a message."""
        self.next += 1
        return self.next - 1


def test_who_spoke_when_is_known_of_each_xid() -> None:
    noted, numbers = Senders(), Numbers()
    for who in (0, 0, 1, 0, 2, 2):
        noted.noting(who, numbers)(BarrierRequest())
    numbers(BarrierRequest())  # nobody's, as an echo request is
    assert [noted.of(xid) for xid in range(9)] == [None, 0, 0, 1, 0, 2, 2, None, None]


def test_of_turns_a_bounded_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "TURNS", 10)
    noted, numbers = Senders(), Numbers()
    sends = [noted.noting(who, numbers) for who in range(2)]
    for count in range(1000):
        sends[count % 2](BarrierRequest())
    assert len(noted._firsts) == len(noted._turns) <= 21
    assert [noted.of(xid) for xid in (1, 900, 999, 1000)] == [None, None, 0, 1]


def test_after_the_highest_xid_notes_begin_anew() -> None:
    noted, numbers = Senders(), Numbers(0xFFFF_FFFE)
    noted.noting(0, numbers)(BarrierRequest())
    noted.noting(1, numbers)(BarrierRequest())
    numbers.next = 1
    noted.noting(0, numbers)(BarrierRequest())
    assert [noted.of(xid) for xid in (0xFFFF_FFFE, 0xFFFF_FFFF, 1)] == [None, None, 0]
