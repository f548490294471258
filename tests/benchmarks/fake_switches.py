"""Switches that only carry probes: what a controller spends on links, and nothing else.

Each is a socket that answers what a controller asks first, and hands a probe that it is to
send on to the switch at the other end of the cable, which brings it to the controller. They
speak OpenFlow 1.3, and look at bytes instead of messages, so that they keep up.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence

from protocol import (
    OF13,
    BarrierReply,
    BarrierRequest,
    FeaturesReply,
    FeaturesRequest,
    Hello,
    Match,
    Message,
    PacketIn,
    PacketInReason,
    PortDesc,
    PortDescReply,
    PortDescRequest,
)
from protocol.groups import GroupDescReply, GroupDescRequest
from protocol.message import HEADER

End = tuple[int, int]
LLDP = b"\x88\xcc"
_PACKET_OUT, _HELLO, _FLOW_MOD = 13, 0, 14
_OUT = struct.Struct(">8xIIH6xHHI6x")  # buffer_id, in_port, actions_len; type, len, port
_XID = struct.Struct(">I")
_ARRIVES = PacketIn(match=Match(in_port=1), reason=PacketInReason.ACTION, data=b"").encode(OF13)
_IN_PORT = _ARRIVES.index(b"\x80\x00\x00\x04") + 4  # of the match's one field, OFPXMT_OFB_IN_PORT


def packet_in(port: int, data: bytes) -> bytes:
    """Return the message that brings a frame."""
    raw = bytearray(_ARRIVES + data)
    struct.pack_into(">H", raw, 2, len(raw))
    struct.pack_into(">H", raw, 12, len(data))  # total_len
    struct.pack_into(">I", raw, _IN_PORT, port)
    return bytes(raw)


class Switch(asyncio.Protocol):
    """One of them."""

    def __init__(
        self, number: int, ports: Sequence[PortDesc], all: dict[int, Switch], far: Mapping[End, End]
    ) -> None:
        self.number, self.ports = number, tuple(ports)
        self.transport: asyncio.WriteTransport | None = None
        self._all, self._far, self._read = all, far, b""
        self._takes_probes = False  # there is an entry for them, as for anything

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        transport.write(Hello().encode(OF13))

    def data_received(self, data: bytes) -> None:
        data, at = self._read + data, 0
        while len(data) >= at + HEADER.size:
            _, kind, size, xid = HEADER.unpack_from(data, at)
            if len(data) < at + size:
                break
            self._take(kind, data[at : at + size], xid)
            at += size
        self._read = data[at:]

    def _take(self, kind: int, raw: bytes, xid: int) -> None:
        if kind == _PACKET_OUT:
            *_, length, _, _, port = _OUT.unpack_from(raw)
            frame = raw[24 + length :]
            far = self._far.get((self.number, port))
            if far and frame[12:14] == LLDP:
                self._all[far[0]].bring(far[1], frame)
        elif kind == _FLOW_MOD:
            self._takes_probes = True
        elif kind != _HELLO and (answer := self._answer(Message.decode(raw))):
            assert self.transport is not None
            raw = answer.encode(OF13)
            self.transport.write(raw[:4] + _XID.pack(xid) + raw[8:])

    def _answer(self, message: Message) -> Message | None:
        match message:
            case FeaturesRequest():
                return FeaturesReply(self.number)
            case PortDescRequest():
                return PortDescReply(self.ports)
            case GroupDescRequest():
                return GroupDescReply()
            case BarrierRequest():
                return BarrierReply()
        return None

    def bring(self, port: int, frame: bytes) -> None:
        """Let a frame come in."""
        if self._takes_probes and self.transport is not None:
            self.transport.write(packet_in(port, frame))


def run(
    ports: Mapping[int, Sequence[PortDesc]], far: Mapping[End, End], address: tuple[str, int]
) -> None:
    """Connect all to a controller, and go on until that ends or the process does."""
    asyncio.run(_run(ports, far, address))


async def _run(
    ports: Mapping[int, Sequence[PortDesc]], far: Mapping[End, End], address: tuple[str, int]
) -> None:
    loop, switches = asyncio.get_running_loop(), dict[int, Switch]()
    switches |= {number: Switch(number, descs, switches, far) for number, descs in ports.items()}
    for switch in switches.values():
        peer = socket.create_connection(address)
        peer.setblocking(False)
        await loop.create_connection(lambda one=switch: one, sock=peer)  # type: ignore[misc]
    await asyncio.Event().wait()
