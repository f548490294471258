"""Who listens hears all of it once, in order; what was left out for a slow one is counted."""

from __future__ import annotations

import asyncio

import pytest

from controller.conversation import listener as listening
from controller.conversation.listener import Listener
from controller.recorder import Note, Recorder
from protocol import OF13, BarrierRequest

from .builders import tape

TAPE = tape()


def note(xid: int, begin: int = 0, end: int | None = None) -> Note:
    """Return a note of a message, or of some of its bytes."""
    return Note(1.0, TAPE, True, begin == 0, BarrierRequest(xid=xid).encode(OF13)[begin:end])


def recorder(*xids: int) -> Recorder:
    """Return a recorder that keeps messages with these xids."""
    found = Recorder()
    for xid in xids:
        found.note(*note(xid))
    return found


async def heard(listener: Listener, count: int) -> list[tuple[int, int]]:
    """Return the xids of some messages, each with what was left out before it."""
    found: list[tuple[int, int]] = []
    async for one, missed in listener.heard(follow=True):
        found.append((one.message().xid, missed))
        if len(found) == count:
            return found
    return found


async def test_what_is_kept_comes_first_and_then_what_was_said_meanwhile() -> None:
    kept = recorder(1, 2)
    with Listener(kept) as listener:
        kept.note(*note(3))
        assert await heard(listener, 3) == [(1, 0), (2, 0), (3, 0)]


async def test_who_does_not_follow_hears_the_end() -> None:
    with Listener(recorder(1, 2)) as listener:
        assert [one.tape async for one, _ in listener.heard(follow=False)] == [TAPE, TAPE]


async def test_a_message_in_two_pieces_of_which_one_is_kept_is_heard() -> None:
    kept = Recorder()
    kept.note(*note(5, end=4))
    with Listener(kept) as listener:
        kept.note(*note(5, begin=4))
        assert await heard(listener, 1) == [(5, 0)]


async def test_what_a_slow_listener_misses_is_counted_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "MAX_WAITING", 2)
    kept = recorder()
    with Listener(kept) as listener:
        for xid in range(1, 6):
            kept.note(*note(xid))
        assert await heard(listener, 2) == [(1, 0), (2, 0)]
        kept.note(*note(6))
        assert await heard(listener, 1) == [(6, 3)]


async def test_pieces_from_before_a_gap_are_not_joined_with_what_follows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "MAX_WAITING", 1)
    kept = recorder()
    with Listener(kept) as listener:
        telling = listener.heard(follow=True)
        first = asyncio.ensure_future(anext(telling))
        kept.note(*note(1, end=4))
        kept.note(*note(2))  # is left out: the piece fills what may wait
        await asyncio.sleep(0)
        kept.note(*note(3, begin=4))  # the rest of a message that began in the gap
        await asyncio.sleep(0)
        kept.note(*note(4))
        found, missed = await first
        assert (found.message(), missed) == (BarrierRequest(xid=4), 1)


async def test_others_get_their_turn_while_old_messages_are_told() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    with Listener(recorder(*range(1000))) as listener:
        count = len([one async for one in listener.heard(follow=False)])
    task.cancel()
    assert count == 1000
    assert turns >= 10


async def test_a_listener_that_leaves_is_told_nothing_more() -> None:
    kept = recorder()
    with Listener(kept) as listener:
        pass
    kept.note(*note(1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await heard(listener, 1)
