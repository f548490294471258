"""Switches that come back again and again wait; others do not, nor does who stayed for a while."""

from __future__ import annotations

import asyncio
import logging

import pytest

from controller import Controller
from controller.returns import FREE, KNOWN_MAX, LONGEST_PAUSE, RATE, Returns
from protocol import FeaturesReply, FeaturesRequest
from protocol.endpoint import LOOPBACK, Endpoint

from ..skipping_time import skipping
from ..together.networks import story
from .fakes import FakeSwitch, Recorder


def test_who_comes_a_few_times_does_not_wait() -> None:
    returns = Returns()
    assert [returns.note(1, 0.0).seconds for _ in range(FREE)] == [0.0] * FREE


def test_who_comes_more_often_waits_so_that_it_comes_no_faster_than_the_rate() -> None:
    returns, now, times = Returns(), 0.0, 100
    for _ in range(times):
        now += returns.note(1, now).seconds
    assert now == pytest.approx((times - FREE) / RATE)


def test_who_comes_over_many_channels_at_once_does_not_wait_for_ever() -> None:
    returns = Returns()
    pauses = [returns.note(1, 0.0) for _ in range(2000)]
    assert pauses[FREE].seconds == 1 / RATE
    assert pauses[-1].seconds == LONGEST_PAUSE
    assert [pause.is_first for pause in pauses].index(True) == FREE
    assert sum(pause.is_first for pause in pauses) == 1


def test_who_stayed_for_a_while_begins_anew_and_would_be_told_of_again() -> None:
    returns = Returns()
    for _ in range(FREE + 1):
        returns.note(1, 0.0)
    later = [returns.note(1, (FREE + 1) / RATE) for _ in range(FREE + 1)]
    assert [one.seconds for one in later[:FREE]] == [0.0] * FREE
    assert later[FREE].is_first


def test_who_comes_once_in_a_while_never_waits() -> None:
    returns = Returns()
    assert not any(returns.note(1, one / RATE).seconds for one in range(1000))


def test_others_do_not_wait() -> None:
    returns = Returns()
    for _ in range(2 * FREE):
        returns.note(1, 0.0)
    assert returns.note(2, 0.0).seconds == 0.0


def test_what_is_known_of_datapaths_is_bounded() -> None:
    returns = Returns()
    for number in range(KNOWN_MAX + 10):
        returns.note(number, 0.0)
    assert len(returns) == KNOWN_MAX


async def come(at: Endpoint, app: Recorder, times: int, datapath_id: int) -> list[float]:
    """Let a switch come and go; return how many seconds each handshake took."""
    took, clock = [], asyncio.get_running_loop().time
    for _ in range(times):
        began, before = clock(), len(app.messages("switch_ready"))
        with skipping():
            switch = await FakeSwitch.dial(at, datapath_id=datapath_id)
            await app.until("switch_ready", before + 1)
        took.append(clock() - began)
        switch.leave()
    return took


@story
async def test_a_switch_in_a_loop_is_held_in_its_handshake_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "controller")
    app = Recorder()
    controller = Controller([app])
    try:
        at = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        took = await come(at, app, FREE + 3, 5)
        assert sum(took) >= 2 / RATE
        await come(at, app, FREE, 6)
        assert caplog.text.count("now it waits each time") == 1
        assert f"0x0000000000000005: it came {FREE + 1} times" in caplog.text
    finally:
        await controller.close()


@story
async def test_a_switch_that_leaves_while_it_waits_leaves_nothing_behind() -> None:
    app = Recorder()
    controller = Controller([app])
    try:
        at = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        await come(at, app, FREE, 5)
        for _ in range(3):
            switch = await FakeSwitch.connect(at)
            await switch.greet()
            switch.send(FeaturesReply(5), xid=(await switch.expect(FeaturesRequest)).xid)
            switch.vanish()
        with skipping():
            await asyncio.sleep(4 * LONGEST_PAUSE)
        assert not controller.datapaths
        assert not controller._peers
    finally:
        await controller.close()
