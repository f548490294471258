"""Applications are exchanged while switches stay: what a reload does."""

from __future__ import annotations

import asyncio

import pytest

from controller import App, Datapath
from protocol import (
    OF10,
    OF13,
    BadActionCode,
    BarrierRequest,
    ChannelClosed,
    ErrorMsg,
    FlowMod,
    FlowModCommand,
    Match,
    PacketIn,
    Version,
)

from .fakes import FakeSwitch, Recorder, eventually, serving


class Adding(Recorder):
    """Puts an entry into each switch."""

    async def switch_ready(self, datapath: Datapath) -> None:
        datapath.add_flow(Match(), priority=5)
        await super().switch_ready(datapath)


class Other(Adding): ...


@pytest.mark.parametrize("version", [OF10, OF13], ids=str)
async def test_the_old_one_ends_its_entries_go_and_the_new_one_begins(version: Version) -> None:
    old, new = Adding(), Adding()
    async with serving(old) as (controller, at):
        switch = await FakeSwitch.dial(at, version)
        added = await switch.expect(FlowMod)
        await controller.exchange([new])
        await new.until("switch_ready")
        deleted, added_again = await switch.expect(FlowMod), await switch.expect(FlowMod)
        assert old.names == ["switch_ready", "switch_gone"]
        assert (deleted.command, deleted.match) == (FlowModCommand.DELETE, Match())
        if version == OF13:  # by the prefix alone
            assert (deleted.cookie, deleted.cookie_mask) == (added.cookie, 0xFFFF << 48)
        assert (added_again.command, added_again.cookie) == (FlowModCommand.ADD, added.cookie)
        switch.send(PacketIn(match=Match(in_port=1)))
        await new.until("packet_in")
        assert "packet_in" not in old.names
        with pytest.raises(ChannelClosed, match="this application does not run any more"):
            old.told[0][1].add_flow(Match())
        switch.leave()


async def test_who_stays_is_not_disturbed_and_keeps_its_entries() -> None:
    staying, old, new = Other(), Adding(), Adding()
    async with serving(staying, old) as (controller, at):
        switch = await FakeSwitch.dial(at)
        first, second = await switch.expect(FlowMod), await switch.expect(FlowMod)
        await controller.exchange([staying, new])
        deleted = await switch.expect(FlowMod)
        await new.until("switch_ready")
        assert deleted.command == FlowModCommand.DELETE
        assert {first.cookie, second.cookie} - {deleted.cookie} == {staying_cookie(staying)}
        assert staying.names == ["switch_ready"]
        staying.told[0][1].add_flow(Match(), priority=6)
        switch.leave()
        await staying.until("switch_gone")


def staying_cookie(app: Recorder) -> int:
    """Return the cookie of an application's entries."""
    return app.told[0][1].cookie_base


async def test_one_more_application_gets_what_it_sends_refused_alone() -> None:
    one, other = Recorder(), Other()
    async with serving(one) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await one.until("switch_ready")
        await controller.exchange([one, other])
        added = await switch.expect(FlowMod)
        await other.until("switch_ready")
        switch.send(ErrorMsg(BadActionCode.BAD_OUT_PORT), xid=added.xid)
        await other.until("error")
        one.told[0][1].add_flow(Match(), priority=9)
        mine = await switch.expect(FlowMod)
        switch.send(ErrorMsg(BadActionCode.BAD_OUT_PORT), xid=mine.xid)
        await one.until("error")
        assert (len(one.messages("error")), len(other.messages("error"))) == (1, 1)
        switch.leave()


async def test_an_application_that_leaves_takes_its_entries_along() -> None:
    staying, leaving = Recorder(), Adding()
    async with serving(staying, leaving) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await switch.expect(FlowMod)
        await controller.exchange([staying])
        assert (await switch.expect(FlowMod)).command == FlowModCommand.DELETE
        await eventually(lambda: leaving.names == ["switch_ready", "switch_gone"])
        assert len(controller.spaces) == 1
        switch.leave()


class Beside(Recorder):
    """Notes when its background ends."""

    def __init__(self) -> None:
        super().__init__()
        self.running = False

    async def background(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False


async def test_what_the_old_one_did_beside_ends() -> None:
    old, new = Beside(), Beside()
    async with serving(old) as (controller, _):
        await eventually(lambda: old.running)
        await controller.exchange([new])
        await eventually(lambda: new.running)
        assert not old.running


async def test_a_handler_that_waits_for_the_switch_hears_that_it_is_over() -> None:
    class Waiting(Recorder):
        async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
            await datapath.barrier()

    old, new = Waiting(), Recorder()
    async with serving(old) as (controller, at):
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn())
        await switch.expect(BarrierRequest)
        await controller.exchange([new])
        switch.leave()
        await old.until("switch_gone")
        await eventually(lambda: not controller.datapaths)


async def test_handlers_that_cannot_be_change_nothing() -> None:
    class Wrong(App):
        def packet_in(self, datapath: Datapath, message: PacketIn) -> None:  # type: ignore[override]
            ...

    app = Recorder()
    async with serving(app) as (controller, _):
        with pytest.raises(TypeError, match="must be declared with async def"):
            await controller.exchange([Wrong()])
        assert [one.app for one in controller.handlers] == [app]
