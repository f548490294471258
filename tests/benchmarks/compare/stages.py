"""Where the time of a packet_in goes, stage by stage, in the learning switch on OF1.3."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from controller.app import Handlers
from controller.apps.learning_switch import LearningSwitch
from controller.cookies import CookieSpaces
from controller.datapath import Datapath
from controller.own_flows import views
from controller.requests import Requests
from protocol import (
    NO_BUFFER,
    OF13,
    Connection,
    Ethernet,
    FeaturesReply,
    Hello,
    Match,
    Message,
    Output,
    PacketIn,
    PacketInReason,
)

COUNT, ROUNDS, BATCH = 6_400, 7, 64


def packet_ins() -> list[bytes]:
    """Return packet_ins of frames between 64 hosts, as they come."""
    dice = random.Random(1)
    found = []
    for number in range(COUNT):
        src, dst = dice.randrange(64), dice.randrange(64)
        frame = (2 << 40 | dst).to_bytes(6, "big") + (2 << 40 | src).to_bytes(6, "big")
        frame += b"\x08\x00" + bytes(46)
        message = PacketIn(
            NO_BUFFER, 60, PacketInReason.NO_MATCH, match=Match(in_port=src + 1), data=frame
        )
        found.append(message.numbered(number).encode(OF13))
    return found


def _best(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - start)
    return best / COUNT * 1e6


def _drive(running: Coroutine[Any, Any, None]) -> None:
    try:
        running.send(None)
    except StopIteration:
        return
    raise AssertionError("the learning switch awaits nothing")


class _Mute:
    """Takes what an application says, and does nothing about it."""

    datapath_id = 1

    def add_flow(self, *arguments: object, **more: object) -> None: ...

    def packet_out(self, *arguments: object) -> None: ...


def stages() -> list[tuple[str, float]]:
    """Return the microseconds of the processor that each stage takes of a packet_in."""
    raws = packet_ins()
    messages = [Message.decode(raw) for raw in raws]
    matches = [Match(in_port=1, eth_src=one.xid, eth_dst=one.xid + 1) for one in messages]
    connection = Connection(0.0, [OF13])
    connection.receive_data(Hello().encode(OF13), 0.0)
    connection.data_to_send()
    app = LearningSwitch()
    handlers = Handlers(app)
    spaces = CookieSpaces([handlers.name])
    features = FeaturesReply(datapath_id=1)
    plain = Datapath(features, (), OF13, connection.send, Requests(lambda: None))
    (datapath,) = views(plain, spaces, [spaces.by_name[handlers.name]])
    batches = [b"".join(raws[at : at + BATCH]) for at in range(0, COUNT, BATCH)]
    actions = [[Output(number % 64 + 1)] for number in range(COUNT)]
    flows = list(zip(matches, actions, strict=True))
    packets = list(zip(messages, actions, strict=True))

    def said(work: Callable[[Any], object]) -> Callable[[Any], object]:
        def then_sent(item: Any) -> None:
            work(item)
            if len(connection._out) >= 2 * BATCH:
                connection.data_to_send()

        return then_sent

    def add_flow(given: tuple[Match, list[Output]]) -> None:
        datapath.add_flow(given[0], given[1], idle_timeout=300)

    def packet_out(given: tuple[PacketIn, list[Output]]) -> None:
        datapath.packet_out(given[0], given[1])

    return [
        ("read: framing, PacketIn", _best(lambda one: connection.receive_data(one, 0.0), batches)),
        ("of that: PacketIn alone", _best(Message.decode, raws)),
        ("the application's own lines, without what it says",
         _best(lambda one: _drive(app.packet_in(_Mute(), one)), messages)),  # type: ignore[arg-type]
        ("of that: Ethernet.parse", _best(lambda one: Ethernet.parse(one.data), messages)),
        ("of that: Match of three fields",
         _best(lambda one: Match(in_port=1, eth_src=one.xid, eth_dst=2), messages)),
        ("add_flow: FlowMod, cookie, bytes", _best(said(add_flow), flows)),
        ("packet_out: PacketOut, bytes", _best(said(packet_out), packets)),
        ("all of it, but for the dispatch and the socket",
         _best(said(lambda one: _drive(app.packet_in(datapath, one))), messages)
         + _best(lambda one: connection.receive_data(one, 0.0), batches)),
    ]  # fmt: skip
