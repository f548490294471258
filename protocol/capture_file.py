"""Capture files: the frames in a pcap or a pcapng, one after another, and pcap written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

ETHERNET = 1  #: link types (IETF draft-ietf-opsawg-pcaplinktype)
SNAP_LENGTH = 262_144  #: what Wireshark takes as the longest frame
MAX_BLOCK = 1 << 24  # a file that claims more than this for one frame is none

_FILE_HEAD = "IHHiIII"
_FRAME_HEAD = "IIII"
_MICROSECONDS, _NANOSECONDS = 0xA1B2_C3D4, 0xA1B2_3C4D
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D_0D0A, 1, 3, 6
_BYTE_ORDER = 0x1A2B_3C4D
_TIME_RESOLUTION = 9  # the option's code
_LEAST = {_SECTION: 16, _INTERFACE: 8, _SIMPLE: 4, _ENHANCED: 20}  # bytes of a block's body
_AROUND = 12  # bytes of a block that are not its body: its type, and its length twice


class Frame(NamedTuple):
    """A frame as it was captured, maybe cut short."""

    time: float  #: seconds since 1970
    link_type: int
    data: bytes


def write_head(file: BinaryIO) -> None:
    """Begin a pcap file of Ethernet frames."""
    file.write(struct.pack(f">{_FILE_HEAD}", _MICROSECONDS, 2, 4, 0, 0, SNAP_LENGTH, ETHERNET))


def write_frame(file: BinaryIO, time: float, data: bytes) -> None:
    """Add a frame to a pcap file."""
    seconds, micro = divmod(round(time * 1_000_000), 1_000_000)
    file.write(struct.pack(f">{_FRAME_HEAD}", seconds, micro, len(data), len(data)) + data)


def read_frames(file: BinaryIO) -> Iterator[Frame]:
    """Return the frames of a pcap or pcapng file, as far as it is whole.

    ValueError for what is neither. The end of a file that is still being written may be
    missing; that is no fault.
    """
    magic = file.read(4)
    for order in "<>":
        number = struct.unpack(f"{order}I", magic)[0] if len(magic) == 4 else 0
        if number in (_MICROSECONDS, _NANOSECONDS):
            return _read_pcap(file, order, 1e-6 if number == _MICROSECONDS else 1e-9)
    if magic == struct.pack(">I", _SECTION):
        return _read_pcapng(file)
    raise ValueError(f"this is neither pcap nor pcapng: it begins with {magic.hex() or 'nothing'}")


def is_capture(start: bytes) -> bool:
    """Whether a file that begins so is a pcap or pcapng file."""
    magics = {struct.pack(f"{o}I", m) for o in "<>" for m in (_MICROSECONDS, _NANOSECONDS)}
    return start[:4] in magics or start[:4] == struct.pack(">I", _SECTION)


def _read_pcap(file: BinaryIO, order: str, unit: float) -> Iterator[Frame]:
    head = file.read(struct.calcsize(f"={_FILE_HEAD}") - 4)
    if len(head) < 20:
        return
    link_type = struct.unpack_from(f"{order}I", head, 16)[0] & 0xFFFF
    form = struct.Struct(order + _FRAME_HEAD)
    while len(head := file.read(form.size)) == form.size:
        seconds, fraction, size, _ = form.unpack(head)
        if len(data := file.read(_checked(size))) < size:
            return
        yield Frame(seconds + fraction * unit, link_type, data)


def _checked(size: int) -> int:
    if size > MAX_BLOCK:
        raise ValueError(f"the file is damaged: a frame of {size} bytes cannot be")
    return size


class _Interface(NamedTuple):
    link_type: int
    unit: float  #: seconds


def _read_pcapng(file: BinaryIO) -> Iterator[Frame]:
    """Read the blocks of a pcapng file (IETF draft-ietf-opsawg-pcapng)."""
    order, interfaces = "<", list[_Interface]()
    kind: int | None = _SECTION
    while kind is not None:
        if kind == _SECTION:
            order, interfaces = _byte_order(file, order), []
        body = _block_body(file, order, _LEAST.get(kind, 0))
        if body is None:
            return
        if kind == _INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (_ENHANCED, _SIMPLE) and (frame := _frame(kind, body, order, interfaces)):
            yield frame
        head = file.read(4)
        kind = struct.unpack(f"{order}I", head)[0] if len(head) == 4 else None


def _byte_order(file: BinaryIO, order: str) -> str:
    """Return the byte order of a section, leaving the file behind its length."""
    raw = file.read(8)
    for candidate in "<>":
        if len(raw) == 8 and struct.unpack_from(f"{candidate}I", raw, 4)[0] == _BYTE_ORDER:
            file.seek(-8, 1)
            return candidate
    raise ValueError("the file is damaged: a pcapng section without its byte order")


def _block_body(file: BinaryIO, order: str, least: int) -> bytes | None:
    raw = file.read(4)
    if len(raw) < 4:
        return None
    size = _checked(struct.unpack(f"{order}I", raw)[0])
    if size < _AROUND + least or size % 4:
        raise ValueError(f"the file is damaged: a pcapng block of {size} bytes cannot be")
    body = file.read(size - 8)
    return body[:-4] if len(body) == size - 8 else None


def _interface(body: bytes, order: str) -> _Interface:
    (link_type,) = struct.unpack_from(f"{order}H", body)
    unit, at = 1e-6, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(f"{order}HH", body, at)
        if code == _TIME_RESOLUTION and size == 1 and at + 4 < len(body):
            exponent = body[at + 4]
            unit = 2.0 ** -(exponent & 0x7F) if exponent & 0x80 else 10.0**-exponent
        at += 4 + size + -size % 4
    return _Interface(link_type, unit)


def _frame(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Frame | None:
    if kind == _SIMPLE:
        (size,) = struct.unpack_from(f"{order}I", body)
        return Frame(0.0, interfaces[0].link_type, body[4 : 4 + size]) if interfaces else None
    number, high, low, size, _ = struct.unpack_from(f"{order}IIIII", body)
    if number >= len(interfaces):
        return None
    link_type, unit = interfaces[number]
    return Frame((high << 32 | low) * unit, link_type, body[20 : 20 + size])
