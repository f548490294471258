"""Real interfaces of Linux: frames by AF_PACKET, or by a tap that we make.

    interface = open_interface("veth1")  # or "tap:tap0"
    for frame in interface.receive():
        interface.send(frame)

Nothing here waits: `fileno` is watched by who holds the interface (real_ports.py). What only
Linux has is imported where it is used.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from abc import ABC, abstractmethod
from contextlib import suppress

from protocol import MacAddress, PortDesc, PortEthernet, PortFeatures, PortState

from .offloads import OFFLOAD_SIZE, Offload, undo

MAX_NAME = 15  #: characters of an interface's name (IFNAMSIZ has a zero behind)
MAX_BATCH = 64  #: frames that one turn reads, so that all else gets its turn, too
RECEIVE_BUFFER = 4 << 20  # bytes; some 2,000 frames may wait while we do other things
MAX_RECEIVED = 0x1_0000 + 256  # bytes: what the kernel hands over unsegmented, and its headers

# From linux/if_packet.h, linux/if_ether.h, linux/sockios.h and linux/if_tun.h.
_SOL_PACKET, _ETH_P_ALL = 263, 3
_ADD_MEMBERSHIP, _AUXDATA, _VNET_HDR, _IGNORE_OUTGOING = 1, 8, 15, 23
_MR_PROMISC, _OUTGOING = 1, 4
_SO_RCVBUFFORCE = 33
_AUX = struct.Struct("=IIIHHHH")  # tpacket_auxdata: status, len, snaplen, mac, net, tci, tpid
_VLAN_VALID, _VLAN_TPID_VALID = 1 << 4, 1 << 6
_GET_FLAGS, _SET_FLAGS, _GET_ADDRESS, _ETHTOOL = 0x8913, 0x8914, 0x8927, 0x8946
_UP, _RUNNING = 1 << 0, 1 << 6
_SET_TAP, _TAP, _NO_PI = 0x4004_54CA, 2, 0x1000
_TUN = "/dev/net/tun"

_ADDRESSES = 12  # bytes of a frame before the tags
_GONE = frozenset({errno.EBADFD, errno.EBADF})


class Interface(ABC):
    """One interface, from which frames come and to which they go."""

    def __init__(self, name: str) -> None:
        self.name = name

    def describe(self, port_no: int) -> PortDesc:
        """Return the interface as a port; OSError where it is gone."""
        state = PortState(0) if self.is_up() else PortState.LINK_DOWN
        speed = (_ethernet(self.name),)
        return PortDesc(port_no, _address(self.name), self.name, state=state, properties=speed)

    def is_up(self) -> bool:
        """Whether the interface is there, is up, and has a link."""
        try:
            flags = _flags(self.name)
        except OSError:
            return False
        return flags & (_UP | _RUNNING) == _UP | _RUNNING

    @abstractmethod
    def fileno(self) -> int:
        """Return the descriptor that becomes readable when frames are there."""

    @abstractmethod
    def receive(self) -> list[bytes]:
        """Return up to `MAX_BATCH` frames that are there; OSError when there will be none."""

    @abstractmethod
    def send(self, frame: bytes) -> bool:
        """Send a frame; return whether it is on its way. It is lost where the link is down."""

    @abstractmethod
    def close(self) -> None:
        """Give the interface back."""


class PacketInterface(Interface):
    """An interface that is there already; OSError if it is not, or if we may not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._index = socket.if_nametoindex(name)
        self._buffer = bytearray(MAX_RECEIVED)
        self._view = memoryview(self._buffer)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._socket.setblocking(False)
            self._set_options()
            self._bind()
        except BaseException:  # Ctrl-C as well: who gets no interface cannot close it
            self._socket.close()
            raise

    def _set_options(self) -> None:
        # The kernel takes the outermost tag off, whatever the interface is told; with _AUXDATA
        # it says which that was. _VNET_HDR tells of checksums that are still to be made.
        for option in (_AUXDATA, _VNET_HDR):
            self._socket.setsockopt(_SOL_PACKET, option, 1)
        with suppress(OSError):  # before Linux 4.20; each frame says it, too
            self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:  # CAP_NET_RAW alone: up to the system's limit
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def _bind(self) -> None:
        """Hear the interface, and all of its frames. Nothing is heard before."""
        self._socket.bind((self.name, _ETH_P_ALL))
        promiscuous = struct.pack("=iHH8x", self._index, _MR_PROMISC, 0)
        self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, promiscuous)

    def is_up(self) -> bool:
        """Whether it has a link; one that was made anew under the name is taken up."""
        try:
            index = socket.if_nametoindex(self.name)
            if index != self._index:
                self._index = index
                self._bind()
        except OSError:
            return False
        return super().is_up()

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        frames: list[bytes] = []
        for _ in range(MAX_BATCH):
            try:
                size, extras, _, address = self._socket.recvmsg_into(
                    [self._buffer], socket.CMSG_SPACE(_AUX.size)
                )
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in _GONE:
                    raise
                continue  # ENETDOWN, which is told once; EINVAL: a frame that cannot be described
            if address[2] != _OUTGOING:
                frames += self._frames(size, extras)
        return frames

    def _frames(self, size: int, extras: list[tuple[int, int, bytes]]) -> list[bytes]:
        """Return the frames in the buffer as they were on the wire."""
        frame = bytes(self._view[OFFLOAD_SIZE:size])
        offload = Offload.parse(self._view)
        frames = [frame] if offload is None else undo(frame, offload)
        for level, kind, data in extras:
            if level == _SOL_PACKET and kind == _AUXDATA and (tag := _tag(data)):
                return [one[:_ADDRESSES] + tag + one[_ADDRESSES:] for one in frames]
        return frames

    def send(self, frame: bytes) -> bool:
        try:
            self._socket.send(bytes(OFFLOAD_SIZE) + frame)
        except OSError:  # no link, no room, or longer than the interface can
            return False
        return True

    def close(self) -> None:
        self._socket.close()


def _tag(data: bytes) -> bytes:
    """Return the tag that the kernel took off a frame, empty if it had none."""
    status, _, _, _, _, tci, tpid = _AUX.unpack_from(data)
    if not status & _VLAN_VALID:
        return b""
    return struct.pack(">HH", tpid if status & _VLAN_TPID_VALID else 0x8100, tci)


class Tap(Interface):
    """An interface that we make, and that ends with us; OSError if it cannot be made."""

    def __init__(self, name: str) -> None:
        import fcntl

        super().__init__(name)
        self._file = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(self._file, _SET_TAP, _request(name, struct.pack("=H", _TAP | _NO_PI)))
            _set_flags(name, _flags(name) | _UP)
        except BaseException:  # as above
            os.close(self._file)
            raise

    def fileno(self) -> int:
        return self._file

    def receive(self) -> list[bytes]:
        frames: list[bytes] = []
        with suppress(BlockingIOError):
            while len(frames) < MAX_BATCH:
                frames.append(os.read(self._file, MAX_RECEIVED))
        return frames

    def send(self, frame: bytes) -> bool:
        try:
            os.write(self._file, frame)
        except OSError:  # it is down, or who reads from it is slow
            return False
        return True

    def close(self) -> None:
        os.close(self._file)


# What Linux tells of an interface


def _request(name: str, rest: bytes) -> bytes:
    """Return a struct ifreq."""
    return struct.pack("=16s24s", name.encode(), rest)


def _ask(command: int, request: bytes) -> bytes:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        return fcntl.ioctl(asker, command, request)[16:]


def _flags(name: str) -> int:
    return int.from_bytes(_ask(_GET_FLAGS, _request(name, b""))[:2], sys.byteorder)


def _set_flags(name: str, flags: int) -> None:
    _ask(_SET_FLAGS, _request(name, struct.pack("=H", flags)))


def _address(name: str) -> MacAddress:
    return MacAddress.from_bytes(_ask(_GET_ADDRESS, _request(name, b""))[2:8], "big")


_RATES = {
    (10, 0): PortFeatures.RATE_10MB_HD,
    (10, 1): PortFeatures.RATE_10MB_FD,
    (100, 0): PortFeatures.RATE_100MB_HD,
    (100, 1): PortFeatures.RATE_100MB_FD,
    (1_000, 0): PortFeatures.RATE_1GB_HD,
    (1_000, 1): PortFeatures.RATE_1GB_FD,
    (10_000, 1): PortFeatures.RATE_10GB_FD,
    (40_000, 1): PortFeatures.RATE_40GB_FD,
    (100_000, 1): PortFeatures.RATE_100GB_FD,
}
_MEDIA = {0: PortFeatures.COPPER, 3: PortFeatures.FIBER}  # twisted pair, fibre
_MAX_SPEED = 1_000_000  # Mbit/s; above it the driver knows none


def _ethernet(name: str) -> PortEthernet:
    """Return what the driver says of its speed, nothing where it says nothing."""
    import array
    import fcntl

    command = array.array("B", struct.pack("=I40x", 1))  # ethtool_cmd, ETHTOOL_GSET
    pointer = struct.pack("P", command.buffer_info()[0])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            fcntl.ioctl(asker, _ETHTOOL, _request(name, pointer))
    except OSError:
        return PortEthernet()
    low, duplex, medium = struct.unpack_from("=HBB", command, 12)
    speed = struct.unpack_from("=H", command, 28)[0] << 16 | low
    if not 0 < speed <= _MAX_SPEED:
        return PortEthernet()
    rate = _RATES.get((speed, duplex), PortFeatures.OTHER) | _MEDIA.get(medium, PortFeatures(0))
    return PortEthernet(curr=rate, curr_speed=speed * 1_000)


class LinkWatch:
    """Becomes readable when something about an interface has changed."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)  # NETLINK_ROUTE
        self._socket.setblocking(False)
        self._socket.bind((0, 1))  # RTMGRP_LINK

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget what was told: who looks at all interfaces then can miss nothing."""
        with suppress(BlockingIOError):
            while True:
                try:
                    self._socket.recv(MAX_RECEIVED)
                except OSError as error:
                    if error.errno != errno.ENOBUFS:  # more was told than there was room for
                        raise

    def close(self) -> None:
        """End the watch."""
        self._socket.close()


# What users write

TAP = "tap:"  #: before the name of a tap that is to be made


def open_interface(text: str) -> Interface:
    """Open the interface that `text` names, or make the tap that `tap:NAME` names.

    ValueError, in one sentence with the cure, where that cannot be.
    """
    if not hasattr(socket, "AF_PACKET"):
        raise ValueError(f"ports on real interfaces need Linux, this is {sys.platform}")
    name = text.removeprefix(TAP)
    if not 0 < len(name.encode()) <= MAX_NAME or set(name) & set("/: \t\0"):
        raise ValueError(f"{name!r} cannot be an interface: names have 1 to {MAX_NAME} characters")
    try:
        return Tap(name) if text.startswith(TAP) else PacketInterface(name)
    except PermissionError as error:
        cure = "run as root, or give the process CAP_NET_RAW and CAP_NET_ADMIN"
        raise ValueError(f"interface {name} is not allowed: {cure}") from error
    except OSError as error:
        raise ValueError(_cannot_open(text, name, error)) from error


def _cannot_open(text: str, name: str, error: OSError) -> str:
    if error.filename == _TUN:
        return f"a tap needs {_TUN}: {error.strerror}"
    if error.errno in (None, errno.ENODEV, errno.ENXIO):  # if_nametoindex names no number
        return f"there is no interface {name}: `ip link` lists them; write {TAP}{name} to make one"
    if error.errno == errno.EBUSY:
        return f"interface {name} is in use by another program: choose another name"
    if error.errno == errno.EINVAL and text.startswith(TAP):
        return f"interface {name} is there already and is no tap: leave {TAP!r} out"
    return f"interface {name} cannot be opened: {error.strerror or error}"
