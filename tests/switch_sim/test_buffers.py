"""Packets that wait for the controller."""

from __future__ import annotations

import pytest

from protocol import NO_BUFFER, BadRequestCode
from switch_sim.buffers import BufferedPacket, PacketBuffers
from switch_sim.refused import Refused

PACKET = BufferedPacket(b"frame", in_port=1)


def test_a_kept_packet_can_be_taken_once() -> None:
    buffers = PacketBuffers(2)
    buffer_id = buffers.keep(PACKET)
    assert buffers.take(buffer_id) == PACKET
    with pytest.raises(Refused) as refusal:
        buffers.take(buffer_id)
    assert refusal.value.code == BadRequestCode.BUFFER_EMPTY


def test_a_number_that_was_never_given_out_is_unknown() -> None:
    with pytest.raises(Refused) as refusal:
        PacketBuffers(2).take(77)
    assert refusal.value.code == BadRequestCode.BUFFER_UNKNOWN


def test_the_oldest_packet_makes_room() -> None:
    buffers = PacketBuffers(2)
    first, *_ = [buffers.keep(PACKET) for _ in range(3)]
    assert len(buffers) == 2
    with pytest.raises(Refused):
        buffers.check(first)


def test_a_switch_without_buffers_keeps_nothing() -> None:
    assert PacketBuffers(0).keep(PACKET) == NO_BUFFER
