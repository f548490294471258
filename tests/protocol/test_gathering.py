"""Multipart messages on a channel: their parts, and those that never end."""

from __future__ import annotations

import pytest

from protocol import (
    OF13,
    BadRequestCode,
    ErrorMsg,
    Event,
    ExperimenterMultipartReply,
    FlowStatsReply,
    MultipartFlags,
    PortDesc,
    PortDescReply,
    Unreadable,
)
from protocol.multipart import Gatherer

from .channels import opened, said

MORE = MultipartFlags.MORE


def part(number: int, xid: int = 1, flags: MultipartFlags | int = MORE) -> bytes:
    return PortDescReply((PortDesc(number),), flags=flags, xid=xid).encode(OF13)


def numbers(message: Event) -> list[int]:
    assert isinstance(message, PortDescReply)
    return [port.port_no for port in message.ports]


def test_parts_become_one_message() -> None:
    connection = opened(OF13)
    assert connection.receive_data(part(1) + part(2), 0) == []
    (whole,) = connection.receive_data(part(3, flags=0), 0)
    assert numbers(whole) == [1, 2, 3]
    assert isinstance(whole, PortDescReply)
    assert (whole.xid, whole.flags) == (1, 0)


def test_parts_of_several_messages_may_alternate() -> None:
    connection = opened(OF13)
    data = part(1, xid=1) + part(8, xid=2) + part(2, xid=1) + part(9, xid=2, flags=0)
    events = connection.receive_data(data + part(3, xid=1, flags=0), 0)
    assert [numbers(event) for event in events] == [[8, 9], [1, 2, 3]]


def test_bytes_of_experimenters_are_joined_too() -> None:
    connection = opened(OF13)
    parts = [ExperimenterMultipartReply(1, 2, data, flags=MORE) for data in (b"a", b"b")]
    last = ExperimenterMultipartReply(1, 2, b"c")
    (whole,) = connection.receive_data(b"".join(one.encode(OF13) for one in (*parts, last)), 0)
    assert whole == ExperimenterMultipartReply(1, 2, b"abc")


def test_a_message_whose_type_changes_on_the_way_is_refused_once_and_forgotten() -> None:
    connection = opened(OF13)
    other = FlowStatsReply(flags=MORE, xid=1).encode(OF13)
    events = connection.receive_data(part(1) + other + part(2) + other + part(3, flags=0), 0)
    assert [type(event) for event in events] == [Unreadable]
    (error,) = said(connection)
    assert isinstance(error, ErrorMsg)
    assert (error.code, error.xid) == (BadRequestCode.BAD_MULTIPART, 1)
    assert [numbers(one) for one in connection.receive_data(part(4, flags=0), 0)] == [[4]]


def test_too_many_bytes_are_refused_once_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, size = opened(OF13), len(part(1))
    monkeypatch.setattr(Gatherer, "MAX_GATHERED", 3 * size)
    assert connection.receive_data(part(1, xid=1) + part(2, xid=2) + part(3, xid=2), 0) == []
    assert [type(event) for event in connection.receive_data(part(4, xid=2), 0)] == [Unreadable]
    assert connection.receive_data(part(5, xid=2) + part(6, xid=2, flags=0), 0) == []
    (error,) = said(connection)
    assert isinstance(error, ErrorMsg)
    assert (error.code, error.xid) == (BadRequestCode.MULTIPART_BUFFER_OVERFLOW, 2)
    (whole,) = connection.receive_data(part(7, xid=1, flags=0), 0)
    assert numbers(whole) == [1, 7]
    assert connection._gatherer._size == 0


def test_of_too_many_unfinished_messages_the_one_that_waits_longest_is_given_up() -> None:
    connection, last = opened(OF13), Gatherer.MAX_UNFINISHED + 1
    for xid in range(1, last):
        assert connection.receive_data(part(xid, xid), 0) == []
    assert connection.receive_data(part(100, xid=1) + part(last, last), 0) == []
    events = connection.receive_data(part(200, xid=2) + part(201, xid=2, flags=0), 0)
    assert [type(event) for event in events] == [Unreadable]
    finished = [part(300, xid, flags=0) for xid in (1, 3, last)]
    wholes = connection.receive_data(b"".join(finished), 0)
    assert [numbers(whole) for whole in wholes] == [[1, 100, 300], [3, 300], [last, 300]]


def test_parts_without_an_end_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gatherer, "MAX_GIVEN_UP", 100)
    gatherer = Gatherer()
    for xid in range(1000):
        gatherer.add(PortDescReply((PortDesc(1),), flags=MORE, xid=xid), 80)
    assert len(gatherer._unfinished) == Gatherer.MAX_UNFINISHED
    assert len(gatherer._given_up) == 100
    assert gatherer._size == 80 * Gatherer.MAX_UNFINISHED


def test_what_has_nothing_to_gather_passes_as_it_is() -> None:
    connection = opened(OF13)
    request = ExperimenterMultipartReply(1, 2, b"whole", xid=4)
    assert connection.receive_data(request.encode(OF13), 0) == [request]


def test_parts_of_a_message_that_is_wanted_so_come_one_by_one_up_to_its_last() -> None:
    connection = opened(OF13)
    connection.pass_parts(1)
    data = part(1, xid=1) + part(8, xid=2) + part(2, xid=1) + part(3, xid=1, flags=0)
    assert [numbers(event) for event in connection.receive_data(data, 0)] == [[1], [2], [3]]
    again = part(4, xid=1) + part(5, xid=1, flags=0)
    assert [numbers(event) for event in connection.receive_data(again, 0)] == [[4, 5]]
    assert list(connection._gatherer._unfinished) == [2]


@pytest.mark.parametrize("is_passed", [True, False])
def test_of_a_message_that_nobody_wants_any_more_nothing_comes(is_passed: bool) -> None:
    connection = opened(OF13)
    if is_passed:
        connection.pass_parts(1)
    assert len(connection.receive_data(part(1), 0)) == is_passed
    connection.drop_parts(1)
    assert connection.receive_data(part(2) + part(3, flags=0), 0) == []
    assert connection._gatherer._size == 0
    assert [numbers(one) for one in connection.receive_data(part(4, flags=0), 0)] == [[4]]
