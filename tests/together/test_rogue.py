"""A switch that forges, replays, floods, lies and reconnects: it costs itself, not the others."""

from __future__ import annotations

import logging

import pytest

from controller.topology import Link, SwitchEnd, probes
from controller.topology.probes import NONCE, Probe
from protocol import (
    OF13,
    BarrierReply,
    EchoReply,
    EchoRequest,
    FeaturesReply,
    FlowStatsReply,
    MacAddress,
    Match,
    PacketIn,
    PacketInReason,
    PacketOut,
)

from ..controller.fakes import FakeSwitch
from ..skipping_time import skipping
from .networks import Together, forwarding, story

ROGUE = 99
FLOOD = 3000  # packet-ins at once


def brought(frame: bytes, in_port: int = 1) -> PacketIn:
    """Return the packet_in of a frame."""
    match = Match(in_port=in_port)
    return PacketIn(reason=PacketInReason.ACTION, match=match, data=frame, total_len=len(frame))


async def all_is_well(both: Together, links: set[Link]) -> None:
    """See that the topology is what it was, and that everyone reaches everyone."""
    assert set(both.topology.graph.links.values()) == links
    assert not (await both.ping_all()).lost


async def settled(rogue: FakeSwitch) -> None:
    """Wait until the controller has seen what the rogue said: it asks for an echo in return."""
    rogue.send(EchoRequest(b"there?"))
    while (await rogue.expect(EchoReply)).data != b"there?":
        pass


@story
async def test_forged_probes_make_no_links(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "controller")
    async with forwarding("ring,4", OF13) as both:
        links = set(both.topology.graph.links.values())
        rogue = await FakeSwitch.dial(both.bound, datapath_id=ROGUE, ports=range(1, 4))
        for end in [SwitchEnd(1, 1), SwitchEnd(2, 2), SwitchEnd(ROGUE, 2)]:
            rogue.send(brought(probes.build(b"a guess", Probe(end, bytes(NONCE)), MacAddress(1))))
        await settled(rogue)
        await all_is_well(both, links)
        assert "a forged probe" in caplog.text
        rogue.leave()


@story
async def test_probes_of_its_own_that_come_in_again_make_no_links() -> None:
    async with forwarding("ring,4", OF13) as both:
        links = set(both.topology.graph.links.values())
        rogue = await FakeSwitch.dial(both.bound, datapath_id=ROGUE, ports=range(1, 4))
        sent = [(await rogue.expect(PacketOut)).data for _ in range(3)]
        for _ in range(3):
            rogue.send(*(brought(frame, in_port=1) for frame in sent))
        await settled(rogue)
        # The rogue's own ports may seem to be cabled to one another: that is its own affair.
        others = {
            link
            for link in both.topology.graph.links.values()
            if ROGUE not in (link.src.datapath_id, link.dst.datapath_id)
        }
        assert others == links
        assert not (await both.ping_all()).lost
        rogue.leave()


@story
async def test_a_flood_of_packets_from_made_up_hosts_leaves_the_others_reachable() -> None:
    async with forwarding("tree,2,2", OF13) as both:
        links = set(both.topology.graph.links.values())
        rogue = await FakeSwitch.dial(both.bound, datapath_id=ROGUE, ports=range(1, 4))
        for number in range(FLOOD):
            source = (0x0200_0000_0000 + number).to_bytes(6, "big")
            rogue.send(brought(b"\xff" * 6 + source + b"\x90\x00" + bytes(46)))
        await all_is_well(both, links)
        rogue.leave()


@story
async def test_lies_in_replies_cost_the_rogue_only() -> None:
    async with forwarding("tree,2,2", OF13) as both:
        links = set(both.topology.graph.links.values())
        rogue = await FakeSwitch.dial(both.bound, datapath_id=ROGUE)
        for xid in range(200):
            rogue.send(BarrierReply(), FlowStatsReply(), FeaturesReply(1), xid=xid)
        rogue.say(b"\x04\x0e\x00\x09" + bytes(5))
        await all_is_well(both, links)
        rogue.leave()


@story
async def test_who_connects_again_and_again_disturbs_nobody() -> None:
    async with forwarding("ring,4", OF13) as both:
        links = set(both.topology.graph.links.values())
        for _ in range(50):
            with skipping():  # it has to wait each time, before long
                rogue = await FakeSwitch.dial(both.bound, datapath_id=ROGUE, ports=range(1, 4))
            rogue.vanish()
        await all_is_well(both, links)


@story
async def test_all_of_that_at_once_leaves_the_topology_right_and_everyone_reachable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "controller")
    async with forwarding("ring,4", OF13) as both:
        links = set(both.topology.graph.links.values())
        rogues = [
            await FakeSwitch.dial(both.bound, datapath_id=ROGUE + number, ports=range(1, 4))
            for number in range(3)
        ]
        forged = probes.build(b"a guess", Probe(SwitchEnd(1, 1), bytes(NONCE)), MacAddress(1))
        replayed = (await rogues[0].expect(PacketOut)).data
        for number in range(500):
            source = (0x0200_0000_0000 + number).to_bytes(6, "big")
            flood = brought(b"\xff" * 6 + source + b"\x90\x00" + bytes(46))
            rogues[0].send(flood, brought(forged), brought(replayed, in_port=2))
            rogues[1].send(BarrierReply(), FlowStatsReply(flags=1), FeaturesReply(1), xid=number)
            if number % 10 == 0:
                rogues[2].vanish()
                with skipping():
                    rogues[2] = await FakeSwitch.dial(both.bound, datapath_id=ROGUE + 2)
        assert not (await both.ping_all()).lost
        others = {
            link
            for link in both.topology.graph.links.values()
            if max(link.src.datapath_id, link.dst.datapath_id) < ROGUE
        }
        assert others == links
        assert "a forged probe" in caplog.text
        for rogue in rogues:
            rogue.leave()
