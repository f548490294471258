"""What a controller tells of its recorder comes out as it went in."""

from __future__ import annotations

import pytest

from controller.conversation import telling
from controller.conversation.telling import as_answer, from_answers
from controller.recorder import Said, Tape
from protocol import OF13, BarrierRequest

from .builders import tape

UNIX = "a Unix socket"


def said(channel: Tape, xid: int = 1) -> Said:
    """Return a message over a channel."""
    return Said(1.5, channel, True, BarrierRequest(xid=xid).encode(OF13))


def test_a_message_comes_out_as_it_went_in() -> None:
    before = said(tape(0xABC))
    ((after, missed),) = from_answers([as_answer(before, missed=3)])
    assert (after.at, after.from_switch, after.data, missed) == (1.5, True, before.data, 3)
    assert (after.tape.peer, after.tape.datapath_id) == (before.tape.peer, 0xABC)


def test_channels_are_told_apart_even_where_their_peers_are_called_alike() -> None:
    one, other = tape(peer=UNIX), tape(peer=UNIX)
    found = [
        after.tape for after, _ in from_answers(as_answer(said(x), 0) for x in (one, other, one))
    ]
    assert found[0] is found[2]
    assert found[0] is not found[1]


def test_a_datapath_id_that_becomes_known_is_the_channels() -> None:
    channel = tape(None)
    first = as_answer(said(channel), 0)
    channel.datapath_id = 7
    (before, _), _ = from_answers([first, as_answer(said(channel), 0)])
    assert before.tape.datapath_id == 7


def test_of_too_many_channels_the_one_silent_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "MAX_CHANNELS", 2)
    one, two, three = tape(), tape(), tape()
    spoken = [as_answer(said(x), 0) for x in (one, two, one, three, one, two)]
    found = [after.tape for after, _ in from_answers(spoken)]
    assert found[0] is found[2] is found[4]
    assert found[1] is not found[5]
