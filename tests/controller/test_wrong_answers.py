"""A switch that answers wrongly costs who asked it, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from controller import Datapath
from protocol import (
    BarrierReply,
    BarrierRequest,
    EchoReply,
    FlowStatsReply,
    GetConfigReply,
    Message,
    OpenFlowError,
    PacketIn,
    RequestTimeout,
)

from .fakes import SHORT, FakeSwitch, Recorder, serving

Answer = Callable[[int], list[Message]]
WRONG: dict[str, tuple[Answer, type[Exception] | None]] = {
    "another xid": (lambda xid: [BarrierReply(xid=xid + 1000)], RequestTimeout),
    "xid 0": (lambda xid: [BarrierReply(xid=0)], RequestTimeout),
    "another type": (lambda xid: [GetConfigReply(xid=xid)], OpenFlowError),
    "an echo": (lambda xid: [EchoReply(xid=xid)], OpenFlowError),
    "a part without an end": (lambda xid: [FlowStatsReply(flags=1, xid=xid)], RequestTimeout),
    "twice": (lambda xid: [BarrierReply(xid=xid), BarrierReply(xid=xid)], None),
    "twice in two ways": (lambda xid: [BarrierReply(xid=xid), GetConfigReply(xid=xid)], None),
    "never": (lambda xid: [], RequestTimeout),
    "before it was asked": (lambda xid: [], RequestTimeout),
}


class Asking(Recorder):
    """Asks each switch for a barrier, and notes what becomes of that."""

    def __init__(self, patience: float) -> None:
        super().__init__()
        self.patience = patience  # with datapath 1
        self.results: dict[int, Exception | None] = {}

    async def switch_ready(self, datapath: Datapath) -> None:
        try:
            await datapath.barrier(timeout=self.patience if datapath.datapath_id == 1 else 10)
        except OpenFlowError as error:
            self.results[datapath.datapath_id] = error
        else:
            self.results[datapath.datapath_id] = None
        await super().switch_ready(datapath)


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_answer_costs_who_asked_only(what: str) -> None:
    answer, raised = WRONG[what]
    app, other = Asking(SHORT if raised is RequestTimeout else 10), Recorder()
    async with serving(app, other) as (controller, at):
        wrong = await FakeSwitch.connect(at)
        await wrong.greet()
        if what == "before it was asked":  # with the xids that requests will have
            wrong.send(*(BarrierReply() for _ in range(1000)))
        await wrong.introduce(datapath_id=1)
        right = await FakeSwitch.dial(at, datapath_id=2)
        request = await wrong.expect(BarrierRequest)
        for message in answer(request.xid):
            wrong.send(message, xid=message.xid)
        asked = await right.expect(BarrierRequest)
        right.send(BarrierReply(), xid=asked.xid)
        await app.until("switch_ready", 2)
        assert app.results[2] is None
        result = app.results[1]
        assert result is None if raised is None else type(result) is raised
        for switch in (wrong, right):
            switch.send(PacketIn())
        await app.until("packet_in", 2)
        await other.until("packet_in", 2)
        assert not any(peer.requests for peer in controller._peers)
        for switch in (wrong, right):
            switch.leave()


async def test_a_late_answer_is_not_taken_for_that_of_the_next_request() -> None:
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        datapath = controller.datapaths[1]
        with pytest.raises(RequestTimeout):
            await datapath.barrier(timeout=SHORT)
        late = await switch.expect(BarrierRequest)
        next_one = asyncio.create_task(datapath.barrier())
        request = await switch.expect(BarrierRequest)
        switch.send(BarrierReply(), xid=late.xid)
        await app.until("message")
        assert not next_one.done()
        switch.send(BarrierReply(), xid=request.xid)
        await next_one
        switch.leave()
