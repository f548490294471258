"""The learning switch, as stories: Ann behind port 1, Bob behind port 2."""

from __future__ import annotations

import pytest

from controller import Datapath
from controller.apps.learning_switch import LearningSwitch
from controller.testing import Sent, recording
from protocol import (
    NO_BUFFER,
    OF13,
    ApplyActions,
    FlowMod,
    MacAddress,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    Port,
    Version,
)

ANN, BOB = MacAddress(0x0200_0000_000A), MacAddress(0x0200_0000_000B)
BROADCAST = MacAddress(0xFFFF_FFFF_FFFF)


def frame(source: MacAddress, destination: MacAddress, in_port: int) -> PacketIn:
    """Return the packet_in of a frame that the switch does not keep."""
    ether = int(destination).to_bytes(6, "big") + int(source).to_bytes(6, "big") + b"\x88\xb5"
    return PacketIn(match=Match(in_port=in_port), data=ether + b"hello")


def sent_out(packet: PacketIn, port: int) -> PacketOut:
    """Return what sends a packet out of a port."""
    return PacketOut((Output(port),), packet.data, NO_BUFFER, packet.match)


async def heard(app: LearningSwitch, datapath: Datapath, sent: Sent, packet: PacketIn) -> Sent:
    """Return what the application says when it gets this packet."""
    sent.clear()
    await app.packet_in(datapath, packet)
    return sent


@pytest.mark.parametrize("version", Version)
async def test_a_new_switch_is_told_to_ask_about_what_it_does_not_know(version: Version) -> None:
    datapath, sent = recording(version)
    await LearningSwitch().switch_ready(datapath)
    (message,) = sent
    miss = FlowMod(Match(), (ApplyActions((Output(Port.CONTROLLER),)),), priority=0)
    assert message == miss
    assert message.encode(version)


@pytest.mark.parametrize("version", Version)
async def test_ann_and_bob_find_each_other(version: Version) -> None:
    app, (datapath, sent) = LearningSwitch(), recording(version)
    question, answer = frame(ANN, BOB, in_port=1), frame(BOB, ANN, in_port=2)

    # Nobody knows Bob: the frame goes to all, and no entry is made.
    assert await heard(app, datapath, sent, question) == [sent_out(question, Port.FLOOD)]

    # Bob answers; Ann is known, so that the switch needs not ask again for this direction.
    entry = FlowMod(
        Match(in_port=2, eth_src=BOB, eth_dst=ANN),
        (ApplyActions((Output(1),)),),
        idle_timeout=300,
    )
    assert await heard(app, datapath, sent, answer) == [entry, sent_out(answer, 1)]

    # And now the other direction.
    entry = FlowMod(
        Match(in_port=1, eth_src=ANN, eth_dst=BOB),
        (ApplyActions((Output(2),)),),
        idle_timeout=300,
    )
    assert await heard(app, datapath, sent, question) == [entry, sent_out(question, 2)]
    assert all(message.encode(version) for message in sent)


async def test_a_broadcast_goes_to_all_however_often_it_comes() -> None:
    app, (datapath, sent) = LearningSwitch(), recording(OF13)
    call = frame(ANN, BROADCAST, in_port=1)
    for _ in range(3):
        assert await heard(app, datapath, sent, call) == [sent_out(call, Port.FLOOD)]


async def test_who_moves_is_found_at_the_new_port() -> None:
    app, (datapath, sent) = LearningSwitch(), recording(OF13)
    await app.packet_in(datapath, frame(ANN, BROADCAST, in_port=1))
    await app.packet_in(datapath, frame(ANN, BROADCAST, in_port=7))
    *_, last = await heard(app, datapath, sent, frame(BOB, ANN, in_port=2))
    assert last == sent_out(frame(BOB, ANN, in_port=2), 7)


async def test_what_is_learnt_on_one_switch_says_nothing_about_another() -> None:
    app = LearningSwitch()
    (left, _), (right, sent) = recording(datapath_id=1), recording(datapath_id=2)
    await app.packet_in(left, frame(ANN, BROADCAST, in_port=1))
    question = frame(BOB, ANN, in_port=2)
    assert await heard(app, right, sent, question) == [sent_out(question, Port.FLOOD)]


async def test_a_packet_that_the_switch_keeps_is_not_sent_back() -> None:
    app, (datapath, sent) = LearningSwitch(), recording(OF13)
    whole = frame(ANN, BOB, in_port=1)
    kept = PacketIn(9, total_len=1500, match=whole.match, data=whole.data)
    expected: list[Message] = [PacketOut((Output(Port.FLOOD),), b"", 9, whole.match)]
    assert await heard(app, datapath, sent, kept) == expected
