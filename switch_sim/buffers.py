"""Packets that wait in the switch for the controller's word."""

from __future__ import annotations

from dataclasses import dataclass

from protocol import NO_BUFFER, BadRequestCode

from .refused import Refused

_LAST_ID = 0x7FFF_FFFF  # then the numbers begin again; NO_BUFFER is never one of them


@dataclass(frozen=True, slots=True)
class BufferedPacket:
    """A packet as it was when the controller got the beginning of it."""

    data: bytes
    in_port: int
    tunnel_id: int = 0


class PacketBuffers:
    """A bounded number of packets by buffer_id; the oldest makes room for the newest."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._packets: dict[int, BufferedPacket] = {}
        self._next = 1
        self._turned = False

    def __len__(self) -> int:
        return len(self._packets)

    def keep(self, packet: BufferedPacket) -> int:
        """Keep a packet and return its buffer_id, NO_BUFFER where there are no buffers."""
        if self.size == 0:
            return NO_BUFFER
        if len(self._packets) >= self.size:
            del self._packets[next(iter(self._packets))]
        buffer_id = self._next
        self._packets[buffer_id] = packet
        if buffer_id < _LAST_ID:
            self._next += 1
        else:
            self._next, self._turned = 1, True
        return buffer_id

    def check(self, buffer_id: int) -> None:
        """Refuse a buffer_id that names no packet.

        A number that was in use says BUFFER_EMPTY, others BUFFER_UNKNOWN (OF1.3.5 7.4.4
        "Error Message").
        """
        if buffer_id in self._packets:
            return
        used = 0 < buffer_id <= _LAST_ID and (self._turned or buffer_id < self._next)
        code = BadRequestCode.BUFFER_EMPTY if used else BadRequestCode.BUFFER_UNKNOWN
        raise Refused(code, f"there is no packet in buffer {buffer_id}")

    def take(self, buffer_id: int) -> BufferedPacket:
        """Return a packet and forget it; Refused where there is none."""
        self.check(buffer_id)
        return self._packets.pop(buffer_id)
