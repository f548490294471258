"""Sockets that are ready are called in groups, and none of them gets in another's way."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import select
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import count, pairwise
from typing import Any

import pytest

from controller import Datapath, recorder
from controller.channel import Channel
from controller.readiness import FEW, GROUP, GROUPS, LATEST, READ, WRITE, Readiness
from protocol import OF13, Closed, Connection, Event, Hello, Opened, PacketIn
from protocol.endpoint import Endpoint

from .fakes import FakeSwitch, Recorder, eventually, serving

needs_epoll = pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")

WAYS = [pytest.param(1, id="grouped", marks=needs_epoll), pytest.param(sys.maxsize, id="by one")]


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

    def ready(self, fd: int, events: int) -> None:
        assert fd == self.here.fileno()
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

    def close(self) -> None:
        for ends in self.made:
            ends.here.close()
            ends.there.close()

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
    yield from _several(Readiness(request.param))


@pytest.fixture
def grouped() -> Iterator[Several]:
    """Return sockets that are waited for in groups."""
    yield from _several(Readiness(1))


def _several(way: Readiness) -> Iterator[Several]:
    made = Several(way)
    yield made
    made.close()


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
            new = Ends(several.way, several.calls)
            several.made.append(new)
            if new.here.fileno() != number:  # the system gave it another one that was free
                os.dup2(new.here.fileno(), number)
                new.here.close()
                new.here = socket.socket(fileno=number)
            new.wait()
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


# What comes next


class Steps:
    """Notes what sockets do: they read, then they handle, then they write."""

    def __init__(self, several: Several) -> None:
        self.done: list[str] = []
        self._way = several.way
        for ends in several.two():
            ends.then = lambda ends=ends: self._read(ends)

    def _read(self, ends: Ends) -> None:
        ends.read()
        self.done.append("read")
        self._way.then((self._handle, "handle"))

    def _handle(self, handle: str) -> None:
        self.done.append(handle)
        self._way.then((self._write, "write"))

    def _write(self, write: str) -> None:
        self.done.append(write)
        self._way.then((self.done.append, "end"))


@needs_epoll
async def test_a_group_does_each_step_for_all_before_the_next(grouped: Several) -> None:
    steps = Steps(grouped)
    await eventually(lambda: len(steps.done) == 8)
    assert steps.done == ["read", "read", "handle", "handle", "write", "end", "write", "end"]


@needs_epoll
async def test_what_was_handled_does_not_wait_for_those_of_its_group_that_take_long(
    grouped: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=2 * LATEST)
    monkeypatch.setattr("controller.readiness.monotonic", lambda: next(clock))
    steps = Steps(grouped)
    await eventually(lambda: len(steps.done) == 8)
    assert steps.done == ["read", "read", *["handle", "write", "end"] * 2]


@pytest.mark.parametrize("sockets", [2, 3])
async def test_fewer_than_a_few_do_all_steps_one_after_the_other(sockets: int) -> None:
    several = Several(Readiness(3))
    for _ in range(sockets - 2):
        several.make()
    steps = Steps(several)
    await eventually(lambda: len(steps.done) == 8)
    assert steps.done == ["read", "handle", "write", "end"] * 2
    several.close()


async def test_where_nobody_is_called_the_next_step_is_done_at_once(several: Several) -> None:
    done: list[str] = []
    several.way.then((done.append, "done"))
    assert done == ["done"]


@needs_epoll
async def test_a_step_that_fails_is_told_and_the_others_are_done(grouped: Several) -> None:
    told, done = faults(), []

    def fail(_: None) -> None:
        done.append("failed")
        raise ValueError("a mistake")

    for one in grouped.two():
        one.then = lambda one=one: (one.read(), grouped.way.then((fail, None)))
    await eventually(lambda: len(done) == 2)
    assert [str(context["exception"]) for context in told] == ["a mistake", "a mistake"]


class EndOfAll(BaseException):
    """What is no Exception, such as the wish that the program ends."""


@needs_epoll
async def test_the_next_steps_are_done_whatever_ends_the_call_before(grouped: Several) -> None:
    told, one, done = faults(), grouped.make(), []

    def end() -> None:
        one.read()
        grouped.way.then((done.append, "done"))
        raise EndOfAll

    one.then = end
    one.there.send(b"a")
    await eventually(lambda: bool(told))
    assert done == ["done"]


@needs_epoll
async def test_whatever_ends_a_step_the_next_one_to_come_is_done(grouped: Several) -> None:
    told, one, done = faults(), grouped.make(), []

    def end(_: None) -> None:
        raise EndOfAll

    one.then = lambda: (one.read(), grouped.way.then((end, None)))
    one.there.send(b"a")
    await eventually(lambda: bool(told))
    grouped.way.then((done.append, "done"))
    assert done == ["done"]


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
async def test_who_was_called_by_the_loop_is_called_in_a_group_when_a_few_came() -> None:
    several = Several(Readiness(3))
    first, second = several.two()
    await several.call(2)
    several.way.update(second.here, 0)
    third = several.make()
    for one in (first, second, third):
        one.there.send(b"x")
    await several.call(4)
    await several.nobody_is_called()
    assert (len(first.data), len(second.data), len(third.data)) == (2, 1, 1)
    several.way.update(second.here, READ)
    await several.call(5)
    assert second.data == [b"b", b"x"]
    several.close()


@needs_epoll
async def test_where_no_file_is_left_for_an_epoll_the_loop_goes_on_until_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    several = Several(Readiness(2))
    with monkeypatch.context() as patch:
        patch.setattr(select, "epoll", fail)
        first, second = several.two()
        await several.call(2)
    steps = Steps(several)
    await eventually(lambda: len(steps.done) == 8)
    assert first.data == [b"a"]
    assert second.data == [b"b"]
    assert steps.done[:2] == ["read", "read"]
    several.close()


@needs_epoll
async def test_no_file_stays_open_when_the_last_was_removed() -> None:
    way = Readiness(1)
    gc.collect()  # files that earlier tests left would be closed meanwhile
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


# Switches


async def test_where_there_is_no_epoll_the_loop_waits_and_switches_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(select, "epoll", raising=False)
    app = Recorder()
    async with serving(app) as (_, at):
        switches = [await FakeSwitch.dial(at, datapath_id=number + 1) for number in range(FEW)]
        for switch in switches:
            switch.send(PacketIn(), PacketIn())
        await app.until("packet_in", 2 * FEW)
        for switch in switches:
            switch.leave()
        await app.until("switch_gone", FEW)


@needs_epoll
async def test_what_many_do_together_goes_on_step_by_step_and_what_few_do_one_by_one() -> None:
    way, done = Readiness(3), []

    def meet(number: int) -> None:
        done.append(f"meet{number}")
        way.then((hear, number))

    def hear(number: int) -> None:
        done.append(f"hear{number}")
        way.then((write, number))

    def write(number: int) -> None:
        done.append(f"write{number}")

    way.do([(meet, number) for number in range(3)])
    assert done == [f"{name}{number}" for name in ("meet", "hear", "write") for number in range(3)]
    done.clear()
    way.do([(meet, number) for number in (1, 2)])
    assert done == ["meet1", "hear1", "write1", "meet2", "hear2", "write2"]


async def test_one_that_fails_leaves_the_others_their_steps() -> None:
    told, way, done = faults(), Readiness(), []

    def step(number: int) -> None:
        way.then((done.append, 1 / number))

    way.do([(step, number) for number in range(FEW)])
    assert done == [1 / number for number in range(1, FEW)]
    assert [type(one["exception"]) for one in told] == [ZeroDivisionError]


class Hearing:
    """Owns a channel; `then` is what it does when it hears something."""

    def __init__(self, way: Readiness) -> None:
        here, self.there = socket.socketpair()
        self.channel = Channel(here, "a switch", Connection, recorder.Recorder(), way)
        self.heard: list[Event] = []
        self.then: Callable[[], object] = lambda: None
        self.busy = False
        self.channel.start(self)

    def receive(self, events: Sequence[Event]) -> None:
        self.heard += events
        if not isinstance(events[-1], Closed):
            self.then()

    def late(self) -> None:
        raise AssertionError("nothing was expected")


@needs_epoll
async def test_what_was_read_of_a_channel_that_another_of_its_group_closes_is_not_heard() -> None:
    way = Readiness(1)
    two = Hearing(way), Hearing(way)
    for one, other in (two, two[::-1]):
        one.then = lambda other=other: other.channel.close("another took its place")
        one.there.send(Hello().encode(OF13))
    await eventually(lambda: two[0].channel.closed or two[1].channel.closed)
    await asyncio.sleep(0)
    heard = sorted([[type(event) for event in one.heard] for one in two], key=str)
    assert heard == [[Closed], [Opened]]
    for one in two:
        if not one.channel.closed:
            one.channel.close("the test is over")
        one.there.close()


async def test_handlers_run_in_the_context_of_who_listens() -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")

    class Asked(Recorder):
        async def switch_ready(self, datapath: Datapath) -> None:
            found[datapath.datapath_id] = who.get()
            await super().switch_ready(datapath)

    found: dict[int, str] = {}
    app = Asked()
    async with serving(app) as (controller, _):
        switches = []
        for name in ("a", "b"):
            who.set(name)
            at = await controller.listen(Endpoint("ptcp", "127.0.0.1", 0))
            for _ in range(FEW):
                number = len(switches) + 1
                switches.append(await FakeSwitch.dial(at, datapath_id=number))
        await app.until("switch_ready", 2 * FEW)
        for switch in switches:
            switch.leave()
    assert [found[number + 1] for number in range(2 * FEW)] == ["a"] * FEW + ["b"] * FEW
