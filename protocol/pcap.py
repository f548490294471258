"""Conversations as captures that Wireshark reads: written, and read.

Files are the caller's: anything that has `write`, or `read` and `seek`, in binary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import BinaryIO

from .addresses import MacAddress
from .capture_file import Frame, read_frames, write_frame, write_head
from .exceptions import DecodeError
from .message import Message
from .packet import Ethernet, Header, IPv4, IPv6, Packet, Tcp, TcpFlags, build
from .tcp_stream import Stream

OPENFLOW_PORTS = frozenset({6653, 6633})  #: IANA's port, and the one used before
MAX_SEGMENT = 0xFFFF - 40  #: bytes of TCP in one frame: IPv4 and TCP have headers of 20
_LARGE_WINDOW = bytes.fromhex("01 03 03 0e")  # scaled, else Wireshark sees it full (RFC 7323 2.2)
MAX_CONNECTIONS = 1024  #: that a reader follows at once; the one that was silent longest goes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a TCP connection.

    >>> print(Endpoint.of("10.0.0.1", 6653))
    10.0.0.1:6653
    """

    address: IPv4Address | IPv6Address
    port: int

    @classmethod
    def of(cls, address: str, port: int) -> Endpoint:
        """Make one of an address as text."""
        return cls(IPv6Address(address) if ":" in address else IPv4Address(address), port)

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


CONTROLLER = Endpoint.of("10.0.0.1", 6653)  #: where the address does not matter
SWITCH = Endpoint.of("10.0.0.2", 49152)


@dataclass(frozen=True, slots=True)
class Captured:
    """One message in a capture."""

    time: float  #: seconds since 1970, when its last byte was seen
    source: Endpoint
    target: Endpoint
    from_controller: bool
    data: bytes

    def message(self) -> Message:
        """Return what the bytes say; DecodeError where they say nothing."""
        return Message.decode(self.data)


# Writing


class Writer:
    """Writes messages as TCP segments of connections that begin with a handshake.

    Both ends need the same kind of address.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sent: dict[tuple[Endpoint, Endpoint], int] = {}  # the sequence number that is next
        write_head(file)

    def from_controller(
        self,
        data: bytes,
        time: float,
        switch: Endpoint = SWITCH,
        controller: Endpoint = CONTROLLER,
    ) -> None:
        """Add bytes that the controller sent: a message, or several."""
        self.write(data, time, controller, switch)

    def from_switch(
        self,
        data: bytes,
        time: float,
        switch: Endpoint = SWITCH,
        controller: Endpoint = CONTROLLER,
    ) -> None:
        """Add bytes that the switch sent: a message, or several."""
        self.write(data, time, switch, controller)

    def write(self, data: bytes, time: float, source: Endpoint, target: Endpoint) -> None:
        """Add bytes that `source` sent to `target`; `time` is in seconds since 1970."""
        if (source, target) not in self._sent:
            self._open(time, source, target)
        for at in range(0, len(data), MAX_SEGMENT):
            flags = TcpFlags.ACK | TcpFlags.PSH
            self._segment(time, source, target, flags, data[at : at + MAX_SEGMENT])

    def close(self, time: float, source: Endpoint = SWITCH, target: Endpoint = CONTROLLER) -> None:
        """End a connection, if there is one; `source` ends it first."""
        for one, other in ((source, target), (target, source)):
            if (one, other) in self._sent:
                self._segment(time, one, other, TcpFlags.FIN | TcpFlags.ACK)
        self._sent.pop((source, target), None)
        self._sent.pop((target, source), None)

    def _open(self, time: float, source: Endpoint, target: Endpoint) -> None:
        """Write the handshake. It is the switch that calls, which has the higher port."""
        caller, called = (source, target) if source.port > target.port else (target, source)
        self._sent[caller, called] = self._sent[called, caller] = 0
        self._segment(time, caller, called, TcpFlags.SYN)
        self._segment(time, called, caller, TcpFlags.SYN | TcpFlags.ACK)
        self._segment(time, caller, called, TcpFlags.ACK)

    def _segment(
        self, time: float, source: Endpoint, target: Endpoint, flags: int, data: bytes = b""
    ) -> None:
        seq = self._sent[source, target]
        ack = self._sent[target, source] if flags & TcpFlags.ACK else 0
        options = _LARGE_WINDOW if flags & TcpFlags.SYN else b""
        tcp = Tcp(source.port, target.port, seq, ack, flags, options=options)
        write_frame(self._file, time, build(*_below(source, target), tcp, data))
        taken = len(data) + bool(flags & (TcpFlags.SYN | TcpFlags.FIN))
        self._sent[source, target] = seq + taken & 0xFFFF_FFFF


def _mac(endpoint: Endpoint) -> MacAddress:
    """Return an address of our own making, which shows the last four bytes of the IP address."""
    return MacAddress(0x0200_0000_0000 | int(endpoint.address) & 0xFFFF_FFFF)


def _below(source: Endpoint, target: Endpoint) -> tuple[Header, Header]:
    ethernet = Ethernet(dst=_mac(target), src=_mac(source))
    match source.address, target.address:
        case (IPv4Address() as src, IPv4Address() as dst):
            return ethernet, IPv4(src=src, dst=dst)
        case (IPv6Address() as src6, IPv6Address() as dst6):
            return ethernet, IPv6(src=src6, dst=dst6)
    raise ValueError(f"{source} and {target} are addresses of different kinds")


# Reading


def read(file: BinaryIO, ports: Collection[int] = OPENFLOW_PORTS) -> Iterator[Captured]:
    """Return the messages in a pcap or pcapng file, of connections to one of `ports`.

    Segments may be out of order, sent again, or missing; what is not understood is passed
    over. ValueError if the file is no capture.
    """
    reader = _Reader(ports)
    for frame in read_frames(file):
        yield from reader.add(frame)
    yield from reader.finish()


_Key = tuple[Endpoint, Endpoint]


class _Reader:
    def __init__(self, ports: Collection[int]) -> None:
        self.ports = ports
        self.streams: dict[_Key, Stream] = {}  # the one that was silent longest first
        self.time = 0.0

    def add(self, frame: Frame) -> Iterator[Captured]:
        self.time = frame.time
        if (found := _segment_of(frame)) is None:
            return
        source, target, tcp = found
        if source.port not in self.ports and target.port not in self.ports:
            return
        stream = self._stream((source, target))
        if tcp.flags & TcpFlags.SYN:
            stream.open(tcp.seq)
            return
        yield from self._captured((source, target), stream.add(tcp.seq, tcp.payload))
        if tcp.flags & (TcpFlags.FIN | TcpFlags.RST):
            yield from self._captured((source, target), stream.finish())

    def finish(self) -> Iterator[Captured]:
        for key, stream in self.streams.items():
            yield from self._captured(key, stream.finish())

    def _stream(self, key: _Key) -> Stream:
        stream = self.streams.pop(key, None) or Stream()
        self.streams[key] = stream
        if len(self.streams) > 2 * MAX_CONNECTIONS:  # both directions
            del self.streams[next(iter(self.streams))]
        return stream

    def _captured(self, key: _Key, found: list[bytes]) -> Iterator[Captured]:
        source, target = key
        for data in found:
            yield Captured(self.time, source, target, source.port in self.ports, data)


#: The header that a frame of a link type begins with, and what stands before it.
_LINKS: dict[int, tuple[int, type[Header] | None]] = {
    1: (0, Ethernet),
    12: (0, None),  # raw IP, as some systems number it
    101: (0, None),
    113: (16, None),  # Linux cooked capture
    276: (20, None),  # and its second version
    0: (4, None),  # BSD loopback
    108: (4, None),
}


def _segment_of(frame: Frame) -> tuple[Endpoint, Endpoint, Tcp] | None:
    """Return the TCP segment in a frame, None if there is none."""
    if frame.link_type not in _LINKS:
        return None
    skipped, first = _LINKS[frame.link_type]
    data = frame.data[skipped:]
    try:
        packet = Packet.parse(data, first or (IPv6 if data[:1] >= b"\x60" else IPv4))
    except DecodeError:
        return None
    tcp, ip = packet.get(Tcp), packet.get(IPv4) or packet.get(IPv6)
    if tcp is None or ip is None:
        return None
    return Endpoint(ip.src, tcp.src), Endpoint(ip.dst, tcp.dst), tcp
