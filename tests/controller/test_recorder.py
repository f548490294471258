"""The recorder: bounded, in order, whole messages whatever the pieces they came in."""

from __future__ import annotations

import gc

from controller.recorder import Joiner, Note, Recorder, Tape, whole_messages
from protocol import OF13, BarrierReply, BarrierRequest, EchoRequest, Message

TAPE, OTHER = Tape("127.0.0.1:1"), Tape("127.0.0.1:2")


def note(data: bytes, tape: Tape = TAPE, from_switch: bool = True, begins: bool = True) -> Note:
    """Return a note of something that was read, or with `from_switch=False` written."""
    return Note(1.0, tape, from_switch, begins, data)


def data(*messages: Message) -> bytes:
    """Return messages as they are on the wire."""
    return b"".join(one.encode(OF13) for one in messages)


def heard(notes: list[Note]) -> list[Message]:
    """Return the messages in notes."""
    return [said.message() for said in whole_messages(notes)]


ONE, TWO = EchoRequest(b"one", xid=1), BarrierRequest(xid=2)


def test_messages_that_came_at_once_are_told_apart() -> None:
    assert heard([note(data(ONE, TWO))]) == [ONE, TWO]


def test_a_message_that_came_in_pieces_is_put_together() -> None:
    raw = data(ONE, TWO)
    pieces = [note(raw[:5]), note(raw[5:12], begins=False), note(raw[12:], begins=False)]
    assert heard(pieces) == [ONE, TWO]


def test_the_two_directions_and_other_channels_do_not_mix() -> None:
    raw = data(ONE)
    between = [note(data(TWO), from_switch=False), note(data(TWO), OTHER)]
    assert heard([note(raw[:5]), *between, note(raw[5:], begins=False)]) == [TWO, TWO, ONE]


def test_the_rest_of_a_message_whose_beginning_is_gone_is_passed_over() -> None:
    raw = data(ONE)
    assert heard([note(raw[5:], begins=False), note(data(TWO))]) == [TWO]


def test_the_oldest_go_where_there_is_no_room() -> None:
    recorder = Recorder(limit=10_000)
    for xid in range(1000):
        recorder.note(*note(data(BarrierRequest(xid=xid))))
    xids = [said.message().xid for said in whole_messages(recorder.notes())]
    assert xids == list(range(1000 - len(xids), 1000))
    assert 10 < len(xids) < 60


def test_what_is_kept_costs_nothing_where_python_looks_for_garbage() -> None:
    recorder = Recorder()
    recorder.note(*note(data(ONE)))
    gc.collect()
    assert not any(map(gc.is_tracked, recorder._notes))


def test_what_was_sent_is_found_by_its_xid() -> None:
    recorder = Recorder()
    recorder.note(*note(data(BarrierRequest(xid=2)), OTHER, from_switch=False))
    recorder.note(*note(data(ONE, TWO), from_switch=False))
    recorder.note(*note(data(BarrierReply(xid=2))))
    assert recorder.sent(TAPE, 2) == TWO
    assert recorder.sent(TAPE, 3) is None


def test_a_message_that_was_sent_long_ago_is_not_searched_for_ever() -> None:
    recorder = Recorder()
    recorder.note(*note(data(ONE), from_switch=False))
    for _ in range(300):
        recorder.note(*note(data(TWO), from_switch=False))
    assert recorder.sent(TAPE, 1) is None


def test_a_follower_hears_what_comes_until_it_ends() -> None:
    recorder, found = Recorder(), list[Note]()
    end = recorder.follow(found.append)
    recorder.note(*note(data(ONE)))
    end()
    recorder.note(*note(data(TWO)))
    assert heard(found) == [ONE]


def test_a_length_that_cannot_be_ends_nothing_but_its_own_piece() -> None:
    joiner = Joiner()
    assert list(joiner.add(note(bytes(8)))) == []
    assert [said.message() for said in joiner.add(note(data(TWO)))] == [TWO]
