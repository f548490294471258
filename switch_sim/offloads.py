"""What an interface was to do for the sender of a frame, and we do where there is none.

Between two ends on one machine Linux leaves checksums out, and sends up to 64 KB as one: a
cable would have seen proper checksums, and frames of the MTU.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from protocol.packet import internet_checksum

from .flow_key import FlowKey, flow_key

_HEADER = struct.Struct("=BBHHHH")  # virtio_net_hdr (linux/virtio_net.h), in the machine's order
OFFLOAD_SIZE = _HEADER.size  #: bytes before each frame that describe it
_NEEDS_CHECKSUM = 1
_TCP, _UDP = 6, 17
_FIN_PSH, _CWR = 0x09, 0x80  # of TCP's flags: for the last segment only, for the first only


class Offload(NamedTuple):
    """What is still to be done to a frame."""

    checksum_start: int  #: from where on the checksum counts
    checksum_offset: int  #: where it stands, from there
    segment_size: int  #: bytes of payload that a segment takes; 0 for a frame that is one

    @classmethod
    def parse(cls, data: memoryview) -> Offload | None:
        """Read the header before a frame; None where nothing is to be done."""
        flags, _, _, size, start, offset = _HEADER.unpack_from(data)
        return cls(start, offset, size) if flags & _NEEDS_CHECKSUM else None


def undo(frame: bytes, offload: Offload) -> list[bytes]:
    """Return the frames that the interface would have sent."""
    if offload.segment_size:
        key = flow_key(frame, 0)
        if key.transport == offload.checksum_start and key["ip_proto"] in (_TCP, _UDP):
            return _segments(frame, key, offload)
    data = bytearray(frame)
    _sum(data, offload)
    return [bytes(data)]


def _sum(data: bytearray, offload: Offload) -> None:
    """Put in a checksum; in its place stands the sum of what is not in the packet."""
    at = offload.checksum_start + offload.checksum_offset
    if at + 2 <= len(data):
        checksum = internet_checksum(bytes(data[offload.checksum_start :]))
        data[at : at + 2] = (checksum or 0xFFFF).to_bytes(2, "big")


def _segments(frame: bytes, key: FlowKey, offload: Offload) -> list[bytes]:
    """Cut a frame of TCP or UDP into those that fit."""
    start = key.transport
    header = start + ((frame[start + 12] >> 4) * 4 if key["ip_proto"] == _TCP else 8)
    places = range(header, len(frame), offload.segment_size)
    found = []
    for number, at in enumerate(places):
        data = bytearray(frame[:header] + frame[at : at + offload.segment_size])
        _write_network(data, key, number)
        if key["ip_proto"] == _TCP:
            _write_tcp(data, start, at - header, number == 0, at == places[-1])
        else:
            data[start + 4 : start + 6] = (len(data) - start).to_bytes(2, "big")
        place = start + offload.checksum_offset
        data[place : place + 2] = _pseudo_sum(data, key)
        _sum(data, offload)
        found.append(bytes(data))
    return found


def _write_network(data: bytearray, key: FlowKey, number: int) -> None:
    """Tell the IP header of a segment how long it is, and which."""
    at = key.network
    if "ipv6_src" in key:
        data[at + 4 : at + 6] = (len(data) - at - 40).to_bytes(2, "big")
        return
    identification = int.from_bytes(data[at + 4 : at + 6], "big") + number & 0xFFFF
    data[at + 2 : at + 6] = struct.pack(">HH", len(data) - at, identification)
    data[at + 10 : at + 12] = b"\0\0"
    header = bytes(data[at : at + (data[at] & 0xF) * 4])
    data[at + 10 : at + 12] = internet_checksum(header).to_bytes(2, "big")


def _write_tcp(data: bytearray, at: int, offset: int, is_first: bool, is_last: bool) -> None:
    sequence = int.from_bytes(data[at + 4 : at + 8], "big") + offset
    data[at + 4 : at + 8] = (sequence & 0xFFFF_FFFF).to_bytes(4, "big")
    if not is_first:
        data[at + 13] &= ~_CWR
    if not is_last:
        data[at + 13] &= ~_FIN_PSH


def _pseudo_sum(data: bytearray, key: FlowKey) -> bytes:
    """Return the sum of addresses, protocol and length (RFC 9293 3.1, RFC 8200 8.1)."""
    at, size = (key.network + 8, 32) if "ipv6_src" in key else (key.network + 12, 8)
    rest = struct.pack(">II", len(data) - key.transport, key["ip_proto"])
    return (internet_checksum(bytes(data[at : at + size]) + rest) ^ 0xFFFF).to_bytes(2, "big")
