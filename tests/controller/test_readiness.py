"""Sockets that are ready are called in groups, and none of them gets in another's way."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import pairwise
from typing import Any

import pytest

from controller.readiness import GROUP, GROUPS, READ, WRITE, Grouped, Readiness, Single
from protocol import PacketIn

from .fakes import FakeSwitch, Recorder, eventually, serving

needs_epoll = pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")

WAYS = [pytest.param(Grouped, marks=needs_epoll), Single]


class Ends:
    """Two ends of a connection: what comes to one of them is noted."""

    def __init__(self, way: Readiness, calls: list[Ends]) -> None:
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.way, self.calls = way, calls
        self.then: Callable[[], object] = self.read
        self.events: list[int] = []
        self.data: list[bytes] = []

    def wait(self, interest: int = READ) -> None:
        self.way.add(self.here, self.ready, interest)

    def ready(self, events: int) -> None:
        self.calls.append(self)
        self.events.append(events)
        self.then()

    def read(self) -> None:
        self.data.append(self.here.recv(100))

    def remove(self) -> None:
        self.way.remove(self.here)
        self.here.close()


class Several:
    """Ends that one loop waits for, in the order in which they are called."""

    def __init__(self, way: Readiness) -> None:
        self.way = way
        self.calls: list[Ends] = []
        self.made: list[Ends] = []

    def make(self, interest: int = READ) -> Ends:
        ends = Ends(self.way, self.calls)
        self.made.append(ends)
        ends.wait(interest)
        return ends

    def two(self) -> tuple[Ends, Ends]:
        """Return two that can be read at once; which is called first is the system's affair."""
        one, other = self.make(), self.make()
        one.there.send(b"a")
        other.there.send(b"b")
        return one, other

    async def call(self, times: int = 1) -> None:
        """Wait until they were called so often."""
        await eventually(lambda: len(self.calls) >= times)

    async def nobody_is_called(self) -> None:
        """See that the loop has turned for another socket while none of these was called."""
        before, witness = list(self.calls), Ends(self.way, [])
        witness.wait()
        for _ in range(3):
            witness.there.send(b"x")
            await eventually(lambda: bool(witness.data))
            witness.data.clear()
        witness.remove()
        witness.there.close()
        assert self.calls == before


@pytest.fixture(params=WAYS)
def several(request: pytest.FixtureRequest) -> Iterator[Several]:
    """Return sockets that are waited for in each of the ways."""
    yield from _several(request.param())


@pytest.fixture
def grouped() -> Iterator[Several]:
    """Return sockets that are waited for in groups."""
    yield from _several(Grouped())


def _several(way: Readiness) -> Iterator[Several]:
    made = Several(way)
    yield made
    for ends in made.made:
        ends.here.close()
        ends.there.close()


def faults() -> list[dict[str, Any]]:
    """Return what the loop is told of errors from now on."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


# Who is called


async def test_who_can_be_read_is_called_again_and_again_until_it_was_read(
    several: Several,
) -> None:
    one = several.make()
    one.there.send(b"ab")
    one.then = lambda: one.data.append(one.here.recv(1))
    await several.call(2)
    await several.nobody_is_called()
    assert one.events == [READ, READ]
    assert one.data == [b"a", b"b"]


async def test_who_wants_to_write_is_called_as_long_as_it_can(several: Several) -> None:
    one = several.make(WRITE)
    one.then = lambda: len(one.events) == 3 and several.way.update(one.here, READ)
    await several.call(3)
    await several.nobody_is_called()
    assert one.events == [WRITE, WRITE, WRITE]


async def test_who_waits_for_both_is_told_which_of_them_it_can(several: Several) -> None:
    one = several.make(READ | WRITE)
    one.then = lambda: several.way.update(one.here, READ)
    await several.call()
    one.then = one.read
    one.there.send(b"a")
    await several.call(2)
    assert one.events == [WRITE, READ]


async def test_who_waits_for_nothing_is_called_when_it_waits_again(several: Several) -> None:
    one = several.make()
    several.way.update(one.here, 0)
    one.there.send(b"a")
    await several.nobody_is_called()
    several.way.update(one.here, READ)
    await several.call()
    assert one.data == [b"a"]


async def test_who_waits_for_nothing_is_not_told_that_the_other_side_hung_up(
    several: Several,
) -> None:
    one = several.make(0)
    one.there.close()
    await several.nobody_is_called()


async def test_who_waits_to_read_or_to_write_is_told_of_just_that_when_it_breaks(
    several: Several,
) -> None:
    reader, writer = several.make(READ), several.make(WRITE)
    for one in (reader, writer):
        one.then = lambda one=one: several.way.update(one.here, 0)
        one.there.close()
    await several.call(2)
    assert (reader.events, writer.events) == ([READ], [WRITE])


async def test_who_was_removed_is_not_called_and_may_be_removed_twice(several: Several) -> None:
    one = several.make()
    one.there.send(b"a")
    several.way.remove(one.here)
    several.way.remove(one.here)
    await several.nobody_is_called()


async def test_each_is_called_in_the_context_of_who_added_it(several: Several) -> None:
    who = ContextVar("who", default="nobody")
    found = set()
    for name in ("a", "b"):
        who.set(name)
        one = several.make()
        one.then = lambda one=one, name=name: found.add((name, who.get(), one.read()))
        one.there.send(b"x")
    who.set("c")
    await several.call(2)
    assert found == {("a", "a", None), ("b", "b", None)}


# One and the others


async def test_what_one_raises_is_told_as_the_loop_does_and_the_others_are_called(
    several: Several,
) -> None:
    told, (one, other) = faults(), several.two()

    def fail() -> None:
        one.read()
        raise ValueError("a mistake")

    one.then = fail
    await several.call(2)
    assert other.data == [b"b"]
    assert [str(context["exception"]) for context in told] == ["a mistake"]


async def test_what_one_raises_does_not_let_the_others_of_its_group_wait(grouped: Several) -> None:
    faults()
    calls: list[int] = []

    def fail() -> None:
        asyncio.get_running_loop().call_soon(lambda: calls.append(len(grouped.calls)))
        raise ValueError("a mistake")

    for one in grouped.two():
        one.then = fail
    await eventually(lambda: bool(calls))
    assert calls[0] == 2


@pytest.mark.parametrize("interest", [None, 0], ids=["removed", "paused"])
async def test_one_that_an_earlier_one_stopped_is_not_called(
    several: Several, interest: int | None
) -> None:
    two = several.two()
    for one, other in (two, two[::-1]):

        def stop(one: Ends = one, other: Ends = other) -> None:
            one.read()
            if interest is None:
                other.remove()
            else:
                several.way.update(other.here, interest)

        one.then = stop
    await several.call()
    await several.nobody_is_called()
    assert len(several.calls) == 1


async def test_a_new_socket_is_not_called_for_what_came_to_an_older_one_with_its_number(
    several: Several,
) -> None:
    two, replaced = several.two(), []
    for one, other in (two, two[::-1]):

        def replace(one: Ends = one, other: Ends = other) -> None:
            one.read()
            number = other.here.fileno()
            other.remove()
            new = several.make()
            replaced.append((number, new))

        one.then = replace
    await several.call()
    await several.nobody_is_called()
    [(number, new)] = replaced
    assert new.here.fileno() == number
    new.there.send(b"c")
    await eventually(lambda: new.data == [b"c"])


async def test_one_whose_wish_was_changed_in_its_group_is_called_for_what_it_wants_now(
    grouped: Several,
) -> None:
    two = grouped.two()
    for one, other in (two, two[::-1]):

        def change(one: Ends = one, other: Ends = other) -> None:
            one.read()
            other.then = lambda: grouped.way.update(other.here, 0)
            grouped.way.update(other.here, WRITE)

        one.then = change
    await grouped.call(2)
    first, second = grouped.calls
    assert (first.events, second.events) == ([READ], [WRITE])


# What is wanted soon


async def test_what_is_wanted_soon_comes_after_all_that_are_ready(grouped: Several) -> None:
    done: list[str] = []
    for one in grouped.two():
        one.then = lambda one=one: (
            one.read(),
            done.append("ready"),
            grouped.way.soon(lambda: done.append("soon")),
        )
    await grouped.call(2)
    assert done == ["ready", "ready", "soon", "soon"]


async def test_what_is_wanted_soon_comes_in_the_same_turn_of_the_loop(several: Several) -> None:
    one = several.make()
    one.there.send(b"a")
    done: list[str] = []

    def ready() -> None:
        one.read()
        asyncio.get_running_loop().call_soon(done.append, "the loop's next turn")
        several.way.soon(lambda: done.append("soon"))

    one.then = ready
    await eventually(lambda: len(done) == 2)
    assert done == ["soon", "the loop's next turn"]


async def test_what_is_wanted_soon_while_nobody_is_called_comes_soon(several: Several) -> None:
    done: list[str] = []
    several.way.soon(lambda: done.append("soon"))
    assert not done
    await asyncio.sleep(0)
    assert done == ["soon"]


async def test_who_wants_to_be_called_soon_over_and_over_does_not_stop_the_loop(
    several: Several,
) -> None:
    one, times = several.make(), 0

    def again() -> None:
        nonlocal times
        times += 1
        if times < 100:
            several.way.soon(again)

    one.then = lambda: (one.read(), again())
    one.there.send(b"a")
    await several.call()
    assert times < 100
    await eventually(lambda: times == 100)


async def test_what_fails_among_that_is_told_and_the_rest_is_done(several: Several) -> None:
    told, one, done = faults(), several.make(), []

    def fail() -> None:
        raise ValueError("a mistake")

    def ready() -> None:
        one.read()
        several.way.soon(fail)
        several.way.soon(lambda: done.append("the rest"))

    one.then = ready
    one.there.send(b"a")
    await eventually(lambda: bool(done))
    assert [str(context["exception"]) for context in told] == ["a mistake"]


async def test_what_was_wanted_soon_is_done_whatever_ends_the_call_before(
    several: Several,
) -> None:
    told, one, done = faults(), several.make(), []

    def end() -> None:
        one.read()
        several.way.soon(lambda: done.append("soon"))
        raise asyncio.CancelledError

    one.then = end
    one.there.send(b"a")
    await several.call()
    assert done == ["soon"]
    assert len(told) == 1


# Turns


@needs_epoll
async def test_others_get_their_turn_however_many_stay_ready(grouped: Several) -> None:
    for _ in range(GROUP + 1):
        one = grouped.make()
        one.then = lambda: None
        one.there.send(b"x")
    turns: list[int] = []
    loop = asyncio.get_running_loop()

    def note() -> None:
        turns.append(len(grouped.calls))
        if len(turns) < 10:
            loop.call_later(0, note)

    note()
    await eventually(lambda: len(turns) == 10)
    called = [after - before for before, after in pairwise(turns)]
    assert max(called) <= 2 * GROUP * GROUPS
    assert len({*grouped.calls}) == GROUP + 1


@needs_epoll
async def test_no_file_stays_open_when_the_last_was_removed() -> None:
    way = Grouped()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        several = Several(way)
        one, other = several.two()
        await several.call(2)
        for ends in (one, other):
            ends.remove()
            ends.there.close()
        assert len(os.listdir("/proc/self/fd")) == before


@needs_epoll
async def test_the_last_may_be_removed_while_others_wait_for_their_call(grouped: Several) -> None:
    two = grouped.two()
    for one in two:
        one.then = lambda: [ends.remove() for ends in two]
    await grouped.call()
    await grouped.nobody_is_called()
    assert len(grouped.calls) == 1


# Systems


async def test_where_there_is_no_epoll_the_loop_waits_and_switches_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(select, "epoll", raising=False)
    app = Recorder()
    async with serving(app) as (controller, at):
        assert isinstance(controller.readiness, Single)
        switch = await FakeSwitch.dial(at)
        switch.send(PacketIn(), PacketIn())
        await app.until("packet_in", 2)
        switch.leave()
        await app.until("switch_gone")
