"""The shell: what a socket does not take waits, in its order, and is not sent twice."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import OF13, Hello, Message, PacketIn
from protocol.endpoint import Endpoint
from protocol.transport.tls import TlsFiles
from switch_sim.load.answers import Answers
from switch_sim.load.lane import Lane
from switch_sim.load.plan import Mode, Plan
from switch_sim.load.processes import run_in_processes
from switch_sim.load.sockets import LOOKED_AT, Place, Sockets
from switch_sim.load.tally import Tally

from ..certificates import Authority
from .controllers import FakeController, by_buffer

# More than the buffers of a connection hold: 4 MB and 6 MB (Linux, tcp_wmem and tcp_rmem).
WINDOW, FRAME = 8_192, 1_500
PAUSE = 0.3  # seconds in which the controller reads nothing
PLAN = Plan(
    Mode.THROUGHPUT,
    frozenset({OF13}),
    switches=1,
    hosts=WINDOW,
    window=WINDOW,
    frame_size=FRAME,
    learn=False,
    warm_up=0.0,
    duration=0.5,
    timeout=30.0,
    settle=0.05,
)


class Slow:
    """A controller that reads nothing for a while once packets come, and keeps what it read."""

    def __init__(self) -> None:
        self.buffer_ids: list[int] = []
        self._controller = FakeController(OF13, self._policy)

    def _policy(self, message: PacketIn) -> Iterable[Message]:
        if not self.buffer_ids:
            time.sleep(PAUSE)
        assert len(message.data) == FRAME
        self.buffer_ids.append(message.buffer_id)
        return by_buffer(message)

    def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        channel: socket.socket = listener.accept()[0]
        with suppress(ssl.SSLError), channel:  # who is not trusted is sent away
            if context is not None:
                channel = context.wrap_socket(channel, server_side=True)
            while data := channel.recv(1 << 16):
                channel.sendall(self._controller.receive(data, 0))


BUSY = pytest.mark.parametrize("busy", [False, True], ids=["sleeping", "busy"])


@contextmanager
def answering(switches: int) -> Iterator[tuple[Place, list[list[int]]]]:
    """Let a controller answer so many switches at once, each in a thread; keep whom it answered."""
    answered: list[list[int]] = [[] for _ in range(switches)]

    def serve(listener: socket.socket, buffer_ids: list[int]) -> None:
        def policy(message: PacketIn) -> Iterable[Message]:
            buffer_ids.append(message.buffer_id)
            return by_buffer(message)

        controller = FakeController(OF13, policy)
        with suppress(ConnectionError), listener.accept()[0] as channel:  # who goes may be early
            while data := channel.recv(1 << 16):
                channel.sendall(controller.receive(data, 0))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = [
            threading.Thread(target=serve, args=(listener, one), daemon=True) for one in answered
        ]
        for thread in threads:
            thread.start()
        yield Place.of(Endpoint("tcp", "127.0.0.1", listener.getsockname()[1])), answered
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


@contextmanager
def serving(slow: Slow, context: ssl.SSLContext | None = None) -> Iterator[Place]:
    """Let a controller run beside the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=slow.serve, args=(listener, context), daemon=True)
        thread.start()
        yield Place.of(Endpoint("tcp", "127.0.0.1", listener.getsockname()[1]))
        thread.join(10)
        assert not thread.is_alive()


def check(slow: Slow, place: Place, files: TlsFiles | None, busy: bool) -> None:
    outcome = run_in_processes(replace(PLAN, busy=busy), 1, place, files, lambda found: None)
    assert (outcome.tally.lost, outcome.tally.strays) == (0, 0)
    assert len(slow.buffer_ids) >= WINDOW
    assert len(set(slow.buffer_ids)) == len(slow.buffer_ids)
    assert slow.buffer_ids == sorted(slow.buffer_ids)
    assert 0 < outcome.tally.answered <= len(slow.buffer_ids)  # some may come before it counts


@BUSY
def test_a_controller_that_does_not_read_for_a_while_gets_all_in_order(busy: bool) -> None:
    slow = Slow()
    with serving(slow) as place:
        check(slow, place, None, busy)


@BUSY
def test_over_tls_as_well(tmp_path: Path, busy: bool) -> None:
    authority, slow = Authority(tmp_path, "ca"), Slow()
    with serving(slow, authority.sign("controller").server()) as place:
        check(slow, place, authority.sign("switch"), busy)


@BUSY
@pytest.mark.parametrize("switches", [1, 3])
def test_with_one_in_flight_each_answer_lets_the_next_go(busy: bool, switches: int) -> None:
    plan = replace(PLAN, switches=switches, window=1, frame_size=60, duration=0.5, busy=busy)
    with answering(switches) as (place, controllers):
        outcome = run_in_processes(plan, 1, place, None, lambda found: None)
    tally = outcome.tally
    assert (outcome.switches, tally.lost, tally.strays) == (switches, 0, 0)
    assert tally.packet_ins <= tally.answered <= tally.packet_ins + switches
    assert tally.answered == tally.packet_outs == tally.latency.count
    assert outcome.processor > 0
    for buffer_ids in controllers:
        assert len(buffer_ids) > 1
        assert len(set(buffer_ids)) == len(buffer_ids)


def test_a_controller_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    ours, stranger, slow = Authority(tmp_path, "ours"), Authority(tmp_path, "other"), Slow()
    with serving(slow, stranger.sign("controller").server()) as place:
        plan = replace(PLAN, connect_timeout=0.5)
        outcome = run_in_processes(plan, 1, place, ours.sign("switch"), lambda found: None)
    (reason,) = outcome.reasons
    assert "the peer's certificate is not trusted" in reason


@BUSY
def test_answers_are_taken_while_packets_are_due_all_the_time(busy: bool) -> None:
    plan = replace(PLAN, mode=Mode.RATE, rate=1e6, window=1, duration=0.05, timeout=0.1, busy=busy)
    with answering(1) as (place, _):
        outcome = run_in_processes(plan, 1, place, None, lambda found: None)
    assert outcome.answered > 0


def test_who_is_connected_says_hello_while_others_dial() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=LOOKED_AT) as listener:
        lanes = [Lane(Answers(number, 4), {OF13}, Tally(), 0) for number in range(1, LOOKED_AT + 1)]
        sockets = Sockets(lanes, Place(socket.AF_INET, listener.getsockname()), None)
        with listener.accept()[0] as channel:
            channel.settimeout(5)
            assert isinstance(Message.decode(channel.recv(100)), Hello)
        sockets.close()
