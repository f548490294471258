"""What was said goes into captures and comes back."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.commands import COMMANDS
from controller.conversation.captures import said_in, write_capture
from controller.recorder import Said, Tape
from protocol import OF13, BarrierReply, BarrierRequest, FeaturesReply, Hello
from protocol.pcap import Endpoint as Address
from protocol.pcap import Writer

from .builders import Conversation, tape, told

RECORD = {command.name: command for command in COMMANDS}["record"]


def capture(*channels: Tape) -> bytes:
    """Return a capture in which each switch says which it is, and answers a barrier."""
    talk, said = Conversation(), []
    for channel in channels:
        said += [
            told(talk.switch(Hello(xid=1), channel)),
            told(talk.switch(FeaturesReply(channel.datapath_id or 0, xid=2), channel)),
            told(talk.controller(BarrierRequest(xid=3), channel)),
            told(talk.switch(BarrierReply(xid=3), channel)),
        ]
    file = io.BytesIO()
    assert write_capture(file, iter(said)) == len(said)
    return file.getvalue()


class Pipe(io.BytesIO):
    """A file that can be read once only."""

    def seekable(self) -> bool:
        return False


def number_and_type(said: Said) -> tuple[int | None, str]:
    return said.tape.datapath_id, type(said.message()).__name__


def test_switches_are_known_from_their_first_message_on() -> None:
    data = capture(tape(1, "127.0.0.1:50001"), tape(2, "[::1]:50002"))
    found = [number_and_type(said) for said in said_in(io.BytesIO(data))]
    kinds = ["Hello", "FeaturesReply", "BarrierRequest", "BarrierReply"]
    assert found == [(number, kind) for number in (1, 2) for kind in kinds]


def test_of_a_pipe_they_are_known_once_they_said_so() -> None:
    found = [number_and_type(said) for said in said_in(Pipe(capture(tape(5))))]
    assert found[0] == (None, "Hello")
    assert {number for number, _ in found[1:]} == {5}


@pytest.mark.parametrize("peer", ["a Unix socket", "unix:/run/s1.sock", "tcp:127.0.0.1:6634"])
def test_switches_that_are_no_address_get_one(peer: str) -> None:
    found = list(said_in(io.BytesIO(capture(tape(1, peer), tape(2, peer)))))
    assert [said.from_switch for said in found] == [True, True, False, True] * 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a capture of two switches."""
    found = tmp_path / "said.pcap"
    found.write_bytes(capture(tape(1, "127.0.0.1:50001"), tape(2, "127.0.0.1:50002")))
    return found


def recorded(*words: str) -> list[str]:
    """Return the lines that `pointsman record` prints."""
    done = CliRunner().invoke(RECORD, words)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_a_capture_is_shown_in_part(path: Path) -> None:
    lines = recorded("--read", str(path), "--type", "barrier", "s2")
    assert len(lines) == 2
    assert "0x2 ◀── controller  OFPT_BARRIER_REQUEST (xid=0x3):" in lines[0]


def test_a_capture_is_drawn_as_a_ladder(path: Path) -> None:
    lines = recorded("--read", str(path), "--ladder", "--type", "barrier", "s1")
    assert lines[-1].endswith("│◀╌╌╌╌╌│  BARRIER_REPLY xid=0x3 after 1.00 s")


def test_controllers_of_a_capture_may_listen_at_other_ports(tmp_path: Path) -> None:
    path = tmp_path / "other.pcap"
    switch, controller = Address.of("10.0.0.2", 50_001), Address.of("10.0.0.1", 16_777)
    with path.open("wb") as file:
        Writer(file).from_switch(Hello(xid=1).encode(OF13), 1.0, switch, controller)
    assert recorded("--read", str(path)) == []
    (line,) = recorded("--read", str(path), "--port", "16777")
    assert "10.0.0.2:50001 ──▶ controller  OFPT_HELLO" in line


def test_a_part_of_a_capture_becomes_a_capture(path: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.pcap"
    recorded("--read", str(path), "--pcap", str(part), "--datapath-id", "s1")
    with part.open("rb") as file:
        assert {said.tape.datapath_id for said in said_in(file)} == {1}


def test_a_file_that_is_no_capture_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello")
    done = CliRunner().invoke(RECORD, ["--read", str(text)])
    assert done.exit_code == 1
    assert "neither pcap nor pcapng" in done.output


def test_a_capture_cannot_be_followed(path: Path) -> None:
    done = CliRunner().invoke(RECORD, ["--read", str(path), "--follow"])
    assert done.exit_code == 2
    assert "leave out --follow or --read" in done.output
