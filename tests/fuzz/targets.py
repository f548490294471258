"""What the fuzzers feed, and what must be true whatever comes: an answer, the right one, and soon.

Each target takes any bytes. What it may raise is told as an outcome; all else is a finding:
another exception, a value that its own bytes do not give again, more than SLOWEST.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from protocol import Connection, DecodeError, FlowMod, Message, PacketIn, PacketOut, Version
from protocol.compiler import write
from protocol.connection import Closed, Event, Unreadable
from protocol.instructions import ApplyActions
from protocol.message import HEADER, MAX_MESSAGE
from protocol.oxm import OXM
from protocol.packet import Packet
from protocol.pcap import Writer, read
from protocol.syntax import Flow
from switch_sim.flow_key import flow_key
from tests.protocol import extension_vectors
from tests.protocol.packet.test_stack import FRAMES
from tests.protocol.vectors import read_vectors

SLOWEST = 0.05  #: seconds of the processor that no input may take
_TRIES = 3  # what else the machine does may make one try slow, and not all


class Finding(AssertionError):
    """Something that must be true is not."""


class Target(NamedTuple):
    """A part of the library, where to begin, and what is asked of it."""

    name: str
    check: Callable[[bytes], str]  #: returns the outcome in a word
    seeds: Callable[[], list[bytes]]


def timed(check: Callable[[bytes], str], data: bytes) -> tuple[str, float]:
    """Return the outcome of a check, and the seconds of the processor that it took."""
    outcome, taken = "", SLOWEST
    for _ in range(_TRIES):
        started = time.process_time()
        outcome = check(data)
        taken = min(taken, time.process_time() - started)
        if taken < SLOWEST:
            return outcome, taken
    raise Finding(f"it takes more than {SLOWEST * 1000:.0f} ms")


# Messages


def framed(data: bytes | bytearray) -> bytes:
    """Return bytes as framing leaves them: a header of a known version with the right length."""
    found = bytearray(data[:MAX_MESSAGE].ljust(HEADER.size, b"\0"))
    if found[0] not in Version._value2member_map_:
        found[0] = found[0] % len(Version) + 1
    found[2:4] = len(found).to_bytes(2, "big")
    return bytes(found)


def message(data: bytes) -> str:
    """Decode a message; what is one is encoded, and decoded again."""
    data = framed(data)
    try:
        found = Message.decode(data)
    except DecodeError as error:
        return "errors" if error.code else "errors without a code"
    again = Message.decode(found.encode(Version(data[0])))
    if again != found:
        raise Finding(f"{found!r} is encoded as {again!r}")
    return "messages"


def messages() -> list[bytes]:
    """Return the bytes of all vectors, each with the version of each other one as well."""
    found = {vector.data for vector in read_vectors()} | set(_extensions())
    return sorted({bytes([version]) + data[1:] for data in found for version in Version})


def _extensions() -> Iterator[bytes]:
    for vector in extension_vectors.read_vectors():
        if vector.is_message:
            yield vector.data
        elif vector.version == Version.OF10:
            yield framed(FlowMod().encode(vector.version) + vector.data)
        else:
            applied = ApplyActions(vector.value().actions)  # type: ignore[attr-defined]
            body = write(applied, vector.version)
            yield framed(FlowMod().encode(vector.version) + body)


# The channel


def channel(data: bytes) -> str:
    """Feed a channel, whole and byte by byte: it says the same, and never raises."""
    whole, said = _fed([data])
    pieces, again = _fed([data[at : at + 1] for at in range(len(data))])
    closed = whole[-1].startswith("Closed")
    if closed:  # the last answer may have as much of what broke the framing as had come
        del said[-1:], again[-1:]
    if (whole, said) != (pieces, again):
        raise Finding("it depends on how the bytes are divided")
    return "closed" if closed else "open"


def _fed(pieces: list[bytes]) -> tuple[list[str], list[Message]]:
    """Return the events in words, and what the channel answers; at last it grows impatient."""
    connection = Connection(0.0)
    events = [_told(event) for piece in pieces for event in connection.receive_data(piece, 1.0)]
    if (due := connection.deadline()) is not None:
        events += map(_told, connection.handle_timer(due))
    return events, list(map(Message.decode, _messages_in(connection.data_to_send())))


def _told(event: Event) -> str:
    if isinstance(event, Unreadable):
        return f"Unreadable {event.error} {event.data.hex()} {event.xid}"
    return repr(event) if isinstance(event, Closed) else f"{type(event).__name__} {event!r}"


def _messages_in(data: bytes) -> Iterator[bytes]:
    while data:
        length = HEADER.unpack_from(data)[2]
        yield data[:length]
        data = data[length:]


def conversations() -> list[bytes]:
    """Return a hello and some messages of each version."""
    found = []
    for version in Version:
        hello = HEADER.pack(version, 0, HEADER.size, 1)
        said = [vector.data for vector in read_vectors() if vector.version == version]
        found += [hello + b"".join(said[at : at + 4]) for at in range(0, len(said), 4)]
    return found


# Frames


def frame(data: bytes) -> str:
    """Take a frame apart; put together again it says the same."""
    try:
        found = Packet.parse(data)
    except DecodeError:
        return "errors"
    if (again := Packet.parse(found.encode())) != found:
        raise Finding(f"{found!r} is encoded as {again!r}")
    return f"{len(found.headers)} headers"


def key(data: bytes) -> str:
    """Find what a frame can be matched by: numbers that their fields can hold."""
    found = flow_key(data, in_port=1)
    for name, value in found.items():
        row = OXM.get(name)
        if row is not None and not 0 <= value <= row.all_ones:
            raise Finding(f"{name} cannot be {value:#x}")
    return f"{len(found)} fields"


def frames() -> list[bytes]:
    """Return frames that other implementations made, and those in the packets of vectors."""
    carried = (vector.message() for vector in read_vectors())
    packets = [one.data for one in carried if isinstance(one, PacketIn | PacketOut) and one.data]
    return sorted({bytes.fromhex(hexadecimal) for _, hexadecimal in FRAMES} | set(packets))


# Captures


def capture(data: bytes) -> str:
    """Read a capture: ValueError where it is none or damaged."""
    try:
        found = list(read(io.BytesIO(data)))
    except ValueError:
        return "errors"
    for captured in found:
        message(captured.data)
    return "captures"


def captures() -> list[bytes]:
    """Return captures in both formats, with a few messages each."""
    vectors = list(read_vectors())
    written = [_written([one.data for one in vectors[at::40]]) for at in range(40)]
    return written + [_as_pcapng(one) for one in written]


def _written(said: list[bytes]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for at, data in enumerate(said):
        (writer.from_switch if at % 2 else writer.from_controller)(data, float(at))
    writer.close(float(len(said)))
    return file.getvalue()


def _as_pcapng(pcap: bytes) -> bytes:
    """Return the frames of a pcap in blocks (IETF draft-ietf-opsawg-pcapng)."""
    parts = [_block(0x0A0D_0D0A, bytes.fromhex("1a2b3c4d 0001 0000 ffffffffffffffff"))]
    parts.append(_block(1, bytes.fromhex("0001 0000 00040000 0009 0001 06000000")))
    at = 24
    while at < len(pcap):
        size = int.from_bytes(pcap[at + 8 : at + 12], "big")
        head = bytes(12) + pcap[at + 8 : at + 16]
        parts.append(_block(6, head + pcap[at + 16 : at + 16 + size]))
        at += 16 + size
    return b"".join(parts)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = (len(body) + 12).to_bytes(4, "big")
    return kind.to_bytes(4, "big") + size + body + size


# Flows as text


def flow(data: bytes) -> str:
    """Read a line of ovs-ofctl's: ValueError where it is none; printed, it is read again."""
    try:
        found = Flow.parse(data.decode("latin-1"))
    except ValueError:
        return "errors"
    if (again := Flow.parse(str(found))) != found:
        raise Finding(f"{found} is read as {again}")
    return "flows"


def flows() -> list[bytes]:
    """Return the flows that the vectors' flow_mods say."""
    lines = set()
    for vector in read_vectors():
        said: Any = vector.message()
        if isinstance(said, FlowMod):
            lines.add(str(Flow.of(said)).encode("latin-1"))
    return sorted(lines)


TARGETS = {
    target.name: target
    for target in (
        Target("message", message, messages),
        Target("channel", channel, conversations),
        Target("frame", frame, frames),
        Target("key", key, frames),
        Target("capture", capture, captures),
        Target("flow", flow, flows),
    )
}
