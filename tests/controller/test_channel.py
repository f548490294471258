"""What a channel waits for on behalf of its owner."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from controller.channel import Channel
from controller.readiness import Readiness
from controller.recorder import Recorder
from protocol import Connection, Event

from .fakes import eventually


class Expecting:
    """Owns a channel, and notes whether it was late."""

    busy = False

    def __init__(self) -> None:
        here, self.there = socket.socketpair()
        self.channel = Channel(here, "a switch", Connection, Recorder(), Readiness())
        self.was_late = False
        self.channel.start(self)

    def receive(self, events: Sequence[Event]) -> None: ...

    def late(self) -> None:
        self.was_late = True

    def close(self) -> None:
        self.channel.close("the test ends")
        self.there.close()


async def test_an_owner_hears_that_what_it_expects_is_late_though_the_timer_was_set_for_later() -> (
    None
):
    owner = Expecting()
    owner.channel.expect(0.001)
    await eventually(lambda: owner.was_late)
    owner.close()


async def test_an_owner_hears_nothing_where_what_it_expected_came() -> None:
    owner, other = Expecting(), Expecting()
    owner.channel.expect(0)
    owner.channel.expect_nothing()
    other.channel.expect(0.001)
    await eventually(lambda: other.was_late)
    assert not owner.was_late
    owner.close()
    other.close()
