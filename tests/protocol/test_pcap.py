"""Conversations as captures: written, dissected by Wireshark, and read back."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import OF10, OF13, OF14, EchoRequest, Hello, Message
from protocol.capture_file import Frame, read_frames, write_frame, write_head
from protocol.packet import Ethernet, IPv4, Tcp, Vlan, build
from protocol.pcap import CONTROLLER, MAX_SEGMENT, SWITCH, Captured, Endpoint, Writer, read
from protocol.tcp_stream import MAX_PENDING, Stream

from .vectors import Vector, read_vectors

TIME = 1_700_000_000.25


def echo(number: int, size: int = 4) -> bytes:
    return EchoRequest(number.to_bytes(size, "big"), xid=number).encode(OF13)


def captured(raw: bytes) -> list[Captured]:
    return list(read(io.BytesIO(raw)))


def rewritten(raw: bytes, frames: Iterable[Frame]) -> bytes:
    """Return a capture of other frames."""
    file = io.BytesIO()
    write_head(file)
    for frame in frames:
        write_frame(file, frame.time, frame.data)
    return file.getvalue()


@pytest.fixture
def conversation() -> bytes:
    """A switch that says ten messages, and a controller that answers each."""
    file = io.BytesIO()
    writer = Writer(file)
    for number in range(10):
        writer.from_switch(echo(number), TIME + number)
        writer.from_controller(echo(100 + number), TIME + number + 0.5)
    return file.getvalue()


def test_what_was_written_is_read_back_with_time_direction_and_endpoints() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.from_switch(echo(1), TIME)
    writer.from_controller(echo(2), TIME + 1)
    assert captured(file.getvalue()) == [
        Captured(TIME, SWITCH, CONTROLLER, False, echo(1)),
        Captured(TIME + 1, CONTROLLER, SWITCH, True, echo(2)),
    ]


def test_a_captured_message_can_be_decoded(conversation: bytes) -> None:
    assert captured(conversation)[0].message() == Message.decode(echo(0))


def test_several_connections_are_kept_apart() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    switches = [Endpoint.of("10.0.1.1", 40000 + number) for number in range(3)]
    for number in range(9):
        writer.from_switch(echo(number), TIME, switches[number % 3])
    found = captured(file.getvalue())
    assert [(one.data, one.source) for one in found] == [
        (echo(number), switches[number % 3]) for number in range(9)
    ]


def test_connections_may_be_of_ipv6() -> None:
    file = io.BytesIO()
    ends = Endpoint.of("fe80::1", 50000), Endpoint.of("fe80::2", 6653)
    Writer(file).from_switch(echo(1), TIME, *ends)
    assert [(one.source, one.data) for one in captured(file.getvalue())] == [(ends[0], echo(1))]
    assert str(ends[0]) == "[fe80::1]:50000"


def test_ends_of_different_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="are addresses of different kinds"):
        Writer(io.BytesIO()).from_switch(echo(1), TIME, Endpoint.of("fe80::1", 50000))


def test_bytes_are_split_where_a_frame_cannot_hold_them() -> None:
    file = io.BytesIO()
    data = EchoRequest(bytes(65_527)).encode(OF13) + echo(2)
    Writer(file).from_switch(data, TIME)
    frames = list(read_frames(io.BytesIO(file.getvalue())))
    assert max(len(frame.data) for frame in frames) == MAX_SEGMENT + 54
    assert b"".join(one.data for one in captured(file.getvalue())) == data


def test_a_closed_connection_may_be_opened_again() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.from_switch(echo(1), TIME)
    writer.close(TIME + 1)
    writer.from_switch(echo(2), TIME + 2)
    assert [one.data for one in captured(file.getvalue())] == [echo(1), echo(2)]


def test_segments_out_of_order_are_put_in_order(conversation: bytes) -> None:
    frames = list(read_frames(io.BytesIO(conversation)))
    handshake, rest = frames[:3], frames[3:]
    random.Random(7).shuffle(rest)
    found = captured(rewritten(conversation, handshake + rest))
    for from_controller in (False, True):
        said = [one.data for one in found if one.from_controller is from_controller]
        assert said == [echo(100 * from_controller + number) for number in range(10)]


def test_segments_sent_again_are_read_once(conversation: bytes) -> None:
    frames = [one for one in read_frames(io.BytesIO(conversation)) for _ in range(2)]
    assert captured(rewritten(conversation, frames)) == captured(conversation)


def test_a_capture_that_begins_in_the_middle_is_read_from_there(conversation: bytes) -> None:
    frames = list(read_frames(io.BytesIO(conversation)))[9:]
    found = captured(rewritten(conversation, frames))
    assert [one.data for one in found][:2] == [echo(3), echo(103)]


def test_what_is_behind_a_missing_segment_is_read_at_the_end(conversation: bytes) -> None:
    frames = list(read_frames(io.BytesIO(conversation)))
    del frames[3]
    said = [one.data for one in captured(rewritten(conversation, frames))]
    assert sorted(said) == sorted([*map(echo, range(1, 10)), *map(echo, range(100, 110))])


def test_other_connections_are_passed_over() -> None:
    file = io.BytesIO()
    Writer(file).write(echo(1), TIME, Endpoint.of("10.0.0.1", 80), Endpoint.of("10.0.0.2", 4000))
    assert captured(file.getvalue()) == []
    assert len(list(read(io.BytesIO(file.getvalue()), ports={80}))) == 1


def test_frames_with_a_tag_are_read() -> None:
    inner = IPv4(src=SWITCH.address, dst=CONTROLLER.address)  # type: ignore[arg-type]
    tcp = Tcp(SWITCH.port, CONTROLLER.port, seq=5)
    frame = build(Ethernet(dst=1, src=2), Vlan(vid=5), inner, tcp, echo(1))  # type: ignore[arg-type]
    assert [one.data for one in captured(rewritten(b"", [Frame(TIME, 1, frame)]))] == [echo(1)]


def test_a_file_that_is_still_written_is_read_as_far_as_it_is_whole(conversation: bytes) -> None:
    for size in range(len(conversation) - 200, len(conversation)):
        assert len(captured(conversation[:size])) < 20


def test_what_is_no_capture_is_refused() -> None:
    with pytest.raises(ValueError, match="neither pcap nor pcapng: it begins with 68656c6c"):
        captured(b"hello")


def test_a_damaged_file_is_refused() -> None:
    file = io.BytesIO()
    write_head(file)
    with pytest.raises(ValueError, match="the file is damaged: a frame of 4294967295 bytes"):
        captured(file.getvalue() + b"\xff" * 16)


@pytest.mark.parametrize("order", "<>")
def test_pcapng_is_read_in_both_byte_orders(order: str, conversation: bytes) -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + size + body + size

    section = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    nanoseconds = struct.pack(f"{order}HHB3x", 9, 1, 9)
    raw = block(0x0A0D0D0A, section)
    raw += block(1, struct.pack(f"{order}HHI", 1, 0, 0) + nanoseconds)
    for frame in read_frames(io.BytesIO(conversation)):
        time = round(frame.time * 1e9)
        head = struct.pack(
            f"{order}IIIII", 0, time >> 32, time & 0xFFFF_FFFF, *[len(frame.data)] * 2
        )
        raw += block(6, head + frame.data)
    found = captured(raw)
    assert [one.data for one in found] == [one.data for one in captured(conversation)]
    assert found[0].time == pytest.approx(TIME)


@pytest.mark.parametrize(("kind", "size"), [(1, 12), (3, 12), (6, 28), (0x0A0D_0D0A, 24)], ids=hex)
def test_a_pcapng_block_that_lacks_its_head_is_refused(kind: int, size: int) -> None:
    section = bytes.fromhex("0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c")
    body = struct.pack(">I", 0x1A2B_3C4D).ljust(size - 12, b"\0")
    block = struct.pack(">II", kind, size) + body + struct.pack(">I", size)
    with pytest.raises(ValueError, match=f"a pcapng block of {size} bytes cannot be"):
        captured(section + block)


def test_an_option_of_an_interface_may_be_cut_short() -> None:
    section = bytes.fromhex("0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c")
    interface = bytes.fromhex("00000001 00000018 0001 0000 00000000 0009 0001 00000018")
    assert captured(section + interface) == []


# One direction of a connection


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    order=st.randoms(use_true_random=False),
    first=st.integers(0, 2**32 - 1),
)
def test_segments_of_any_size_in_any_order_become_the_messages(
    sizes: list[int], order: random.Random, first: int
) -> None:
    messages = [echo(number) for number in range(sum(sizes) // 12 + 1)]
    data, segments, at = b"".join(messages), [], 0
    for size in [*sizes, len(b"".join(messages))]:
        segments.append(((first + 1 + at) % 2**32, data[at : at + size]))
        at += size
    order.shuffle(segments)
    stream = Stream()
    stream.open(first)
    found = [one for seq, segment in segments for one in stream.add(seq, segment)]
    assert found == messages
    assert stream.lost == 0


def test_what_waits_for_a_segment_that_does_not_come_is_bounded() -> None:
    stream = Stream()
    stream.open(0)
    size, found = 60_000, []
    for number in range(2 * MAX_PENDING // size):
        found += stream.add(5 + number * size, EchoRequest(bytes(size - 8)).encode(OF13))
    assert len(found) > MAX_PENDING // size


def test_a_stream_finds_messages_again_behind_what_is_none() -> None:
    stream = Stream()
    stream.open(0)
    assert stream.add(1, echo(1) + b"\xff" * 20) == [echo(1)]
    assert stream.add(33, b"no message at all") == []
    assert stream.add(50, echo(2)) == [echo(2)]
    assert stream.lost == 37


# What Wireshark says of it

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


def tshark(path: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        ["tshark", "-r", str(path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def is_dissected(vector: Vector) -> bool:
    """Whether Wireshark 4.0 knows such a message.

    It does not know OF1.1 and OF1.2, stops at fields of OF1.5 and optical ports, takes the
    data of an error for a message, and wants actions in each flow_mod of OF1.0.
    """
    words = ("ErrorMsg", "Optical", "Experimenter")
    if vector.version == OF10 and "FlowMod" in vector.expression:
        return "instructions" in vector.expression
    known = vector.version in (OF10, OF13, OF14)
    return known and not any(word in vector.expression for word in words)


@pytest.fixture(scope="module")
def vectors_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All vectors that Wireshark can dissect, and a message of 64 KiB."""
    path = tmp_path_factory.mktemp("pcap") / "vectors.pcap"
    with path.open("wb") as file:
        writer = Writer(file)
        for number, vector in enumerate(filter(is_dissected, read_vectors())):
            switch = Endpoint.of("10.0.0.2", 50000 + vector.version)
            writer.from_switch(vector.data, TIME + number / 1000, switch)
        writer.from_controller(EchoRequest(bytes(65_527)).encode(OF13), TIME + 10)
    return path


@needs_tshark
@pytest.mark.oracle
def test_wireshark_finds_nothing_malformed_in_what_we_write(vectors_capture: Path) -> None:
    assert tshark(vectors_capture, "-Y", "_ws.malformed || tcp.analysis.flags") == []


@needs_tshark
@pytest.mark.oracle
def test_wireshark_sees_right_checksums(vectors_capture: Path) -> None:
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    bad = "ip.checksum.status == Bad || tcp.checksum.status == Bad"
    assert tshark(vectors_capture, *checks, "-Y", bad) == []


@needs_tshark
@pytest.mark.oracle
def test_wireshark_names_the_messages(tmp_path: Path) -> None:
    path = tmp_path / "few.pcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.from_switch(Hello().encode(OF14), TIME)
        writer.from_controller(echo(1), TIME + 1)
        writer.from_switch(EchoRequest(b"a").encode(OF10), TIME + 2)
    lines = [line for line in tshark(path) if "OpenFlow" in line]
    assert [line.rpartition("Type: ")[2] for line in lines] == [
        "OFPT_HELLO",
        "OFPT_ECHO_REQUEST",
        "OFPT_ECHO_REQUEST",
    ]
